"""Mean time to alarm of a Gaussian CUSUM from its integral equation, at any rarity.

S = max(0, S + U), alarm when S > h. A cycle runs from 0 until S is back at 0 or above h. With m the
mean length of a cycle and p the probability that it ends above h, ARL = m / p (E. S. Page,
Biometrika 41, 1954). p is solved for as q(s) = exp(theta (h - s)) p(s), theta the conjugate
exponent: q is of order 1 everywhere, so no digits are lost however rare the alarm, whereas the
usual equation of the ARL itself has a condition number of the order of the ARL.

Collocation on Gauss-Legendre panels. Clipping cuts the kernel and adds two atoms; panels end where
the solution jumps or kinks because of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from casemate.campaigns.rarity.law import SAFE_CLIP, Steps
from casemate.core.errors import InputError

Real = npt.NDArray[np.float64]

NODES = 16
"""Nodes of a panel; with `WIDTH` the Gaussian kernel is integrated to rounding."""
WIDTH = 2.0
"""Widest panel, in noises."""
LOST = 1e-9
"""Jumps of the solution smaller than this share of it get no end of a panel."""
MOST_PANELS = 150
"""Keeps the dense matrix small; generations of jumps beyond it are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cusum:
    """A CUSUM of residuals in noises: drift `k`, limit `h`, clip of the residual, one or two sides.

    Two sides run on the same residuals and share the limit; the first to pass it alarms.
    """

    k: float
    h: float
    clip: float = math.inf
    sides: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        Steps(k=self.k, clip=self.clip)
        if not (self.h >= 0.0 and math.isfinite(self.h)):
            raise InputError("a limit is finite and not below 0.", remedy="see threshold_for.",
                             key="h", value=self.h)  # fmt: skip


def arl(cusum: Cusum, shift: float = 0.0) -> float:
    """Return the mean number of samples to the alarm from S = 0, residuals N(shift, 1).

    Relative error below 1e-9 without clipping and 1e-6 with a clip of 3 or more, at any size; inf
    beyond the range of doubles (see `log_arl`).
    """
    log = log_arl(cusum, shift)
    return math.exp(log) if log < 709.0 else math.inf


def log_arl(cusum: Cusum, shift: float = 0.0) -> float:
    """Return ln of `arl`.

    Two sides: their rates add, exactly, for sides of equal k and h (C. S. van Dobben de Bruyn,
    Cumulative Sum Tests, 1968): when one alarms the other is at 0.
    """
    one = _one_side(cusum.k, cusum.h, cusum.clip, shift).log_arl
    if cusum.sides == 1:
        return one
    other = _one_side(cusum.k, cusum.h, cusum.clip, -shift).log_arl
    return float(-np.logaddexp(-one, -other))


def mean_delay(cusum: Cusum, shift: float) -> float:
    """Return the mean number of samples to the alarm if the shift is there from S = 0 on.

    The worst case over all pasts (G. Lorden, Annals of Mathematical Statistics 42, 1971).
    """
    return arl(cusum, shift)


def threshold_for(arl: float, k: float, clip: float = math.inf, sides: Literal[1, 2] = 1) -> float:
    """Return the limit h at which the ARL without a shift is `arl`, to 1e-9 of it.

    With a clip the ARL jumps by less than 1e-4 of itself at a few h; there the limit of the jump
    is returned. Raises InputError if `arl` is below that of h = 0 or beyond 1e300.
    """
    from scipy.optimize import brentq

    least = Cusum(k=k, h=0.0, clip=clip, sides=sides)
    if not log_arl(least) <= math.log(max(arl, 1e-300)) <= 690.0:
        raise InputError(
            "no limit gives this ARL.", remedy="ask for one between that of h = 0 and 1e300.",
            key="arl", value=arl,
        )  # fmt: skip

    def missed(h: float) -> float:
        return log_arl(replace(least, h=h)) - math.log(arl)

    theta = Steps(k=k, clip=clip).exponent()
    low, high = 0.0, math.log(arl * 2.0 * k * k + 3.0) / theta
    while missed(high) < 0.0:
        low, high = high, 1.2 * high + 0.1
    return float(brentq(missed, low, high, xtol=1e-10))


def siegmund(k: float, h: float) -> float:
    """Return D. Siegmund's approximation of the one-sided ARL (Sequential Analysis, 1985, 2.6)."""
    b = 2.0 * k * (h + 2.0 * 0.583)
    return (math.expm1(b) - b) / (2.0 * k * k)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one cycle of a one-sided CUSUM from 0 does: mean length, and ln of its alarm's share."""

    length: float
    log_p: float

    @property
    def log_arl(self) -> float:
        """Return ln of mean length over probability."""
        return math.log(self.length) - self.log_p


def cycle(cusum: Cusum, shift: float = 0.0) -> Cycle:
    """Return the exact cycle of one (upper) side, for what estimates its parts by simulation."""
    return _one_side(cusum.k, cusum.h, cusum.clip, shift)


@lru_cache(maxsize=512)
def _one_side(k: float, h: float, clip: float, shift: float) -> Cycle:
    # shift moves the window that is cut, so a clip is far off only if it is for both atoms
    steps = Steps(k=k, shift=shift, clip=clip if clip - abs(shift) < SAFE_CLIP else math.inf)
    theta = steps.exponent()
    if h == 0.0:
        return Cycle(length=1.0, log_p=math.log(float(_exit(steps, np.zeros(1), 0.0)[0])))
    edges = _edges(steps, h)
    nodes, weights = _panels(edges)
    rows = np.concatenate([nodes, [0.0]])
    kernel = _kernel(steps, edges, nodes, weights, rows)
    lengths = np.linalg.solve(np.eye(nodes.size) - kernel[:-1], np.ones(nodes.size))
    # q: the same kernel seen under the tilted law
    with np.errstate(over="ignore", invalid="ignore"):
        tilted = np.where(kernel == 0.0, 0.0, kernel * np.exp(theta * (nodes - rows[:, None])))
    out = _exit(steps, h - rows, theta)
    q = np.linalg.solve(np.eye(nodes.size) - tilted[:-1], out[:-1])
    q0 = float(out[-1] + tilted[-1] @ q)
    return Cycle(length=float(1.0 + kernel[-1] @ lengths), log_p=math.log(q0) - theta * h)


def _exit(steps: Steps, gap: Real, theta: float) -> Real:
    """Return exp(theta gap) P(U > gap) for gaps (n,)."""
    from scipy.special import log_ndtr

    found = np.exp(theta * gap + log_ndtr(steps.shift - steps.k - gap))
    return np.where(gap < steps.up, found, 0.0)


def _edges(steps: Steps, h: float) -> Real:
    """Return the ends of panels in [0, h]: where the solution jumps or kinks, and in between."""
    marks = {0.0, h}
    share = max(*steps.atoms, 1e-300)
    if math.isfinite(steps.clip):
        fresh, size = {h - steps.up, steps.down}, share
        while fresh and size > LOST and len(marks) < MOST_PANELS:
            fresh = {round(each, 12) for each in fresh if 1e-9 < each < h - 1e-9} - marks
            marks |= fresh
            fresh = {each - steps.up for each in fresh} | {each + steps.down for each in fresh}
            size *= share
    ends = sorted(marks)
    pieces = [
        np.linspace(a, b, max(1, math.ceil((b - a) / WIDTH)), endpoint=False)
        for a, b in zip(ends[:-1], ends[1:], strict=True)
    ]
    return np.concatenate([*pieces, [h]])


def _panels(edges: Real) -> tuple[Real, Real]:
    """Return nodes and weights (panels x NODES,)."""
    x, w = _gauss()
    half = np.diff(edges)[:, None] / 2.0
    middle = (edges[:-1] + edges[1:])[:, None] / 2.0
    return (middle + half * x).ravel(), (half * w).ravel()


def _kernel(steps: Steps, edges: Real, nodes: Real, weights: Real, rows: Real) -> Real:
    """Return the matrix (rows, nodes) that takes a function at the nodes to its mean after a step

    that ends in (0, h].
    """
    mean = steps.shift - steps.k
    move = nodes - rows[:, None]
    kernel = np.asarray(weights * np.exp(-0.5 * (move - mean) ** 2) / math.sqrt(2.0 * math.pi))
    if math.isinf(steps.clip):
        return kernel
    begin, end = rows - steps.down, rows + steps.up
    left, right = np.repeat(edges[:-1], NODES), np.repeat(edges[1:], NODES)
    kernel[(right <= begin[:, None]) | (left >= end[:, None])] = 0.0
    high, low = steps.atoms
    found = []
    for place, atom in ((begin, low), (end, high)):
        inside = np.flatnonzero((place > 0.0) & (place <= edges[-1]))
        panel = np.searchsorted(edges, place[inside], side="left") - 1
        columns = panel[:, None] * NODES + np.arange(NODES)
        # the panel that the window's end lies in: its density is integrated up to there only
        a = np.maximum(edges[panel], begin[inside])
        b = np.maximum(np.minimum(edges[panel + 1], end[inside]), a)
        x, w = _gauss()
        y = (a + b)[:, None] / 2.0 + (b - a)[:, None] / 2.0 * x
        away = y - rows[inside, None] - mean
        density = np.exp(-0.5 * away**2) / math.sqrt(2.0 * math.pi) * (b - a)[:, None] / 2.0 * w
        basis = _lagrange(nodes[columns], y)
        kernel[inside[:, None], columns] = np.einsum("rq,rqj->rj", density, basis)
        found.append((inside, columns, atom * _lagrange(nodes[columns], place[inside, None])[:, 0]))
    for inside, columns, share in found:  # after both, for they write a panel's weights anew
        kernel[inside[:, None], columns] += share
    return kernel


def _lagrange(nodes: Real, at: Real) -> Real:
    """Return the Lagrange polynomials of each row's nodes (R, NODES) at its points (R, Q):

    shape (R, Q, NODES), by the barycentric formula.
    """
    away = at[:, :, None] - nodes[:, None, :]
    hit = np.abs(away) < 1e-14
    share = _barycentric() / np.where(hit, 1.0, away)
    found = share / share.sum(axis=2, keepdims=True)
    return np.where(hit.any(axis=2, keepdims=True), hit.astype(np.float64), found)


@lru_cache(maxsize=1)
def _gauss() -> tuple[Real, Real]:
    x, w = np.polynomial.legendre.leggauss(NODES)
    return x, w


@lru_cache(maxsize=1)
def _barycentric() -> Real:
    x, w = _gauss()
    # of Gauss-Legendre points (H. Wang and S. Xiang, Mathematics of Computation 81, 2012)
    return np.asarray((-1.0) ** np.arange(NODES) * np.sqrt((1.0 - x * x) * w))
