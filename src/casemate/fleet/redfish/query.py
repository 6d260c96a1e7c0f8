"""Query parameters of a GET (DSP0266, 7.3): what may be asked of which resource, and in what form.

What a parameter asks is done elsewhere: `filters` chooses members, `expansion` puts resources in
place of links and leaves out what was not selected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from casemate.fleet.redfish import filters, odata
from casemate.fleet.redfish.filters import Expression
from casemate.fleet.redfish.messages import RedfishError

MOST_LEVELS = 6
"""Of an expansion (planning value): from the root to an entry of a log there are five links."""
MOST_SELECTED = 50
"""Properties that one $select names (planning value)."""
MOST_TEXT = 1000
"""Letters of a parameter's value (planning value)."""
_MOST_SKIP = 1 << 40
_OF_COLLECTIONS = ("$filter", "$skip", "$top", "only")
_KNOWN = ("$expand", "$select", *_OF_COLLECTIONS)
_EXPAND = re.compile(r"([*.~])(?:\(\$levels=([0-9]{1,9})\))?")
_PATH = re.compile(r"[A-Za-z@#][A-Za-z0-9@#._]*(?:/[A-Za-z@#][A-Za-z0-9@#._]*)*")
KEPT = ("@odata.id", "@odata.type", "@odata.context", "@odata.etag")
"""Of each resource, whatever was selected (DSP0266, 7.3.2)."""
_OF_ALL_MEMBERS = (*KEPT, "Members", "Members@odata.count", "Members@odata.nextLink")
"""Of a collection: else nobody would find its members, or its next page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand:
    """What to expand: links in sections `Links`, those outside, or both; so many levels deep."""

    links: bool
    others: bool
    levels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """Properties that were selected, by name: of each the ones within it, None for all of it."""

    within: Mapping[str, Selected | None] = field(default_factory=dict)

    def keeps(self, name: str) -> bool:
        """Return whether a property is shown. An annotation goes with what it is about."""
        return name in self.within or name.partition("@")[0] in self.within

    def of(self, name: str) -> Selected | None:
        """Return what is shown within a property that is; None: all of it."""
        return self.within.get(name)

    def of_members(self) -> Selected | None:
        """Return what is shown of each member of a collection: it is selected as if alone."""
        return self.within.get("Members", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What the parameters of a request ask. top: None without one. given: each as it came."""

    skip: int = 0
    top: int | None = None
    only: bool = False
    expand: Expand | None = None
    select: Selected | None = None
    filter: Expression | None = None
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_wide(self) -> bool:
        """Return whether the answer may take reading many resources."""
        return self.expand is not None or self.filter is not None

    @property
    def told(self) -> str:
        """Return what of it an auditor has to know: what was read beside the resource."""
        shown = [f"$expand={self.given['$expand']}"] if self.expand is not None else []
        return " ".join([*shown, *(["$filter"] if self.filter is not None else [])])

    def next_page(self, path: str, given: int) -> str:
        """Return the address of the members that follow the `given` ones of this answer."""
        asked = {**self.given, "$skip": str(self.skip + given)}
        if self.top is not None:
            asked["$top"] = str(self.top - given)
        names = ("$filter", "$skip", "$top", "$expand", "$select")
        parts = [f"{each}={quote(asked[each], safe=_SAFE)}" for each in names if each in asked]
        return f"{path}?{'&'.join(parts)}"


_SAFE = "$()*.,~=:/'@"


def kept_of(row: odata.Row) -> tuple[str, ...]:
    """Return properties that are shown of a resource whatever was selected."""
    return _OF_ALL_MEMBERS if odata.is_collection(row) else KEPT


def parse(text: str, kind: str, *, is_get: bool) -> Query:
    """Return what a query asks of a resource of a kind, "" for what is no resource of a schema.

    RedfishError with 501 for what begins with $ and is not known, with 400 for what is known and
    cannot be taken; what is not known otherwise is ignored (DSP0266, 7.3).
    """
    given = _given(text)
    if given and not is_get:
        raise RedfishError("QueryNotSupportedOnOperation")
    if given and (not kind or (not kind.endswith("Collection") and _names_members(given))):
        raise RedfishError("QueryNotSupportedOnResource")
    if "only" in given:
        if given["only"]:
            raise RedfishError("QueryParameterValueFormatError", _short(given["only"]), "only")
        if len(given) > 1:
            raise RedfishError("QueryCombinationInvalid")
    return Query(
        skip=_number(given, "$skip") or 0, top=_number(given, "$top"), only="only" in given,
        expand=_expand(given["$expand"]) if "$expand" in given else None,
        select=_select(given["$select"]) if "$select" in given else None,
        filter=filters.parse(given["$filter"]) if "$filter" in given else None, given=given,
    )  # fmt: skip


def _given(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        raise RedfishError("QueryNotSupported", status=400) from None
    for name, _ in pairs:
        if name.startswith("$") and name not in _KNOWN:
            more = (("QueryParameterValueError", (_short(name),)),)
            raise RedfishError("QueryNotSupported", more=more)
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in _KNOWN:
            if name in found:
                raise RedfishError("QueryCombinationInvalid")
            if len(value) > MOST_TEXT:
                raise RedfishError("QueryParameterValueFormatError", _short(value), name)
            found[name] = value
    return found


def _names_members(given: Mapping[str, str]) -> bool:
    return any(each in given for each in _OF_COLLECTIONS)


def _number(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise RedfishError("QueryParameterValueFormatError", _short(text), name)
    return min(int(text), _MOST_SKIP)


def _expand(text: str) -> Expand:
    found = _EXPAND.fullmatch(text)
    if found is None:
        raise RedfishError("QueryParameterValueFormatError", _short(text), "$expand")
    levels = int(found[2] or 1)
    if not 1 <= levels <= MOST_LEVELS:
        raise RedfishError("QueryParameterOutOfRange", str(levels), "$expand", f"1-{MOST_LEVELS}")
    return Expand(links=found[1] != ".", others=found[1] != "~", levels=levels)


def _select(text: str) -> Selected:
    paths = text.split(",")
    if len(paths) > MOST_SELECTED or not all(_PATH.fullmatch(each) for each in paths):
        raise RedfishError("QueryParameterValueFormatError", _short(text), "$select")
    return _selected([each.split("/") for each in paths])


def _selected(paths: list[list[str]]) -> Selected:
    """Return what paths name. Where one names all of a property, others name nothing within it."""
    within: dict[str, Selected | None] = {}
    for name in {each[0] for each in paths}:
        rest = [each[1:] for each in paths if each[0] == name]
        within[name] = _selected(rest) if all(rest) else None
    return Selected(within=within)


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:99]}…"
