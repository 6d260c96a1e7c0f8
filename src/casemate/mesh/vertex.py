"""Largest straight tool that reaches the protected volume at a vertex of the box.

Branch and bound over all lines that run inward near the vertex: place (two lengths) and direction
(two angles). Proof: docs/formats/edge-closure.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.design.enclosure import EdgeDesign
from casemate.mesh.closure import Closure, PatchFigure, board_half, strip_points

TOLERANCE_M = 150e-6
"""Slack of the search; a finer one costs minutes and says nothing more."""
STEP_M = 20e-6
"""Figures of boards and strips are rounded up to this, so that like vertices are proved once."""
MAX_BOXES = 30_000_000
"""Boxes of one pole after which the largest bound left open stands."""
AXES = ({"left", "right"}, {"front", "rear"}, {"top", "bottom"})
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexSolid:
    """What meets at a vertex; axes: depth below left or right, front or rear, top or bottom.

    depths_m[k]: slab of the boards of face k; starts_m[k][i]: where they start along axis i.
    points_m[k]: section of the strip along axis k in the other two axes, in rising order;
    ends_m[k]: where its mesh starts along k. caps: plates (axis, depth, range along each other
    axis, figure).
    """

    depths_m: tuple[tuple[float, float], ...]
    starts_m: tuple[tuple[float, float, float], ...]
    board_figures_m: tuple[float, ...]
    points_m: tuple[tuple[tuple[float, float], ...], ...]
    ends_m: tuple[float, ...]
    strip_figures_m: tuple[float, ...]
    sagitta_m: float
    caps: tuple[tuple[int, float, float, float, float, float, float], ...] = ()


def vertices(edges: tuple[EdgeDesign, ...]) -> list[tuple[str, str, str]]:
    """Return the eight vertices as (left or right, front or rear, top or bottom)."""
    found = {face for edge in edges for face in (edge.over.face, edge.under.face)}
    names = [[face for face in ("left", "right", "front", "rear", "top", "bottom")
              if face in axis and face in found] for axis in AXES]  # fmt: skip
    return [(x, y, z) for x in names[0] for y in names[1] for z in names[2]]


def vertex_of(
    faces: tuple[str, str, str],
    edges: tuple[EdgeDesign, ...],
    patches: Mapping[str, PatchFigure],
) -> VertexSolid:
    """Return what meets at the vertex of three faces, with each part's worst tile."""
    depths = [(math.inf, 0.0)] * 3
    starts = [[0.0, 0.0, 0.0] for _ in range(3)]
    figures, strip_figures, ends = [0.0] * 3, [0.0] * 3, [0.0] * 3
    points: list[tuple[tuple[float, float], ...]] = [()] * 3
    sagitta = 0.0
    for edge in edges:
        if not {edge.over.face, edge.under.face} <= set(faces):
            continue
        a, b = faces.index(edge.over.face), faces.index(edge.under.face)
        along = 3 - a - b
        for mine, other, side in ((a, b, edge.over), (b, a, edge.under)):
            half = board_half(side, patches)
            low, high = depths[mine]
            depths[mine] = (min(low, half.depths_m[0]), max(high, half.depths_m[1]))
            starts[mine][other] = half.start_m
            figures[mine] = max(figures[mine], _rounded_up(half.figure_m))
        rows = [patches[name] for name in edge.strips]
        inset = max(row.inset_m for row in rows)
        section, miss = strip_points(edge, inset)
        points[along] = section if a < b else tuple((y, x) for x, y in section)
        ends[along] = edge.ends_m[0] + inset
        strip_figures[along] = _rounded_up(max(row.figure_m for row in rows))
        sagitta = max(sagitta, miss)
    return VertexSolid(
        depths_m=tuple(depths),
        starts_m=tuple((row[0], row[1], row[2]) for row in starts),
        board_figures_m=tuple(figures),
        points_m=tuple(points),
        ends_m=tuple(ends),
        strip_figures_m=tuple(strip_figures),
        sagitta_m=sagitta,
    )


def _rounded_up(figure_m: float) -> float:
    return math.ceil(figure_m / STEP_M - 1e-9) * STEP_M


def arrays(solid: VertexSolid) -> tuple[Array, ...]:
    """Return the solid as the compiled search takes it."""
    caps = np.array([cap[:6] for cap in solid.caps], dtype=np.float64).reshape(-1, 6)
    return (
        np.array(solid.depths_m),
        np.array(solid.starts_m),
        np.array(solid.board_figures_m),
        np.array(solid.points_m),
        np.array(solid.ends_m),
        np.array(solid.strip_figures_m),
        caps,
        np.array([cap[6] for cap in solid.caps], dtype=np.float64),
    )


def window_m(solid: VertexSolid) -> float:
    """Return how far from the vertex, in each outer plane, a line is the vertex's concern."""
    starts = [value for row in solid.starts_m for value in row]
    return 1e-3 + max(*starts, *solid.ends_m, *(deep for _, deep in solid.depths_m))


def vertex_bound(
    solid: VertexSolid, *, tolerance_m: float = TOLERANCE_M, max_boxes: int = MAX_BOXES
) -> Closure:
    """Return the largest tool that passes a vertex unnoticed, whatever its direction."""
    from casemate.mesh._vertex_kernel import search

    window = window_m(solid)
    reach = max(math.hypot(x, y) for row in solid.points_m for x, y in row)
    reach = max(reach, *(math.hypot(*row) for row in solid.starts_m), 1.5 * window)
    given = arrays(solid)
    best, bound, count = 0.0, 0.0, 0
    where: tuple[float, ...] = ()
    steepest = math.atan(math.sqrt(2.0))
    for pole in range(3):
        box = [0.0, 0.0, math.pi / 4, steepest / 2, window, math.pi / 4, steepest / 2]
        found, upper, boxes, place = search(
            np.array([box]), pole, reach, solid.sagitta_m, best, tolerance_m, max_boxes, *given
        )
        if found > best:
            best, where = found, (float(pole), *(float(v) for v in place))
        bound, count = max(bound, upper), count + boxes
    return Closure(bound_m=max(bound, best), found_m=best, line=where, boxes=count)
