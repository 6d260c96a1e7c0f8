"""Layer by layer: mill a pocket that stops above a mesh layer, go on between its traces, repeat.

Over each layer the board is thinned without touching copper, so that the traces can be seen; then a
fine tool passes between two of them. Below, the tool may step sideways before the next layer, which
defeats layers that only close each other's gaps for straight tools.
"""

from __future__ import annotations

import math

from casemate.attacks.board import beside, here, opening, rod, spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Force, Hole, Pocket, Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    stack = plan.tile.stackup
    now_s, above_m, scene = START_S, 0.0, []
    for number, (layer, depth_m) in enumerate(zip(stack.mesh, stack.depth_m, strict=True)):
        at = spot(plan, layer, beside(plan, number * values["aside_m"], values["azimuth_rad"]))
        mill_s = (depth_m - above_m) / values["feed_m_s"]
        pocket = Pocket(
            at=at,
            diameter_m=values["pocket_m"] if number == 0 else values["inner_m"],
            left_m=min(values["left_m"], 0.5 * (depth_m - above_m)),
            epsilon_r=values["fill_epsilon_r"],
        )
        mill = Force(
            at=here(plan), kind="drill", newton=values["thrust_n"], hertz=values["turns_1_s"]
        )
        scene += [
            Timed(effect=mill, start_s=now_s, stop_s=now_s + mill_s),
            Timed(effect=pocket, start_s=now_s, rise_s=mill_s),
            Timed(
                effect=Hole(at=at, diameter_m=values["hole_m"]),
                start_s=now_s + mill_s + values["pause_s"],
            ),
        ]
        now_s += mill_s + values["pause_s"] + 1.0
        above_m = depth_m
    scene.append(
        Timed(effect=opening(plan, values["pocket_m"], values["pocket_m"]), start_s=START_S)
    )
    if values["beyond_m"] > 0.0:
        wall_s = max(plan.wall_m - above_m, 0.0) / values["feed_m_s"]
        tool = rod(plan, values["beyond_m"], values["hole_m"])
        rise_s = values["beyond_m"] / values["feed_m_s"]
        at_s = now_s + wall_s
        scene.append(Timed(effect=tool, start_s=at_s, stop_s=at_s + rise_s + 60.0, rise_s=rise_s))
    return tuple(scene)


POCKET = Move(
    id="pocket",
    name="pocket, layer by layer",
    goal="intrude",
    about="mill down to each mesh layer without touching copper, then pass between its traces",
    parameters=(
        Parameter(name="pocket_m", low=3e-4, high=1e-2, default=2e-3, unit="m", scale="log",
                  about="diameter of the pocket above the outermost layer"),
        Parameter(name="inner_m", low=5e-5, high=2e-3, default=2e-4, unit="m", scale="log",
                  about="diameter of the pockets between layers, cut sideways through the hole"),
        Parameter(name="left_m", low=0.0, high=5e-5, default=1e-5, unit="m",
                  about="dielectric left over the copper, at most half of what was there"),
        Parameter(name="hole_m", low=2e-5, high=5e-4, default=8e-5, unit="m", scale="log",
                  about="diameter of the tool that goes on between the traces"),
        Parameter(name="aside_m", low=0.0, high=2e-3, default=1e-4, unit="m",
                  about="step sideways from layer to layer"),
        Parameter(name="azimuth_rad", low=0.0, high=2 * math.pi, default=0.0, unit="rad",
                  about="direction of that step"),
        Parameter(name="fill_epsilon_r", low=1.0, high=6.0, default=1.0, unit="",
                  about="of what fills the pocket: air, or resin that hides it"),
        Parameter(name="feed_m_s", low=1e-8, high=1e-4, default=1e-6, unit="m/s", scale="log",
                  about="downwards"),
        Parameter(name="turns_1_s", low=50.0, high=5_000.0, default=1_000.0, unit="1/s",
                  scale="log", about="of the cutter"),
        Parameter(name="thrust_n", low=1e-3, high=1.0, default=0.05, unit="N", scale="log",
                  about="steady push"),
        Parameter(name="pause_s", low=1.0, high=86_400.0, default=600.0, unit="s", scale="log",
                  about="to look and aim before each layer"),
        Parameter(name="beyond_m", low=0.0, high=0.05, default=0.01, unit="m",
                  about="how far the tool, taken as metal, then stands in the volume"),
    ),
    potential=Potential(
        elapsed_s=60 * DAY_S, on_site_s=7_200.0, expertise="expert", knowledge="sensitive",
        window="difficult", equipment="bespoke", persons=4, cost_usd=3e5,
    ),
    effects=_effects,
    source="planning values: a pattern of 0.1 mm traces and spaces lets a tool of 0.08 mm pass one "
    "layer (proof.md, hole.severing.per_layer)",
)  # fmt: skip
