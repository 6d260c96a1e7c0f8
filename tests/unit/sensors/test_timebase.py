"""Two clocks: crystals may part, a slow, fast or late reader may not."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.core.samples import Health
from casemate.sensors.links.timebase import Timebase


def flags(pace: float, *, for_s: float, step_s: float = 0.1, late_from_s: float = 1e12) -> Health:
    """Return all flags when `pace` seconds of the enclosure pass in one of the device."""
    base, found = Timebase(), Health.GOOD
    for begin_s in np.arange(0.0, for_s, step_s):
        end_s = begin_s + step_s
        arrival_s = 1000.0 + end_s * pace + (0.7 if begin_s >= late_from_s else 0.0)
        found |= base.placed(float(begin_s), float(end_s), float(arrival_s))[1]
    return found


def test_crystals_that_part_by_100_ppm_are_sound_for_a_day() -> None:
    for pace in (1.0 - 1e-4, 1.0, 1.0 + 1e-4):
        assert flags(pace, for_s=86_400.0, step_s=1.0) == Health.GOOD


@pytest.mark.parametrize(("pace", "within_s"), [(1.5, 1.5), (0.5, 1.5), (1.01, 60.0), (0.99, 60.0)])
def test_another_rate_is_found_however_small(pace: float, within_s: float) -> None:
    assert flags(pace, for_s=within_s) & Health.RATE


def test_a_delay_is_late() -> None:
    assert flags(1.0, for_s=3.0, late_from_s=2.0) & Health.LATE


def test_times_rise_with_the_devices_and_follow_the_enclosures() -> None:
    base = Timebase()
    generator = np.random.default_rng(0)
    begins = np.arange(0.0, 100.0, 0.05)
    placed = [
        base.placed(float(b), float(b) + 0.05, 500.0 + float(b) + generator.uniform(0.05, 0.08))[0]
        for b in begins
    ]
    assert (np.diff(placed) > 0.0).all()
    assert np.abs(np.array(placed) - 500.0 - begins).max() < 0.05
