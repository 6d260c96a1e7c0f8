"""The certified hole and the twin's copper agree: what the proof says is cut, is cut."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from casemate.core.errors import InputError
from casemate.twin.assembly import Twin
from casemate.twin.board import Board
from casemate.twin.copper import meet, nearest

TOOL_M = 6e-4
"""targets.tool of the dpa example; its boards and strips are certified for it."""
PLACES = 2000


def _pattern(board: Board) -> shapely.Geometry:
    """Return where a tool must meet the pattern: the outline less a tool's radius from its rim."""
    outline = shapely.Polygon(board.tile.outline.exterior, board.tile.outline.holes)
    return outline.buffer(-0.5 * TOOL_M)


def _drawn(board: Board, generator: np.random.Generator, count: int) -> np.ndarray:
    shape = _pattern(board)
    shapely.prepare(shape)
    low, high = np.array(shape.bounds[:2]), np.array(shape.bounds[2:])
    places = low + generator.random((8 * count, 2)) * (high - low)
    return places[shapely.contains_xy(shape, places[:, 0], places[:, 1])][:count]


def _cutting(board: Board, places: np.ndarray, diameter_m: float) -> np.ndarray:
    """Return whether a tool cuts a net on any mesh layer, (K,)."""
    cut = np.zeros(len(places), dtype=bool)
    for layer in board.tile.stackup.mesh:
        met = meet(board.copper(), layer, places, np.full(len(places), diameter_m))
        cut[met.tool[met.cut]] = True
    return cut


def test_the_certified_hole_always_cuts_a_net(dpa_twin: Twin) -> None:
    """2,000 places spread over boards and strips by area; none may pass."""
    generator = np.random.default_rng(60)
    boards = list(dpa_twin.boards.values())
    area = np.array([_pattern(board).area for board in boards])
    counts = np.maximum(np.round(PLACES * area / area.sum()).astype(int), 20)
    missed = {}
    for board, count in zip(boards, counts.tolist(), strict=True):
        places = _drawn(board, generator, count)
        assert len(places) == count
        cut = _cutting(board, places, TOOL_M)
        if not cut.all():
            missed[board.tile.id] = places[~cut].tolist()
    assert not missed


def test_tools_slimmer_than_a_trace_cut_nothing(dpa_twin: Twin) -> None:
    """Width 0.1 mm, pitch 0.2 mm: up to their difference a bite is all that a tool can do."""
    generator = np.random.default_rng(61)
    for board in list(dpa_twin.boards.values())[::5]:
        rules = board.tile.mesh
        slim = rules.pitch_m - rules.trace_m
        places = _drawn(board, generator, 300)
        assert not _cutting(board, places, 0.999 * slim).any()
        met = meet(board.copper(), board.tile.stackup.mesh[0], places, np.full(300, 0.999 * slim))
        assert (met.bite_m < rules.trace_m).all() and (met.bite_m > 0.0).all()


def test_larger_tools_cut_all_that_smaller_ones_do(dpa_twin: Twin) -> None:
    board = dpa_twin.board("left-1-1")
    places = _drawn(board, np.random.default_rng(62), 500)
    cuts = [_cutting(board, places, size) for size in (2e-4, 3e-4, 4e-4, 5e-4, 6e-4)]
    assert all((big | ~small).all() for small, big in zip(cuts[:-1], cuts[1:], strict=True))
    shares = [cut.mean() for cut in cuts]
    assert shares[0] < 0.99 and shares[-1] == 1.0


def test_what_no_tool_can_be_is_refused(dpa_twin: Twin) -> None:
    copper = dpa_twin.board("left-1-1").copper()
    one, size = np.array([[0.01, 0.01]]), np.array([1e-4])
    for places, diameters in (
        (one * np.nan, size), (one, -size), (one, 0.0 * size), (one, size * np.inf)
    ):  # fmt: skip
        with pytest.raises(InputError, match="finite place"):
            meet(copper, "In1.Cu", places, diameters)
    with pytest.raises(InputError, match="no mesh on layer"):
        meet(copper, "B.Cu", one, size)
    assert len(nearest(copper, "In1.Cu", (-1.0, -1.0), 1e-3)) == 0
