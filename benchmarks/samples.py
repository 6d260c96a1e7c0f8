"""The tiles that benchmarks draw: plain rectangles at the pitch that the issue names."""

from __future__ import annotations

import math

from casemate.core.geometry import Outline
from casemate.design.enclosure import FabProfile, MeshRules, Stackup, TileDesign, TileFrame

SECRET = bytes(range(32))
"""A fixed secret, so that every run draws the same layout; never used for a product."""
SERIAL = "BENCH-0001"

STACKUP = Stackup(
    copper=("F.Cu", "In1.Cu", "In2.Cu", "B.Cu"),
    mesh=("In1.Cu", "In2.Cu"),
    depth_m=(0.15e-3, 0.2e-3),
    plane=("F.Cu",),
    thickness_m=0.8e-3,
    copper_m=18e-6,
    blind=True,
)
FAB = FabProfile(
    id="benchmark",
    max_board_m=(0.67, 0.6),
    trace_min_m=0.1e-3,
    space_min_m=0.1e-3,
    via_drill_m=0.15e-3,
    via_pad_m=0.25e-3,
    edge_clearance_m=0.2e-3,
    width_tolerance=0.2,
    registration_m=0.2e-3,
    source="benchmark sample: 0.1 mm trace and space, as common fabs offer",
)
RULES = MeshRules(
    pattern="tree",
    pitch_m=0.2e-3,
    trace_m=0.1e-3,
    lanes=2,
    net_length_max_m=25.0,
    theta_max_rad=math.radians(70),
    hole_max_m=0.45e-3,
    same_net_share_max=0.5,
    bypass_worst_max=0.05,
    bypass_over_one_percent_max=0.1,
    resistance_mismatch_max=0.05,
)


def rectangle(width_m: float, height_m: float, *, name: str) -> TileDesign:
    """Return a two-layer tile of width_m x height_m (m)."""
    corners = ((0.0, 0.0), (width_m, 0.0), (width_m, height_m), (0.0, height_m))
    return TileDesign(
        id=name,
        face="front",
        panel="front",
        module="rigid-4l",
        outline=Outline(exterior=corners, holes=()),
        frame=TileFrame(
            origin_m=(0.0, 0.0, 0.0),
            x_axis=(1.0, 0.0, 0.0),
            y_axis=(0.0, 0.0, 1.0),
            inward=(0.0, 1.0, 0.0),
        ),
        stackup=STACKUP,
        fab=FAB,
        mesh=RULES,
        terminal_edge="left",
        lap_m=0.0,
    )
