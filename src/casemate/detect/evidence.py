"""Keyed evidence of a change, window by window, whose false alarms are bounded for any injection.

With x_t = c_t r_t over the n loud chips of a window, x_t = d_t + c_t w_t: drift d_t <= m, which
may know all, and interference w_t, which may depend on all before chip t but not on its sign. m was
chosen by earlier windows. Then

    e = exp(l sum (x_t - m) - l^2/2 sum (x_t - m)^2),  l >= 0

has mean at most 1. It is the product over chips of f(x_t - m), f(y) = exp(l y - l^2 y^2 / 2), which
rises up to y = 1/l. Given the past and u = |w_t|, y is at most u with one sign and at most -u with
the other. If l u <= 1 the mean of f is at most that of f(u) and f(-u), cosh(l u) exp(-l^2 u^2/2)
<= 1. Else it is at most that of f(1/l) and f(-1/l), (exp(1/2) + exp(-3/2))/2 = 0.94. So drift must
be bounded on the side that is tested alone, and the test is as sharp as if m were the truth: what
drift may do by itself costs the sum, and nothing of the energy.

The mean of the product over windows is at most 1 too, whatever was injected. A grid of l, in units
of one over the quiet noise of a window, finds weak changes and strong ones, in quiet and in noise:
a change far above all noise brings n/2 nats at the right l, three quarters of that at half of it.

A member of the grid is a CUSUM R = max(R, 1) e, at most what Shiryaev-Roberts' R = (1 + R) e would
be; and that minus the windows so far is a supermartingale. So P(mean of R ever reaches A within n
windows) <= n/A, for means over signs, grid, levels and features, under any dependence between
them. (Shiryaev-Roberts itself grows with time where nothing happens, for at the smallest l every e
is almost 1: after a day each feature would stand at ten nats.) Level l takes 2^l windows at once.
Windows without a loud chip count as time and add nothing. docs/decisions/0015 has the assumptions
and where they fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.units import YEAR_S
from casemate.detect._evidence_kernel import nats_of, sum_up

Real = npt.NDArray[np.float64]
FAST = (1.0, 2.0, 4.0, 8.0)
"""Grid at the level of single windows: as CUSUMs, drifts of 0.5, 1, 2 and 4."""
STRONG = tuple(4.0**-k for k in range(1, 11))
"""The same for what stands up to 10^6 times above the quiet noise of a window."""
SLOW = 1.0
"""Grid of longer levels: a drift of 0.5 of their own noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums of F features over K windows about their nominal values, drive divided out.

    All (K, F). s1, s2: sums of x and x^2 over `loud` chips. quiet_power: mean square of silent
    chips over the square of the noise, and `quiet` how many; `open_`: a channel of the feature
    stands at the end of its range, as a cut net does. `lost`: no sound chip came.
    """

    s1: Real
    s2: Real
    loud: Real
    quiet_power: Real
    quiet: Real
    open_: npt.NDArray[np.bool_]
    lost: npt.NDArray[np.bool_]

    def as_rows(self) -> Sums:
        """Return sums of one window, (F,) each, as those of K = 1 windows."""
        return Sums(
            s1=self.s1[None], s2=self.s2[None], loud=self.loud[None],
            quiet_power=self.quiet_power[None], quiet=self.quiet[None], open_=self.open_[None],
            lost=self.lost[None],
        )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Running evidence of F features. Owned by one bank, which alone changes it.

    r (F, 2, J), held, spent (F, 2, L), tails (L + 1, F): of `_evidence_kernel.advance`; the first
    three in order "F". Whoever changes r otherwise calls `settle`.
    """

    r: Real
    held: Real
    spent: Real
    tails: Real
    count: int
    rates: Real
    level: npt.NDArray[np.int64]

    @classmethod
    def start(cls, features: int, levels: int) -> Evidence:
        """Return no evidence at all, for windows, pairs of them, up to 2^(levels - 1)."""
        slow = [SLOW * 2.0 ** (-0.5 * each) for each in range(1, levels)]
        rates = np.array([*FAST, *STRONG, *slow])
        level = np.array([*[0] * len(FAST + STRONG), *range(1, levels)], dtype=np.int64)
        return cls(
            r=np.zeros((features, 2, rates.size), order="F"),
            held=np.zeros((features, 2, levels), order="F"),
            spent=np.zeros((features, 2, levels), order="F"),
            tails=np.zeros((levels + 1, features)),
            count=0,
            rates=rates,
            level=level,
        )

    def copy(self) -> Evidence:
        """Return a copy that goes its own way."""
        r, held, spent = (each.copy(order="F") for each in (self.r, self.held, self.spent))
        return Evidence(
            r=r, held=held, spent=spent, tails=self.tails.copy(), count=self.count,
            rates=self.rates, level=self.level,
        )  # fmt: skip

    def settle(self) -> None:
        """Add r up anew."""
        sum_up(self.r, self.level, self.held.shape[2] - 1, self.tails)

    def nats(self) -> Real:
        """Return ln of the mean over signs, lambdas and levels, (F,)."""
        found = np.empty(self.r.shape[0])
        nats_of(self.tails[0], self.rates.size, found)
        return found


def least_nats(per_year: float, window_s: float, features: int) -> float:
    """Return the nats of one feature at which false alarms stay below `per_year`, by the theorem.

    All features have equal weight in the mean over which the bound is taken, so one alone must
    bring ln(features) more.
    """
    windows = YEAR_S / window_s
    return math.log(windows / per_year) + math.log(max(features, 1))
