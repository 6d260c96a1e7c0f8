"""The quick way of the monitor for sound blocks says what the whole of it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core.challenge import Challenge
from casemate.core.samples import Block, Channel, Health
from casemate.core.watch import Limits, Watcher

ASKED = Challenge(key=bytes(32), modality="loops", epoch=1, chip_s=1e-3)


class Slow(Watcher):
    """A monitor that takes no block for sound at once."""

    def _sound(self, values: object, health: object) -> bool:
        return False


def channels(*, excited: bool) -> tuple[Channel, ...]:
    return tuple(
        Channel(id=f"{k}", modality="loops", unit="1", low=-5.0, high=5.0, excited=excited)
        for k in range(3)
    )


FAULTS = ("none", "repeat", "nan", "inf", "far", "flag", "late", "gap", "same row", "clipped")


def spoilt(values: np.ndarray, health: np.ndarray, chip: np.ndarray, t_s: np.ndarray, fault: str,
           row: int) -> None:  # fmt: skip
    if fault == "repeat":
        values[row, 1] = values[row - 1, 1] if row else 1.0
    elif fault == "same row":
        values[:, 2] = 0.25
    elif fault in ("nan", "inf", "far"):
        values[row, 0] = {"nan": np.nan, "inf": -np.inf, "far": -5.5}[fault]
    elif fault in ("flag", "clipped"):
        health[row, 2] = int(Health.UNIT if fault == "flag" else Health.CLIPPED)
    elif fault == "late":
        t_s[row:] += 0.05
    elif fault == "gap":
        chip[row:] += 3


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 39)), min_size=1, max_size=6),
    st.integers(0, 99), st.booleans(), st.booleans(), st.sampled_from((0, 1, 32)),
)  # fmt: skip
def test_both_ways_agree(
    faults: list[tuple[str, int]], seed: int, turned: bool, excited: bool, stalled: int
) -> None:
    generator = np.random.default_rng(seed)
    limits = Limits(stalled_samples=stalled)
    quick, slow = (kind(channels(excited=excited), ASKED, limits) for kind in (Watcher, Slow))
    for number, (fault, row) in enumerate(faults):
        chip = 40 * number + np.arange(40)
        t_s = np.asarray(chip * 1e-3, dtype=np.float64)
        values = generator.standard_normal((40, 3)) * (1.0 + 1.0j if turned else 1.0)
        health = np.zeros((40, 3), dtype=np.uint16)
        spoilt(values, health, chip, t_s, fault, row)
        block = Block(t_s=t_s, chip=chip, values=values, health=health)
        one, other = quick.check(block), slow.check(block)
        for name in ("t_s", "chip", "values", "health"):
            assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), fault
            assert getattr(one, name).dtype == getattr(other, name).dtype


def test_a_block_that_passed_is_not_the_readers_own() -> None:
    """A reader may use its arrays again."""
    block = Block(
        t_s=np.arange(40) * 1e-3, chip=np.arange(40),
        values=np.random.default_rng(1).standard_normal((40, 3)),
        health=np.zeros((40, 3), dtype=np.uint16),
    )  # fmt: skip
    found = Watcher(channels(excited=True), ASKED, Limits()).check(block)
    kept = found.values.copy()
    block.values[:] = 0.0
    block.health[:] = 1
    assert np.array_equal(found.values, kept) and not found.health.any()


def test_what_nobody_can_change_is_not_copied() -> None:
    sent = np.random.default_rng(1).standard_normal((40, 3))
    values = np.frombuffer(sent.tobytes(), dtype=np.float64).reshape(40, 3)
    health = np.frombuffer(bytes(240), dtype=np.uint16).reshape(40, 3)
    watcher = Watcher(channels(excited=True), ASKED, Limits())
    times = {"t_s": np.arange(40) * 1e-3, "chip": np.arange(40)}
    found = watcher.check(Block(values=values, health=health, **times))
    assert found.values is values and not found.health.any()
    spoilt = sent.copy()
    spoilt[3, 1] = 99.0
    given = np.frombuffer(spoilt.tobytes(), dtype=np.float64).reshape(40, 3)
    times = {"t_s": np.arange(40, 80) * 1e-3, "chip": np.arange(40, 80)}
    found = watcher.check(Block(values=given, health=health, **times))
    assert found.health[3, 1] == int(Health.UNIT) and np.isnan(found.values[3, 1])
    assert given[3, 1] == 99.0 and not health.any()
    seen = np.array(sent).view()
    seen.flags.writeable = False  # but its owner can still write
    times = {"t_s": np.arange(80, 120) * 1e-3, "chip": np.arange(80, 120)}
    assert watcher.check(Block(values=seen, health=health, **times)).values is not seen
