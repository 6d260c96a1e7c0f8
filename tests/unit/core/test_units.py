"""Quantities: what pint must never be asked, and what it must give."""

from __future__ import annotations

import time

import pytest

from casemate.core.units import QuantityError, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("0.98 m^3/s", "m^3/s", 0.98),
        ("2,080 CFM".replace(",", ""), "m^3/s", 0.98163),  # context.md 2.1: 0.98 m3/s = 2,080 CFM
        ("0.5 / month", "1/year", 6.0),
        ("5 minute / year", "s/year", 300.0),
        ("3 µm", "m", 3e-6),
        ("2 %", "", 0.02),
        ("60 dB", "dB", 60.0),
        ("70 deg", "rad", 1.2217305),
        ("10 W/(m^2*K)", "W/m^2/K", 10.0),
    ],
)
def test_read(text: str, unit: str, value: float) -> None:
    quantity = text.replace("CFM", "foot**3/minute")
    assert parse_quantity(quantity, unit) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize(
    "text",
    ["1,5 m", "9**9**9**9 m", "1 m^9^9^9^9^9", "1 m^(9^9^9^9)", "1 + 1 m", "1_0 m", "m", "",
     "1 m!", "0x10 m", "nan m", "inf m", "1e999 m", "1e400 m", "٣ m", "(1 m)", "1 m\n2 m"],
)  # fmt: skip
def test_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(QuantityError):
        parse_quantity(text, "m")
    assert time.perf_counter() - start < 2


def test_says_what_was_expected() -> None:
    with pytest.raises(QuantityError, match="there is no unit 'wat'"):
        parse_quantity("1 wat", "W")
    with pytest.raises(QuantityError, match="'1 m' cannot be converted"):
        parse_quantity("1 m", "W")
    with pytest.raises(QuantityError, match="no unit"):
        parse_quantity("1 m", "")
