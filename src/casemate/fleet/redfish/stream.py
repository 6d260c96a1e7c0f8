"""Server-sent events: an open stream gets each event as it is written down (DSP0266, SSE)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from casemate.fleet.redfish import accounts, events, odata, subscriptions
from casemate.fleet.redfish.accounts import Account
from casemate.fleet.redfish.asked import Redfish
from casemate.fleet.redfish.events import Event
from casemate.fleet.redfish.messages import RedfishError

MOST, MOST_OF_ONE = 64, 8
"""Open streams in all, and of an account (planning values)."""
POLL_S = 0.25
ALIVE_S = 10.0
"""Between comments that show that it still lives, and looks whether the account may (planning)."""
LONGEST_S = 3600.0
"""After which a client has to open it anew (planning value)."""
BATCH = 50


def open_stream(redfish: Redfish, account: Account, last_id: str) -> tuple[int, int]:
    """Open a stream; return its number, and that of the last event that it need not have.

    last_id: header Last-Event-ID, "" for none. RedfishError if there are too many.
    """
    hub = redfish.hub
    with hub.lock:
        mine = sum(each == account.id for each in hub.owners.values())
        if len(hub.streams) >= MOST or mine >= MOST_OF_ONE:
            raise RedfishError("EventSubscriptionLimitExceeded")
        number, hub.next_stream = hub.next_stream, hub.next_stream + 1
        hub.streams[number] = subscriptions.stream_row(number, f"stream {number}")
        hub.owners[number] = account.id
    with redfish.store.read() as link:
        latest = events.latest(link)
    known = last_id.isascii() and last_id.isdigit() and len(last_id) < 12
    return number, min(int(last_id), latest) if known else latest


async def lines(
    redfish: Redfish, account: Account, number: int, last: int
) -> AsyncIterator[bytes]:  # fmt: skip
    """Yield a stream's lines until it is deleted, the account may not, or the service ends."""
    hub, waited_s, opened_s = redfish.hub, 0.0, 0.0
    try:
        yield b": open\n\n"
        while number in hub.streams and not hub.ended and opened_s < LONGEST_S:
            if hub.latest > last:
                found = await run_in_threadpool(_after, redfish, last)
                for each in found:
                    last = each.id
                    yield _written(each, number)
                continue
            await asyncio.sleep(POLL_S)
            waited_s, opened_s = waited_s + POLL_S, opened_s + POLL_S
            if waited_s >= ALIVE_S:
                waited_s = 0.0
                if not await run_in_threadpool(_may, redfish, account):
                    return
                yield b": alive\n\n"
    finally:
        close(redfish, number)


def close(redfish: Redfish, number: int) -> None:
    """Forget a stream; nothing happens if there is none of that number."""
    with redfish.hub.lock:
        redfish.hub.streams.pop(number, None)
        redfish.hub.owners.pop(number, None)


def _after(redfish: Redfish, last: int) -> list[Event]:
    with redfish.store.read() as link:
        return events.after(link, last, BATCH)


def _may(redfish: Redfish, account: Account) -> bool:
    """Return whether the account is still one that may: a stream outlives its session, not it."""
    with redfish.store.read() as link:
        now = accounts.by_name(link, account.name)
    return now is not None and now.enabled and now.id == account.id


def _written(each: Event, number: int) -> bytes:
    data = odata.encoded(events.payload([each], f"stream {number}"))
    return b"id: %d\ndata: %s\n\n" % (each.id, data)
