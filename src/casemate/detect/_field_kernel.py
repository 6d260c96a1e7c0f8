"""Compiled half of `field` and of `blocks.FieldFilling`: a cavity's block, L links of T tones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from casemate.detect._evidence_kernel import advance

TINY = 1e-300
"""What a norm is at least where something is divided by it."""
ROWS = 3
"""Of figures that a block fills: power beside the challenge, its degrees of freedom, and off."""


@njit(cache=True, error_model="numpy")
def close(
    heard: Any, count: Any, power: Any, quiet: Any, blurred: Any, unit: Any, mean: Any,
    scatter: Any, silent: Any, lost: Any,
) -> int:  # fmt: skip
    """Fill mean (L, T), scatter (L, T, 3), silent (2, L) and lost (L,) of `field.Block`.

    heard (L, T, V) and what follows: of `FieldFilling`. unit (L,): noise of a part. Return how many
    answers of every tone count: as many as the link's poorest tone has, of links that have any.
    """
    links, tones = count.shape
    loud = np.iinfo(np.int64).max
    for link in range(links):
        least = count[link].min()
        lost[link] = blurred[link] or least == 0
        if not lost[link] and least < loud:
            loud = least
    loud = 0 if lost.all() else loud
    most = loud if loud > 1 else 1
    for link in range(links):
        for t in range(tones):
            one = heard[link, t, 0]
            for v in range(1, most):
                one += heard[link, t, v]
            re, im = one.real / most, one.imag / most
            a, b, c = 0.0, 0.0, 0.0
            for v in range(most):
                x, y = heard[link, t, v].real - re, heard[link, t, v].imag - im
                a, b, c = a + x * x, b + x * y, c + y * y
            mean[link, t] = complex(re, im)
            scatter[link, t, 0], scatter[link, t, 1], scatter[link, t, 2] = a, b, c
        some = not lost[link] and quiet[link] > 0.0
        silent[0, link] = power[link] / quiet[link] / unit[link] ** 2 if some else 0.0
        silent[1, link] = quiet[link] if not lost[link] else 0.0
    return loud


@njit(cache=True, error_model="numpy")
def is_finite(mean: Any, scatter: Any, quiet_power: Any, quiet: Any) -> bool:
    """Return whether all of a block is."""
    odd = 0
    for link in range(quiet.size):
        odd |= int(not abs(quiet_power[link]) < np.inf) | int(not abs(quiet[link]) < np.inf)
        for t in range(mean.shape[1]):
            one, total = mean[link, t], scatter[link, t, 0] + scatter[link, t, 1]
            total += scatter[link, t, 2]
            odd |= int(not abs(one.real) + abs(one.imag) < np.inf) | int(not abs(total) < np.inf)
    return odd == 0


@njit(cache=True, error_model="numpy")
def norm(row: Any) -> float:
    """Return the root mean square over tones of row (2 T,)."""
    total = 0.0
    for t in range(row.size):
        total += row[t] * row[t]
    return math.sqrt(total / (row.size // 2))


@njit(cache=True, error_model="numpy")
def along_shapes(flat: Any, shapes: Any, out: Any) -> None:
    """Fill out (2 T,) with what of flat (2 T,) lies along shapes (S, 2 T)."""
    out[:] = 0.0
    for s in range(shapes.shape[0]):
        share = 0.0
        for t in range(flat.size):
            share += flat[t] * shapes[s, t]
        for t in range(flat.size):
            out[t] += share * shapes[s, t]


@njit(cache=True, error_model="numpy")
def parts(mean: Any, field: Any, size: float, shapes: Any, left: Any, shaped: Any) -> None:
    """Fill left and shaped (2 T,), relative: what is left, and what gain and stretch alone do."""
    tones = mean.size
    for t in range(tones):
        off = mean[t] - field[t]
        left[t], left[tones + t] = off.real / size, off.imag / size
    along_shapes(left, shapes, shaped)
    for t in range(2 * tones):
        left[t] -= shaped[t]


@njit(cache=True, error_model="numpy")
def weigh(
    v: Any, left: Any, about: Any, turned: Any, scatter: Any, loud: int, size: float, noise: float,
    slack: float, eta: float, up: Any, energy: Any,
) -> None:  # fmt: skip
    """Fill up and energy (2,) of one link for one test, along v (2 T,).

    left less about, and turned (2 T,): as `FieldBank.add` has them. scatter (T, 3): of the block.
    """
    tones = scatter.shape[0]
    chips, unit = loud * tones, 1.0 / (size * size)
    total, square, spread, length, peak = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(tones):
        re, im = v[t], v[tones + t]
        x, y = left[t] - about[t], left[tones + t] - about[tones + t]
        total += re * x + im * y
        part = re * (x + turned[t]) + im * (y + turned[tones + t])
        square += part * part
        spread += (re * re * scatter[t, 0] + 2.0 * re * im * scatter[t, 1]) * unit
        spread += im * im * scatter[t, 2] * unit
        both = re * re + im * im
        length += both
        peak = both if both > peak else peak
    if not length > 0.0:
        return
    square = loud * square + spread
    root = math.sqrt(square if square > 0.0 else 0.0)
    scale = noise * math.sqrt(chips if chips > 1 else 1)
    wide = (root + math.sqrt(chips) * math.sqrt(peak) * eta) / scale
    up[0] = (loud * total - chips * slack) / scale
    up[1] = (-loud * total - chips * slack) / scale
    energy[0] = energy[1] = wide * wide


@njit(cache=True, error_model="numpy")
def choose(v: Any, left: Any, about: Any, shapes: Any, keep: float, most: float, room: Any) -> None:
    """Turn v (2 T,) to the next block's direction: norm 1 at most, hardly a tone above `most`.

    room (2, 2 T): overwritten.
    """
    turned, shaped = room[0], room[1]
    tones = v.size // 2
    for t in range(v.size):
        shaped[t] = left[t] - about[t]
    kept = keep * norm(shaped)
    for t in range(v.size):
        turned[t] = kept * v[t] + shaped[t]
    for _ in range(3):
        size = norm(turned)
        size = size if size > TINY else TINY
        for t in range(tones):
            x, y = turned[t] / size, turned[tones + t] / size
            tall = math.sqrt(x * x + y * y)
            cut = most / (tall if tall > TINY else TINY)
            cut = cut if cut < 1.0 else 1.0
            turned[t], turned[tones + t] = x * cut, y * cut
    along_shapes(turned, shapes, shaped)
    for t in range(v.size):
        v[t] = turned[t] - shaped[t]


@njit(cache=True, error_model="numpy")
def follow(
    left: Any, shaped: Any, share: float, most: float, bound: float, state: Any, shift: Any
) -> None:
    """Move state and shift (2 T,) of one link towards a block, by `most` at most."""
    square, tones = 0.0, state.size // 2
    for t in range(state.size):
        one, other = share * (left[t] - state[t]), share * (shaped[t] - shift[t])
        square += one * one + other * other
    size = math.sqrt(square / tones)
    part = most / (size if size > TINY else TINY)
    part = share * (part if part < 1.0 else 1.0)
    for t in range(state.size):
        state[t] += part * (left[t] - state[t])
        shift[t] += part * (shaped[t] - shift[t])
    tall = norm(state)
    shrink = bound / (tall if tall > TINY else TINY)
    if shrink < 1.0:
        for t in range(state.size):
            state[t] *= shrink


@njit(cache=True, error_model="numpy")
def doubted(doubt: float, now: float, share: float, natural: float, bound: float) -> float:
    """Return a link's doubt after a block whose mean may be off by `now` more than in quiet."""
    goes, most = (1.0 - share) * doubt + share * now, doubt + 2.0 * natural
    goes = goes if goes < most else most
    return goes if goes < 2.0 * bound else 2.0 * bound


@njit(cache=True, error_model="numpy")
def follow_all(
    left: Any, shaped: Any, share: float, natural: float, step: Any, bound: Any, state: Any,
    shift: Any, doubt: Any,
) -> None:  # fmt: skip
    """Move states of all links towards what stands without noise, left and shaped (L, 2 T)."""
    for link in range(doubt.size):
        one = step[link] * natural
        far = one + share * doubt[link]
        follow(left[link], shaped[link], share, far, bound[link], state[link], shift[link])
        doubt[link] = doubted(doubt[link], 0.0, share, one, bound[link])


@njit(cache=True, error_model="numpy")
def beside(scatter: Any, silent: float, quiet: float, free: float, unit: float) -> Any:
    """Return power beside the challenge over noise, and its degrees of freedom."""
    spread = 0.0
    for t in range(scatter.shape[0]):
        spread += scatter[t, 0] + scatter[t, 2]
    count = free + quiet
    return (spread / unit + silent * quiet) / count if count > 0.0 else 0.0, count


@njit(cache=True, error_model="numpy")
def turn(
    mean: Any, scatter: Any, loud: int, quiet_power: Any, quiet: Any, lost: Any, field: Any,
    shapes: Any, size: Any, noise: Any, bound: Any, step: Any, state: Any, shift: Any, along: Any,
    doubt: Any, heard: Any, restless: float, louder: float, fades: float, keep: float, most: float,
    share: float, natural: float, count: int, rates: Any, level: Any, r_a: Any, held_a: Any,
    spent_a: Any, tails_a: Any, r_s: Any, held_s: Any, spent_s: Any, tails_s: Any, rows: Any,
    at_bound: Any,
) -> None:  # fmt: skip
    """Take in one block: both tests' evidence, their directions, and states, all in place.

    restless: root of the share of noise that is calm. natural: share of `step` that a state may
    move in a block. rows (ROWS, L), at_bound (L,): filled.
    """
    links, tones = mean.shape
    up, energy = np.zeros((2, 2, links)), np.zeros((2, 2, links))
    room, none = np.empty((5, 2 * tones)), np.zeros(2 * tones)
    left, shaped, turned = room[0], room[1], room[2]
    for link in range(links):
        unit = (noise[link] * size[link]) ** 2
        free = 2.0 * (loud - 1 if loud > 1 else 0) * tones
        power, rows[1, link] = beside(scatter[link], quiet_power[link], quiet[link], free, unit)
        rows[0, link], rows[2, link] = power, np.nan
        usual, before = step[link] * natural, doubt[link]
        if lost[link]:
            rows[0, link], rows[1, link] = 0.0, 0.0
        if lost[link] or loud <= 0:
            goes = before + usual
            doubt[link] = goes if goes < 2.0 * bound[link] else 2.0 * bound[link]
        else:
            parts(mean[link], field[link], size[link], shapes[link], left, shaped)
            rows[2, link] = norm(left)
            for t in range(2 * tones):
                turned[t] = shaped[t] - shift[link, t]
            sudden = step[link] + before
            for test in range(2):
                about = none if test == 0 else state[link]
                slack = bound[link] if test == 0 else sudden
                eta = math.hypot(bound[link], sudden) if test == 0 else sudden
                weigh(
                    along[test, link], left, about, turned, scatter[link], loud, size[link],
                    noise[link], slack, eta, up[test, :, link], energy[test, :, link],
                )  # fmt: skip
                choose(along[test, link], left, about, shapes[link], keep, most, room[3:])
            over = math.sqrt(power) - restless
            now = louder * noise[link] * (over if over > 0.0 else 0.0) / math.sqrt(loud)
            now = now if now > fades * heard[link] else fades * heard[link]
            heard[link] = now
            far = usual + (share * before if now <= before else 0.0)
            follow(left, shaped, share, far, bound[link], state[link], shift[link])
            doubt[link] = doubted(before, now, share, usual, bound[link])
        at_bound[link] = norm(state[link]) >= bound[link]
    advance(r_a, held_a, spent_a, tails_a, count, up[0], energy[0], rates, level)
    advance(r_s, held_s, spent_s, tails_s, count, up[1], energy[1], rates, level)
