"""What fields and voltages put on a reader's input: induced, shielded, filtered, rectified.

Within a reader's band a signal adds to the reading as it is; outside it a small share is rectified
at the input and adds its envelope. Fields reach a mesh behind the board's plane and a receiver
behind the wall, both less by the design's own computed attenuation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.design.enclosure import Enclosure
from casemate.twin.effects import Conducted, Effect, Magnetic, Radiated
from casemate.twin.line_materials import C0_M_S, ETA0_OHM, Real

RECTIFIED = 1e-3
"""Of an amplitude out of band, as its envelope (planning value: 60 dB)."""
BALANCE = 1e-2
"""Of a common-mode voltage that appears between a net's terminals (planning value: 40 dB)."""
PLANE_SKIN_HZ = 2e4
"""Below this a plane of 18 um does not shield magnetic fields (mu0 sigma t R ~ 1 at R 35 mm)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where a reader listens, Hz, and how far down it takes what lies just outside."""

    low_hz: float
    high_hz: float


def attenuation(enclosure: Enclosure, hertz: float) -> float:
    """Return the amplitude factor of the wall at a frequency, from the design's shielding.

    Below its table, where fields are near and low, 1.
    """
    table = enclosure.shielding
    f_hz, total_db = table.get("frequency_hz", []), table.get("total_db", [])
    if not f_hz or hertz < f_hz[0]:
        return 1.0
    db = float(np.interp(math.log(hertz), np.log(f_hz), total_db))
    return float(10.0 ** (-db / 20.0))


def in_band(hertz: float, band_hz: float, band: Band) -> float:
    """Return the share of a signal's power inside a band, 0 to 1."""
    width = max(band_hz, 1e-3)
    low, high = hertz - 0.5 * width, hertz + 0.5 * width
    inside = min(high, band.high_hz) - max(low, band.low_hz)
    return max(0.0, min(1.0, inside / width))


def _wall(enclosure: Enclosure, field: Radiated) -> float:
    """Return what the wall leaves of a field; the payload's own needs not pass it."""
    return 1.0 if field.inside else attenuation(enclosure, field.hertz)


def _seen(hertz: float, band_hz: float, band: Band) -> float:
    """Return the amplitude factor of band and rectification."""
    return math.sqrt(in_band(hertz, band_hz, band)) + RECTIFIED


def net_volt(enclosure: Enclosure, effects: tuple[Effect, ...], band: Band, loop_m2: Real) -> Real:
    """Return the rms voltage that effects induce in nets of these areas, shape (N,).

    emf = 2 pi f B A for magnetic fields, E/c being the B of a plane wave; a field whose wavelength
    is shorter than ten times a net's extent links no more than that. Common-mode voltages appear
    by imbalance.
    """
    total = np.zeros(loop_m2.shape)
    area = np.abs(loop_m2)
    for each in effects:
        if isinstance(each, Magnetic):
            inside = 1.0 if each.hertz < PLANE_SKIN_HZ else PLANE_SKIN_HZ / each.hertz
            emf = 2.0 * math.pi * each.hertz * each.tesla * inside * area
            total += (emf * _seen(each.hertz, 0.0, band)) ** 2
        elif isinstance(each, Radiated):
            field = each.volt_m * _wall(enclosure, each)
            most = np.minimum(area, (0.1 * C0_M_S / each.hertz) ** 2)
            emf = 2.0 * math.pi * each.hertz * field / C0_M_S * most
            total += (emf * _seen(each.hertz, each.band_hz, band)) ** 2 * each.duty
        elif isinstance(each, Conducted):
            volt = each.volt * attenuation(enclosure, each.hertz) * BALANCE
            total += (volt * _seen(each.hertz, each.band_hz, band)) ** 2 * each.duty
    return np.asarray(np.sqrt(total))


def antenna_watt(enclosure: Enclosure, effects: tuple[Effect, ...], band: Band) -> float:
    """Return the power in band that radiated fields put on an antenna inside.

    E^2/eta through the wall, then lambda^2/(8 pi) of a diffuse field.
    """
    total = 0.0
    for each in effects:
        if isinstance(each, Radiated):
            share = in_band(each.hertz, each.band_hz, band)
            inside = each.volt_m * _wall(enclosure, each)
            area = (C0_M_S / each.hertz) ** 2 / (8.0 * math.pi)
            total += inside**2 / ETA0_OHM * area * share * each.duty
    return total
