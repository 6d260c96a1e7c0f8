"""Forces on a panel: drill, fan, feet. And what an accelerometer adds to what it is told."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from casemate.twin.line_materials import Real
from casemate.twin.walks import turned_angle

G_M_S2 = 9.80665


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A drill on a panel; defaults are planning values within physics.md 3 and 5.6."""

    turns_1_s: float = 500.0
    flutes: int = 2
    thrust_n: float = 1.0
    """Steady push, 0.1 to 5 N."""
    shaft_share: float = 0.1
    """Of the thrust, at the shaft's frequency: runout."""
    tooth_share: float = 0.3
    """Of the thrust, at the tooth frequency, half as much at twice that."""
    chatter_share: float = 0.1
    """Of the thrust, root mean square, without a tone."""
    onset_s: float = 0.05
    """In which the push builds up and the speed sags by `sag`."""
    sag: float = 0.1
    speed_spread: float = 0.005
    speed_memory_s: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class FanForce:
    """A fan on the frame; unbalance by balance grade: force = mass x 6.3 mm/s x speed at G 6.3."""

    turns_1_s: float
    rotor_kg: float
    blades: int = 7
    grade_m_s: float = 6.3e-3
    """ISO 21940-11 grade G 6.3, the usual one for fans (ISO 14694, BV-3)."""
    blade_share: float = 0.3
    """Blade-pass over unbalance (planning value); each further harmonic half of the last."""
    broadband_share: float = 0.2
    """Root mean square without a tone over unbalance (planning value)."""
    speed_spread: float = 0.003
    speed_memory_s: float = 2.0
    """Of the walking speed (planning values)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerometer:
    """One axis. Defaults near a quiet MEMS: 25 ug/rtHz (physics.md 2: 25 to 75, planning value)."""

    density_m_s2_rthz: float = 25e-6 * G_M_S2
    corner_hz: float = 1.0
    """Below it the density rises as 1/sqrt(f) (planning value)."""
    range_m_s2: float = 2.0 * G_M_S2
    bits: int = 16


def drill_force_n(
    drill: Drill, times_s: Real, start_s: float, stop_s: float, generator: np.random.Generator
) -> Real:
    """Return the force, shape (K,), at evenly spaced times; 0 before and after."""
    on = (times_s >= start_s) & (times_s < stop_s)
    since = np.maximum(times_s - start_s, 0.0)
    grown = np.where(on, -np.expm1(-since / drill.onset_s), 0.0)
    speed = drill.turns_1_s * (1.0 - drill.sag * grown)
    angle = turned_angle(speed, drill.speed_spread, drill.speed_memory_s, times_s, generator)
    tooth = np.sin(drill.flutes * angle) + 0.5 * np.sin(2 * drill.flutes * angle + 1.0)
    chatter = generator.standard_normal(times_s.size)
    shape = 1.0 + drill.shaft_share * np.sin(angle) + drill.tooth_share * tooth
    return np.asarray(drill.thrust_n * grown * (shape + drill.chatter_share * chatter))


def unbalance_n(fan: FanForce) -> float:
    """Return the rotating force of the permitted residual unbalance: m (e omega) omega."""
    return fan.rotor_kg * fan.grade_m_s * 2.0 * math.pi * fan.turns_1_s


def fan_force_n(fan: FanForce, times_s: Real, generator: np.random.Generator) -> Real:
    """Return the force, shape (K,), at evenly spaced times."""
    angle = turned_angle(fan.turns_1_s, fan.speed_spread, fan.speed_memory_s, times_s, generator)
    phase = 2.0 * np.pi * generator.random(4)
    force = np.sin(angle)
    for k in range(1, 4):
        force += fan.blade_share * 0.5 ** (k - 1) * np.sin(k * fan.blades * angle + phase[k])
    force += fan.broadband_share * generator.standard_normal(times_s.size)
    return np.asarray(unbalance_n(fan) * force)


def footfall_n(times_s: Real, start_s: float, stop_s: float, weight_n: float = 750.0) -> Real:
    """Return the varying force of one walker on the floor, shape (K,).

    Two steps a second, shares 0.4, 0.1 and 0.1 of the weight at 2, 4 and 6 Hz (H. Bachmann and
    W. Ammann, Vibrations in Structures, IABSE 1987).
    """
    on = (times_s >= start_s) & (times_s < stop_s)
    force = sum(
        share * np.sin(2.0 * np.pi * 2.0 * k * (times_s - start_s) + turn)
        for k, share, turn in ((1, 0.4, 0.0), (2, 0.1, 0.5 * np.pi), (3, 0.1, 0.5 * np.pi))
    )
    return np.asarray(np.where(on, weight_n * force, 0.0))


def measured_m_s2(
    sensor: Accelerometer, true_m_s2: Real, rate_hz: float, generator: np.random.Generator
) -> Real:
    """Return what the sensor reports, shape (K,): noise of its density, range and steps added."""
    count = true_m_s2.size
    spectrum = np.fft.rfft(generator.standard_normal(count))
    f_hz = np.fft.rfftfreq(count, 1.0 / rate_hz)
    f_hz[0] = f_hz[1] if count > 1 else 1.0
    noise = np.fft.irfft(spectrum * np.sqrt(1.0 + sensor.corner_hz / f_hz), n=count)
    noisy = true_m_s2 + sensor.density_m_s2_rthz * math.sqrt(0.5 * rate_hz) * noise
    step = 2.0 * sensor.range_m_s2 / 2**sensor.bits
    limited = np.clip(noisy, -sensor.range_m_s2, sensor.range_m_s2 - step)
    return np.asarray(np.round(limited / step) * step)
