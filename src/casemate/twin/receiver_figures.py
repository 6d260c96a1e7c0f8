"""What is measured of a still link: residual levels, memory, and how far averaging helps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Complex, Real

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
FRAMES_AVERAGED = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class StillFigures:
    """Figures of aligned frames, all relative to the mean power of the reference, in dB.

    `quantiles_db`: of the frames' residual power, at QUANTILES. `allan_db`: Allan variance of the
    response for means over FRAMES_AVERAGED frames; `correlation`: of residual vectors, at the
    same numbers of frames as lags. Both end where fewer than 4 pairs are left.
    """

    quantiles_db: tuple[float, ...]
    allan_db: tuple[float, ...]
    correlation: tuple[float, ...]


def decibel(power: float) -> float:
    """Return 10 log10 of a power ratio, floored at -300."""
    return float(10.0 * np.log10(max(power, 1e-30)))


def residual_power(frames: Complex, reference: Complex) -> Real:
    """Return each frame's mean squared distance from the reference over its power, shape (K,)."""
    power = float(np.mean(np.abs(reference) ** 2))
    return np.asarray(np.mean(np.abs(frames - reference) ** 2, axis=1) / power)


def still_figures(frames: Complex) -> StillFigures:
    """Return the figures of aligned frames, shape (K, N), against their median.

    Frames 6 dB above the median residual are outliers and are left out of means and memory, not
    of the quantiles.
    """
    reference = np.median(frames.real, axis=0) + 1j * np.median(frames.imag, axis=0)
    level = residual_power(frames, reference)
    kept = frames[level < 4.0 * np.median(level)] - reference
    power = float(np.mean(np.abs(reference) ** 2))
    whole = float(np.mean(np.abs(kept) ** 2))
    allan, memory = [], []
    for count in FRAMES_AVERAGED:
        groups = kept.shape[0] // count
        if groups < 5:
            break
        means = kept[: groups * count].reshape(groups, count, -1).mean(axis=1)
        allan.append(decibel(0.5 * float(np.mean(np.abs(np.diff(means, axis=0)) ** 2)) / power))
        product = float(np.real(np.mean(kept[:-count].conj() * kept[count:])))
        memory.append(product / whole)
    return StillFigures(
        quantiles_db=tuple(decibel(float(np.quantile(level, q))) for q in QUANTILES),
        allan_db=tuple(allan),
        correlation=tuple(memory),
    )


def gain_jitter_db(gain: Complex) -> float:
    """Return the robust standard deviation of the gain in dB: 1.4826 times the median deviation."""
    level = 20.0 * np.log10(np.abs(gain))
    return float(1.4826 * np.median(np.abs(level - np.median(level))))
