"""The gate before every view: who asks, may they, is the form theirs, and is it written down."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import bindparam, select

from casemate.fleet.access import displays, people, roles
from casemate.fleet.access.displays import Display
from casemate.fleet.access.people import Person
from casemate.fleet.audit.log import Line
from casemate.fleet.errors import AppraisingError, NotAllowedError, NotSignedInError, TooManyError
from casemate.fleet.outlets import scrapers
from casemate.fleet.store.schema import MACHINES
from casemate.fleet.web.asked import Answer, Asked, Reply, Service, Wait
from casemate.fleet.web.bodies import sender
from casemate.fleet.web.limits import Limits as Limits
from casemate.fleet.web.routes import Route

_MACHINE = select(MACHINES.c.enclosure_id).where(MACHINES.c.fingerprint == bindparam("shown"))
_EACH = ("export", "see-audit")
"""Permissions of reads that are written down one by one: of evidence, and of the log itself."""
_TOUCH_S = 60
"""That a session's last use may be older in the store than it is."""


Who: TypeAlias = Person | Display | str
"""Who asks, as the audit log is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came. fingerprint: SHA-256 of the client's certificate, hex, "" if none.

    renewal: a page asks by itself, nobody did: it keeps no session alive.
    """

    route: Route
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    session: str = ""
    fingerprint: str = ""
    client: str = ""
    origin: str = ""
    host: str = ""
    renewal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Who asks, as headers and the certificate say: known before a body is read."""

    person: Person | None = None
    enclosure_id: int | None = None
    display: Display | None = None


class Gate:
    """Lets requests through to views."""

    def __init__(
        self,
        service: Service,
        *,
        all_: Limits | None = None,
        codes: Limits | None = None,
        refusals: Limits | None = None,
        acts: Limits | None = None,
    ) -> None:
        self._service = service
        self._all = all_ or Limits(per_s=50.0, burst=200.0)
        self._codes = codes or Limits(per_s=0.1, burst=10.0)
        self._refusals = refusals or Limits(per_s=1.0, burst=50.0)
        self._acts = acts or Limits(per_s=1.0, burst=120.0)
        """Of a person, from wherever: forms, exports, reads of the log. Each is a line or more."""
        self._scrapes = Limits(per_s=0.5, burst=20.0)  # each reads the whole fleet
        self._walls = Limits(per_s=0.5, burst=20.0)
        self._counting, self._unwritten = threading.Lock(), 0

    def admit(self, asked: Request) -> Admitted:
        """Return who asks, if they may at all; nothing of a body is needed for it.

        A FleetError says why not.
        """
        service, route = self._service, asked.route
        now = service.clock()
        self._all.take(asked.fingerprint or sender(asked.client), now)
        if route.permission == "sign-in" and route.method == "POST":
            self._codes.take(sender(asked.client), now)
        found = self._let(asked)
        if (person := found.person) is not None:  # from many addresses, too
            self._all.take(f"person {person.name}", now)
            if route.method != "GET" or route.permission in _EACH:
                self._acts.take(person.name, now)
        return found

    def serve(
        self, asked: Request, admitted: Admitted | None = None
    ) -> tuple[Answer, Person | None]:
        """Return the view's answer, and who is signed in. A FleetError says why not.

        admitted: what `admit` has said of the same request before its body came.
        """
        found = self.admit(asked) if admitted is None else self._let(asked)
        if asked.route.permission == "static":
            return asked.route.view(self._service, Asked(path=asked.path)), None
        try:
            _check_form(asked, found.person)
        except NotAllowedError as error:
            self._not_allowed(asked, found.person, error.status)
            raise
        if asked.route.permission == "sign-in":
            return self._open(asked), None
        said = found.person or found.display or _named(asked)
        self._asked(asked, said, "renewed by its page" if asked.renewal else "asked")
        return self._view(asked, found, said), found.person

    def _let(self, asked: Request) -> Admitted:
        """Return who asks, at this moment: once before the body is read, and once it is there.

        That may take minutes: who was removed meanwhile, or has signed out, does nothing any more.
        """
        found = Admitted()
        try:
            found = self._identify(asked)
            self._allow(asked, found.person)
        except (NotSignedInError, NotAllowedError) as error:
            self._not_allowed(asked, found.person, error.status)
            raise
        return found

    def _open(self, asked: Request) -> Answer:
        """Return what anybody may see, or begin a session: the line is durable before that holds.

        Who is not let in has done nothing, and is counted with other refusals.
        """
        service = self._service
        given = Asked(path=asked.path, query=asked.query, form=asked.form)
        if asked.route.method == "GET":
            self._of_stranger(asked, "asked")
            return asked.route.view(service, given)
        try:
            with service.store.write():
                answer = asked.route.view(service, given)
                self._write(asked, _named(asked), "asked")
        except NotSignedInError as error:
            self.refuse(asked, error.status)
            raise
        told = answer.told if isinstance(answer, Reply) else ""
        self._write(asked, _named(asked), f"done {told}".rstrip())
        return answer

    def _asked(self, asked: Request, said: Who, outcome: str) -> None:
        """Write down what is asked or has failed; reads that are alike are counted.

        So is what a controller brings: evidence proves itself, and a certificate fills no disk.
        """
        is_act = asked.route.method != "GET" and asked.route.permission != roles.MACHINE
        if is_act or asked.route.permission in _EACH:
            self._write(asked, said, outcome)
        else:
            self._counted(asked, said, outcome)

    def _counted(self, asked: Request, said: Who, outcome: str) -> None:
        session = asked.fingerprint or asked.client
        if isinstance(said, Person):
            session = people.digest_of(asked.session)
        self._service.audit.read(self._line(asked, said, outcome), session)

    def _not_allowed(self, asked: Request, person: Person | None, status: int) -> None:
        if person is not None:
            self._counted(asked, person, f"refused {status}")
        else:
            self.refuse(asked, status)

    def refuse(self, asked: Request, status: int) -> None:
        """Write a refusal down; of many at once, how many."""
        self._of_stranger(asked, f"refused {status}")

    def _of_stranger(self, asked: Request, outcome: str) -> None:
        """Write down what somebody outside did; of much at once, how much: it fills no log."""
        now = self._service.clock()
        with self._counting:
            try:
                self._refusals.take("", now)
            except TooManyError:
                self._unwritten += 1
                return
            more, self._unwritten = self._unwritten, 0
        told = outcome + (f", and {more} more before" if more else "")
        self._write(asked, _named(asked), told)

    def _view(self, asked: Request, found: Admitted, said: Who) -> Answer:
        given = Asked(
            path=asked.path, query=asked.query, form=asked.form, body=asked.body, files=asked.files,
            person=found.person, enclosure_id=found.enclosure_id, session=asked.session,
            display=found.display.name if found.display else "",
        )  # fmt: skip
        writes = asked.route.method != "GET"
        try:
            answer = asked.route.view(self._service, given)
        except AppraisingError as error:
            if not writes:
                return Wait(look=error.look, path=asked.path)
            self._asked(asked, said, f"failed {error.status}")
            raise
        except Exception as error:
            self._asked(asked, said, f"failed {getattr(error, 'status', 500)}")
            raise
        if writes:
            assert not isinstance(answer, Wait)
            told = answer.told if isinstance(answer, Reply) else str(answer.get("audited", ""))
            tell = self._counted if asked.route.permission == roles.MACHINE else self._write
            for each in (isinstance(answer, Reply) and answer.each) or (told,):
                tell(asked, said, f"done {each}".rstrip())
        return answer

    def _identify(self, asked: Request) -> Admitted:
        service, now_s, permission = self._service, self._service.now_s(), asked.route.permission
        if permission in roles.MACHINES:
            return self._by_certificate(asked)
        if permission in roles.OPEN:
            return Admitted()
        with service.store.read() as link:
            person = people.who(link, asked.session, now_s)
        if now_s - person.seen_s >= _TOUCH_S and not asked.renewal:
            with service.store.write() as link:
                people.touch(link, asked.session, now_s)
        return Admitted(person=person)

    def _by_certificate(self, asked: Request) -> Admitted:
        """Return the machine whose certificate came: of one kind, it is let in as no other."""
        service, permission = self._service, asked.route.permission
        with service.store.read() as link:
            if permission == roles.MACHINE:
                shown = {"shown": asked.fingerprint}
                found = link.execute(_MACHINE, shown).scalar_one_or_none()
                if not asked.fingerprint or found is None:
                    raise NotSignedInError(
                        "no known certificate came with this.",
                        remedy="register the controller's certificate with this service.",
                    )
                return Admitted(enclosure_id=int(found))
            if permission == roles.SCRAPER:
                if not scrapers.known(link, asked.fingerprint):
                    raise NotSignedInError(
                        "no certificate came that may read metrics.",
                        remedy="make one with `casemate fleet scraper`.",
                    )
                self._scrapes.take(asked.fingerprint, service.clock())
                return Admitted()
            display = displays.known(link, asked.fingerprint, asked.client, service.now_s())
            if display is None:
                raise NotSignedInError(
                    "this device is let in no more, or was never: its certificate is no display's.",
                    remedy="have one made with `casemate fleet display`; people use /fleet.",
                )
        self._walls.take(asked.fingerprint, service.clock())
        return Admitted(display=display)

    def _allow(self, asked: Request, person: Person | None) -> None:
        route = asked.route
        foreign = asked.origin and asked.origin.partition("://")[2] != asked.host
        if foreign and route.method != "GET" and route.permission != roles.MACHINE:
            raise NotAllowedError("a form of another site.", remedy="use the pages here.")
        if person is None:
            return
        if not roles.may(person.role, route.permission):
            raise NotAllowedError(
                f"the role {person.role} does not allow this.", remedy="ask somebody whose does."
            )

    def _write(self, asked: Request, who: Who, outcome: str) -> None:
        self._service.audit.write(self._line(asked, who, outcome))

    def _line(self, asked: Request, who: Who, outcome: str) -> Line:
        subject = "/".join(str(each) for each in asked.path.values())
        told = {"who": str(who), "role": "", "party": ""}
        if isinstance(who, Person):
            told = {"who": who.name, "role": who.role, "party": who.party}
        elif isinstance(who, Display):  # from where: one that is used at two places was copied
            told, subject = {"who": who.name, "role": "display", "party": ""}, asked.client
        return Line(
            at_s=self._service.now_s(), what=f"{asked.route.method} {asked.route.path}",
            subject=subject, outcome=outcome, **told,
        )  # fmt: skip


def _check_form(asked: Request, person: Person | None) -> None:
    """Refuse a form that is not of the session that sends it."""
    if person is None or asked.route.method == "GET":
        return
    if not hmac.compare_digest(asked.form.get("csrf", "").encode(), person.csrf.encode()):
        raise NotAllowedError(
            "the form is not of this session.", remedy="reload the page, and send it again."
        )


def _named(asked: Request) -> str:
    return f"machine:{asked.fingerprint[:16]}" if asked.fingerprint else f"client {asked.client}"
