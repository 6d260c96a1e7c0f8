"""Sends events to subscribers, each by itself: one that does not answer holds up no other.

An event counts as taken when its receiver answers with 2xx. What is not taken is sent again, ever
later, up to five minutes; after a restart it goes on where it stood.
"""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy import update

from casemate.fleet.errors import FleetError
from casemate.fleet.redfish import destinations, events, odata, subscriptions
from casemate.fleet.redfish.asked import Redfish
from casemate.fleet.redfish.destinations import Destination
from casemate.fleet.redfish.subscriptions import Subscription
from casemate.fleet.store.schema import REDFISH_SUBSCRIPTIONS

BATCH = 50
"""Events of a body (planning value)."""
WORKERS = 4
"""Receivers that are written to at once (planning value)."""
LONGEST_S = 300.0
"""Between two tries (planning value)."""
_TICK_S = 1.0
_LOG = logging.getLogger("casemate.fleet")
Send = Callable[[Destination, str, bytes], int]


class Delivery:
    """Looks for events once a second and sends them, until closed."""

    def __init__(
        self, redfish: Redfish, *, send: Send | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._redfish, self._stop = redfish, threading.Event()
        self._send = send or (lambda to, at, body: destinations.send(to, at, body, context))
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="redfish")
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._due_s: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="redfish", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, after what is under way."""
        self._stop.set()
        self._redfish.hub.ended = True
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _run(self) -> None:
        failed = ""
        while not self._stop.wait(_TICK_S):
            try:
                look(self._redfish)
                self._hand_out()
                failed = ""
            except Exception as error:  # whatever it is, the next round may do it
                if str(error) != failed:
                    _LOG.error("events of Redfish are not told: %s", error)
                failed = str(error)

    def _hand_out(self) -> None:
        latest, now = self._redfish.hub.latest, self._redfish.service.clock()
        with self._redfish.store.read() as link:
            waiting = [each for each in subscriptions.active(link) if each.sent < latest]
        for each in waiting:
            with self._lock:
                if each.id in self._busy or self._due_s.get(each.id, 0.0) > now:
                    continue
                self._busy.add(each.id)
            self._pool.submit(self._deliver, each)

    def _deliver(self, each: Subscription) -> None:
        try:
            sent = deliver(self._redfish, each, self._send)
            failed = 0 if sent is not None else each.failed + 1
            values = {"failed": failed, **({"sent": sent} if sent is not None else {})}
            here = REDFISH_SUBSCRIPTIONS.c.id == each.id
            with self._redfish.store.write() as link:
                link.execute(update(REDFISH_SUBSCRIPTIONS).where(here).values(**values))
            wait_s = wait_after(failed)
            with self._lock:
                self._due_s[each.id] = self._redfish.service.clock() + wait_s
        except Exception:
            _LOG.exception("a subscription could not be served")
        finally:
            with self._lock:
                self._busy.discard(each.id)


def wait_after(failed: int) -> float:
    """Return how long is waited after failures in a row, in seconds: ever longer, to a bound."""
    return min(2.0 ** min(failed, 16), LONGEST_S) if failed else 0.0


def look(redfish: Redfish) -> None:
    """Write down what changed, and say that it was looked for."""
    events.scan(redfish.store, redfish.now_s())
    with redfish.store.read() as link:
        redfish.hub.latest = events.latest(link)
    redfish.hub.scanned_s = redfish.service.clock()


def deliver(redfish: Redfish, each: Subscription, send: Send) -> int | None:
    """Send what a subscription has not had; return the number of the last event, None if it fails.

    Addresses are looked up and checked anew, and so is what is allowed.
    """
    with redfish.store.read() as link:
        found = events.after(link, each.sent, BATCH)
        allowed = destinations.networks(link)
    wanted = [event for event in found if each.wants(event)]
    if not found:
        return each.sent
    if not wanted:
        return found[-1].id
    try:
        to = destinations.parse(each.destination)
        addresses: Sequence[str] = destinations.checked(to, allowed)
        body = odata.encoded(events.payload(wanted, each.context))
        status = send(to, addresses[0], body)
    except (OSError, http.client.HTTPException, FleetError):
        return None
    return found[-1].id if 200 <= status < 300 else None


@contextmanager
def running(redfish: Redfish) -> Iterator[Delivery]:
    """Have events told and sent; at the end streams end too, so that a server can."""
    made = Delivery(redfish)
    try:
        yield made
    finally:
        made.close()
