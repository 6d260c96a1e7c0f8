"""Rows in which nothing is wrong, by their own kernel, against `gather`: the same to the bit.

Planted: flags, values that are none, repeats, rows that do not count. Those the kernel must leave.
"""

from __future__ import annotations

import numpy as np
import pytest

from casemate.core.samples import Health, to_read
from casemate.detect import _calm_kernel as calm
from casemate.detect.anchor import Anchor
from casemate.detect.blocks import Filling

ROWS = 60


def anchor_of(size: int, order: int, seed: int) -> Anchor:
    """Return features that read a channel each, or both of their pair."""
    generator = np.random.default_rng(seed)
    at = np.arange(size)
    names = tuple(f"f{k}" for k in range(size))
    ones = np.ones(size)
    pairs = order == calm.PAIRS
    return Anchor(
        modality="m", chip_s=1e-3, visits=1.0, channels=names, tiles=("",) * size, names=names,
        nominal=0.5 + generator.random(size), first=at - at % 2 if pairs else at,
        second=at - at % 2 + 1 if pairs else np.full(size, -1),
        weight=generator.standard_normal((size, 2)), group=np.full(size, -1), noise=1e-3 * ones,
        bound=5e-3 * ones, step=1e-3 * ones, must=0.5 * ones, rate=1e-4 * ones,
        common=np.zeros(0), common_rate=np.zeros(0),
    )  # fmt: skip


def rows_of(size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return values, health, drive and which rows count."""
    generator = np.random.default_rng(seed)
    drive = generator.choice([-1.5, -0.5, 0.0, 0.5, 1.5], ROWS)
    values = drive[:, None] + 0.1 * generator.standard_normal((ROWS, size))
    return values, np.zeros((ROWS, size), np.uint16), drive, np.ones(ROWS, np.bool_)


def both(anchor: Anchor, given: list[tuple[np.ndarray, ...]]) -> int:
    """Hold both ways against each other over blocks; return how many the short way took."""
    quick, slow = Filling.start(anchor), Filling.start(anchor)
    slow.order = calm.OTHER
    shared = np.random.default_rng(1).standard_normal(len(anchor.names))
    taken = 0
    for values, health, drive, use in given:
        room = np.empty((ROWS, len(anchor.names)), np.float32)
        trial = quick.copy()
        taken += 0 <= calm.add(
            to_read(values), to_read(health), drive, use, quick.order, anchor.nominal,
            anchor.weight, anchor.expected, anchor.noise, shared, trial.last, trial.run,
            trial.sums, room,
        )  # fmt: skip
        one = quick.add(values, health, drive, use, shared)
        other = slow.add(values, health, drive, use, shared)
        np.testing.assert_array_equal(one, other)
        for name in ("sums", "blurred", "said", "last", "run"):
            np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))
    return taken


@pytest.mark.parametrize("order", [calm.ALONE, calm.PAIRS])
@pytest.mark.parametrize("size", [2, 38, calm.TILE, 2 * calm.TILE + 6])
def test_calm_rows_are_summed_as_ever(order: int, size: int) -> None:
    anchor = anchor_of(size, order, size)
    given = [rows_of(size, seed) for seed in range(3)]
    given[1][0][5, 1] = 1e9  # further than anything counts, but a number
    assert Filling.start(anchor).order == order
    assert both(anchor, given) == 3


def wrong_flag(given: tuple[np.ndarray, ...]) -> None:
    given[1][30, 1] = int(Health.CLIPPED)


def wrong_nan(given: tuple[np.ndarray, ...]) -> None:
    given[0][30, 1] = np.nan


def wrong_infinity(given: tuple[np.ndarray, ...]) -> None:
    given[0][0, 0] = -np.inf


def wrong_repeat(given: tuple[np.ndarray, ...]) -> None:
    given[0][31, 1] = given[0][30, 1]


def wrong_last(given: tuple[np.ndarray, ...]) -> None:
    given[0][0] = rows_of(given[0].shape[1], 0)[0][-1]  # what the block before ended with


def wrong_use(given: tuple[np.ndarray, ...]) -> None:
    given[3][7] = False


@pytest.mark.parametrize("order", [calm.ALONE, calm.PAIRS])
@pytest.mark.parametrize(
    "wrong", [wrong_flag, wrong_nan, wrong_infinity, wrong_repeat, wrong_last, wrong_use]
)
def test_what_is_not_calm_is_left_to_the_long_way(order: int, wrong: object) -> None:
    given = [rows_of(38, seed) for seed in range(3)]
    assert callable(wrong)
    wrong(given[1])
    assert both(anchor_of(38, order, 4), given) == 2


def test_features_of_any_channels_take_the_long_way() -> None:
    anchor = anchor_of(6, calm.ALONE, 4)
    anchor.first[2] = 3
    assert Filling.start(anchor).order == calm.OTHER
    assert calm.order_of(np.array([0, 0, 2]), np.array([1, 1, 1]), 3) == calm.OTHER
