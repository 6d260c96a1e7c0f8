"""The gate before every resource: who asks, may they, and is it written down."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from casemate.fleet.audit.log import Line
from casemate.fleet.errors import TooManyError
from casemate.fleet.redfish import accounts, members
from casemate.fleet.redfish.accounts import Account
from casemate.fleet.redfish.asked import Answer, Asked, Method, Redfish, Resource
from casemate.fleet.redfish.expansion import Reader, shape
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import ROOT, Row
from casemate.fleet.redfish.paths import may, resource_at
from casemate.fleet.redfish.query import parse
from casemate.fleet.web.bodies import sender
from casemate.fleet.web.gate import Limits

_TOUCH_S = 60
_METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came. headers: with names in lower case. client: its address."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A request that may be made: of which resource, by which method, and what it asks."""

    resource: Resource
    method: Method
    asked: Asked
    name: str


class Limited:
    """What strangers and accounts may ask how often. Of `wrong` each password takes one.

    acts: of an account, what changes something.
    """

    def __init__(
        self, *, all_: Limits | None = None, wrong: Limits | None = None,
        refusals: Limits | None = None, acts: Limits | None = None,
    ) -> None:  # fmt: skip
        self.acts = acts or Limits(per_s=1.0, burst=120.0)
        self.all = all_ or Limits(per_s=100.0, burst=1000.0)
        self.wrong = wrong or Limits(per_s=0.5, burst=20.0)
        self.refusals = refusals or Limits(per_s=1.0, burst=50.0)


class Gate:
    """Lets requests through to resources."""

    def __init__(self, redfish: Redfish, limited: Limited | None = None) -> None:
        self._redfish, self._limited = redfish, limited or Limited()
        self._counting, self._unwritten = threading.Lock(), 0

    def serve(self, request: Request, admitted: Admitted | None = None) -> tuple[Answer, Resource]:
        """Return the answer, and of which resource it is. A RedfishError says why not.

        admitted: what `admit` has said of the same request, with the body that came since.
        """
        found = admitted or self.admit(request)
        answer = self._serve(found, request)
        if found.asked.query.only:
            return self._only(request, found, answer)
        return answer, found.resource

    def admit(self, request: Request) -> Admitted:
        """Return what a request may do, once that is written down. RedfishError if it may not."""
        try:
            self._limited.all.take(sender(request.client), self._redfish.service.clock())
        except TooManyError:
            raise RedfishError("RateLimitExceeded") from None
        if request.method not in _METHODS:
            raise RedfishError("ActionNotSupported", "method", status=501)
        resource, path = resource_at(request.path)
        account: Account | None = None
        try:
            name = "GET" if request.method == "HEAD" else request.method
            if not _is_open(resource, name) or _may_show_more(request):
                account = self._identify(request)
            found = self._allowed(request, resource, name, path, account)
            if account is not None:
                self._bound(account, name)
        except RedfishError as error:
            if error.status in (401, 403):
                self._refuse(request, resource, account, error.status)
            raise
        if found.method.any_of:
            self._asked(found, request, "asked")
        elif name != "GET":
            self._count(request)
            begins = partial(self._write, found, request, "asked")
            return replace(found, asked=replace(found.asked, begins=begins))
        return found

    def _serve(self, found: Admitted, request: Request) -> Answer:
        writes = found.name != "GET"
        try:
            answer = self._made(found)
        except Exception as error:
            status = getattr(error, "status", 500)
            if status == 401:
                self._refuse(request, found.resource, None, status)
            elif found.method.any_of:
                self._asked(found, request, f"failed {status}")
            elif writes:
                self._refuse(request, found.resource, None, status)
            raise
        if writes:
            self._write(found, request, f"done {answer.told}".rstrip())
        return answer

    def _made(self, found: Admitted) -> Answer:
        """Return the answer of a resource, as its query shapes it."""
        asked, query = found.asked, found.asked.query
        if not (query.is_wide or query.select is not None):
            return found.method.serve(self._redfish, asked)
        with self._redfish.store.read() as link:
            reader = Reader(redfish=self._redfish, asked=replace(asked, link=link))
            if query.filter is not None and not found.resource.chooses:
                row: Row | None = members.filtered(reader, found.method.serve, query.filter)
            else:
                row = found.method.serve(self._redfish, reader.asked).row
            if row is None:
                raise RedfishError("QueryNotSupportedOnResource")
            answer = shape(reader, row, query)
        for template, of in sorted(reader.told.items()):
            self._note(found, f"GET {template}", of)
        return answer

    def _only(self, request: Request, found: Admitted, answer: Answer) -> tuple[Answer, Resource]:
        """Return the one member of a collection, as the query parameter `only` asks."""
        assert answer.row is not None
        there = answer.row["Members"]
        if answer.row["Members@odata.count"] != 1 or len(there) != 1:
            return answer, found.resource
        return self.serve(replace(request, path=there[0]["@odata.id"], query=""))

    def _identify(self, request: Request) -> Account:
        redfish, now_s = self._redfish, self._redfish.now_s()
        token = request.headers.get("x-auth-token", "")
        if token:
            with redfish.store.read() as link:
                found = accounts.of_session(link, token[:200], now_s)
            if found is None:
                raise RedfishError("NoValidSession")
            account, seen_s = found
            if now_s - seen_s >= _TOUCH_S:
                with redfish.store.write() as link:
                    accounts.touch(link, account.session, now_s)
            return account
        name, password = _basic(request.headers.get("authorization", ""))
        with redfish.store.read() as link:
            known = accounts.by_name(link, name)
        usable = known if known is not None and known.enabled else None
        secret = usable.secret if usable is not None else None
        now = redfish.service.clock()
        if not redfish.passwords.is_known(secret, password, now):
            self._count(request)
        if usable is None or not redfish.passwords.are_right(secret, password, now):
            if usable is None:
                redfish.passwords.are_right(None, password, now)
            raise RedfishError("NoValidSession")
        return usable

    def _bound(self, account: Account, name: str) -> None:
        """Bound what an account asks from wherever. RedfishError if it is too much."""
        now = self._redfish.service.clock()
        try:
            self._limited.all.take(f"account {account.name}", now)
            if name != "GET":
                self._limited.acts.take(account.name, now)
        except TooManyError:
            raise RedfishError("RateLimitExceeded") from None

    def _count(self, request: Request) -> None:
        try:
            self._limited.wrong.take(sender(request.client), self._redfish.service.clock())
        except TooManyError:
            raise RedfishError("RateLimitExceeded") from None

    def _allowed(
        self, request: Request, resource: Resource | None, name: str, path: Mapping[str, str],
        account: Account | None,
    ) -> Admitted:  # fmt: skip
        if resource is None:
            raise RedfishError("ResourceNotFound")
        method = resource.methods.get(name)
        if method is None:
            raise RedfishError("OperationNotAllowed", allow=resource.allow)
        if account is not None and not may(account, method, path):
            raise RedfishError("InsufficientPrivilege")
        origin = request.headers.get("origin", "")
        if origin and name != "GET" and origin.partition("://")[2] != request.headers.get("host"):
            raise RedfishError("AccessDenied")
        asked = Asked(
            path=path, body=request.body, account=account, query=parse(
                request.query, resource.kind, is_get=name == "GET"
            ),
            client=request.client, if_match=request.headers.get("if-match", ""),
            url=request.headers.get("host", ""),
        )  # fmt: skip
        return Admitted(resource=resource, method=method, asked=asked, name=name)

    def _refuse(
        self, request: Request, resource: Resource | None, account: Account | None, status: int
    ) -> None:
        """Write a refusal down; of strangers, of many at once, how many they were."""
        told = f"refused {status}"
        if account is None:
            with self._counting:
                try:
                    self._limited.refusals.take("", self._redfish.service.clock())
                except TooManyError:
                    self._unwritten += 1
                    return
                more, self._unwritten = self._unwritten, 0
            told += f", and {more} more before" if more else ""
        path = resource.path if resource is not None else f"{ROOT}/?"
        line = self._as_line(f"{request.method} {path}", "", account, request.client, told)
        if account is None:
            self._redfish.audit.write(line)
        else:
            self._redfish.audit.read(line, f"redfish {account.session} {request.client}")

    def _write(self, found: Admitted, request: Request, outcome: str) -> None:
        what = f"{request.method} {found.resource.path}"
        subject = "/".join(found.asked.path.values())
        line = self._as_line(what, subject, found.asked.account, request.client, outcome)
        self._redfish.audit.write(line)

    def _asked(self, found: Admitted, request: Request, outcome: str) -> None:
        """Write down what is asked or has failed; reads that are alike are counted."""
        if found.name != "GET" or found.asked.account is None:
            self._write(found, request, outcome)
            return
        what = f"{request.method} {found.resource.path}"
        subject, account = "/".join(found.asked.path.values()), found.asked.account
        outcome = f"{outcome} {found.asked.query.told}".rstrip()
        line = self._as_line(what, subject, account, request.client, outcome)
        self._redfish.audit.read(line, f"redfish {account.session} {request.client}")

    def _note(self, found: Admitted, what: str, of: Collection[str]) -> None:
        """Write down what else was read for an answer, before it is given."""
        account = found.asked.account
        if account is not None:
            line = self._as_line(what, "", account, found.asked.client, "asked by a query")
            self._redfish.audit.read(
                line, f"redfish {account.session} {found.asked.client}", set(of) - {""}
            )

    def _as_line(
        self, what: str, subject: str, account: Account | None, client: str, outcome: str
    ) -> Line:
        who = f"account {account.name}" if account else f"client {client}"
        return Line(
            at_s=self._redfish.now_s(), who=who, role=account.role if account else "",
            party=account.party if account else "", what=what, subject=subject, outcome=outcome,
        )  # fmt: skip


def _is_open(resource: Resource | None, name: str) -> bool:
    if resource is None:
        return False
    method = resource.methods.get(name)
    if method is None:  # how it is refused tells nothing if all of it is open
        return all(not each.any_of for each in resource.methods.values())
    return not method.any_of


def _may_show_more(request: Request) -> bool:
    """Return whether what is open to all shows more to who says who it is: links are expanded."""
    known = "x-auth-token" in request.headers or "authorization" in request.headers
    return known and bool(request.query) and request.method in ("GET", "HEAD")


def _basic(header: str) -> tuple[str, str]:
    """Return name and password of HTTP Basic (RFC 7617); RedfishError if there are none."""
    scheme, _, coded = header.partition(" ")
    try:
        if scheme.lower() != "basic" or len(coded) > 1000:
            raise ValueError
        text = base64.b64decode(coded.strip(), validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        raise RedfishError("NoValidSession") from None
    name, colon, password = text.partition(":")
    if not colon or not name or not password:
        raise RedfishError("NoValidSession")
    return name, password
