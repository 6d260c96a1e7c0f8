"""Potential from parameters, and means that bound it.

A move's potential holds for its defaults; `potentials/rules.toml` says which values ask for more.
Rules only raise, so a value without a rule is never called harder than it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from casemate.attacks.move import Move, Values
from casemate.attacks.potential import Potential, raised
from casemate.attacks.potential_tables import read_data


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRule:
    """Time that parameters take: `terms` are products that are summed, in seconds."""

    move: str
    field: str
    terms: tuple[tuple[str, ...], ...]

    def taken_s(self, values: Values) -> float:
        """Return the time of checked values."""
        return sum(math.prod(values[name] for name in term) for term in self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """The window that a stay of more than `above` seconds needs."""

    above: float
    window: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedRule:
    """What a value above or below a limit asks for."""

    moves: tuple[str, ...]
    parameter: str
    raises: Mapping[str, Any]
    why: str
    above: float = math.inf
    below: float = -math.inf

    def holds(self, value: float) -> bool:
        """Return whether a value asks for more."""
        return value > self.above or value < self.below


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules."""

    times: tuple[TimeRule, ...]
    windows: tuple[WindowRule, ...]
    needs: tuple[NeedRule, ...]


@cache
def rules() -> Rules:
    """Return the shipped rules."""
    raw = read_data("rules")
    return Rules(
        times=tuple(
            TimeRule(**{**each, "terms": tuple(tuple(term) for term in each["terms"])})
            for each in raw["times"]
        ),
        windows=tuple(WindowRule(**each) for each in raw["windows"]),
        needs=tuple(NeedRule(**{**each, "moves": tuple(each["moves"])}) for each in raw["needs"]),
    )


def of_parameters(move: Move, given: Values) -> Potential:
    """Return what a move takes with these values, defaults for the others.

    InputError for an unknown name or a value out of range.
    """
    values, defaults = move.checked(given), move.defaults()
    found = move.potential
    for rule in rules().times:
        if rule.move == move.id:
            more_s = rule.taken_s(values) - rule.taken_s(defaults)
            if more_s > 0.0:
                found = raised(found, **{rule.field: getattr(found, rule.field) + more_s})
    if found.on_site_s > move.potential.on_site_s:
        for stay in rules().windows:
            if found.on_site_s > stay.above:
                found = raised(found, window=stay.window)
    for need in rules().needs:
        if move.id in need.moves and need.holds(values[need.parameter]):
            found = raised(found, **need.raises)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an adversary has at most; inf where nothing bounds it. SI and USD."""

    persons: float = math.inf
    cost_usd: float = math.inf
    elapsed_s: float = math.inf
    on_site_s: float = math.inf
    suppliers: float = math.inf
    attempts: float = math.inf

    def lacking(self, potential: Potential) -> float:
        """Return by how much a potential exceeds the means: the largest logarithm, 0 if none.

        It is what a search takes as a shortfall. A bound of 0 lacks inf for any need.
        """
        found = 0.0
        for each in fields(self):
            needs, has = float(getattr(potential, each.name)), float(getattr(self, each.name))
            if needs > has:
                found = max(found, math.log(needs / has) if has > 0.0 else math.inf)
        return found
