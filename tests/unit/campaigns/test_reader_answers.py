"""Answers of a twin's real-valued channels: the quick way draws and says the same to the bit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from casemate.campaigns.reader import TwinReader
from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Health
from casemate.sensors.modality import Reading

CHANNELS, CHIPS = 11, 40
GENERATOR = np.random.default_rng(7)
NOMINAL, NOISE = GENERATOR.random(CHANNELS) + 1.0, GENERATOR.random(CHANNELS)


def reader(*, draws: int, excited: bool) -> Any:
    found: Any = TwinReader.__new__(TwinReader)
    found._fitted = SimpleNamespace(
        nominal=NOMINAL, noise=NOISE, excited=excited, chip_s=1e-3, id="loops"
    )
    found._channels, found._places, found._draws = (None,) * CHANNELS, 1, draws
    return found


def reading(health: int = 0) -> Reading:
    flags = np.zeros(CHANNELS, dtype=np.uint16)
    flags[3] = health
    return Reading(quantity=NOMINAL.copy(), additive=0.1 * NOISE, health=flags)


@pytest.mark.parametrize("draws", [1, 2])
@pytest.mark.parametrize("excited", [True, False])
def test_values_are_those_of_the_formula(draws: int, excited: bool) -> None:
    asked = Challenge(key=bytes(32), modality="loops", epoch=1, chip_s=1e-3)
    drawn, slow = chips(asked, 0, CHIPS), 1e-3 * NOMINAL
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    found = reader(draws=draws, excited=excited)._values(reading(), slow, drawn, one)
    normal = other.standard_normal((draws, CHIPS, CHANNELS))[0]
    drive = drawn.drive.real[:, None] if excited else np.ones((CHIPS, 1))
    spread = np.hypot(NOISE, 0.1 * NOISE)
    assert np.array_equal(found, drive * (NOMINAL + slow) + spread * normal)
    assert one.random() == other.random(), "what follows is drawn as before"


@pytest.mark.parametrize("flag", [Health.GOOD, Health.MISSING, Health.CLIPPED])
def test_flags_reach_the_block(flag: Health) -> None:
    values = 5.0 * np.random.default_rng(1).standard_normal((CHIPS, CHANNELS))
    ends = np.full(CHANNELS, 3.0)
    block = reader(draws=1, excited=True)._block(
        2, CHIPS, values.copy(), ends, reading(int(flag)), np.random.default_rng(0), ()
    )
    assert (block.health[:, 3] == int(flag)).all() and not np.delete(block.health, 3, 1).any()
    wanted = values.copy()
    if flag is Health.MISSING:
        wanted[:, 3] = np.nan
    elif flag is Health.CLIPPED:
        wanted[:, 3] = np.clip(values[:, 3], -3.0, 3.0)
    assert np.array_equal(block.values, wanted, equal_nan=True)
    assert block.chip[0] == 2 * CHIPS
