"""A box with slots as a loaded waveguide (Robinson's circuit), and its resonances.

Equation: reference/cad_em.md 2.1.3. It explains where resonances lie; the design's attenuation
does not subtract them, so their frequencies are reported beside it.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from casemate.design.shielding import C0_M_S, Z0_OHM


@dataclass(frozen=True, slots=True, kw_only=True)
class SlottedBox:
    """A box a x b x d (metres; the wave enters along d) with n slots l x w in a wall of t.

    p: distance of the place of interest behind the slot. loss: relative wall loss zeta.
    """

    a_m: float
    b_m: float
    d_m: float
    slot_m: float
    width_m: float
    wall_m: float
    p_m: float
    count: int = 1
    loss: float = 0.0


def robinson_db(f_hz: float, box: SlottedBox) -> tuple[float, float]:
    """Return (electric, magnetic) attenuation in decibels at `p_m`; TE10 only, slot centred."""
    k = 2 * math.pi * f_hz / C0_M_S
    wavelength = C0_M_S / f_hz
    narrow = box.width_m - 5 * box.wall_m / (4 * math.pi) * (
        1 + math.log(4 * math.pi * box.width_m / box.wall_m)
    )
    q = (1 - (narrow / box.b_m) ** 2) ** 0.25
    z_strip = 120 * math.pi**2 / math.log(2 * (1 + q) / (1 - q))
    z_slot = box.count * box.slot_m / (2 * box.a_m) * 1j * z_strip * math.tan(k * box.slot_m / 2)
    s = cmath.sqrt(1 - (wavelength / (2 * box.a_m)) ** 2)
    if s.real == 0:
        s = -s  # evanescent: decays inward
    kg = k * s * (1 - 1j * box.loss)
    zg = Z0_OHM / s * (1 + box.loss - 1j * box.loss)
    v1 = z_slot / (Z0_OHM + z_slot)
    z1 = Z0_OHM * v1
    sin, cos = cmath.sin(kg * box.p_m), cmath.cos(kg * box.p_m)
    tan = sin / cos
    v2 = v1 / (cos + 1j * z1 / zg * sin)
    z2 = (z1 + 1j * zg * tan) / (1 + 1j * z1 / zg * tan)
    z3 = 1j * zg * cmath.tan(kg * (box.d_m - box.p_m))
    voltage, current = v2 * z3 / (z2 + z3), v2 / (z2 + z3)
    return -20 * math.log10(abs(2 * voltage)), -20 * math.log10(abs(2 * current * Z0_OHM))


def lowest_resonance_hz(size_m: tuple[float, float, float]) -> float:
    """Return the lowest resonance of a closed box: c/2 sqrt(1/a^2 + 1/b^2) of its two long edges.

    Check: 300 x 120 x 300 mm gives 706.618 MHz (TE101, reference/cad_em.md 2.2).
    """
    _, middle, longest = sorted(size_m)
    return C0_M_S / 2 * math.hypot(1 / middle, 1 / longest)
