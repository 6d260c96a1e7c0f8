"""Log services: the events of one enclosure, and those of all: the latest of each (`events`)."""

from __future__ import annotations

from sqlalchemy import Connection

from casemate.fleet.redfish import event_choices, events, looked, messages, odata
from casemate.fleet.redfish.asked import Asked, Redfish
from casemate.fleet.redfish.events import Event
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import ROOT, Row
from casemate.fleet.redfish.root import MANAGER

SERVICE = "Security"


def _place(link: Connection, redfish: Redfish, asked: Asked) -> tuple[str, int | None]:
    """Return the path of whose log is asked for, and of which enclosure; None: of all."""
    if "chassis" in asked.path:
        number = asked.number("chassis")
        looked.standing_of(link, redfish, asked, number)
        return f"{ROOT}/Chassis/{number}", number
    if asked.path["manager"] != MANAGER:
        raise RedfishError("ResourceNotFound")
    return f"{ROOT}/Managers/{MANAGER}", None


def _of_service(asked: Asked) -> None:
    if asked.path["log"] != SERVICE:
        raise RedfishError("ResourceNotFound")


def index(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return the log services of an enclosure, or of all."""
    base = f"{_place(link, redfish, asked)[0]}/LogServices"
    return asked.page_of("LogService", base, "Logs", [SERVICE])


def service(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a log service."""
    _of_service(asked)
    path = f"{_place(link, redfish, asked)[0]}/LogServices/{SERVICE}"
    return odata.resource(
        "LogService", path, SERVICE, "Events of security", OverWritePolicy="WrapsWhenFull",
        LogEntryType="Event", LogPurposes=["Security"], Persistency=True, ServiceEnabled=True,
        DateTime=odata.when(redfish.now_s()), DateTimeLocalOffset="+00:00",
        Status=odata.status("Enabled", "OK"), Entries=odata.link(f"{path}/Entries"),
    )  # fmt: skip


def entries(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a page of entries, newest first, whole."""
    _of_service(asked)
    base, number = _place(link, redfish, asked)
    path = f"{base}/LogServices/{SERVICE}/Entries"
    skip, count, top = asked.window()
    wanted = asked.query.filter
    chosen = event_choices.condition(wanted) if wanted is not None else None
    found, total = events.page(link, number, skip, count, chosen)
    over = events.resolved(link, found)
    members = [_entry(path, each, each.id in over) for each in found]
    return odata.collection("LogEntry", path, "Entries", members, total=total, skip=skip, top=top)


def entry(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return an entry; RedfishError if there is none, or it is of another enclosure."""
    _of_service(asked)
    base, number = _place(link, redfish, asked)
    found = events.one(link, asked.number("entry"))
    if found is None or (number is not None and found.enclosure_id != number):
        raise RedfishError("ResourceNotFound")
    over = bool(events.resolved(link, [found]))
    return odata.tagged(_entry(f"{base}/LogServices/{SERVICE}/Entries", found, over))


def _entry(path: str, each: Event, over: bool) -> Row:
    """Return an entry. over: its enclosure was told to be well again since."""
    return odata.resource(
        "LogEntry", f"{path}/{each.id}", str(each.id), f"Event {each.id}", EntryType="Event",
        Created=odata.when(each.at_s), EventTimestamp=odata.when(each.at_s), EventId=str(each.id),
        Severity=each.severity, MessageId=messages.message_id(each.message),
        Message=messages.rendered(each.message, each.args), MessageArgs=list(each.args),
        Resolution=messages.OWN[each.message].resolution, OriginatorType="Internal",
        Resolved=over,
        Links={"OriginOfCondition": odata.link(each.origin)},
    )  # fmt: skip
