"""Light: lamps flash at windows, vents and seams."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Light, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return bursts(Light(lux=values["lux"], hertz=values["hertz"]), values)


LIGHT = Move(
    id="light",
    name="flashing light",
    goal="discredit",
    about="light outside, steady or flickering",
    parameters=(
        Parameter(name="lux", low=1.0, high=1e6, default=2e4, unit="lux", scale="log",
                  about="at the wall"),
        Parameter(name="hertz", low=0.0, high=1e5, default=100.0, unit="Hz",
                  about="of the flicker; 0: steady"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=60.0, expertise="layman", knowledge="public",
        window="easy", equipment="standard", persons=1, cost_usd=200.0,
    ),
    effects=_effects,
    source="daylight reaches 1e5 lux; planning values",
)  # fmt: skip
