"""Threads that bring notices out: one an outlet, so that none waits for another's receiver."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec

from casemate.core.errors import CasemateError, InputError
from casemate.fleet.alarms import outbox
from casemate.fleet.alarms.notice import spoken
from casemate.fleet.outlets.outlet import Outlet, Told
from casemate.fleet.outlets.pulse import Pulse
from casemate.fleet.outlets.settings import Mqtt, Settings, Snmp, Syslog, kind_of, names
from casemate.fleet.outlets.standing import Standing, standings
from casemate.fleet.store.database import Store

PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""Between attempts at a receiver that fails; it doubles up to here (planning value)."""
_PRUNE_S = 3600
_JOIN_S = 15.0
_MOST_TOLD = 200
_LOG = logging.getLogger("casemate.fleet")
Maker = Callable[[Settings, Told], Outlet]


def make(settings: Settings, told: Told) -> Outlet:
    """Return the outlet of settings. InputError if its library is not installed."""
    needed = {"mqtt": "paho", "snmp": "pysnmp"}.get(kind_of(settings), "")
    if needed and not find_spec(needed):
        raise InputError(
            f"{needed} is not installed.", remedy="install the extra: casemate[interop].",
            key=f"outlets: {settings.name}",
        )  # fmt: skip
    if isinstance(settings, Syslog):
        from casemate.fleet.outlets.syslog import SyslogOutlet

        return SyslogOutlet(settings, told)
    if isinstance(settings, Mqtt):
        from casemate.fleet.outlets.mqtt import MqttOutlet

        return MqttOutlet(settings, told)
    if isinstance(settings, Snmp):
        from casemate.fleet.outlets.snmp import SnmpOutlet

        return SnmpOutlet(settings, told)
    from casemate.fleet.outlets.webhook import WebhookOutlet

    return WebhookOutlet(settings, told)


class Sender:
    """Brings what the outbox holds to one outlet, from where its receiver left off."""

    def __init__(self, store: Store, pulse: Pulse, clock: Callable[[], float], name: str,
                 outlet: Outlet, sent: int) -> None:  # fmt: skip
        self._store, self._pulse, self._clock = store, pulse, clock
        self._name, self._outlet, self._sent = name, outlet, sent

    def once(self) -> int:
        """Bring what waits, at most as much as the outlet takes at once; return how much that was.

        What was brought is remembered only once the receiver has it: after a power cut it may be
        told twice, never not.
        """
        with self._store.read() as link:
            waiting = outbox.after(link, self._sent, self._outlet.most)
        if waiting:
            self._outlet.send(waiting)
            last = waiting[-1].id
            with self._store.write() as link:
                outbox.advance(link, self._name, last, int(self._clock()))
            self._sent = last
            self._pulse.sent(self._name, len(waiting))
        return len(waiting)

    def tend(self) -> None:
        """Keep up what the receiver shows."""
        self._outlet.tend(self._held)

    def run(self, stop: threading.Event) -> None:
        """Bring notices until told to stop. A receiver that fails is tried again, ever more rarely.

        Whatever goes wrong is one outlet's fault and stays there.
        """
        pause_s = PAUSE_S
        while not stop.wait(pause_s):
            try:
                while self.once() and not stop.is_set():
                    pass
                self.tend()
                pause_s = PAUSE_S
            except Exception as error:
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                told = error.message if isinstance(error, CasemateError) else type(error).__name__
                told = told[:_MOST_TOLD]
                if self._pulse.failed(self._name, told):
                    _LOG.error("outlet %s fails: %s", self._name, ascii(told))
        self._outlet.close()

    def _held(self) -> Sequence[Standing]:
        with self._store.read() as link:
            return list(standings(link, int(self._clock())))


class Senders:
    """All outlets of a service."""

    def __init__(self, store: Store, pulse: Pulse, clock: Callable[[], float], service: str,
                 held: Sequence[Settings], *, maker: Maker = make) -> None:  # fmt: skip
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        said = spoken(service, 0, "service")
        for each in held:
            with store.write() as link:
                sent, boots = outbox.begin(link, each.name)
            again = partial(outbox.again, store, each.name)
            outlet = maker(each, Told(service=said, clock=clock, boots=boots, again=again))
            pulse.begun(each.name, kind_of(each))
            sender = Sender(store, pulse, clock, each.name, outlet, sent)
            self._threads.append(
                threading.Thread(
                    target=sender.run, args=(self._stop,), name=f"outlet {each.name}", daemon=True
                )
            )
        self._store, self._names, self._pruned_s = store, names(held), 0
        for thread in self._threads:
            thread.start()

    def tick(self, now_s: int) -> None:
        """Drop what is told and disposed of long ago, once an hour."""
        if now_s - self._pruned_s >= _PRUNE_S:
            with self._store.write() as link:
                outbox.prune(link, self._names, now_s)
            self._pruned_s = now_s

    def close(self) -> None:
        """End all; one whose receiver holds it is left to end by itself."""
        self._stop.set()
        for each in self._threads:
            each.join(_JOIN_S)
