"""Air through a vent: pressure drop of honeycomb and lamella, and what it costs in temperature.

Laws and check values: reference/cad_em.md section 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

RHO_KG_M3 = 1.2
"""Air at 20 deg C and sea level (the figures of section 5 take it)."""
MU_PA_S = 1.81e-5
"""Dynamic viscosity of air at 20 deg C."""
CP_J_KG_K = 1006.0
"""Specific heat of air."""
FAN_STALL_PA = 100.0
"""Pressure of the protected thing's fans at no flow: low end of the 100-300 Pa of rack fans
(reference/cad_em.md section 5), so the loss of flow is not understated."""
SKIN_W_M2_K = 340.0 / 10.0 / 8.74
"""Natural convection and radiation of a closed skin: 340 W per 10 K over 8.74 m^2 (section 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vent:
    """A honeycomb of hexagonal cells, optionally with mesh boards on edge behind it.

    cell_m: across flats; open_share: of the face; lamella_open_share: 1 if there is no lamella.
    """

    cell_m: float
    depth_m: float
    open_share: float
    lamella_open_share: float = 1.0


def honeycomb_pa(face_m_s: float, cell_m: float, depth_m: float, open_share: float) -> float:
    """Return the drop of a honeycomb at a face velocity (laminar developing flow, section 5).

    dp = rho v^2/2 (4 f L/D + Kc + Ke), f Re = sqrt((3.44/sqrt(x))^2 + 15.05^2), x = L/(D Re).
    """
    if face_m_s <= 0:
        return 0.0
    v = face_m_s / open_share
    reynolds = RHO_KG_M3 * v * cell_m / MU_PA_S
    x = depth_m / (cell_m * reynolds)
    friction = math.hypot(3.44 / math.sqrt(x), 15.05) / reynolds
    ends = 0.5 * (1 - open_share) + (1 - open_share) ** 2
    return 0.5 * RHO_KG_M3 * v**2 * (4 * friction * depth_m / cell_m + ends)


def screen_k(open_share: float) -> float:
    """Return the loss factor of a sharp-edged grille on face velocity (Idelchik's form).

    K = (0.5 (1 - a) + 1 - a^2) / a^2: 14.0, 4.0, 1.35 at a = 0.3, 0.5, 0.7 (section 5).
    """
    return (0.5 * (1 - open_share) + 1 - open_share**2) / open_share**2


def vent_pa(flow_m3_s: float, area_m2: float, vent: Vent) -> float:
    """Return the drop of honeycomb and lamella together at a flow."""
    face = flow_m3_s / area_m2
    lamella = screen_k(vent.lamella_open_share) * 0.5 * RHO_KG_M3 * face**2
    return honeycomb_pa(face, vent.cell_m, vent.depth_m, vent.open_share) + lamella


def flow_share(drop_pa: float, stall_pa: float = FAN_STALL_PA) -> float:
    """Return the flow that is left of the flow without vents, drop_pa being taken at full flow.

    Fans a - b Q^2 against (Ks + Kv) Q^2: Q1/Q0 = sqrt(a / (a + dp)) (section 5, fan cost).
    """
    return math.sqrt(stall_pa / (stall_pa + drop_pa))


def inlet_rise_k(drop_pa: float, heat_w: float, flow_m3_s: float) -> float:
    """Return how much hotter the air gets because the vents take flow: dT (Q0/Q1 - 1)."""
    rise = heat_w / (RHO_KG_M3 * CP_J_KG_K * flow_m3_s)
    return rise * (1 / flow_share(drop_pa) - 1)


def skin_rise_k(heat_w: float, area_m2: float) -> float:
    """Return the temperature of a closed skin above the room."""
    return heat_w / (SKIN_W_M2_K * area_m2)
