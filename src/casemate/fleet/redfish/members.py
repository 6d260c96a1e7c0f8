"""$filter of collections that have few members: each is read as a GET shows it, and asked.

Collections of enclosures and of events choose by themselves (`choices`): there are too many.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from casemate.fleet.redfish import filters, odata
from casemate.fleet.redfish.asked import Serve
from casemate.fleet.redfish.expansion import Reader
from casemate.fleet.redfish.filters import Expression, Kind, Property, Table
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import Row
from casemate.fleet.redfish.query import Query

MOST = 500
"""Members that are read one by one (planning value)."""


def filtered(reader: Reader, serve: Serve, chosen_by: Expression) -> Row:
    """Return the page of a collection with the members that were asked for.

    One that cannot be read is among them: nobody knows what it would say. RedfishError with 507 if
    there are too many to read, 400 for a property that none of them has.
    """
    whole = _whole(reader, serve)
    rows = [(link, _read(reader, link)) for link in whole["Members"]]
    known = [row for _, row in rows if row is not None]
    if known:
        table = _table(chosen_by, known)
        filters.check(chosen_by, table)
        rows = [
            (link, row) for link, row in rows
            if row is None or filters.matches(chosen_by, table, row)
        ]  # fmt: skip
    skip, count, top = reader.asked.window()
    members = [link for link, _ in rows][skip : skip + count]
    return odata.paged(whole, members, total=len(rows), skip=skip, top=top)


def _whole(reader: Reader, serve: Serve) -> Row:
    """Return the collection with all of its pages in one."""
    members: list[Row] = []
    while True:
        asked = replace(reader.asked, query=Query(skip=len(members)))
        page = serve(reader.redfish, asked).row
        assert page is not None
        if page["Members@odata.count"] > MOST:
            raise RedfishError("InsufficientStorage")
        members += page["Members"]
        if odata.NEXT not in page or not page["Members"]:
            return {**page, "Members": members}


def _read(reader: Reader, link: Row) -> Row | None:
    if len(link) > 1:
        return link  # it is there whole
    found = reader.row(link["@odata.id"])
    return found if isinstance(found, dict) else None


def _table(chosen_by: Expression, rows: list[Row]) -> Table:
    """Return the properties that an expression names, by what members hold there."""
    found: dict[str, Property] = {}
    for each in filters.comparisons(chosen_by):
        values = [filters.value_at(row, each.path) for row in rows]
        kinds = {filters.kind_of(value) for value in values if value is not None}
        if len(kinds) == 1 and None not in kinds:
            found[each.path] = _property(each.path, kinds.pop(), values)
        elif not kinds and any(_has(row, each.path) for row in rows):
            found[each.path] = Property(kind=filters.kind_of(each.value) or Kind.TEXT)  # all null
    return found


def _property(path: str, kind: Kind | None, values: list[Any]) -> Property:
    assert kind is not None
    if path.endswith(("Severity", "Health", "HealthRollup")):
        return filters.HEALTH
    times = [isinstance(each, str) and "T" in each and filters.seconds(each) for each in values]
    if any(times) and all(each or value is None for each, value in zip(times, values, strict=True)):
        return filters.TIME
    return Property(kind=kind)


def _has(row: Any, path: str) -> bool:
    for name in path.split("/"):
        if not isinstance(row, dict) or name not in row:
            return False
        row = row[name]
    return True
