"""Edge entry: a tool nearly flat along a board or strip, in at a rim or a box edge.

At such an angle its trace on a layer is long; a row of round holes stands for it. Steeper angles
than 70 degrees are outside what the holes of a board are certified for; there the seams and edge
strips must answer.
"""

from __future__ import annotations

import math

from casemate.attacks.board import beside, here, opening, rod, spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Contact, Force, Hole, Lifted, Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    tool_m, tilt_rad, place = values["tool_m"], values["tilt_rad"], here(plan)
    push_s = values["reach_m"] / values["speed_m_s"]
    stop_s = START_S + push_s + values["dwell_s"]
    scene = []
    for layer, depth_m in zip(plan.tile.stackup.mesh, plan.tile.stackup.depth_m, strict=True):
        aside_m = depth_m * math.tan(tilt_rad)
        if aside_m < values["reach_m"]:
            scene += _ploughed(plan, values, layer, aside_m)
    lift = Lifted(
        at=place, gap_m=values["lift_m"], strain=values["strain"], radius_m=values["reach_m"]
    )
    push = Force(at=place, kind="noise", newton=values["newton"], hertz=values["hertz"])
    slot = opening(plan, 2.0 * tool_m, tool_m, clear=False)
    scene += [
        Timed(effect=lift, start_s=START_S, stop_s=stop_s, rise_s=push_s),
        Timed(effect=push, start_s=START_S, stop_s=START_S + push_s),
        Timed(effect=slot, start_s=START_S, stop_s=stop_s),
    ]
    if values["beyond_m"] > 0.0:
        tool = rod(plan, values["beyond_m"], tool_m)
        scene.append(Timed(effect=tool, start_s=START_S + push_s, stop_s=stop_s))
    return tuple(scene)


def _ploughed(plan: Plan, values: Values, layer: str, aside_m: float) -> list[Timed]:
    """Return the row of holes where the tool lies in one layer, and its metal in it."""
    tool_m = values["tool_m"]
    long_m = min(tool_m / math.cos(values["tilt_rad"]), values["reach_m"] - aside_m)
    count = max(1, math.ceil(long_m / tool_m))
    rows = []
    for number in range(count):
        along_m = aside_m + (number + 0.5) / count * long_m
        at = spot(plan, layer, beside(plan, along_m, values["azimuth_rad"]))
        met_s = START_S + along_m / values["speed_m_s"]
        rows.append(Timed(effect=Hole(at=at, diameter_m=tool_m), start_s=met_s))
        if number == 0 and values["farad"] > 0.0:
            metal = Contact(at=at, farad=values["farad"], reach_m=tool_m)
            out_s = START_S + values["reach_m"] / values["speed_m_s"] + values["dwell_s"]
            rows.append(Timed(effect=metal, start_s=met_s, stop_s=out_s))
    return rows


EDGE = Move(
    id="edge",
    name="flat tool at an edge",
    goal="intrude",
    about="a straight tool nearly parallel to a board or strip, pushed in at a rim or box edge",
    parameters=(
        Parameter(name="tool_m", low=1e-4, high=1.5e-3, default=3e-4, unit="m", scale="log",
                  about="diameter of the tool"),
        Parameter(name="tilt_rad", low=1.22, high=1.55, default=1.45, unit="rad",
                  about="from the board's normal: 70 to 89 degrees"),
        Parameter(name="azimuth_rad", low=0.0, high=2 * math.pi, default=0.0, unit="rad",
                  about="direction in the board's plane"),
        Parameter(name="reach_m", low=1e-3, high=5e-2, default=5e-3, unit="m", scale="log",
                  about="how far it is pushed along the board"),
        Parameter(name="speed_m_s", low=1e-6, high=0.05, default=1e-3, unit="m/s", scale="log",
                  about="along the tool"),
        Parameter(name="newton", low=0.01, high=20.0, default=1.0, unit="N", scale="log",
                  about="of the push, root mean square about its mean"),
        Parameter(name="hertz", low=10.0, high=5_000.0, default=300.0, unit="Hz", scale="log",
                  about="upper end of what the push excites"),
        Parameter(name="lift_m", low=0.0, high=1e-3, default=1e-4, unit="m",
                  about="by which the board or strip is lifted"),
        Parameter(name="strain", low=1e-7, high=3e-3, default=5e-5, unit="", scale="log",
                  about="of its copper"),
        Parameter(name="farad", low=0.0, high=1e-12, default=2e-13, unit="F",
                  about="of the tool to the copper it touches; 0: a dielectric tool"),
        Parameter(name="beyond_m", low=0.0, high=0.05, default=0.0, unit="m",
                  about="how far it then stands in the volume"),
        Parameter(name="dwell_s", low=0.1, high=3_600.0, default=5.0, unit="s", scale="log",
                  about="before it is withdrawn"),
    ),
    potential=Potential(
        elapsed_s=30 * DAY_S, on_site_s=900.0, expertise="expert", knowledge="sensitive",
        window="moderate", equipment="specialised", persons=2, cost_usd=5e4,
    ),
    effects=_effects,
    source="angles beyond targets.tool_angle of the examples (edge-closure.md); planning values",
)  # fmt: skip
