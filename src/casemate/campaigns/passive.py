"""Commissioning of sensors without a challenge: what their sites do by themselves, and thresholds.

What a quiet sensor reads is modelled as white noise and Ornstein-Uhlenbeck walks, one for each
cause that the card or the site names. From their sum follows the factory's autoregression, so it
is fixed before the first reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from casemate.campaigns.rarity.pyramid_null import limit_for
from casemate.core.units import YEAR_S
from casemate.detect.anchor import AnyAnchor, PassiveAnchor
from casemate.detect.passive import LEVELS
from casemate.detect.pyramid import CLIP, DRIFTS, least_alarm
from casemate.detect.response import ALERT, ZEROISE, Policy
from casemate.sensors.environment.physics import CONTRAST_MEMORY_S, Environment
from casemate.twin.assembly import Twin
from casemate.twin.conditions import AIR_NODE, anchor_of
from casemate.twin.environment import DAY_S, DOOR_AIR_S, WEATHER_SMOOTH_S
from casemate.twin.environment_air import saturation_pa
from casemate.twin.environment_thermal import settled_k
from casemate.twin.line_materials import Real

BOUND = 8.0
"""Spreads that a sensor's reading may go to."""
SLACK = 0.1
"""Innovations that a sensor's mean may be off: an anchor's error, ageing, waves of the day
(planning value)."""
MOST_ORDER = 256
COLOURED = 1.1
"""Spectral density that whitening may leave, over that of white noise; a longer autoregression is
taken above it, and what is still left is taken off by the scale."""
CLOUDS_S = 1_200.0
"""Memory of clouds (`twin.environment`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wander:
    """What one sensor does by itself: white (spread a window), walks ((spread, memory s), ...)."""

    white: float
    walks: tuple[tuple[float, float], ...] = ()

    @property
    def spread(self) -> float:
        """Return the standard deviation of all."""
        return math.hypot(self.white, *(size for size, _ in self.walks))

    def covariance(self, step_s: float, lags: int) -> Real:
        """Return the autocovariance at 0 .. lags - 1 steps, (lags,)."""
        at = step_s * np.arange(lags)
        found = sum((size**2 * np.exp(-at / memory) for size, memory in self.walks), np.zeros(lags))
        found[0] += self.white**2
        return found

    def density(self, step_s: float, omega: Real) -> Real:
        """Return the spectral density at angular frequencies a step; white noise: its variance."""
        found = np.full(omega.size, self.white**2)
        for size, memory in self.walks:
            lost = -math.expm1(-step_s / memory)
            wave = 4.0 * (1.0 - lost) * np.sin(0.5 * omega) ** 2
            found += size**2 * -math.expm1(-2.0 * step_s / memory) / (lost**2 + wave)
        return found


@lru_cache(maxsize=64)
def whitening(wander: Wander, step_s: float) -> tuple[tuple[float, ...], float]:
    """Return the factory's autoregression and its innovation, both of x = reading / spread.

    Yule and Walker's equations, of the least order (a power of 2) that leaves no frequency above
    COLOURED times white; the innovation is scaled so that none is above white: sums of any number
    of innovations then have at most the variance of white noise.
    """
    from scipy.linalg import solve_toeplitz

    scaled = replace(
        wander, white=wander.white / wander.spread,
        walks=tuple((size / wander.spread, memory) for size, memory in wander.walks),
    )  # fmt: skip
    omega = np.concatenate([[0.0], np.logspace(-11.0, math.log10(math.pi), 4000)])
    density = scaled.density(step_s, omega)
    order = 0 if not wander.walks else 1
    while True:
        covariance = scaled.covariance(step_s, order + 1)
        a = solve_toeplitz(covariance[:-1], covariance[1:]) if order else np.empty(0)
        variance = float(covariance[0] - a @ covariance[1:])
        gain = 1.0 - np.exp(-1j * np.outer(omega, np.arange(1, order + 1))) @ a
        worst = float((density * np.abs(gain) ** 2).max()) / variance
        if worst <= COLOURED or order == 0 or order >= MOST_ORDER:
            return tuple(a.tolist()), math.sqrt(variance * max(worst, 1.0))
        order *= 2


@lru_cache(maxsize=16)
def slack_of_log(spread: float) -> float:
    """Return the slack with which ln(1 + spread n) / spread, n normal, passes for white noise.

    The least s for which E exp(2k (clip(x - s) - k)) <= 1 for all drifts of the pyramid, both sides
    and all sums: a logarithm has a mean and a skewness.
    """
    from scipy.optimize import brentq

    n = np.linspace(-10.0, 10.0, 20_001)
    weight = np.exp(-0.5 * n**2)
    weight /= weight.sum()
    x = np.log(np.maximum(1.0 + spread * n, 1e-9)) / spread
    slopes = [2.0 * k for k in DRIFTS] + [2.0 * DRIFTS[0] * 2.0 ** (-0.5 * j) for j in range(1, 12)]

    def excess(slack: float) -> float:
        return max(
            float(weight @ np.exp(a * np.clip(side * x - slack, -CLIP, CLIP) - 0.5 * a * a)) - 1.0
            for a in slopes
            for side in (1.0, -1.0)
        )

    return 0.0 if excess(0.0) <= 0.0 else float(brentq(excess, 0.0, CLIP, xtol=1e-6)) + 1e-6


def wanders(twin: Twin, fitted: Environment) -> dict[str, Wander]:
    """Return what each kind of sensor does by itself, from the card and the site."""
    card, site = fitted.card, twin.site
    return {
        "temperature": Wander(
            white=card["temperature_noise"], walks=((card["contrast"], CONTRAST_MEMORY_S),)
        ),
        "acceleration": Wander(white=card["level_spread"]),
        "humidity": _humidity(twin, fitted),
        "pressure": Wander(
            # doors and ventilation are as good as white beside the weather
            white=math.hypot(card["pressure_spread"], card["pressure_noise"]),
            walks=(
                (site.weather_pa.value, site.weather_memory_s.value + WEATHER_SMOOTH_S),
                *_some((0.5 * site.hvac_pa.value, 0.5 * site.hvac_period_s.value)),
            ),
        ),
        "light": Wander(white=card["light_noise"]),
    }


def _humidity(twin: Twin, fitted: Environment) -> Wander:
    """Return vapour's own walk, and what the air's temperature does to its saturation."""
    site, quiet = twin.site, anchor_of(twin)
    half_k = saturation_pa(quiet.air_k + np.array([-0.5, 0.5]))
    per_k = (float(half_k[1] / half_k[0]) - 1.0) * quiet.humidity
    load, sun = (
        float(settled_k(site.network, np.array(watt), 0.0)[AIR_NODE])
        for watt in (
            [0.5 * (site.full_w.value - site.idle_w.value), 0.0, 0.0],
            [0.0, 0.0, 0.5 * site.sun_w.value],
        )
    )
    kelvin = (
        (site.daily_k.value, DAY_S / (2.0 * math.pi)),
        (site.slow_k.value, site.slow_memory_s.value),
        (site.fast_k.value, site.fast_memory_s.value),
        (site.hvac_k.value, 0.25 * site.hvac_period_s.value),
        (abs(site.door_k.value), DOOR_AIR_S),
        (load, 0.5 * site.load_hold_s.value),
        (sun, CLOUDS_S),
    )
    return Wander(
        white=fitted.card["humidity_noise"],
        walks=(
            (site.vapour_spread.value * quiet.humidity, DAY_S),
            *_some(*((per_k * size, memory) for size, memory in kelvin)),
        ),
    )


def _some(*walks: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return tuple(each for each in walks if each[0] > 0.0)


def passive_anchor(twin: Twin, fitted: Environment) -> PassiveAnchor:
    """Return the anchor of the environment's sensors."""
    kinds = fitted.kind
    known = wanders(twin, fitted)
    found = {kind: whitening(known[kind], fitted.chip_s) for kind in set(kinds)}
    order = max((len(a) for a, _ in found.values()), default=0)
    log = [each == "acceleration" for each in kinds]
    return PassiveAnchor(
        modality=fitted.id,
        chip_s=fitted.chip_s,
        names=tuple(each.id for each in fitted.channels),
        tiles=tuple(each.tile for each in fitted.channels),
        kind=kinds,
        nominal=np.asarray(np.real(fitted.nominal), dtype=np.float64),
        spread=np.array([known[each].spread for each in kinds]),
        log=np.array(log, dtype=np.bool_),
        contrast=np.array([each == "temperature" for each in kinds], dtype=np.bool_),
        coefficients=np.array([np.pad(a, (0, order - len(a))) for a, _ in
                               (found[each] for each in kinds)]).reshape(len(kinds), order),
        innovation=np.array([found[each][1] for each in kinds]),
        slack=np.array([SLACK + (slack_of_log(known[each].spread) if of_log else 0.0)
                        for each, of_log in zip(kinds, log, strict=True)]),
        bound=np.full(len(kinds), BOUND),
        noise=np.array([known[each].white / known[each].spread for each in kinds]),
    )  # fmt: skip


TESTS = 2
"""Of each sensor: innovations, and what lies beyond the bound."""


ABOVE = 0.1
"""Nats over the score that a pyramid has without any evidence: no threshold is lower."""


def computed(policy: Policy, anchors: tuple[AnyAnchor, ...]) -> Policy:
    """Return the policy with thresholds of passive sensors by their rate of false alarms.

    Budgets over all sensors and both tests: that of an alert, and that of zeroising, which no
    corroboration may exceed. Rates of sensors add, however they depend on each other.
    """
    mine = [each for each in anchors if isinstance(each, PassiveAnchor) and each.names]
    if not mine:
        return policy
    least = least_alarm(LEVELS) + ABOVE
    alert, entry = (
        max(limit_for(policy.levels[level].per_year / samples_a_year(mine), LEVELS)[0], least)
        for level in (ALERT, ZEROISE)
    )
    return replace(policy, passive_alert=alert, passive_entry=entry)


def samples_a_year(anchors: list[PassiveAnchor]) -> float:
    """Return samples that pyramids take in within a year, all sensors and both tests."""
    return sum(TESTS * len(each.names) * YEAR_S / (each.chip_s * each.batch) for each in anchors)
