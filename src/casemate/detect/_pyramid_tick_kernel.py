"""The pyramid sample by sample where nothing is missing (compiled), sixteen channels side by side.

The same updates in the same order as `_pyramid_kernel`, to the bit; but level 0, the pairs that are
full and the best of all levels in one pass, so that each value is fetched and put back once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import as_bool, as_int
from casemate.detect import _pyramid_kernel as plain
from casemate.detect._pyramid_kernel import FIRST, HEAD, MOST, TILE, Array, finite, places
from casemate.detect._wide import (
    LANES,
    against,
    every,
    larger,
    less,
    load,
    plus,
    smaller,
    store,
    times,
)

_NONE = np.float32(0.0)


@njit(inline="always")
def clipped(value: Any, clip: Any, least: Any) -> Any:
    """Return value within least .. clip."""
    return larger(least, smaller(clip, value))


@njit(inline="always")
def higher(evidence: Any, z: Any, slope: Any, cost: Any, none: Any) -> Any:
    """Return max(0, evidence + slope z - cost): the upper side."""
    return larger(none, plus(evidence, less(slope, z, cost)))


@njit(inline="always")
def lower(evidence: Any, z: Any, slope: Any, cost: Any, none: Any) -> Any:
    """Return max(0, evidence - slope z - cost): the lower side."""
    return larger(none, plus(evidence, against(slope, z, cost)))


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
    levels, none = par.size - HEAD, every(_NONE)
    slope, cost, half = every(par[6]), every(par[9]), every(par[4])
    for k in range(first, first + climbs):
        value = times(half, plus(held, value))
        row = s + 2 * (k + 1) * TILE + f
        up = higher(load(room, row), value, slope, cost, none)
        down = lower(load(room, row + TILE), value, slope, cost, none)
        score = plus(larger(up, down), every(par[HEAD + k + 1]))
        held = load(room, h + 2 * (k + 1) * TILE + f)
        store(room, row, up)
        store(room, row + TILE, down)
        store(room, spare + k * LANES, score)
    last = first + climbs
    if last < levels - 1:
        store(room, h + 2 * last * TILE + f, value)
    top = load(room, b + (last + 1) * TILE + f)
    for k in range(last, first, -1):
        top = larger(load(room, spare + (k - 1) * LANES), top)
        store(room, b + k * TILE + f, top)
    return top


@njit(cache=True, nogil=True, error_model="numpy")
def _row(
    x: Array, x_at: int, out: Array, out_at: int, room: Array, g: int,
    at: tuple[int, int, int, int], n: int, climbs: int, par: Array,
) -> None:  # fmt: skip
    """Advance n channels, whole LANES, by a sample; out: the best score of all levels."""
    none, clip, least, weight = every(_NONE), every(par[1]), every(-par[1]), every(par[3])
    a0, a1, a2 = every(par[6]), every(par[7]), every(par[8])
    b0, b1, b2 = every(par[9]), every(par[10]), every(par[11])
    _, h, b, _ = at
    for f in range(0, n, LANES):
        value, e = load(x, x_at + f), g + f
        # all that is put back is fetched first: rows lie 2 kB apart, and a processor takes a fetch
        # for one of what it is about to put 4 kB away
        u0, u1 = load(room, e), load(room, e + TILE)
        u2, d0 = load(room, e + 2 * TILE), load(room, e + 3 * TILE)
        d1, d2 = load(room, e + 4 * TILE), load(room, e + 5 * TILE)
        z = clipped(value, clip, least)
        if climbs == 0:
            top = load(room, b + TILE + f)
            store(room, h + f, value)
        else:
            held = clipped(load(room, h + f), clip, least)
            top = climbed(room, at, f, 0, climbs, z, held, par)
        u0, d0 = higher(u0, z, a0, b0, none), lower(d0, z, a0, b0, none)
        u1, d1 = higher(u1, z, a1, b1, none), lower(d1, z, a1, b1, none)
        u2, d2 = higher(u2, z, a2, b2, none), lower(d2, z, a2, b2, none)
        store(room, e, u0)
        store(room, e + TILE, u1)
        store(room, e + 2 * TILE, u2)
        store(room, e + 3 * TILE, d0)
        store(room, e + 4 * TILE, d1)
        store(room, e + 5 * TILE, d2)
        most = larger(larger(larger(u0, u1), u2), larger(larger(d0, d1), d2))
        store(out, out_at + f, larger(plus(most, weight), top))


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
    """Advance n channels of a tile by one sample. x, out: flat, their row at x_at, out_at.

    done: samples before this one. What fills no LANES goes by way of the room's spare end.
    """
    levels = par.size - HEAD
    ground, sums, held, best, spare = places(features, levels)
    g, climbs = ground + tile * FIRST * TILE, 0
    s, h = sums + tile * 2 * levels * TILE, held + tile * 2 * levels * TILE
    b = best + tile * (levels + 1) * TILE
    while climbs < levels - 1 and (done >> climbs) & 1 == 1:
        climbs += 1
    full = n // LANES * LANES
    _row(x, x_at, out, out_at, room, g, (s, h, b, spare), full, climbs, par)
    if full == n:
        return
    rest, one = spare + levels * LANES, as_int(LANES)
    for i in range(LANES):
        room[rest + i] = x[x_at + full + i] if full + i < n else _NONE
    at = s + full, h + full, b + full, spare
    _row(room, rest, room, rest + LANES, room, g + full, at, one, climbs, par)
    for i in range(n - full):
        out[out_at + full + i] = room[rest + LANES + i]


@njit(cache=True, nogil=True, error_model="numpy")
def quick(par: Array) -> bool:
    """Return whether no sample was ever missing and no sum can overflow: else `plain` is taken."""
    return bool(par[5] == par[0] and par[1] < MOST * par[4] ** plain.MOST_LEVELS)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(x: Array, out: Array, room: Array, levels: int, done: int) -> None:
    """Advance by a block x (K, F), sides mirrored; the rest as in `_pyramid_kernel.advance`."""
    count, features = x.shape
    par = room[: HEAD + levels]
    if not (quick(par) and finite(x, par[0])):
        plain.advance(x, x, as_bool(True), out, room, levels, done)
        return
    rows, seen = x.reshape(-1), out.reshape(-1)
    for start in range(0, features, TILE):
        n = TILE if features - start > TILE else features - start
        for t in range(count):
            here = t * features + start
            tick(rows, here, seen, here, room, start // TILE, n, par, features, done + t)
