"""Figures for people and the places of ticks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.case.figures import figure, interval, number, parameters, rate
from casemate.case.svg import Axis, axis, linear_ticks, log_ticks, shortened, tick_label


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (271e-6, "m", "271 µm"),
        (0.0123, "m", "12.3 mm"),
        (0.31, "s", "310 ms"),
        (3e-5, "s", "30 µs"),
        (90.0, "s", "1.5 min"),
        (1.2e6, "s", "13.89 d"),
        (0.0, "s", "0 µs"),
        (0.95, "share", "95 %"),
        (0.99955, "share", "99.955 %"),
        (0.0156, "share", "1.56 %"),
        (1.0, "share", "100 %"),
        (0.0, "share", "0 %"),
        (2.4e9, "Hz", "2.4 GHz"),
        (66.0, "dB", "66 dB"),
        (2, "count", "2"),
        (4.1e-4, "1/year", "4.1e-4 a year"),
        (None, "m", "unknown"),
        (math.nan, "s", "-"),
        (math.inf, "s", "unbounded"),
        (-11.0, "", "-11"),
    ],
)
def test_figures(value: float | None, unit: str, shown: str) -> None:
    assert figure(value, unit) == shown


def test_a_share_that_misses_one_by_little_is_never_shown_as_one() -> None:
    for k in range(1, 12):
        assert figure(1.0 - 10.0**-k, "share") != "100 %"


@given(st.floats(1e-12, 1e12))
def test_a_number_keeps_three_digits(value: float) -> None:
    """Read back, for bounds are shown with it."""
    for each in (value, -value):
        assert float(number(each)) == pytest.approx(each, rel=5.1e-3)


def test_intervals_say_a_shared_unit_once() -> None:
    assert interval(0.939, 0.979, "share") == "93.9 to 97.9 %"
    assert interval(57.0, 71.0, "dB") == "57 to 71 dB"
    assert interval(0.9e-3, 1.1e-3, "m") == "900 µm to 1.1 mm"
    assert interval(0.0, 2.0, "s") == "0 to 2 s"
    assert interval(3.0, 3.0, "m") == "exact" and interval(None, 1.0) == "-"
    assert interval(math.nan, math.nan) == "-"


def test_rates() -> None:
    assert rate(3.0) == "3 a year" and rate(0.2) == "0.2 a year" and rate(0.0) == "0 a year"
    assert rate(1e-3) == "1 in 1,000 years" and rate(3e-4) == "1 in 3,330 years"
    assert rate(0.02) == "1 in 50 years" and rate(math.inf) == "unbounded"


def test_parameters_are_said_with_units() -> None:
    assert parameters({"diameter_m": 3e-4, "angle": 0.2, "pulse_s": 0.1}) == (
        "angle 0.2, diameter 300 µm, pulse 100 ms"
    )


def test_a_cut_is_shown() -> None:
    assert shortened("abcdef", 6) == "abcdef" and shortened("abcdefg", 6) == "abcde…"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_linear_ticks_are_few_even_and_inside(low: float, span: float) -> None:
    found = axis([low, low + span], False, 0.0, 100.0)
    ticks = found.ticks()
    assert 3 <= len(ticks) <= 12
    steps = [b - a for a, b in zip(ticks, ticks[1:], strict=False)]
    assert max(steps) == pytest.approx(min(steps), rel=1e-6)
    assert found.low <= low + 1e-5 * span and found.high >= low + span * (1 - 1e-5)
    assert ticks[0] == pytest.approx(found.low, abs=1e-5 * span)
    assert ticks[-1] == pytest.approx(found.high, abs=1e-5 * span)


@given(st.floats(1e-15, 1e9), st.floats(1.0, 1e12))
def test_log_axes_hold_their_values_and_have_few_ticks(low: float, ratio: float) -> None:
    found = axis([low, low * ratio], True, 0.0, 100.0)
    assert found.low <= low * (1 + 1e-6) and found.high >= low * ratio * (1 - 1e-6)
    assert 2 <= len(found.ticks()) <= 10


def test_places_on_axes() -> None:
    """Against the definition, with pixels that run upward."""
    log = Axis(low=1e-4, high=1e-2, log=True, start=300.0, end=100.0)
    assert log.at(1e-3) == pytest.approx(200.0)
    assert Axis(low=0.0, high=4.0, log=False, start=0.0, end=80.0).at(1.0) == 20.0
    assert linear_ticks(0.0, 1.0) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert log_ticks(1.0, 100.0) == [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]


def test_tick_labels() -> None:
    assert tick_label(0.01, True) == "0.01"
    assert tick_label(1e-6, True) == '10<tspan dy="-5" font-size="9">−6</tspan>'
    assert tick_label(2e-5, True).startswith("2·10<tspan")
    assert tick_label(-0.5, False) == "−0.5" and tick_label(1e-17, False) == "0"
