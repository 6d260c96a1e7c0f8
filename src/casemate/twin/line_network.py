"""Networks of lines: S-parameters, their cascade, ABCD matrices, and what physics asks of them.

A network with n conductors has 2n ports, the n left ones first; arrays have shape (F, 2n, 2n) and
refer to a real `z_ref_ohm`. Lines are built from exp(-gamma l) alone, which never overflows, and
joined by the star product (R. Redheffer, J. Math. Phys. 41, 1962), so that a long lossy line is as
exact as a short one; ABCD matrices grow as exp(+gamma l) and are meant for short lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casemate.core.touchstone import Z_REF_OHM
from casemate.twin.line_materials import Complex, Real
from casemate.twin.line_microstrip import Wave


def line(wave: Wave, length_m: float, z_ref_ohm: float = Z_REF_OHM) -> Complex:
    """Return S, shape (F, 2, 2), of a uniform line of `length_m`."""
    step = (wave.z_ohm - z_ref_ohm) / (wave.z_ohm + z_ref_ohm)
    through = np.exp(-wave.gamma_1_m * length_m)
    below = 1.0 - (step * through) ** 2
    return _symmetric(step * (1.0 - through**2) / below, through * (1.0 - step**2) / below)


def series(z_ohm: Complex, z_ref_ohm: float = Z_REF_OHM) -> Complex:
    """Return S, shape (F, 2, 2), of an impedance in series, shape (F,)."""
    below = z_ohm + 2.0 * z_ref_ohm
    return _symmetric(z_ohm / below, 2.0 * z_ref_ohm / below)


def shunt(y_s: Complex, z_ref_ohm: float = Z_REF_OHM) -> Complex:
    """Return S, shape (F, 2, 2), of an admittance to ground, shape (F,)."""
    scaled = y_s * z_ref_ohm
    return _symmetric(-scaled / (2.0 + scaled), 2.0 / (2.0 + scaled))


def _symmetric(reflected: Complex, passed: Complex) -> Complex:
    s = np.empty((*np.shape(reflected), 2, 2), dtype=np.complex128)
    s[..., 0, 0] = s[..., 1, 1] = reflected
    s[..., 0, 1] = s[..., 1, 0] = passed
    return s


def cascade(*parts: Complex) -> Complex:
    """Return the networks joined from left to right, each of shape (F, 2n, 2n)."""
    joined = parts[0]
    for part in parts[1:]:
        joined = _star(joined, part) if part.shape[-1] > 2 else _star_two_port(joined, part)
    return joined


def _star_two_port(a: Complex, b: Complex) -> Complex:
    s = np.empty_like(a)
    below = 1.0 - a[..., 1, 1] * b[..., 0, 0]
    s[..., 0, 0] = a[..., 0, 0] + a[..., 0, 1] * a[..., 1, 0] * b[..., 0, 0] / below
    s[..., 1, 1] = b[..., 1, 1] + b[..., 0, 1] * b[..., 1, 0] * a[..., 1, 1] / below
    s[..., 0, 1] = a[..., 0, 1] * b[..., 0, 1] / below
    s[..., 1, 0] = a[..., 1, 0] * b[..., 1, 0] / below
    return s


def _star(a: Complex, b: Complex) -> Complex:
    n = a.shape[-1] // 2
    a11, a12, a21, a22 = a[..., :n, :n], a[..., :n, n:], a[..., n:, :n], a[..., n:, n:]
    b11, b12, b21, b22 = b[..., :n, :n], b[..., :n, n:], b[..., n:, :n], b[..., n:, n:]
    one = np.eye(n)
    right = np.linalg.solve(one - a22 @ b11, np.concatenate([a21, a22 @ b12], axis=-1))
    s = np.empty_like(a)
    s[..., :n, :n] = a11 + a12 @ b11 @ right[..., :n]
    s[..., :n, n:] = a12 @ (b12 + b11 @ right[..., n:])
    s[..., n:, :n] = b21 @ right[..., :n]
    s[..., n:, n:] = b22 + b21 @ right[..., n:]
    return s


def flipped(s: Complex) -> Complex:
    """Return the network seen from the other side."""
    n = s.shape[-1] // 2
    order = np.r_[n : 2 * n, 0:n]
    return s[..., order[:, None], order]


def terminated(s: Complex, load: Complex) -> Complex:
    """Return the reflection, shape (F,), of a two-port whose right port has reflection `load`."""
    passed = s[..., 0, 1] * s[..., 1, 0] * load / (1.0 - s[..., 1, 1] * load)
    return np.asarray(s[..., 0, 0] + passed, dtype=np.complex128)


def reflection(z_ohm: Complex, z_ref_ohm: float = Z_REF_OHM) -> Complex:
    """Return the reflection of a load, shape (F,)."""
    return np.asarray((z_ohm - z_ref_ohm) / (z_ohm + z_ref_ohm), dtype=np.complex128)


def abcd_of_line(wave: Wave, length_m: float) -> Complex:
    """Return the ABCD matrix, shape (F, 2, 2), of a line that attenuates less than 300 dB."""
    angle = wave.gamma_1_m * length_m
    return _matrix(
        np.cosh(angle), wave.z_ohm * np.sinh(angle), np.sinh(angle) / wave.z_ohm, np.cosh(angle)
    )


def abcd_from_s(s: Complex, z_ref_ohm: float = Z_REF_OHM) -> Complex:
    """Return the ABCD matrix, shape (F, 2, 2), of a two-port."""
    s11, s12, s21, s22 = s[..., 0, 0], s[..., 0, 1], s[..., 1, 0], s[..., 1, 1]
    loop = s12 * s21
    below = 2.0 * s21
    return _matrix(
        ((1 + s11) * (1 - s22) + loop) / below,
        z_ref_ohm * ((1 + s11) * (1 + s22) - loop) / below,
        ((1 - s11) * (1 - s22) - loop) / below / z_ref_ohm,
        ((1 - s11) * (1 + s22) + loop) / below,
    )


def s_from_abcd(abcd: Complex, z_ref_ohm: float = Z_REF_OHM) -> Complex:
    """Return S, shape (F, 2, 2), of an ABCD matrix."""
    a, d = abcd[..., 0, 0], abcd[..., 1, 1]
    b, c = abcd[..., 0, 1] / z_ref_ohm, abcd[..., 1, 0] * z_ref_ohm
    below = a + b + c + d
    return _matrix(
        (a + b - c - d) / below, 2 * (a * d - b * c) / below, 2 / below, (-a + b - c + d) / below
    )


def _matrix(a: Complex, b: Complex, c: Complex, d: Complex) -> Complex:
    return np.stack([np.stack([a, b], axis=-1), np.stack([c, d], axis=-1)], axis=-2)


def passivity_excess(s: Complex) -> float:
    """Return by how much the largest singular value exceeds 1; 0 if the network is passive."""
    largest: NDArray[np.float64] = np.linalg.norm(s, ord=2, axis=(-2, -1))
    return max(0.0, float(largest.max()) - 1.0)


def reciprocity_error(s: Complex) -> float:
    """Return the largest |S - transpose of S|; 0 for a network without magnets or amplifiers."""
    return float(np.abs(s - np.swapaxes(s, -1, -2)).max())


def rms(values: Complex | Real) -> float:
    """Return the root of the mean squared magnitude."""
    return float(np.sqrt(np.mean(np.abs(values) ** 2)))
