"""Mesh capacitance on the dpa twin: sums, cuts, touches, holes, wires and water."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from casemate.core.samples import Health
from casemate.sensors.mesh_capacitance.local import hole_f
from casemate.sensors.mesh_capacitance.physics import LOST_F, MeshCapacitance, Plates
from casemate.sensors.modality import Fitted, Reading
from casemate.twin.altered import altered
from casemate.twin.assembly import Twin
from casemate.twin.effects import Bridge, Contact, Detached, HeatSpot, Hole, Place, Pocket, Spot
from on_boards import along, read, with_effects, z_of

TILE = "top-1-1"


@pytest.fixture
def caps(dpa_fitted: dict[str, Fitted]) -> MeshCapacitance:
    fitted = dpa_fitted["mesh_capacitance"]
    assert isinstance(fitted, MeshCapacitance)
    return fitted


def _change(caps: MeshCapacitance, found: Reading, tile: str = TILE) -> tuple[Plates, np.ndarray]:
    """Return the plates of a board and the change of its channels, F."""
    row = caps.rows[tile]
    return caps.plates[tile], (found.quantity - caps.nominal)[row]


def test_own_capacitance_is_planes_and_pairs(caps: MeshCapacitance) -> None:
    """Own less what lies along planes is the sum of all gaps, counted from either side."""
    for plates in caps.plates.values():
        board, sheet = plates.board, plates.sheet
        own = plates.farad[plates.kind == 0]
        planes = np.array([sheet.own_f_m[name] for name in board.layer_of]) * board.length_m
        facing = board.facing
        gap = np.array([sheet.gap_f_m[board.layer_of[i]] for i in facing.pairs[:, 0]])
        pairs = np.zeros((own.size, own.size))
        pairs[facing.pairs[:, 0], facing.pairs[:, 1]] = gap * facing.metres
        assert own - planes == pytest.approx((pairs + pairs.T).sum(axis=1), rel=1e-12)
        beside = plates.kind == 1
        assert (plates.farad[beside] <= own[plates.i[beside]]).all()
        assert plates.farad[beside] == pytest.approx(pairs[plates.i[beside], plates.j[beside]])
        assert beside.any()  # lanes of a zone are read against each other


def test_a_cut_leaves_the_share_before_it(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    board = dpa_twin.board(TILE)
    spot = along(board, 3, 0.4)
    hole = Hole(at=spot, diameter_m=1.5e-4)
    plates, change = _change(caps, read(caps, dpa_twin, hole))
    event = altered(board, (hole,)).events[0]
    share = event.squares / board.squares[3]
    assert share == pytest.approx(0.4, abs=0.02)
    own = np.flatnonzero((plates.i == 3) & (plates.kind == 0))[0]
    assert change[own] == pytest.approx((share - 1.0) * plates.farad[own], rel=1e-3)
    touched = (plates.i == 3) | (plates.j == 3)
    lost = np.abs(change[touched]) / plates.farad[touched]
    assert lost == pytest.approx(np.full(touched.sum(), 1.0 - share), rel=2e-3)
    # other nets keep what they have: the floating end is grounded by its own termination
    assert not change[~touched & (plates.kind == 0)].any()


def test_two_cuts_leave_what_is_before_the_first(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    board = dpa_twin.board(TILE)
    holes = [Hole(at=along(board, 3, share), diameter_m=1.5e-4) for share in (0.7, 0.3)]
    plates, change = _change(caps, read(caps, dpa_twin, *holes))
    own = np.flatnonzero((plates.i == 3) & (plates.kind == 0))[0]
    assert 1.0 + change[own] / plates.farad[own] == pytest.approx(0.3, abs=0.02)


def test_a_wire_over_a_cut_hides_it(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    """The net hangs together again; a wire elsewhere on it changes nothing."""
    board = dpa_twin.board(TILE)
    hole = Hole(at=along(board, 3, 0.4), diameter_m=1.5e-4)
    wire = Bridge(at=along(board, 3, 0.35), to=along(board, 3, 0.45), ohm=0.01)
    plates, change = _change(caps, read(caps, dpa_twin, hole, wire))
    own = np.flatnonzero((plates.i == 3) & (plates.kind == 0))[0]
    assert abs(change[own]) < 1e-13  # what the hole itself takes
    beyond = Bridge(at=along(board, 3, 0.5), to=along(board, 3, 0.6), ohm=0.01)
    plates, change = _change(caps, read(caps, dpa_twin, hole, beyond))
    assert 1.0 + change[own] / plates.farad[own] == pytest.approx(0.4, abs=0.02)
    # over the second of two cuts only: the first one still parts it
    second = Hole(at=along(board, 3, 0.7), diameter_m=1.5e-4)
    over = Bridge(at=along(board, 3, 0.65), to=along(board, 3, 0.75), ohm=0.01)
    plates, change = _change(caps, read(caps, dpa_twin, hole, second, over))
    assert 1.0 + change[own] / plates.farad[own] == pytest.approx(0.4, abs=0.02)


def test_a_touch_adds_its_farads_to_one_own_channel(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    board = dpa_twin.board(TILE)
    touch = Contact(at=along(board, 5, 0.2), farad=3e-14)
    plates, change = _change(caps, read(caps, dpa_twin, touch))
    moved = np.flatnonzero(change)
    assert [(int(plates.i[k]), int(plates.kind[k])) for k in moved] == [(5, 0)]
    assert change[moved[0]] == pytest.approx(3e-14, rel=1e-6)
    beyond = Hole(at=along(board, 5, 0.1), diameter_m=1.5e-4)
    with_touch = read(caps, dpa_twin, beyond, touch).quantity
    assert np.array_equal(with_touch, read(caps, dpa_twin, beyond).quantity)
    before = Hole(at=along(board, 5, 0.5), diameter_m=1.5e-4)
    more = read(caps, dpa_twin, before, touch).quantity - read(caps, dpa_twin, before).quantity
    assert more.max() == pytest.approx(3e-14, rel=1e-4) and np.count_nonzero(more) == 1


def test_joined_nets_are_one_body(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    """Lanes 0 and 1: the sum less twice what lay between them, which none can read any more."""
    board = dpa_twin.board(TILE)
    wire = Bridge(at=along(board, 0, 0.3), to=along(board, 1, 0.3), ohm=0.01)
    found = read(caps, dpa_twin, wire).quantity[caps.rows[TILE]]
    plates = caps.plates[TILE]
    own = [int(np.flatnonzero((plates.i == n) & (plates.kind == 0))[0]) for n in (0, 1)]
    between = np.flatnonzero((plates.i == 0) & (plates.j == 1))
    assert between.size == 1 and plates.farad[between[0]] > 1e-11
    body = plates.farad[own].sum() - 2.0 * plates.farad[between[0]]
    assert found[own] == pytest.approx([body, body], rel=1e-9)
    assert found[between[0]] == pytest.approx(LOST_F)


def test_holes_take_what_the_reference_says_they_take(
    caps: MeshCapacitance, dpa_twin: Twin
) -> None:
    """reference/physics.md 5.2: 1.2 to 4.7 fF for 0.1 mm, 10.6 to 42.6 for 0.3; 1 to 50 in all."""
    plates, generator = caps.plates[TILE], np.random.default_rng(4)
    tile = plates.board.tile
    found: dict[float, list[tuple[float, float]]] = {1e-4: [], 3e-4: []}
    for diameter, rows in found.items():
        for _ in range(200):
            share = generator.uniform(0.1, 0.9, 2)
            at = Spot(
                tile=TILE, layer="In1.Cu", x_m=share[0] * tile.width_m, y_m=share[1] * tile.height_m
            )
            own, _, over = hole_f(plates.board, plates.sheet, Hole(at=at, diameter_m=diameter))
            assert all(value <= 0.0 for value in (*own.values(), *over.values()))
            rows.append((-sum(own.values()), -sum(over.values())))
    small, large = (np.median(np.array(found[d]), axis=0) for d in (1e-4, 3e-4))
    assert 1e-15 < small[0] < 5e-15 and 1e-15 < small[1] < 5e-15
    assert 1e-14 < large[0] < 5e-14 and 1e-14 < large[1] < 5e-14


def test_a_pocket_takes_less_the_more_film_is_left(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    spot = along(dpa_twin.board(TILE), 4, 0.5)
    taken = [
        -_change(caps, read(caps, dpa_twin, Pocket(at=spot, diameter_m=1e-3, left_m=left)))[1].sum()
        for left in (0.0, 2e-5, 1e-4)
    ]
    assert taken[0] > taken[1] > taken[2] > 0.0
    filled = Pocket(at=spot, diameter_m=1e-3, epsilon_r=caps.card["epsilon"])
    assert not _change(caps, read(caps, dpa_twin, filled))[1].any()


def test_water_and_warmth_move_all_alike_and_leave_no_residual(
    caps: MeshCapacitance, dpa_twin: Twin
) -> None:
    """50 % more water is 150 times a hole, and gone in the contrast."""
    anchor = with_effects(dpa_twin)
    wet = caps.read(replace(anchor, water=anchor.water + 0.5, skin_k=anchor.skin_k + 5.0))
    share = wet.quantity / caps.nominal
    assert np.ptp(share) < 1e-12
    assert share[0] - 1.0 == pytest.approx(6.0 * 0.005 * 0.5 + 3e-4 * 5.0, rel=0.02)
    assert np.abs(z_of(caps, wet)).max() < 1e-6


def test_a_warm_spot_is_seen_in_contrast(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    board = dpa_twin.board(TILE)
    at = Place(tile=TILE, x_m=0.25 * board.tile.width_m, y_m=0.5 * board.tile.height_m)
    found = read(caps, dpa_twin, HeatSpot(at=at, watt=5.0, radius_m=2e-3))
    assert np.abs(z_of(caps, found)).max() > 8.0


def test_an_unplugged_board_reads_nothing(caps: MeshCapacitance, dpa_twin: Twin) -> None:
    found = read(caps, dpa_twin, Detached(tile=TILE))
    row = caps.rows[TILE]
    assert (found.health[row] == Health.CLIPPED).all()
    assert found.quantity[row] == pytest.approx(np.full(row.stop - row.start, LOST_F))
    assert np.abs(z_of(caps, found)).max() >= 1e3
