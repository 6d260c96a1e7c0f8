"""The event service: subscriptions, streams of events, and a test event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from casemate.fleet.errors import TooManyError
from casemate.fleet.redfish import accounts, destinations, events, odata, root
from casemate.fleet.redfish.accounts import Account
from casemate.fleet.redfish.asked import Answer, Asked, Redfish
from casemate.fleet.redfish.events import Event
from casemate.fleet.redfish.messages import OWN, PREFIX, RedfishError, message_id
from casemate.fleet.redfish.odata import ROOT, Row
from casemate.fleet.store.schema import REDFISH_ACCOUNTS, REDFISH_SUBSCRIPTIONS

SERVICE = f"{ROOT}/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
MOST, MOST_OF_ONE = 100, 20
"""Subscriptions in all, and of an account (planning values)."""
MOST_FAILED = 8
"""Failures in a row after which a subscription's health is Critical (planning value)."""
_SEVERITIES = ("OK", "Warning", "Critical")
_LISTS = ("RegistryPrefixes", "MessageIds", "Severities", "EventTypes")
_TAKEN = {"Destination", "Context", "Protocol", "EventFormatType", "SubscriptionType",
          "DeliveryRetryPolicy", "VerifyCertificate", *_LISTS}  # fmt: skip
_SUB = REDFISH_SUBSCRIPTIONS.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription. wanted: lists of what is sent, all where one is empty."""

    id: int
    account_id: int
    destination: str
    context: str
    wanted: dict[str, list[str]]
    begun_s: int
    sent: int
    failed: int

    def wants(self, event: Event) -> bool:
        """Return whether an event is to be sent."""
        return wants(self.wanted, event)


def wants(wanted: dict[str, list[str]], event: Event) -> bool:
    """Return whether lists of what is wanted have an event; an empty one has all."""
    checks = (
        ("Severities", event.severity), ("MessageIds", message_id(event.message)),
        ("RegistryPrefixes", PREFIX), ("EventTypes", "Alert"),
    )  # fmt: skip
    return all(not wanted.get(key) or value in wanted[key] for key, value in checks)


def service(redfish: Redfish, asked: Asked) -> Answer:
    """Return the event service."""
    row = odata.resource(
        "EventService", SERVICE, "EventService", "Events", ServiceEnabled=True,
        DeliveryRetryAttempts=MOST_FAILED, DeliveryRetryIntervalSeconds=1,
        EventFormatTypes=["Event"], RegistryPrefixes=[PREFIX], ResourceTypes=["Chassis"],
        Severities=list(_SEVERITIES), SubordinateResourcesSupported=False,
        IncludeOriginOfConditionSupported=False, ServerSentEventUri=f"{SERVICE}/SSE",
        SSEFilterPropertiesSupported={
            "EventFormatType": False, "MessageId": False,
            "MetricReportDefinition": False, "OriginResource": False, "RegistryPrefix": False,
            "ResourceType": False, "SubordinateResources": False,
        },
        Status=odata.status("Enabled", root.health(redfish)),
        Subscriptions=odata.link(SUBSCRIPTIONS),
        Actions={"#EventService.SubmitTestEvent": {
            "target": f"{SERVICE}/Actions/EventService.SubmitTestEvent",
        }},
    )  # fmt: skip
    return Answer(row=row)


def test_event(redfish: Redfish, asked: Asked) -> Answer:
    """Tell a test event. Nothing of what a client sends is in it. RedfishError if it is too often:

    events are told in order, and a flood of these would hold back an alarm.
    """
    try:
        redfish.hub.tests.take(str(asked.who.id), redfish.service.clock())
    except TooManyError:
        raise RedfishError("RateLimitExceeded") from None
    with redfish.store.write() as link:
        events.tell(link, None, redfish.now_s(), "TestEvent", asked.who.name)
        redfish.hub.latest = events.latest(link)
    return Answer(status=204)


def all_(link: Connection) -> list[Subscription]:
    """Return all subscriptions."""
    return [_of(row) for row in link.execute(select(REDFISH_SUBSCRIPTIONS).order_by(_SUB.id))]


def active(link: Connection) -> list[Subscription]:
    """Return the subscriptions of accounts that are enabled: to no others is anything sent."""
    asked = (
        select(REDFISH_SUBSCRIPTIONS)
        .join(REDFISH_ACCOUNTS, REDFISH_ACCOUNTS.c.id == _SUB.account_id)
        .where(REDFISH_ACCOUNTS.c.enabled)
        .order_by(_SUB.id)
    )
    return [_of(row) for row in link.execute(asked)]


def _of(row: Any) -> Subscription:
    return Subscription(**{**row._mapping, "wanted": json.loads(row.wanted)})


def index(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return subscriptions and open streams."""
    names = [str(each.id) for each in all_(link)]
    with redfish.hub.lock:
        names += [f"sse-{each}" for each in sorted(redfish.hub.streams)]
    return asked.page_of("EventDestination", SUBSCRIPTIONS, "Subscriptions", names)


def one(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a subscription, or what stands for an open stream."""
    if asked.path["subscription"].startswith("sse-"):
        found = redfish.hub.streams.get(_stream(redfish, asked))
        if found is None:  # it has ended meanwhile
            raise RedfishError("ResourceNotFound")
        return found
    return _shown(_found(link, asked))


def _stream(redfish: Redfish, asked: Asked) -> int:
    text = asked.path["subscription"].removeprefix("sse-")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    if number not in redfish.hub.streams:
        raise RedfishError("ResourceNotFound")
    return number


def _found(link: Connection, asked: Asked) -> Subscription:
    here = select(REDFISH_SUBSCRIPTIONS).where(_SUB.id == asked.number("subscription"))
    row = link.execute(here).one_or_none()
    if row is None:
        raise RedfishError("ResourceNotFound")
    return _of(row)


def _shown(each: Subscription) -> Row:
    health = "OK" if not each.failed else "Warning" if each.failed < MOST_FAILED else "Critical"
    return odata.resource(
        "EventDestination", f"{SUBSCRIPTIONS}/{each.id}", str(each.id), f"Subscription {each.id}",
        Destination=each.destination, Context=each.context, Protocol="Redfish",
        SubscriptionType="RedfishEvent", EventFormatType="Event", VerifyCertificate=True,
        DeliveryRetryPolicy="RetryForeverWithBackoff",
        RegistryPrefixes=each.wanted.get("RegistryPrefixes") or [PREFIX],
        Severities=each.wanted.get("Severities") or list(_SEVERITIES),
        MessageIds=each.wanted.get("MessageIds") or ...,
        Status=odata.status("Enabled", health),
    )  # fmt: skip


def stream_row(number: int, context: str) -> Row:
    """Return what stands for an open stream among subscriptions."""
    return odata.resource(
        "EventDestination", f"{SUBSCRIPTIONS}/sse-{number}", f"sse-{number}", f"Stream {number}",
        Destination="Stream of server-sent events", Context=context, Protocol="Redfish",
        SubscriptionType="SSE", EventFormatType="Event",
    )  # fmt: skip


def add(redfish: Redfish, asked: Asked) -> Answer:
    """Enter a subscription; RedfishError if it, or its destination, cannot be taken."""
    body = asked.object()
    _check(body)
    wanted = {each: _list(body, each) for each in _LISTS}
    to = destinations.parse(body["Destination"])
    with redfish.store.read() as link:
        allowed = destinations.networks(link)
    destinations.checked(to, allowed)
    context = body.get("Context", "")
    with redfish.store.write() as link:
        _room(link, asked.who.id)
        row = {
            "account_id": asked.who.id, "destination": body["Destination"], "context": context,
            "wanted": json.dumps(wanted), "begun_s": redfish.now_s(), "failed": 0,
            "sent": events.latest(link),
        }  # fmt: skip
        made = insert(REDFISH_SUBSCRIPTIONS).values(**row).returning(_SUB.id)
        number = int(link.execute(made).scalar_one())
        shown = _shown(_of(link.execute(
            select(REDFISH_SUBSCRIPTIONS).where(_SUB.id == number)
        ).one()))  # fmt: skip
    headers = {"Location": f"{SUBSCRIPTIONS}/{number}"}
    return Answer(row=shown, status=201, headers=headers, told=f"{number} to {to.host}:{to.port}")


def _check(body: dict[str, Any]) -> None:
    for key in body:
        if key not in _TAKEN and not key.startswith("@"):
            raise RedfishError("PropertyUnknown", key, status=400, about=(f"#/{key}",))
    if "Destination" not in body:
        raise RedfishError("PropertyMissing", "Destination", about=("#/Destination",))
    fixed = {
        "Protocol": "Redfish", "EventFormatType": "Event", "SubscriptionType": "RedfishEvent",
        "DeliveryRetryPolicy": "RetryForeverWithBackoff", "VerifyCertificate": True,
    }  # fmt: skip
    for key, value in fixed.items():
        if key in body and (body[key] != value or type(body[key]) is not type(value)):
            raise RedfishError("PropertyValueError", key, about=(f"#/{key}",))
    if "Protocol" not in body:
        raise RedfishError("PropertyMissing", "Protocol", about=("#/Protocol",))
    context = body.get("Context", "")
    if not isinstance(context, str) or not context.isprintable() or len(context) > 200:
        raise RedfishError("PropertyValueError", "Context", about=("#/Context",))


def _list(body: dict[str, Any], key: str) -> list[str]:
    value = body.get(key, [])
    known = {
        "Severities": set(_SEVERITIES), "RegistryPrefixes": {PREFIX}, "EventTypes": {"Alert"},
        "MessageIds": {message_id(each) for each in OWN},
    }[key]  # fmt: skip
    plain = isinstance(value, list) and len(value) <= len(known)
    if not plain or not all(isinstance(each, str) and each in known for each in value):
        raise RedfishError("PropertyValueError", key, about=(f"#/{key}",))
    return list(value)


def _room(link: Connection, account_id: int) -> None:
    counted = select(func.count()).select_from(REDFISH_SUBSCRIPTIONS)
    mine = link.execute(counted.where(_SUB.account_id == account_id)).scalar_one()
    if mine >= MOST_OF_ONE or link.execute(counted).scalar_one() >= MOST:
        raise RedfishError("EventSubscriptionLimitExceeded")


def remove(redfish: Redfish, asked: Asked) -> Answer:
    """End a subscription of one's own; with the right to configure the service, of one's party.

    Nobody silences what another party listens to.
    """
    any_ = "ConfigureManager" in asked.who.privileges
    if asked.path["subscription"].startswith("sse-"):
        number = _stream(redfish, asked)
        with redfish.store.read() as link:
            _may_end(link, redfish.hub.owners.get(number, 0), asked.who, any_=any_)
        with redfish.hub.lock:
            redfish.hub.streams.pop(number, None)
        return Answer(status=204, told=f"stream {number}")
    with redfish.store.write() as link:
        found = _found(link, asked)
        _may_end(link, found.account_id, asked.who, any_=any_)
        link.execute(delete(REDFISH_SUBSCRIPTIONS).where(_SUB.id == found.id))
    return Answer(status=204, told=f"subscription {found.id}")


def _may_end(link: Connection, owner: int, who: Account, *, any_: bool) -> None:
    """Raise RedfishError unless an account may end what is another's. any_: it is not only own."""
    if owner != who.id and not (any_ and accounts.by_id(link, owner).party == who.party):
        raise RedfishError("InsufficientPrivilege")
