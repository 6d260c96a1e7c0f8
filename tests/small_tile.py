"""A small tile of real mesh rules, for the tests of drawing and of reflectometry."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from casemate.core.geometry import Outline, rectangle
from casemate.design.enclosure import FabProfile, MeshRules, Stackup, TileDesign, TileFrame

SECRET = bytes(range(32))
STACK = Stackup(
    copper=("F.Cu", "In1.Cu", "In2.Cu", "B.Cu"), mesh=("In1.Cu", "In2.Cu"),
    depth_m=(0.15e-3, 0.2e-3), plane=("F.Cu",), thickness_m=0.8e-3, copper_m=18e-6, blind=True,
)  # fmt: skip
FAB = FabProfile(
    id="small", max_board_m=(0.67, 0.6), trace_min_m=1e-4, space_min_m=1e-4, via_drill_m=0.15e-3,
    via_pad_m=0.25e-3, edge_clearance_m=0.2e-3, width_tolerance=0.2, registration_m=0.2e-3,
    source="test",
)  # fmt: skip
RULES = MeshRules(
    pattern="tree", pitch_m=2e-4, trace_m=1e-4, lanes=2, net_length_max_m=25.0,
    theta_max_rad=math.radians(20), hole_max_m=0.54e-3, same_net_share_max=0.55,
    bypass_worst_max=0.4, bypass_over_one_percent_max=0.4, resistance_mismatch_max=0.4,
)  # fmt: skip
"""Bounds that the small tile holds, so that a planted fault stands out."""


def tile(outline: Outline | None = None, **rules: Any) -> TileDesign:
    """Return a tile of 16 x 12 mm, or of another outline, with changed mesh rules."""
    return TileDesign(
        id="front-1", face="front", panel="front", module="rigid-4l",
        outline=outline or rectangle(16e-3, 12e-3),
        frame=TileFrame(origin_m=(0, 0, 0), x_axis=(1, 0, 0), y_axis=(0, 0, 1), inward=(0, 1, 0)),
        stackup=STACK, fab=FAB, mesh=replace(RULES, **rules), terminal_edge="left", lap_m=0.0,
    )  # fmt: skip
