"""Every flag of the monitor is raised by a planted fault, and none by a sound stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block, Channel, Health
from casemate.core.watch import Limits, Watcher, watched
from casemate.core.watch_order import Order

CHALLENGE = Challenge(key=bytes(32), modality="loop_resistance", epoch=1, chip_s=1e-3)
CHANNELS = (
    Channel(id="a", modality="loop_resistance", unit="ohm", low=0.0, high=100.0),
    Channel(id="b", modality="loop_resistance", unit="ohm", low=0.0, high=100.0),
)
REST = Challenge(key=bytes(32), modality="environment", epoch=0, chip_s=1.0)
ROOM = (Channel(id="t", modality="environment", unit="K", low=200.0, high=400.0, excited=False),)


def sound(count: int = 512, *, seed: int = 0) -> Block:
    generator = np.random.default_rng(seed)
    drive = chips(CHALLENGE, 0, count).drive.real
    values = drive[:, None] * np.array([10.0, 20.0]) + generator.normal(0.0, 0.01, (count, 2))
    return Block(
        t_s=5.0 + np.arange(count) * CHALLENGE.chip_s,
        chip=np.arange(count),
        values=values,
        health=np.zeros((count, 2), dtype=np.uint16),
    )


def cut(block: Block, *edges: int) -> Iterator[Block]:
    for a, b in zip((0, *edges), (*edges, block.t_s.size), strict=True):
        yield Block(
            t_s=block.t_s[a:b],
            chip=block.chip[a:b],
            values=block.values[a:b],
            health=block.health[a:b],
        )


def seen(block: Block, *edges: int, limits: Limits | None = None) -> Block:
    out = list(watched(cut(block, *edges), CHANNELS, CHALLENGE, limits=limits))
    return Block(
        t_s=np.concatenate([b.t_s for b in out]),
        chip=np.concatenate([b.chip for b in out]),
        values=np.concatenate([b.values for b in out]),
        health=np.concatenate([b.health for b in out]),
    )


def test_a_sound_stream_passes_as_it_is_in_any_cut() -> None:
    block = sound()
    for edges in ((), (1,), (7, 100, 101, 400), tuple(range(1, 512))):
        out = seen(block, *edges)
        assert not out.health.any()
        np.testing.assert_array_equal(out.values, block.values)


def test_a_gap_is_missing_and_the_stream_goes_on() -> None:
    block = sound()
    keep = np.r_[0:100, 103:512]
    gap = Block(
        t_s=block.t_s[keep], chip=block.chip[keep], values=block.values[keep],
        health=block.health[keep],
    )  # fmt: skip
    out = seen(gap)
    assert (out.health[100] == Health.MISSING).all() and np.isnan(out.values[100]).all()
    assert not out.health[:100].any() and not out.health[101:].any()


def test_a_stream_that_does_not_begin_with_chip_0_is_flagged() -> None:
    block = sound()
    keep = slice(5, None)
    late = Block(
        t_s=block.t_s[keep], chip=block.chip[keep], values=block.values[keep],
        health=block.health[keep],
    )  # fmt: skip
    assert (seen(late).health[0] & Health.MISSING).all()


def test_a_delay_is_late_and_a_long_one_a_stall() -> None:
    block = sound()
    t_s = block.t_s.copy()
    t_s[200:] += 0.020
    out = seen(replace(block, t_s=t_s))
    assert (out.health[200] & Health.LATE).all() and not out.health[:200].any()
    assert not out.health[210:].any()
    t_s[200:] += 0.100
    assert (seen(replace(block, t_s=t_s)).health[200] & Health.STALLED).all()


def test_one_wild_time_costs_one_sample() -> None:
    for wild in (1e300, -1e300, np.inf, np.nan, 4.0):
        block = sound()
        t_s = block.t_s.copy()
        t_s[50] = wild
        bad = np.flatnonzero(seen(replace(block, t_s=t_s)).health[:, 0])
        assert 50 in bad and bad.size <= 2, wild


def test_a_replay_of_old_chips_is_flagged_for_as_long_as_it_lasts() -> None:
    block = sound()
    chip = block.chip.copy()
    chip[256:] = chip[100:356]
    out = seen(replace(block, chip=chip))
    assert (out.health[256:412] & Health.OUT_OF_ORDER).all()
    assert (out.health[:256] == 0).all()


def test_counting_anew_is_a_reset_that_never_heals_by_itself() -> None:
    block = sound()
    chip = block.chip.copy()
    chip[400:] = np.arange(112)
    out = seen(replace(block, chip=chip))
    assert (out.health[400] & Health.RESET).all() and (out.health[400:] != 0).all()


@pytest.mark.parametrize("pace", [0.9, 1.05, 2.0])
def test_another_rate_is_flagged_within_two_windows(pace: float) -> None:
    block = sound()
    out = seen(replace(block, t_s=5.0 + (block.t_s - 5.0) * pace), 100, 333)
    assert (out.health[130:] & Health.RATE).all()


@pytest.mark.parametrize(("pace", "every"), [(5.0, 40), (1.03, 60), (8.0, 9), (0.9, 63)])
def test_pauses_hide_no_rate(pace: float, every: int) -> None:
    block = sound(2048)
    steps = np.full(block.t_s.size, pace * CHALLENGE.chip_s)
    steps[::every] = 12 * CHALLENGE.chip_s
    slow = seen(replace(block, t_s=5.0 + np.cumsum(steps)), 100, 333)
    assert (slow.health == 0).all(axis=1).sum() <= 64
    steps[:] = CHALLENGE.chip_s
    steps[::500] = 12 * CHALLENGE.chip_s
    calm = seen(replace(block, t_s=5.0 + np.cumsum(steps)), 100, 333)
    assert (calm.health != 0).any(axis=1).sum() <= 8 * 5 and not (calm.health & Health.RATE).any()


def test_a_crystals_error_is_no_fault() -> None:
    block = sound()
    assert not seen(replace(block, t_s=5.0 + (block.t_s - 5.0) * (1 + 1e-4))).health.any()


def test_a_value_that_repeats_bit_for_bit_is_stalled_also_across_blocks() -> None:
    block = sound()
    values = block.values.copy()
    values[100:, 1] = values[100, 1]
    out = seen(replace(block, values=values), 110, 120)
    assert (out.health[131:, 1] & Health.STALLED).all() and not out.health[:131].any()
    assert not out.health[:, 0].any()
    rests = seen(replace(block, values=values), limits=Limits(stalled_samples=0))
    assert not rests.health.any()


def test_no_number_and_impossible_values_are_taken_out_of_their_channel_alone() -> None:
    block = sound()
    values = block.values.copy()
    values[10, 0], values[11, 0], values[12, 1] = np.nan, -np.inf, 100.1
    out = seen(replace(block, values=values))
    assert out.health[10, 0] == out.health[11, 0] == Health.NOT_A_NUMBER
    assert out.health[12, 1] == Health.UNIT and np.isnan(out.values[12, 1])
    assert np.count_nonzero(out.health) == 3


def test_what_the_reader_says_stays_and_takes_the_value_away() -> None:
    block = sound()
    health = block.health.copy()
    health[20, 1] = Health.LATE
    out = seen(replace(block, health=health))
    assert out.health[20, 1] == Health.LATE and np.isnan(out.values[20, 1])


def test_a_clipped_value_stays_for_its_sign_unless_more_is_wrong() -> None:
    block = sound()
    health = block.health.copy()
    health[20, 1], health[21, 1] = Health.CLIPPED, Health.CLIPPED | Health.LATE
    out = seen(replace(block, health=health))
    assert out.health[20, 1] == Health.CLIPPED and out.values[20, 1] == block.values[20, 1]
    assert np.isnan(out.values[21, 1]) and not out.good[20, 1]


def test_a_quantity_without_challenge_has_a_range_and_no_numbers() -> None:
    count = 40
    values = np.full((count, 1), 293.0) + np.arange(count)[:, None] * 0.1
    values[5] = 20.0
    block = Block(
        t_s=np.arange(count, dtype=float), chip=np.full(count, -1), values=values,
        health=np.zeros((count, 1), dtype=np.uint16),
    )  # fmt: skip
    out = next(watched(iter([block]), ROOM, REST))
    assert out.health[5] == Health.UNIT and np.count_nonzero(out.health) == 1


def test_a_stream_that_raises_ends_with_a_sample_that_says_so() -> None:
    def broken() -> Iterator[Block]:
        yield sound(16)
        raise OSError("unplugged")

    out = list(watched(broken(), CHANNELS, CHALLENGE))
    assert len(out) == 2 and (out[1].health == Health.MISSING).all()
    assert out[1].values.shape == (1, 2)


def test_a_malformed_block_comes_out_flagged_with_the_channels_columns() -> None:
    block = sound(16)
    three = Block(
        t_s=block.t_s, chip=block.chip, values=np.zeros((16, 3)),
        health=np.zeros((16, 3), dtype=np.uint16),
    )  # fmt: skip
    out = next(watched(iter([three]), CHANNELS, CHALLENGE))
    assert out.values.shape == (16, 2) and (out.health != 0).all()
    nothing = next(watched(iter([None]), CHANNELS, CHALLENGE))  # type: ignore[list-item]
    assert (nothing.health != 0).all()


def test_a_block_counts_as_calm_if_and_only_if_one_look_has_shown_no_flag() -> None:
    watcher = Watcher(CHANNELS, CHALLENGE, Limits())
    calm = []
    for number, block in enumerate(cut(sound(), 100, 200, 300, 400)):
        values, health = block.values.copy(), block.health.copy()
        if number == 2:
            values[7, 1] = np.nan
        if number == 3:
            health[9, 0] = int(Health.CLIPPED)
        found = watcher.check(replace(block, values=values, health=health))
        assert not (watcher.calm and found.health.any())
        calm.append(watcher.calm)
    assert calm == [True, True, False, False, True]
    watcher.check("nonsense")  # type: ignore[arg-type]
    assert not watcher.calm


@pytest.mark.parametrize("scene", ["sound", "quick", "slow", "gap", "late", "restart", "crystal"])
def test_pace_at_one_look_is_pace_sample_by_sample(
    scene: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = sound(1000)
    t_s, chip = block.t_s.copy(), block.chip.copy()
    if scene in ("quick", "slow", "crystal"):
        pace = {"quick": 0.97, "slow": 1.03, "crystal": 1.0 + 1e-4}[scene]
        t_s[500:] = t_s[499] + np.arange(1, 501) * CHALLENGE.chip_s * pace
    elif scene == "gap":
        t_s[300:], chip[300:] = t_s[300:] + 0.05, chip[300:] + 50
    elif scene == "late":
        t_s[700] += 0.02
    elif scene == "restart":
        chip[600:] = np.arange(400)
    changed = replace(block, t_s=t_s, chip=chip)
    edges = (1, 5, 64, 65, 130, 230, 330, 430, 530, 630, 730, 830, 930)
    quick = seen(changed, *edges)
    taken = 0
    whole = Order.calm

    def counted(self: Order, *given: object) -> bool:
        nonlocal taken
        found = whole(self, *given)  # type: ignore[arg-type]
        taken += found
        return found

    monkeypatch.setattr(Order, "calm", counted)
    seen(changed, *edges)
    monkeypatch.setattr(Order, "calm", lambda *_given: False)
    slow = seen(changed, *edges)
    assert np.array_equal(quick.health, slow.health)
    assert bool(quick.health.any()) is (scene not in ("sound", "crystal"))
    assert 4 <= taken <= 13 and (taken == 13) is (scene in ("sound", "crystal"))
