"""From blocks to windows: any split gives the same sums, and each loss has its cause."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_box import CHIP_S, TONES, Box, anchor, field_anchor, flagged

from casemate.core.challenge import Chips, chips, points
from casemate.core.samples import Block, Health
from casemate.detect import blocks
from casemate.detect.blocks import Filling, Place, levels_noise, pieces_of, window_of
from casemate.detect.live import FieldLive, KeyedLive


def live(it=None) -> KeyedLive:
    return KeyedLive(it or anchor(), window_s=0.1, single=True, levels=4)


def cut(block: Block, rows) -> Block:
    return Block(t_s=block.t_s[rows], chip=block.chip[rows], values=block.values[rows],
                 health=block.health[rows])  # fmt: skip


def fed(pieces, box, it=None) -> KeyedLive:
    made = live(it)
    made.place.renew(1)
    drawn = box.asked("loops", 3000)
    block = box.answer("loops", drawn)
    edges = [0, *pieces, 3000]
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        made.add(cut(block, slice(a, b)), drawn, 0.0)
    return made


def test_any_split_of_a_stream_gives_the_same_evidence() -> None:
    whole = fed([], Box(np.random.default_rng(1)))
    split = fed([7, 8, 120, 1999, 2000, 2750], Box(np.random.default_rng(1)))
    assert whole.place == split.place
    assert (whole.bank.anchored.r == split.bank.anchored.r).all()
    assert whole.fast == pytest.approx(split.fast)
    assert (whole.onset.state.totals == split.onset.state.totals).all()


def test_any_split_of_levels_tells_the_same_of_linearity() -> None:
    """Rows of a window in pieces are kept, though the next piece is put in their place."""
    boxes = [Box(np.random.default_rng(1), levels=("loops",)) for _ in range(2)]
    whole = fed([], boxes[0], boxes[0].anchors["loops"])
    split = fed([7, 8, 120, 1999, 2000, 2950], boxes[1], boxes[1].anchors["loops"])
    one, other = whole.linear.check, split.linear.check
    assert one is not None and other is not None
    for name in ("r", "held", "spent"):
        mine, its = getattr(one.evidence, name), getattr(other.evidence, name)
        assert np.allclose(mine, its, rtol=1e-12, atol=1e-12), name


def sums_of(values, health, drive, it, use=None):
    filling = Filling.start(it)
    use = np.ones(drive.size, dtype=np.bool_) if use is None else use
    x = filling.add(values, health, drive, use, np.zeros(len(it.names)))
    return (*filling.close(), x)


def sample(count=100, seed=1):
    it, generator = anchor(), np.random.default_rng(seed)
    drive = np.where(generator.random(count) < 0.125, 0.0, generator.choice([-1.0, 1.0], count))
    values = it.nominal * (drive[:, None] + 1e-3 * generator.standard_normal((count, 4)))
    return it, drive, values, np.zeros(values.shape, dtype=np.uint16)


def test_sums_are_those_of_the_formula() -> None:
    it, drive, values, health = sample()
    sums, blurred, said, x = sums_of(values, health, drive, it)
    loud = drive != 0.0
    share = values / it.nominal
    feature = it.weight[:, 0] * share[:, it.first] + it.weight[:, 1] * share[:, it.second]
    each = feature[loud] * drive[loud][:, None] - it.expected
    assert sums.s1 == pytest.approx(each.sum(axis=0)) and sums.s2 == pytest.approx((each**2).sum(0))
    quiet = (feature[~loud] ** 2).mean(axis=0) / it.noise**2
    assert sums.quiet_power == pytest.approx(quiet) and (sums.quiet == (~loud).sum()).all()
    assert (sums.loud == loud.sum()).all() and not blurred.any() and not said.any()
    assert x == pytest.approx(each / it.noise, rel=1e-4), "one row a loud chip"


@pytest.mark.parametrize("kind", ["apart", "crossed", "unread"])
def test_pieces_bring_what_the_whole_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    it, drive, values, health = sample()
    if kind == "crossed":  # the last feature reads the first channel: nothing can be cut
        it = replace(it, first=it.first[::-1].copy(), second=it.second[::-1].copy())
    if kind == "unread":
        it = replace(it, first=np.minimum(it.first, 2), second=np.full(it.second.size, -1))
    health[5, 1], values[9, 3], values[11, 0] = blocks.kernel.LATE, np.nan, np.inf
    whole = sums_of(values, health, drive, it)
    monkeypatch.setattr(blocks, "NEAR", 1)
    pieces = pieces_of(it)
    assert (len(pieces) > 1) == (kind != "crossed")
    assert pieces[0, 0] == pieces[0, 2] == 0 and (pieces[1:, ::2] == pieces[:-1, 1::2]).all()
    assert pieces[-1].tolist()[1::2] == [len(it.channels), len(it.names)]
    cut = sums_of(values, health, drive, it)
    for name in ("s1", "s2", "loud", "quiet_power", "quiet", "open_", "lost"):
        assert np.array_equal(getattr(whole[0], name), getattr(cut[0], name)), name
    assert all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(whole[1:], cut[1:], strict=True)
    )


def test_chips_lost_for_their_time_are_left_out_and_for_their_value_lose_the_window() -> None:
    it, drive, values, health = sample()
    k = int(np.flatnonzero(drive)[3])
    missing = health.copy()
    missing[k, 0] = Health.MISSING
    sums, blurred, _, _ = sums_of(values, missing, drive, it)
    assert sums.loud[0] == (drive != 0).sum() - 1 and not blurred.any() and not sums.lost.any()
    for wrong, flag in ((np.nan, 0), (1.0, Health.UNIT), (np.nan, Health.CLIPPED)):
        bad, flags = values.copy(), health.copy()
        bad[k, 0], flags[k, 0] = wrong, flag
        sums, blurred, said, _ = sums_of(bad, flags, drive, it)
        assert blurred[:2].all() and not blurred[2:].any() and sums.lost[:2].all() and said[0]
        assert not sums.open_.any()


def test_a_clipped_net_stands_open_with_its_sign() -> None:
    it, drive, values, health = sample()
    values[:, 0] = np.sign(drive) * 1e4
    health[:, 0] = Health.CLIPPED
    sums, blurred, _, _ = sums_of(values, health, drive, it)
    assert sums.open_[:2].all() and not sums.open_[2:].any() and not blurred.any()
    assert (sums.s1[:2] > 1e3).all()
    infinite = np.where(values == 1e4, np.inf, np.where(values == -1e4, -np.inf, values))
    found = sums_of(infinite, health, drive, it)[0]
    assert np.isfinite(found.s2).all() and (found.s1[0] >= sums.s1[0])


def test_a_stuck_converter_is_found_in_a_third_of_a_window() -> None:
    it, drive, values, health = sample()
    values[10:, 2] = values[10, 2]
    _, blurred, said, _ = sums_of(values, health, drive, it)
    assert said.tolist() == [0, 0, int(Health.STALLED), 0] and blurred.tolist() == [0, 0, 1, 1]


def test_levels_are_divided_out_and_cost_noise() -> None:
    it, levels = anchor(), points("amplitude", 4)
    wide = levels_noise(it, levels)
    assert (wide.noise / it.noise) ** 2 == pytest.approx(np.mean(1.0 / np.abs(levels) ** 2))
    generator = np.random.default_rng(2)
    drive = generator.choice(levels.real, 20_000)
    normal = 1e-3 * generator.standard_normal((drive.size, 4))
    values = it.nominal * (drive[:, None] * 1.002 + normal)
    sums, *_ = sums_of(values, np.zeros(values.shape, dtype=np.uint16), drive, wide)
    assert (sums.s1 / sums.loud)[0] == pytest.approx(0.002, abs=1e-4)
    mean = sums.s1 / sums.loud
    assert (sums.s2 / sums.loud - mean**2) / wide.noise**2 == pytest.approx(np.ones(4), rel=0.05)


def test_a_rail_on_one_side_raises_no_alarm_though_dropping_it_would() -> None:
    """A load of 30 noises pushes one sign over the end of the range, which stands at 1.02."""
    box, it, right = Box(np.random.default_rng(3)), anchor(), live()
    right.place.renew(1)
    generator, worst = np.random.default_rng(4), -np.inf
    dropped: list[np.ndarray] = []
    for k in range(60):
        drawn = chips(box.challenge("loops"), 100 * k, 100)
        load = 0.03 if k >= 15 else 0.0
        drive = drawn.drive.real[:, None]
        true = drive + load + 1e-3 * generator.standard_normal((100, 4))
        over = np.abs(true) > 1.02
        values = it.nominal * np.clip(true, -1.02, 1.02)
        health = np.where(over, int(Health.CLIPPED), 0).astype(np.uint16)
        number = drawn.first + np.arange(100, dtype=np.int64)
        right.add(Block(t_s=number * CHIP_S, chip=number, values=values, health=health), drawn, 0.0)
        worst = max(worst, float(right.shown().nats.max()))
        kept = np.where(over | (drive == 0.0), np.nan, true * drive - 1.0)
        dropped.append(np.nanmean(kept, axis=0))
    assert worst < 15.0
    # what is left when those are dropped is off by the whole load, on every channel
    assert np.mean(dropped[20:]) < -0.025


def test_a_cavity_takes_as_many_answers_a_tone_as_the_poorest_has() -> None:
    it = field_anchor()
    made = FieldLive(it, window_s=0.1)
    made.place.renew(1)
    box = Box(np.random.default_rng(5))
    drawn = box.asked("cavity", 500)
    block = box.answer("cavity", drawn)
    made.filling.add(block.values, block.health, drawn.drive, drawn.place,
                     np.ones(500, dtype=np.bool_))  # fmt: skip
    counts = np.bincount(drawn.place[drawn.drive != 0], minlength=TONES)
    found, blurred, _ = made.filling.close()
    assert found.loud == counts.min() and not found.lost.any() and not blurred.any()
    assert np.abs(found.mean - it.field).max() < 6 * 0.05 * 2 / np.sqrt(found.loud)
    unit = (it.noise * made.bank.size) ** 2 * 2 * (found.loud - 1) * TONES
    power = (found.scatter[..., 0] + found.scatter[..., 2]).sum(axis=1) / unit
    assert power == pytest.approx(np.ones(2), abs=0.25)
    assert found.quiet_power == pytest.approx(np.ones(2), abs=0.5)
    bad = flagged(block, Health.NOT_A_NUMBER, slice(3, 4), slice(0, 1))
    made.filling.add(bad.values, bad.health, drawn.drive, drawn.place,
                     np.ones(500, dtype=np.bool_))  # fmt: skip
    found, blurred, said = made.filling.close()
    assert found.lost.tolist() == [True, False] == blurred.tolist() and said[0] == 8


def test_chips_that_ran_once_never_count_again() -> None:
    place = Place(chip_s=CHIP_S, size=100)
    drawn = Chips(first=0, drive=np.ones(400, dtype=complex), place=np.zeros(400, dtype=np.int64))

    def rows(number):
        number = np.asarray(number, dtype=np.int64)
        empty = np.zeros((number.size, 1))
        return Block(t_s=number * CHIP_S, chip=number, values=empty,
                     health=empty.astype(np.uint16))  # fmt: skip

    assert not place.align(rows(range(300)), drawn, 0.0).any()
    assert place.align(rows(range(300)), drawn, 0.0).all() and place.last == 299
    assert not place.align(rows(range(300, 310)), drawn, 0.0).any()
    assert place.align(rows([10**12]), drawn, 0.0).all() and place.last == 309


def test_windows_have_a_dozen_chips() -> None:
    assert window_of(1e-3, 1.0, 0.1) == 0.1
    assert window_of(0.71 / 1250, 16 / 1250, 0.1) == pytest.approx(0.6)
