"""Heating: the surroundings are warmed or cooled, fast or in step with the load."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Ambient, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return bursts(Ambient(kelvin=values["kelvin"]), values, rise_share=values["rise_share"])


HEATING = Move(
    id="heating",
    name="heating the surroundings",
    goal="discredit",
    about="surroundings warmer or colder, in any rhythm",
    parameters=(
        Parameter(name="kelvin", low=-30.0, high=40.0, default=10.0, unit="K",
                  about="by which they change"),
        Parameter(name="rise_share", low=0.01, high=1.0, default=0.3, unit="",
                  about="of a burst, in which they get there"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=60.0, expertise="layman", knowledge="public",
        window="easy", equipment="standard", persons=1, cost_usd=200.0,
    ),
    effects=_effects,
    source="ASHRAE A4 spans 5 to 45 C at 5 to 20 K/h (physics.md 4); an adversary may be faster",
)  # fmt: skip
