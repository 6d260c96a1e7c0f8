"""What each part leaks, for the choice of modules: the equations of shielding.py, before layout.

The layout knows true seam lengths and cells and has the last word; here seams count the edges of
the box and the joints that the fab's largest board makes necessary.
"""

from __future__ import annotations

import math

from casemate.design import shielding as em
from casemate.design.needs import Slot, quantity
from casemate.modules import Card
from casemate.spec.model import AttenuationTarget, EnclosureSpec

POINTS = 7
"""Frequencies of a band at which the leaks are added, evenly in the logarithm, edges included."""


def band_points_hz(band: AttenuationTarget) -> list[float]:
    """Return the frequencies (Hz) at which a band is checked."""
    low, ratio = band.f_min_hz, band.f_max_hz / band.f_min_hz
    return [low * ratio ** (step / (POINTS - 1)) for step in range(POINTS)]


def leak_db(slot: Slot, card: Card, spec: EnclosureSpec, f_hz: float) -> float:
    """Return the attenuation (dB) that a part in a slot keeps at one frequency.

    All openings of the slot together, incoherent (10 log N). What neither an equation nor the card
    covers keeps 0 dB: an unfiltered wire voids the wall. Equations: shared reference cad_em.md 2.1.
    """
    given = card.parameters
    if slot.function == "shield" and "conductivity_s_per_m" in given:
        return em.sheet_db(f_hz, given["sheet_thickness_m"], given["conductivity_s_per_m"])
    if slot.function == "seam" and "transfer_impedance_ohm_m" in given:
        contacts = em.contact_inductance_h_m(given["slot_length_m"], f_hz)
        distance = min(spec.protected.size_m) / 2
        one = em.seam_db(f_hz, given["transfer_impedance_ohm_m"], contacts, distance)
        lines = max(slot.length_m / max(spec.protected.size_m), 1e-6)
        return one - 10 * math.log10(lines)
    if slot.function == "vent" and "cell_m" in given:
        cells = max(1.0, em.honeycomb_cells(slot.area_m2, given["cell_m"]))
        return em.guide_db(f_hz, given["cell_m"], given["depth_m"]) - 10 * math.log10(cells)
    if slot.function == "window" and "sheet_resistance_ohm" in given:
        return em.thin_sheet_db(given["sheet_resistance_ohm"])
    if slot.function == "window" and "wire_pitch_m" in given:
        return em.grid_db(f_hz, given["wire_pitch_m"], given["wire_width_m"])
    if slot.function in ("crossing_fibre", "crossing_liquid") and "bore_m" in given:
        return _bore_db(slot, card, f_hz)
    rows = [a.attenuation_db for a in card.attenuation if a.f_min_hz <= f_hz <= a.f_max_hz]
    return max(rows, default=0.0) - 10 * math.log10(slot.count)


def _bore_db(slot: Slot, card: Card, f_hz: float) -> float:
    bore, depth = card.parameters["bore_m"], card.parameters["bore_depth_m"]
    if slot.function == "crossing_fibre":
        one = em.round_guide_db(f_hz, bore, depth)
        return one - 10 * math.log10(quantity(slot, card))
    wide = slot.crossing.diameter_m if slot.crossing is not None else bore
    bores = slot.count * max(1.0, 0.6 * (wide / bore) ** 2 if wide > bore else 1.0)
    one = em.filled_bore_db(f_hz, bore, depth, em.water_permittivity(f_hz))
    return one - 10 * math.log10(bores)


def leak_share_ppm(slot: Slot, card: Card, spec: EnclosureSpec, f_hz: float, db: float) -> int:
    """Return the power that a part lets through, in millionths of what `db` decibels let through.

    Capped at 10^9, a thousand times the whole allowance. The parts of an enclosure leak side by
    side, so these shares add up and may reach 10^6 at most.
    """
    return min(math.ceil(1e6 * 10 ** ((db - leak_db(slot, card, spec, f_hz)) / 10)), 10**9)
