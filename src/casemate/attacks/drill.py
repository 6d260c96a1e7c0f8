"""Drill through a board: a bit of any diameter, at any angle and place, with its noise and swarf.

The bit meets each mesh layer where its axis crosses it. While it turns it shakes the panel and
warms the place; its metal, grounded through the machine, stands in the gap until it is withdrawn;
the hole stays. Deep drilling ends with the bit standing in the cavity as a rod.
"""

from __future__ import annotations

import math

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.twin.effects import (
    Contact,
    Force,
    HeatSpot,
    Hole,
    Place,
    Scatterer,
    Scene,
    Spot,
    Timed,
)

START_S = 1.0
BIT_F = 2e-13
"""Of a slim bit in its hole to the copper round it: 0.1 to 0.3 pF (planning value)."""
FRICTION = 0.4
"""Of the spindle's power that heats the board rather than the chips (planning value)."""


def spots(plan: Plan, tilt_rad: float, azimuth_rad: float) -> list[tuple[float, Spot]]:
    """Return (depth in m, spot) where a straight tool from `plan.place` meets each mesh layer.

    The tool enters the outer surface at the place and leans by tilt towards azimuth.
    """
    stack = plan.tile.stackup
    rows = []
    for layer, depth_m in zip(stack.mesh, stack.depth_m, strict=True):
        aside_m = depth_m * math.tan(tilt_rad)
        at = Spot(
            tile=plan.tile.id,
            layer=layer,
            x_m=plan.place[0] + aside_m * math.cos(azimuth_rad),
            y_m=plan.place[1] + aside_m * math.sin(azimuth_rad),
        )
        rows.append((depth_m, at))
    return rows


def _effects(plan: Plan, values: Values) -> Scene:
    diameter_m, tilt_rad = values["diameter_m"], values["tilt_rad"]
    feed_m_s, swarf_ohm = values["feed_m_s"], values["swarf_ohm"]
    thick_m = plan.tile.stackup.thickness_m
    path_m = (thick_m + values["beyond_m"]) / math.cos(tilt_rad)
    through_s = START_S + path_m / feed_m_s
    out_s = through_s + values["dwell_s"]
    here = Place(tile=plan.tile.id, x_m=plan.place[0], y_m=plan.place[1])
    scene = []
    for depth_m, at in spots(plan, tilt_rad, values["azimuth_rad"]):
        met_s = START_S + depth_m / math.cos(tilt_rad) / feed_m_s
        scene.append(Timed(effect=Hole(at=at, diameter_m=diameter_m), start_s=met_s))
        bit = Contact(at=at, farad=BIT_F, ohm=swarf_ohm, reach_m=0.5 * diameter_m + 2e-5)
        scene.append(Timed(effect=bit, start_s=met_s, stop_s=out_s))
    shake = Force(at=here, kind="drill", newton=values["thrust_n"], hertz=values["turns_1_s"])
    warm = HeatSpot(at=here, watt=FRICTION * values["spindle_w"], radius_m=diameter_m)
    scene.append(Timed(effect=shake, start_s=START_S, stop_s=through_s))
    scene.append(Timed(effect=warm, start_s=START_S, stop_s=through_s))
    if values["beyond_m"] > 0.0:
        x_m, y_m, z_m = plan.cavity_m
        rod = Scatterer(
            x_m=x_m, y_m=y_m, z_m=z_m, length_m=values["beyond_m"], diameter_m=diameter_m
        )
        board_s = START_S + thick_m / math.cos(tilt_rad) / feed_m_s
        scene.append(Timed(effect=rod, start_s=board_s, stop_s=out_s, rise_s=through_s - board_s))
    return tuple(scene)


DRILL = Move(
    id="drill",
    name="mechanical drill",
    goal="intrude",
    about="a bit through a board at any place and angle, then withdrawn",
    parameters=(
        Parameter(name="diameter_m", low=5e-5, high=3e-3, default=3e-4, unit="m", scale="log",
                  about="of the bit"),
        Parameter(name="tilt_rad", low=0.0, high=1.22, default=0.0, unit="rad",
                  about="from the normal"),
        Parameter(name="azimuth_rad", low=0.0, high=2 * math.pi, default=0.0, unit="rad",
                  about="of the tilt in the board's plane"),
        Parameter(name="feed_m_s", low=1e-6, high=1e-3, default=1e-4, unit="m/s", scale="log",
                  about="along the tool"),
        Parameter(name="turns_1_s", low=50.0, high=5_000.0, default=500.0, unit="1/s", scale="log",
                  about="of the spindle"),
        Parameter(name="thrust_n", low=0.01, high=5.0, default=1.0, unit="N", scale="log",
                  about="steady push"),
        Parameter(name="spindle_w", low=0.1, high=50.0, default=2.0, unit="W", scale="log",
                  about="power at the tip"),
        Parameter(name="swarf_ohm", low=0.1, high=1e12, default=1e12, unit="ohm", scale="log",
                  about="from the net to ground through bit and swarf; 1e12: insulated"),
        Parameter(name="beyond_m", low=0.0, high=0.05, default=0.01, unit="m",
                  about="how far the bit stands in the volume"),
        Parameter(name="dwell_s", low=0.1, high=3_600.0, default=5.0, unit="s", scale="log",
                  about="before it is withdrawn"),
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="restricted",
        window="moderate", equipment="specialised", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="ranges: 0.05 to 0.3 mm bits turn at 500 to 5000 1/s; thrust 0.1 to 5 N "
    "(physics.md 3, 5.6, planning values)",
)  # fmt: skip
