"""Slow walk: for months everything drifts far below the noise, then comes the intrusion.

Surroundings ramp and a leak grows on the nets at the place, so that a baseline that adapts follows
to where the intrusion no longer shows. The hole at the end is fine and silent, as a laser makes it.
"""

from __future__ import annotations

from casemate.attacks.board import spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Ambient, Contact, Hole, Scene, Spot, Timed

STAGES = 30
"""Of the growing load: a step is a thirtieth of it, and a day or more apart by default."""


def _effects(plan: Plan, values: Values) -> Scene:
    walk_s = values["walk_s"]
    end_s = START_S + walk_s
    around = Ambient(kelvin=values["kelvin"], humidity=values["humidity"])
    scene = [Timed(effect=around, start_s=START_S, rise_s=walk_s)]
    for layer in plan.tile.stackup.mesh:
        at = spot(plan, layer)
        scene += _load(at, values)
        scene.append(Timed(effect=Hole(at=at, diameter_m=values["hole_m"]), start_s=end_s))
    return tuple(scene)


def _load(at: Spot, values: Values) -> list[Timed]:
    """Return a load that grows in stages and is taken off when the hole is made."""
    step_s = values["walk_s"] / STAGES
    return [
        Timed(
            effect=Contact(
                at=at, farad=values["farad"] * (stage + 1) / STAGES, reach_m=values["reach_m"]
            ),
            start_s=START_S + stage * step_s,
            stop_s=START_S + (stage + 1) * step_s,
        )
        for stage in range(STAGES)
    ]


SLOW_WALK = Move(
    id="slow-walk",
    name="slow walk, then a hole",
    goal="intrude",
    about="surroundings and a load on the nets ramp for months; then a fine hole replaces the load",
    parameters=(
        Parameter(name="walk_s", low=3_600.0, high=3e7, default=90 * DAY_S, unit="s", scale="log",
                  about="length of the walk"),
        Parameter(name="kelvin", low=-10.0, high=10.0, default=3.0, unit="K",
                  about="by which the surroundings are warmer at its end"),
        Parameter(name="humidity", low=-0.3, high=0.3, default=0.1, unit="",
                  about="the same for relative humidity"),
        Parameter(name="farad", low=1e-16, high=1e-11, default=5e-14, unit="F", scale="log",
                  about="of the load that grows on the nets at the place"),
        Parameter(name="reach_m", low=1e-5, high=1e-3, default=2e-4, unit="m", scale="log",
                  about="within which copper is met"),
        Parameter(name="hole_m", low=1e-5, high=1e-3, default=1e-4, unit="m", scale="log",
                  about="diameter of the hole at the end"),
    ),
    potential=Potential(
        elapsed_s=180 * DAY_S, on_site_s=7_200.0, expertise="expert", knowledge="critical",
        window="difficult", equipment="bespoke", persons=6, cost_usd=1e6,
    ),
    effects=_effects,
    source="change below threshold in each adaptation step (physics.md 3); planning values",
)  # fmt: skip
