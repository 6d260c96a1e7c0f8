"""Mean time to alarm of a CUSUM whose input comes in steps, as a converter's codes do.

S lives on a lattice, so it is a Markov chain and its ARL a linear system (D. Brook and D. A. Evans,
Biometrika 59, 1972), solved for one cycle and under the tilted law as in `exact`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from casemate.campaigns.rarity.exact import Real
from casemate.core.errors import InputError

MOST_STATES = 6_000
"""A dense matrix of 300 MB."""


def lattice_arl(first: int, probabilities: npt.ArrayLike, limit: int) -> float:
    """Return the mean number of samples until S = max(0, S + J) > limit, from S = 0.

    J takes `first`, `first` + 1, ... with `probabilities` (n,), which sum to 1; its mean is below
    0 and some J are above 0. All in units of the lattice. Relative error about 1e-12 at any size.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    moves = first + np.arange(p.size)
    if (
        p.ndim != 1 or bool((p < 0.0).any()) or abs(float(p.sum()) - 1.0) > 1e-9
        or float(p @ moves) >= 0.0 or not bool(p[moves > 0].any()) or not 1 <= limit <= MOST_STATES
    ):  # fmt: skip
        raise InputError(
            "steps need probabilities that sum to 1, a mean below 0, some steps above 0, and a "
            f"limit of 1 to {MOST_STATES}.",
            remedy="take the drift k off the codes first, or a coarser lattice.",
            value=(first, p.size, limit),
        )
    theta = _exponent(moves, p)
    length = float(1.0 + _row(moves, p, limit) @ _solved(moves, p, np.ones(limit)))
    tilted = p * np.exp(theta * moves)
    # q(s) = exp(theta (limit - s)) P(alarm from s)
    gaps = limit - np.arange(limit + 1)
    beyond = moves[None, :] > gaps[:, None]
    out = np.where(beyond, p * np.exp(theta * gaps[:, None]), 0.0).sum(axis=1)
    q0 = out[0] + _row(moves, tilted, limit) @ _solved(moves, tilted, out[1:])
    log = math.log(length) - math.log(float(q0)) + theta * limit
    return math.exp(log) if log < 709.0 else math.inf


def coded(edges: npt.ArrayLike) -> Real:
    """Return the probabilities of a standard normal between `edges` (n - 1,) rising: shape (n,)."""
    from scipy.special import ndtr

    z = np.asarray(edges, dtype=np.float64)
    whole = np.concatenate([[-np.inf], z, [np.inf]])
    a, b = whole[:-1], whole[1:]
    # in the upper tail by its mirror image, for there 1 - ndtr loses digits
    return np.asarray(np.where(a > 0.0, ndtr(-a) - ndtr(-b), ndtr(b) - ndtr(a)))


def _exponent(moves: npt.NDArray[np.int64], p: Real) -> float:
    from scipy.optimize import brentq
    from scipy.special import logsumexp

    def log_moment(theta: float) -> float:
        return float(logsumexp(theta * moves, b=p))

    far = 1e-6
    while log_moment(far) <= 0.0:
        far *= 2.0
    near = far / 2.0
    while log_moment(near) >= 0.0:
        near /= 2.0
    return float(brentq(log_moment, near, far, xtol=1e-16, rtol=1e-14))


def _row(moves: npt.NDArray[np.int64], p: Real, limit: int) -> Real:
    """Return the probabilities of going from 0 to 1 .. limit."""
    there = np.zeros(limit)
    kept = (moves >= 1) & (moves <= limit)
    there[moves[kept] - 1] = p[kept]
    return there


def _solved(moves: npt.NDArray[np.int64], p: Real, right: Real) -> Real:
    """Return x (limit,) with x = right + (steps within 1 .. limit) x: a Toeplitz system."""
    from scipy.linalg import toeplitz

    n = right.size
    by_move = np.zeros(2 * n - 1)
    kept = np.abs(moves) < n
    by_move[moves[kept] + n - 1] = p[kept]
    matrix = np.eye(n) - toeplitz(by_move[n - 1 :: -1], by_move[n - 1 :])
    return np.asarray(np.linalg.solve(matrix, right))
