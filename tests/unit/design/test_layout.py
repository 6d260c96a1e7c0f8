"""Layout: every box from 20 mm to 3 m is covered, by boards that a fab makes, with true seams."""

from __future__ import annotations

import dataclasses
import math

import pytest
from boxes import FLEX, LAP, RIGID, RULES, STACKUP, plan_of
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box
from shapely.ops import unary_union

from casemate.core.errors import DesignError
from casemate.design.crossings import RING_M, OpeningPlan
from casemate.design.edges import NEIGHBOURS, THROUGH, pairs
from casemate.design.enclosure import FACES, FabProfile, TileDesign
from casemate.design.frames import face_frame
from casemate.design.layout import Layout, lay_out
from casemate.design.seams import overlap_of

EDGE = st.floats(min_value=0.02, max_value=3.0).map(lambda value: round(value, 5))


def placed(tile: TileDesign, layout: Layout) -> Polygon:
    """Return the tile's board (with holes) projected along depth onto its face's plane."""
    frame = face_frame(tile.face, layout.size_m)

    def on_face(x: float, y: float) -> tuple[float, float]:
        at = [
            tile.frame.origin_m[k] + x * tile.frame.x_axis[k] + y * tile.frame.y_axis[k]
            for k in range(3)
        ]
        rel = [at[k] - frame.origin_m[k] for k in range(3)]
        return (
            sum(rel[k] * frame.x_axis[k] for k in range(3)),
            sum(rel[k] * frame.y_axis[k] for k in range(3)),
        )

    shell = [on_face(*point) for point in tile.outline.exterior]
    return Polygon(shell, [[on_face(*p) for p in hole] for hole in tile.outline.holes])


def whole_of(layout: Layout, face: str) -> tuple[float, float, float, float]:
    """Return what a face's boards must cover: from where they start at each of its edges."""
    design = next(f for f in layout.faces if f.name == face)
    start = {}
    for edge in layout.edges:
        for side, other in ((edge.over, edge.under), (edge.under, edge.over)):
            if side.face == face:
                where = next(s for s, name in NEIGHBOURS[face].items() if name == other.face)
                start[where] = side.board_start_m
    return (
        start["left"],
        start["bottom"],
        design.width_m - start["right"],
        design.height_m - start["top"],
    )


def bare_area(layout: Layout, face: str) -> float:
    """Return what of a face neither a board nor a crossing's module covers (square metres)."""
    sides = [s for edge in layout.edges for s in (edge.over, edge.under) if s.face == face]
    whole = whole_of(layout, face)
    assert len(sides) == 4
    cover = [placed(tile, layout).buffer(5e-5) for tile in layout.tiles if tile.face == face]
    for opening in layout.openings[face]:
        cover.extend(box(*hole).buffer(5e-5) for hole in opening.holes)
    return float(box(*whole).difference(unary_union(cover)).area)


def check(layout: Layout, fab: FabProfile) -> None:
    for tile in layout.tiles:
        short, long = sorted(tile.fab.max_board_m)
        low, high = sorted((tile.width_m, tile.height_m))
        assert low <= short + 1e-9 and high <= long + 1e-9, tile.id
        if tile.bend is not None:
            continue
        assert tile.lap_m > 0 and tile.fab is fab
        outline = box(0, 0, tile.width_m, tile.height_m)
        for hole in tile.outline.holes:
            assert outline.buffer(-RING_M + 1e-5).contains(Polygon(hole)), tile.id
    for face in FACES:
        assert bare_area(layout, face) < 1e-10, face
    assert len(layout.edges) == 12
    for seam in layout.seams:
        assert seam.overlap_m >= seam.required_m - 1e-12
        reach = RULES.hole_max_m + seam.gap_m * math.tan(RULES.theta_max_rad)
        assert seam.required_m == pytest.approx(reach + 2 * fab.registration_m)
        assert seam.length_m > 0 or seam.kind == "edge"


@settings(max_examples=60, deadline=None)
@given(x=EDGE, y=EDGE, z=EDGE, flex=st.booleans(), doors=st.sets(st.sampled_from(FACES)))
def test_any_box_is_covered(x: float, y: float, z: float, flex: bool, doors: set[str]) -> None:
    fab = FLEX if flex else RIGID
    check(lay_out(plan_of((x, y, z), fab=fab, doors=tuple(sorted(doors)))), fab)


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(min_value=0.1, max_value=3.0),
    z=st.floats(min_value=0.1, max_value=3.0),
    at=st.tuples(st.floats(min_value=0.25, max_value=0.75), st.floats(0.25, 0.75)),
    wide=st.floats(min_value=0.01, max_value=0.3),
    round_hole=st.booleans(),
    count=st.integers(min_value=1, max_value=3),
)
def test_no_opening_straddles_a_cut(
    x: float, z: float, at: tuple[float, float], wide: float, round_hole: bool, count: int
) -> None:
    least = wide * min(x, z) / 4
    size = (least, least) if round_hole else (wide * x / 4, wide * z / 2)
    opening = OpeningPlan(
        id="c",
        kind="liquid",
        face="front",
        module="m",
        size_m=size,
        round=round_hole,
        count=count,
        position_m=(at[0] * x, at[1] * z),
    )
    layout = lay_out(plan_of((x, 0.3, z), openings=(opening,)))
    check(layout, RIGID)
    assert len(layout.crossings) == count
    tiles = {tile.id: tile for tile in layout.tiles}
    for crossing in layout.crossings:
        assert crossing.opening in tiles[crossing.tile].outline.holes


@settings(max_examples=25, deadline=None)
@given(
    x=st.floats(0.2, 3.0),
    z=st.floats(0.2, 3.0),
    lines=st.integers(0, 3),
    face=st.sampled_from(FACES),
)
def test_a_vent_takes_what_the_crossings_leave(x: float, z: float, lines: int, face: str) -> None:
    vent = OpeningPlan(
        id="air", kind="air", face=face, module="v", size_m=(0, 0), round=False, fill=True,
        surface=True,
    )  # fmt: skip
    pipes = OpeningPlan(
        id="pipe", kind="liquid", face=face, module="m", size_m=(0.03, 0.03), round=True,
        count=max(1, lines),
    )  # fmt: skip
    openings = (vent, pipes) if lines else (vent,)
    layout = lay_out(plan_of((x, x, z), openings=openings))
    check(layout, RIGID)
    assert {c.id.split("-")[0] for c in layout.crossings} == {o.id for o in openings}


def test_the_box_grows_by_its_faces_and_nothing_else() -> None:
    layout = lay_out(plan_of((0.06, 0.2, 0.08), thickness_m=4e-3))
    assert layout.size_m == pytest.approx((0.068, 0.208, 0.088))


def test_a_rack_side_takes_the_fewest_boards() -> None:
    layout = lay_out(plan_of((0.59, 1.058, 2.226)))
    side = [tile for tile in layout.tiles if tile.face == "left" and tile.bend is None]
    area = sum(tile.width_m * tile.height_m for tile in side)
    assert len(side) == 8  # 1.068 x 2.236 m: 2 x 4, no fewer fit into 0.67 x 0.6 m
    assert area < 1.04 * 1.068 * 2.236


def test_every_box_edge_has_a_strip_over_both_its_faces() -> None:
    layout = lay_out(plan_of((0.06, 0.2, 0.08), doors=("rear",)))
    assert {edge.id for edge in layout.edges} == {
        "~".join(sorted(pair, key=FACES.index)) for pair in pairs()
    }
    assert len(layout.seams) == 24
    assert {s.kind for s in layout.seams} == {"edge", "door"}
    assert sum(s.kind == "door" for s in layout.seams) == 4  # the leg over the door's neighbour
    strips = {tile.id: tile for tile in layout.tiles if tile.bend is not None}
    for edge in layout.edges:
        assert THROUGH.index(edge.over.face) < THROUGH.index(edge.under.face)
        covered = {s.tiles[0] for s in layout.seams if s.tiles[1] in edge.strips}
        assert covered == {*edge.over.tiles, *edge.under.tiles}
        for name in edge.strips:
            bend = strips[name].bend
            assert bend is not None
            assert ("rear" in bend.faces) <= (bend.faces[0] == "rear")  # bonded to the door


def test_a_strip_bends_no_tighter_than_its_thickness_allows() -> None:
    for size in ((0.02, 0.02, 0.02), (0.6, 1.07, 2.2)):
        layout = lay_out(plan_of(size))
        for tile in layout.tiles:
            if tile.bend is not None:
                assert 6 <= tile.bend.radius_m / tile.stackup.thickness_m <= 10
                first, second = tile.bend.line_m
                arc = math.pi / 2 * (tile.bend.radius_m + tile.stackup.thickness_m / 2)
                assert second - first == pytest.approx(arc)
                assert 0 < first and second < tile.height_m


def test_boards_clear_the_strips_bend() -> None:
    """The corner of the board that runs through stays inside the innermost bend."""
    layout = lay_out(plan_of((0.06, 0.2, 0.08), doors=("rear",)))
    strips = {tile.id: tile for tile in layout.tiles if tile.bend is not None}
    for edge in layout.edges:
        bend = strips[edge.strips[0]].bend
        assert bend is not None
        corner = (edge.over.board_depth_m, edge.over.board_start_m)
        assert math.dist(corner, (edge.centre_m, edge.centre_m)) <= bend.radius_m + 1e-9


def test_a_short_overlap_would_be_seen() -> None:
    good = overlap_of(LAP, stackup=STACKUP, fab=RIGID, tool_m=0.45e-3, theta_rad=1.2)
    steep = overlap_of(LAP, stackup=STACKUP, fab=RIGID, tool_m=0.45e-3, theta_rad=1.3)
    assert good.meshed_m < steep.required_m  # planted: the same boards, a flatter tool


def test_a_crossing_that_does_not_fit_is_named() -> None:
    window = OpeningPlan(
        id="w", kind="window", face="front", module="m", size_m=(0.04, 0.04), round=True,
        position_m=(0.02, 0.04),
    )  # fmt: skip
    with pytest.raises(DesignError, match=r"crossing w .* does not fit on face front"):
        lay_out(plan_of((0.06, 0.2, 0.08), openings=(window,)))


def test_frames_are_right_handed_and_look_in() -> None:
    layout = lay_out(plan_of((0.6, 1.07, 2.2)))
    for tile in layout.tiles:
        x, y, n = tile.frame.x_axis, tile.frame.y_axis, tile.frame.inward
        cross = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
        assert [a + b for a, b in zip(cross, n, strict=True)] == pytest.approx([0, 0, 0], abs=1e-9)


def test_shingled_boards_do_not_run_into_each_other() -> None:
    layout = lay_out(plan_of((0.6, 1.07, 2.2)))
    upper = next(t for t in layout.tiles if t.id == "left-1-2")
    lower = next(t for t in layout.tiles if t.id == "left-1-1")

    def depth(tile: TileDesign, y: float) -> float:
        return tile.frame.origin_m[0] + y * tile.frame.y_axis[0]

    lap = dict(lower.laps)["top"]
    for along in (0.0, lap):  # at both ends of the overlap
        below = depth(lower, lower.height_m - lap + along)
        assert below - depth(upper, along) >= STACKUP.thickness_m


def test_a_missing_board_is_seen() -> None:
    """Plant the fault that the coverage check must find."""
    layout = lay_out(plan_of((0.6, 1.07, 2.2)))
    holed = dataclasses.replace(layout, tiles=layout.tiles[1:])
    assert bare_area(layout, "front") < 1e-10 < 0.1 < bare_area(holed, "front")


def test_layout_is_deterministic() -> None:
    assert lay_out(plan_of((0.3, 0.7, 1.9))) == lay_out(plan_of((0.3, 0.7, 1.9)))
