"""What a request asks, and what a view answers with; no framework in it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casemate.core.progress import Look
from casemate.fleet.access.passkeys import Desk
from casemate.fleet.access.people import Person
from casemate.fleet.audit.log import AuditLog
from casemate.fleet.errors import NotFoundError, RefusedError
from casemate.fleet.intake.ingest import Intake
from casemate.fleet.outlets.pulse import Pulse
from casemate.fleet.readings.series import Series
from casemate.fleet.store.database import Store
from casemate.fleet.store.lease import Lease
from casemate.fleet.story.told import Told
from casemate.fleet.story.watched import Watched
from casemate.fleet.story.weights import Weights
from casemate.fleet.web.downloads import Downloads, Parts

_MOST_ID = (1 << 31) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What views work with. clock: Unix time. name: of the host, as browsers know it.

    passkeys: dispositions of alarms need one. secret: of challenges; a restart makes them void.
    """

    store: Store
    intake: Intake
    audit: AuditLog
    clock: Callable[[], float]
    secure: bool = True
    name: str = "localhost"
    passkeys: bool = False
    series: Series | None = None
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    pulse: Pulse = field(default_factory=Pulse)
    told: Told = field(default_factory=Told)
    watched: Watched = field(default_factory=Watched)
    downloads: Downloads = field(default_factory=Downloads)
    weights: Weights = field(default_factory=Weights)
    lease: Lease | None = None
    """That no other service has the store; None where the caller sees to it."""

    @property
    def desk(self) -> Desk:
        """Return who checks passkeys here."""
        return Desk(name=self.name, secret=self.secret, secure=self.secure)

    def now_s(self) -> int:
        """Return the time in whole seconds."""
        return int(self.clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that may be made. person: None where nobody has to be signed in, or of a machine.

    enclosure_id: of the machine whose certificate came with it, if that is known. files: by the
    name of their field, where the route takes any. display: name of the display that shows it.
    """

    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    person: Person | None = None
    enclosure_id: int | None = None
    session: str = ""
    display: str = ""

    @property
    def who(self) -> Person:
        """Return who is signed in, on routes that let nobody else through."""
        assert self.person is not None
        return self.person

    def id(self, name: str = "id") -> int:
        """Return a number of the path; NotFoundError if no row can have it."""
        value = int(self.path[name])
        if not 0 < value <= _MOST_ID:
            raise NotFoundError("there is no such thing.", remedy="follow a link of a page.")
        return value

    def number(self, name: str, least: int, most: int, default: int) -> int:
        """Return a number of the query; RefusedError if it is none, or out of bounds."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise RefusedError(f"{name} is no number.", remedy=f"write {least} to {most}.")
        if not least <= int(text) <= most:
            raise RefusedError(f"{name} is out of bounds.", remedy=f"write {least} to {most}.")
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return a word of the query, "" without one; RefusedError if it is none of these."""
        text = self.query.get(name, "")
        if text and text not in choices:
            raise RefusedError(f"{name} is none of those.", remedy=f"choose {', '.join(choices)}.")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is not a page: bytes, or the way to another page."""

    body: bytes = b""
    kind: str = "application/json"
    to: str = ""
    name: str = ""
    told: str = ""
    """What the audit log is told beside the route."""
    each: tuple[str, ...] = ()
    """What it is told in lines of their own, if several things were done."""
    parts: Parts | None = None
    """The body, if it is sent in parts."""
    session: str | None = None
    """To be set as the session of the browser; "" ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """An answer that is not there yet. look: how far what it rests on is. path: of its page."""

    look: Look
    path: Mapping[str, Any] = field(default_factory=dict)


Answer = Reply | Wait | dict[str, Any]
View = Callable[[Service, Asked], Answer]
"""A dict is what a page shows: its JSON twin is just that. No view returns `Wait` (`Gate`)."""
