"""One chip of the keyed detector and the pyramid in one call (compiled)."""

from __future__ import annotations

from numba import njit

from casemate.detect import _keyed_kernel as keyed
from casemate.detect import _pyramid_tick_kernel as pyramid
from casemate.detect._pyramid_kernel import Array


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    x: Array, out: Array, bets: Array, chips: int, levels: Array, count: int, samples: int
) -> None:
    """Advance both by x (K, F), C-contiguous; out (2, K, F): evidence, then scores.

    bets, chips: room of `_keyed_kernel` and chips so far. levels, count, samples: room of
    `_pyramid_kernel`, its levels, samples so far.
    """
    keyed.advance(x, out[0], bets, chips)
    pyramid.advance(x, out[1], levels, count, samples)
