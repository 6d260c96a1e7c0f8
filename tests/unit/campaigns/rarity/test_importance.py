"""Importance sampling against the exact value, at an ARL of 1e6 and far beyond counting."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.campaigns.rarity.exact import Cusum, arl
from casemate.campaigns.rarity.importance import importance_arl
from casemate.campaigns.rarity.law import Steps
from casemate.core.errors import InputError


@pytest.mark.parametrize("clip", [math.inf, 4.0, 3.0, 1.5])
@pytest.mark.parametrize("target", ["million", "rare"])
def test_it_is_the_exact_value(clip: float, target: str) -> None:
    h = {"million": 12.0, "rare": 35.9}[target]
    for sides in (1, 2):
        cusum = Cusum(k=0.5, h=h, clip=clip, sides=sides)  # type: ignore[arg-type]
        found = importance_arl(cusum, np.random.default_rng(3), trials=100_000)
        exact = arl(cusum)
        assert abs(math.log(found.arl / exact)) < 4 * found.relative_error
        assert found.arl == pytest.approx(exact, rel=0.02)
        assert found.low < found.arl < found.high


def test_other_drifts_and_a_shift_that_helps() -> None:
    for k, h, shift in ((0.25, 60.0, 0.0), (2.0, 9.0, 0.0), (1.0, 18.0, 0.3), (0.5, 30.0, -0.2)):
        cusum = Cusum(k=k, h=h, clip=4.0)
        found = importance_arl(cusum, np.random.default_rng(4), shift=shift, trials=100_000)
        assert abs(math.log(found.arl / arl(cusum, shift))) < 4 * found.relative_error


def test_the_interval_holds_the_exact_value_as_often_as_it_says() -> None:
    cusum, generator = Cusum(k=0.5, h=35.9), np.random.default_rng(5)
    exact = arl(cusum)
    held = 0
    for _ in range(300):
        found = importance_arl(cusum, generator, trials=2_000, confidence=0.9)
        held += found.low <= exact <= found.high
    assert 0.85 < held / 300 < 0.95


def test_an_arl_of_2e16_to_one_percent() -> None:
    found = importance_arl(Cusum(k=0.5, h=35.9), np.random.default_rng(6))
    assert found.high / found.low < 1.02 and found.steps < 2e7


def test_the_same_generator_gives_the_same_estimate() -> None:
    cusum = Cusum(k=0.5, h=20.0, clip=4.0, sides=2)
    first, second = (importance_arl(cusum, np.random.default_rng(9), trials=500) for _ in range(2))
    assert first == second
    assert importance_arl(cusum, np.random.default_rng(8), trials=500).arl != first.arl


def test_a_wrong_tilt_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the tilt of unclipped residuals used for clipped ones: its weights do not sum to 1.

    The exact value sees it at a clip of 2.
    """
    cusum = Cusum(k=0.5, h=12.0, clip=2.0)
    exact = arl(cusum)
    monkeypatch.setattr(Steps, "exponent", lambda self: 2.0 * self.k)
    found = importance_arl(cusum, np.random.default_rng(3), trials=100_000)
    assert abs(math.log(found.arl / exact)) > 20 * found.relative_error


def test_what_makes_no_rare_alarm_is_refused() -> None:
    with pytest.raises(InputError):
        importance_arl(Cusum(k=0.5, h=9.0), np.random.default_rng(1), shift=0.6)
    with pytest.raises(InputError):
        importance_arl(Cusum(k=0.5, h=9.0), np.random.default_rng(1), trials=5)
