"""How well a tile's mesh severs a tool of ANY direction, away from its outer rim.

A flat tool, nearly along the board, meets the layers far apart, so only one layer may be counted.
For one layer the perpendicular is the worst direction (docs/formats/hole-certificate.md, 3). The
lemmas behind it need no drill inside the board, so here the outline is no limit: every centre at
least the inset away from the board's outer edge counts, whatever part of the tool hangs over it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.core.proof import Property, at_most
from casemate.design.enclosure import TileDesign
from casemate.mesh.decode import Decoded, incomplete, runs
from casemate.mesh.generate import Drawing, LayerDrawing
from casemate.mesh.holes.lattice import lattice_bound
from casemate.mesh.holes.region import RegionIndex, region_bound, region_index
from casemate.mesh.holes.strips import Pieces
from casemate.mesh.region import NM, Lattice
from casemate.mesh.terminals import copper_span, core_nm

INSETS_M = (0.25e-3, 0.3e-3, 0.35e-3, 0.4e-3, 0.5e-3)
"""From the board's edge to the patch: 0.2 mm without copper, half a trace, and what corners take.
The least one at which the spec's tool severs is taken, else the last."""
BAND_M = 20e-3
"""Width of the patch along the board's edges; what lies farther in is the face's concern."""
REACH = 3
"""Lattice nodes round an incomplete one that are searched on the drawn copper (certificate, 6)."""
PROPERTY = "patch.severing.any_direction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """figure_m: largest tool that severs nothing of `layer`, any direction, place in the patch."""

    figure_m: float
    layer: str
    inset_m: float
    at_m: tuple[float, float]


def patch_of(
    tile: TileDesign,
    drawing: Drawing,
    decoded: list[Decoded],
    strips: list[Pieces],
    insets_m: tuple[float, ...] = INSETS_M,
) -> Patch:
    """Return the largest patch whose best layer notices the spec's tool, else the smallest."""
    layers = [
        _Layer(tile, drawing, layer, owner, lines, insets_m[0])
        for layer, owner, lines in zip(drawing.layers, decoded, strips, strict=True)
    ]
    for inset_m in insets_m:
        found = min((layer.patch(inset_m) for layer in layers), key=lambda row: row.figure_m)
        if found.figure_m <= tile.mesh.hole_max_m:
            break
    return found


def patch_property(
    tile: TileDesign, drawing: Drawing, decoded: list[Decoded], strips: list[Pieces]
) -> Property:
    """Return the patch as a property of the tile; nothing is asked of it by itself.

    decoded, strips: as in hole_proof.hole_figures.
    """
    patch = patch_of(tile, drawing, decoded, strips)
    return at_most(
        "patch.severing.any_direction",
        patch.figure_m,
        None,
        "m",
        "largest tool, any direction to 90 degrees, whose axis passes this layer inset_m to 20 mm"
        " inside the board's outer edge and that severs nothing there; that layer alone"
        " (docs/formats/edge-closure.md)",
        layer=patch.layer,
        inset_m=patch.inset_m,
        at_m=list(patch.at_m),
    )


class _Layer:
    """One layer, its copper indexed once for the widest patch."""

    def __init__(
        self,
        tile: TileDesign,
        drawing: Drawing,
        layer: LayerDrawing,
        decoded: Decoded,
        strips: Pieces,
        widest_m: float,
    ) -> None:
        self.tile, self.layer = tile, layer
        self.inside_m = lattice_bound(
            pitch_m=layer.lattice.pitch_nm / NM,
            trace_m=drawing.mesh.trace_nm / NM,
            offsets=((0.0, 0.0),),
            depths_m=(0.0,),
            theta_max_rad=0.0,
            open_squares=True,
        ).per_layer_m[0]
        self.boxes = _boxes(incomplete(decoded.owner, REACH), layer.lattice)
        widest = _inset(self.boxes, tile, layer.swap, widest_m)
        self.index = _index(tile, drawing, layer, strips, widest)

    def patch(self, inset_m: float) -> Patch:
        """Return the patch that begins `inset_m` inside the board's edge."""
        boxes = _inset(self.boxes, self.tile, self.layer.swap, inset_m)
        searched = region_bound(replace(self.index, boxes=boxes), floor_m=self.inside_m)
        place = (searched.x_m, searched.y_m)
        return Patch(
            figure_m=max(self.inside_m, searched.bound_m),
            layer=self.layer.layer,
            inset_m=inset_m,
            at_m=place[::-1] if self.layer.swap else place,
        )


def _index(
    tile: TileDesign,
    drawing: Drawing,
    layer: LayerDrawing,
    strips: Pieces,
    boxes: npt.NDArray[np.float64],
) -> RegionIndex:
    barrels = [
        (t.y_nm, t.x_nm, core_nm(t)) if layer.swap else (t.x_nm, t.y_nm, core_nm(t))
        for t in drawing.mesh.terminals
        if layer.layer in copper_span(tile, t)
    ]
    return region_index(
        [[]],
        strips=[strips],
        touch=False,
        trace_nm=drawing.mesh.trace_nm,
        pitch_nm=layer.lattice.pitch_nm,
        boxes=boxes,
        vias=[np.array(barrels, dtype=np.float64).reshape(-1, 3)],
        slant_m=0.0,
    )


def _boxes(mask: npt.NDArray[np.bool_], lattice: Lattice) -> npt.NDArray[np.float64]:
    found = runs(mask, 1)
    half = lattice.pitch_nm / 2
    x0 = lattice.x_nm + found[:, 1] * lattice.pitch_nm - half
    x1 = lattice.x_nm + (found[:, 2] - 1) * lattice.pitch_nm + half
    y = lattice.y_nm + found[:, 0] * lattice.pitch_nm
    return np.stack([x0, y - half, x1, y + half], axis=1).astype(np.float64)


def _inset(
    boxes: npt.NDArray[np.float64], tile: TileDesign, swap: bool, inset_m: float
) -> npt.NDArray[np.float64]:
    """Return the boxes cut to the band beside the board's edge, and less its openings.

    An opening's rim is not the edge's concern: centres in it, or within the inset of it, are out.
    """
    x_min, y_min, x_max, y_max = (value * NM for value in tile.outline.bounds)
    if swap:
        x_min, y_min, x_max, y_max = y_min, x_min, y_max, x_max
    inset = inset_m * NM
    low = np.array([x_min + inset, y_min + inset])
    high = np.array([x_max - inset, y_max - inset])
    cut = np.concatenate([np.maximum(boxes[:, :2], low), np.minimum(boxes[:, 2:], high)], axis=1)
    keep = (cut[:, 2] > cut[:, 0]) & (cut[:, 3] > cut[:, 1])
    band = BAND_M * NM
    keep &= (
        (cut[:, 0] < x_min + band)
        | (cut[:, 2] > x_max - band)
        | (cut[:, 1] < y_min + band)
        | (cut[:, 3] > y_max - band)
    )
    return cut[keep & ~_in_openings(cut, tile, swap, inset)]


def _in_openings(
    boxes: npt.NDArray[np.float64], tile: TileDesign, swap: bool, inset: float
) -> npt.NDArray[np.bool_]:
    import shapely

    inside = np.zeros(len(boxes), dtype=np.bool_)
    squares = shapely.box(boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3])
    for hole in tile.outline.holes:
        ring = [(y * NM, x * NM) if swap else (x * NM, y * NM) for x, y in hole]
        grown = shapely.Polygon(ring).buffer(2 * inset)
        inside |= np.asarray(shapely.covers(grown, squares), dtype=np.bool_)
    return inside
