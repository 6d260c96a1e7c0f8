"""What silent chips tell, and how much information is left: interference and blindness.

A silent chip drives nothing, so its power is noise and interference alone. So is the scatter of
loud chips about their window's mean: what follows the challenge is all in the mean. Together they
leave no chip that an adversary could hit unheard. Too little information to see the least change
that must be caught is a state of its own, DENIED, never a silent miss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaincc, gammainccinv, gammaln

from casemate.detect._live_kernel import hear, inform, louder_than
from casemate.detect.anchor import Anchor, Real
from casemate.detect.evidence import Sums
from casemate.detect.tracked import Tracked

MOST_TAIL = 700.0
UNHEARD = 4.0
"""Nats of interference below which a feature's are told as 0: one of 55 in quiet has as many, and a
verdict takes 20 and more (planning value). The tail of a chi-square costs 0.3 us each."""

STEP = 16.0
"""Chips to whose multiple the largest count is rounded up: it differs from window to window, and a
`least_power` that is hardly lower leaves a few features more to be looked at."""


def quiet_nats(power: Real, count: Real) -> Real:
    """Return -ln P(mean square of `count` normal chips >= power) for each, (F,).

    chi-square of `count` degrees of freedom; beyond what a double holds its leading term
    x/2 - (n/2 - 1) ln(x/2) + ln Gamma(n/2), x = n power. 0 without chips, and where they are no
    louder than noise: it would be 1.2 nats at most.
    """
    found = np.zeros(np.shape(power))
    loud = np.asarray((power > 1.0) & (count > 0.0))
    if loud.any():
        found[loud] = _loud_nats(np.asarray(power)[loud], np.asarray(count)[loud])
    return found


def heard_nats(power: Real, count: Real, least: float) -> Real:
    """Return `quiet_nats` of power / count where it is UNHEARD or more, and 0 elsewhere.

    power, count (F,): sums. least: `least_power` of the largest count, below which no feature has
    as many nats: with more chips they take less power.
    """
    found, mean = np.zeros(power.size), np.empty(power.size)
    at = np.empty(power.size, dtype=np.int64)
    size = louder_than(power, count, least, at, mean)
    if size:
        nats = _loud_nats(mean[:size], count[at[:size]])
        found[at[:size]] = np.where(nats >= UNHEARD, nats, 0.0)
    return found


@lru_cache(maxsize=256)
def least_power(count: float) -> float:
    """Return a mean square hardly below that at which `count` chips bring UNHEARD nats."""
    if not count > 0.0:
        return 0.0
    return float(gammainccinv(0.5 * count, math.exp(-UNHEARD))) * 2.0 / count * (1.0 - 1e-9)


def _loud_nats(power: Real, n: Real) -> Real:
    x = 0.5 * n * power
    with np.errstate(divide="ignore"):
        found = -np.log(gammaincc(0.5 * n, x))
    lies = ~np.isfinite(found)
    if lies.any():
        half, far = 0.5 * n[lies], x[lies]
        far = far - (half - 1.0) * np.log(np.maximum(far, 1e-300)) + gammaln(half)
        found[lies] = np.minimum(far, 1e6)
    return np.asarray(np.maximum(found, 0.0))


@dataclass(slots=True, kw_only=True)
class Silence:
    """Mean power beside the challenge over the last windows, by feature. Owned by one bank.

    noise (F,): of a chip. power, count (F,): running sums of squares over noise^2 and of degrees of
    freedom. last (F,): mean power of the last window, 1 where nothing came. least: `least_power` of
    `most`, the largest count at the last look, rounded up to STEP.
    """

    noise: Real
    power: Real
    count: Real
    last: Real
    keep: float = 0.9
    """Share of the past kept a window: ten windows, a second (planning value)."""
    most: float = 0.0
    least: float = 0.0

    @classmethod
    def start(cls, noise: Real) -> Silence:
        """Return silence that has heard nothing."""
        return cls(
            noise=noise,
            power=np.zeros(noise.size),
            count=np.zeros(noise.size),
            last=np.ones(noise.size),
        )

    def copy(self) -> Silence:
        """Return a copy that goes its own way."""
        return Silence(
            noise=self.noise,
            power=self.power.copy(),
            count=self.count.copy(),
            last=self.last.copy(),
            keep=self.keep,
            most=self.most,
            least=self.least,
        )

    def add(self, sums: Sums) -> None:
        """Take in windows (K, F), one after the other."""
        if sums.s1.shape[0] == 1:
            self.last = np.empty(self.noise.size)
            hear(
                sums.s1[0], sums.s2[0], sums.loud[0], sums.quiet_power[0], sums.quiet[0],
                self.noise, self.keep, self.power, self.count, self.last,
            )  # fmt: skip
            return
        free = np.maximum(sums.loud - 1.0, 0.0)
        mean = sums.s1**2 / np.maximum(sums.loud, 1.0)
        heard = sums.quiet_power * sums.quiet + np.maximum(sums.s2 - mean, 0.0) / self.noise**2
        count = sums.quiet.shape[0]
        share = self.keep ** np.arange(count - 1, -1, -1)
        self.power = self.keep**count * self.power + share @ heard
        self.count = self.keep**count * self.count + share @ (sums.quiet + free)
        came = sums.quiet[-1] + free[-1]
        self.last = np.divide(heard[-1], came, out=np.ones(came.size), where=came > 0.0)

    def louder(self) -> Real:
        """Return how far the last window's noise is up, root of mean power, at least 1, (F,)."""
        return np.sqrt(np.maximum(self.last, 1.0))

    def nats(self) -> Real:
        """Return the evidence of interference of each feature, (F,): 0 below UNHEARD."""
        return self.heard(float(self.count.max(initial=0.0)), math.inf)

    def heard(self, most: float, top: float) -> Real:
        """Return the same. most: largest count. top: no feature's mean power is larger."""
        whole = STEP * math.ceil(most / STEP) if math.isfinite(most) else most
        if whole != self.most:
            self.most, self.least = whole, least_power(whole)
        if top < self.least or top <= 1.0:
            return np.zeros(self.power.size)
        return heard_nats(self.power, self.count, self.least)


def information(anchor: Anchor, sums: Sums, louder: Real, tracked: Tracked) -> Real:
    """Return nats the last window brings about the least change that must be caught, (F,).

    n d^2/(2 s^2) for a change d beyond what is tolerated at the time in noise s, at most n ln 2,
    for a sign tells no more (reference/detect.md 2); 0 where nothing sound came.
    """
    found = np.empty(len(anchor.names))
    inform(
        anchor.must, anchor.bound, anchor.noise, anchor.group, tracked.expected,
        tracked.common_doubt, sums.loud[-1], sums.lost[-1], louder, found,
    )  # fmt: skip
    return found
