"""A service in a temporary folder, with people of every role, and enclosures whose stories grow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.testclient import TestClient

from casemate.attest.reference_write import as_json
from casemate.fleet.access import displays, people
from casemate.fleet.access.roles import ROLES
from casemate.fleet.appraisal import evidence
from casemate.fleet.audit.log import AuditLog
from casemate.fleet.intake.ingest import Intake, Submission, encode
from casemate.fleet.readings.series import Series
from casemate.fleet.service.application import application, cookie_name
from casemate.fleet.store.database import Store
from casemate.fleet.web.asked import Service
from casemate.fleet.web.gate import Gate, Limits
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story

FINGERPRINT = "ab" * 32
DISPLAY = "ef" * 32
"""Of a display on a wall, once `let_display` has let it in."""
HOST, PEER = "hostland", "peerland"
PARTY = {"host-operator": HOST, "inspector": PEER, "adjudicator": "court", "auditor": "audit"}

URLS: Callable[[Path], str] | None = None
"""Where the store of a folder is, if it is not SQLite in it (`postgres_kit`)."""
COPIES: Callable[[str, Path], str] | None = None
"""What copies a store to where that of a folder is, then."""

on_sqlite = pytest.mark.skipif(
    "CASEMATE_TEST_POSTGRES" in os.environ, reason="it looks at SQLite's own file"
)


class Clock:
    """Time that stands still until it is set."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


class Fronted:
    """What a server that has checked a client's certificate passes on."""

    def __init__(self, app: Any) -> None:
        self.app, self.fingerprint = app, ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["fingerprint"] = self.fingerprint
        await self.app(scope, receive, send)


@dataclass(slots=True)
class Brought:
    """A story of which the service has had a part."""

    story: Story
    enclosure_id: int
    entries: int = 0
    notes: int = 0

    def rest(self) -> Submission:
        """Return what the service has not had yet."""
        found = Submission(
            first=self.entries,
            entries=self.story.entries[self.entries :],
            notes=self.story.notes[self.notes :],
        )
        self.entries, self.notes = len(self.story.entries), len(self.story.notes)
        return found


@dataclass(slots=True)
class Kit:
    """The service, its clock, its application, and sessions by role."""

    service: Service
    clock: Clock
    fronted: Fronted
    portal: BlockingPortal
    """The loop that answers all requests, as in operation; a client alone starts one for each."""
    sessions: dict[str, str] = field(default_factory=dict)
    csrf: dict[str, str] = field(default_factory=dict)

    def client(self, role: str = "") -> TestClient:
        """Return a browser in which somebody of this role is signed in, "" for nobody."""
        client = TestClient(self.fronted, base_url="https://fleet.test", follow_redirects=False)
        client.portal = self.portal
        if role:
            client.cookies.set(cookie_name(self.service), self.sessions[role])
        return client

    def post(self, role: str, path: str, **form: str) -> Any:
        """Send a form of a person of this role."""
        return self.client(role).post(path, data={"csrf": self.csrf[role], **form})

    def push(self, brought: Submission, fingerprint: str = FINGERPRINT) -> Any:
        """Bring evidence as a controller does."""
        self.fronted.fingerprint = fingerprint
        try:
            return self.client().post("/evidence", content=encode(brought))
        finally:
            self.fronted.fingerprint = ""


def let_display(kit: Kit, name: str = "hall-1", network: str = "", for_s: int = 10**8) -> None:
    """Let the display of `DISPLAY` in."""
    now_s = kit.service.now_s()
    with kit.service.store.write() as link:
        displays.let(
            link, DISPLAY, name, network=network, now_s=now_s, expires_s=now_s + for_s
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A database in which somebody of every role is signed in, as `Kit` has it."""

    database: bytes
    sessions: dict[str, str]
    csrf: dict[str, str]


@cache
def _begun() -> Begun:
    """Return what all kits begin with: tables and people take more time than most tests."""
    with tempfile.TemporaryDirectory() as temporary:
        store = Store(f"sqlite:///{temporary}/fleet.db")
        sessions, csrf = sign_all_in(store, int(honest.START_S))
        store.close()
        read = (Path(temporary) / "fleet.db").read_bytes()
        return Begun(database=read, sessions=sessions, csrf=csrf)


@contextmanager
def kit_in(folder: Path, url: str = "", *, secure: bool = True) -> Iterator[Kit]:
    """Yield a service whose data lie in a folder. secure: cookies are for TLS alone."""
    folder.mkdir(exist_ok=True)
    clock = Clock(honest.START_S)
    url = url or (URLS(folder) if URLS else "")
    begun = None
    if not url and not (folder / "fleet.db").exists():
        begun = _begun()
        (folder / "fleet.db").write_bytes(begun.database)
    store = Store(url or f"sqlite:///{folder}/fleet.db")
    audit = AuditLog(folder / "audit", "fleet.test/audit", clock=clock)
    intake = Intake(store, clock)
    kept = Series(folder / "series")
    service = Service(
        store=store, intake=intake, audit=audit, clock=clock, secure=secure, series=kept
    )
    wide = Limits(per_s=1e9, burst=1e9)
    gate = Gate(service, all_=wide, codes=wide, refusals=wide, acts=wide)
    fronted = Fronted(application(service, gate=gate))
    try:
        with start_blocking_portal() as portal:
            kit = Kit(service=service, clock=clock, fronted=fronted, portal=portal)
            if begun is None:
                kit.sessions, kit.csrf = sign_all_in(store, service.now_s())
            else:
                kit.sessions, kit.csrf = dict(begun.sessions), dict(begun.csrf)
            yield kit
    finally:
        audit.close()
        store.close()


def sign_all_in(store: Store, now_s: int) -> tuple[dict[str, str], dict[str, str]]:
    """Enter a person of every role, if there is none, sign each in; return sessions and csrf."""
    sessions, csrf = {}, {}
    for role in ROLES:
        with store.write() as link:
            try:
                people.add(link, f"{role} one", role, PARTY[role])
            except Exception as error:
                assert "taken" in str(error)
            secret = people.sign_in(link, people.new_code(link, f"{role} one", now_s), now_s)
            csrf[role] = people.who(link, secret, now_s).csrf
        sessions[role] = secret
    return sessions, csrf


def enter(kit: Kit, story: Story | None = None, *, reference: Any = None) -> Brought:
    """Enter the enclosure of the stories, and let its controller in."""
    values = as_json(reference or honest.reference()).encode()
    with kit.service.store.write() as link:
        made = evidence.add(
            link, reference=values, policy=honest.policy_text(), serial=honest.SERIAL,
            kind="camera", site="hall 1", now_s=kit.service.now_s(),
        )  # fmt: skip
        evidence.let(link, made, FINGERPRINT, kit.service.now_s())
    return Brought(story or honest.armed(), made)


def bring(kit: Kit, brought: Brought, *, later_s: int = 5) -> Any:
    """Bring what is new, some seconds after it was said, and return the answer."""
    kit.clock.now_s = brought.story.now_s + later_s
    return kit.push(brought.rest())
