"""Load: the protected thing itself changes its power, as its owner may at any time."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Load, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return bursts(Load(watt=values["watt"], hertz=values["hertz"]), values)


LOAD = Move(
    id="load",
    name="modulated load",
    goal="discredit",
    about="the payload's own power as a square wave",
    parameters=(
        Parameter(name="watt", low=0.1, high=2e5, default=5.0, unit="W", scale="log",
                  about="by which it changes; more than the payload has is no use"),
        Parameter(name="hertz", low=0.0, high=1e4, default=0.1, unit="Hz",
                  about="of the square wave; 0: a step"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=0.0, expertise="layman", knowledge="public",
        window="unlimited", equipment="standard", persons=1, cost_usd=0.0,
    ),
    effects=_effects,
    source="powers of the examples: 5 W to 132 kW (context.md 2); a workload needs no access",
)  # fmt: skip
