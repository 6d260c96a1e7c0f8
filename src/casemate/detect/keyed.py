"""The keyed e-detector: evidence that the response to a secret challenge has changed.

A chip's sign times its residual is drift plus interference with a fair sign. Whatever the
interference, a bet e = 1 + f(lambda (c r - eps)) with f odd, rising and at most 1 has mean at most
1 as long as the drift is at most eps. So evidence grows by tamper alone: with an alarm at A the
mean time to a false alarm is at least A chips, and P(false alarm within n chips) <= n / A, under
any injection that does not know a chip before it is over. Proofs, assumptions, and where they end:
docs/decisions/0011-detectors-with-guarantees.md, section 1.

A value beyond what a reader measures linearly is given as an infinity with its sign, never as
missing: a reading that is lost on one side only would follow the chip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.detect import _aligned
from casemate.detect import _keyed_kernel as kernel

Real = npt.NDArray[np.float64]
Single = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex128]
FLOAT = np.dtype(np.float32)
"""Of the machine's own order of bytes, of which there is one object."""


@dataclass(slots=True, kw_only=True)
class KeyedState:
    """Where a detector of F `features` stands; `advance` moves it on.

    chips: how many were given, gaps included.
    """

    features: int
    chips: int
    _room: Single

    def copy(self) -> KeyedState:
        """Return an independent copy."""
        return KeyedState(features=self.features, chips=self.chips, _room=_aligned.copy(self._room))

    @property
    def processes(self) -> Single:
        """Return Shiryaev-Roberts values R of six bets and two signs, in tiles of channels."""
        return self._room[: self._wide * kernel.PROCESSES]

    @property
    def gain(self) -> Single:
        """Return one over the followed median of |x|, (F,)."""
        first = self._wide * kernel.PROCESSES
        return self._room[first : first + self.features]

    @property
    def tolerance(self) -> Single:
        """Return the drift that is allowed, (F,): in x's scale, a little more than asked for."""
        first = self._wide * (kernel.PROCESSES + 1)
        return self._room[first : first + self.features]

    @property
    def _wide(self) -> int:
        return -(-self.features // kernel.TILE) * kernel.TILE

    def each(self) -> Single:
        """Return the processes, shape (2 signs, 6 bets, F)."""
        size = self.features
        tiles = self.processes.reshape(-1, kernel.PROCESSES, kernel.TILE)
        flat = tiles.transpose(1, 0, 2).reshape(kernel.PROCESSES, -1)[:, :size]
        return flat.reshape(2, kernel.SCALES, size).copy()


def start(tolerance: npt.ArrayLike) -> KeyedState:
    """Return a detector at rest for F features.

    tolerance (F,): the largest |drift| of c r that is allowed, in the unit of x, finite and >= 0.

    Raises InputError for a tolerance that is negative or not a number.
    """
    asked = np.atleast_1d(np.asarray(tolerance, dtype=np.float64))
    if asked.ndim != 1 or not np.all(np.isfinite(asked) & (asked >= 0.0)):
        raise InputError(
            "a tolerance of the keyed detector is negative, or no number.",
            remedy="give one finite drift >= 0 per feature, shape (F,).",
        )
    wide = np.nextafter((asked * (1.0 + 2.0**-20)).astype(np.float32), np.float32(np.inf))
    room = _aligned.zeros(kernel.room_size(asked.size))
    state = KeyedState(features=asked.size, chips=0, _room=room)
    state.gain[:] = 1.0
    state.tolerance[:] = np.where(asked == 0.0, np.float32(0.0), wide)
    return state


def keyed(drive: Complex, residual: Real | Complex, scale: npt.ArrayLike) -> Single:
    """Return x = Re(conj(c) r) / scale, shape (K, F); NaN where the chip is silent or r is NaN.

    drive (K,): chips, of a constellation that holds -c with every c. residual (K, F), real or
    complex. scale (F,): fixed, from the anchor. Quadrature: give 1j * drive.
    """
    product = drive.real[:, None] * residual.real
    if np.iscomplexobj(residual):
        product += drive.imag[:, None] * residual.imag
    product = product / np.asarray(scale)
    product[drive == 0.0] = np.nan
    return np.asarray(product, dtype=np.float32)


def advance(state: KeyedState, x: Single, out: Single | None = None) -> Single:
    """Advance by K chips; return the evidence M after each chip, shape (K, F).

    x (K, F) float32: `keyed`. NaN leaves a feature as it was and does not count as a chip. Any
    split of a stream into blocks gives the same numbers. M is the mean of the processes, capped
    near 2^100 (69 nats). out: where to put the evidence, to spare an allocation per tick; with one
    row it takes that after the last chip alone.
    """
    known = x.dtype is FLOAT or x.dtype == FLOAT
    if not known or x.ndim != 2 or x.shape[1] != state.features:
        raise InputError(
            "a block of keyed chips needs shape (chips, features) and float32.",
            remedy="make it with casemate.detect.keyed.keyed.",
            value=(x.shape, str(x.dtype), state.features),
        )
    seen = np.empty(x.shape, dtype=np.float32) if out is None else out
    if seen.dtype != FLOAT or seen.shape not in (x.shape, (1, state.features)):
        raise InputError(
            "room for the evidence of a block has its shape, or one row, and float32.",
            remedy="make it with numpy.empty_like of the block.",
            value=(seen.shape, str(seen.dtype)),
        )
    if x.flags.c_contiguous and seen.flags.c_contiguous:
        kernel.advance(x, seen, state._room, state.chips)
    else:
        dense = np.empty(seen.shape, dtype=np.float32)
        kernel.advance(np.ascontiguousarray(x), dense, state._room, state.chips)
        seen[...] = dense
    state.chips += x.shape[0]
    return seen


def fused(evidence: Single) -> Real:
    """Return the mean over features, shape (K,): valid whatever the features' dependence."""
    return np.asarray(np.mean(evidence, axis=1, dtype=np.float64))
