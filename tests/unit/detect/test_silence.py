"""Silent chips and the scatter of loud ones: chi-square tails, what is heard, what is left."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from surroundings import World
from test_bank_null import jam, pulse

from casemate.detect.silence import quiet_nats
from casemate.detect.verdict import Court, Verdict


@pytest.mark.parametrize("count", [1.0, 3.0, 12.0, 99.0, 1000.0])
def test_tails_are_those_of_chi_square(count: float) -> None:
    for power in (0.01, 0.5, 1.0, 1.3, 2.0, 5.0, 30.0, 1e3, 1e5):
        truth = -stats.chi2.logsf(count * power, count)
        mine = quiet_nats(np.array([power]), np.array([count]))[0]
        if power <= 1.0:
            assert mine == 0.0 and truth < 1.2
        elif np.isfinite(truth):
            assert mine == pytest.approx(truth, rel=1e-2, abs=1e-9)
        else:
            assert mine > 600.0


def test_the_far_tail_joins_on_and_nothing_heard_says_nothing() -> None:
    power = np.linspace(5.0, 30.0, 400)
    nats = quiet_nats(power, np.full(400, 100.0))
    assert np.all(np.diff(nats) > 0.0) and np.diff(nats).max() < 2.0 * np.diff(nats).min()
    assert quiet_nats(np.array([9.0]), np.array([0.0]))[0] == 0.0
    assert quiet_nats(np.array([1e300]), np.array([3.0]))[0] == 1e6


def test_quiet_is_quiet_and_interference_is_heard() -> None:
    world = World("loops", 1)
    quiet = max(world.step().interference.max() for _ in range(300))
    assert quiet < 16.0
    loud = World("loops", 1)
    for _ in range(30):
        shown = loud.step(jam(10.0, 0.0, 1.0, even=False))
    assert shown.interference.min() > 30.0


def test_pulses_that_miss_every_silent_chip_are_heard() -> None:
    """Two pulses of 20 spreads a second; the power of silent chips alone says nothing."""
    world = World("loops", 2)
    shown = [world.step(pulse(5, 20.0)) for _ in range(100)]
    assert max(each.interference.min() for each in shown) > 25.0


@pytest.mark.parametrize(
    ("scene", "lost"),
    [("jam", False), ("lost", True), ("blinks", False), ("blinks", True)],
)
def test_blindness_is_denied_and_sealed_in_time(scene: str, lost: bool) -> None:
    """A strong jam or a mute reader; blinks are 10 s of 20 s and seal with the second one."""
    from casemate.detect.response import SEAL, policy

    world = World("capacitances", 3)
    court = Court(
        policy=policy(far_per_year=0.1, features=len(world.anchor.names), window_s=world.window_s)
    )
    on_s, off_s = (9.0, 11.0) if scene == "blinks" else (1e9, 0.0)
    sealed_s, verdicts = np.nan, set()
    while world.time_s < 60.0 and np.isnan(sealed_s):
        dark = world.time_s % (on_s + off_s) < on_s
        shown = world.step(None if lost or not dark else jam(1.0, 0.0, 3e4), lost and dark)
        judged = court.judge(world.time_s, (shown,))
        verdicts.add(judged.verdict)
        assert dark <= (judged.verdict is Verdict.DENIED) and judged.verdict is not Verdict.TAMPER
        if judged.level >= SEAL:
            sealed_s = world.time_s
    assert sealed_s == pytest.approx(10.1 if scene != "blinks" else 21.1, abs=3.0)
