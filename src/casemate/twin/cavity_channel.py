"""The channel between antennas in a cavity: a direct path and random plane waves.

Waves have circular Gaussian amplitudes and exponentially distributed delays, so the response's
correlation over a frequency gap is 1/(1 + j 2 pi gap tau) and over a distance sin(kr)/(kr).
D. A. Hill, IEEE T-EMC 40(3), 1998 (plane-wave integral); C. L. Holloway and others, IEEE T-AP
54(11), 2006 (Rician).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import C0_M_S, Complex, Real


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneWaves:
    """Scalar waves seen by one antenna: amplitudes (N,), delays (N,) in s, directions (N, 3)."""

    amplitude: Complex
    delay_s: Real
    direction: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectPath:
    """The unscattered path: Rician factor K (power over the mean scattered power) and its delay."""

    k_factor: float
    delay_s: float
    phase_rad: float = 0.0


def random_waves(count: int, decay_s: float, generator: np.random.Generator) -> PlaneWaves:
    """Return `count` random waves of total mean power 1 in a cavity of decay time `decay_s`.

    The response repeats no features if `count` is well above bandwidth times `decay_s`.
    """
    parts = generator.standard_normal((2, count)) / np.sqrt(2.0 * count)
    direction = generator.standard_normal((count, 3))
    return PlaneWaves(
        amplitude=parts[0] + 1j * parts[1],
        delay_s=generator.exponential(decay_s, count),
        direction=direction / np.linalg.norm(direction, axis=1, keepdims=True),
    )


def scattered(waves: PlaneWaves, f_hz: Real, place_m: Real | None = None) -> Complex:
    """Return the scattered response, shape (F,), or (P, F) at places (P, 3); mean power 1."""
    base = waves.amplitude[:, None] * np.exp(-2j * np.pi * waves.delay_s[:, None] * f_hz[None, :])
    if place_m is None:
        return np.asarray(base.sum(axis=0))
    path_s = -(place_m @ waves.direction.T) / C0_M_S
    moved = np.exp(-2j * np.pi * path_s[:, :, None] * f_hz[None, None, :])
    return np.asarray((moved * base[None]).sum(axis=1))


def rician(direct: DirectPath, scattered_part: Complex, f_hz: Real) -> Complex:
    """Return H of mean scattered power 1 with the direct path added, shape of `scattered_part`."""
    turn = np.exp(1j * (direct.phase_rad - 2.0 * np.pi * f_hz * direct.delay_s))
    return np.asarray(np.sqrt(direct.k_factor) * turn + scattered_part)


def k_factor(h: Complex) -> Real:
    """Return the Rician K over the first axis of H, shape (S, ...) of S independent states.

    |mean|^2 over variance, less its bias 1/S; not below 0. The states must share the direct path.
    """
    states = h.shape[0]
    mean = np.abs(h.mean(axis=0)) ** 2
    spread = h.var(axis=0, ddof=1)
    return np.asarray(np.maximum(mean / spread - 1.0 / states, 0.0))


def needle_response(
    change: float, decay_s: float, f_hz: Real, generator: np.random.Generator, count: int = 400
) -> Complex:
    """Return dH, shape (F,), of a small scatterer at one random place; mean scattered |H|^2 = 1.

    `change` is sigma_s / A_abs. By reciprocity dH is the product of the fields that both antennas
    send to the place, two independent Gaussians: single places lie far below the mean (a tenth
    of them by 15 dB at one frequency) and more frequencies even that out.
    """
    left = scattered(random_waves(count, decay_s, generator), f_hz)
    right = scattered(random_waves(count, decay_s, generator), f_hz)
    return np.asarray(np.sqrt(change) * left * right)
