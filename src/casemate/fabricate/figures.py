"""Figures for people: a value with its unit at a readable scale."""

from __future__ import annotations

import math
from typing import Any

_SCALES: dict[str, tuple[tuple[float, float, str], ...]] = {
    "m": ((1.0, 1.0, "m"), (1e-3, 1e3, "mm"), (0.0, 1e6, "µm")),
    "Hz": ((1e9, 1e-9, "GHz"), (1e6, 1e-6, "MHz"), (1e3, 1e-3, "kHz"), (0.0, 1.0, "Hz")),
    "s": ((3600.0, 1 / 3600, "h"), (60.0, 1 / 60, "min"), (1.0, 1.0, "s"), (0.0, 1e3, "ms")),
}
"""For a unit: (from this size on, factor, unit shown), largest first."""


def figure(value: Any, unit: str = "") -> str:
    """Return `value` with three or four significant digits and a fitting prefix of its unit."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    if not math.isfinite(value):
        return "not finite"
    if unit in ("share", "fraction"):
        return f"{number(value * 100)} %"
    if unit in ("count", "1"):
        return number(value)
    if unit == "USD":
        return f"{value:,.0f} USD" if abs(value) >= 100 else f"{value:,.2f} USD"
    for least, factor, shown in _SCALES.get(unit, ()):
        if abs(value) >= least:
            return f"{number(value * factor)} {shown}"
    return f"{number(value)} {unit}".strip()


def number(value: float) -> str:
    """Return up to four significant digits, thousands apart, no trailing zeros."""
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}"
    size = abs(value)
    if size >= 1e9 or size < 1e-3:
        return f"{value:.3g}"
    digits = max(0, 3 - math.floor(math.log10(size)))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def millimetres(value_m: float) -> str:
    """Return a length in millimetres to a tenth, without its unit."""
    text = f"{value_m * 1e3:,.1f}"
    return text.removesuffix(".0")


_SUFFIXES = (
    ("_usd", "USD"),
    ("_m3_s", "m³/s"),
    ("_m_s", "m/s"),
    ("_min_per_year", "min a year"),
    ("_s_per_year", "s a year"),
    ("_per_year", "a year"),
    ("_kg", "kg"),
    ("_pa", "Pa"),
    ("_db", "dB"),
    ("_hz", "Hz"),
    ("_rad", "rad"),
    ("_m2", "m²"),
    ("_um", "µm"),
    ("_mm", "mm"),
    ("_m", "m"),
    ("_s", "s"),
    ("_h", "h"),
    ("_k", "K"),
    ("_w", "W"),
)


def labelled(key: str, value: Any) -> tuple[str, str]:
    """Return (words, figure) of a key that ends with its unit, such as `unit_cost_usd`."""
    for suffix, unit in _SUFFIXES:
        if key.endswith(suffix):
            return key[: -len(suffix)].replace("_", " "), figure(value, unit)
    return key.replace("_", " "), figure(value)
