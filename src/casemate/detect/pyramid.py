"""A dyadic pyramid of CUSUMs: shifts of any size and length, from one sample to a year.

Level l sums 2^l samples, divides by sqrt(2^l) and runs a two-sided CUSUM of drift 1/2 on that;
level 0 has drifts 1.25 and 3.5 besides, for what jumps. A level costs as many updates as it has
samples, so any number of levels costs twice one.

Evidence is in nats: S = max(0, S + 2 k z - 2 k^2), so exp(S) is below the Shiryaev-Roberts value of
the same e-values exp(2 k z - 2 k^2). The score of a channel is the largest S + ln(2^l / C) of its C
components: with an alarm at a score of ln A, P(false alarm within n samples) <= n / A whenever
E exp(2 k z - 2 k^2) <= 1 given the past, without a word on dependence of levels. Proof:
docs/decisions/0011-detectors-with-guarantees.md, section 3. For keyed z that holds under any
injection; for whitened series it holds as far as they are sub-Gaussian with variance 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.detect import _aligned
from casemate.detect import _pyramid_block_kernel as block_kernel
from casemate.detect import _pyramid_kernel as kernel
from casemate.detect import _pyramid_tick_kernel as tick_kernel

Single = npt.NDArray[np.float32]

DRIFTS = (0.5, 1.25, 3.5)
"""Of level 0; higher levels have the first, and octaves of length make octaves of shift.

Measured against exact FOCuS at equal ARL of 1e5: with 2 and 4 instead, a shift of 2 sigma took 1.26
times as long; with these no shift from 0.05 to 8 sigma takes more than 1.1 times.
"""
MOST_LEVELS = kernel.MOST_LEVELS
"""Level 35 of 1 ms is 1.1 years."""
CLIP = 4.0
"""Sigma, for whitened series: tails cost decades of ARL, a limit of 4 a little delay."""
ROUNDING = 2.0**-15
"""Nats taken off every update in float32, more than its rounding can add (decision 11)."""
NO_SCORE = -1e30
_MOST = float(np.finfo(np.float32).max)
FLOAT = np.dtype(np.float32)
"""Of the machine's own order of bytes, of which there is one object."""


@dataclass(slots=True, kw_only=True)
class PyramidState:
    """Where a pyramid stands; `advance` moves it on. samples: how many it was given.

    Evidence, held half-pairs and best scores lie in tiles of channels, all in one array; read them
    with `evidence`.
    """

    features: int
    levels: int
    samples: int
    sided: bool
    _room: Single

    def copy(self) -> PyramidState:
        """Return an independent copy."""
        return PyramidState(
            features=self.features,
            levels=self.levels,
            samples=self.samples,
            sided=self.sided,
            _room=_aligned.copy(self._room),
        )

    def _part(self, which: int, *shape: int) -> Single:
        place = kernel.places.py_func(self.features, self.levels)
        return np.asarray(self._room[place[which] : place[which + 1]].reshape(-1, *shape))

    @property
    def _par(self) -> Single:
        """Return what kernels are told, (HEAD + L,)."""
        return self._room[: kernel.HEAD + self.levels]

    @property
    def _ground(self) -> Single:
        """Return evidence of level 0, (tiles, 2 sides, drifts, TILE)."""
        return self._part(0, 2, len(DRIFTS), kernel.TILE)

    @property
    def _sums(self) -> Single:
        """Return evidence of all levels, (tiles, L, 2 sides, TILE), of which level 0 is unused."""
        return self._part(1, self.levels, 2, kernel.TILE)

    @property
    def _held(self) -> Single:
        """Return samples that wait for a second one, (tiles, L, 2 sides, TILE)."""
        return self._part(2, self.levels, 2, kernel.TILE)

    @property
    def _best(self) -> Single:
        """Return the best score of each level and those above it, (tiles, L + 1, TILE)."""
        return self._part(3, self.levels + 1, kernel.TILE)

    def evidence(self) -> Single:
        """Return S in nats, shape (levels + 2, 2 sides, F): level 0 by drift, then levels 1 on."""
        ground = self._ground.transpose(2, 1, 0, 3)
        above = self._sums.transpose(1, 2, 0, 3)[1:]
        both = np.concatenate([ground, above]).reshape(self.levels + 2, 2, -1)
        return np.asarray(both[:, :, : self.features]).copy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best component of each channel, arrays (F,).

    nats: its S. level: its level. drift: its drift in sigma of the level. side: 1 up, -1 down.
    score: what is held against ln A.
    """

    nats: Single
    score: Single
    level: npt.NDArray[np.int64]
    drift: Single
    side: npt.NDArray[np.int64]


def start(
    features: int,
    levels: int,
    *,
    clip: float = CLIP,
    sided: bool = False,
) -> PyramidState:
    """Return a pyramid at rest.

    levels: 1 to MOST_LEVELS; the longest sum is 2^(levels - 1) samples. clip: largest |z| that
    counts, math.inf for self-normalised sums. sided: z comes for each side by itself, as with a
    slack; else the lower side takes -z.

    Raises InputError for sizes that make no pyramid.
    """
    if not (1 <= levels <= MOST_LEVELS and features >= 1 and clip > 0.0):
        raise InputError(
            f"a pyramid has 1 to {MOST_LEVELS} levels, at least one channel and a positive clip.",
            remedy="correct its sizes.",
            value=(features, levels, clip),
        )
    room = _aligned.zeros(kernel.places.py_func(features, levels)[-1] + 4 * kernel.TILE)
    room[: kernel.HEAD + levels] = _parameters(levels, clip, sided)
    state = PyramidState(features=features, levels=levels, samples=0, sided=sided, _room=room)
    state._best[...] = NO_SCORE
    return state


def advance(
    state: PyramidState, up: Single, down: Single | None = None, out: Single | None = None
) -> Single:
    """Advance by K samples; return the score after each, shape (K, F).

    up (K, F) float32: z. down: z of the other side, if the pyramid is sided. NaN:
    this channel lacks this sample, its evidence stays. Any split into blocks gives the same
    numbers. A score up to `least_alarm` says nothing: evidence of 0 counts with its level's weight.
    """
    if (down is not None) != state.sided:
        raise InputError(
            "this pyramid was not started for as many sides as it is given.",
            remedy="give `down` if, and only if, it was started with sided=True.",
        )
    up = _dense(state, up)
    seen = np.empty(up.shape, dtype=np.float32) if out is None else out
    if seen.dtype != FLOAT or seen.shape != up.shape:
        raise InputError(
            "room for the scores of a block has its shape and float32.",
            remedy="make it with numpy.empty_like of the block.",
            value=(seen.shape, str(seen.dtype)),
        )
    into = seen if seen.flags.c_contiguous else np.empty(up.shape, dtype=np.float32)
    if down is None:
        tick_kernel.advance(up, into, state._room, state.levels, state.samples)
    else:
        down = _dense(state, down, up.shape)
        kernel.advance(up, down, False, into, state._room, state.levels, state.samples)
    if into is not seen:
        seen[...] = into
    state.samples += up.shape[0]
    return seen


def _dense(state: PyramidState, x: Single, shape: tuple[int, ...] | None = None) -> Single:
    """Return x, C-contiguous; raise InputError unless it is (K, F), of `shape` if given."""
    known = x.dtype is FLOAT or x.dtype == FLOAT
    if not known or x.ndim != 2 or x.shape[1] != state.features or (shape and x.shape != shape):
        raise InputError(
            "a block of the pyramid needs shape (samples, channels) and float32.",
            remedy="give z as float32 for the channels it was started with.",
            value=(x.shape, str(x.dtype), state.features),
        )
    return x if x.flags.c_contiguous else np.ascontiguousarray(x)


def peaks(state: PyramidState, x: Single) -> Single:
    """Advance by K samples; return the highest score since where the block began, shape (F,).

    x (K, F) float32. The state is that of `advance` to the bit, several times as fast; where a peak
    passes the alarm, a copy from before the block finds the sample. Blocks with gaps, and sided
    pyramids, take the way of `advance`.
    """
    before, x = _score(state), _dense(state, x)
    quick = not state.sided and tick_kernel.quick(state._par)
    if not (quick and kernel.finite(x, np.float32(0.0))):
        return np.asarray(np.maximum(before, advance(state, x).max(axis=0, initial=NO_SCORE)))
    work = _aligned.zeros(block_kernel.WORK)
    block_kernel.peaks(x, before, state._room, work, state.levels, state.samples)
    state.samples += x.shape[0]
    return before


def wipe(state: PyramidState, which: npt.NDArray[np.bool_]) -> None:
    """Let channels `which` (F,) begin anew without evidence: a stop, valid at any time."""
    at = np.flatnonzero(which)
    tile, own = at // kernel.TILE, at % kernel.TILE
    state._ground[tile, :, :, own] = 0.0
    state._sums[tile, :, :, own] = 0.0
    state._held[tile, :, :, own] = 0.0
    state._best[tile, :, own] = NO_SCORE


def _score(state: PyramidState) -> Single:
    rows = state._ground.max(axis=(1, 2))
    both = np.maximum(rows + state._par[3], state._best[:, 1])
    return np.asarray(both.reshape(-1)[: state.features]).copy()


def least_alarm(levels: int) -> float:
    """Return the score, in nats, that no evidence at all has: alarms lie above it."""
    return float(weights(levels)[-1])


def weights(levels: int) -> npt.NDArray[np.float64]:
    """Return ln(2^l / C) per level, shape (levels,): what a level's evidence counts with."""
    components = 2 * (levels + len(DRIFTS) - 1)
    return np.asarray(np.arange(levels) * math.log(2.0) - math.log(components), dtype=np.float64)


def best(state: PyramidState) -> Best:
    """Return which component leads in each channel, and with how much."""
    found = state.evidence()
    level = np.r_[np.zeros(len(DRIFTS), dtype=np.int64), np.arange(1, state.levels)]
    drift = np.r_[np.array(DRIFTS), np.full(state.levels - 1, DRIFTS[0])]
    scored = found + weights(state.levels)[level][:, None, None]
    flat = scored.reshape(-1, state.features)
    lead = np.argmax(flat, axis=0)
    at = np.arange(state.features)
    return Best(
        nats=found.reshape(-1, state.features)[lead, at],
        score=flat[lead, at],
        level=level[lead // 2],
        drift=drift[lead // 2],
        side=1 - 2 * (lead % 2),
    )


def _parameters(levels: int, clip: float, sided: bool) -> Single:
    """Return what kernels are told, (HEAD + L,)."""
    sign, weight, drifts = 1.0 if sided else -1.0, weights(levels), np.array(DRIFTS)
    head = [0.0, min(clip, _MOST), sign, weight[0], math.sqrt(0.5), 0.0]
    row = np.concatenate([head, 2.0 * drifts, 2.0 * drifts**2 + ROUNDING, weight])
    return np.asarray(row, dtype=np.float32)
