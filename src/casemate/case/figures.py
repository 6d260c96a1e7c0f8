"""Figures for people: a value with its unit, an interval, a delay, a rate."""

from __future__ import annotations

import math

from casemate.case.results import Trial

_SCALES: dict[str, tuple[tuple[float, float, str], ...]] = {
    "m": ((1.0, 1.0, "m"), (1e-3, 1e3, "mm"), (0.0, 1e6, "µm")),
    "s": ((86_400.0, 1 / 86_400.0, "d"), (3600.0, 1 / 3600.0, "h"), (60.0, 1 / 60.0, "min"),
          (1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs")),
    "Hz": ((1e9, 1e-9, "GHz"), (1e6, 1e-6, "MHz"), (1e3, 1e-3, "kHz"), (0.0, 1.0, "Hz")),
}  # fmt: skip
"""For a unit: (from this size on, factor, unit shown), largest first."""
_WORDS = {"1": "", "count": "", "1/year": "a year", "per_year": "a year"}
"""Units that are said in other words."""
_SHARES = ("share", "fraction", "probability")


def number(value: float) -> str:
    """Return up to four significant digits; powers of ten outside 0.001 to 99,999."""
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-3 or size >= 1e5:
        mantissa, exponent = f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}"
    digits = max(0, 3 - math.floor(math.log10(size)))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def figure(value: float | None, unit: str = "") -> str:
    """Return `value` with a fitting prefix of its unit; "unknown" for None, "-" for nan."""
    shown, words = _figure(value, unit)
    return f"{shown} {words}" if words else shown


def _figure(value: float | None, unit: str) -> tuple[str, str]:
    if value is None:
        return "unknown", ""
    if math.isnan(value):
        return "-", ""
    if math.isinf(value):
        return "unbounded", ""
    if unit in _SHARES:
        return _percent(value), "%"
    for least, factor, shown in _SCALES.get(unit, ()):
        if abs(value) >= least:
            return number(value * factor), shown
    return number(value), _WORDS.get(unit, unit)


def _percent(value: float) -> str:
    """Return a share in percent, with as many digits as what it lacks to one needs."""
    short = 1.0 - value
    if 0.0 < short < 0.01:
        digits = 1 - math.floor(math.log10(100.0 * short))
        return f"{100.0 * value:.{digits}f}".rstrip("0").rstrip(".")
    if 0.0 < value < 0.1:
        return number(float(f"{100.0 * value:.3g}"))
    return f"{100.0 * value:.1f}".removesuffix(".0")


def interval(low: float | None, high: float | None, unit: str = "") -> str:
    """Return "a to b", or "exact" where both ends agree, or "-"; a shared unit is said once."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "-"
    if low == high:
        return "exact"
    (a, one), (b, other) = _figure(low, unit), _figure(high, unit)
    first = a if one == other or low == 0.0 else f"{a} {one}"
    return f"{first} to {b} {other}".rstrip()


def rate(per_year: float) -> str:
    """Return a rate per enclosure and year in words."""
    if math.isinf(per_year):
        return "unbounded"
    if per_year == 0:
        return "0 a year"
    if per_year >= 0.1:
        return f"{number(per_year)} a year"
    years = float(f"{1.0 / per_year:.3g}")
    return f"1 in {f'{years:,.0f}' if 100 <= years < 1e9 else number(years)} years"


def parameters(values: dict[str, float]) -> str:
    """Return parameters by name, in SI units by their suffix."""
    return ", ".join(_parameter(name, value) for name, value in sorted(values.items()))


def _parameter(name: str, value: float) -> str:
    for suffix, unit in (("_m", "m"), ("_s", "s"), ("_hz", "Hz")):
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix).replace('_', ' ')} {figure(value, unit)}"
    return f"{name.replace('_', ' ')} {figure(value)}"


def place(trial: Trial, digits: int = 1) -> str:
    """Return the tile and the point in its plane; moves without a point or a tile have neither."""
    tile = trial.tile or "no tile"
    if not (math.isfinite(trial.x_m) and math.isfinite(trial.y_m)):
        return tile
    return f"{tile} ({trial.x_m * 1e3:.{digits}f}, {trial.y_m * 1e3:.{digits}f}) mm"
