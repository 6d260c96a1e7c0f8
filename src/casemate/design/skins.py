"""What covers the faces of a box, how deep their boards lie and where they start at the edges."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.core.geometry import Point3
from casemate.design.crossings import OpeningPlan
from casemate.design.edges import (
    NEIGHBOURS,
    THROUGH,
    FaceAtEdge,
    StripSkin,
    board_depth,
    board_start,
    leg,
    strip_depth,
)
from casemate.design.enclosure import FACES, FabProfile, MeshRules, Stackup
from casemate.design.seams import SeamRule


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSkin:
    """What covers a face. thickness_m: all that the face takes, module and structure."""

    module: str
    thickness_m: float
    budget_m: float
    stackup: Stackup
    fab: FabProfile
    mesh: MeshRules
    lap: SeamRule
    door: SeamRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutPlan:
    """All that the layout needs: protected volume, skins, strips of the edges, crossings."""

    protected_m: Point3
    skins: dict[str, FaceSkin]
    strip: StripSkin
    openings: tuple[OpeningPlan, ...] = ()


def outer_size(plan: LayoutPlan) -> Point3:
    """Return the outer size in metres: the protected size grown by the faces, nothing else."""
    t = {face: plan.skins[face].thickness_m for face in FACES}
    x, y, z = plan.protected_m
    return x + t["left"] + t["right"], y + t["front"] + t["rear"], z + t["bottom"] + t["top"]


def doors_of(plan: LayoutPlan) -> dict[str, float]:
    """Return the clearance in metres round each face that is a door."""
    rules = {face: skin.door for face, skin in plan.skins.items()}
    return {face: rule.clearance_m for face, rule in rules.items() if rule is not None}


def depth_of(plan: LayoutPlan, face: str) -> float:
    """Return how far a face's boards lie inward of its outer plane, in metres."""
    return board_depth(face, plan.strip, doors_of(plan))


def at_edge_of(plan: LayoutPlan, face: str, shingle_m: float) -> FaceAtEdge:
    """Return what an edge has to know of a face whose tucked boards lie shingle_m deeper."""
    skin = plan.skins[face]
    return FaceAtEdge(
        face=face,
        stackup=skin.stackup,
        fab=skin.fab,
        board_depth_m=depth_of(plan, face),
        shingle_m=shingle_m,
        inside_m=skin.thickness_m,
        clearance_m=skin.door.clearance_m if skin.door else None,
    )


def runs_through(face: str, other: str) -> bool:
    """Return whether a face's boards run through at its edge with another face."""
    return THROUGH.index(face) < THROUGH.index(other)


def starts_and_legs(
    plan: LayoutPlan, face: str, at_edge: dict[str, FaceAtEdge], shingle_m: float
) -> dict[str, tuple[float, float]]:
    """Return for each side where the boards start and where the strip's leg over them ends."""
    mine = at_edge_of(plan, face, shingle_m)
    found = {}
    for side, other in NEIGHBOURS[face].items():
        theirs = at_edge.get(other) or at_edge_of(plan, other, 0.0)
        over, under = (mine, theirs) if runs_through(face, other) else (theirs, mine)
        start = board_start(over, under, face)
        outer = strip_depth(plan.strip, over.face, under.face)
        found[side] = (start, leg(plan.strip, mine, start, outer)[1])
    return found
