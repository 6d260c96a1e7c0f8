"""Eight simulated enclosures of three kinds, two witnesses and the service, on one machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from casemate.attest.parties import Party
from casemate.control import local_witness
from casemate.control.demo_parties import demo_parties
from casemate.core.errors import CasemateError
from casemate.fleet.access import certificates, people
from casemate.fleet.appraisal import evidence
from casemate.fleet.demo import papers
from casemate.fleet.demo.enclosure import BEAT_S, DemoEnclosure, Script, Telling
from casemate.fleet.demo.work import Work
from casemate.fleet.intake.push import Pusher
from casemate.fleet.redfish.app import RedfishApp
from casemate.fleet.redfish.asked import Redfish
from casemate.fleet.redfish.delivery import Delivery
from casemate.fleet.service import errands, home
from casemate.fleet.service.application import application
from casemate.fleet.service.home import Home
from casemate.fleet.service.identity import write_identity
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ENCLOSURES
from casemate.fleet.web.server import Server
from casemate.translog.client import Peer

SCRIPTS = (
    Script(name="rack-a", serial="GB-0001", kind="nvl72", site="hall 1"),
    Script(name="rack-b", serial="GB-0002", kind="nvl72", site="hall 1", disturbed_s=40),
    Script(name="rack-c", serial="GB-0003", kind="nvl72", site="hall 2", cut_s=30),
    Script(name="gate-north", serial="CAM-0001", kind="camera", site="fence"),
    Script(name="gate-south", serial="CAM-0002", kind="camera", site="fence"),
    Script(name="gate-west", serial="CAM-0003", kind="camera", site="fence", opened_s=60),
    Script(name="meter-1", serial="DPA-0001", kind="dpa", site="laboratory"),
    Script(name="meter-2", serial="DPA-0002", kind="dpa", site="laboratory"),
)
WITNESSES = ("north", "south")
PEOPLE = (
    ("operator", "host-operator", "host-demo"), ("inspector", "inspector", "inspector-demo"),
    ("adjudicator", "adjudicator", "court"), ("auditor", "auditor", "audit office"),
)  # fmt: skip
_PUSH_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What runs. url: of the pages. codes: to sign in with, by role. told: what went wrong."""

    url: str
    door: str
    codes: dict[str, str]
    told: list[str]


@contextmanager
def running(
    folder: Path, *, host: str = "127.0.0.1", port: int = 0, scripts: tuple[Script, ...] = SCRIPTS,
    designs: bool = False, channels: Telling | None = None,
) -> Iterator[Demo]:  # fmt: skip
    """Yield the demo, in a new folder. Pages are on plain HTTP, on this machine alone.

    designs: have them made meanwhile, so that enclosures are drawn. channels: makes readings.
    """
    place = home.make(folder, "localhost")
    told: list[str] = []
    stop = threading.Event()
    enclosures = [
        DemoEnclosure(each, folder / "enclosures" / each.name, channels) for each in scripts
    ]
    audit_key = _audit_key(place)
    logs = {each.origin: each.key.vkey() for each in enclosures} | audit_key
    witnesses = local_witness.start(folder / "witnesses", WITNESSES, logs)
    peers = tuple(each.peer for each in witnesses)
    try:
        with home.running(place, secure=False, peers=peers) as service:
            redfish = RedfishApp(Redfish(service=service))
            pages = Server(application(service, redfish=redfish), host, port)
            door = Server(application(service, redfish=redfish), "127.0.0.1", 0, tls=place.tls)
            telling = Delivery(redfish.redfish)
            parties = tuple(each.party for each in demo_parties(folder / "parties"))
            pushers = [_entered(place, each, door.url, peers, parties) for each in enclosures]
            work = Work(service.store, _numbered(service.store, enclosures))
            threads = [
                threading.Thread(target=_beat, args=(enclosures, work, told, stop), daemon=True),
                threading.Thread(target=_push, args=(pushers, told, stop), daemon=True),
            ]
            for each in threads:
                each.start()
            kinds = [each.kind for each in scripts] if designs else []
            try:
                with papers.coming(place, folder / "designs", kinds, told):
                    yield Demo(url=pages.url, door=door.url, codes=_codes(place), told=told)
            finally:
                stop.set()
                for each in threads:
                    each.join()
                for enclosure in enclosures:
                    enclosure.close()
                telling.close()
                pages.close()
                door.close()
    finally:
        for witness in witnesses:
            witness.close()


def _audit_key(place: Home) -> dict[str, str]:
    """Return the audit log's key, which is made with the log."""
    with home.running(place) as service:
        key = service.audit.log.keys[0]
        return {service.audit.log.origin: key.vkey()}


def _entered(
    place: Home, made: DemoEnclosure, url: str, peers: tuple[Peer, ...], parties: tuple[Party, ...]
) -> tuple[DemoEnclosure, Pusher]:
    """Commission an enclosure, enter it, and give its controller a certificate."""
    made.begin(peers, parties)
    issued = certificates.issue(place.tls, made.script.serial)
    now_s = int(time.time())
    store = place.opened()
    with store.write() as link:
        number = evidence.add(
            link, reference=(made.trust / "reference.json").read_bytes(),
            policy=(made.trust / "policy").read_bytes(), serial=made.script.serial,
            kind=made.script.kind, site=made.script.site, now_s=now_s,
        )  # fmt: skip
        evidence.let(link, number, issued.fingerprint, now_s)
        errands.note(link, "enter an enclosure for the demo", made.script.name, now_s)
    store.close()
    identity = made.folder / "identity"
    write_identity(place, identity, issued)
    return made, Pusher(made.evidence, url, identity)


def _codes(place: Home) -> dict[str, str]:
    store, now_s = place.opened(), int(time.time())
    codes = {}
    with store.write() as link:
        for name, role, party in PEOPLE:
            people.add(link, name, role, party)
            codes[name] = people.new_code(link, name, now_s)
            errands.note(link, "enter a person for the demo", name, now_s)
    store.close()
    return codes


def _numbered(store: Store, enclosures: list[DemoEnclosure]) -> dict[int, DemoEnclosure]:
    """Return enclosures by their numbers in the store."""
    by_serial = {each.script.serial: each for each in enclosures}
    with store.read() as link:
        rows = link.execute(select(ENCLOSURES.c.id, ENCLOSURES.c.serial)).all()
    return {int(row.id): by_serial[row.serial] for row in rows}


def _beat(
    enclosures: list[DemoEnclosure], work: Work, told: list[str], stop: threading.Event
) -> None:
    while not stop.wait(BEAT_S):
        try:
            work.tick(int(time.time()))
        except CasemateError as error:
            told.append(f"work under a permit: {error.message}")
        for each in enclosures:
            each.tick()


def _push(
    pushers: list[tuple[DemoEnclosure, Pusher]], told: list[str], stop: threading.Event
) -> None:
    while not stop.wait(_PUSH_S):
        for made, pusher in pushers:
            if made.is_cut or stop.is_set():
                continue
            with suppress(OSError):
                try:
                    answer = pusher.once()
                    readings = made.readings()
                    if answer.status == 200 and readings:
                        answer = pusher.tell(readings)
                except CasemateError as error:
                    told.append(f"{made.script.name}: {error.message}")
                    continue
                if answer.status != 200:
                    told.append(f"{made.script.name}: {answer.status} {answer.said}")
