"""Where the power in a cavity goes: walls, absorbers, openings, antennas; Q and decay from that.

Every loss is an absorption cross-section A in m^2: power = power density x A, averaged over a
diffuse field. D. A. Hill and others, IEEE T-EMC 36(3), 1994; Hill, Electromagnetic Fields in
Cavities, 2009, chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.twin.cavity_opening import Opening, opening_m2
from casemate.twin.line_materials import C0_M_S, MU0_H_M, Real

ALUMINIUM_S_M = 3.5e7
"""Aluminium sheet 6061 to 1050 is 2.5e7 to 3.6e7 S/m (makers' tables)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """Metal surface inside the cavity."""

    area_m2: float
    conductivity_s_m: float = ALUMINIUM_S_M
    mu_r: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorber:
    """A body with its absorption cross-section at rising frequencies, linear in between.

    Outside the table the nearest value holds. `source` says where the figures come from.
    """

    f_hz: tuple[float, ...]
    area_m2: tuple[float, ...]
    source: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cavity:
    """Everything that takes power out of a volume."""

    volume_m3: float
    walls: Walls
    absorbers: tuple[Absorber, ...] = ()
    openings: tuple[Opening, ...] = ()
    antennas: int = 0
    antenna_efficiency: float = 1.0
    """Share of what a matched antenna would take that reaches a load or heats the antenna."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Absorption cross-sections in m^2, shape (F,) each, and what follows from their sum."""

    f_hz: Real
    volume_m3: float
    walls_m2: Real
    absorbers_m2: Real
    openings_m2: Real
    antennas_m2: Real

    @property
    def total_m2(self) -> Real:
        """Return A_abs, shape (F,)."""
        return self.walls_m2 + self.absorbers_m2 + self.openings_m2 + self.antennas_m2

    @property
    def decay_s(self) -> Real:
        """Return the time in which energy falls by e: V / (c A_abs), shape (F,)."""
        return np.asarray(self.volume_m3 / (C0_M_S * self.total_m2))

    @property
    def q(self) -> Real:
        """Return Q = omega tau, shape (F,)."""
        return np.asarray(2.0 * np.pi * self.f_hz * self.decay_s)

    @property
    def bandwidth_hz(self) -> Real:
        """Return f/Q, shape (F,)."""
        return np.asarray(self.f_hz / self.q)


def wall_m2(walls: Walls, f_hz: Real) -> Real:
    """Return 4 pi mu_r S delta / (3 lambda), shape (F,): the high-frequency mean over modes."""
    delta = 1.0 / np.sqrt(np.pi * f_hz * MU0_H_M * walls.mu_r * walls.conductivity_s_m)
    return np.asarray(4.0 / 3.0 * np.pi * walls.mu_r * walls.area_m2 * delta * f_hz / C0_M_S)


def antenna_m2(f_hz: Real) -> Real:
    """Return what one matched antenna takes of a diffuse field: lambda^2 / (8 pi), shape (F,)."""
    return np.asarray((C0_M_S / f_hz) ** 2 / (8.0 * np.pi))


def losses(cavity: Cavity, f_hz: Real) -> Losses:
    """Return the loss budget at `f_hz`, shape (F,)."""
    absorbers, openings = np.zeros_like(f_hz), np.zeros_like(f_hz)
    for body in cavity.absorbers:
        absorbers = absorbers + body.count * np.interp(f_hz, body.f_hz, body.area_m2)
    for hole in cavity.openings:
        openings = openings + hole.count * opening_m2(hole, f_hz)
    return Losses(
        f_hz=f_hz,
        volume_m3=cavity.volume_m3,
        walls_m2=wall_m2(cavity.walls, f_hz),
        absorbers_m2=absorbers,
        openings_m2=openings,
        antennas_m2=cavity.antennas * cavity.antenna_efficiency * antenna_m2(f_hz),
    )


def mean_gain(losses_: Losses, efficiency_pair: float = 1.0) -> Real:
    """Return the mean |S21|^2 of two antennas in the diffuse field, shape (F,).

    lambda^2 / (8 pi A_abs) times both radiation efficiencies.
    """
    return np.asarray(efficiency_pair * antenna_m2(losses_.f_hz) / losses_.total_m2)
