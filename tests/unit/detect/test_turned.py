"""The end of a window in one call against its steps one after the other: the same to the bit."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from small_box import CHIP_S, Box, anchor, flagged

from casemate.core.challenge import Chips
from casemate.core.samples import Block, Health
from casemate.detect import turned, whole
from casemate.detect.bank import Shown
from casemate.detect.live import KeyedLive
from casemate.detect.silence import Silence

WINDOWS, CHIPS = 70, 100
SCENES = (
    "calm", "step", "slow", "jam", "lost rows", "lost windows", "flags", "no number", "open",
    "huge", "levels", "halves",
)  # fmt: skip
WHOLE = {
    **dict.fromkeys(("calm", "step", "slow", "jam", "huge"), 60), "lost rows": 45,
    "lost windows": 27, "flags": 54, "no number": 51, "open": 15, "levels": 0, "halves": 0,
}  # fmt: skip
"""Windows of each scene that come whole and calm, after ten in which states settle."""


class Long(KeyedLive):
    """A modality that takes every window by its steps."""

    def _turned(self) -> bool:
        return False

    def _whole(self, block: Block, chips: Chips) -> bool:
        return False


class Counted(KeyedLive):
    """A modality that counts the windows that came whole and calm."""

    wholes = 0

    def _whole(self, block: Block, chips: Chips) -> bool:
        found = super()._whole(block, chips)
        self.wholes += found
        return found

    def copy(self) -> KeyedLive:
        raise AssertionError("its count is its own")


def changed(scene: str, number: int, block: Block, generator: np.random.Generator) -> Block | None:
    """Return what comes of a window in this scene; None if nothing does."""
    rows = slice(20, 30)
    values = block.values.copy()
    if number < 25:
        return block
    if scene == "step":
        values[:, 1] *= 1.02
    elif scene == "slow":
        values[:, 2] *= 1.0 + 2e-4 * number
    elif scene == "jam" and number < 40:
        values += generator.standard_normal(values.shape)
    elif scene == "huge":
        values[number % CHIPS, 0] = 1e300
    elif scene == "lost windows":
        return None if number % 20 < 3 or 30 < number < 50 else block
    elif scene == "lost rows":
        return flagged(block, Health.LATE, rows, slice(0, 2)) if number % 3 == 0 else block
    elif scene == "flags":
        return flagged(block, Health.UNIT, rows, slice(1, 2)) if number % 7 == 0 else block
    elif scene == "no number" and number % 5 == 0:
        values[50, 3] = np.nan
    elif scene == "open":
        values[:, 3] = np.where(values[:, 3] > 0.0, np.inf, -np.inf)
    return Block(t_s=block.t_s, chip=block.chip, values=values, health=block.health)


def compared(one: Shown, other: Shown) -> None:
    for each in fields(Shown):
        mine, its = getattr(one, each.name), getattr(other, each.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == its.dtype, each.name
            assert np.array_equal(mine, its, equal_nan=mine.dtype.kind == "f"), each.name
        else:
            assert mine == its, each.name
    assert np.array_equal(one.nats, other.nats)


@pytest.mark.parametrize("wrong", ["turned phase", "late", "other number", "repeat", "short"])
def test_a_block_that_is_no_calm_window_is_not_taken_as_one(wrong: str) -> None:
    box = Box(np.random.default_rng(3))
    live = KeyedLive(anchor(), window_s=0.1, single=True, levels=6)
    live.place.renew(1)
    taken = False
    for number in range(20):
        drawn = box.asked("loops", CHIPS)
        block = box.answer("loops", drawn)
        if number == 19:
            t_s, chip, drive = block.t_s.copy(), block.chip.copy(), drawn.drive.copy()
            values = block.values.copy()
            if wrong == "turned phase":
                drive[50] = 1j
            elif wrong == "late":
                t_s[50] += 0.02
            elif wrong == "other number":
                chip[50] += 1
            elif wrong == "repeat":
                values[50] = values[49]
            rows = slice(0, 99 if wrong == "short" else None)
            block = Block(t_s=t_s[rows], chip=chip[rows], values=values[rows],
                          health=block.health[rows])  # fmt: skip
            drawn = replace(drawn, drive=drive)
            before = live.place.copy(), live.filling.sums.copy(), live.chips.chips
            assert taken, "until then it was"
            assert not whole.take(live, block, drawn)
            assert live.place == before[0] and live.chips.chips == before[2]
            assert np.array_equal(live.filling.sums, before[1])
            return
        taken = live._whole(block, drawn)
        if not taken:
            live.add(block, drawn, 0.0)
        box.next_chip += CHIPS


def same(one: KeyedLive, other: KeyedLive) -> None:
    compared(one.shown(), other.shown())
    for test in ("anchored", "step"):
        for name in ("r", "held", "spent", "tails", "count"):
            mine, its = getattr(getattr(one.bank, test), name), getattr(getattr(other.bank, test), name)  # fmt: skip # noqa: E501
            assert np.array_equal(mine, its), (test, name)
    for name in ("own", "common", "doubt", "common_doubt", "heard"):
        assert np.array_equal(getattr(one.bank.tracked, name), getattr(other.bank.tracked, name))
    for name in ("power", "count", "last", "most", "least"):
        assert np.array_equal(getattr(one.bank.silence, name), getattr(other.bank.silence, name))
    for name in ("totals", "counts"):
        assert np.array_equal(getattr(one.onset.state, name), getattr(other.onset.state, name))
    assert np.array_equal(one.shared, other.shared) and one.gap_s == other.gap_s
    assert np.array_equal(one.fast, other.fast) and one.chips.chips == other.chips.chips
    assert np.array_equal(one.chips.processes, other.chips.processes)
    for name in ("sums", "blurred", "said", "last", "run"):
        assert np.array_equal(getattr(one.filling, name), getattr(other.filling, name)), name
    assert one.notes.taken() == other.notes.taken() and one.place == other.place


def halves(block: Block) -> list[Block]:
    cuts = (slice(0, 37), slice(37, None))
    return [Block(t_s=block.t_s[each], chip=block.chip[each], values=block.values[each],
                  health=block.health[each]) for each in cuts]  # fmt: skip


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("scene", SCENES)
def test_one_call_is_its_steps(scene: str, single: bool) -> None:
    generator = np.random.default_rng(4)
    box = Box(np.random.default_rng(3), levels=("loops",) if scene == "levels" else ())
    given = box.anchors["loops"]
    one, other = (
        kind(given, window_s=0.1, single=single, levels=6) for kind in (Counted, Long)
    )  # fmt: skip
    assert isinstance(one, Counted)
    for each in (one, other):
        each.place.renew(1)
    quick, top = 0, -700.0
    for number in range(WINDOWS):
        drawn: Chips = box.asked("loops", CHIPS)
        block = changed(scene, number, box.answer("loops", drawn), generator)
        box.next_chip += CHIPS
        before = one.bank.anchored.count
        if block is not None:
            for part in halves(block) if scene == "halves" else [block]:
                for each in (one, other):
                    each.add(part, drawn, number * CHIPS * CHIP_S)
                if scene == "halves" and number > 30:
                    compared(one.shown(), other.shown())
        quick += one.bank.anchored.count > before and one.gap_s == 0.0
        same(one, other)
        top = max(top, float(one.shown().nats.max()))
    assert quick > 20, "the quick way has to have been taken"
    assert one.wholes == WHOLE[scene], "and what is not one calm window, by its steps"
    assert top > 8.0 if scene in ("step", "slow", "open") else top < 8.0


def test_copies_go_their_own_way() -> None:
    box = Box(np.random.default_rng(3))
    live = KeyedLive(anchor(), window_s=0.1, single=True, levels=6)
    live.place.renew(1)
    for _ in range(20):
        drawn = box.asked("loops", CHIPS)
        live.add(box.answer("loops", drawn), drawn, 0.0)
        box.next_chip += CHIPS
    kept = live.copy()
    told = kept.shown().nats.copy()
    power, shared = kept.bank.silence.last.copy(), kept.shared.copy()
    box.gain["loops"] = 1.5
    drawn = box.asked("loops", CHIPS)
    live.add(box.answer("loops", drawn), drawn, 0.0)
    assert live.shown().nats.max() > 8.0
    assert np.array_equal(kept.shown().nats, told) and np.array_equal(kept.shared, shared)
    assert np.array_equal(kept.bank.silence.last, power)


def test_sums_that_are_no_numbers_are_left_to_the_steps() -> None:
    box = Box(np.random.default_rng(3))
    live = KeyedLive(anchor(), window_s=0.1, single=True, levels=6)
    live.filling.sums[2] = 80.0
    live.filling.sums[0, 1] = np.inf
    before = live.filling.sums.copy(), live.bank.anchored.r.copy()
    found = turned.turn(live.bank, live.filling, live.shared, live.fast, 1e-2, None)
    assert found is None and live.bank.anchored.count == 0
    assert np.array_equal(live.filling.sums, before[0])
    assert np.array_equal(live.bank.anchored.r, before[1])
    assert box.anchors["loops"].names == live.anchor.names


def test_what_is_loud_is_heard_by_either_way() -> None:
    """Power that earns nats is told, whatever the largest mean power is said to be, if it is."""
    for power in (0.5, 1.0, 1.2, 1.6, 40.0):
        one, other = (Silence.start(np.ones(3)) for _ in range(2))
        for each in (one, other):
            each.power[:], each.count[:] = (90.0, power * 100.0, 80.0), (100.0, 100.0, 100.0)
        top = float((one.power / one.count).max())
        assert np.array_equal(one.heard(100.0, top), other.nats())
    assert other.nats()[1] > 100.0
