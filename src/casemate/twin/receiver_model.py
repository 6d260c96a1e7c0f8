"""A receiver's noise and drift as a seeded generator, and its fit on a still link.

x_k = h + drift(t_k) + noise_k, y_k = g_k exp(-j 2 pi f d_k) x_k. Noise is white from frame to frame
with a level that itself walks; drift is a sum of processes that forget with set times, each moving
along a few smooth shapes over frequency; now and then a frame is far off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real
from casemate.twin.receiver_align import Aligned, aligned
from casemate.twin.receiver_figures import gain_jitter_db, residual_power
from casemate.twin.receiver_records import Recording

MEMORIES_S = (1.0, 10.0, 100.0)
"""Memories of drift that are tried, a decade apart; the recordings last 160 to 890 s."""
OUTLIER_DB = 6.0
"""A frame this far above the median residual is an outlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Fitted figures; powers are relative to the link's mean power."""

    noise: float
    """Mean power of the frame-to-frame noise."""
    additive: float
    """Part of `noise` that is thermal or quantising, fixed in the receiver's units; the rest
    grows with the signal. 0 if the recording does not tell."""
    level_db: float
    """Standard deviation of the noise level in dB, frame to frame and slow together."""
    level_slow: float
    """Share of that variance that is slow."""
    drift: tuple[float, ...]
    """Power of each drift process, one for each of MEMORIES_S."""
    shapes: float
    """Effective number of independent shapes of drift over frequency."""
    outlier_rate: float
    outlier_db: float
    """Median level of an outlier relative to the link."""
    gain_db: float
    """Standard deviation of the gain from frame to frame."""
    delay_s: float
    """Standard deviation of the delay."""


def fit(recording: Recording) -> Receiver:
    """Return the receiver's figures from frames of a link that nobody touched.

    Raises InputError for fewer than 50 frames.
    """
    if recording.times_s.size < 50:
        raise InputError(
            "Too few frames to fit a receiver.",
            remedy="Record at least 50 frames of a still link.",
            value=recording.times_s.size,
        )
    seen = aligned(recording)
    level = residual_power(seen.frames, seen.reference)
    odd = level > 10.0 ** (OUTLIER_DB / 10.0) * np.median(level)
    good = seen.frames[~odd]
    noise, drift = split_variance(good, recording.times_s[~odd], seen.reference)
    spread, slow = _level_walk(good, seen.reference)
    signal = float(np.median(np.abs(seen.gain)) ** 2)
    return Receiver(
        noise=noise,
        additive=min(noise, recording.floor / signal),
        level_db=spread,
        level_slow=slow,
        drift=drift,
        shapes=_shapes(good),
        outlier_rate=float(np.mean(odd)),
        outlier_db=float(10.0 * np.log10(np.median(level[odd]))) if odd.any() else 0.0,
        gain_db=gain_jitter_db(seen.gain),
        delay_s=float(np.std(seen.delay_s)),
    )


def split_variance(
    frames: Complex, times_s: Real, reference: Complex
) -> tuple[float, tuple[float, ...]]:
    """Return (noise, drift powers) by non-negative least squares on the variogram.

    Half the mean squared difference of frames a lag apart is noise + sum P (1 - exp(-lag/memory)).
    """
    from scipy.optimize import nnls

    # frames come in bursts: runs of neighbours, so that short and long lags are both seen
    starts = np.linspace(0, times_s.size - 7, 100).astype(int)
    rows = np.unique(starts[:, None] + np.array([0, 1, 3, 6]))
    picked = frames[rows]
    square = np.mean(np.abs(picked) ** 2, axis=1)
    cross = np.real(picked @ picked.conj().T) / frames.shape[1]
    half = 0.5 * (square[:, None] + square[None, :]) - cross
    lag = np.abs(times_s[rows][:, None] - times_s[rows][None, :])
    upper = np.triu_indices(rows.size, 1)
    gaps, values = lag[upper], half[upper]
    edges = np.geomspace(max(gaps.min(), 1e-3), gaps.max() * 1.001, 25)
    bins = np.digitize(gaps, edges)
    centres = np.array([gaps[bins == b].mean() for b in np.unique(bins)])
    means = np.array([values[bins == b].mean() for b in np.unique(bins)])
    table = np.column_stack([np.ones_like(centres)] + [-np.expm1(-centres / m) for m in MEMORIES_S])
    weight = 1.0 / means
    found, _ = nnls(table * weight[:, None], means * weight)
    found = found / np.mean(np.abs(reference) ** 2)
    return float(found[0]), tuple(float(p) for p in found[1:])


def _level_walk(frames: Complex, reference: Complex) -> tuple[float, float]:
    """Return (spread in dB of the noise level, slow share of its variance).

    From differences of neighbours, in which drift cancels. The scatter that a finite number of
    bins causes by itself is taken off; a difference averages the fast part over two frames. Never
    more than the frames' own levels scatter.
    """
    count = frames.shape[0] // 2
    difference = frames[1 : 2 * count : 2] - frames[0 : 2 * count : 2]
    level = 10.0 * np.log10(np.mean(np.abs(difference) ** 2, axis=1))
    own = (10.0 / np.log(10.0)) ** 2 / _freedoms(difference)
    seen = max(float(np.var(level)) - own, 0.0)
    centred = level - level.mean()
    slow = min(max(float(np.mean(centred[:-1] * centred[1:])), 0.0), seen)
    whole = 10.0 * np.log10(residual_power(frames, reference))
    total = min(slow + 2.0 * (seen - slow), max(float(np.var(whole)) - own, 0.0))
    slow = min(slow, total)
    return float(np.sqrt(total)), slow / total if total > 0.0 else 0.0


def _freedoms(residual: Complex) -> float:
    """Return the effective number of independent bins: (trace C)^2 / trace C^2."""
    values = np.linalg.svd(residual, compute_uv=False) ** 2
    return float(values.sum() ** 2 / np.sum(values**2))


def _shapes(frames: Complex) -> float:
    """Return the effective number of shapes of slow change: of means over groups of frames."""
    group = max(frames.shape[0] // 24, 1)
    count = frames.shape[0] // group
    means = frames[: count * group].reshape(count, group, -1).mean(axis=1)
    return _freedoms(means - means.mean(axis=0))


def carried_over(fitted: Receiver, signal: float, fitted_signal: float) -> Receiver:
    """Return the figures for a link of another mean power, both in the receiver's units squared.

    Additive noise stays as it is in those units; all else is relative to the signal.
    """
    from dataclasses import replace

    additive = fitted.additive * fitted_signal / signal
    return replace(fitted, additive=additive, noise=fitted.noise - fitted.additive + additive)


def signal_power(recording: Recording) -> float:
    """Return the mean power per bin of a link, noise taken off, in the receiver's units squared."""
    seen: Aligned = aligned(recording)
    return float(np.median(np.abs(seen.gain)) ** 2)
