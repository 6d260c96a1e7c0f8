"""The unit cube of choices: there and back, ends met exactly, boards and places."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from casemate.attacks.board import board_of
from casemate.attacks.catalogue import MOVES, move
from casemate.attacks.move import Move, Parameter
from casemate.campaigns.search.space import Candidate, Space, point_on
from casemate.core.errors import InputError
from casemate.core.geometry import Outline


@pytest.mark.parametrize("each", MOVES, ids=lambda each: each.id)
def test_every_point_is_a_candidate_that_its_move_takes(each: Move) -> None:
    space = Space(parameters=each.parameters, tiles=("a", "b", "c"), place=True)
    generator = np.random.default_rng(1)
    ends = np.round(space.drawn(20, generator))
    for unit in (*space.drawn(50, generator), *ends):
        found = space.decoded(unit)
        assert each.checked(found.values) == dict(found.values)
        again = space.decoded(space.encoded(found))
        assert again.tile == found.tile and again.place == found.place
        for name, value in found.values.items():
            assert again.values[name] == pytest.approx(value, rel=1e-12)


def test_ends_are_exact_and_logarithms_halve_at_the_geometric_mean() -> None:
    space = Space(parameters=move("laser").parameters)
    low, high = (space.decoded(np.full(space.size, end)).values for end in (0.0, 1.0))
    middle = space.decoded(np.full(space.size, 0.5)).values
    for each in space.parameters:
        assert (low[each.name], high[each.name]) == (each.low, each.high)
        if each.scale == "log":
            assert middle[each.name] == pytest.approx((each.low * each.high) ** 0.5)


def test_whole_axes_have_steps_and_boards_even_shares() -> None:
    space = Space(parameters=(move("laser").parameters[1],), tiles=("a", "b", "c"), place=True)
    assert space.steps.tolist() == [1.0 / 99.0, 0.5, 0.0, 0.0]
    tiles = [space.decoded(np.array([0.0, x, 0.2, 0.9])).tile for x in (0.0, 0.24, 0.26, 0.8, 1.0)]
    assert tiles == ["a", "a", "b", "c", "c"]


def test_what_has_no_range_is_no_axis_and_nothing_to_choose_is_refused() -> None:
    fixed = Parameter(name="f", low=2.0, high=2.0, default=2.0, unit="", about="", scale="log")
    free = dataclasses.replace(fixed, name="g", high=3.0)
    space = Space(parameters=(fixed, free), tiles=("only",))
    found = space.decoded(np.array([1.0]))
    assert space.size == 1 and found.values == {"f": 2.0, "g": 3.0} and found.tile == "only"
    with pytest.raises(InputError):
        Space(parameters=(fixed,), tiles=("only",))


def test_nearest_keeps_what_is_inside_and_moves_what_is_not() -> None:
    space = Space(parameters=move("needle").parameters, tiles=("a", "b"), place=True)
    inside = space.decoded(np.full(space.size, 0.37))
    assert space.nearest(inside) is inside
    first = space.parameters[0]
    far = Candidate(values={**inside.values, first.name: 2.0 * first.high}, tile="z")
    moved = space.nearest(far)
    assert moved.values[first.name] == first.high and moved.tile in ("a", "b")


HOLED = Outline(
    exterior=((0.0, 0.0), (0.3, 0.0), (0.3, 0.2), (0.1, 0.2), (0.1, 0.1), (0.0, 0.1)),
    holes=(((0.15, 0.05), (0.25, 0.05), (0.25, 0.15), (0.15, 0.15)),),
)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_places_lie_on_the_board_and_are_the_nearest(u: float, v: float) -> None:
    solid = board_of(HOLED)
    x0, y0, x1, y1 = solid.bounds
    asked = shapely.Point(x0 + u * (x1 - x0), y0 + v * (y1 - y0))
    found = shapely.Point(point_on(HOLED, (u, v)))
    assert shapely.distance(solid, found) < 1e-9
    assert abs(found.distance(asked) - solid.distance(asked)) < 1e-9
