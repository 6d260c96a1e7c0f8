"""Quiet streams: any block by itself, the laws of their walks, and memory that stays bounded."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from casemate.campaigns.streams import (
    BLOCK,
    Quiet,
    QuietReader,
    _walk,
    block,
    blocks,
    quiet_capacitances,
    quiet_loops,
)
from casemate.core.challenge import Challenge, chips
from casemate.sensors.loop_resistance.physics import LoopResistance, zone_pairs
from casemate.sensors.mesh_capacitance.physics import MeshCapacitance
from casemate.sensors.modality import Fitted

ASKED = Challenge(key=bytes(range(32)), modality="loop_resistance", epoch=1, chip_s=1e-3)


@pytest.fixture(scope="module")
def loops(dpa_fitted: dict[str, Fitted]) -> Quiet:
    fitted = dpa_fitted["loop_resistance"]
    assert isinstance(fitted, LoopResistance)
    return quiet_loops(fitted)


@pytest.fixture(scope="module")
def caps(dpa_fitted: dict[str, Fitted]) -> Quiet:
    fitted = dpa_fitted["mesh_capacitance"]
    assert isinstance(fitted, MeshCapacitance)
    return quiet_capacitances(fitted)


def test_a_block_alone_is_the_block_in_sequence(loops: Quiet) -> None:
    sequence = list(blocks(loops, ASKED, seed=3, count=5))
    for number in (4, 0, 2):
        alone = block(loops, ASKED, seed=3, number=number)
        assert np.array_equal(alone.values, sequence[number].values)
        assert np.array_equal(alone.t_s, sequence[number].t_s)
        assert alone.chip[0] == number * BLOCK and (np.diff(alone.chip) == 1).all()
        assert alone.health.shape == alone.values.shape and not alone.health.any()
    later = next(blocks(loops, ASKED, seed=3, first=4))
    assert np.array_equal(later.values, sequence[4].values)
    assert not np.array_equal(sequence[0].values, sequence[1].values)
    assert not np.array_equal(sequence[0].values, block(loops, ASKED, seed=4, number=0).values)


def test_values_are_drive_times_quantity_and_noise(loops: Quiet) -> None:
    """Over 20 blocks: mean of drive x value is the nominal, within the walks; silent chips noise"""
    got = list(blocks(loops, ASKED, seed=8, count=20))
    values = np.concatenate([each.values for each in got])
    drive = chips(ASKED, 0, 20 * BLOCK).drive.real
    loud = drive != 0.0
    mean = (drive[loud, None] * values[loud]).mean(axis=0)
    slow = np.abs(mean / loops.nominal - 1.0)
    assert slow.max() < 6.0 * np.hypot(loops.own_spread[0], loops.common_1_k * loops.common_k)
    silent = values[~loud] / loops.noise
    assert silent.std() == pytest.approx(1.0, abs=0.01)
    assert abs(silent.mean()) < 5.0 / np.sqrt(silent.size)
    alike = np.corrcoef(silent[:, 0], silent[:, 1])[0, 1]
    assert abs(alike) < 5.0 / np.sqrt(len(silent))


def test_walks_have_unit_spread_and_forget() -> None:
    """At knots, between them, and at lags: cos(pi s/2) to the next knot, nothing beyond two."""
    size, memory = 20_000, 600.0
    at = {t: _walk((11, 1), 1, size, memory, t * memory) for t in (7.0, 7.25, 7.5, 8.0, 9.0, 9.5)}
    for each in at.values():
        assert each.std() == pytest.approx(1.0, abs=0.03) and abs(each.mean()) < 0.04

    def alike(one: float, two: float) -> float:
        return float(np.mean(at[one] * at[two]))

    assert alike(7.0, 7.25) == pytest.approx(np.cos(np.pi / 8), abs=0.04)
    assert alike(7.0, 7.5) == pytest.approx(np.cos(np.pi / 4), abs=0.04)
    assert alike(7.5, 8.0) == pytest.approx(np.cos(np.pi / 4), abs=0.04)
    for one, two in ((7.0, 8.0), (7.25, 9.5), (7.0, 9.0)):
        assert abs(alike(one, two)) < 0.04


def test_walks_go_on_without_jumps() -> None:
    steps = [_walk((11, 1), 1, 50, 600.0, t) for t in np.arange(590.0, 610.0, 0.5)]
    assert np.abs(np.diff(steps, axis=0)).max() < 0.01


def test_zones_share_a_walk_and_boards_do_not(loops: Quiet, dpa_fitted: dict[str, Fitted]) -> None:
    fitted = dpa_fitted["loop_resistance"]
    assert isinstance(fitted, LoopResistance)
    first = np.array([each for each in np.unique(loops.group)])
    assert len(first) == len(set(loops.group.tolist()))
    for tile, row in fitted.rows.items():
        for pair in zone_pairs(fitted.twin.board(tile), row.start):
            mine = loops.group[list(pair)]
            assert (mine == mine[0]).all()
            assert (loops.group == mine[0]).sum() == len(pair)


def test_modalities_of_one_seed_share_the_site_and_nothing_else(loops: Quiet, caps: Quiet) -> None:
    """Noise and own walks differ; the site's temperature moves both."""
    count = loops.nominal.size
    few = replace(
        caps, channels=caps.channels[:count], nominal=caps.nominal[:count],
        noise=caps.noise[:count], group=np.arange(count), own_spread=caps.own_spread[:count],
    )  # fmt: skip
    drive = chips(ASKED, 0, BLOCK).drive.real == 0.0
    one = block(loops, ASKED, seed=3, number=0).values[drive] / loops.noise
    two = block(few, ASKED, seed=3, number=0).values[drive] / few.noise
    assert abs(np.mean(one * two)) < 5.0 / np.sqrt(one.size)
    assert loops.common_k == caps.common_k and loops.common_s == caps.common_s


def test_hours_take_no_more_memory_than_a_moment(loops: Quiet) -> None:
    stream = blocks(loops, ASKED, seed=3)
    for _ in islice(stream, 3):
        pass
    tracemalloc.start()
    try:
        for _ in islice(stream, 40):
            pass
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    one = BLOCK * loops.nominal.size * (8 + 2)
    assert peak < 6 * one + 2_000_000 and held < 3 * one + 500_000


def test_the_reader_ends_the_stream_before(loops: Quiet) -> None:
    reader = QuietReader(loops, seed=3)
    assert reader.channels == loops.channels
    old = reader.configure(ASKED)
    first = next(old)
    assert np.array_equal(first.values, block(loops, ASKED, seed=3, number=0).values)
    new = reader.configure(replace(ASKED, epoch=2))
    assert next(old, None) is None
    other = next(new)
    assert other.chip[0] == 0 and not np.array_equal(other.values, first.values)
    reader.close()
    assert next(new, None) is None
