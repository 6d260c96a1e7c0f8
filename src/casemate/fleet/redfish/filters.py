"""$filter (DSP0266, 7.3.3): a comparison of properties with literals, and how members answer it.

What could be taken for "there is nothing" when it was only asked wrongly is refused: a property
that members do not have, a value that a property never takes, an order of words. A comparison with
what is null is false, but for `ne`: who asks for what is not Normal gets what nobody knows of.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from casemate.fleet.redfish.messages import RedfishError

MOST_DEEP = 20
"""Brackets and `not` within each other (planning value)."""
MOST_COMPARED = 40
"""Comparisons of one expression (planning value)."""
NAME = "$filter"
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}))"
    r"|(?P<number>-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?![0-9A-Za-z_.-]))"
    r"|(?P<word>[A-Za-z@][A-Za-z0-9@._]*(?:/[A-Za-z@][A-Za-z0-9@._]*)*)"
    r"|(?P<bracket>[(),]))"
)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
_EQUAL = ("eq", "ne")
_HEALTH = ("OK", "Warning", "Critical")
"""In the order of Redfish's enumeration, from which `ge` and its like take theirs."""


class Kind(Enum):
    """What a property holds, and so what it can be compared with."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth"
    TIME = "time"
    HEALTH = "health"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A property that members may be chosen by. values: of an enumeration; empty for any text."""

    kind: Kind
    values: frozenset[str] = frozenset()


Table = Mapping[str, Property]
"""Properties by their path from a member, with / between names."""
TEXT, NUMBER, TRUTH, TIME, HEALTH = (Property(kind=each) for each in Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A property, an operator, and a literal: a text, number, truth, or None for null.

    word: the literal as it was written. is_time: it was written as a time.
    """

    path: str
    op: str
    value: str | int | float | bool | None
    word: str
    is_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """What holds where the other does not."""

    of: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """What holds where both do; with `either`, where one does."""

    first: Expression
    second: Expression
    either: bool


Expression = Comparison | Not | Both


def parse(text: str) -> Expression:
    """Return the expression of a text; RedfishError with 400 if it is none, with 501 if OData has
    it and it is not supported here."""
    tokens = list(_tokens(text))
    if sum(kind == "word" and word in (*_ORDER, *_EQUAL) for kind, word in tokens) > MOST_COMPARED:
        raise _malformed(text)
    reader = _Reader(tokens)
    found = reader.any_of(0)
    if reader.kind:
        raise _malformed(reader.word)
    return found


def comparisons(found: Expression) -> Iterator[Comparison]:
    """Yield all comparisons of an expression."""
    match found:
        case Comparison():
            yield found
        case Not():
            yield from comparisons(found.of)
        case Both():
            yield from comparisons(found.first)
            yield from comparisons(found.second)


def check(found: Expression, table: Table) -> None:
    """Raise RedfishError unless members can be asked all of it: 501 for a property that they are
    not chosen by or an order that it has not, 400 for a literal that the property never is."""
    for each in comparisons(found):
        known = table.get(each.path)
        if known is None:
            raise _unsupported(each.path)
        if each.op in _ORDER and known.kind in (Kind.TEXT, Kind.TRUTH):
            raise _unsupported(f"{each.path} {each.op}")
        if each.value is not None and not _fits(each, known):
            raise RedfishError("QueryParameterValueTypeError", each.word[:100], NAME)


def matches(found: Expression, table: Table, row: Mapping[str, Any]) -> bool:
    """Return whether a member, as a GET shows it, is chosen. The expression was checked."""
    match found:
        case Comparison():
            return compares(found, table[found.path].kind, value_at(row, found.path))
        case Not():
            return not matches(found.of, table, row)
        case Both():
            first = matches(found.first, table, row)
            if first is found.either:
                return first
            return matches(found.second, table, row)


def compares(each: Comparison, kind: Kind, value: Any) -> bool:
    """Return what a comparison says of a value of a property of a kind."""
    if value is None or each.value is None:
        same = value is each.value
        return same if each.op == "eq" else each.op == "ne" and not same
    ours, theirs = _comparable(value, kind), _comparable(each.value, kind)
    if each.op in _EQUAL:
        return (ours == theirs) is (each.op == "eq")
    return _ORDER[each.op](ours, theirs)


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """Return what is at a path; None if nothing is."""
    found: Any = row
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def seconds(text: str) -> float | None:
    """Return Unix seconds of a time with its offset (RFC 3339); None if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found.timestamp()


def kind_of(value: Any) -> Kind | None:
    """Return what a value is by itself; None for what is compared with nothing."""
    match value:
        case bool():
            return Kind.TRUTH
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
    return None


def _comparable(value: Any, kind: Kind) -> Any:
    if kind is Kind.HEALTH:
        return _HEALTH.index(value)
    return seconds(value) if kind is Kind.TIME else value


def _fits(each: Comparison, known: Property) -> bool:
    value = each.value
    match known.kind:
        case Kind.NUMBER:
            return kind_of(value) is Kind.NUMBER
        case Kind.TRUTH:
            return kind_of(value) is Kind.TRUTH
        case Kind.TIME:
            return isinstance(value, str) and seconds(value) is not None
        case Kind.HEALTH:
            return value in _HEALTH and not each.is_time
    plain = isinstance(value, str) and not each.is_time
    return plain and (not known.values or value in known.values)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _malformed(text[at:])
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


class _Reader:
    """Reads an expression from its tokens, by rising precedence: or, and, not, comparison."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def kind(self) -> str:
        """Return what the next token is, "" at the end."""
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    @property
    def word(self) -> str:
        """Return the next token, "" at the end."""
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def any_of(self, deep: int) -> Expression:
        """Return alternatives, or the one that there is."""
        found = self._all_of(deep)
        while self.word == "or":
            self._take("word")
            found = Both(first=found, second=self._all_of(deep), either=True)
        return found

    def _all_of(self, deep: int) -> Expression:
        found = self._one(deep)
        while self.word == "and":
            self._take("word")
            found = Both(first=found, second=self._one(deep), either=False)
        return found

    def _one(self, deep: int) -> Expression:
        if deep > MOST_DEEP:
            raise _malformed(self.word)
        if self.word == "not" and self._tokens[self._at + 1 : self._at + 2] not in (
            [("bracket", "(")], [("word", "not")],
        ):  # fmt: skip
            raise _malformed(self.word)  # it binds more tightly than what it stands before
        if self.word == "not":
            self._take("word")
            return Not(of=self._one(deep + 1))
        if self.word == "(":
            self._take("bracket")
            found = self.any_of(deep + 1)
            if self._take("bracket") != ")":
                raise _malformed("(")
            return found
        return self._comparison()

    def _comparison(self) -> Comparison:
        path = self._take("word")
        if self.word == "(":
            raise _unsupported(path)  # a function of OData
        op = self._take("word")
        if op not in _ORDER and op not in _EQUAL:
            raise _unsupported(op) if op in _OTHERS else _malformed(op)
        kind, word = self.kind, self.word
        self._take(kind)
        return Comparison(path=path, op=op, value=_literal(kind, word), word=word,
                          is_time=kind == "time")  # fmt: skip

    def _take(self, kind: str) -> str:
        if not kind or self.kind != kind:
            raise _malformed(self.word)
        word = self.word
        self._at += 1
        return word


_OTHERS = ("has", "in", "add", "sub", "mul", "div", "divby", "mod")
"""Operators of OData that Redfish has not."""


def _literal(kind: str, word: str) -> str | int | float | bool | None:
    match kind:
        case "text":
            return word[1:-1].replace("''", "'")
        case "time":
            return word
        case "number":
            return float(word) if "." in word else int(word)
        case "word" if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
    raise _malformed(word)


def _malformed(text: str) -> RedfishError:
    return RedfishError("QueryParameterValueFormatError", text[:100], NAME)


def _unsupported(what: str) -> RedfishError:
    more = (("QueryParameterValueFormatError", (what[:100], NAME)),)
    return RedfishError("QueryNotSupported", more=more)
