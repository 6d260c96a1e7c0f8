"""What a Redfish request asks, what an answer is, and what a resource is; no framework in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from casemate.fleet.audit.log import AuditLog
from casemate.fleet.redfish import odata
from casemate.fleet.redfish.accounts import Account, Passwords
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import Row
from casemate.fleet.redfish.query import Query
from casemate.fleet.store.database import Store
from casemate.fleet.web.asked import Service
from casemate.fleet.web.limits import Limits

T = TypeVar("T")
MOST_BODY_BYTES = 16_384
"""Longest body that is read (planning value)."""
_MOST_ID = (1 << 31) - 1
_MOST_SEEN = 32


@dataclass(slots=True, kw_only=True)
class Hub:
    """What streams and senders share. scanned_s: when events were last looked for; 0: never."""

    scanned_s: float = 0.0
    latest: int = 0
    ended: bool = False
    streams: dict[int, Row] = field(default_factory=dict)
    """Open streams of events by number: what their subscription says."""
    owners: dict[int, int] = field(default_factory=dict)
    """Accounts of open streams."""
    next_stream: int = 1
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Of all about streams."""
    tests: Limits = field(default_factory=lambda: Limits(per_s=1 / 60, burst=10.0))
    """Test events of an account: each goes to everybody, before what is true (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redfish:
    """What resources are made from."""

    service: Service
    hub: Hub = field(default_factory=Hub)
    passwords: Passwords = field(default_factory=Passwords)

    @property
    def store(self) -> Store:
        """Return the store."""
        return self.service.store

    @property
    def audit(self) -> AuditLog:
        """Return the audit log."""
        return self.service.audit

    def now_s(self) -> int:
        """Return the time in whole seconds."""
        return self.service.now_s()


class Seen:
    """What one answer has looked up, so that it is looked up once; the latest few are kept."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], Any] = {}

    def once(self, name: str, number: int, find: Callable[[], T]) -> T:
        """Return what `find` has returned for a name and number."""
        key = (name, number)
        if key not in self._held:
            if len(self._held) >= _MOST_SEEN:
                self._held.clear()
            self._held[key] = find()
        found: T = self._held[key]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that may be made. path: parts of the template. account: None without one.

    link: in which all of the answer is read; None: each resource reads in one of its own. seen:
    what was looked up for it.
    begins: to be called where anybody may ask, once it is certain that something will be done and
    before it is: it writes that down.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    query: Query = field(default_factory=Query)
    body: bytes = b""
    account: Account | None = None
    client: str = ""
    if_match: str = ""
    url: str = ""
    begins: Callable[[], None] = lambda: None
    link: Connection | None = None
    seen: Seen = field(default_factory=Seen)

    @property
    def who(self) -> Account:
        """Return the account, on routes that let nobody else through."""
        assert self.account is not None
        return self.account

    def number(self, name: str) -> int:
        """Return a number in the path; RedfishError if no row can have it."""
        text = self.path[name]
        plain = text.isascii() and text.isdigit() and len(text) <= 10 and text == str(int(text))
        if not plain or not 0 < int(text) <= _MOST_ID:
            raise RedfishError("ResourceNotFound")
        return int(text)

    def object(self) -> dict[str, Any]:
        """Return the JSON object of the body; RedfishError if it is none."""
        try:
            row = json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise RedfishError("MalformedJSON") from None
        if not isinstance(row, dict):
            raise RedfishError("MalformedJSON")
        return row

    def window(self) -> tuple[int, int, int | None]:
        """Return where a page begins, how much is read at most, and $top as it was asked."""
        top = self.query.top
        return self.query.skip, min(odata.PAGE if top is None else top, odata.PAGE), top

    def page_of(self, kind: str, path: str, name: str, names: Sequence[int | str]) -> Row:
        """Return the page that is asked for of a collection whose members have these names."""
        skip, count, top = self.window()
        members = odata.links(path, names[skip : skip + count])
        return odata.collection(kind, path, name, members, total=len(names), skip=skip, top=top)

    def must_match(self, row: Row) -> None:
        """Check If-Match, if there is one, against a representation; RedfishError if it differs."""
        if self.if_match and not odata.matches(self.if_match, odata.etag(row)):
            raise RedfishError("PreconditionFailed")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. row: a resource, None without a body; raw: of files, with their media type.

    tag: its ETag, where that is not the one of the resource; "" otherwise.
    """

    row: Row | None = None
    raw: bytes = b""
    kind: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    told: str = ""
    tag: str = ""


Serve = Callable[[Redfish, Asked], Answer]
OPEN = frozenset[str]()
"""The privileges of what anybody may ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of a resource. any_of: privileges of which an account needs one; none: anybody may.

    own: "account" or "session" if ConfigureSelf is enough for one's own, by the number in the path.
    """

    serve: Serve
    any_of: frozenset[str] = frozenset(("Login",))
    own: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource, or many of a kind. path: with {names}. kind: of its schema, "" for files.

    chooses: it is a collection that does by itself what $filter asks.
    """

    path: str
    kind: str
    methods: Mapping[str, Method]
    chooses: bool = False

    @property
    def allow(self) -> str:
        """Return the header Allow."""
        return ", ".join(sorted({*self.methods, *(["HEAD"] if "GET" in self.methods else [])}))


def reading(read: Callable[[Connection, Redfish, Asked], Row]) -> Serve:
    """Return what serves a resource that is made from the store."""

    def serve(redfish: Redfish, asked: Asked) -> Answer:
        if asked.link is not None:
            return Answer(row=read(asked.link, redfish, asked))
        with redfish.store.read() as link:
            return Answer(row=read(link, redfish, asked))

    return serve


def fixed(row: Row) -> Serve:
    """Return what serves a resource that never changes."""

    def serve(_redfish: Redfish, _asked: Asked) -> Answer:
        return Answer(row=row)

    return serve
