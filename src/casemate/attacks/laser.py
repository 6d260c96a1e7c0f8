"""Laser: one or many holes far finer than a bit, without a sound, with heat, soot and light.

Holes lie in a row, so that a row can cut a slot between traces or nick a trace little by little.
Each goes through all layers before the next. Soot on the walls of a hole may leak between traces.
"""

from __future__ import annotations

import math

from casemate.attacks.board import beside, here, opening, spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.core.geometry import Point
from casemate.twin.effects import Bridge, HeatSpot, Hole, Light, Scene, Timed

SOOTLESS_OHM = 1e12
"""At or above it soot does not conduct."""
BREAKTHROUGH_LUX = 1e3
"""Of plasma and stray light inside once it is through (planning value)."""


def _effects(plan: Plan, values: Values) -> Scene:
    count, each_s = round(values["holes"]), values["hole_s"]
    middle = 0.5 * (count - 1)
    scene = []
    for number in range(count):
        aside_m = (number - middle) * values["spacing_m"]
        at = beside(plan, aside_m, values["azimuth_rad"])
        scene += _hole(plan, values, at, START_S + number * each_s)
    done_s = START_S + count * each_s
    heat = HeatSpot(at=here(plan), watt=values["watt"], radius_m=values["diameter_m"])
    long_m = values["diameter_m"] + (count - 1) * values["spacing_m"]
    slot = opening(plan, long_m, values["diameter_m"])
    light = Light(lux=BREAKTHROUGH_LUX, hertz=values["pulses_1_s"])
    return (
        *scene,
        Timed(effect=heat, start_s=START_S, stop_s=done_s),
        Timed(effect=slot, start_s=START_S + each_s),
        Timed(effect=light, start_s=START_S + 0.5 * each_s, stop_s=done_s),
    )


def _hole(plan: Plan, values: Values, at: Point, start_s: float) -> list[Timed]:
    stack, diameter_m = plan.tile.stackup, values["diameter_m"]
    edge_m = 0.5 * (diameter_m + plan.tile.mesh.trace_m)
    rows = []
    for layer, depth_m in zip(stack.mesh, stack.depth_m, strict=True):
        met_s = start_s + values["hole_s"] * depth_m / stack.thickness_m
        hole = Hole(at=spot(plan, layer, at), diameter_m=diameter_m)
        rows.append(Timed(effect=hole, start_s=met_s))
        if values["soot_ohm"] < SOOTLESS_OHM:
            to = spot(plan, layer, beside(plan, edge_m, values["azimuth_rad"] + 0.5 * math.pi))
            soot = Bridge(at=spot(plan, layer, at), to=to, ohm=values["soot_ohm"])
            rows.append(Timed(effect=soot, start_s=met_s))
    return rows


LASER = Move(
    id="laser",
    name="laser ablation",
    goal="intrude",
    about="a row of fine holes through all layers, silent, with heat and soot",
    parameters=(
        Parameter(name="diameter_m", low=1e-5, high=1e-4, default=3e-5, unit="m", scale="log",
                  about="of a hole"),
        Parameter(name="holes", low=1, high=100, default=1, unit="", scale="whole",
                  about="how many, in a row about the place"),
        Parameter(name="spacing_m", low=1e-5, high=1e-3, default=3e-5, unit="m", scale="log",
                  about="from hole to hole"),
        Parameter(name="azimuth_rad", low=0.0, high=2 * math.pi, default=0.0, unit="rad",
                  about="direction of the row"),
        Parameter(name="watt", low=0.01, high=20.0, default=0.5, unit="W", scale="log",
                  about="average power that stays in the board"),
        Parameter(name="hole_s", low=0.01, high=600.0, default=2.0, unit="s", scale="log",
                  about="time a hole takes, pauses to cool included"),
        Parameter(name="pulses_1_s", low=10.0, high=1e6, default=1e4, unit="1/s", scale="log",
                  about="rate of the pulses, as the light inside flickers"),
        Parameter(name="soot_ohm", low=1e4, high=1e12, default=1e12, unit="ohm", scale="log",
                  about="leak of soot across a gap beside a hole; 1e12: none"),
    ),
    potential=Potential(
        elapsed_s=60 * DAY_S, on_site_s=1_800.0, expertise="expert", knowledge="sensitive",
        window="difficult", equipment="bespoke", persons=3, cost_usd=5e5,
    ),
    effects=_effects,
    source="20 to 50 um holes (physics.md 3, unverified); ultraviolet percussion in flex: "
    "10.1108/03056121111180866, 10.3390/mi15091078; powers and times are planning values",
)  # fmt: skip
