"""Delay a sensor bus: true words, but late; what is seen is what was, while something else is."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.readers import WHICH, aimed
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import BusFault, Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    return tuple(
        Timed(
            effect=BusFault(modality=modality, kind="delay", seconds=values["delay_s"]),
            start_s=START_S,
            stop_s=START_S + values["hold_s"],
            rise_s=values["rise_s"],
        )
        for modality in aimed(plan, values)
    )


DELAY_BUS = Move(
    id="delay-bus",
    name="delayed sensor bus",
    goal="intrude",
    about="a reader's words reach the controller late, the delay growing slowly or at once",
    parameters=(
        WHICH,
        Parameter(name="delay_s", low=1e-4, high=3_600.0, default=0.5, unit="s", scale="log",
                  about="by which words come late at the end"),
        Parameter(name="rise_s", low=0.0, high=86_400.0, default=0.0, unit="s",
                  about="in which the delay grows to that"),
        Parameter(name="hold_s", low=1.0, high=1e6, default=300.0, unit="s", scale="log",
                  about="how long the link is held up, the growth included"),
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=900.0, expertise="proficient", knowledge="sensitive",
        window="difficult", equipment="specialised", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="planning values; a stale reading must not show as normal",
)  # fmt: skip
