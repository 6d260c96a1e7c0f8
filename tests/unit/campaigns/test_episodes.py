"""Many episodes at once: the same however they are split, and what one hole at a time gives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from casemate.campaigns.episodes import CHIPS, CHUNK, Chunk, Range, chunk, ready
from casemate.sensors.mesh_capacitance.physics import LOST_F
from casemate.twin.altered import added_squares
from casemate.twin.assembly import Twin
from casemate.twin.cavity_needle import Needle, needle_m2
from casemate.twin.effects import Hole, Spot
from casemate.twin.nick_table import added
from on_boards import read


@pytest.fixture(scope="module")
def range_(dpa_twin: Twin) -> Range:
    return ready(dpa_twin)


@pytest.fixture(scope="module")
def first(range_: Range) -> Chunk:
    return chunk(range_, seed=5, number=0)


def _digest(each: Chunk) -> bytes:
    import hashlib

    total = hashlib.sha256()
    for part in (
        each.tools.board, each.tools.place_m, each.tools.diameter_m, each.tools.beyond_m,
        each.drive, each.rf, each.rf_place,
        *(getattr(windows, name) for windows in (each.loop, each.capacitance)
          for name in ("episode", "channel", "truth", "values")),
    ):  # fmt: skip
        total.update(np.ascontiguousarray(part).tobytes())
    return total.digest()


def test_chunks_are_the_same_in_any_order_and_differ(range_: Range, first: Chunk) -> None:
    third = chunk(range_, seed=5, number=2)
    assert _digest(chunk(range_, seed=5, number=0)) == _digest(first)
    assert _digest(chunk(range_, seed=5, number=2)) == _digest(third)
    assert third.first == 2 * CHUNK
    assert not np.array_equal(first.tools.place_m, third.tools.place_m)
    other = chunk(range_, seed=6, number=0)
    assert not np.array_equal(first.tools.place_m, other.tools.place_m)
    assert not np.array_equal(first.drive, other.drive)


def test_another_process_makes_the_same_episodes(
    first: Chunk, dpa_twin: Twin, tmp_path: Path
) -> None:
    import pickle

    held = tmp_path / "twin.pickle"
    held.write_bytes(pickle.dumps(dpa_twin))
    code = (
        "import pickle, sys\n"
        "sys.path[:0] = [sys.argv[2], sys.argv[3]]\n"
        "from test_episodes import _digest\n"
        "from casemate.campaigns.episodes import chunk, ready\n"
        "twin = pickle.loads(open(sys.argv[1], 'rb').read())\n"
        "print(_digest(chunk(ready(twin), seed=5, number=0)).hex())\n"
    )
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(held), str(here), str(here.parents[1])],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == _digest(first).hex()


def test_tools_lie_on_boards_and_never_in_openings(range_: Range, first: Chunk) -> None:
    import shapely

    for number, board in enumerate(range_.boards):
        outline = board.tile.outline
        solid = shapely.Polygon(outline.exterior, outline.holes)
        mine = first.tools.place_m[first.tools.board == number]
        if outline.holes:
            assert shapely.contains_xy(solid, mine[:, 0], mine[:, 1]).all()
        assert (mine >= 0.0).all()
    share = np.bincount(first.tools.board, minlength=len(range_.boards)) / CHUNK
    assert share == pytest.approx(range_.weights, abs=0.09)


def test_each_channel_of_an_episode_has_one_window(first: Chunk) -> None:
    for windows in (first.loop, first.capacitance):
        pairs = np.stack([windows.episode, windows.channel], axis=1)
        assert len(np.unique(pairs, axis=0)) == len(pairs)
        assert windows.values.shape == (len(pairs), CHIPS)


def test_touched_nets_are_those_of_the_same_holes_played_one_by_one(
    range_: Range, first: Chunk, dpa_twin: Twin
) -> None:
    """Ohms within 2 % of what is added or a thousandth of a square, farads to rounding."""
    compared = 0
    for episode in range(0, 120):
        board = range_.boards[int(first.tools.board[episode])]
        x, y = first.tools.place_m[episode].tolist()
        holes = [
            Hole(
                at=Spot(tile=board.tile.id, layer=layer, x_m=x, y_m=y),
                diameter_m=float(first.tools.diameter_m[episode]),
            )
            for layer in board.tile.stackup.mesh
        ]
        loops = read(range_.loop, dpa_twin, *holes).quantity
        moved = np.flatnonzero(loops != range_.loop.nominal)
        mine = first.loop.episode == episode
        channel, truth = first.loop.channel[mine], first.loop.truth[mine]
        assert set(moved.tolist()) <= set(channel.tolist())
        exact = loops[channel]
        more = exact - range_.loop.nominal[channel]
        allowed = np.maximum(0.02 * more, 2e-3 * 9.58e-4)
        assert (np.abs(truth - exact) <= allowed + 1e-9).all()
        caps = read(range_.capacitance, dpa_twin, *holes).quantity
        mine = first.capacitance.episode == episode
        farad = caps[first.capacitance.channel[mine]]
        assert first.capacitance.truth[mine] == pytest.approx(farad, rel=1e-9, abs=LOST_F)
        compared += int(mine.sum())
    assert compared > 200


def test_windows_are_drive_times_truth_and_noise(range_: Range, first: Chunk) -> None:
    for windows, fitted in ((first.loop, range_.loop), (first.capacitance, range_.capacitance)):
        noise = fitted.noise[windows.channel]
        drive = first.drive[windows.episode].astype(np.float64)
        off = windows.values.astype(np.float64) - drive * windows.truth[:, None]
        z = off / np.hypot(noise, 6e-8 * np.abs(windows.truth))[:, None]
        assert abs(z.mean()) < 5.0 / np.sqrt(z.size)
        assert z.std() == pytest.approx(1.0, abs=0.02)
        mean = (windows.values * drive).sum(axis=1) / (drive**2).sum(axis=1)
        loud = (drive**2).sum(axis=1)
        assert ((mean - windows.truth) / noise * np.sqrt(loud)).std() == pytest.approx(1.0, abs=0.1)
    silent = first.drive == 0.0
    assert silent.mean() == pytest.approx(0.125, abs=0.01)
    assert set(np.unique(first.drive)) == {-1.0, 0.0, 1.0}


def test_rods_change_the_field_by_the_law_of_the_ensemble(range_: Range) -> None:
    """Mean |received - still|^2 over loud chips: level^2 sigma/A of each rod and tone."""
    rf = range_.rf
    antennas = int(rf.card["antennas"])
    links = {pair: number for number, pair in enumerate(rf.links)}
    still = rf.nominal.reshape(len(rf.links), -1)
    ratios = []
    for number in range(4):
        each = chunk(range_, seed=9, number=number)
        tone, sender = each.rf_place // antennas, each.rf_place % antennas
        for slot in range(antennas - 1):
            receiver = (sender + 1 + slot) % antennas
            link = np.vectorize(lambda a, b: links[min(a, b), max(a, b)])(sender, receiver)
            quiet = each.drive * still[link, tone]
            power = np.abs(each.rf[:, :, slot] - quiet) ** 2 - 2.0 * rf.noise.mean() ** 2
            for episode in np.flatnonzero(each.tools.beyond_m > 8e-3)[:40].tolist():
                depth = float(each.tools.beyond_m[episode])
                slim = min(float(each.tools.diameter_m[episode]), depth / 6.0)
                law = needle_m2(Needle(depth_m=depth, diameter_m=slim), rf.f_hz) / rf.absorption_m2
                loud = each.drive[episode] != 0.0
                at = tone[episode, loud]
                ratios.append((power[episode, loud] / (rf.level**2 * law)[at]).mean())
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.25)


def test_the_table_of_bites_is_within_two_percent(range_: Range) -> None:
    """Tools at all places that bite and do not cut, many of them wholly inside the trace."""
    generator = np.random.default_rng(3)
    width = range_.boards[0].tile.mesh.trace_m
    diameter = width * np.exp(generator.uniform(np.log(0.3), np.log(30.0), 3000))
    off = generator.uniform(np.maximum(0.0, 0.5 * (diameter - width)), 0.5 * (diameter + width))
    bite = 0.5 * (diameter + width) - off
    kept = (bite < 0.998 * width) & (bite > 0.0)
    assert (kept & (bite > diameter)).sum() > 100
    found = added(width, diameter[kept], bite[kept])
    places = zip(diameter[kept].tolist(), off[kept].tolist(), strict=True)
    exact = np.array([added_squares(width, d, at) for d, at in places])
    assert (np.abs(found - exact) <= np.maximum(0.02 * exact, 1e-3)).all()


def test_a_fault_in_the_sum_would_be_noticed(range_: Range, first: Chunk) -> None:
    """Planted: half the truth, and another board's channels."""
    wrong = replace(first.loop, truth=0.5 * first.loop.truth)
    drive = first.drive[wrong.episode]
    z = (wrong.values - drive * wrong.truth[:, None]) / range_.loop.noise[wrong.channel][:, None]
    assert z.std() > 10.0
