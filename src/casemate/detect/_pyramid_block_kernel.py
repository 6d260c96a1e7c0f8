"""The pyramid over a whole block (compiled): level by level, eight samples a pass.

The same updates in the same order as sample by sample, so the state is the same to the bit; but
evidence stays in registers, and only the highest score of the block is told.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from casemate.detect._pyramid_kernel import (
    _FLAGS,
    TILE,
    Array,
    _best,
    _clip,
    _copy,
    _larger,
    _moved,
)

CHUNK = 64
"""Samples whose sums of two fit in the nearest cache beside the evidence."""


@njit(inline="always")
def _top(a: Any, b: Any, c: Any, d: Any) -> Any:
    return _larger(_larger(a, b), _larger(c, d))


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _drift(
    rows: tuple[Array, Array, Array, Array],
    up: Array,
    down: Array,
    peak: Array,
    par: Array,
    a: Any,
    b: Any,
) -> None:
    """Advance one drift, both sides, by four samples, rows of (n,)."""
    zero, clip = par[0], par[1]
    x0, x1, x2, x3 = rows
    for f in range(x0.size):
        z0, z1, z2, z3 = (
            _clip(x0[f], clip),
            _clip(x1[f], clip),
            _clip(x2[f], clip),
            _clip(x3[f], clip),
        )
        u, d = up[f], down[f]
        u0, d0 = _moved(u, a * z0 - b, zero), _moved(d, a * -z0 - b, zero)
        u1, d1 = _moved(u0, a * z1 - b, zero), _moved(d0, a * -z1 - b, zero)
        u2, d2 = _moved(u1, a * z2 - b, zero), _moved(d1, a * -z2 - b, zero)
        u, d = _moved(u2, a * z3 - b, zero), _moved(d2, a * -z3 - b, zero)
        up[f], down[f] = u, d
        peak[f] = _larger(peak[f], _larger(_top(u0, u1, u2, u), _top(d0, d1, d2, d)))


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _drift_one(x: Array, up: Array, down: Array, peak: Array, par: Array, a: Any, b: Any) -> None:
    zero, clip = par[0], par[1]
    for f in range(x.size):
        z = _clip(x[f], clip)
        u, d = _moved(up[f], a * z - b, zero), _moved(down[f], a * -z - b, zero)
        up[f], down[f] = u, d
        peak[f] = _larger(peak[f], _larger(u, d))


@njit(cache=True, nogil=True, error_model="numpy")
def _drifts(
    x: Array,
    at: tuple[int, int, int, int],
    up: Array,
    down: Array,
    peak: Array,
    par: Array,
    a: Any,
    b: Any,
) -> None:
    """Advance one drift by x[at[0] : at[1], at[2] : at[3]]; rows are taken whole, so contiguous."""
    t, end, lo, hi = at
    while t + 4 <= end:
        rows = x[t, lo:hi], x[t + 1, lo:hi], x[t + 2, lo:hi], x[t + 3, lo:hi]
        _drift(rows, up, down, peak, par, a, b)
        t += 4
    while t < end:
        _drift_one(x[t, lo:hi], up, down, peak, par, a, b)
        t += 1


@njit(cache=True, nogil=True, fastmath=_FLAGS, error_model="numpy")
def _join(a: Array, b: Array, z: Array, par: Array) -> None:
    clip, half = par[1], par[4]
    for f in range(a.size):
        z[f] = half * (_clip(a[f], clip) + _clip(b[f], clip))


@njit(cache=True, nogil=True, error_model="numpy")
def _pairs(
    x: Array, at: tuple[int, int, int, int], held: Array, pending: bool, z: Array, par: Array
) -> int:
    """Join rows of x in pairs, the held row first if one is pending; hold what is left over."""
    t, end, lo, hi = at
    n, made = hi - lo, 0
    if pending and t < end:
        _join(held[:n], x[t, lo:hi], z[0, :n], par)
        t, made = t + 1, 1
    while t + 2 <= end:
        _join(x[t, lo:hi], x[t + 1, lo:hi], z[made, :n], par)
        t, made = t + 2, made + 1
    if t < end:
        _copy(x[t, lo:hi], held, n)
    return made


@njit(cache=True, nogil=True, error_model="numpy")
def _raise(peak: Array, row: Array, weight: Any) -> None:
    for f in range(row.size):
        peak[f] = _larger(peak[f], row[f] + weight)


@njit(cache=True, nogil=True, error_model="numpy")
def _chunk(
    x: Array,
    at: tuple[int, int, int, int],
    s: Array,
    sums: Array,
    held: Array,
    best: Array,
    z: Array,
    peak: Array,
    row: Array,
    par: Array,
    wide: Array,
    slopes: Array,
    weights: Array,
    done: int,
) -> None:
    """Advance one tile by a few samples of x; peak (n,) is raised."""
    n, levels = at[3] - at[2], sums.shape[0]
    most = row[:n]
    for k in range(3):
        up, down = s[k * TILE : k * TILE + n], s[(3 + k) * TILE : (3 + k) * TILE + n]
        most[:] = par[0]
        _drifts(x, at, up, down, most, par, slopes[k], slopes[3 + k])
        _raise(peak, most, weights[0])
    level, p = 0, par
    while level < levels - 1:
        out = z[level & 1]
        made = _pairs(x, at, held[level, 0], (done >> level) & 1 == 1, out, p)
        if made == 0:
            break
        level, p, x, at = level + 1, wide, out, (0, made, 0, n)
        most[:] = par[0]
        _drifts(x, at, sums[level, 0, :n], sums[level, 1, :n], most, p, slopes[0], slopes[3])
        _raise(peak, most, weights[level])
    for k in range(level, 0, -1):
        _best(sums[k, 0], sums[k, 1], best[k + 1], best[k], n, weights[k])


@njit(cache=True, nogil=True, error_model="numpy")
def peaks(
    x: Array,
    ground: Array,
    sums: Array,
    held: Array,
    best: Array,
    peak: Array,
    z: Array,
    row: Array,
    par: Array,
    wide: Array,
    slopes: Array,
    weights: Array,
    done: int,
) -> None:
    """Advance by a finite block x (K, F), mirrored sides; raise peak (F,).

    z: (2, CHUNK // 2 + 1, TILE), row: (TILE,), overwritten; the rest as in `_pyramid_kernel`.
    """
    count, features = x.shape
    for start in range(0, features, TILE):
        stop = start + TILE if features - start > TILE else features
        tile = start // TILE
        for t in range(0, count, CHUNK):
            end = t + CHUNK if count - t > CHUNK else count
            _chunk(
                x, (t, end, start, stop), ground[tile], sums[tile], held[tile], best[tile], z,
                peak[start:stop], row, par, wide, slopes, weights, done + t,
            )  # fmt: skip
