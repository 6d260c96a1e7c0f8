"""Point tables of attack potential, as data: `potentials/*.toml`, each factor with its source.

A table has one column of points for each phase. Rows are words, or numbers up to a limit (`most`:
at most, `below`: less than); the last row of numbers has none. The axes of `beyond.toml` follow a
logarithm and never end.
"""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from casemate.core.errors import InputError

FOLDER = Path(__file__).parent / "potentials"
CEM, JIL, BEYOND = "cem", "jil_smartcards", "beyond"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsRow:
    """Points of a word, or of numbers up to a limit, one for each phase."""

    points: tuple[int, ...]
    word: str = ""
    most: float = math.inf
    below: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One factor. verified: read in `source` (on the day `read`), else general knowledge."""

    id: str
    rows: tuple[PointsRow, ...]
    source: str
    verified: bool
    read: datetime.date | None = None

    def points(self, value: str | float) -> tuple[int, ...]:
        """Return the points of a word or number; InputError for a word that the table lacks."""
        for row in self.rows:
            if isinstance(value, str):
                if row.word == value:
                    return row.points
            elif value <= row.most and (value < row.below or row.below == math.inf):
                return row.points
        raise InputError(
            f"the factor {self.id} of attack potential has no such value.",
            remedy=f"use one of: {', '.join(row.word for row in self.rows)}.",
            key=self.id,
            value=value,
        )

    def harder(self, first: str, second: str) -> str:
        """Return the word that comes later in the table."""
        words = [row.word for row in self.rows]
        return max(first, second, key=words.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTable:
    """A scale: factors, and names of levels from their least sums, highest first."""

    id: str
    name: str
    phases: tuple[str, ...]
    factors: tuple[Factor, ...]
    levels: tuple[tuple[int, str], ...]
    levels_source: str
    levels_verified: bool

    def factor(self, id: str) -> Factor:
        """Return a factor by its id."""
        return next(each for each in self.factors if each.id == id)

    def level(self, points: int) -> str:
        """Return the name of the level that a sum reaches."""
        return next(name for least, name in self.levels if points >= least)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndlessAxis:
    """points = per_decade * log10(1 + (value - least) / one); planning values."""

    id: str
    per_decade: float
    least: float
    one: float
    why: str

    def points(self, value: float) -> float:
        """Return the points of a value, 0 at or under `least`."""
        return self.per_decade * math.log10(1.0 + max(value - self.least, 0.0) / self.one)


@cache
def points_table(id: str) -> PointsTable:
    """Return a scale: CEM or JIL."""
    raw = read_data(id)
    levels = raw["levels"]
    return PointsTable(
        id=raw["id"],
        name=raw["name"],
        phases=tuple(raw["phases"]),
        factors=tuple(_factor(each) for each in raw["factors"]),
        levels=tuple((row["least"], row["name"]) for row in levels["rows"]),
        levels_source=levels["source"],
        levels_verified=levels["verified"],
    )


@cache
def endless_axes() -> tuple[EndlessAxis, ...]:
    """Return the axes that go beyond the scales."""
    return tuple(EndlessAxis(**each) for each in read_data(BEYOND)["axes"])


def read_data(id: str) -> dict[str, Any]:
    """Return a file of `potentials` as plain data."""
    return tomllib.loads((FOLDER / f"{id}.toml").read_text(encoding="utf-8"))


def _factor(raw: Mapping[str, Any]) -> Factor:
    rows = (PointsRow(**{**row, "points": tuple(row["points"])}) for row in raw["rows"])
    return Factor(**{**raw, "rows": tuple(rows)})
