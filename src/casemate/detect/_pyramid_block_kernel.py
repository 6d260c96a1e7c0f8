"""The pyramid over a whole block (compiled): chunks of 2^m samples that begin at a multiple of 2^m.

Within such a chunk all pairs of the first m levels are full, so each level is a few rows that are
joined on the way. The same updates in the same order as sample by sample, so the state is the same
to the bit; but evidence stays in registers for eight samples, and only the highest score is told.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from casemate.core._rows_kernel import as_int
from casemate.detect._pyramid_kernel import FIRST, HEAD, TILE, Array, places
from casemate.detect._pyramid_tick_kernel import climbed, clipped, higher, lower, tick
from casemate.detect._wide import LANES, every, fetch, larger, load, plus, store, times

PASS = 8
"""Rows a pass: states are fetched and put back once in so many samples."""
MOST_LOG = 6
"""A chunk has 2^MOST_LOG samples at most: its sums of two lie in the second cache."""
ROWS = (1 << MOST_LOG) // 2
WORK = (2 * ROWS + 1) * TILE + PASS * LANES
"""Values of a block's work: sums of two, and of two of those, in turn; the highest scores of a
tile; rows of what fills no LANES."""


@njit(cache=True, nogil=True, error_model="numpy")
def _ground(
    x: Array, x_at: int, apart: int, n: int, room: Array, g: int, work: Array, z: int, peak: int,
    par: Array, ahead: int,
) -> None:  # fmt: skip
    """Advance level 0 of n channels by PASS rows of x, `apart` values apart; sums of two go to z.

    g: where in the room the channels' level 0 begins; z, peak: where in `work` those rows do.
    ahead: how much further on the values lie that are read after these.
    """
    a0, a1, a2 = every(par[6]), every(par[7]), every(par[8])
    b0, b1, b2 = every(par[9]), every(par[10]), every(par[11])
    clip, least, half, weight = every(par[1]), every(-par[1]), every(par[4]), every(par[3])
    none = every(par[0])
    for f in range(0, n, LANES):
        at = g + f
        u0, u1, u2 = load(room, at), load(room, at + TILE), load(room, at + 2 * TILE)
        d0, d1, d2 = load(room, at + 3 * TILE), load(room, at + 4 * TILE), load(room, at + 5 * TILE)
        most = none
        for t in range(0, PASS, 2):
            fetch(x, x_at + t * apart + f + ahead)
            fetch(x, x_at + t * apart + apart + f + ahead)
            one = clipped(load(x, x_at + t * apart + f), clip, least)
            u0, d0 = higher(u0, one, a0, b0, none), lower(d0, one, a0, b0, none)
            u1, d1 = higher(u1, one, a1, b1, none), lower(d1, one, a1, b1, none)
            u2, d2 = higher(u2, one, a2, b2, none), lower(d2, one, a2, b2, none)
            most = larger(most, larger(larger(larger(u0, d0), larger(u1, d1)), larger(u2, d2)))
            two = clipped(load(x, x_at + t * apart + apart + f), clip, least)
            u0, d0 = higher(u0, two, a0, b0, none), lower(d0, two, a0, b0, none)
            u1, d1 = higher(u1, two, a1, b1, none), lower(d1, two, a1, b1, none)
            u2, d2 = higher(u2, two, a2, b2, none), lower(d2, two, a2, b2, none)
            most = larger(most, larger(larger(larger(u0, d0), larger(u1, d1)), larger(u2, d2)))
            store(work, z + t // 2 * TILE + f, times(half, plus(one, two)))
        store(room, at, u0)
        store(room, at + TILE, u1)
        store(room, at + 2 * TILE, u2)
        store(room, at + 3 * TILE, d0)
        store(room, at + 4 * TILE, d1)
        store(room, at + 5 * TILE, d2)
        store(work, peak + f, larger(load(work, peak + f), plus(most, weight)))


@njit(cache=True, nogil=True, error_model="numpy")
def _level(
    work: Array, z: int, rows: int, joined: int, n: int, room: Array, s: int, peak: int,
    par: Array, weight: Any,
) -> None:  # fmt: skip
    """Advance a level above 0 of n channels by rows at z, an even number; sums of two to `joined`.

    s: where in the room the level's sums of these channels begin.
    """
    a, b, half, none = every(par[6]), every(par[9]), every(par[4]), every(par[0])
    for f in range(0, n, LANES):
        up, down = load(room, s + f), load(room, s + TILE + f)
        most = none
        for t in range(0, rows, 2):
            one, two = load(work, z + t * TILE + f), load(work, z + (t + 1) * TILE + f)
            up, down = higher(up, one, a, b, none), lower(down, one, a, b, none)
            most = larger(most, larger(up, down))
            up, down = higher(up, two, a, b, none), lower(down, two, a, b, none)
            most = larger(most, larger(up, down))
            store(work, joined + t // 2 * TILE + f, times(half, plus(one, two)))
        store(room, s + f, up)
        store(room, s + TILE + f, down)
        store(work, peak + f, larger(load(work, peak + f), plus(most, every(weight))))


@njit(cache=True, nogil=True, error_model="numpy")
def _top(
    work: Array, z: int, n: int, room: Array, at: tuple[int, int, int, int], peak: int,
    par: Array, level: int, done: int,
) -> None:  # fmt: skip
    """Advance level `level` by its one row at z and climb on; bring all best scores up to date."""
    s, _, b, spare = at
    levels, climbs = par.size - HEAD, 0
    while level + climbs < levels - 1 and (done >> (level + climbs)) & 1 == 1:
        climbs += 1
    a, cost, none, here = every(par[6]), every(par[9]), every(par[0]), s + 2 * level * TILE
    for f in range(0, n, LANES):
        value = load(work, z + f)
        up = higher(load(room, here + f), value, a, cost, none)
        down = lower(load(room, here + TILE + f), value, a, cost, none)
        store(room, here + f, up)
        store(room, here + TILE + f, down)
        most = larger(load(work, peak + f), plus(larger(up, down), every(par[HEAD + level])))
        held = load(room, at[1] + 2 * level * TILE + f)
        top = climbed(room, at, f, level, climbs, value, held, par)
        for k in range(level, level + climbs):
            most = larger(most, load(room, spare + k * LANES))
        store(work, peak + f, most)
        for k in range(level, 0, -1):
            row = s + 2 * k * TILE + f
            score = plus(larger(load(room, row), load(room, row + TILE)), every(par[HEAD + k]))
            top = larger(score, top)
            store(room, b + k * TILE + f, top)


@njit(cache=True, nogil=True, error_model="numpy")
def _first(
    x: Array, x_at: int, log: int, n: int, room: Array, g: int, work: Array, peak: int, par: Array,
    features: int, ahead: int,
) -> None:  # fmt: skip
    """Advance level 0 by 2^log rows, PASS at a time; what fills no LANES goes by way of `work`."""
    full, rest, one = n // LANES * LANES, WORK - PASS * LANES, as_int(LANES)
    for t in range(0, 1 << log, PASS):
        here, z = x_at + t * features, t // 2 * TILE
        _ground(x, here, features, full, room, g, work, z, peak, par, ahead)
        if full < n:
            for k in range(PASS):
                for i in range(LANES):
                    inside = full + i < n
                    value = x[here + k * features + full + i] if inside else par[0]
                    work[rest + k * LANES + i] = value
            _ground(
                work, rest, one, one, room, g + full, work, z + full, peak + full, par, as_int(0)
            )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _chunk(
    x: Array, x_at: int, log: int, n: int, room: Array, tile: int, work: Array, peak: int,
    par: Array, features: int, ahead: int, done: int,
) -> None:  # fmt: skip
    """Advance n channels of a tile by 2^log samples, `done` a multiple of that."""
    levels = par.size - HEAD
    ground, sums, held, best, spare = places(features, levels)
    s, h = sums + tile * 2 * levels * TILE, held + tile * 2 * levels * TILE
    b, whole = best + tile * (levels + 1) * TILE, (n + LANES - 1) // LANES * LANES
    _first(x, x_at, log, n, room, ground + tile * FIRST * TILE, work, peak, par, features, ahead)
    level, rows, z, joined = 1, 1 << (log - 1), as_int(0), as_int(ROWS * TILE)
    while rows > 1:
        at = s + 2 * level * TILE
        _level(work, z, rows, joined, whole, room, at, peak, par, par[HEAD + level])
        level, rows, z, joined = level + 1, rows // 2, joined, z
    _top(work, z, whole, room, (s, h, b, spare), peak, par, level, done)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(done: int, left: int, most: int) -> int:
    """Return the log of the largest chunk that may come now: 0 if it is too short for a pass."""
    log = most
    while log > 0 and (done & ((1 << log) - 1) or 1 << log > left or 1 << log < PASS):
        log -= 1
    return log


@njit(cache=True, nogil=True, error_model="numpy")
def peaks(x: Array, peak: Array, room: Array, work: Array, levels: int, done: int) -> None:
    """Advance by a finite block x (K, F), mirrored sides; raise peak (F,).

    work: (WORK,), overwritten; room as in `_pyramid_tick_kernel`, which is `quick`.
    """
    count, features = x.shape
    par, flat, none = room[: HEAD + levels], x.reshape(-1), as_int(0)
    highest, row = 2 * ROWS * TILE, np.empty(TILE, dtype=np.float32)
    most = MOST_LOG if levels > MOST_LOG else levels - 1
    t = 0
    while t < count:
        log = _step(done + t, count - t, most)
        for start in range(0, features, TILE):
            n = TILE if features - start > TILE else features - start
            here, tile = t * features + start, start // TILE
            if log == 0:
                tick(flat, here, row, none, room, tile, n, par, features, done + t)
            else:
                for f in range(TILE):
                    work[highest + f] = peak[start + f] if f < n else par[0]
                ahead = TILE if start + TILE < features else (features << log) - start
                _chunk(
                    flat, here, log, n, room, tile, work, highest, par, features, ahead, done + t
                )
            for f in range(n):
                seen = row[f] if log == 0 else work[highest + f]
                peak[start + f] = seen if seen > peak[start + f] else peak[start + f]
        t += 1 << log
