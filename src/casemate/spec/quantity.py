"""How a quantity or share of enclosure.toml is read and shown in the JSON Schema."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casemate.core.units import QUANTITY_PATTERN, QuantityError, parse_quantity

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Quantity:
    """Marks a field as a string with a unit; the value is a float in `unit` within [low, high]."""

    unit: str
    low: float
    high: float
    example: str
    above: bool = False
    """True if `low` itself is refused."""

    def read(self, value: Any) -> float:
        """Return the value in `unit`, or raise with a remedy."""
        try:
            number = float(f"{parse_quantity(value, self.unit):.15g}")  # drops conversion noise
        except QuantityError as error:
            raise _wrong(str(error), f'write a string such as "{self.example}".') from None
        too_low = number <= self.low if self.above else number < self.low
        if too_low or number > self.high:
            bracket = "more than" if self.above else "from"
            raise _wrong(
                f"{_plain(number)} {self.unit} is out of range",
                f"give {bracket} {_plain(self.low)} {'up ' * self.above}to "
                f'{_plain(self.high)} {self.unit}, such as "{self.example}".',
            )
        return number

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": QUANTITY_PATTERN,
            "maxLength": 100,
            "examples": [self.example],
            "x-unit": self.unit,
            "x-minimum": self.low,
            "x-maximum": self.high,
        }


@dataclass(frozen=True, slots=True)
class Share:
    """Marks a field as a plain number between 0 and 1; `open_ends` refuses 0 and 1 themselves."""

    example: float
    open_ends: bool = False

    def read(self, value: Any) -> float:
        """Return the number, or raise with a remedy."""
        remedy = f"write a number {'between' if self.open_ends else 'from'} 0 "
        remedy += f"{'and' if self.open_ends else 'to'} 1, such as {self.example:g}."
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong("expected a plain number without quotes", remedy)
        inside = 0 < value < 1 if self.open_ends else 0 <= value <= 1
        if not (math.isfinite(value) if isinstance(value, float) else True) or not inside:
            raise _wrong("the number is out of range", remedy)
        return float(value)

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        low, high = "minimum", "maximum"
        if self.open_ends:
            low, high = "exclusiveMinimum", "exclusiveMaximum"
        return {"type": "number", low: 0, high: 1, "examples": [self.example]}


def _plain(number: float) -> str:
    return f"{number:.6g}"


def _wrong(message: str, remedy: str) -> Exception:
    from pydantic_core import PydanticCustomError

    # The text goes through a context value, so that braces in it are not taken as a template.
    return PydanticCustomError("casemate", "{text}", {"text": message, "remedy": remedy})
