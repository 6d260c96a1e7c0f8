"""The launch of a connector on a board, as fitted: what lies between the plug and the strip.

A Taylor series about zero frequency with real coefficients, times a delay: S(f) =
exp(-j omega d) sum c_n (j f/f_scale)^n. It is real in the time domain and reciprocal by form;
passivity is asked of the fit. It holds up to `f_max_hz`, the end of the data, and not beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real

TERMS = 8
"""Six leave 1.6 times the cost of the fit on the recordings, ten gain 3 % (decision 7)."""
F_SCALE_HZ = 1e10
DELAY_S = 38e-12
"""About that of an SMA edge connector; only a centre for the series, which corrects it."""
DELAYS_S = (1.8 * DELAY_S, 10e-12, DELAY_S)
"""Delays taken out of S11 (seen from the plug), S22 (seen from the strip) and S21."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Coefficients of S11, S22 and S21 = S12; port 1 is the plug, port 2 the strip, 50 ohm."""

    s11: tuple[float, ...]
    s22: tuple[float, ...]
    s21: tuple[float, ...]
    f_max_hz: float


IDEAL = Launch(s11=(0.0,), s22=(0.0,), s21=(1.0,), f_max_hz=F_SCALE_HZ)
"""A matched connector of DELAY_S without loss."""


def within(f_hz: Real, f_max_hz: float) -> None:
    """InputError if any of `f_hz` (F,) is beyond the fitted band, which ends at `f_max_hz`."""
    if f_hz.size and float(f_hz.max()) > f_max_hz * (1.0 + 1e-9):
        raise InputError(
            "the connectors were not fitted at this frequency.",
            remedy=f"stay at or below {f_max_hz / 1e9:.6g} GHz.",
            key="sweep.f_max",
            value=float(f_hz.max()),
        )


def launch(fitted: Launch, f_hz: Real) -> Complex:
    """Return S, shape (F, 2, 2), at `f_hz`; InputError beyond the fitted band."""
    within(f_hz, fitted.f_max_hz)
    s = np.empty((f_hz.size, 2, 2), dtype=np.complex128)
    s[:, 0, 0] = _series(fitted.s11, f_hz, DELAYS_S[0])
    s[:, 1, 1] = _series(fitted.s22, f_hz, DELAYS_S[1])
    s[:, 0, 1] = s[:, 1, 0] = _series(fitted.s21, f_hz, DELAYS_S[2])
    return s


def _series(coefficients: tuple[float, ...], f_hz: Real, delay_s: float) -> Complex:
    x = 1j * f_hz / F_SCALE_HZ
    total: Complex = np.zeros(f_hz.size, dtype=np.complex128)
    for c in reversed(coefficients):
        total = np.asarray(total * x + c, dtype=np.complex128)
    return np.asarray(total * np.exp(-2j * np.pi * f_hz * delay_s), dtype=np.complex128)
