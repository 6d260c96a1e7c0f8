"""Random processes that forget: used for drift, weather, fan speed and clouds."""

from __future__ import annotations

import numpy as np

from casemate.twin.line_materials import Real


def ou(memory_s: float, times_s: Real, generator: np.random.Generator, columns: int = 1) -> Real:
    """Return unit Ornstein-Uhlenbeck processes at any rising times, shape (K, columns).

    Correlation exp(-lag / memory), exact at every step; evenly spaced times go faster.
    """
    kicks = generator.standard_normal((times_s.size, columns))
    if times_s.size < 2:
        return kicks
    steps = np.diff(times_s)
    keep = np.exp(-steps / memory_s)
    kicks[1:] *= np.sqrt(-np.expm1(-2.0 * steps / memory_s))[:, None]
    if np.ptp(steps) < 1e-6 * steps[0]:
        from scipy.signal import lfilter

        return np.asarray(lfilter([1.0], [1.0, -float(keep[0])], kicks, axis=0), dtype=np.float64)
    for k in range(1, times_s.size):
        kicks[k] += keep[k - 1] * kicks[k - 1]
    return kicks


def smooth_walk(
    memory_s: float, smoothing_s: float, times_s: Real, generator: np.random.Generator
) -> Real:
    """Return a unit process at evenly spaced times, shape (K,), without kinks below `smoothing_s`.

    An Ornstein-Uhlenbeck process through a low-pass: weather does not jump from second to second.
    Correlation (m exp(-lag/m) - s exp(-lag/s)) / (m - s); starts from its stationary law.
    """
    from scipy.signal import lfilter

    step_s = float(times_s[1] - times_s[0])
    keep, hold = (float(np.exp(-step_s / each)) for each in (smoothing_s, memory_s))
    walk = ou(memory_s, times_s, generator)[:, 0]
    # the joint law of walk x and its mean y where both have run for ever, y before the first step
    both = (1.0 - keep) * hold / (1.0 - keep * hold)
    alone = (1.0 - keep) ** 2 / (1.0 - keep**2) * (1.0 + keep * hold) / (1.0 - keep * hold)
    first = both * walk[0] + np.sqrt(max(alone - both**2, 0.0)) * generator.standard_normal()
    smooth, _ = lfilter([1.0 - keep], [1.0, -keep], walk, zi=[keep * first])
    return np.asarray(smooth * np.sqrt((memory_s + smoothing_s) / memory_s), dtype=np.float64)


def turned_angle(
    turns_1_s: Real | float,
    spread: float,
    memory_s: float,
    times_s: Real,
    generator: np.random.Generator,
) -> Real:
    """Return a rotor's angle in rad, shape (K,), at evenly spaced times with a walking speed.

    `turns_1_s` is the mean speed, one figure or one for each time; the relative deviation is an
    Ornstein-Uhlenbeck process of standard deviation `spread`. The first angle is random.
    """
    step_s = float(times_s[1] - times_s[0]) if times_s.size > 1 else 0.0
    speed = turns_1_s * (1.0 + spread * ou(memory_s, times_s, generator)[:, 0])
    turns = np.concatenate([[0.0], np.cumsum(speed[:-1] * step_s)])
    return np.asarray(2.0 * np.pi * (turns + generator.random()))
