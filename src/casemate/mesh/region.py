"""Where centrelines may lie on a layer, and which lattice cells fit there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from casemate.core.errors import MeshError
from casemate.core.geometry import Outline

if TYPE_CHECKING:
    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

NM = 1e9
"""Nanometres in a metre: copper coordinates are integer nanometres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """Lattice of one layer: node (ix, iy) lies at (x_nm + ix * pitch_nm, y_nm + iy * pitch_nm).

    columns, rows: coarse cells of 2 * lanes nodes an edge. All in the working frame, whose x runs
    along the spines.
    """

    x_nm: int
    y_nm: int
    pitch_nm: int
    lanes: int
    columns: int
    rows: int

    @property
    def side(self) -> int:
        """Return nodes along the edge of a coarse cell."""
        return 2 * self.lanes

    @property
    def shape(self) -> tuple[int, int]:
        """Return (node rows, node columns)."""
        return self.rows * self.side, self.columns * self.side


def polygon_nm(outline: Outline, *, swap: bool) -> Polygon:
    """Return the outline as a shapely polygon in nanometres; x and y swapped if asked."""
    from shapely import Polygon

    def ring(points: tuple[tuple[float, float], ...]) -> npt.NDArray[np.float64]:
        array = np.asarray(points, dtype=np.float64) * NM
        return array[:, ::-1] if swap else array

    return Polygon(ring(outline.exterior), [ring(hole) for hole in outline.holes])


def centreline_region(board: Polygon, inset_nm: float) -> BaseGeometry:
    """Return the board shrunk by the distance that centrelines keep from any edge.

    GEOS may come 1 % short of the distance beside curves, so 1.5 % are added.
    """
    region = board.buffer(-1.015 * inset_nm, join_style="mitre", mitre_limit=2.0)
    if region.is_empty:
        raise MeshError(
            "the tile is too narrow for any trace beside its edge clearance.",
            remedy="make the tile wider, or choose a fab profile with less edge clearance.",
        )
    return region


def lattices(
    board: Polygon, inset_nm: float, pitch_nm: int, lanes: int, layers: int
) -> list[Lattice]:
    """Return one lattice a layer, odd layers shifted by half a pitch in x and y.

    The coarse grid is centred and has an empty coarse cell all round; what it leaves bare at the
    rim (under one coarse cell) is for the fingers of `rim.py`. Raises MeshError if too few fit.
    """
    x_min, y_min, x_max, y_max = board.bounds
    side = 2 * lanes
    counts, origins = [], []
    for low, high in ((x_min, x_max), (y_min, y_max)):
        shift = pitch_nm / 2 if layers > 1 else 0.0
        span = high - low - 2 * inset_nm - shift
        count = int((span + pitch_nm) // (side * pitch_nm))
        counts.append(count)
        rest = span - (count * side - 1) * pitch_nm
        origins.append(round(low + inset_nm + rest / 2))
    if counts[0] < 5 or counts[1] < 3:
        raise MeshError(
            f"the tile holds only {max(counts[0], 0)} x {max(counts[1], 0)} mesh cells of "
            f"{side * pitch_nm / 1e6:.2f} mm.",
            remedy="make the tile larger, or use fewer lanes or a finer pitch.",
        )
    half = pitch_nm // 2
    return [
        Lattice(
            x_nm=origins[0] - side * pitch_nm + half * (layer % 2),
            y_nm=origins[1] - side * pitch_nm + half * (layer % 2),
            pitch_nm=pitch_nm,
            lanes=lanes,
            columns=counts[0] + 2,
            rows=counts[1] + 2,
        )
        for layer in range(layers)
    ]


def coarse_inside(lattice: Lattice, region: BaseGeometry) -> npt.NDArray[np.bool_]:
    """Return which coarse cells lie wholly in the region, shape (rows, columns).

    A cell counts by the square of its nodes' hull; only cells near the region's boundary are
    tested exactly.
    """
    import shapely

    edge = lattice.side * lattice.pitch_nm
    hull = (lattice.side - 1) * lattice.pitch_nm
    left = lattice.x_nm + np.arange(lattice.columns) * float(edge)
    low = lattice.y_nm + np.arange(lattice.rows) * float(edge)
    inside = contains_grid(region, left + hull / 2, low + hull / 2)
    touched = _cells_on_boundary(lattice, region, edge)
    rows, columns = np.nonzero(touched)
    boxes = shapely.box(left[columns], low[rows], left[columns] + hull, low[rows] + hull)
    shapely.prepare(region)
    inside[rows, columns] = shapely.contains(region, boxes) | shapely.covers(region, boxes)
    return inside


def nodes_inside(lattice: Lattice, region: BaseGeometry) -> npt.NDArray[np.bool_]:
    """Return which lattice nodes lie in the region, shape lattice.shape."""
    rows, columns = lattice.shape
    x = lattice.x_nm + np.arange(columns) * float(lattice.pitch_nm)
    y = lattice.y_nm + np.arange(rows) * float(lattice.pitch_nm)
    return contains_grid(region.buffer(0.5), x, y)


def contains_grid(
    region: BaseGeometry, x: npt.NDArray[np.floating[Any]], y: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.bool_]:
    """Return containment on a grid by scan lines, even-odd; exact for polygons off the lines."""
    inside = np.zeros((len(y), len(x)), dtype=np.bool_)
    edges = _edges(region)
    if len(edges) == 0:
        return inside
    x0, y0, x1, y1 = edges.T
    for row, level in enumerate(y):
        cross = (y0 <= level) != (y1 <= level)
        if not cross.any():
            continue
        at = x0[cross] + (level - y0[cross]) * (x1[cross] - x0[cross]) / (y1[cross] - y0[cross])
        inside[row] = np.searchsorted(np.sort(at), x) % 2 == 1
    return inside


def _edges(region: BaseGeometry) -> npt.NDArray[np.float64]:
    """Return all boundary edges, shape (n, 4): x0, y0, x1, y1."""
    rows: list[Any] = []
    for part in getattr(region, "geoms", [region]):
        for ring in [part.exterior, *part.interiors]:
            points = np.asarray(ring.coords)[:, :2]
            rows.append(np.hstack([points[:-1], points[1:]]))
    return np.vstack(rows) if rows else np.empty((0, 4))


def _cells_on_boundary(lattice: Lattice, region: BaseGeometry, edge: int) -> npt.NDArray[np.bool_]:
    touched = np.zeros((lattice.rows, lattice.columns), dtype=np.bool_)
    for x0, y0, x1, y1 in _edges(region):
        steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) / edge * 2) + 1)
        share = np.linspace(0.0, 1.0, steps + 1)
        column = np.floor((x0 + (x1 - x0) * share - lattice.x_nm) / edge).astype(np.int64)
        row = np.floor((y0 + (y1 - y0) * share - lattice.y_nm) / edge).astype(np.int64)
        for dr in (-1, 0, 1):
            for dc in (-1, 0, 1):
                r, c = row + dr, column + dc
                ok = (r >= 0) & (r < lattice.rows) & (c >= 0) & (c < lattice.columns)
                touched[r[ok], c[ok]] = True
    return touched
