"""The pyramid's recursion where samples may be missing or sides are told apart (compiled), float32.

Level l moves on every 2^l samples, so all further levels together cost as much as one more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float32]

TILE = 512
FIRST = 6
"""Rows of level 0 in a tile: three drifts upwards, three downwards."""
HEAD = 12
"""Parameters before the weights of levels: 0, clip, sign of the lower side, weight of level 0,
1 / sqrt 2, 0 while no sample was ever missing, 2k of three drifts, 2k^2 of three drifts."""
MOST_LEVELS = 36
START = 48
"""Where level 0 begins in a room: HEAD + MOST_LEVELS, whole cache lines."""
MOST = np.finfo(np.float32).max
_FLAGS = {"contract", "nsz"}


@njit(cache=True)
def places(features: int, levels: int) -> tuple[int, int, int, int, int]:
    """Return where in a room level 0, sums, held samples, best scores and spare begin.

    Parameters (HEAD + L,) come first. Level 0: (tiles, 6 TILE). Sums, held samples: (tiles, L, 2,
    TILE), row 0 of sums unused. Best scores: (tiles, L + 1, TILE). Spare: 4 rows of TILE,
    overwritten.
    """
    tiles = (features + TILE - 1) // TILE
    sums = START + tiles * FIRST * TILE
    held = sums + tiles * levels * 2 * TILE
    best = held + tiles * levels * 2 * TILE
    return START, sums, held, best, best + tiles * (levels + 1) * TILE


@njit(inline="always")
def _moved(evidence: Any, gain: Any, zero: Any) -> Any:
    after = evidence + gain
    return zero if after < zero else after


@njit(inline="always")
def _moved_or_held(evidence: Any, gain: Any, zero: Any) -> Any:
    after = _moved(evidence, gain, zero)
    return after if after == after else evidence


@njit(inline="always")
def _clip(value: Any, limit: Any) -> Any:
    value = limit if value > limit else value
    return -limit if value < -limit else value


@njit(inline="always")
def _larger(a: Any, b: Any) -> Any:
    return a if a > b else b


@njit(inline="always")
def _mean_of_two(a: Any, b: Any, half: Any, zero: Any) -> Any:
    """Return (a + b) / sqrt 2, where a missing one counts as 0 and two make a missing one."""
    both = a + b
    one = (a if b != b else b) + zero
    return half * (both if both == both else one)


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _ground(
    up: Array, down: Array, s: Array, above: Array, out: Array, n: int, par: Array, slopes: Array
) -> None:
    """Advance level 0 of n channels that all have a sample; out: best of all levels."""
    zero, clip, sign, weight = par[0], par[1], par[2], par[3]
    a0, a1, a2, b0, b1, b2 = slopes[0], slopes[1], slopes[2], slopes[3], slopes[4], slopes[5]
    for f in range(n):
        z = _clip(up[f], clip)
        s0 = _moved(s[f], a0 * z - b0, zero)
        s1 = _moved(s[f + TILE], a1 * z - b1, zero)
        s2 = _moved(s[f + 2 * TILE], a2 * z - b2, zero)
        s[f], s[f + TILE], s[f + 2 * TILE] = s0, s1, s2
        most = _larger(_larger(s0, s1), s2)
        z = _clip(sign * down[f], clip)
        s0 = _moved(s[f + 3 * TILE], a0 * z - b0, zero)
        s1 = _moved(s[f + 4 * TILE], a1 * z - b1, zero)
        s2 = _moved(s[f + 5 * TILE], a2 * z - b2, zero)
        s[f + 3 * TILE], s[f + 4 * TILE], s[f + 5 * TILE] = s0, s1, s2
        most = _larger(most, _larger(_larger(s0, s1), s2))
        out[f] = _larger(most + weight, above[f])


@njit(cache=True, nogil=True, error_model="numpy")
def _ground_with_gaps(
    up: Array, down: Array, s: Array, above: Array, out: Array, n: int, par: Array, slopes: Array
) -> None:
    """Advance level 0 where some sides of channels lack a sample: those stay as they were."""
    held, zero = s.copy(), par[0]
    one, other = up.copy(), down.copy()
    for f in range(n):
        one[f] = up[f] if up[f] == up[f] else zero
        other[f] = down[f] if down[f] == down[f] else zero
    _ground(one, other, s, above, out, n, par, slopes)
    for f in range(n):
        most = zero
        for k in range(FIRST):
            row = up if k < FIRST // 2 else down
            if row[f] != row[f]:
                s[f + k * TILE] = held[f + k * TILE]
            most = _larger(most, s[f + k * TILE])
        out[f] = _larger(most + par[3], above[f])


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _climb_gaps(
    a: Array, b: Array, z: Array, up: Array, down: Array, n: int, par: Array, slopes: Array
) -> None:
    """Join a pair of samples to z and advance a level by it: mirrored sides."""
    zero, clip, half, slope, cost = par[0], par[1], par[4], slopes[0], slopes[3]
    for f in range(n):
        joined = _mean_of_two(_clip(a[f], clip), _clip(b[f], clip), half, zero)
        z[f] = joined
        up[f] = _moved_or_held(up[f], slope * joined - cost, zero)
        down[f] = _moved_or_held(down[f], -slope * joined - cost, zero)


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _climb_one(a: Array, b: Array, z: Array, s: Array, n: int, par: Array, slopes: Array) -> None:
    """The same for one side of two that are told apart."""
    zero, clip, half, slope, cost = par[0], par[1], par[4], slopes[0], slopes[3]
    for f in range(n):
        joined = _mean_of_two(_clip(a[f], clip), _clip(b[f], clip), half, zero)
        z[f] = joined
        s[f] = _moved_or_held(s[f], slope * joined - cost, zero)


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _best(up: Array, down: Array, above: Array, best: Array, n: int, w: Any) -> None:
    for f in range(n):
        best[f] = _larger(_larger(up[f], down[f]) + w, above[f])


@njit(cache=True, nogil=True)
def _copy(row: Array, held: Array, n: int) -> None:
    for f in range(n):
        held[f] = row[f]


@njit(cache=True, nogil=True, error_model="numpy")
def _levels(
    one: Array,
    other: Array,
    sums: Array,
    held: Array,
    best: Array,
    z: Array,
    n: int,
    par: Array,
    wide: Array,
    slopes: Array,
    weights: Array,
    done: int,
    mirrored: bool,
) -> None:
    """Hold this sample, or join it with the held one and climb as far as pairs are full.

    wide: par without a clip, for what is clipped already.
    """
    levels = sums.shape[0]
    level = 0
    while level < levels - 1 and (done >> level) & 1 == 1:
        p = par if level == 0 else wide
        s, h, made = sums[level + 1], held[level], z[level & 1]
        if mirrored:
            _climb_gaps(h[0], one, made[0], s[0], s[1], n, p, slopes)
        else:
            _climb_one(h[0], one, made[0], s[0], n, p, slopes)
            _climb_one(h[1], other, made[1], s[1], n, p, slopes)
        one, other = made[0], made[1]
        level += 1
    if level < levels - 1:
        _copy(one, held[level, 0], n)
        if not mirrored:
            _copy(other, held[level, 1], n)
    for k in range(level, 0, -1):
        _best(sums[k, 0], sums[k, 1], best[k + 1], best[k], n, weights[k])


@njit(cache=True, nogil=True, fastmath={"reassoc"}, error_model="numpy")
def finite(x: Array, zero: Any) -> Any:
    """Return whether all values of x (K, F) are finite: 0 times them sums to 0."""
    total = zero
    for t in range(x.shape[0]):
        for f in range(x.shape[1]):
            total += x[t, f] * zero
    return total == zero


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    up: Array,
    down: Array,
    mirrored: bool,
    out: Array,
    room: Array,
    levels: int,
    done: int,
) -> None:
    """Advance by a block. up, down, out: (K, F), C-contiguous; mirrored: down is up, to be taken as
    -up; a pyramid stays with one or the other.

    room: of `places`; its parameters are `HEAD`, then the weight of each level.
    """
    count, features = up.shape
    tiles = (features + TILE - 1) // TILE
    g0, s0, h0, b0, spare = places(features, levels)
    par = room[: HEAD + levels]
    wide = par.copy()
    wide[1] = MOST
    ground = room[g0:s0].reshape((tiles, FIRST * TILE))
    sums = room[s0:h0].reshape((tiles, levels, 2, TILE))
    held = room[h0:b0].reshape((tiles, levels, 2, TILE))
    best = room[b0:spare].reshape((tiles, levels + 1, TILE))
    z = room[spare : spare + 4 * TILE].reshape((2, 2, TILE))
    slopes, weights = par[6:HEAD], par[HEAD:]
    whole = finite(up, par[0]) and (mirrored or finite(down, par[0]))
    if not whole:
        par[5] = slopes[0]
    for start in range(0, features, TILE):
        n = TILE if features - start > TILE else features - start
        tile = start // TILE
        s, a, h, b = ground[tile], sums[tile], held[tile], best[tile]
        for t in range(count):
            one, other = up[t, start : start + n], down[t, start : start + n]
            seen = out[t, start : start + n]
            _levels(one, other, a, h, b, z, n, par, wide, slopes, weights, done + t, mirrored)
            if whole:
                _ground(one, other, s, b[1], seen, n, par, slopes)
            else:
                _ground_with_gaps(one, other, s, b[1], seen, n, par, slopes)
