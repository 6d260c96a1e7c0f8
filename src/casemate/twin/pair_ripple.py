"""The fingerprint of a unit: width errors along its lanes, as first-order reflections.

A cell of impedance Z (1 + e) between nominal line reflects e/2 (1 - exp(-2 gamma step)) from either
side (Born's approximation: each cell once, none shadows another); nothing at 0 Hz, as it must. The
profile is drawn from a seed, so a unit keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real
from casemate.twin.pair_line import Pair, positive
from casemate.twin.walks import ou

CELL_M = 1e-3
"""Step of the profile; half a wave at 20 GHz in the board is about 3 mm."""
MARKS = 64
"""Places along the pair from which the ripple beyond is known. What lies between a fault and the
next mark counts as before the fault, and is not met on the way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ripple:
    """Ripple as waves. at_m (K,): marks, rising from 0 to the end. The rest (K, 2, F).

    tails: reflection, at the mark, of what lies beyond it. heads: at the reader, of what lies
    before it. behind: at the mark, of what lies before it, met on the way back. ends: at the
    termination, of what lies beyond the mark, met on the way back.
    """

    at_m: Real
    tails: Complex
    heads: Complex
    behind: Complex
    ends: Complex


def no_ripple(pair: Pair) -> Ripple:
    """Return the ripple of perfect lanes."""
    zero = np.zeros((2, *pair.gamma_1_m.shape), dtype=np.complex128)
    ends = np.array([0.0, pair.length_m])
    return Ripple(at_m=ends, tails=zero, heads=zero, behind=zero, ends=zero)


def width_errors(
    length_m: float, *, spread: float, memory_m: float, generator: np.random.Generator
) -> Real:
    """Return d ln Z of each cell, shape (cells,): an Ornstein-Uhlenbeck process of `spread`."""
    positive(length_m=length_m, memory_m=memory_m)
    if not 0.0 <= spread < 0.2:
        raise InputError(
            "the spread of impedance along a lane is below 0, or too large for single reflections.",
            remedy="give a relative spread of 0 to 0.2.",
            key="spread",
            value=spread,
        )
    cells = max(2, int(np.ceil(length_m / CELL_M)))
    places: Real = np.arange(cells, dtype=np.float64) * CELL_M
    return np.asarray(spread * ou(memory_m, places, generator)[:, 0], dtype=np.float64)


def ripple(pair: Pair, errors: Real) -> Ripple:
    """Return the ripple of a profile of d ln Z, cells evenly along the pair, shape (cells,).

    Both modes and both lanes follow one profile; reader, fault and termination see the nominal
    pair. The split at a fault is exact to second order: what a sound pair shows depends on where it
    is asked by 3e-6 of a step at most, at a spread of 1 %.
    """
    cells = errors.size
    if cells < 2 or not np.isfinite(errors).all():
        raise InputError(
            "a profile of ripple has no cells, or holds nan.",
            remedy="draw it with width_errors.",
            value=cells,
        )
    step_m = pair.length_m / cells
    numbers = np.unique(np.linspace(0, cells, min(MARKS, cells) + 1).astype(int))
    delay: Complex = np.exp(-2.0 * pair.gamma_1_m * step_m)
    single: Complex = 0.5 * (1.0 - delay)
    tails = _gathered(errors[::-1], single, delay, cells - numbers[::-1])[::-1]
    behind = _gathered(errors, single, delay, numbers)
    at_m = np.asarray(numbers * step_m, dtype=np.float64)
    round_trip = -2.0 * pair.gamma_1_m
    return Ripple(
        at_m=at_m,
        tails=np.ascontiguousarray(tails),
        heads=tails[0] - np.exp(round_trip * at_m[:, None, None]) * tails,
        behind=behind,
        ends=behind[-1] - np.exp(round_trip * (at_m[-1] - at_m)[:, None, None]) * behind,
    )


@njit(cache=True)
def _gather(errors, single, delay, numbers, found):  # type: ignore[no-untyped-def]
    for mode in range(single.shape[0]):
        for f in range(single.shape[1]):
            running, at = 0.0j, single[mode, f]
            step = delay[mode, f]
            for slot in range(1, numbers.size):
                for cell in range(numbers[slot - 1], numbers[slot]):
                    running = running * step + errors[cell] * at
                found[slot, mode, f] = running


def _gathered(
    errors: Real, single: Complex, delay: Complex, numbers: npt.NDArray[np.int64]
) -> Complex:
    """Return, (K, 2, F), what the first `numbers` cells reflect, seen from beyond the last."""
    found = np.zeros((numbers.size, *single.shape), dtype=np.complex128)
    _gather(np.ascontiguousarray(errors), single, delay, np.ascontiguousarray(numbers), found)
    return found
