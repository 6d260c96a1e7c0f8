"""The pyramid sample by sample where nothing is missing (compiled), sixteen channels side by side.

The same updates in the same order as `_pyramid_kernel`, to the bit; but level 0, the pairs that are
full and the best of all levels in one pass, so that each value is fetched and put back once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.detect import _pyramid_kernel as plain
from casemate.detect._pyramid_kernel import FIRST, HEAD, MOST, TILE, Array, finite, places
from casemate.detect._wide import (
    LANES,
    every,
    fused,
    larger,
    load,
    plus,
    smaller,
    store,
    times,
)

_NONE = np.float32(0.0)


@njit(inline="always")
def clipped(value: Any, clip: Any) -> Any:
    """Return value within -clip .. clip."""
    return larger(every(-clip), smaller(every(clip), value))


@njit(inline="always")
def moved(evidence: Any, z: Any, slope: Any, cost: Any) -> Any:
    """Return max(0, evidence + slope z - cost)."""
    return larger(every(_NONE), plus(evidence, fused(every(slope), z, every(-cost))))


@njit(inline="always")
def risen(room: Any, at: Any, joined: Any, par: Any) -> Any:
    """Advance both sides of a level above 0 at `at` in the room; return the larger."""
    up = moved(load(room, at), joined, par[6], par[9])
    down = moved(load(room, at + TILE), joined, -par[6], par[9])
    store(room, at, up)
    store(room, at + TILE, down)
    return larger(up, down)


@njit(inline="always")
def climbed(
    room: Any, at: Any, f: Any, first: Any, climbs: Any, value: Any, held: Any, par: Any
) -> Any:
    """Join a sample of level `first` with the held one, and climb as long as pairs are full.

    Returns the best score of the levels above `first`; leaves that of each level k + 1 that has
    moved at row k of spare. at: where sums, held samples, best scores and spare begin. held: the
    sample of level `first`.
    """
    s, h, b, spare = at
    levels = par.size - HEAD
    for k in range(first, first + climbs):
        value = times(every(par[4]), plus(held, value))
        score = plus(risen(room, s + 2 * (k + 1) * TILE + f, value, par), every(par[HEAD + k + 1]))
        store(room, spare + k * LANES, score)
        held = load(room, h + 2 * (k + 1) * TILE + f)
    last = first + climbs
    if last < levels - 1:
        store(room, h + 2 * last * TILE + f, value)
    top = load(room, b + (last + 1) * TILE + f)
    for k in range(last, first, -1):
        top = larger(load(room, spare + (k - 1) * LANES), top)
        store(room, b + k * TILE + f, top)
    return top


@njit(inline="always")
def ground(room: Any, at: Any, z: Any, par: Any) -> Any:
    """Advance level 0 at `at` in the room; return the largest of both sides and three drifts."""
    u0 = moved(load(room, at), z, par[6], par[9])
    u1 = moved(load(room, at + TILE), z, par[7], par[10])
    u2 = moved(load(room, at + 2 * TILE), z, par[8], par[11])
    store(room, at, u0)
    store(room, at + TILE, u1)
    store(room, at + 2 * TILE, u2)
    d0 = moved(load(room, at + 3 * TILE), z, -par[6], par[9])
    d1 = moved(load(room, at + 4 * TILE), z, -par[7], par[10])
    d2 = moved(load(room, at + 5 * TILE), z, -par[8], par[11])
    store(room, at + 3 * TILE, d0)
    store(room, at + 4 * TILE, d1)
    store(room, at + 5 * TILE, d2)
    return larger(larger(larger(u0, u1), u2), larger(larger(d0, d1), d2))


@njit(cache=True, nogil=True, error_model="numpy")
def _row(
    x: Array,
    x_at: int,
    out: Array,
    out_at: int,
    room: Array,
    g: int,
    at: tuple[int, int, int, int],
    n: int,
    climbs: int,
    par: Array,
) -> None:
    """Advance n channels, whole LANES, by a sample; out: the best score of all levels."""
    _, h, b, _ = at
    for f in range(0, n, LANES):
        value = load(x, x_at + f)
        z = clipped(value, par[1])
        if climbs == 0:
            store(room, h + f, value)
            top = load(room, b + TILE + f)
        else:
            held = clipped(load(room, h + f), par[1])
            top = climbed(room, at, f, 0, climbs, z, held, par)
        most = ground(room, g + f, z, par)
        store(out, out_at + f, larger(plus(most, every(par[3])), top))


@njit(cache=True, nogil=True, error_model="numpy")
def tick(
    x: Array,
    x_at: int,
    out: Array,
    out_at: int,
    room: Array,
    tile: int,
    n: int,
    par: Array,
    features: int,
    done: int,
) -> None:
    """Advance n channels of a tile by one sample. x, out: contiguous, their row at x_at, out_at.

    done: samples before this one. What fills no LANES goes by way of the room's spare end.
    """
    levels = par.size - HEAD
    _, sums, held, best, spare = places(features, levels)
    g, climbs = tile * FIRST * TILE, 0
    s, h = sums + tile * 2 * levels * TILE, held + tile * 2 * levels * TILE
    b = best + tile * (levels + 1) * TILE
    while climbs < levels - 1 and (done >> climbs) & 1 == 1:
        climbs += 1
    full = n // LANES * LANES
    _row(x, x_at, out, out_at, room, g, (s, h, b, spare), full, climbs, par)
    if full == n:
        return
    flat, seen, rest = x.reshape(-1), out.reshape(-1), spare + levels * LANES
    for i in range(LANES):
        room[rest + i] = flat[x_at + full + i] if full + i < n else _NONE
    at = s + full, h + full, b + full, spare
    _row(room, rest, room, rest + LANES, room, g + full, at, LANES, climbs, par)
    for i in range(n - full):
        seen[out_at + full + i] = room[rest + LANES + i]


@njit(cache=True, nogil=True, error_model="numpy")
def quick(par: Array) -> bool:
    """Return whether no sample was ever missing and no sum can overflow: else `plain` is taken."""
    levels = par.size - HEAD
    return par[5] == par[0] and par[1] < MOST * par[4] ** levels


@njit(cache=True, nogil=True, error_model="numpy")
def advance(x: Array, out: Array, room: Array, par: Array, wide: Array, done: int) -> None:
    """Advance by a block x (K, F), sides mirrored; the rest as in `_pyramid_kernel.advance`."""
    count, features = x.shape
    if not (quick(par) and finite(x, par[0])):
        plain.advance(x, x, True, out, room, par, wide, done)
        return
    for start in range(0, features, TILE):
        n = TILE if features - start > TILE else features - start
        for t in range(count):
            here = t * features + start
            tick(x, here, out, here, room, start // TILE, n, par, features, done + t)
