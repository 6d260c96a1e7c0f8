"""What slowly moves a capacitance: temperature, water that diffuses into the film, age.

C = C0 (1 + a_e dT)(1 + b_h dm)(1 + g t). Water follows Fick: m_t = D m_xx in a sheet, so its mean
is a sum of modes with rates (2n + 1)^2/tau, tau = h^2/(pi^2 D) for a sheet open on both faces
(J. Crank, The Mathematics of Diffusion, 4.3). One open face: h counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.errors import InputError
from casemate.twin._course_kernel import soaked
from casemate.twin.line_materials import Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A dielectric film of a node: how its permittivity follows temperature, water and age.

    Defaults are polyimide's: `temperature_1_k` 2.5e-4 (estimates run from 1e-4 to 4e-4),
    `per_water` 0.06 of C per 1 % of mass (0.03 to 0.09), uptake 1.5 % at 100 % RH (0.8 to 2.9 in
    data sheets), D 3e-13 m2/s (estimates 1e-13 to 1e-12). `ageing_1_s` has no source: 0.
    """

    thickness_m: float
    diffusivity_m2_s: float = 3e-13
    open_faces: int = 2
    temperature_1_k: float = 2.5e-4
    per_water: float = 6.0
    water_at_full: float = 0.015
    ageing_1_s: float = 0.0

    def __post_init__(self) -> None:
        if min(self.thickness_m, self.diffusivity_m2_s) <= 0.0 or self.open_faces not in (1, 2):
            raise InputError(
                "a film needs thickness and diffusivity above 0 and one or two open faces.",
                remedy="a film between copper planes is open at its edges: give its width as h.",
                value=(self.thickness_m, self.diffusivity_m2_s, self.open_faces),
            )

    @property
    def tau_s(self) -> float:
        """Return the slowest time constant."""
        height = self.thickness_m * (2.0 if self.open_faces == 1 else 1.0)
        return height**2 / (np.pi**2 * self.diffusivity_m2_s)


def uptake(film: Film, time_s: Real, *, modes: int = 200) -> Real:
    """Return the mean water in the film over its final value, shape (T,), after a step at 0.

    1 - sum 8/((2n+1)^2 pi^2) exp(-(2n+1)^2 t/tau); the cut at `modes` leaves 2/(pi^2 modes) at 0
    and nothing later.
    """
    odd = (2.0 * np.arange(modes) + 1.0) ** 2
    decay = np.exp(-np.outer(np.asarray(time_s) / film.tau_s, odd))
    return np.asarray(1.0 - decay @ (8.0 / (np.pi**2 * odd)), dtype=np.float64)


def mean_water(film: Film, step_s: float, surface: Real, *, modes: int = 60) -> Real:
    """Return the mean water (T,) that follows `surface` (T,), both as shares of saturation.

    `surface` holds from one sample to the next, `step_s` apart; starts in balance with its first
    value. Each mode is integrated exactly, and what the cut leaves follows at once.
    """
    odd = (2.0 * np.arange(modes) + 1.0) ** 2
    share = 8.0 / (np.pi**2 * odd)
    keep = np.exp(-odd * step_s / film.tau_s)
    state = np.full(modes, float(surface[0]))
    found = np.empty(len(surface))
    rest = 1.0 - share.sum()
    soaked(keep, share, rest, np.ascontiguousarray(surface, dtype=np.float64), state, found)
    return found


def film_factor(film: Film, *, rise_k: Real, water: Real, age_s: Real) -> Real:
    """Return C/C0, shapes broadcast: `rise_k` from the anchor, `water` as change of saturation."""
    warm = 1.0 + film.temperature_1_k * np.asarray(rise_k)
    wet = 1.0 + film.per_water * film.water_at_full * np.asarray(water)
    old = 1.0 + film.ageing_1_s * np.asarray(age_s)
    return np.asarray(warm * wet * old, dtype=np.float64)
