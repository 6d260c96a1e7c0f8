"""Enclosures made by hand for the tests of assembly, BOM and report."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from assembly_words import words

from casemate.core.geometry import Outline, Point, Point3, circle_ring, rectangle_ring
from casemate.design.enclosure import (
    CrossingDesign,
    Enclosure,
    FabProfile,
    FaceDesign,
    MeshRules,
    PanelDesign,
    SeamDesign,
    Stackup,
    TileDesign,
    TileFrame,
)

THICKNESS_M = 1.2e-3
FAB = FabProfile(
    id="test-fab",
    max_board_m=(0.5, 0.4),
    trace_min_m=75e-6,
    space_min_m=75e-6,
    via_drill_m=100e-6,
    via_pad_m=250e-6,
    edge_clearance_m=200e-6,
    width_tolerance=0.2,
    registration_m=75e-6,
    source="made up for a test",
)
STACKUP = Stackup(
    copper=("F.Cu", "In1.Cu", "In2.Cu", "B.Cu"),
    mesh=("F.Cu", "In1.Cu"),
    depth_m=(0.0, 1e-4),
    plane=("B.Cu",),
    thickness_m=THICKNESS_M,
    copper_m=18e-6,
    blind=True,
)
RULES = MeshRules(
    pattern="tree",
    pitch_m=2e-4,
    trace_m=1e-4,
    lanes=4,
    net_length_max_m=10.0,
    theta_max_rad=1.22,
    hole_max_m=3e-4,
    same_net_share_max=0.1,
    bypass_worst_max=0.05,
    bypass_over_one_percent_max=0.1,
    resistance_mismatch_max=0.02,
)


def frames(size: Point3) -> dict[str, tuple[TileFrame, float, float]]:
    """Return frame, width and height of each face of a box, seen from outside."""
    w, d, h = size

    def made(o: Point3, x: Point3, i: Point3, *, y: Point3 = (0.0, 0.0, 1.0)) -> TileFrame:
        return TileFrame(origin_m=o, x_axis=x, y_axis=y, inward=i)

    return {
        "front": (made((0, 0, 0), (1, 0, 0), (0, 1, 0)), w, h),
        "rear": (made((w, d, 0), (-1, 0, 0), (0, -1, 0)), w, h),
        "left": (made((0, d, 0), (0, -1, 0), (1, 0, 0)), d, h),
        "right": (made((w, 0, 0), (0, 1, 0), (-1, 0, 0)), d, h),
        "top": (made((0, 0, h), (1, 0, 0), (0, 0, -1), y=(0, 1, 0)), w, d),
        "bottom": (made((0, d, 0), (1, 0, 0), (0, 0, 1), y=(0, -1, 0)), w, d),
    }


def camera(*, vent: bool = True, name: str = "camera") -> Enclosure:
    """Return a 60 x 200 x 80 mm box with a window, a vent and a cable; one tile a face."""
    return box(
        name=name,
        size=(0.060, 0.200, 0.080),
        window=("front", (0.030, 0.040), 0.020),
        vent=("right", (0.100, 0.040), (0.060, 0.030)) if vent else None,
        cable=("rear", (0.030, 0.020), 0.004),
        cell_m=0.0032,
    )


Ring = tuple[Point, ...]
Opening = tuple[str, str, Point, Ring]
"""Id, kind, centre and ring, in the tile's frame."""


def _openings(
    window: tuple[str, Point, float] | None,
    vent: tuple[str, Point, tuple[float, float]] | None,
    cable: tuple[str, Point, float] | None,
) -> dict[str, list[Opening]]:
    openings: dict[str, list[Opening]] = {}
    for kind, item in (("window", window), ("copper", cable)):
        if item:
            ring = circle_ring(item[1], item[2])
            openings.setdefault(item[0], []).append((f"{kind}-1", kind, item[1], ring))
    if vent:
        (x, y), (w, h) = vent[1], vent[2]
        ring = rectangle_ring(w, h, x_m=x - w / 2, y_m=y - h / 2)
        openings.setdefault(vent[0], []).append(("air-1", "air", vent[1], ring))
    return openings


def _crossing(
    face: str, tile: str, id: str, kind: str, centre_m: Point, ring: Ring
) -> CrossingDesign:
    return CrossingDesign(
        id=id,
        kind=kind,
        face=face,
        tile=tile,
        module=f"{kind}-module",
        centre_m=centre_m,
        opening=ring,
        attenuation_db={"1 GHz": 62.0},
    )


def _panel(
    face: str, frame: TileFrame, width: float, height: float, tiles: tuple[str, ...]
) -> PanelDesign:
    return PanelDesign(
        id=face,
        face=face,
        width_m=width,
        height_m=height,
        thickness_m=THICKNESS_M,
        door=face == "rear",
        frame=frame,
        tiles=tiles,
    )


def _face(face: str, width: float, height: float) -> FaceDesign:
    return FaceDesign(
        name=face,
        width_m=width,
        height_m=height,
        thickness_m=0.004,
        budget_m=0.005,
        panels=(face,),
    )


def box(
    *,
    name: str,
    size: Point3,
    window: tuple[str, Point, float] | None = None,
    vent: tuple[str, Point, tuple[float, float]] | None = None,
    cable: tuple[str, Point, float] | None = None,
    cell_m: float = 0.0,
    columns: int = 1,
    rows: int = 1,
) -> Enclosure:
    """Return a box of `columns` x `rows` tiles a face; openings must fall inside tile 1-1."""
    openings = _openings(window, vent, cable)
    tiles, panels, faces, crossings = [], [], [], []
    for face, (frame, width, height) in frames(size).items():
        ids = []
        for column in range(columns):
            for row in range(rows):
                tile = _tile(face, frame, column, row, width / columns, height / rows)
                if column == row == 0 and face in openings:
                    holes = tuple(tuple(reversed(ring)) for *_, ring in openings[face])
                    tile = _with_holes(tile, holes)
                    crossings += [_crossing(face, tile.id, *each) for each in openings[face]]
                tiles.append(tile)
                ids.append(tile.id)
        panels.append(_panel(face, frame, width, height, tuple(ids)))
        faces.append(_face(face, width, height))
    return Enclosure(
        name=name,
        serial="0001",
        spec_digest="ab" * 32,
        size_m=size,
        tiles=tuple(tiles),
        panels=tuple(panels),
        faces=tuple(faces),
        crossings=tuple(crossings),
        seams=_seams(tiles),
        air={"cell_m": cell_m, "pressure_drop_pa": 11.2, "limit_pa": 15.0} if cell_m else {},
        **words(),
    )


def _tile(face: str, frame: TileFrame, c: int, r: int, w: float, h: float) -> TileDesign:
    origin = tuple(
        frame.origin_m[i] + frame.x_axis[i] * c * w + frame.y_axis[i] * r * h for i in range(3)
    )
    moved = TileFrame(
        origin_m=(origin[0], origin[1], origin[2]),
        x_axis=frame.x_axis,
        y_axis=frame.y_axis,
        inward=frame.inward,
    )
    return TileDesign(
        id=f"{face}-{c + 1}-{r + 1}",
        face=face,
        panel=face,
        module="rigid-4-layer",
        outline=Outline(exterior=rectangle_ring(w, h, x_m=0.0, y_m=0.0)),
        frame=moved,
        stackup=STACKUP,
        fab=FAB,
        mesh=RULES,
        terminal_edge="bottom",
        lap_m=0.004,
    )


def _with_holes(tile: TileDesign, holes: tuple[tuple[Point, ...], ...]) -> TileDesign:
    from dataclasses import replace

    return replace(tile, outline=Outline(exterior=tile.outline.exterior, holes=holes))


def _seams(tiles: list[TileDesign]) -> tuple[SeamDesign, ...]:
    return tuple(
        SeamDesign(
            id=f"seam-{a.id}-{b.id}",
            kind="lap",
            module="lap-seam",
            tiles=(a.id, b.id),
            length_m=0.08,
            gap_m=1e-4,
            overlap_m=1e-3,
            required_m=8e-4,
            start_m=b.frame.origin_m,
            end_m=b.frame.origin_m,
        )
        for a, b in pairwise(tiles)
    )


def proof_of(enclosure: Enclosure, *, failing: str = "") -> dict[str, Any]:
    """Return a proof.json of the right form; the tile `failing` misses its hole bound."""
    return {
        "tiles": [
            {
                "id": tile.id,
                "nets": 8,
                "fine_cells": 120_000,
                "properties": [
                    _property("net.single_path", 8, 8, "count", True),
                    _property(
                        "hole.severing.any_direction",
                        3.4e-4 if tile.id == failing else 2.8e-4,
                        3e-4,
                        "m",
                        tile.id != failing,
                    ),
                    _property("adjacency.same_net_share", 0.034, None, "share", True),
                ],
            }
            for tile in enclosure.tiles
        ],
        "seams": [
            {"id": s.id, "properties": [_property("seam.overlap", 1e-3, 8e-4, "m", True)]}
            for s in enclosure.seams
        ],
        "crossings": [],
    }


def _property(id: str, found: float, bound: float | None, unit: str, holds: bool) -> dict[str, Any]:
    return {
        "id": id,
        "figure": found,
        "bound": bound,
        "unit": unit,
        "holds": holds,
        "method": "counted <in the test>",
        "seconds": 0.123456,
    }


def coverage_of(enclosure: Enclosure, *, cell_m: float = 2e-3) -> dict[str, Any]:
    """Return maps with a smooth made-up pattern and one worst place a tile."""
    found = {}
    for index, tile in enumerate(enclosure.tiles):
        columns = max(1, round(tile.width_m / cell_m))
        rows = max(1, round(tile.height_m / cell_m))
        cells: list[list[float | None]] = [
            [200.0 + 40.0 * ((r * 7 + c * 3 + index) % 11) / 10 for c in range(columns)]
            for r in range(rows)
        ]
        cells[0][0] = None
        cells[rows // 2][columns // 3] = 280.0
        worst = {
            "x_m": (columns // 3 + 0.5) * cell_m,
            "y_m": (rows // 2 + 0.5) * cell_m,
            "diameter_m": 280e-6,
        }
        found[tile.id] = {"cells": cells, "cell_m": cell_m, "worst": worst}
    return found
