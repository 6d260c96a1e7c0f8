"""Compiled half of `whole`: whether a block is one whole calm window, and if so, its sums."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.detect import _calm_kernel as calm
from casemate.detect._live_kernel import levelled


@njit(cache=True, error_model="numpy")
def follow(t_s: Any, chip: Any, first: int, last_s: float, chip_s: float, slack_s: float) -> bool:
    """Return whether rows (K,) are chips `first` on, each at its time after the one before."""
    odd = 0
    for k in range(t_s.size):
        odd |= int(chip[k] != first + k) | int(not abs(t_s[k] - last_s - chip_s) <= slack_s)
        last_s = t_s[k]
    return odd == 0


@njit(cache=True, error_model="numpy")
def rows(
    t_s: Any, chip: Any, first: int, last_s: float, chip_s: float, slack_s: float, drive: Any,
    one_level: float, values: Any, health: Any, order: int, nominal: Any, weight: Any,
    expected: Any, noise: Any, shared: Any, last: Any, run: Any, sums: Any, x: Any,
) -> int:  # fmt: skip
    """Do what `calm.add` does if rows also follow and drive (K,) is of one level and no phase.

    one_level: share by which powers may differ. -1, and nothing is done, if not.
    """
    if not follow(t_s, chip, first, last_s, chip_s, slack_s):
        return -1
    real, use = np.empty(drive.size), np.ones(drive.size, np.bool_)
    loud, turned = 0, 0
    for k in range(drive.size):
        turned |= int(drive[k].imag != 0.0)
        if drive[k].real != 0.0:
            real[loud] = drive[k].real
            loud += 1
    if turned or levelled(real[:loud], one_level):
        return -1
    for k in range(drive.size):
        real[k] = drive[k].real
    return calm.add(
        values, health, real, use, order, nominal, weight, expected, noise, shared, last, run,
        sums, x,
    )  # fmt: skip
