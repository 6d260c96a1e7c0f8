"""Compiled half of `reader`: answers of real-valued channels in one pass over their noise."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True)
def answer(drive: Any, quantity: Any, spread: Any, values: Any) -> None:
    """Turn values (K, C), normal draws, into drive x quantity + spread x draw, in place.

    drive (K,); quantity, spread (C,).
    """
    for k in range(drive.size):
        row, chip = values[k], drive[k]
        for c in range(row.size):
            row[c] = chip * quantity[c] + spread[c] * row[c]
