"""Loop resistance on the dpa twin: cuts, bites, jumpers, bridges and temperature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from casemate.core.samples import Health
from casemate.sensors.card import load_card
from casemate.sensors.loop_resistance.physics import LoopResistance, chip_noise_ohm, sheet_ohm
from casemate.sensors.modality import Fitted
from casemate.twin.altered import END_OHM, altered
from casemate.twin.assembly import Twin
from casemate.twin.copper import meet
from casemate.twin.effects import (
    Bridge,
    Contact,
    Detached,
    HeatSpot,
    Hole,
    Lifted,
    Place,
    Spot,
    Thinned,
)
from casemate.twin.resistance import IACS_ALPHA_1_K
from casemate.twin.resistance_nicks import bite_squares
from on_boards import along, read, with_effects, z_of

TILE = "top-1-1"


@pytest.fixture
def loops(dpa_fitted: dict[str, Fitted]) -> LoopResistance:
    fitted = dpa_fitted["loop_resistance"]
    assert isinstance(fitted, LoopResistance)
    return fitted


def _one_net(twin: Twin, spot: Spot, diameter_m: float) -> int:
    """Return the only net that a tool meets there."""
    met = meet(
        twin.board(spot.tile).copper(), spot.layer, np.array([[spot.x_m, spot.y_m]]),
        np.array([diameter_m]),
    )  # fmt: skip
    assert len(met) == 1
    return int(met.net[0])


def test_a_cut_net_clips_and_only_it(loops: LoopResistance, dpa_twin: Twin) -> None:
    board, row = dpa_twin.board(TILE), loops.rows[TILE]
    spot = along(board, 3, 0.4)
    assert _one_net(dpa_twin, spot, 1.5e-4) == 3
    found = read(loops, dpa_twin, Hole(at=spot, diameter_m=1.5e-4))
    changed = np.flatnonzero(found.quantity != loops.nominal)
    assert changed.tolist() == [row.start + 3]
    assert found.quantity[row.start + 3] == loops.card["full_scale"]
    assert np.flatnonzero(found.health).tolist() == [row.start + 3]
    assert found.health[row.start + 3] == Health.CLIPPED
    assert np.abs(z_of(loops, found)).max() >= 1e3


def test_a_bite_adds_its_squares(loops: LoopResistance, dpa_twin: Twin) -> None:
    """A 0.1 mm drill that takes half of a trace of 0.1 mm, against the kernel's own figure."""
    board, row = dpa_twin.board(TILE), loops.rows[TILE]
    spot = along(board, 1, 0.6, off_m=5e-5)
    assert _one_net(dpa_twin, spot, 1e-4) == 1
    found = read(loops, dpa_twin, Hole(at=spot, diameter_m=1e-4))
    more = found.quantity[row.start + 1] - loops.nominal[row.start + 1]
    assert more == pytest.approx(bite_squares(1e-4, 5e-5, 1e-4) * 9.578e-4, rel=1e-3)
    assert not found.health.any()


def test_thinned_copper_adds_what_its_section_lacks(loops: LoopResistance, dpa_twin: Twin) -> None:
    """Half of the thickness over 0.3 mm of trace: three squares more."""
    board, row = dpa_twin.board(TILE), loops.rows[TILE]
    spot = along(board, 1, 0.6)
    _one_net(dpa_twin, spot, 1e-4)
    one = read(loops, dpa_twin, Thinned(at=spot, diameter_m=9e-5, left=0.5))
    more = one.quantity[row.start + 1] - loops.nominal[row.start + 1]
    assert more == pytest.approx(0.9 * sheet_ohm(board)[1], rel=1e-6)
    gone = read(loops, dpa_twin, Thinned(at=spot, diameter_m=9e-5, left=0.0))
    assert gone.health[row.start + 1] == Health.CLIPPED


def test_a_bridge_and_a_cut_between_its_feet_is_a_jumper(
    loops: LoopResistance, dpa_twin: Twin
) -> None:
    """R less what the wire spans, plus the wire; with the wire alone the two are in parallel."""
    board, row = dpa_twin.board(TILE), loops.rows[TILE]
    feet = [along(board, 2, share) for share in (0.3, 0.5)]
    spots = [altered(board, (Contact(at=foot, farad=0.0),)).events[0].squares for foot in feet]
    wire = Bridge(at=feet[0], to=feet[1], ohm=0.05)
    hole = Hole(at=along(board, 2, 0.4), diameter_m=1.5e-4)
    whole, spanned = loops.nominal[row.start + 2], abs(spots[1] - spots[0]) * sheet_ohm(board)[2]
    bridged = read(loops, dpa_twin, wire).quantity[row.start + 2]
    jumped = read(loops, dpa_twin, wire, hole).quantity[row.start + 2]
    assert bridged == pytest.approx(whole - spanned + spanned * 0.05 / (spanned + 0.05), rel=1e-9)
    assert jumped == pytest.approx(whole - spanned + 0.05, rel=1e-9)
    outside = Hole(at=along(board, 2, 0.7), diameter_m=1.5e-4)
    assert read(loops, dpa_twin, wire, outside).health[row.start + 2] == Health.CLIPPED


def test_bridged_nets_are_their_dense_network(loops: LoopResistance, dpa_twin: Twin) -> None:
    """Two nets, two wires between them, a leak and a cut: conductances written down by hand."""
    board, row = dpa_twin.board(TILE), loops.rows[TILE]
    sheet = float(sheet_ohm(board)[0])
    shares = {0: (0.2, 0.5, 0.8), 1: (0.3, 0.5, 0.7)}
    feet = {(n, k): along(board, n, s) for n, all_ in shares.items() for k, s in enumerate(all_)}
    at = {
        key: altered(board, (Contact(at=foot, farad=0.0),)).events[0].squares * sheet
        for key, foot in feet.items()
    }
    effects = (
        Bridge(at=feet[0, 0], to=feet[1, 0], ohm=2.0),
        Bridge(at=feet[0, 2], to=feet[1, 2], ohm=0.5),
        Contact(at=feet[1, 1], farad=0.0, ohm=30.0),
        Hole(at=feet[0, 1], diameter_m=1.5e-4),
    )
    # nodes: 0 start and 1, 2 feet of net 0 (cut between them); 3 start and 4, 5, 6 of net 1
    ends = [float(board.squares[n]) * sheet for n in (0, 1)]
    edges = [
        (0, 1, at[0, 0]), (2, -1, ends[0] - at[0, 2] + END_OHM),
        (3, 4, at[1, 0]), (4, 5, at[1, 1] - at[1, 0]), (5, 6, at[1, 2] - at[1, 1]),
        (6, -1, ends[1] - at[1, 2] + END_OHM), (1, 4, 2.0), (2, 6, 0.5), (5, -1, 30.0),
    ]  # fmt: skip
    g = np.zeros((8, 8))
    for a, b, ohm in edges:
        g[[a, b, a, b], [a, b, b, a]] += np.array([1, 1, -1, -1]) / ohm
    exact = np.diag(np.linalg.inv(g[:-1, :-1]))
    found = read(loops, dpa_twin, *effects).quantity[row.start : row.start + 2]
    assert found == pytest.approx(exact[[0, 3]], rel=1e-7)


def test_temperature_moves_the_reading_and_not_the_ratio(
    loops: LoopResistance, dpa_twin: Twin
) -> None:
    anchor = with_effects(dpa_twin)
    warm = loops.read(replace(anchor, skin_k=anchor.skin_k + 10.0))
    rise = warm.quantity / loops.nominal - 1.0
    # the millohm at the end of a net, via and plane, is taken as steady
    assert rise == pytest.approx(np.full(rise.size, 10.0 * IACS_ALPHA_1_K), rel=3e-4)
    assert np.abs(z_of(loops, warm)).max() < 0.5


def test_a_spot_of_heat_warms_near_nets_more(loops: LoopResistance, dpa_twin: Twin) -> None:
    board, row = dpa_twin.board(TILE), loops.rows[TILE]
    place = Place(tile=TILE, x_m=0.25 * board.tile.width_m, y_m=0.5 * board.tile.height_m)
    found = read(loops, dpa_twin, HeatSpot(at=place, watt=5.0, radius_m=2e-3))
    rise = found.quantity[row] / loops.nominal[row] - 1.0
    assert (rise > 0.0).all()
    off = np.hypot(*(board.middle_m - np.array([place.x_m, place.y_m])).T)
    assert rise[off.argmin()] > 1.1 * rise[off.argmax()]
    cold = read(loops, dpa_twin, HeatSpot(at=place, watt=-5.0, radius_m=2e-3))
    assert cold.quantity[row] - loops.nominal[row] == pytest.approx(
        loops.nominal[row] - found.quantity[row], rel=1e-9
    )


def test_bending_strains_copper_twice(loops: LoopResistance, dpa_twin: Twin) -> None:
    """A strain of 1e-3 all over: 2e-3 of every net of the board."""
    row = loops.rows[TILE]
    at = Place(tile=TILE, x_m=0.05, y_m=0.04)
    bent = read(loops, dpa_twin, Lifted(at=at, gap_m=0.0, strain=1e-3, radius_m=1.0))
    rise = bent.quantity[row] / loops.nominal[row] - 1.0
    assert rise == pytest.approx(np.full(rise.size, 2e-3), rel=1e-3)


def test_noise_of_a_chip_is_thermal_amplifier_and_step() -> None:
    """reference/physics.md 5.1: 1 kOhm over 1 kHz gives 129 nV; 16 bits over 1.024 V 4.5 uV."""
    card = load_card("loop_resistance")
    quiet = replace(
        card,
        figures={
            **card.figures,
            "amplifier": replace(card.figures["amplifier"], value=0.0),
            "bits": replace(card.figures["bits"], value=60.0),
            "chip": replace(card.figures["chip"], value=0.5e-3),  # 1 kHz of band
        },
    )
    thermal = chip_noise_ohm(quiet, np.array([1e3])) * card["drive"]
    assert thermal == pytest.approx([129e-9], rel=0.01)
    whole = chip_noise_ohm(card, np.array([40.0]))
    assert whole == pytest.approx([1.024 / 65_536 / np.sqrt(12.0) / 1e-3], rel=0.01)
    assert chip_noise_ohm(card, np.array([1e6]))[0] > whole[0]


def test_an_unplugged_board_is_open_in_all_its_nets(loops: LoopResistance, dpa_twin: Twin) -> None:
    found = read(loops, dpa_twin, Detached(tile=TILE))
    lost = np.flatnonzero(found.health == Health.CLIPPED)
    assert lost.tolist() == list(range(loops.rows[TILE].start, loops.rows[TILE].stop))
