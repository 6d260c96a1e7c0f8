"""How far a model is from a measurement: linear, in decibels and in phase, band by band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Complex, Real
from casemate.twin.line_network import rms

BANDS_HZ = ((0.0, 1e9), (1e9, 3e9), (3e9, 6e9), (6e9, 8e9), (8e9, 1e10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Root mean square deviations of one S-parameter over its band.

    `linear` is |model - measured|; `db` and `phase_deg` compare magnitude and phase, which mean
    little where the parameter is near zero; `bands` has (f_low_hz, f_high_hz, linear, level).
    """

    name: str
    linear: float
    db: float
    phase_deg: float
    level: float
    bands: tuple[tuple[float, float, float, float], ...]


def deviation(name: str, f_hz: Real, model: Complex, measured: Complex) -> Deviation:
    """Return the deviations of `model` from `measured`, both of shape (F,)."""
    ratio = model / np.where(np.abs(measured) < 1e-12, 1e-12, measured)
    bands = []
    for low, high in BANDS_HZ:
        inside = (f_hz > low) & (f_hz <= high)
        if inside.any():
            bands.append((low, high, rms(model[inside] - measured[inside]), rms(measured[inside])))
    return Deviation(
        name=name,
        linear=rms(model - measured),
        db=rms(20.0 * np.log10(np.maximum(np.abs(ratio), 1e-12))),
        phase_deg=rms(np.degrees(np.angle(ratio))),
        level=rms(measured),
        bands=tuple(bands),
    )


def deviations(f_hz: Real, model: Complex, measured: Complex) -> tuple[Deviation, ...]:
    """Return the deviations of a one-port (F,), or of S11, S22, S21 of a two-port (F, 2, 2)."""
    if measured.ndim == 1:
        return (deviation("S11", f_hz, model, measured),)
    mean = 0.5 * (measured[:, 1, 0] + measured[:, 0, 1])
    return (
        deviation("S11", f_hz, model[:, 0, 0], measured[:, 0, 0]),
        deviation("S22", f_hz, model[:, 1, 1], measured[:, 1, 1]),
        deviation("S21", f_hz, model[:, 1, 0], mean),
    )
