"""Draw the mesh of a tile: lattice, zones, trees, tours, terminals, fingers, nets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from casemate.core.errors import MeshError
from casemate.core.randomness import commitment, derive, keystream, opening
from casemate.design.enclosure import TileDesign
from casemate.mesh.decode import decode
from casemate.mesh.mend import MendRules, close_layers
from casemate.mesh.model import Net, Terminal, TileMesh
from casemate.mesh.refill import Filling
from casemate.mesh.region import (
    NM,
    Lattice,
    centreline_region,
    coarse_inside,
    lattices,
    nodes_inside,
    polygon_nm,
)
from casemate.mesh.rim import polyline, push_fingers
from casemate.mesh.terminals import (
    Lead,
    copper_span,
    core_nm,
    fan,
    lay_leads,
    position_nm,
    refuse_tight,
    via_keepout_nm,
)
from casemate.mesh.tours import bump_fill, follow, tour_links
from casemate.mesh.trees import grow_trees
from casemate.mesh.zones import ZonePlan, plan_zones

if TYPE_CHECKING:
    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

SPINE_SHIFT = 6
"""Coarse rows between the spines of neighbouring layers: their terminals lie apart."""
RIB_SHARE = 0.009
"""A rib holds at most this share of its net where the tile is long enough: under the 1 % that
counts as a worthwhile bridge, with room for the fingers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDrawing:
    """What the generator knows of one layer, for the proofs that use the lattice.

    swap: the working frame has x and y exchanged. covered: nodes with copper. usable: nodes where a
    centreline may lie.
    """

    layer: str
    lattice: Lattice
    swap: bool
    covered: npt.NDArray[np.bool_]
    usable: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A tile's mesh and the lattices that it was drawn on, outer layer first."""

    mesh: TileMesh
    layers: tuple[LayerDrawing, ...]


def draw_tile(tile: TileDesign, *, secret: bytes, serial: str) -> Drawing:
    """Draw the mesh of a tile, bound to secret, serial and tile id.

    Raises MeshError, with polygons, where an area of the tile cannot be reached.
    """
    label = f"{serial}/{tile.id}"
    seed = opening(secret, label)  # what the commitment binds; all else follows from it
    rules = tile.mesh
    swap = tile.height_m > tile.width_m
    board = polygon_nm(tile.outline, swap=swap)
    trace = round(rules.trace_m * NM)
    refuse_tight(tile.fab, round(rules.pitch_m * NM), trace)
    _refuse_through_vias(tile)
    inset = tile.fab.edge_clearance_m * NM + trace / 2
    region = centreline_region(board, inset)
    grids = lattices(board, inset, round(rules.pitch_m * NM), rules.lanes, len(tile.stackup.mesh))
    terminals: list[Terminal] = []
    layers: list[_Layer] = []
    for index, (name, grid) in enumerate(zip(tile.stackup.mesh, grids, strict=True)):
        free = _without_vias(region, terminals, swap, via_keepout_nm(tile.fab, trace))
        layer = _draw_layer(tile, name, grid, free, key=derive(seed, f"layer/{name}"), index=index)
        terminals += _terminals(tile, name, grid, layer.leads, swap)
        layers.append(layer)
    nets = _swapped_nets(_closed(tile, board, inset, layers, terminals), swap)
    drawings = [
        LayerDrawing(
            layer=layer.name,
            lattice=layer.filling.lattice,
            swap=swap,
            covered=_covered(layer, nets, swap),
            usable=layer.filling.usable,
        )
        for layer in layers
    ]
    mesh = TileMesh(
        tile=tile.id,
        trace_nm=trace,
        pitch_nm=round(rules.pitch_m * NM),
        nets=tuple(nets),
        terminals=tuple(terminals),
        fine_cells=sum(int(drawing.covered.sum()) for drawing in drawings),
        commitment=commitment(secret, label),
    )
    return Drawing(mesh=mesh, layers=tuple(drawings))


def _covered(layer: _Layer, nets: list[Net], swap: bool) -> npt.NDArray[np.bool_]:
    """Return the nodes with copper; mending may have taken it from some."""
    mine = [net for net in nets if net.layer == layer.name]
    return np.asarray(decode(mine, layer.filling.lattice, swap=swap).owner >= 0)


def _closed(
    tile: TileDesign,
    board: Polygon,
    inset_nm: float,
    layers: list[_Layer],
    terminals: list[Terminal],
) -> list[Net]:
    """Return all nets, in the working frame, filled and mended where a drill would pass."""
    trace = _trace(tile)
    swap = tile.height_m > tile.width_m
    for layer in layers:
        barrels = [
            (t.y_nm, t.x_nm, core_nm(t)) if swap else (t.x_nm, t.y_nm, core_nm(t))
            for t in terminals
            if layer.name in copper_span(tile, t)
        ]
        layer.filling.barrels = np.array(barrels, dtype=np.float64).reshape(-1, 3)
    rules = MendRules(
        pitch=float(layers[0].filling.lattice.pitch_nm),
        trace=float(trace),
        pad=tile.fab.via_pad_m / 2 * NM,
        via_gap=via_keepout_nm(tile.fab, trace),
        edge_gap=1.015 * inset_nm,
    )
    return close_layers(
        [layer.filling for layer in layers],
        [partial(_trace_nets, tile, layer) for layer in layers],
        board,
        rules,
    )


def _refuse_through_vias(tile: TileDesign) -> None:
    """Raise MeshError where vias would pass a mesh layer further out than their own."""
    inner = [name for name in tile.stackup.mesh[1:] if name != tile.stackup.copper[-1]]
    if tile.stackup.blind or not inner:
        return
    raise MeshError(
        f"tile {tile.id}: without blind vias terminals of {', '.join(inner)} would pass through "
        f"the mesh of {tile.stackup.mesh[0]} and show outside.",
        remedy='choose a fab profile with blind vias (fab = "hdi-rigid-4l") or a two-layer skin.',
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    name: str
    filling: Filling
    leads: list[Lead]


def _draw_layer(
    tile: TileDesign, name: str, grid: Lattice, region: BaseGeometry, *, key: bytes, index: int
) -> _Layer:
    plan = _plan(tile, grid, region, key, index)
    tree = grow_trees(plan, key=derive(key, "tree"), pattern=tile.mesh.pattern)
    planned = plan.rib != -1
    links = tour_links(tree, planned, grid.lanes)
    side = grid.side
    covered = np.repeat(np.repeat(planned, side, axis=0), side, axis=1)
    leads = [lead for zone in plan.zones for lead in fan(grid, zone)]
    lay_leads(leads, links, covered)
    _refuse_crowded(leads, grid, region, tile.id, name)
    vias = [position_nm(grid, lead.nodes[0]) for lead in leads]
    free = _without_discs(region, vias, via_keepout_nm(tile.fab, _trace(tile)))
    usable = nodes_inside(grid, free)
    planned_nodes = covered.copy()
    bump_fill(links, usable, covered, np.zeros((1, 1), dtype=np.int64))
    _refuse_bare(usable & ~covered, grid, tile, name)
    codes, heights = push_fingers(grid, links, covered, free)
    filling = Filling(
        lattice=grid,
        links=links,
        covered=covered,
        usable=usable,
        own=covered & ~planned_nodes,
        fingers=dict(zip(codes.tolist(), heights.tolist(), strict=True)),
        noise=keystream(derive(key, "refill"), 1 << 14),
    )
    return _Layer(name=name, filling=filling, leads=leads)


def _plan(
    tile: TileDesign, grid: Lattice, region: BaseGeometry, key: bytes, index: int
) -> ZonePlan:
    inside = coarse_inside(grid, region)
    # fingers lengthen nets at rims, strips are not all of one height: keep 15 % in hand
    per_side = int(0.85 * tile.mesh.net_length_max_m / (4 * grid.lanes * tile.mesh.pitch_m))
    plan = plan_zones(
        inside,
        cells_per_side_max=per_side,
        rib_share=RIB_SHARE,
        spine_shift=SPINE_SHIFT * index,
        draw=keystream(derive(key, "zones"), 1 << 16),
    )
    if not plan.zones:
        raise MeshError(
            f"tile {tile.id}: no zone fits on layer {tile.stackup.mesh[index]}.",
            remedy="make the tile larger or its openings smaller, or use fewer lanes.",
        )
    return plan


def _trace(tile: TileDesign) -> int:
    return round(tile.mesh.trace_m * NM)


def _without_vias(
    region: BaseGeometry, terminals: list[Terminal], swap: bool, keepout_nm: float
) -> BaseGeometry:
    """Return the region without the vias of the layers further out, which pass through."""
    at = [(t.y_nm, t.x_nm) if swap else (t.x_nm, t.y_nm) for t in terminals]
    return _without_discs(region, at, keepout_nm)


def _without_discs(
    region: BaseGeometry, centres: list[tuple[int, int]], radius_nm: float
) -> BaseGeometry:
    if not centres:
        return region
    import shapely

    points = shapely.points(np.array(centres, dtype=float))
    # a polygon inside the circle comes 2 % short of it at 8 segments a quarter
    discs = shapely.buffer(points, radius_nm / 0.98, quad_segs=8)
    return region.difference(shapely.union_all(discs))


def _refuse_crowded(
    leads: list[Lead], grid: Lattice, region: BaseGeometry, tile: str, layer: str
) -> None:
    import shapely

    shapely.prepare(region)
    lines = [shapely.LineString([position_nm(grid, node) for node in lead.nodes]) for lead in leads]
    if not bool(shapely.covers(region, np.array(lines, dtype=object)).all()):
        raise MeshError(
            f"tile {tile}: terminals of layer {layer} leave the board or meet another via.",
            remedy="make the tile larger, use fewer lanes, or a fab profile with smaller vias.",
        )


def _refuse_bare(bare: npt.NDArray[np.bool_], grid: Lattice, tile: TileDesign, layer: str) -> None:
    """Raise MeshError with polygons where a square larger than a coarse cell stays bare.

    Smaller bare spots are for the hole proof, which sees them with the other layers.
    """
    from scipy import ndimage

    edge = grid.side + 1
    opened = ndimage.binary_opening(bare, np.ones((edge, edge), dtype=bool))
    if not opened.any():
        return
    import shapely

    pieces, count = ndimage.label(opened)
    polygons = []
    swap = tile.height_m > tile.width_m
    for piece in ndimage.find_objects(pieces, count):
        rows, columns = piece
        x0, x1 = (
            grid.x_nm + grid.pitch_nm * (edge - 0.5) for edge in (columns.start, columns.stop)
        )
        y0, y1 = (grid.y_nm + grid.pitch_nm * (edge - 0.5) for edge in (rows.start, rows.stop))
        box = shapely.box(x0, y0, x1, y1)
        ring = [(x / NM, y / NM) for x, y in box.exterior.coords[:-1]]
        polygons.append(tuple((y, x) if swap else (x, y) for x, y in ring))
    x, y = polygons[0][0]
    raise MeshError(
        f"tile {tile.id}, layer {layer}: {count} areas cannot be reached by any trace, the first "
        f"at ({x * 1e3:.2f}, {y * 1e3:.2f}) mm.",
        remedy="widen necks and gaps between openings to at least "
        f"{3 * grid.side * grid.pitch_nm / 1e6:.1f} mm, or make a separate tile of this area.",
        polygons_m=tuple(polygons),
    )


def _trace_nets(tile: TileDesign, drawn: _Layer) -> list[Net]:
    """Return the nets of a layer as it is filled now, in the working frame."""
    layer, leads, grid, links = drawn.name, drawn.leads, drawn.filling.lattice, drawn.filling.links
    codes, heights = drawn.filling.codes
    columns = links.shape[1]
    buffer = np.empty(links.size, dtype=np.int64)
    ends = {lead.nodes[0]: lead for lead in leads if lead.end == 1}
    nets = []
    for lead in leads:
        if lead.end == 1:
            continue
        count = int(follow(links, lead.nodes[0][0], lead.nodes[0][1], buffer))
        last = (int(buffer[count - 1]) // columns, int(buffer[count - 1]) % columns)
        tail = ends.get(last)
        if count < 0 or tail is None or (tail.zone, tail.half, tail.lane) != _identity(lead):
            raise AssertionError(f"net of tile {tile.id} {layer} does not reach its own terminal")
        vertices = polyline(
            buffer[:count], columns, grid.x_nm, grid.y_nm, grid.pitch_nm, codes, heights
        )
        half = "U" if lead.half == 0 else "L"
        nets.append(
            Net(
                name=f"{layer.replace('.', '_')}_Z{lead.zone:02d}{half}{lead.lane}",
                layer=layer,
                zone=2 * lead.zone + lead.half,
                lane=lead.lane,
                vertices=vertices,
            )
        )
    return nets


def _identity(lead: Lead) -> tuple[int, int, int]:
    return lead.zone, lead.half, lead.lane


def _swapped_nets(nets: list[Net], swap: bool) -> list[Net]:
    if not swap:
        return nets
    return [
        Net(
            name=net.name,
            layer=net.layer,
            zone=net.zone,
            lane=net.lane,
            vertices=np.ascontiguousarray(net.vertices[:, ::-1]),
        )
        for net in nets
    ]


def _terminals(
    tile: TileDesign, layer: str, grid: Lattice, leads: list[Lead], swap: bool
) -> list[Terminal]:
    found = []
    for lead in leads:
        x, y = position_nm(grid, lead.nodes[0])
        half = "U" if lead.half == 0 else "L"
        found.append(
            Terminal(
                net=f"{layer.replace('.', '_')}_Z{lead.zone:02d}{half}{lead.lane}",
                end="start" if lead.end == 0 else "end",
                layer=layer,
                to_layer=tile.stackup.copper[-1],
                x_nm=y if swap else x,
                y_nm=x if swap else y,
                drill_nm=round(tile.fab.via_drill_m * NM),
                pad_nm=round(tile.fab.via_pad_m * NM),
            )
        )
    return found
