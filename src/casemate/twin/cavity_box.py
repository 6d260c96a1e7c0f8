"""The explicit sum over the vector modes of a box: the slow, exact way that statistics must match.

G(r, r') = sum E_n(r) E_n(r') / (k_n^2 - k^2 (1 - j/Q)), modes normalised to unit integral of E^2.
Only divergence-free modes: right between places that are apart, not for a place with itself.
R. E. Collin, Field Theory of Guided Waves, IEEE Press 1991, chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casemate.twin.cavity_modes import Size, box_indices
from casemate.twin.line_materials import C0_M_S, Complex, Real


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxModes:
    """Modes of a box: wave vectors (M, 3) in 1/m and field amplitudes (M, 3) in m^-1.5.

    E_x = amplitude_x cos(k_x x) sin(k_y y) sin(k_z z), and so on round.
    """

    size_m: Size
    wave_1_m: Real
    amplitude: Real


def box_modes(size_m: Size, f_max_hz: float) -> BoxModes:
    """Return all modes of the box up to `f_max_hz`, two perpendicular ones per full triple."""
    indices, _ = box_indices(size_m, f_max_hz)
    wave = np.pi * indices / np.asarray(size_m)
    first = np.concatenate([[True], np.any(np.diff(indices, axis=0) != 0, axis=1)])
    zeros = indices == 0
    direction = np.where(zeros, 1.0, 0.0)  # a single zero fixes the direction: along that axis
    full = ~zeros.any(axis=1)
    helper = np.cross(wave[full], _least_axis(wave[full]))
    second = np.cross(wave[full], helper)
    direction[full] = np.where(first[full, None], helper, second)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    share = np.prod(np.where(zeros, 1.0, 0.5), axis=1)
    # of the fields' mean square: sin^2 of a zero index vanishes, but so does that component
    norm = np.sqrt(np.prod(size_m) * np.where(full, 1.0 / 8.0, share))
    return BoxModes(size_m=size_m, wave_1_m=wave, amplitude=direction / norm[:, None])


def _least_axis(wave: Real) -> Real:
    return np.asarray(np.eye(3)[np.argmin(np.abs(wave), axis=1)])


def fields(modes: BoxModes, place_m: Real, axis: Real) -> Real:
    """Return the component along unit vectors `axis` (P, 3) of every mode at `place_m`, (P, M)."""
    phase = place_m[:, None, :] * modes.wave_1_m[None, :, :]
    sin, cos = np.sin(phase), np.cos(phase)
    parts = np.stack(
        [
            cos[..., 0] * sin[..., 1] * sin[..., 2],
            sin[..., 0] * cos[..., 1] * sin[..., 2],
            sin[..., 0] * sin[..., 1] * cos[..., 2],
        ],
        axis=-1,
    )
    return np.asarray((parts * modes.amplitude[None] * axis[:, None, :]).sum(axis=-1))


def green(modes: BoxModes, q: float, f_hz: Real, left: Real, right: Real) -> Complex:
    """Return G in 1/m between places with mode fields `left` (P, M) and `right` (R, M): (F, P, R).

    One Q for all modes; the wave equation's loss is k^2 (1 - j/Q).
    """
    k_n = np.linalg.norm(modes.wave_1_m, axis=1)
    k = 2.0 * np.pi * f_hz / C0_M_S
    weight = 1.0 / (k_n[None, :] ** 2 - k[:, None] ** 2 * (1.0 - 1j / q))
    return np.asarray(np.einsum("fm,pm,rm->fpr", weight, left, right, optimize=True))


def random_places(
    size_m: Size, count: int, margin_m: float, generator: np.random.Generator
) -> tuple[Real, Real]:
    """Return places (P, 3) at least `margin_m` from walls and random unit vectors (P, 3)."""
    size = np.asarray(size_m)
    places = margin_m + generator.random((count, 3)) * (size - 2.0 * margin_m)
    axes = generator.standard_normal((count, 3))
    return places, axes / np.linalg.norm(axes, axis=1, keepdims=True)


def wall_places(
    size_m: Size, count: int, generator: np.random.Generator
) -> tuple[Real, NDArray[np.float64]]:
    """Return places (P, 3) spread evenly over all walls, and the inward normals (P, 3)."""
    size = np.asarray(size_m)
    area = np.repeat(np.prod(size) / size, 2)
    wall = generator.choice(6, size=count, p=area / area.sum())
    places = generator.random((count, 3)) * size
    axis, far = wall // 2, wall % 2
    rows = np.arange(count)
    places[rows, axis] = np.where(far == 1, size[axis], 0.0)
    normals = np.zeros((count, 3))
    normals[rows, axis] = np.where(far == 1, -1.0, 1.0)
    return places, normals
