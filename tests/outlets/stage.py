"""A service with real evidence of five enclosures, whose outlets lead to receivers of others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brokers
import enclosures
import outlets_kit
import outside_receivers as outside
import receivers
from sqlalchemy import select

from casemate.fleet.access.people import Person
from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.outlets.snmp import engine_id
from casemate.fleet.service import home
from casemate.fleet.store.schema import INCIDENTS
from casemate.fleet.web.asked import Service

NAME = "localhost"
SECRETS = {
    "soc.secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "noc-auth.secret": "an auth passphrase",
    "noc-privacy.secret": "a privacy passphrase",
}  # fmt: skip
LONGEST_S = 60.0
PERSON = Person(id=2, name="bo", role="inspector", party="peerland")


class Clock:
    """This machine's time, set ahead by some seconds."""

    ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass(slots=True)
class Stage:
    """What stands while it is judged. clock: the service's. ids: of enclosures, by name."""

    folder: Path
    clock: Clock
    home: home.Home
    service: Service
    ids: dict[str, int]
    broker: brokers.Mosquitto
    heard: brokers.Ear
    hook: receivers.Hook
    traps: outside.Traps
    rsyslog: outside.Rows
    syslog_ng: outside.Rows | None


def until(true: Callable[[], object], longest_s: float = LONGEST_S) -> bool:
    """Return whether something came to hold."""
    end_s = time.monotonic() + longest_s
    while not true():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def set_up(folder: Path, mibs: Path, syslog_ng: Path | None) -> Iterator[Stage]:
    """Yield the stage. mibs: texts of the standard's modules. syslog_ng: its unpacked files."""
    place = home.make(folder / "service", NAME)
    for name, text in SECRETS.items():
        (place.folder / name).write_text(text, encoding="ascii")
        (place.folder / name).chmod(0o600)
    ca = receivers.identity(folder / "receiver") / "ca.pem"
    (place.folder / "receiver-ca.pem").write_bytes(ca.read_bytes())
    with ExitStack() as stack:
        broker = stack.enter_context(brokers.mosquitto(folder))
        heard = stack.enter_context(brokers.ear(broker.port))
        hook = stack.enter_context(receivers.hook(folder / "receiver"))
        rsyslog = stack.enter_context(outside.rsyslog(folder / "rsyslog"))
        other = None
        if syslog_ng is not None:
            other = stack.enter_context(outside.syslog_ng(folder / "syslog-ng", syslog_ng))
        engines = [engine_id(NAME, each) for each in ("noc", "noc-traps")]
        words = (SECRETS["noc-auth.secret"], SECRETS["noc-privacy.secret"])
        traps = stack.enter_context(outside.snmptrapd(folder / "traps", words, engines, mibs))
        rows = _outlets(broker.port, hook.port, traps.port, rsyslog.port, other and other.port)
        file = place.folder / home.SETTINGS
        file.write_text(json.dumps({**json.loads(file.read_text()), "outlets": rows}))
        place = home.read(place.folder)
        clock = Clock()
        service = stack.enter_context(home.running(place, clock=clock))
        ids = enclosures.enter_all(service, service.now_s())
        _more(service, ids)
        yield Stage(
            folder=folder, clock=clock, home=place, service=service, ids=ids, broker=broker,
            heard=heard, hook=hook, traps=traps, rsyslog=rsyslog, syslog_ng=other,
        )  # fmt: skip


def _more(service: Service, ids: dict[str, int]) -> None:
    """Have a warning come, an incident grow, and a person see a third."""
    store, now_s = service.store, service.now_s()
    for name, finding in (
        ("bench-maintenance", "verdict.interference"), ("rack-unknown", "sensor.fault"),
    ):  # fmt: skip
        made = outlets_kit.trigger(finding, now_s, 60)
        outlets_kit.find(store, ids[name], now_s, made)
    asked = select(INCIDENTS.c.id).where(INCIDENTS.c.enclosure_id == ids["gate-tampered"])
    with store.write() as link:
        held = decisions.read(link, link.execute(asked).scalar_one())
        act = incidents.acknowledge(
            PERSON, triggers=held.triggers, seen=incidents.digest(held.triggers), now_s=now_s
        )
        decisions.record(link, held, act)


def _outlets(
    mqtt: int, hook: int, snmp: int, rsyslog: int, syslog_ng: int | None
) -> list[dict[str, Any]]:
    ca = "receiver-ca.pem"
    keys = {"user": "casemate", "auth": "noc-auth.secret", "privacy": "noc-privacy.secret"}
    found: list[dict[str, Any]] = [
        {"name": "siem", "kind": "syslog", "host": NAME, "port": rsyslog, "ca": ca,
         "confirms": False},
        {"name": "soc", "kind": "webhook", "url": f"https://{NAME}:{hook}/in", "ca": ca,
         "secret": "soc.secret", "networks": ["127.0.0.0/8", "::1/128"]},
        {"name": "noc", "kind": "snmp", "host": "127.0.0.1", "port": snmp, **keys},
        {"name": "noc-traps", "kind": "snmp", "host": "127.0.0.1", "port": snmp, **keys,
         "confirmed": False},
        {"name": "home", "kind": "mqtt", "host": "127.0.0.1", "port": mqtt, "plain": True,
         "discovery": "homeassistant", "group": "hall-1"},
    ]  # fmt: skip
    if syslog_ng is not None:
        found.append(
            {"name": "archive", "kind": "syslog", "host": NAME, "port": syslog_ng, "ca": ca}
        )
    return found
