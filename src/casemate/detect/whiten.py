"""What comes between an anchored residual and an unkeyed detector: whiten, batch, clip.

Coefficients come from the factory and are never learnt: a detector that fits its own null can be
taught to see nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from casemate.core.errors import InputError
from casemate.detect import _passive_kernel as kernel

Real = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factory:
    """A channel's autoregression, fixed at commissioning.

    coefficients (p,): x_t = sum over i of a_i x_{t-i} + innovation. innovation: its standard
    deviation, in the unit of x.
    """

    coefficients: tuple[float, ...]
    innovation: float
    taps: Real = field(init=False, repr=False, compare=False)
    """Of the filter that gives innovations, (p + 1,)."""

    def __post_init__(self) -> None:
        roots = np.roots(np.r_[1.0, -np.asarray(self.coefficients, dtype=np.float64)])
        if not self.innovation > 0.0 or np.any(np.abs(roots) >= 1.0):
            raise InputError(
                "an autoregression needs an innovation above 0 and roots inside the unit circle.",
                remedy="correct the factory's coefficients.",
                value=(self.coefficients, self.innovation),
            )
        taps = np.r_[1.0, -np.asarray(self.coefficients)] / self.innovation
        object.__setattr__(self, "taps", taps)


@dataclass(slots=True, kw_only=True)
class WhitenState:
    """Memory of the filter, shape (p, F)."""

    memory: Real

    def copy(self) -> WhitenState:
        """Return an independent copy."""
        return WhitenState(memory=self.memory.copy())


def start_whitening(factory: Factory, features: int) -> WhitenState:
    """Return a filter at rest."""
    return WhitenState(memory=np.zeros((len(factory.coefficients), features)))


def stand(factory: Factory, state: WhitenState, x: Real, which: npt.NDArray[np.bool_]) -> None:
    """Let channels `which` (F,) be as if x (F,) had stood there for as long as is remembered."""
    later = np.cumsum(np.asarray(factory.coefficients)[::-1])[::-1]
    state.memory[:, which] = -later[:, None] * x[which] / factory.innovation


def expected(factory: Factory, state: WhitenState) -> Real:
    """Return the next sample (F,) if it brought no innovation."""
    if not factory.coefficients:
        return np.zeros(state.memory.shape[1])
    return np.asarray(-state.memory[0] * factory.innovation)


def whiten_soundly(factory: Factory, state: WhitenState, x: Real, limit: float = 4.0) -> Real:
    """Return innovations (K, F), clipped; nan where x is.

    What is remembered of a sample is what its clipped innovation makes of it, of a missing one what
    was expected: one wild sample is one innovation at the limit, whatever its size.
    """
    if not factory.coefficients:
        return clip(x / factory.innovation, limit)
    memory, done = state.memory.copy(), np.empty(x.shape)
    kernel.soundly(
        np.ascontiguousarray(x), factory.taps, factory.innovation, limit, memory, done
    )  # fmt: skip
    state.memory = memory
    return done


def whiten(factory: Factory, state: WhitenState, x: Real) -> Real:
    """Return innovations in units of their standard deviation, shape (K, F) as x."""
    if not factory.coefficients:
        return np.asarray(x / factory.innovation)
    taps = factory.taps
    if x.shape[0] == 1:  # the same sums in the same order, without what lfilter costs a call
        memory, now = state.memory, x[0]
        made = taps[1:, None] * now
        made[:-1] += memory[1:]
        state.memory, done = made, taps[0] * x + memory[:1]
        return np.asarray(done, dtype=np.float64)
    done, state.memory = lfilter(taps, [1.0], x, axis=0, zi=state.memory)
    return np.asarray(done, dtype=np.float64)


@dataclass(slots=True, kw_only=True)
class BatchState:
    """The part of a batch that is not full yet, shape (j, F) with j < size."""

    size: int
    rest: Real

    def copy(self) -> BatchState:
        """Return an independent copy."""
        return BatchState(size=self.size, rest=self.rest.copy())


def start_batches(size: int, features: int) -> BatchState:
    """Return batches of `size` samples, none begun."""
    if size < 1:
        raise InputError("a batch holds no sample.", remedy="give a size of 1 or more.", value=size)
    return BatchState(size=size, rest=np.empty((0, features)))


def batch(state: BatchState, x: Real) -> Real:
    """Return sums of whole batches over the root of their size, shape (full batches, F).

    White noise of variance 1 stays that; what forgets within a batch becomes nearly white.
    """
    joined = np.concatenate([state.rest, x])
    full = joined.shape[0] // state.size
    state.rest = joined[full * state.size :].copy()
    whole = joined[: full * state.size].reshape(full, state.size, joined.shape[1])
    return np.asarray(whole.sum(axis=1) / np.sqrt(state.size))


def clip(x: Real, limit: float = 4.0) -> Real:
    """Return x within -limit .. limit: a signed value's moments never grow by that."""
    return np.clip(x, -limit, limit)
