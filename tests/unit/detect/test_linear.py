"""Linearity on the running path: a contact that hides in the mean, and what must not set it off."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from small_box import Box, flagged
from test_court import COUNT, POLICY, judged, shown

from casemate.core.samples import Health
from casemate.detect.response import ALERT, LOG
from casemate.detect.verdict import Judged, Verdict

LOOPS = ("loops",)
CUBIC = 3e-3
"""Of a net's answer; its mean over levels is nothing, and its scatter that of the noise."""


@lru_cache(maxsize=1)
def once() -> Box:
    box = Box(np.random.default_rng(2), levels=LOOPS)
    box.detector.judge(0.0)
    for _ in range(60):  # until states have been followed for longer than they remember
        last = box.step(1000)
    assert last.verdict is Verdict.NORMAL and not last.findings
    return box


def settled() -> Box:
    return deepcopy(once())


def after(box: Box, steps: int = 40, **change: object) -> Judged:
    for _ in range(steps):
        last = box.step(200, **change)
    return last


def nonlinear(box: Box) -> np.ndarray:
    seen = box.detector.live["loops"].shown().nonlinear
    assert seen is not None
    return seen


def test_a_contact_that_hides_in_the_mean_is_an_alert_and_no_conviction() -> None:
    box = settled()
    box.cubic = np.array([0.0, CUBIC, 0.0, 0.0])
    found = after(box)
    assert found.level == ALERT and found.verdict is not Verdict.TAMPER
    assert any("out of proportion" in each for each in found.findings)
    assert "nonlinear contact or emulator" in {each.name for each in found.causes}
    # net 1 is in the difference of the first board; its mean has half of it, within tolerance
    assert nonlinear(box)[1] >= box.policy.interference
    assert (nonlinear(box)[2:] < 5.0).all()


def test_the_keyed_tests_do_not_see_it() -> None:
    """Fused evidence stays below alerting: the mean over levels has not moved."""
    box = settled()
    box.cubic = np.array([0.0, CUBIC, 0.0, 0.0])
    assert after(box).nats < box.policy.nats[ALERT]


def test_a_linear_change_and_quiet_do_not_set_it_off() -> None:
    box = settled()
    assert not after(box).findings and nonlinear(box).max() < 5.0
    box.gain["loops"] = np.array([1.0, 1.02, 1.0, 1.0])
    assert after(box, steps=20).verdict is Verdict.TAMPER
    # beyond its tolerance a change of gain alone says nothing of linearity: both ends are alike
    assert nonlinear(box).max() < 5.0


@pytest.mark.parametrize("size", [1e-3, 0.1, 10.0])
def test_interference_without_the_key_does_not_set_it_off(size: float) -> None:
    box, generator = settled(), np.random.default_rng(3)

    def jam(block, drawn):
        values = block.values + size * 15.0 * generator.standard_cauchy((block.chip.size, 1))
        return replace(block, values=values), drawn

    after(box, change=jam, only="loops")
    assert nonlinear(box).max() < box.policy.interference


def test_lost_chips_are_left_out_and_blurred_ones_begin_anew() -> None:
    box = settled()
    box.cubic = np.array([0.0, CUBIC, 0.0, 0.0])

    def lossy(block, drawn):
        return flagged(block, Health.MISSING, slice(None, None, 3)), drawn

    after(box, change=lossy, only="loops")
    assert nonlinear(box)[1] >= box.policy.interference

    def none(block, drawn):
        return flagged(block, Health.NOT_A_NUMBER, slice(0, 1), slice(0, 2)), drawn

    box.step(200, change=none, only="loops")
    other = box.detector.copy()
    assert (nonlinear(box)[:2] < 5.0).all()
    assert other.live["loops"].linear.check is not box.detector.live["loops"].linear.check


def test_signs_have_one_level_and_say_nothing() -> None:
    box = Box(np.random.default_rng(4))
    for _ in range(3):
        box.step(1000)
    assert box.detector.live["loops"].shown().nonlinear is None


@pytest.mark.parametrize(("more", "level"), [(-1.0, LOG), (0.5, ALERT)])
def test_the_court_alerts_at_the_threshold_of_interference(more: float, level: int) -> None:
    nats = np.full(COUNT, -1.0)
    nats[3] = POLICY.interference + more
    found = judged(shown(nonlinear=nats))
    assert found.level == level and found.verdict is Verdict.NORMAL
    assert math.isfinite(found.nats)
