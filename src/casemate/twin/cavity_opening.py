"""Openings in the wall of a cavity: what leaks, and how far the response changes when one appears.

Small holes by Bethe's dipoles, slots as rods by Babinet's principle, all averaged over a diffuse
field; large ones by their area. An opening lets out as much as it scatters back, so one figure,
the absorption cross-section, stands for both. H. A. Bethe, Phys. Rev. 66, 1944; Hill 1994.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.twin.cavity_needle import SLIMMEST, Needle, needle_m2, resonance_hz
from casemate.twin.line_materials import C0_M_S, Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A hole of `length_m` x `width_m` in a thin wall; round unless it is long and narrow."""

    length_m: float
    width_m: float
    count: int = 1


def hole_m2(diameter_m: float, f_hz: Real) -> Real:
    """Return the cross-section of a round hole, shape (F,): 8 k^4 a^6 / (9 pi), at most area / 4.

    Half of the transmission cross-section averaged over incidence from a half-space, since half
    of a diffuse field runs towards the wall.
    """
    radius = 0.5 * diameter_m
    k = 2.0 * np.pi * f_hz / C0_M_S
    small = 8.0 / (9.0 * np.pi) * k**4 * radius**6
    return np.asarray(np.minimum(small, 0.25 * math.pi * radius**2))


def slot_m2(length_m: float, width_m: float, f_hz: Real) -> Real:
    """Return the cross-section of a slot, shape (F,): a quarter of the complementary rod's.

    The rod has half the slot's length on each side and a quarter of its width as radius. At the
    half-wave resonance this is lambda^2 / (8 pi), the matched antenna's.
    """
    rod = Needle(depth_m=0.5 * length_m, diameter_m=0.5 * width_m)
    k = 2.0 * np.pi * f_hz / C0_M_S
    top = resonance_hz(rod)
    resonant = 0.25 * needle_m2(rod, np.minimum(f_hz, top))
    # past resonance: the antenna's or a quarter of the area, whichever is larger
    after = np.maximum(0.5 * np.pi / k**2, 0.25 * length_m * width_m)
    return np.asarray(np.where(f_hz < top, resonant, after))


def opening_m2(opening: Opening, f_hz: Real) -> Real:
    """Return the absorption cross-section of one such opening, shape (F,).

    A slot if its length is at least 6 widths (the rod formula then holds), else a round hole of
    equal area.
    """
    if opening.length_m * 2.0 / opening.width_m >= SLIMMEST:
        return slot_m2(opening.length_m, opening.width_m, f_hz)
    return hole_m2(2.0 * math.sqrt(opening.length_m * opening.width_m / math.pi), f_hz)


def opening_change(opening: Opening, absorption_m2: Real, f_hz: Real) -> tuple[Real, Real]:
    """Return (mean |dH|^2 / |H|^2, relative fall of the mean level) when it appears, (F,) each.

    sigma / (A + sigma) for both: the power that the wall no longer sends back is the power lost.
    """
    sigma = opening.count * opening_m2(opening, f_hz)
    share = np.asarray(sigma / (absorption_m2 + sigma))
    return share, share
