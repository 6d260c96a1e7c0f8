"""Supply glitch: the supply falls or rises for microseconds to seconds, once or in a rhythm."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Scene, SupplyDip, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    dip = SupplyDip(share=values["share"], held=values["hold_up"] == 0.0)
    step_s = values["glitch_s"] + values["gap_s"]
    starts = [START_S + number * step_s for number in range(round(values["glitches"]))]
    return tuple(Timed(effect=dip, start_s=at, stop_s=at + values["glitch_s"]) for at in starts)


GLITCH = Move(
    id="glitch",
    name="supply glitch",
    goal="intrude",
    about="short dips or surges of the supply, to reset or confuse readers and controller",
    parameters=(
        Parameter(name="share", low=0.0, high=2.0, default=0.4, unit="",
                  about="of the nominal supply; above 1: a surge"),
        Parameter(name="glitch_s", low=1e-7, high=10.0, default=1e-3, unit="s", scale="log",
                  about="length of one"),
        Parameter(name="gap_s", low=1e-5, high=600.0, default=1.0, unit="s", scale="log",
                  about="between two"),
        Parameter(name="glitches", low=1, high=200, default=5, unit="", scale="whole",
                  about="how many"),
        choice("hold_up", ("works", "defeated"), "whether hold-up covers it"),
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=300.0, expertise="proficient", knowledge="restricted",
        window="easy", equipment="specialised", persons=1, cost_usd=1e4,
    ),
    effects=_effects,
    source="planning values; immunity tests of supplies: IEC 61000-4-11 and -4-29",
)  # fmt: skip
