"""Rates per enclosure-year: units, intervals, and sums that never become products."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.campaigns.rarity.estimate import Estimate
from casemate.campaigns.rarity.exact import Cusum, arl, threshold_for
from casemate.campaigns.rarity.far import (
    Far,
    computed_far,
    measured_far,
    null_far,
    quiet_years,
    theorem_far,
    total_far,
)
from casemate.campaigns.rarity.nulls import count_alarms
from casemate.core.errors import InputError

MODEL = ("residuals are independent N(0, 1)",)


def test_the_reference_load() -> None:
    """4096 channels at 1 kHz: 1.29e14 channel-samples a year; ARL 1.3e16 is one in 100 years."""
    h = threshold_for(1.29e16, 0.5, sides=2)
    found = computed_far("bank", arl=arl(Cusum(k=0.5, h=h, sides=2)), streams=4096,
                         sample_hz=1e3, assumptions=MODEL)  # fmt: skip
    assert found.per_year == pytest.approx(0.01, rel=3e-3)
    assert found.low == found.high == found.per_year and found.kind == "computed"


def test_an_estimate_brings_its_interval() -> None:
    known = Estimate(arl=2e10, low=1.9e10, high=2.2e10, confidence=0.9, relative_error=0.03,
                     trials=10, steps=1)  # fmt: skip
    found = computed_far("bank", arl=known, streams=2, sample_hz=10.0, assumptions=MODEL)
    samples = 2 * 10 * 365.25 * 86_400
    assert (found.low, found.per_year, found.high) == pytest.approx(
        (samples / 2.2e10, samples / 2e10, samples / 1.9e10)
    )
    assert found.confidence == 0.9


def test_an_estimate_that_scatters_is_no_figure() -> None:
    wide = Estimate(arl=2e10, low=1e9, high=4e11, confidence=0.95, relative_error=0.4,
                    trials=10, steps=1)  # fmt: skip
    with pytest.raises(InputError, match="scattered"):
        computed_far("bank", arl=wide, streams=2, sample_hz=10.0, assumptions=MODEL)


def test_a_theorem_is_its_bound() -> None:
    found = theorem_far("keyed", alpha=1e-15, streams=100, chip_hz=1e3, assumptions=("key secret",))
    assert found.high == found.per_year == pytest.approx(1e-15 * 100 * 1e3 * 31_557_600)
    assert found.low == 0.0 and found.confidence == 1.0


def test_nothing_seen_is_three_over_the_exposure() -> None:
    found = measured_far("field", count=0, enclosure_years=300.0)
    assert found.per_year == 0.0 == found.low and found.high == pytest.approx(0.01, rel=2e-3)
    assert quiet_years(0.01) == pytest.approx(299.6, abs=0.1)
    some = measured_far("field", count=4, enclosure_years=8.0)
    assert some.low < 0.5 == some.per_year < some.high


def test_causes_add_and_are_never_multiplied() -> None:
    """Two causes of 0.1 a year: 0.2, not 0.01, and a confidence that both intervals hold."""
    parts = [measured_far(name, count=0, enclosure_years=30.0) for name in ("a", "b")]
    both = total_far(parts)
    assert both.high == pytest.approx(0.2, rel=2e-3) and both.confidence == pytest.approx(0.9)
    mixed = total_far([*parts, theorem_far("c", alpha=1e-9, streams=1, chip_hz=1.0,
                                           assumptions=("key secret",))])  # fmt: skip
    assert mixed.kind == "computed" and mixed.assumptions == ("key secret",)
    assert mixed.high == pytest.approx(both.high + 1e-9 * 31_557_600)
    with pytest.raises(InputError, match="each once"):
        total_far([parts[0], parts[0]])


def test_a_sum_bounds_what_dependent_causes_do() -> None:
    """Counted: two detectors on streams that share half their noise, alarms of either."""
    generator = np.random.default_rng(2)
    x = generator.standard_normal((400_000, 3))
    pair = np.stack([x[:, 0] + x[:, 1], x[:, 0] + x[:, 2]], axis=1) / math.sqrt(2)
    over = pair > 3.0
    either = over.any(axis=1).mean()
    parts = over.mean(axis=0)
    assert parts.max() <= either <= parts.sum()
    assert parts.prod() < 0.1 * over.all(axis=1).mean()  # a product would be far too small


def test_a_recorded_null_in_years() -> None:
    x = np.random.default_rng(3).standard_normal((50_000, 2))
    cusum = Cusum(k=0.5, h=threshold_for(1e3, 0.5, sides=2), sides=2)
    found = count_alarms(x, cusum, np.random.default_rng(1))
    year = null_far("recording", found, streams=10, sample_hz=2.0, assumptions=("stands for ours",))
    assert year.low < 1e-3 * 20 * 31_557_600 < year.high


@pytest.mark.parametrize(
    "wrong",
    [lambda: computed_far("x", arl=1e9, streams=1, sample_hz=1.0, assumptions=()),
     lambda: computed_far("x", arl=math.inf, streams=1, sample_hz=1.0, assumptions=MODEL),
     lambda: theorem_far("x", alpha=0.0, streams=1, chip_hz=1.0, assumptions=MODEL),
     lambda: measured_far("x", count=0, enclosure_years=0.0), lambda: total_far([]),
     lambda: Far(cause="x", per_year=1.0, low=2.0, high=3.0, confidence=0.9, kind="measured",
                 assumptions=())],
)  # fmt: skip
def test_a_rate_without_its_grounds_is_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        wrong()
