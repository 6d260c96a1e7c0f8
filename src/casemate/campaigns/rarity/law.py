"""Steps of a CUSUM: a Gaussian residual, clipped, less the drift k, and the law tilted to alarms.

The conjugate exponent theta solves E exp(theta U) = 1 for the step U (H. Cramer 1938; P. Glasserman
and S.-G. Kou, ACM TOMACS 5, 1995, on its use for rare excursions). Without clipping and shift it is
2k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from casemate.core.errors import InputError

SAFE_CLIP = 8.0
"""Beyond it 1e-15 of a standard normal lies: clipping there changes nothing that doubles show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """U = clip(Z + shift, -clip, clip) - k with Z standard normal; all in noises (sigma).

    Raises InputError unless k > 0 and clip > k (else no step ever goes up).
    """

    k: float
    shift: float = 0.0
    clip: float = math.inf

    def __post_init__(self) -> None:
        if not (self.k > 0.0 and self.clip > self.k and math.isfinite(self.shift)):
            raise InputError(
                "a CUSUM needs a drift k above 0 and a clip above k.",
                remedy="clip at 3 or 4 noises, or at math.inf.",
                value=(self.k, self.shift, self.clip),
            )

    @property
    def up(self) -> float:
        """Return the largest step up."""
        return self.clip - self.k

    @property
    def down(self) -> float:
        """Return the largest step down."""
        return self.clip + self.k

    @property
    def atoms(self) -> tuple[float, float]:
        """Return the probabilities of exactly `up` and exactly `-down`."""
        return _upper(self.clip - self.shift), _upper(self.clip + self.shift)

    def tilted_mass(self, theta: float) -> tuple[float, float, float]:
        """Return E[exp(theta U); U = up], the same of U = -down, and between the two."""
        high, low = self.atoms
        mean = self.shift - self.k
        middle = math.exp(theta * mean + theta * theta / 2.0) * (
            _upper(self.shift + theta - self.clip) - _upper(self.shift + theta + self.clip)
        )
        top = high * math.exp(theta * self.up) if high > 0.0 else 0.0
        return top, low * math.exp(-theta * self.down) if low > 0.0 else 0.0, middle

    def mean(self) -> float:
        """Return E[U]."""
        if math.isinf(self.clip):
            return self.shift - self.k
        a, b = -self.clip - self.shift, self.clip - self.shift
        inside = _upper(a) - _upper(b)
        high, low = self.atoms
        return (
            self.shift * inside + _density(a) - _density(b) + self.clip * (high - low) - self.k
        )  # fmt: skip

    def exponent(self) -> float:
        """Return theta > 0 with E exp(theta U) = 1, or 0 if steps go up on average."""
        from scipy.optimize import brentq

        if self.mean() >= 0.0:
            return 0.0
        if math.isinf(self.clip):
            return 2.0 * (self.k - self.shift)

        def log_moment(theta: float) -> float:
            return math.log(sum(self.tilted_mass(theta)))

        far = 1e-3
        while log_moment(far) <= 0.0:
            far *= 2.0
        near = far / 2.0
        while log_moment(near) >= 0.0:
            near /= 2.0
        return float(brentq(log_moment, near, far, xtol=1e-15, rtol=1e-14))


def _upper(x: float) -> float:
    return 0.5 * math.erfc(x / math.sqrt(2.0))


def _density(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
