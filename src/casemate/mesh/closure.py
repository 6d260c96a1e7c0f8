"""Largest straight tool that reaches the protected volume at a box edge, whatever its direction.

Theory and proof: docs/formats/edge-closure.md. In the edge's cross-section x is the depth below the
outer plane of the face whose boards run through, y that below the other's. A patch with figure h
severs every tool of diameter D whose axis passes within (D - h) / 2 of it; so the bound is the
largest value, over all lines, of the least h + 2 * distance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.design.enclosure import EdgeDesign, EdgeSide

TOLERANCE_M = 5e-7
"""Slack of the search."""
ARC_CHORDS = 16
"""Chords in place of the bent arc."""
MAX_BOXES = 20_000_000
"""Boxes after which the search settles for the largest bound left open."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFigure:
    """What a tile's proof says of its patch: figure, inset from the outline, depth of its layer."""

    figure_m: float
    inset_m: float
    depth_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardHalf:
    """One face's boards in the cross-section: a slab at depths_m that starts at start_m.

    The mesh lies somewhere in the slab: tucked ends of shingled boards lie deeper.
    """

    depths_m: tuple[float, float]
    start_m: float
    figure_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSection:
    """Cross-section of an edge: both boards, and the strip's mesh as points (x, y)."""

    over: BoardHalf
    under: BoardHalf
    strip: tuple[tuple[float, float], ...]
    strip_figure_m: float
    sagitta_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A certified bound. found_m: the largest value seen, at a line; boxes: searched."""

    bound_m: float
    found_m: float
    line: tuple[float, ...]
    boxes: int


def section_of(edge: EdgeDesign, patches: Mapping[str, PatchFigure]) -> EdgeSection:
    """Return the cross-section of an edge, each part with its worst tile."""
    strips = [patches[name] for name in edge.strips]
    inset = max(row.inset_m for row in strips)
    points, sagitta = strip_points(edge, inset)
    return EdgeSection(
        over=board_half(edge.over, patches),
        under=board_half(edge.under, patches),
        strip=points,
        strip_figure_m=max(row.figure_m for row in strips),
        sagitta_m=sagitta,
    )


def board_half(side: EdgeSide, patches: Mapping[str, PatchFigure]) -> BoardHalf:
    """Return one side's boards: the worst figure, inset and depths of all its tiles."""
    rows = [patches[name] for name in side.tiles]
    depths = [row.depth_m for row in rows]
    return BoardHalf(
        depths_m=(
            side.board_depth_m + min(depths),
            side.board_depth_m + max(depths) + side.shingle_m,
        ),
        start_m=side.board_start_m + max(row.inset_m for row in rows),
        figure_m=max(row.figure_m for row in rows),
    )


def strip_points(edge: EdgeDesign, inset_m: float) -> tuple[tuple[tuple[float, float], ...], float]:
    """Return the strip's mesh in cross-section from the end of one leg to that of the other.

    The second value is by how much the chords of the arc miss it.
    """
    mesh, centre = edge.strip_mesh_m, edge.centre_m
    radius = centre - mesh
    angles = [math.pi / 2 * step / ARC_CHORDS for step in range(ARC_CHORDS + 1)]
    arc = [(centre - radius * math.cos(a), centre - radius * math.sin(a)) for a in angles]
    ends = ((mesh, edge.over.leg_end_m - inset_m), (edge.under.leg_end_m - inset_m, mesh))
    return (ends[0], *arc, ends[1]), radius * (1 - math.cos(math.pi / 4 / ARC_CHORDS))


def edge_bound(section: EdgeSection, *, tolerance_m: float = TOLERANCE_M) -> Closure:
    """Return the largest tool that passes a box edge unnoticed: branch and bound over its lines.

    A line runs inward along (cos a, sin a), 0 <= a <= 90 degrees, at a signed distance r from the
    box's outer edge. Other lines come through a face beside the edge (see the document).
    """
    points = np.array(section.strip)
    reach = float(np.hypot(points[:, 0], points[:, 1]).max())
    boards = (section.over, section.under)
    reach = max(reach, *(math.hypot(b.start_m, max(b.depths_m)) for b in boards))
    angle = math.pi / 4
    boxes = np.array([[angle, 0.0, angle, reach]])  # centre a, r; half sizes
    best, where, count = 0.0, (math.nan, math.nan), 0
    while len(boxes):
        value, _ = _figure(section, points, boxes[:, 0], boxes[:, 1], 0.0)
        slack = boxes[:, 3] + reach * boxes[:, 2] + section.sagitta_m
        upper, _ = _figure(section, points, boxes[:, 0], boxes[:, 1], slack)
        count += len(boxes)
        top = int(value.argmax())
        if value[top] > best:
            best, where = float(value[top]), (float(boxes[top, 0]), float(boxes[top, 1]))
        keep = upper > best + tolerance_m
        if count > MAX_BOXES and keep.any():
            return Closure(bound_m=float(upper.max()), found_m=best, line=where, boxes=count)
        boxes = _halves(boxes[keep], reach)
    return Closure(bound_m=best + tolerance_m, found_m=best, line=where, boxes=count)


def _halves(boxes: Array, reach: float) -> Array:
    """Return each box cut in two across the direction that adds more slack."""
    turn = boxes[:, 2] * reach > boxes[:, 3]
    column = np.where(turn, 0, 1)
    rows = np.arange(len(boxes))
    low, high = boxes.copy(), boxes.copy()
    half = boxes[rows, column + 2] / 2
    for part, sign in ((low, -1.0), (high, 1.0)):
        part[rows, column + 2] = half
        part[rows, column] += sign * half
    return np.concatenate([low, high])


def _figure(
    section: EdgeSection, points: Array, angle: Array, offset: Array, slack: Array | float
) -> tuple[Array, Array]:
    """Return for lines the least h + 2 * distance, distances longer by `slack`, and which patch.

    The signed distance of a line from a curve is negative where the line crosses it and stays
    crossing it however it moves by less; it changes by no more than the line moves.
    """
    sin, cos = np.sin(angle), np.cos(angle)

    def side(x: float, y: float) -> Array:
        return sin * x - cos * y - offset

    over, under = section.over, section.under
    from_over = np.maximum(*(-side(depth, over.start_m) for depth in over.depths_m))
    from_under = np.maximum(*(side(under.start_m, depth) for depth in under.depths_m))
    along = sin[:, None] * points[:, 0] - cos[:, None] * points[:, 1] - offset[:, None]
    from_strip = np.maximum(-along.max(axis=1), along.min(axis=1))
    rows = np.stack(
        [
            over.figure_m + 2 * np.maximum(0.0, from_over + slack),
            under.figure_m + 2 * np.maximum(0.0, from_under + slack),
            section.strip_figure_m + 2 * np.maximum(0.0, from_strip + slack),
        ]
    )
    return rows.min(axis=0), rows.argmin(axis=0)
