"""The fingerprint of a unit: width errors along its lanes, as first-order reflections.

A slow change of impedance reflects 1/2 d ln Z (Born's approximation: each once, none of them
shadows another). The profile is drawn from a seed, so a unit keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real
from casemate.twin.pair_line import Pair, positive
from casemate.twin.walks import ou

CELL_M = 1e-3
"""Step of the profile; half a wave at 20 GHz in the board is about 3 mm."""
MARKS = 64
"""Places along the pair from which the ripple beyond is known. What lies between a fault and the
next mark counts as before the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ripple:
    """Ripple as waves. at_m (K,): marks, rising, the last at the end. tails, heads (K, 2, F).

    tails: reflection, at the mark, of what lies beyond it. heads: at the reader, of what lies
    before it.
    """

    at_m: Real
    tails: Complex
    heads: Complex


def no_ripple(pair: Pair) -> Ripple:
    """Return the ripple of perfect lanes."""
    zero = np.zeros((1, *pair.gamma_1_m.shape), dtype=np.complex128)
    return Ripple(at_m=np.array([pair.length_m]), tails=zero, heads=zero)


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

    Both modes and both lanes follow one profile; the reader sees the nominal pair, the termination
    fits the last cell.
    """
    cells = errors.size
    if cells < 2 or not np.isfinite(errors).all():
        raise InputError(
            "a profile of ripple has no cells, or holds nan.",
            remedy="draw it with width_errors.",
            value=cells,
        )
    jumps = 0.5 * np.diff(errors, prepend=0.0, append=errors[-1])
    step_m = pair.length_m / cells
    every = max(1, cells // MARKS)
    numbers = np.union1d(np.arange(0, cells, every), [cells])
    delay = np.exp(-2.0 * pair.gamma_1_m * step_m)
    tails = np.zeros((numbers.size, *pair.gamma_1_m.shape), dtype=np.complex128)
    running = np.zeros_like(pair.gamma_1_m)
    slot = numbers.size - 1
    for cell in range(cells, -1, -1):
        running = running * delay + jumps[cell]
        if cell == numbers[slot]:
            tails[slot] = running
            slot -= 1
    at_m = numbers * step_m
    way = np.exp(-2.0 * pair.gamma_1_m[None] * at_m[:, None, None])
    # A mark's own jump belongs to its tail.
    heads = tails[0][None] - way * tails
    return Ripple(at_m=np.asarray(at_m, dtype=np.float64), tails=tails, heads=heads)
