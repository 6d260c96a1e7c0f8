"""$filter of entries of a log, as SQL: there are too many events to read each of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from casemate.fleet.redfish import filters, messages
from casemate.fleet.redfish.events import RESOLVED
from casemate.fleet.redfish.filters import HEALTH, TEXT, TIME, TRUTH, Comparison, Kind, Not, Table
from casemate.fleet.store.schema import REDFISH_EVENTS

ENTRIES: Table = {
    "Id": TEXT, "EventId": TEXT, "Created": TIME, "EventTimestamp": TIME, "Severity": HEALTH,
    "MessageId": TEXT, "Resolved": TRUTH,
}  # fmt: skip
"""What entries are chosen by."""
_MOST_ID = (1 << 31) - 1
_R = REDFISH_EVENTS.c
_BY_MESSAGE: dict[str, Callable[[str], str]] = {
    "Severity": lambda key: messages.OWN[key].severity, "MessageId": messages.message_id,
}  # fmt: skip
"""What an entry shows by its message alone."""


def condition(found: filters.Expression) -> ColumnElement[bool]:
    """Return which rows of events an expression chooses; RedfishError if it cannot be asked."""
    filters.check(found, ENTRIES)
    return _sql(found)


def _sql(found: filters.Expression) -> ColumnElement[bool]:
    match found:
        case Comparison():
            return _compared(found)
        case Not():
            return not_(_sql(found.of))
    first, second = _sql(found.first), _sql(found.second)
    return or_(first, second) if found.either else and_(first, second)


def _compared(each: Comparison) -> ColumnElement[bool]:
    kind = ENTRIES[each.path].kind
    if each.value is None:
        return true() if each.op == "ne" else false()  # an entry has all of these
    if each.path in _BY_MESSAGE:
        shown = _BY_MESSAGE[each.path]
        return _R.message.in_(
            [key for key in messages.OWN if filters.compares(each, kind, shown(key))]
        )
    if kind is Kind.TIME:
        return _at(each)
    if kind is Kind.TRUTH:
        return RESOLVED if (each.value is True) is (each.op == "eq") else not_(RESOLVED)
    number = str(each.value)
    plain = number.isascii() and number.isdigit() and number == str(int(number))
    if not plain or int(number) > _MOST_ID:
        return false() if each.op == "eq" else true()
    return _R.id == int(number) if each.op == "eq" else _R.id != int(number)


def _at(each: Comparison) -> ColumnElement[bool]:
    """Return a comparison of an event's time, which is kept in whole seconds."""
    wanted = filters.seconds(str(each.value))
    assert wanted is not None
    whole, column = math.floor(wanted), _R.at_s
    compared: dict[str, Any] = {
        "eq": column == whole, "ne": column != whole, "lt": column < whole, "le": column <= whole,
        "gt": column > whole, "ge": column >= whole,
    }  # fmt: skip
    if whole != wanted:
        compared |= {"eq": false(), "ne": true(), "lt": compared["le"], "ge": compared["gt"]}
    found: ColumnElement[bool] = compared[each.op]
    return found
