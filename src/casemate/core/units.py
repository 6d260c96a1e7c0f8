"""Quantities as strings with units at the edges, SI floats inside (pint)."""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint


YEAR_S = 365.25 * 86_400.0
"""A Julian year."""
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_NAME = "[A-Za-zµμΩ°%][A-Za-zµμΩ°%0-9_]*[²³]?"
_FACTOR = rf"(1|{_NAME}(\s*(\^|\*\*)\s*-?[0-9])?)"
_PRODUCT = rf"{_FACTOR}((\s*[*/]\s*|\s+){_FACTOR})*"
QUANTITY_PATTERN = rf"^\s*{_NUMBER}\s*(/\s*)?({_PRODUCT}(\s*/\s*\(\s*{_PRODUCT}\s*\))?)?\s*$"
"""One number, then a product of units whose powers have one digit (a JSON Schema pattern).

pint evaluates arithmetic: "9**9**9**9 m" would keep it busy for ever, and it drops commas, so that
"1,5 m" would be 15 m. Nothing but this form reaches it.
"""

_quantity = re.compile(QUANTITY_PATTERN, re.ASCII)


class QuantityError(ValueError):
    """The text is not a quantity of the wanted dimension; the message says what was expected."""


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint  # deferred: 0.2 s, and `--help` must not pay it

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    registry.define("USD = [currency]")
    registry.define("kUSD = 1000 USD")
    registry.define("MUSD = 1000000 USD")
    return registry


def parse_quantity(text: str, unit: str) -> float:
    """Return `text` ("0.98 m^3/s") as a float in `unit` ("m^3/s"); finite or QuantityError.

    A bare number is refused unless `unit` is "" (dimensionless, where "0.1 %" also counts).
    Attenuation uses "dB", parsed as a plain count of decibels.
    """
    if not isinstance(text, str):
        raise QuantityError(f'expected a string with a unit such as "1 {unit}"')
    if len(text) > 100:
        raise QuantityError("the quantity is longer than 100 characters")
    body = text.strip()
    if unit == "dB":
        if not body.endswith("dB"):
            raise QuantityError('expected decibels such as "60 dB"')
        body, unit = body[:-2], ""
    if not _quantity.match(body):
        raise QuantityError(f"expected one number and then a unit ({unit or 'none or %'})")
    value = _converted(body, unit)
    if not math.isfinite(value):
        raise QuantityError("the quantity is not finite")
    return value


@lru_cache(maxsize=4096)
def _converted(body: str, unit: str) -> float:
    """Ask pint, which takes 0.3 ms; the catalogue of modules says most quantities several times."""
    try:
        quantity: Any = _registry().Quantity(body)
        return float(quantity.to(unit or "dimensionless").magnitude)
    except Exception as error:  # pint raises many unrelated types on hostile text
        raise QuantityError(_why(error, body, unit)) from None


def _why(error: Exception, body: str, unit: str) -> str:
    import pint

    wanted = unit or "no unit"
    if isinstance(error, pint.UndefinedUnitError):
        names = error.unit_names
        shown = names if isinstance(names, str) else ", ".join(names)
        return f"expected a quantity in {wanted}; there is no unit {shown!r}"
    if isinstance(error, pint.DimensionalityError):
        return f"expected a quantity in {wanted}; {body!r} cannot be converted to it"
    return f"expected a quantity in {wanted}: {error}"
