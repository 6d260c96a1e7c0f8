"""Commissioning of passive sensors: whitening by Szegoe's limit, thresholds, quiet sites, FAR."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from casemate.campaigns.passive import (
    SLACK,
    TESTS,
    Wander,
    computed,
    passive_anchor,
    samples_a_year,
    slack_of_log,
    wanders,
    whitening,
)
from casemate.campaigns.passive_far import passive_far, pyramid_alarms, recorded_temperatures
from casemate.campaigns.rarity.pyramid_null import block_rate
from casemate.detect.anchor import PassiveAnchor
from casemate.detect.passive import LEVELS, PassiveBank
from casemate.detect.response import ALERT, LOG, ZEROISE, policy
from casemate.sensors.card import load_card
from casemate.sensors.environment.physics import Environment
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.environment import slow_series
from casemate.twin.environment_sites import SITES
from casemate.twin.walks import ou
from truths import recorded

STEP_S = 0.1
POLICY = policy(far_per_year=0.1, features=100, window_s=STEP_S)
CONTRAST = Wander(white=0.02, walks=((0.2, 600.0),))
MIXED = Wander(white=0.5, walks=((1.0, 20.0), (2.0, 400.0)))


def site_twin(name: str) -> Any:
    """A twin as far as `wanders` looks, and its environment."""
    return SimpleNamespace(site=SITES[name]), SimpleNamespace(card=load_card("environment"))


def walked(wander: Wander, rows: int, columns: int, seed: int) -> np.ndarray:
    """Readings over their spread (rows, columns), drawn walk by walk."""
    generator = np.random.default_rng(seed)
    times_s = STEP_S * np.arange(rows)
    found = wander.white * generator.standard_normal((rows, columns))
    for size, memory_s in wander.walks:
        found = found + size * ou(memory_s, times_s, generator, columns)
    return found / wander.spread


@pytest.mark.parametrize("wander", [CONTRAST, MIXED, Wander(white=3.0)])
def test_innovations_come_near_the_least_that_any_filter_leaves(wander: Wander) -> None:
    """Szegoe: exp of the mean of ln of the spectral density; the density by its covariance."""
    coefficients, innovation = whitening(wander, STEP_S)
    grid = np.concatenate([np.logspace(-9.0, -2.0, 4000), np.linspace(0.01, np.pi, 4000)[1:]])
    density = wander.density(STEP_S, grid) / wander.spread**2
    assert np.trapezoid(density, grid) / math.pi == pytest.approx(1.0, abs=0.02)
    least = math.exp(0.5 * np.trapezoid(np.log(density), grid) / math.pi)
    # what a filter of 25.6 s cannot foretell of a walk of 400 s is paid by the scale
    assert 0.999 * least <= innovation < (1.6 if wander is MIXED else 1.15) * least
    assert bool(coefficients) == bool(wander.walks)


@pytest.mark.parametrize("wander", [CONTRAST, MIXED])
def test_no_sum_of_innovations_is_wider_than_white(wander: Wander) -> None:
    coefficients, innovation = whitening(wander, STEP_S)
    x = walked(wander, 20_000, 60, 1)
    order = len(coefficients)
    z = x[order:].copy()
    for k, a in enumerate(coefficients):
        z -= a * x[order - 1 - k : x.shape[0] - 1 - k]
    z /= innovation
    for level in (0, 3, 6, 9):
        size = 2**level
        sums = z[: len(z) // size * size].reshape(-1, size, 60).sum(axis=1) / math.sqrt(size)
        assert (
            (0.3 if wander is MIXED else 0.8) < sums.var() < 1.0 + 4.0 * math.sqrt(2.0 / sums.size)
        )
    # readings that were not whitened are wider by far: what the test looks for is there
    assert x[:19_968].reshape(-1, 512, 60).sum(axis=1).var() > 100.0 * 512


def test_slack_makes_a_logarithm_pass_for_normal() -> None:
    """E exp(a (clip(x - s) - a/2)) by quadrature; without the slack it is above 1."""
    spread = 0.06
    slack = slack_of_log(spread)
    assert 0.05 < slack < 0.5

    def mean(a: float, side: float, s: float) -> float:
        def at(n: float) -> float:
            x = side * math.log(max(1.0 + spread * n, 1e-9)) / spread - s
            return float(norm.pdf(n)) * math.exp(a * min(max(x, -4.0), 4.0) - 0.5 * a * a)

        return quad(at, -9.0, 9.0, limit=60, epsabs=1e-7)[0]

    for a in (1.0, 2.5, 7.0):
        assert max(mean(a, 1.0, slack), mean(a, -1.0, slack)) <= 1.0 + 1e-5
    assert mean(2.5, -1.0, 0.0) > 1.02


def bank_of(wander: Wander, columns: int) -> PassiveBank:
    coefficients, innovation = whitening(wander, STEP_S)
    one = np.ones(columns)
    return PassiveBank(
        PassiveAnchor(
            modality="e", chip_s=STEP_S, names=tuple(str(k) for k in range(columns)),
            tiles=("",) * columns, kind=("humidity",) * columns, nominal=0.0 * one, spread=one,
            log=one == 0.0, contrast=one == 0.0, coefficients=np.tile(coefficients, (columns, 1)),
            innovation=innovation * one, slack=0.0 * one, bound=8.0 * one,
            noise=wander.white / wander.spread * one,
        )
    )  # fmt: skip


@pytest.mark.parametrize(("wander", "least"), [(Wander(white=1.0), 0.6), (CONTRAST, 0.0)])
def test_on_its_null_the_bank_alarms_as_seldom_as_computed(wander: Wander, least: float) -> None:
    """Channels of one model, 9·10⁵ samples, at a threshold that noise does reach."""
    columns, rows, nats = 300, 3000, 7.0
    bank, x = bank_of(wander, columns), walked(wander, rows, columns, 2)
    none, alarmed = np.zeros((2, columns), dtype=np.bool_), np.zeros(columns, dtype=np.bool_)
    for k in range(0, rows, 2):
        alarmed |= bank.add(x[k : k + 2], none).nats >= nats
    # of 29 levels, two blocks come to a sum in 3000 samples, the higher one not often
    base, generator = nats + math.log(2.0 * (LEVELS + 2)), np.random.default_rng(3)
    low, _, _ = block_rate(base, 6, True, generator, 1000)
    high, _, _ = block_rate(base - 6.0 * math.log(2.0), 6, False, generator, 1000)
    few, many = (columns * -math.expm1(-rate * rows) for rate in (low, low + high / 64.0))
    assert few > 9.0
    # what is left of colour after whitening makes innovations less than white
    assert least * few < alarmed.sum() < many + 3.0 * math.sqrt(many)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SITES))
def test_a_quiet_site_does_not_alert(name: str) -> None:
    """Humidity and pressure of the site's own series, two hours at 10 Hz, doors and load too."""
    twin, fitted = site_twin(name)
    known = wanders(twin, fitted)
    generator = np.random.default_rng(4)
    series = slow_series(SITES[name], 7200.0, STEP_S, generator)
    at = series.times_s.size
    rows = {
        "humidity": (series.humidity, 0.002, series.humidity.mean()),
        "pressure": (series.pressure_pa, 1.0, 101_325.0),
    }
    for kind, (values, noise, nominal) in rows.items():
        x = (values + noise * generator.standard_normal(at) - nominal) / known[kind].spread
        bank = bank_of(known[kind], 1)
        bank.anchor = replace(bank.anchor, slack=np.full(1, SLACK))
        for k in range(0, at, 50):
            part = x[k : k + 50, None]
            shown = bank.add(part, np.zeros(part.shape, dtype=np.bool_))
            assert shown.nats[0] < 16.0


def test_the_anchor_of_the_twins_sensors(dpa_twin: Twin, dpa_fitted: dict[str, Fitted]) -> None:
    fitted = dpa_fitted["environment"]
    assert isinstance(fitted, Environment)
    found = passive_anchor(dpa_twin, fitted)
    PassiveBank(found)
    for k, kind in enumerate(found.kind):
        assert found.contrast[k] == (kind == "temperature")
        remembers = bool(np.any(found.coefficients[k]))
        assert remembers == (kind in ("temperature", "humidity", "pressure"))
    assert samples_a_year([found]) == pytest.approx(TESTS * len(found.names) * 3.15576e8)


def small() -> PassiveAnchor:
    return bank_of(Wander(white=1.0), 12).anchor


def test_thresholds_are_computed_for_their_budgets() -> None:
    assert computed(POLICY, ()) == POLICY
    found = computed(POLICY, (small(),))
    assert found.nats == POLICY.nats
    rows = {row.level: row for row in passive_far(
        found, (small(),), seed=1, confidence=0.95, rerun="again")}  # fmt: skip
    budgets = {ALERT: 12.0, LOG: POLICY.levels[ZEROISE].per_year}
    for level, budget in budgets.items():
        assert rows[level].kind == "computed" and rows[level].rests_on
        assert 0.6 * budget < rows[level].per_enclosure_year < 1.05 * budget
    # against the pyramid's bound for as many tests
    bound = math.log(samples_a_year([small()]) / 12.0)
    assert 1.5 < bound - found.passive_alert < 3.0
    assert passive_far(POLICY, (), seed=1, confidence=0.95, rerun="again") == []


def test_alarms_on_innovations_are_counted_and_begun_anew() -> None:
    z = np.random.default_rng(5).standard_normal(3000)
    assert pyramid_alarms(z, 18.0) == 0
    z[1000:1008], z[2000:2008] = 3.0, -3.0
    assert pyramid_alarms(z[:1500], 18.0) == 1 and pyramid_alarms(z, 18.0) == 2
    assert pyramid_alarms(np.full(100, 4.0), 18.0) > 20


def test_recorded_temperatures_refute_the_null_and_shuffles_do_not() -> None:
    found = recorded_temperatures(
        recorded("temperature").parent,
        computed(POLICY, (small(),)),
        seed=1,
        confidence=0.95,
        rerun="again",
    )
    assert len(found) == 2 and all(row.kind == "measured" for row in found)
    machine = found[1]
    assert "0 shuffled" in machine.about and machine.lower > 10.0
    assert machine.upper < 1000.0


def test_without_recordings_there_is_no_measured_row(tmp_path: Path) -> None:
    (tmp_path / "temperature").mkdir()
    (tmp_path / "temperature" / "broken.csv").write_text("timestamp,value\nno,thing\n")
    assert recorded_temperatures(tmp_path, POLICY, seed=1, confidence=0.95, rerun="x") == []
