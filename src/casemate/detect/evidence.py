"""Keyed evidence of a change, window by window, whose false alarms are bounded for any injection.

With x_t = c_t r_t over the n loud chips of a window, drift within `tolerance` eps of the state that
is held against, and interference w that does not know the signs: x_t = d_t + c_t w_t, |d_t| <= eps.
Put S = sum x_t, Q = sum x_t^2. Then S - n eps <= sum c_t w_t = N, and by Minkowski
sqrt(Q) - eps sqrt(n) <= D <= sqrt(Q) + eps sqrt(n) with D^2 = sum w_t^2. So
z = (S - n eps)/(sqrt(Q) + eps sqrt(n)) if S > n eps, else over sqrt(Q) - eps sqrt(n), never exceeds
N/D, and given all |w_t| the signs are fair coins: E exp(lambda N/D) <= exp(lambda^2/2) (Hoeffding).
Hence e = exp(lambda z - lambda^2/2) has mean at most 1 whatever was injected. N/D >= -sqrt(n), so
z may be cut there. Sums of z over 2^l windows, over the root of their number, are bounded alike (a
sum of martingale differences), so one law holds from a tenth of a second to years.

Shiryaev-Roberts: R = (1 + R) e, averaged over signs, lambdas and levels; R minus the windows so far
is a supermartingale, so P(mean of R ever reaches A within n windows) <= n/A, for any mean over
features too, under any dependence between them. Windows without a loud chip count as time and add
nothing. docs/decisions/0011 has the assumptions and where they fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.detect._evidence_kernel import nats_of

Real = npt.NDArray[np.float64]
FAST = (1.0, 4.0, 8.0)
"""Lambdas at the level of single windows: k = lambda/2 is 0.5, 2 and 4 (issue of detection)."""
SLOW = 1.0
"""Lambda of longer levels: k = 0.5."""


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


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Running evidence of F features. Owned by one bank, which alone changes it."""

    r: Real
    held: Real
    heard: Real
    count: int
    rates: Real
    level: npt.NDArray[np.int64]

    @classmethod
    def start(cls, features: int, levels: int) -> Evidence:
        """Return no evidence at all, for windows, pairs of them, up to 2^(levels - 1)."""
        rates = np.array([*FAST, *[SLOW] * (levels - 1)])
        level = np.array([*[0] * len(FAST), *range(1, levels)], dtype=np.int64)
        return cls(
            r=np.zeros((features, 2, rates.size)),
            held=np.zeros((features, 2, levels)),
            heard=np.zeros((features, levels)),
            count=0,
            rates=rates,
            level=level,
        )

    def copy(self) -> Evidence:
        """Return a copy that goes its own way."""
        return Evidence(
            r=self.r.copy(), held=self.held.copy(), heard=self.heard.copy(), count=self.count,
            rates=self.rates, level=self.level,
        )  # fmt: skip

    def nats(self) -> Real:
        """Return ln of the mean over signs, lambdas and levels, (F,)."""
        found = np.empty(self.r.shape[0])
        nats_of(self.r, found)
        return found


def least_nats(per_year: float, window_s: float, features: int) -> float:
    """Return the nats of one feature at which false alarms stay below `per_year`, by the theorem.

    All features have equal weight in the mean over which the bound is taken, so one alone must
    bring ln(features) more.
    """
    windows = 365.25 * 86_400.0 / window_s
    return math.log(windows / per_year) + math.log(max(features, 1))
