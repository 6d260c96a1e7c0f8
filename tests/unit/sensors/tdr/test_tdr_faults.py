"""Effects on a drawn board become faults of the pairs that they meet, where they meet them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tdr_samples import TILE, mesh, sample

from casemate.mesh.store import mesh_bytes
from casemate.sensors.tdr import physics
from casemate.sensors.tdr.faults import altered_response, faults_of
from casemate.twin.altered import Altered, altered
from casemate.twin.board import Board, summed_up
from casemate.twin.effects import Bridge, Contact, Detached, Effect, Hole, Spot, Thinned
from casemate.twin.line_materials import Real
from casemate.twin.pair_faults import (
    AT,
    BRIDGE_S,
    INSULATED_OHM,
    JUMP_M,
    SERIES_H,
    SERIES_OHM,
    SHUNT_F,
)

NUMBER, LANE = 1, 1


@cache
def board(folder: Path) -> Board:
    path = folder / "front-1.npz"
    path.write_bytes(mesh_bytes(mesh()))
    return summed_up(TILE, mesh(), path)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return board(tmp_path_factory.mktemp("mesh"))


def on_net(share: float, lane: int = LANE, off_m: float = 0.0) -> tuple[Spot, float]:
    """Return a spot on the middle of a long segment of a lane near a share of it, and its arc."""
    net = sample().channels[NUMBER].lanes.nets[lane]
    steps = np.diff(net.vertices.astype(float), axis=0)
    size = np.hypot(*steps.T)
    ends = np.cumsum(size)
    near = np.abs(ends / ends[-1] - share) + np.where(size < 8e5, 10.0, 0.0)
    k = int(np.argmin(near))
    middle = net.vertices[k] + 0.5 * steps[k]
    aside = np.array([-steps[k, 1], steps[k, 0]]) / size[k] * off_m * 1e9
    x, y = (middle + aside) * 1e-9
    spot = Spot(tile="front-1", layer=net.layer, x_m=float(x), y_m=float(y))
    return spot, float((ends[k] - 0.5 * size[k]) * 1e-9)


def faults(drawn: Board, *effects: Effect) -> Real:
    return faults_of(sample().channels[NUMBER], altered(drawn, effects))


def test_a_wide_hole_cuts_and_a_small_one_bites(drawn: Board) -> None:
    spot, arc_m = on_net(0.4)
    at_m = physics.place_m(sample().channels[NUMBER], LANE, arc_m)
    cut = faults(drawn, Hole(at=spot, diameter_m=1.5e-4))
    assert cut[:, AT] == pytest.approx([at_m], abs=1e-3)
    assert cut[0, SERIES_OHM + LANE] >= INSULATED_OHM and cut[0, SERIES_OHM + 1 - LANE] == 0.0
    bitten = faults(drawn, Hole(at=on_net(0.4, off_m=9e-5)[0], diameter_m=1e-4))
    assert np.sum(bitten[:, SERIES_OHM + LANE] > 0.0) == 1
    assert 1e-5 < bitten[:, SERIES_OHM + LANE].max() < 1e-2
    assert 1e-13 < bitten[:, SERIES_H + LANE].max() < 1e-10


def test_thinned_copper_is_resistance_alone(drawn: Board) -> None:
    thin = faults(drawn, Thinned(at=on_net(0.4)[0], diameter_m=1.2e-4, left=0.5))
    assert 1e-4 < thin[0, SERIES_OHM + LANE] < 1e-2 and thin[0, SERIES_H + LANE] == 0.0


def test_a_touch_hangs_on_its_lane(drawn: Board) -> None:
    spot, _ = on_net(0.6)
    touched = faults(drawn, Contact(at=spot, farad=1e-13))
    assert touched.shape[0] == 1
    assert touched[0, SHUNT_F + LANE] == 1e-13 and touched[0, SHUNT_F + 1 - LANE] == 0.0
    assert faults(drawn, Contact(at=spot, farad=1e-13), Contact(at=spot, farad=1e-13))[
        0, SHUNT_F + LANE
    ] == pytest.approx(2e-13)


def test_wires_jump_bridge_or_leak(drawn: Board) -> None:
    near, far = on_net(0.40), on_net(0.45)
    of = sample().channels[NUMBER]
    span_m = physics.place_m(of, LANE, far[1]) - physics.place_m(of, LANE, near[1])
    jumped = faults(
        drawn,
        Bridge(at=far[0], to=near[0], ohm=0.02, henry=1e-9),
        Hole(at=on_net(0.42)[0], diameter_m=1.2e-4),
    )
    own = jumped[jumped[:, JUMP_M + LANE] > 0.0]
    assert own.shape[0] == 1 and own[0, JUMP_M + LANE] == pytest.approx(span_m, abs=1e-6)
    assert not (jumped[:, SERIES_OHM + LANE] >= INSULATED_OHM).any()
    away = faults(drawn, Bridge(at=near[0], to=on_net(0.9, lane=0)[0], ohm=0.02))
    assert (away[:, BRIDGE_S] == 0.0).all() and len(away) == 2


def test_an_unplugged_board_is_cut_at_the_reader(drawn: Board) -> None:
    gone = faults(drawn, Detached(tile="front-1"))
    assert gone[0, AT] == 0.0 and (gone[0, SERIES_OHM : SERIES_OHM + 2] >= INSULATED_OHM).all()
    assert faults_of(sample().channels[NUMBER], Altered(board=drawn)).size == 0


def test_responses_add_up_to_the_first_cut(drawn: Board) -> None:
    tdr = physics.tdr_of_board(drawn, sample().reader, unit=5)
    of = tdr.channels[NUMBER]
    prepared = physics.fingerprint(of)
    touch = Contact(at=on_net(0.2)[0], farad=1e-13)
    cut = Hole(at=on_net(0.5)[0], diameter_m=1.5e-4)
    beyond = Contact(at=on_net(0.8)[0], farad=1e-13)
    sound = physics.anchor(tdr, of, prepared)
    assert np.array_equal(altered_response(tdr, of, faults(drawn), prepared), sound)
    one = altered_response(tdr, of, faults(drawn, touch), prepared)
    assert np.abs(one - sound).max() > 1e-4
    first = altered_response(tdr, of, faults(drawn, touch, cut), prepared)
    both = altered_response(tdr, of, faults(drawn, touch, cut, beyond), prepared)
    assert np.array_equal(first, both)
    early = tdr.t_s < 2.0 * physics.place_m(of, LANE, on_net(0.45)[1]) * of.pair.slow_s_m.min()
    assert np.abs(first - one)[early].max() < 1e-5
