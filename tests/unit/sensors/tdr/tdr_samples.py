"""A small tile of real mesh for the tests of reflectometry, drawn once."""

from __future__ import annotations

import math
from functools import cache

from casemate.core.geometry import rectangle
from casemate.design.enclosure import FabProfile, MeshRules, Stackup, TileDesign, TileFrame
from casemate.mesh.generate import draw_tile
from casemate.mesh.model import TileMesh
from casemate.sensors.tdr.physics import Tdr, card_reader, tdr_of

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
    pattern="tree", pitch_m=2e-4, trace_m=1e-4, lanes=2, net_length_max_m=4.0,
    theta_max_rad=math.radians(20), hole_max_m=0.54e-3, same_net_share_max=0.55,
    bypass_worst_max=0.4, bypass_over_one_percent_max=0.4, resistance_mismatch_max=0.4,
)  # fmt: skip
TILE = TileDesign(
    id="front-1", face="front", panel="front", module="rigid-4l",
    outline=rectangle(40e-3, 24e-3),
    frame=TileFrame(origin_m=(0, 0, 0), x_axis=(1, 0, 0), y_axis=(0, 0, 1), inward=(0, 1, 0)),
    stackup=STACK, fab=FAB, mesh=RULES, terminal_edge="left", lap_m=0.0,
)  # fmt: skip


@cache
def mesh() -> TileMesh:
    """Return the sample tile's mesh: two layers, one zone each, two pairs a layer."""
    return draw_tile(TILE, secret=bytes(range(32)), serial="S-1").mesh


@cache
def sample(unit: int = 5, name: str = "embedded", rise_k: float = 0.0) -> Tdr:
    """Return reflectometry of the sample tile."""
    return tdr_of(TILE, mesh(), card_reader(name), unit=unit, rise_k=rise_k)
