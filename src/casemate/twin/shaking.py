"""How strongly a site's panel shakes: quiet, and under a force; root mean squares over a window."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.environment import Events, panel_vibration
from casemate.twin.environment_forces import Drill, drill_force_n
from casemate.twin.environment_panel import acceleration_m_s2, plate_modes
from casemate.twin.environment_sites import SITES
from casemate.twin.line_materials import Real

RATE_HZ = 12_000.0
"""Three times the band of the accelerometers."""
WINDOW_S = 0.5
SETTLED_S = 0.1
ULTRASOUND_HZ = 2e4
"""Above it sensors alias or rectify a tenth at most (planning value)."""
SENSE = (0.37, 0.43)
"""Where the accelerometer sits, as shares of the panel: off the nodes of the lowest modes."""


@lru_cache(maxsize=8)
def quiet_rms_m_s2(site: str) -> float:
    """Return the panel's own rms acceleration with fans and nobody near."""
    place = SITES[site]
    nobody = Events(doors=np.empty((0, 2)), passers=np.empty((0, 2)), drillings=np.empty((0, 2)))
    sense = (SENSE[0] * place.plate.a_m, SENSE[1] * place.plate.b_m)
    moved = panel_vibration(
        place, nobody, (0.0, WINDOW_S), RATE_HZ, sense, np.random.default_rng(7)
    )
    return _rms(moved)


def force_rms_m_s2(
    site: str, kind: str, newton: float, hertz: float, share: tuple[float, float]
) -> float:
    """Return the rms acceleration at the sensor of a force at a place given as shares of the panel.

    Kinds as of `effects.Force`. Raises InputError for another kind.
    """
    plate = SITES[site].plate
    times_s = np.arange(int(WINDOW_S * RATE_HZ)) / RATE_HZ
    force = _force_n(kind, newton, hertz, times_s)
    modes = plate_modes(plate, RATE_HZ / 3.0)
    drive = (min(max(share[0], 0.02), 0.98) * plate.a_m, min(max(share[1], 0.02), 0.98) * plate.b_m)
    sense = (SENSE[0] * plate.a_m, SENSE[1] * plate.b_m)
    return _rms(acceleration_m_s2(plate, modes, drive, sense, force, RATE_HZ))


def sound_rms_m_s2(site: str, pascal: float, hertz: float) -> float:
    """Return the rms acceleration that sound of a pressure and frequency gives a panel.

    Mass law: twice the pressure, for it is reflected, over the mass an area; above the panel's
    first mode, which lies below what is of interest. 11 Pa (115 dB) on 2 mm of aluminium give
    4 m/s2, as acoustic attacks on bare sensors do (physics.md 5.6).
    """
    plate = SITES[site].plate
    areal = plate.density_kg_m3 * plate.thickness_m
    moved = 2.0 * pascal / areal
    return moved if hertz <= ULTRASOUND_HZ else 0.1 * moved


def _force_n(kind: str, newton: float, hertz: float, times_s: Real) -> Real:
    generator = np.random.default_rng(11)
    if kind == "drill":
        drill = Drill(turns_1_s=hertz, thrust_n=newton)
        return drill_force_n(drill, times_s, 0.0, math.inf, generator)
    if kind == "sine":
        return np.asarray(newton * np.sin(2.0 * np.pi * hertz * times_s))
    if kind == "noise":
        band = min(1.0, 2.0 * hertz / RATE_HZ)
        return np.asarray(newton * math.sqrt(band) * generator.standard_normal(times_s.size))
    if kind == "shock":
        half = 0.5 / max(hertz, 1e-3)
        inside = (times_s >= SETTLED_S) & (times_s < SETTLED_S + half)
        return np.asarray(
            np.where(inside, newton * np.sin(np.pi * (times_s - SETTLED_S) / half), 0)
        )
    raise InputError(
        f"there is no force of kind {kind!r}.", remedy="kinds: drill, sine, noise, shock."
    )


def _rms(moved: Real) -> float:
    settled = moved[int(SETTLED_S * RATE_HZ) :]
    return float(np.sqrt(np.mean(settled**2)))
