"""What an attack or a repair does to a line: nick, jumper, probe, stub, other connector.

Each returns a network, S of shape (F, 2, 2), to be put in its place in a cascade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.touchstone import Z_REF_OHM
from casemate.twin.line_materials import Complex, Real, j_omega
from casemate.twin.line_microstrip import Wave
from casemate.twin.line_network import cascade, series, shunt


@dataclass(frozen=True, slots=True, kw_only=True)
class Nick:
    """Copper taken from a side of the trace: series resistance and inductance."""

    r_ohm: float
    l_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A probe, pad or finger: capacitance to ground, leak, and the inductance of its tip."""

    c_f: float
    leak_ohm: float = float("inf")
    l_h: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumper:
    """A wire across a piece of line of `length_m`, which may be cut out under it."""

    length_m: float
    r_ohm: float
    l_h: float
    cut: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """A piece of line that hangs on the trace, open or shorted at its end."""

    length_m: float
    shorted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plug:
    """A connector: series inductance between two capacitances, and its contact resistance."""

    c_left_f: float = 0.0
    l_h: float = 0.0
    c_right_f: float = 0.0
    contact_ohm: float = 0.0


def nick(defect: Nick, f_hz: Real) -> Complex:
    """Return the network of a nick."""
    return series(defect.r_ohm + j_omega(f_hz) * defect.l_h)


def probe(defect: Probe, f_hz: Real) -> Complex:
    """Return the network of a probe: its tip in series with its capacitance and leak."""
    jw = j_omega(f_hz)
    body = jw * defect.c_f + 1.0 / defect.leak_ohm
    return shunt(body / (1.0 + jw * defect.l_h * body))


def stub(defect: Stub, wave: Wave) -> Complex:
    """Return the network of a stub of the kind of line `wave`, at frequencies above 0."""
    half = np.tanh(wave.gamma_1_m * defect.length_m)
    return shunt(1.0 / (wave.z_ohm * half) if defect.shorted else half / wave.z_ohm)


def jumper(defect: Jumper, wave: Wave, f_hz: Real) -> Complex:
    """Return the network that replaces the bridged piece of line: the wire, and what is under it.

    Currents in wire and line add: the admittance matrices of both are summed.
    """
    wire = defect.r_ohm + j_omega(f_hz) * defect.l_h
    if defect.cut:
        return series(wire)
    angle = wave.gamma_1_m * defect.length_m
    own = 1.0 / (wave.z_ohm * np.tanh(angle)) + 1.0 / wire
    mutual = -1.0 / (wave.z_ohm * np.sinh(angle)) - 1.0 / wire
    # A symmetric two-port: even and odd excitation see own +- mutual.
    even, odd = _admitted(own + mutual), _admitted(own - mutual)
    s = np.empty((f_hz.size, 2, 2), dtype=np.complex128)
    s[:, 0, 0] = s[:, 1, 1] = 0.5 * (even + odd)
    s[:, 0, 1] = s[:, 1, 0] = 0.5 * (even - odd)
    return s


def plug(defect: Plug, f_hz: Real) -> Complex:
    """Return the network of a connector."""
    jw = j_omega(f_hz)
    return cascade(
        shunt(jw * defect.c_left_f),
        series(defect.contact_ohm + jw * defect.l_h),
        shunt(jw * defect.c_right_f),
    )


def _admitted(y_s: Complex) -> Complex:
    scaled = y_s * Z_REF_OHM
    return np.asarray((1.0 - scaled) / (1.0 + scaled), dtype=np.complex128)
