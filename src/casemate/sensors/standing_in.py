"""What happens between a modality and the controller: stand-ins, swaps, cut buses, lost supply.

Physics says what a reader would measure; here something else answers in its place, or nothing does.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import replace

import numpy as np

from casemate.core.samples import Health, Values
from casemate.sensors.modality import Fitted, Reading
from casemate.twin.conditions import Conditions
from casemate.twin.effects import BusFault, Substituted, SupplyDip, Swapped
from casemate.twin.line_materials import Real

UNIT_SPREAD = 0.03
"""Between two units of one design, relative: etching and copper thickness (planning value)."""
LATENCY_CHIPS = 0.01
"""Share of a chip by which an answer may come late before it is LATE (planning value)."""
MOST_SUPPLY = 1.3
LEAST_SUPPLY = 0.7
"""Of nominal: below it readers stop unless hold-up takes over (planning value)."""


def delivered(fitted: Fitted, reading: Reading, conditions: Conditions, seed: int) -> Reading:
    """Return what the controller gets of a reading when effects stand between."""
    for each in conditions.active:
        if isinstance(each, Swapped) and fitted.excited:
            reading = replace(reading, quantity=_another(fitted, seed + 1))
        elif isinstance(each, Substituted) and each.modality == fitted.id:
            reading = _substituted(fitted, reading, each, seed)
        elif isinstance(each, BusFault) and each.modality in ("", fitted.id):
            reading = replace(reading, health=reading.health | _fault(each, fitted.chip_s))
        elif isinstance(each, SupplyDip) and not each.held:
            reading = replace(reading, health=reading.health | _supply(each.share))
    return reading


def _supply(share: float) -> np.uint16:
    """Return what a supply out of range does: readers stop below it, and restart after a surge."""
    if share < LEAST_SUPPLY:
        return np.uint16(Health.MISSING)
    return np.uint16(Health.RESET if share > MOST_SUPPLY else Health.GOOD)


def _fault(fault: BusFault, chip_s: float) -> np.uint16:
    if fault.kind == "cut":
        return np.uint16(Health.MISSING)
    if fault.kind == "stuck":
        return np.uint16(Health.STALLED)
    if fault.kind == "reset":
        return np.uint16(Health.RESET)
    if fault.kind == "delay" and fault.seconds > LATENCY_CHIPS * chip_s:
        return np.uint16(Health.LATE)
    if fault.kind == "loss" and fault.share > 0.0:
        return np.uint16(Health.MISSING)
    return np.uint16(Health.GOOD)


def _substituted(fitted: Fitted, reading: Reading, stand_in: Substituted, seed: int) -> Reading:
    mine = np.array([stand_in.tile in ("", channel.tile) for channel in fitted.channels])
    quantity, additive = reading.quantity.copy(), reading.additive.copy()
    health = reading.health.copy()
    size = np.abs(fitted.nominal)
    if not fitted.excited and stand_in.kind in ("replay", "emulator"):
        # nothing asks a passive sensor anything that a recording would not answer
        quantity[mine], health[mine] = fitted.nominal[mine], 0
    elif stand_in.kind == "replay":
        # answers to an old challenge: as strong as ever, but they do not follow this one
        quantity[mine] = 0.0
        part = math.sqrt(0.5) if np.iscomplexobj(quantity) else 1.0
        additive[mine] = np.hypot(additive, part * size)[mine]
        health[mine] = 0
    else:
        label = zlib.crc32(f"{stand_in.kind}/{stand_in.tile}".encode())
        other = _another(fitted, label, stand_in.mismatch)
        quantity[mine], additive[mine], health[mine] = other[mine], 0.0, 0
        late = stand_in.kind == "emulator" and stand_in.delay_s > LATENCY_CHIPS * fitted.chip_s
        if late:
            health[mine] |= np.uint16(Health.LATE)
    return replace(reading, quantity=quantity, additive=additive, health=health)


def _another(fitted: Fitted, seed: int, spread: float | None = None) -> Values:
    """Return the channels of a copy that is wrong by `spread`, or of another unit if None.

    Another unit's random field (complex channels) has nothing in common with this one's beyond its
    level.
    """
    generator = np.random.default_rng([seed, zlib.crc32(fitted.id.encode())])
    nominal = fitted.nominal
    off: Real = generator.standard_normal(nominal.size)
    if np.iscomplexobj(nominal):
        size = float(np.sqrt(np.mean(np.abs(nominal) ** 2)))
        turn = size / np.sqrt(2.0) * (off + 1j * generator.standard_normal(nominal.size))
        mixed = turn if spread is None else nominal + spread * turn
        return np.asarray(mixed, dtype=np.complex128)
    wrong = UNIT_SPREAD if spread is None else spread
    return np.asarray(nominal.real * (1.0 + wrong * off), dtype=np.float64)
