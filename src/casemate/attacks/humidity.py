"""Humidity: the surroundings are made moist or dry; mesh, film and air all follow."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Ambient, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    air = Ambient(kelvin=values["kelvin"], humidity=values["humidity"])
    return bursts(air, values, rise_share=values["rise_share"])


HUMIDITY = Move(
    id="humidity",
    name="humidity",
    goal="discredit",
    about="surroundings moister or drier, in any rhythm",
    parameters=(
        Parameter(name="humidity", low=-0.6, high=0.6, default=0.3, unit="",
                  about="change of relative humidity"),
        Parameter(name="kelvin", low=-5.0, high=5.0, default=0.0, unit="K",
                  about="that comes with it"),
        Parameter(name="rise_share", low=0.01, high=1.0, default=0.3, unit="",
                  about="of a burst, in which it gets there"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=60.0, expertise="layman", knowledge="public",
        window="easy", equipment="standard", persons=1, cost_usd=200.0,
    ),
    effects=_effects,
    source="8 to 90 % are allowed in data centres (physics.md 4)",
)  # fmt: skip
