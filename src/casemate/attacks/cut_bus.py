"""Cut a sensor bus: the link of one reader or of all is cut, loses words, sticks or is reset."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.readers import WHICH, aimed
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import BusFault, Scene

KINDS = ("cut", "loss", "stuck", "reset")

BUS_KIND = choice("kind", KINDS, "what happens to the words on the link")


def _effects(plan: Plan, values: Values) -> Scene:
    kind = BUS_KIND.word(values["kind"])
    share = values["share"] if kind == "loss" else 0.0
    return tuple(
        timed
        for modality in aimed(plan, values)
        for timed in bursts(
            BusFault(modality=modality, kind=kind, share=share),  # type: ignore[arg-type]
            values,
        )
    )


CUT_BUS = Move(
    id="cut-bus",
    name="cut sensor bus",
    goal="intrude",
    about="a reader's link to the controller is cut, lossy, stuck or reset, once or in a rhythm",
    parameters=(
        WHICH,
        BUS_KIND,
        Parameter(name="share", low=0.01, high=1.0, default=0.5, unit="", scale="log",
                  about="of the words that are lost, if the kind is loss"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=7 * DAY_S, on_site_s=300.0, expertise="proficient", knowledge="restricted",
        window="difficult", equipment="standard", persons=2, cost_usd=5e3,
    ),
    effects=_effects,
    source="replay and cut of the sensor bus (physics.md 3); planning values",
)  # fmt: skip
