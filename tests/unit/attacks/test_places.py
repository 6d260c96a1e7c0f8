"""Places lie on boards, evenly, and what lies behind them is the protected volume."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from casemate.attacks.board import beside, board_of, on_board
from casemate.attacks.places import (
    NEAR,
    RIM_M,
    drawn,
    plan_at,
    plan_drawn,
)
from casemate.core.errors import InputError
from casemate.design.enclosure import Enclosure
from casemate.modules import load_catalogue
from casemate.sensors.modalities import MODALITIES
from casemate.twin.modules import MODALITY_OF, modalities_of


def test_draws_are_even_over_the_area_of_boards(dpa: Enclosure) -> None:
    generator = np.random.default_rng(1)
    count = 4_000
    found = collections.Counter(drawn(dpa, generator)[0].id for _ in range(count))
    areas = {tile.id: board_of(tile.outline).area for tile in dpa.tiles}
    total = sum(areas.values())
    for id, area in areas.items():
        share = area / total
        spread = (share * (1.0 - share) * count) ** 0.5
        assert abs(found[id] - share * count) < 5.0 * spread, id


def test_draws_on_one_board_are_even_and_spare_its_openings(dpa: Enclosure) -> None:
    generator = np.random.default_rng(2)
    points = np.array([drawn(dpa, generator, tile="rear-1-1")[1] for _ in range(2_000)])
    board = board_of(next(t.outline for t in dpa.tiles if t.id == "rear-1-1"))
    assert shapely.contains_xy(board, points[:, 0], points[:, 1]).all()
    x0, y0, x1, y1 = board.bounds
    quarters = [shapely.box(x0, y0, 0.5 * (x0 + x1), y1), shapely.box(x0, y0, x1, 0.5 * (y0 + y1))]
    for quarter in quarters:
        share = board.intersection(quarter).area / board.area
        inside = shapely.contains_xy(quarter, points[:, 0], points[:, 1]).mean()
        assert inside == pytest.approx(share, abs=0.05)


def test_weaker_parts_are_where_they_are_said_to_be(dpa: Enclosure) -> None:
    generator = np.random.default_rng(3)
    for near in NEAR:
        if near == "lap":
            continue
        for _ in range(50):
            tile, place = drawn(dpa, generator, near=near)
            board = board_of(tile.outline)
            off = board.boundary.distance(shapely.Point(place))
            assert board.contains(shapely.Point(place))
            if near in ("rim", "opening"):
                assert off <= RIM_M + 1e-9
            if near == "opening":
                assert tile.outline.holes
            if near == "edge":
                assert tile.bend is not None


def test_a_design_without_laps_says_so(dpa: Enclosure) -> None:
    with pytest.raises(InputError, match="no board has an area of the kind 'lap'"):
        plan_drawn(dpa, np.random.default_rng(0), near="lap")


def test_same_seed_same_place(dpa: Enclosure) -> None:
    plans = [plan_drawn(dpa, np.random.default_rng(7), near="rim") for _ in range(2)]
    assert plans[0] == plans[1]


def test_what_lies_behind_is_on_the_surface_of_the_protected_volume(dpa: Enclosure) -> None:
    walls = {face.name: face.thickness_m for face in dpa.faces}
    low = (walls["left"], walls["front"], walls["bottom"])
    size = dpa.size_m
    high = (size[0] - walls["right"], size[1] - walls["rear"], size[2] - walls["top"])
    generator = np.random.default_rng(4)
    for _ in range(300):
        plan = plan_drawn(dpa, generator)
        at = plan.cavity_m
        rows = list(zip(at, low, high, strict=True))
        assert all(a - 1e-12 <= value <= b + 1e-12 for value, a, b in rows)
        assert any(min(abs(value - a), abs(value - b)) < 1e-12 for value, a, b in rows)
        assert plan.wall_m >= plan.tile.stackup.thickness_m


def test_wall_behind_a_flat_board_is_the_face_less_the_boards_depth(dpa: Enclosure) -> None:
    plan = plan_at(dpa, "front-1-1", (0.05, 0.015))
    face = next(face for face in dpa.faces if face.name == "front")
    assert plan.wall_m == pytest.approx(face.thickness_m - plan.tile.frame.origin_m[1], abs=1e-12)
    assert plan.doors == ("top",)


def test_places_off_a_board_are_refused(dpa: Enclosure) -> None:
    hole = next(c for c in dpa.crossings if c.opening is not None)
    for place in ((9.0, 0.0), (-1e-3, 0.0), hole.centre_m):
        with pytest.raises(InputError, match="not on the board"):
            plan_at(dpa, hole.tile, place)
    with pytest.raises(InputError, match="did you mean front-1-1"):
        plan_at(dpa, "front-1", (0.0, 0.0))


def test_modalities_are_those_of_the_modules_and_all_sensing_modules_are_known(
    dpa: Enclosure,
) -> None:
    found = ("loop_resistance", "mesh_capacitance", "rf_cavity", "environment")
    assert modalities_of(dpa) == found
    sensing = ("skin_sensing", "volume_sensing", "aux_sensing")
    assert {card.id for card in load_catalogue() if card.function in sensing} == set(MODALITY_OF)


def test_modalities_are_named_as_the_sensors_name_them() -> None:
    assert {each.id for each in MODALITIES} == set(MODALITY_OF.values())


@given(x=st.floats(-1.0, 1.0), y=st.floats(-1.0, 1.0), angle=st.floats(0.0, 6.3))
def test_whoever_works_beside_a_place_stays_on_the_board(
    dpa: Enclosure, x: float, y: float, angle: float
) -> None:
    plan = plan_at(dpa, "rear-1-1", (0.01, 0.01))
    board = board_of(plan.tile.outline)
    for point in (on_board(plan, x, y), beside(plan, x, angle)):
        assert board.contains(shapely.Point(point))
    assert on_board(plan, 0.02, 0.005) == (0.02, 0.005)


def test_plans_of_equal_places_are_equal(dpa: Enclosure) -> None:
    plan = plan_at(dpa, "top-1-1", (0.01, 0.01))
    assert dataclasses.replace(plan) == plan_at(dpa, "top-1-1", (0.01, 0.01))
