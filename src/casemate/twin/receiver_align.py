"""Take each frame's gain, phase and delay away, so that what is left can be compared.

Two radios without a common clock differ anew in all three for every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Complex, Real
from casemate.twin.receiver_records import Recording

GRID = 6.0
"""Delays tried on the first look in each reciprocal bandwidth; 3 already picked wrong echoes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """Frames (K, N) with mean square about 1, the gains (K,) and delays (K,) in s taken away."""

    frames: Complex
    reference: Complex
    gain: Complex
    delay_s: Real


def aligned(recording: Recording, rounds: int = 3) -> Aligned:
    """Return frames y_k = g_k exp(-j 2 pi f d_k) x_k as x_k, against their own robust mean.

    The reference is the median over frames, so outliers do not bend it; mean square 1.
    """
    frames, f_hz = recording.frames, recording.f_hz
    reference = frames[int(np.argsort(np.abs(frames).sum(axis=1))[frames.shape[0] // 2])]
    for _ in range(rounds):
        reference = reference / np.sqrt(np.mean(np.abs(reference) ** 2))
        delay_s, gain = fitted_delay(frames, reference, f_hz)
        turned = frames * np.exp(2j * np.pi * f_hz * delay_s[:, None]) / gain[:, None]
        reference = np.median(turned.real, axis=0) + 1j * np.median(turned.imag, axis=0)
    return Aligned(frames=turned, reference=reference, gain=gain, delay_s=delay_s)


def fitted_delay(frames: Complex, reference: Complex, f_hz: Real) -> tuple[Real, Complex]:
    """Return delays (K,) and complex gains (K,) of least squares against a reference (N,).

    A grid first, then Newton on the correlation's squared magnitude, steps limited to the grid's.
    """
    span_s = 1.0 / float(np.diff(f_hz).min())
    count = int(np.ceil(GRID * span_s * float(np.ptp(f_hz))))
    grid_s = (np.arange(count) / count - 0.5) * span_s
    product = frames * reference.conj()
    spread = f_hz - f_hz.mean()
    scores = np.abs(product @ np.exp(2j * np.pi * np.outer(spread, grid_s)))
    delay_s = grid_s[np.argmax(scores, axis=1)]
    step_s = grid_s[1] - grid_s[0]
    for _ in range(6):
        turned = product * np.exp(2j * np.pi * spread * delay_s[:, None])
        w = 2.0 * np.pi * spread
        c, c1, c2 = turned.sum(axis=1), (1j * w * turned).sum(axis=1), -(w**2 * turned).sum(axis=1)
        slope = 2.0 * np.real(c.conj() * c1)
        bend = 2.0 * (np.abs(c1) ** 2 + np.real(c.conj() * c2))
        move = np.where(bend < 0.0, -slope / np.where(bend < 0.0, bend, -1.0), 0.0)
        delay_s = delay_s + np.clip(move, -step_s, step_s)
    full = (product * np.exp(2j * np.pi * f_hz * delay_s[:, None])).sum(axis=1)
    return delay_s, full / np.sum(np.abs(reference) ** 2)
