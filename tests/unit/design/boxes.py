"""Plans of boxes, built by hand from the contract, for the tests of the layout."""

from __future__ import annotations

import math
from dataclasses import replace

from casemate.design.crossings import OpeningPlan
from casemate.design.edges import StripSkin
from casemate.design.enclosure import FACES, FabProfile, MeshRules, Stackup
from casemate.design.seams import SeamRule
from casemate.design.skins import FaceSkin, LayoutPlan

RIGID = FabProfile(
    id="jlc-rigid-4l",
    max_board_m=(0.67, 0.6),
    trace_min_m=1e-4,
    space_min_m=1e-4,
    via_drill_m=0.15e-3,
    via_pad_m=0.25e-3,
    edge_clearance_m=0.2e-3,
    width_tolerance=0.2,
    registration_m=0.2e-3,
    source="reference/mesh.md section 4",
)
FLEX = FabProfile(
    id="flex-standard-2l",
    max_board_m=(0.229, 0.356),
    trace_min_m=0.152e-3,
    space_min_m=0.157e-3,
    via_drill_m=0.3e-3,
    via_pad_m=0.5e-3,
    edge_clearance_m=0.2e-3,
    width_tolerance=0.2,
    registration_m=0.2e-3,
    source="reference/mesh.md section 4",
)
STACKUP = Stackup(
    copper=("F.Cu", "In1.Cu", "In2.Cu", "B.Cu"),
    mesh=("In1.Cu", "In2.Cu"),
    depth_m=(0.15e-3, 0.2e-3),
    plane=("F.Cu",),
    thickness_m=0.8e-3,
    copper_m=18e-6,
    blind=True,
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
LAP = SeamRule(module="seam-lap", kind="lap", clearance_m=0.3e-3)
STRIP = StripSkin(
    module="seam-folded-flex",
    stackup=Stackup(
        copper=("F.Cu", "B.Cu"),
        mesh=("B.Cu",),
        depth_m=(0.08e-3,),
        plane=("F.Cu",),
        thickness_m=0.12e-3,
        copper_m=12e-6,
        blind=False,
    ),
    fab=replace(
        FLEX, id="flex-edge-2l", max_board_m=(0.5, 0.34), via_drill_m=1e-4, via_pad_m=25e-5
    ),
    mesh=RULES,
    bend_m=0.96e-3,
    gap_m=0.46e-3,
    rule=SeamRule(module="seam-folded-flex", kind="edge", clearance_m=0.0, terminal_strip_m=2e-3),
)
DOOR = SeamRule(module="seam-screwed-lid", kind="door", clearance_m=0.4e-3, terminal_strip_m=3e-3)


def plan_of(
    size_m: tuple[float, float, float],
    *,
    openings: tuple[OpeningPlan, ...] = (),
    doors: tuple[str, ...] = (),
    fab: FabProfile = RIGID,
    thickness_m: float = 5e-3,
) -> LayoutPlan:
    """Return the plan of a box whose faces all take one skin."""
    skins = {
        face: FaceSkin(
            module="skin",
            thickness_m=thickness_m,
            budget_m=thickness_m,
            stackup=STACKUP,
            fab=fab,
            mesh=RULES,
            lap=LAP,
            door=DOOR if face in doors else None,
        )
        for face in FACES
    }
    return LayoutPlan(protected_m=size_m, skins=skins, strip=STRIP, openings=openings)
