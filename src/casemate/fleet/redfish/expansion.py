"""$expand and $select (DSP0266, 7.3.1, 7.3.2): resources in place of links, and what is left out.

A link is replaced by what a GET of it by the same account would be answered. Where that would be
refused, or fails, the link stays, with the messages of the refusal beside it: one enclosure that
cannot be read hides no other. What an answer may hold is bounded; a collection whose members do not
all fit ends earlier, with the address of those that follow.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from casemate.core.errors import CasemateError
from casemate.fleet.redfish import odata
from casemate.fleet.redfish.asked import Answer, Asked, Redfish
from casemate.fleet.redfish.messages import RedfishError, info
from casemate.fleet.redfish.odata import Row
from casemate.fleet.redfish.paths import may, resource_at
from casemate.fleet.redfish.query import KEPT, Expand, Query, Selected, kept_of

MOST_RESOURCES, MOST_BYTES = 1000, 4_000_000
"""In place of links, in one answer (planning values)."""
_LOG = logging.getLogger("casemate.fleet")
_NO = Expand(links=False, others=False, levels=0)


@dataclass(slots=True, kw_only=True)
class Reader:
    """Reads resources as the account that asks, all at one moment. asked: with that connection.

    told: which were read, as the first part of the path, by their template.
    """

    redfish: Redfish
    asked: Asked
    told: dict[str, set[str]] = field(default_factory=dict)

    def row(self, path: str) -> Row | RedfishError | None:
        """Return what a GET shows, why it does not, or None for a file."""
        resource, parts = resource_at(path)
        method = resource.methods.get("GET") if resource is not None else None
        if resource is None or method is None:
            return RedfishError("ResourceNotFound")
        if not may(self.asked.account, method, parts):
            nobody = self.asked.account is None
            return RedfishError("NoValidSession" if nobody else "InsufficientPrivilege")
        self.told.setdefault(resource.path, set()).add(next(iter(parts.values()), ""))
        try:
            return method.serve(self.redfish, replace(self.asked, path=parts, query=Query())).row
        except RedfishError as error:
            return error
        except SQLAlchemyError:
            raise  # of the connection that all share
        except CasemateError as error:
            _LOG.error("%s could not be expanded: %s", path, error)
            return RedfishError("ServiceTemporarilyUnavailable")
        except Exception:
            _LOG.exception("a resource that was to be expanded failed")
            return RedfishError("InternalError")


class _FullError(Exception):
    """The answer may hold no more."""


def shape(reader: Reader, row: Row, query: Query) -> Answer:
    """Return the answer to a query of a resource, from what it is without $expand and $select.

    RedfishError with 507 if not even its first member fits. The ETag in the body stays that of the
    resource; the header has that of the answer where it shows other resources too.
    """
    whole = odata.tagged({key: row[key] for key in row if key != "@odata.etag"})
    try:
        shown = _Expansion(reader, query).answer(whole)
    except _FullError:
        raise RedfishError("InsufficientStorage") from None
    tag = odata.etag(shown) if query.expand is not None else whole["@odata.etag"]
    return Answer(row=shown, tag=tag)


class _Expansion:
    """What one answer has come to hold."""

    def __init__(self, reader: Reader, query: Query) -> None:
        self._reader, self._query = reader, query
        self._how = query.expand or _NO
        self._resources = self._bytes = 0

    def answer(self, row: Row) -> Row:
        """Return the resource that was asked for, as far as it fits."""
        levels, selected = self._how.levels, self._query.select
        if not odata.is_collection(row):
            return self._resource(row, selected, levels)
        shown: list[Any] = []
        for each in row["Members"]:
            try:
                shown.append(self._value(each, _of_members(selected), False, levels))
            except _FullError:
                if not shown:
                    raise
                break
        out = self._resource({**row, "Members": []}, selected, levels)
        out["Members"] = shown
        if len(shown) < len(row["Members"]) or odata.NEXT in row:
            out[odata.NEXT] = self._query.next_page(row["@odata.id"], len(shown))
        return out

    def _resource(self, row: Row, selected: Selected | None, levels: int) -> Row:
        if selected is None and levels < 1:
            return row
        out, kept = {}, kept_of(row)
        for name, value in row.items():
            if name == "Members" and name in kept:
                of = _of_members(selected)
            elif name in kept or selected is None:
                of = None
            elif selected.keeps(name):
                of = selected.of(name)
            else:
                continue
            shown = self._value(value, of, name == "Links", levels)
            if shown is not ...:
                out[name] = shown
        return out

    def _value(self, value: Any, selected: Selected | None, inside: bool, levels: int) -> Any:
        """Return a value with what was asked in place of its links; ... if nothing is selected.

        inside: it is in a section `Links`.
        """
        if selected is None and levels < 1:
            return value
        if isinstance(value, list):
            found = [self._value(each, selected, inside, levels) for each in value]
            shown = [each for each in found if each is not ...]
            return shown if shown or not found else ...
        if not isinstance(value, Mapping):
            return value if selected is None else ...
        if set(value) == {"@odata.id"}:
            return self._linked(dict(value), selected, inside, levels)
        out = {}
        for name, each in value.items():
            if selected is not None and not selected.keeps(name) and name not in KEPT:
                continue
            of = None if selected is None or name in KEPT else selected.of(name)
            found = self._value(each, of, inside or name == "Links", levels)
            if found is not ...:
                out[name] = found
        return out if out or selected is None else ...

    def _linked(self, link: Row, selected: Selected | None, inside: bool, levels: int) -> Row:
        wanted = self._how.links if inside else self._how.others
        if levels < 1 or not wanted:
            return link
        found = self._reader.row(link["@odata.id"])
        if found is None:
            return link
        if isinstance(found, RedfishError):
            return {**link, "@Message.ExtendedInfo": info(found)}
        data = odata.encoded(found)
        self._resources, self._bytes = self._resources + 1, self._bytes + len(data)
        if self._resources > MOST_RESOURCES or self._bytes > MOST_BYTES:
            raise _FullError
        return self._resource(odata.as_sent(found), selected, levels - 1)


def _of_members(selected: Selected | None) -> Selected | None:
    return None if selected is None else selected.of_members()
