"""What runs is what was proven: chips through readers against windows drawn from their law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from through_chips import QUIET_S, Stand, drill, pocket, relative

from casemate.attacks.places import plan_drawn
from casemate.campaigns.law import drawn_sums
from casemate.campaigns.ready import ready
from casemate.campaigns.trial import trial
from casemate.core.challenge import Challenge, chips
from casemate.detect.blocks import Filling
from casemate.sensors.standing_in import delivered
from casemate.twin.conditions import WINDOW_S, course

NAMES = ("loop_resistance", "mesh_capacitance")
AFTER = 8
FAR_NATS = 20.0
"""Windows of the scene that are compared."""
FAR = 0.012


@pytest.fixture(scope="module")
def stand(dpa_twin):
    return Stand(dpa_twin, NAMES)


@pytest.fixture(scope="module")
def plan(dpa_twin):
    generator = np.random.default_rng(3)
    return next(p for p in (plan_drawn(dpa_twin.enclosure, generator) for _ in range(50))
                if not p.tile.id.startswith("edge"))  # fmt: skip


@pytest.fixture(scope="module")
def policy(dpa_twin):
    return ready(dpa_twin, far_per_year=FAR).policy


def fused(banks):
    """Return ln of the mean of windows' evidence over all features."""
    each = np.concatenate(
        [np.logaddexp(b.anchored.nats(), b.step.nats()) - np.log(2.0) for b in banks]
    )
    return float(np.logaddexp.reduce(each) - np.log(each.size))


def paths(stand, policy, scene, seed):
    """Return fused nats after each window of the scene: by chips, and drawn from the law.

    Both go on from the same detector, in the same surroundings.
    """
    first = round(QUIET_S / WINDOW_S)
    duration_s = QUIET_S + (AFTER + 1) * WINDOW_S
    run = stand.detector(policy, scene, seed=seed, duration_s=duration_s)
    for _ in range(first):
        detector, _ = next(run)
    banks = [detector.live[name].bank.copy() for name in NAMES]
    by_chips = []
    for _ in range(AFTER):
        detector, _ = next(run)
        by_chips.append(fused([detector.live[name].bank for name in NAMES]))
    times_s = np.arange(int(duration_s / WINDOW_S)) * WINDOW_S
    steps = course(stand.twin, scene, times_s, np.random.default_rng([seed, 0])).steps
    slow = [f.nuisance(times_s, np.random.default_rng([seed, 1, 1])) for f in stand.fitted]
    generator, by_law = np.random.default_rng([seed, 5]), []
    for k in range(first, first + AFTER):
        for fitted, bank, extra in zip(stand.fitted, banks, slow, strict=True):
            reading = delivered(fitted, fitted.read(steps[k]), steps[k], stand.twin.seed)
            bank.add(drawn_sums(bank.anchor, reading, fitted.noise, extra[k], WINDOW_S, 1,
                                generator))  # fmt: skip
        by_law.append(fused(banks))
    return by_chips, by_law


def alike(stand, policy, scene, seeds):
    """Return mean gap in its standard errors, (AFTER,), and evidence of both (seeds, AFTER)."""
    by_chips, law = (np.array(each) for each in zip(
        *(paths(stand, policy, scene, seed) for seed in range(seeds)), strict=True))  # fmt: skip
    gap = by_chips - law
    error = np.hypot(gap.std(axis=0, ddof=1), 0.02 * np.abs(law.mean(axis=0)) + 0.02)
    return gap.mean(axis=0) / error * np.sqrt(seeds), by_chips, law


def test_windows_of_chips_have_the_laws_moments(stand) -> None:
    """Sums of chips and of the law: means, scatter, silent power and counts."""
    fitted, anchor = stand.fitted[1], stand.anchors[1]
    generator = np.random.default_rng(2)
    asked = Challenge(key=bytes(32), modality=anchor.modality, epoch=1, chip_s=anchor.chip_s)
    off, rows = 3e-5, []
    for k in range(40):
        drawn = chips(asked, 100 * k, 100)
        noise = fitted.noise * generator.standard_normal((100, fitted.nominal.size))
        values = drawn.drive.real[:, None] * fitted.nominal * (1.0 + off) + noise
        filling = Filling.start(anchor)
        filling.add(values, np.zeros(values.shape, dtype=np.uint16), drawn.drive.real.copy(),
                    np.ones(100, dtype=np.bool_), np.zeros(len(anchor.names)))  # fmt: skip
        rows.append(filling.close()[0])
    loud = np.array([each.loud for each in rows])
    s1 = np.array([each.s1 for each in rows])
    z = (s1 / loud - off) / anchor.noise * np.sqrt(loud)
    assert abs(z.mean()) < 4.0 / np.sqrt(z.size) and abs(z.std() - 1.0) < 0.02
    scatter = np.array([e.s2 for e in rows]) - s1**2 / loud
    assert abs((scatter / (loud - 1.0) / anchor.noise**2).mean() - 1.0) < 0.01
    assert abs(np.mean([e.quiet_power for e in rows]) - 1.0) < 0.02
    assert abs(loud.mean() - 87.5) < 2.0
    assert (loud + np.array([e.quiet for e in rows]) == 100.0).all()


@pytest.mark.slow
def test_evidence_of_chips_is_that_of_the_law(stand, policy, plan) -> None:
    for scene in (drill(plan), pocket(plan, 1e-3)):
        gap, _, law = alike(stand, policy, scene, 3)
        assert np.abs(gap).max() < 6.0, (gap, law)
    assert relative(stand, pocket(plan, 1e-3)) < 1e-3


@pytest.mark.slow
def test_evidence_of_chips_is_that_of_the_law_at_length(stand, policy, plan) -> None:
    """Means agree. The law has 88 loud chips a window, chips 87.5 with a binomial spread of 3.3.

    A change far above the noise brings evidence in proportion to them, so that the variance of
    chips is that of the law and of their number: chi-square of 29 within 4 of its deviations.
    """
    number = math.sqrt(0.125 * 0.875 / (100.0 * AFTER)) / 0.875
    far = 0
    for scene in ((), drill(plan), pocket(plan, 8e-4), pocket(plan, 1e-3)):
        gap, by_chips, law = alike(stand, policy, scene, 30)
        assert np.abs(gap).max() < 4.5, (gap, law)
        mean, own = by_chips[:, -1].mean(), law[:, -1].std(ddof=1)
        if mean > FAR_NATS:
            far += 1
            share = by_chips[:, -1].var(ddof=1) / (own**2 + (number * mean) ** 2)
            assert 1.0 - 0.85 < share < 1.0 + 4.0 * math.sqrt(2.0 / 29.0), (share, own, mean)
    assert far >= 2


@pytest.mark.slow
def test_delays_of_chips_are_those_of_trials(stand, dpa_twin, plan) -> None:
    """A trial looks after 1, 2, 3, 4, 6, 8, 16 windows and knows no chips: within a look of it."""
    made = ready(dpa_twin, far_per_year=FAR, without=("rf_cavity", "environment"))
    for scene in (drill(plan), pocket(plan, 1.2e-3)):
        by_chips = [
            stand.first_tamper_s(made.policy, scene, seed=s, duration_s=QUIET_S + 3.0)[0]
            for s in range(8)
        ]
        drawn = [trial(made, scene, (plan.tile.id,), seed=(5, s)).delay_s for s in range(8)]
        assert np.isfinite(by_chips).all() and np.isfinite(drawn).all()
        assert abs(np.median(by_chips) - np.median(drawn)) <= 3.0 * WINDOW_S
