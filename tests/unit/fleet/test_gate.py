"""Who may do what: every route for every role, and what the gate refuses to all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fleet_kit import (
    DISPLAY,
    FINGERPRINT,
    Kit,
    bring,
    enter,
    kit_in,
    let_display,
    sign_all_in,
)

from casemate.fleet.access import people, roles
from casemate.fleet.errors import NotSignedInError, TooManyError
from casemate.fleet.intake.ingest import Submission, encode
from casemate.fleet.outlets import scrapers
from casemate.fleet.service.application import HEADERS, cookie_name, headers_of
from casemate.fleet.service.routes import ROUTES
from casemate.fleet.web.gate import Gate, Limits

SCRAPER = "cd" * 32
CERTIFICATES = {"machine": FINGERPRINT, "scraper": SCRAPER, "display": DISPLAY}
HOST, INSPECTOR, COURT, AUDITOR = roles.ROLES
ALL = set(roles.ROLES)
MATRIX: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): ALL | {""},
    ("GET", "/fleet"): ALL,
    ("GET", "/enclosures/{id:int}"): ALL,
    ("GET", "/enclosures/{id:int}/channels"): ALL,
    ("GET", "/enclosures/{id:int}/continuity"): ALL,
    ("GET", "/enclosures/{id:int}/verdict.json"): ALL,
    ("GET", "/enclosures/{id:int}/evidence.zip"): ALL,
    ("GET", "/incidents"): ALL,
    ("GET", "/incidents/{id:int}"): ALL,
    ("GET", "/incidents/{id:int}/triggers.json"): ALL,
    ("POST", "/incidents/{id:int}/acknowledge"): {HOST, INSPECTOR},
    ("POST", "/incidents/{id:int}/propose"): {HOST, INSPECTOR, COURT},
    ("POST", "/incidents/{id:int}/confirm"): {HOST, INSPECTOR, COURT},
    ("GET", "/enclosures/{id:int}/permits"): ALL,
    ("GET", "/enclosures/{id:int}/permits/new"): {HOST, INSPECTOR},
    ("POST", "/enclosures/{id:int}/permits"): {HOST, INSPECTOR},
    ("POST", "/enclosures/{id:int}/permits/bring"): {HOST, INSPECTOR},
    ("GET", "/continuity"): ALL,
    ("GET", "/enclosures/{id:int}/case"): ALL,
    ("GET", "/enclosures/{id:int}/case/file.json"): ALL,
    ("GET", "/review"): ALL,
    ("POST", "/review/dispose"): {INSPECTOR, COURT},
    ("GET", "/enclosures/{id:int}/interval"): ALL,
    ("GET", "/enclosures/{id:int}/interval.zip"): ALL,
    ("GET", "/permits/{id:int}"): ALL,
    ("GET", "/permits/{id:int}/file.cbor"): ALL,
    ("POST", "/permits/{id:int}/sign"): {HOST, INSPECTOR},
    ("POST", "/permits/{id:int}/withdraw"): {HOST, INSPECTOR},
    ("GET", "/audit"): {COURT, AUDITOR},
    ("GET", "/audit.zip"): {COURT, AUDITOR},
    ("GET", "/sign-in"): ALL | {""},
    ("POST", "/sign-in"): ALL | {""},
    ("GET", "/sign-in/passkey"): ALL | {""},
    ("POST", "/sign-in/passkey"): ALL | {""},
    ("GET", "/passkeys"): ALL,
    ("POST", "/passkeys"): ALL,
    ("POST", "/sign-out"): ALL,
    ("GET", "/static/{name}"): ALL | {""},
    ("GET", "/wall"): {"display"},
    ("GET", "/metrics"): {"scraper"},
    ("GET", "/evidence"): {"machine"},
    ("POST", "/evidence"): {"machine"},
    ("POST", "/trust"): {"machine"},
    ("POST", "/series"): {"machine"},
    ("GET", "/enclosures/{id:int}/series.json"): ALL,
    ("GET", "/enclosures/{id:int}/trust.json"): ALL,
    ("GET", "/openapi.json"): ALL,
}
"""Written down here a second time, by hand: a change of one of the two has to be meant."""


def test_the_address_alone_leads_to_signing_in(kit: Kit) -> None:
    """Who opens what the demo prints is a browser without a session."""
    for at, to in (("/", "/fleet"), ("/fleet", "/sign-in")):
        answer = kit.client().get(at, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, to)


def concrete(path: str) -> str:
    """Return a path of the route with something that is there."""
    return path.replace("{id:int}", "1").replace("{name}", "fleet.css")


def ask(kit: Kit, role: str, method: str, path: str) -> Any:
    """Make a request as somebody of a role, as nobody, or as a machine."""
    kit.fronted.fingerprint = CERTIFICATES.get(role, "")
    client = kit.client(role if role in ALL else "")
    try:
        if method == "GET":
            return client.get(path)
        if path == "/evidence":
            return client.post(path, content=encode(Submission(first=0, entries=(), notes=())))
        data = {"csrf": kit.csrf.get(role, "")}
        files = {route.path for route in ROUTES if route.files}
        if re.sub(r"/1(?=/|$)", "/{id:int}", path) in files:
            return client.post(path, data=data, files={"file": b"x"})
        return client.post(path, data=data)
    finally:
        kit.fronted.fingerprint = ""


def test_the_matrix_names_every_route() -> None:
    assert set(MATRIX) == {(each.method, each.path) for each in ROUTES}
    assert {each.permission for each in ROUTES} == (
        set(roles.PERMISSIONS) | roles.OPEN | roles.MACHINES
    )


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A service without an enclosure; it is only read."""
    with kit_in(tmp_path_factory.mktemp("gate")) as made:
        yield made


@pytest.fixture
def trouble(kit: Kit) -> Kit:
    """An enclosure with an open incident."""
    brought = enter(kit)
    brought.story.change("UNKNOWN", "power went")
    brought.story.seal()
    assert bring(kit, brought).status_code == 200
    with kit.service.store.write() as link:
        scrapers.let(link, SCRAPER, "prometheus", kit.service.now_s())
    let_display(kit)
    return kit


def test_every_route_for_every_role(trouble: Kit) -> None:
    """Who may gets through to the view, whatever it then says of an empty form; others do not."""
    for (method, path), allowed in MATRIX.items():
        twin = {each.path for each in ROUTES if each.template and each.method == method}
        for role in ("", *CERTIFICATES, *roles.ROLES):
            if role in ALL and path == "/sign-out":
                continue  # it ends the session: see below
            for shown in (path, f"{path}.json") if path in twin else (path,):
                answer = ask(trouble, role, method, concrete(shown))
                may = role in allowed or (role in CERTIFICATES and "" in allowed)
                through = answer.status_code not in (401, 403)
                through &= answer.headers.get("location") != "/sign-in"
                if (method, path[:8]) == ("POST", "/sign-in"):
                    assert answer.status_code == 401  # no code or passkey was given
                    continue
                assert through == may, (method, shown, role, answer.status_code)


def test_signing_out_ends_the_session(kit: Kit) -> None:
    for role in roles.ROLES:
        assert kit.post(role, "/sign-out").headers["location"] == "/sign-in"
        assert kit.client(role).get("/fleet").headers["location"] == "/sign-in"


def test_a_form_needs_the_token_of_its_session(trouble: Kit) -> None:
    for token in ("", "x", trouble.csrf[HOST]):
        answer = trouble.client(INSPECTOR).post("/incidents/1/acknowledge", data={"csrf": token})
        assert answer.status_code == 403
    foreign = {"origin": "https://evil.test"}
    data = {"csrf": trouble.csrf[INSPECTOR]}
    client = trouble.client(INSPECTOR)
    path = "/incidents/1/acknowledge"
    assert client.post(path, data=data, headers=foreign).status_code == 403
    ours = {"origin": "https://fleet.test"}
    assert client.post(path, data=data, headers=ours).status_code == 409  # it names no triggers


def test_a_machine_brings_evidence_of_its_enclosure_alone(kit: Kit) -> None:
    brought = enter(kit)
    part = brought.rest()
    assert kit.push(part, fingerprint="cd" * 32).status_code == 401
    assert kit.push(part, fingerprint="").status_code == 401
    kit.clock.now_s = brought.story.now_s
    assert kit.push(part).status_code == 200


def test_a_code_signs_in_once_and_not_for_long(kit: Kit) -> None:
    store, now_s = kit.service.store, kit.service.now_s()
    with store.write() as link:
        code, late = (people.new_code(link, "auditor one", now_s) for _ in range(2))
    client = kit.client()
    answer = client.post("/sign-in", data={"code": code})
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303
    assert cookie.startswith("__Host-casemate=")
    for flag in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert flag in cookie
    assert kit.client().post("/sign-in", data={"code": code}).status_code == 401
    kit.clock.now_s += people.CODE_S
    assert kit.client().post("/sign-in", data={"code": late}).status_code == 401
    assert client.get("/fleet").status_code == 200


def test_sessions_end_when_idle_when_old_and_when_the_person_is_removed(kit: Kit) -> None:
    secret, now_s = kit.sessions["auditor"], kit.service.now_s()
    store = kit.service.store
    with store.write() as link:
        people.who(link, secret, now_s + people.IDLE_S - 1)
        with pytest.raises(NotSignedInError):
            people.who(link, secret, now_s + people.IDLE_S)
        people.touch(link, secret, now_s + people.SESSION_S - 10)
        people.who(link, secret, now_s + people.SESSION_S - 1)
        with pytest.raises(NotSignedInError):
            people.who(link, secret, now_s + people.SESSION_S)
    assert kit.client("inspector").get("/fleet").status_code == 200
    with store.write() as link:
        people.remove(link, "inspector one")
    assert kit.client("inspector").get("/fleet").headers["location"] == "/sign-in"


def test_what_is_stored_signs_nobody_in(kit: Kit) -> None:
    """Who reads the database has neither codes nor sessions."""
    from sqlalchemy import select

    from casemate.fleet.store.schema import CODES, SESSIONS

    with kit.service.store.write() as link:
        code = people.new_code(link, "auditor one", kit.service.now_s())
        rows = str([*link.execute(select(CODES)), *link.execute(select(SESSIONS.c.digest))])
    assert code not in rows
    assert kit.sessions["auditor"] not in rows
    client = kit.client()
    client.cookies.set(cookie_name(kit.service), rows.split("'")[1])
    assert client.get("/fleet").headers["location"] == "/sign-in"


def test_limits() -> None:
    limits = Limits(per_s=1.0, burst=2.0, most=2)
    limits.take("a", 0.0)
    limits.take("a", 0.0)
    with pytest.raises(TooManyError):
        limits.take("a", 0.0)
    limits.take("b", 0.0)
    limits.take("a", 1.5)
    with pytest.raises(TooManyError):
        limits.take("a", 1.6)
    limits.take("a", 0.5 + 3.0)


def test_guessing_codes_is_slowed_down(kit: Kit) -> None:
    gate = Gate(kit.service)
    from casemate.fleet.service.application import application

    kit.fronted.app = application(kit.service, gate=gate)
    found = [kit.client().post("/sign-in", data={"code": "x"}).status_code for _ in range(12)]
    assert found == [401] * 10 + [429] * 2


def test_refusals_from_outside_do_not_fill_the_audit_log(kit: Kit) -> None:
    from casemate.fleet.service.application import application

    gate = Gate(kit.service, refusals=Limits(per_s=1.0, burst=10.0))
    kit.fronted.app = application(kit.service, gate=gate)
    before = kit.service.audit.log.next_index
    for _ in range(24):
        kit.client().get("/fleet")
    assert kit.service.audit.log.next_index - before == 10
    kit.clock.now_s += 5
    kit.client().get("/fleet")
    assert kit.service.audit.latest(1)[0][1].outcome == "refused 401, and 14 more before"


def test_every_answer_lets_nothing_in_from_elsewhere(trouble: Kit) -> None:
    plain = ("/fleet.json", "/evidence", "/none", "/static/fleet.css", "/sign-in", "/continuity")
    for path in (*plain, "/enclosures/1/channels.json", "/static/renew.js", "/fleet"):
        wanted = headers_of(scripts=False, renews=True) if path == "/fleet" else HEADERS
        answer = trouble.client("inspector").get(path)
        for name, value in wanted.items():
            assert answer.headers[name] == value, (path, name)


RENEWING = {
    "/fleet", "/enclosures/{id:int}", "/enclosures/{id:int}/channels", "/incidents",
    "/incidents/{id:int}", "/review", "/wall", "/enclosures/{id:int}/interval",
}  # fmt: skip


def test_scripts_run_on_pages_that_need_them_alone(trouble: Kit) -> None:
    """A page that renews itself may run our scripts and ask this service; nothing is loosened."""
    policy, strict = "Content-Security-Policy", HEADERS["Content-Security-Policy"]
    assert "script-src" not in strict and "default-src 'none'" in strict
    assert {each.path for each in ROUTES if each.renews} == RENEWING
    for each in ROUTES:
        if each.template and each.method == "GET" and each.permission == "see":
            answer = trouble.client("inspector").get(concrete(each.path))
            if answer.status_code != 200:
                continue
            more = answer.headers[policy].removeprefix(strict)
            renews = "; script-src 'self'; connect-src 'self'"
            assert more == (renews if each.path in RENEWING else ""), each.path
    nobody = trouble.client().get("/sign-in")
    assert nobody.headers[policy] == strict and "<script" not in nobody.text


def test_a_page_that_renews_itself_keeps_no_session_alive(kit: Kit) -> None:
    """Left alone before an open page, a person is signed out as without one."""
    client, by_itself = kit.client("inspector"), {"Casemate-Renewal": "1"}
    for _ in range(6):
        kit.clock.now_s += people.IDLE_S // 6 - 1
        assert client.get("/fleet", headers=by_itself).status_code == 200
    assert kit.service.audit.latest(1)[0][1].outcome == "renewed by its page"
    kit.clock.now_s += 6
    assert client.get("/fleet", headers=by_itself).headers["location"] == "/sign-in"
    kit.sessions, kit.csrf = sign_all_in(kit.service.store, kit.service.now_s())
    client = kit.client("inspector")
    for _ in range(6):
        kit.clock.now_s += people.IDLE_S // 6
        assert client.get("/fleet").status_code == 200
    kit.clock.now_s += people.IDLE_S // 2
    assert client.get("/fleet").status_code == 200


@pytest.mark.parametrize(
    "path",
    (
        "/static/..%2f..%2fapp.py", "/static/%2e%2e/app.py", "/static/fleet.css%00.html",
        "/static//etc/passwd", "/enclosures/0", "/enclosures/4294967296", "/enclosures/-1",
        "/enclosures/99999999999999999999999", "/incidents/2147483647", "/enclosures/1.5",
    ),
)  # fmt: skip
def test_paths_lead_nowhere_else(empty: Kit, path: str) -> None:
    assert empty.client("inspector").get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    (
        "page=0", "page=x", "page=-1", "page=1000001", "page=9" * 40, "state=none", "state=armed",
        "needs=x", "page=%00", "page=١", "q=%00", "q=a%00b",
    ),
)  # fmt: skip
def test_queries_out_of_bounds_are_refused(empty: Kit, query: str) -> None:
    assert empty.client("inspector").get(f"/fleet?{query}").status_code == 422


def test_forms_have_an_end(trouble: Kit) -> None:
    answer = trouble.post("inspector", "/incidents/1/propose", reason="x" * 20_000)
    assert answer.status_code == 422
    many = {f"f{each}": "x" for each in range(30)}
    assert trouble.post("inspector", "/incidents/1/propose", **many).status_code == 422


def test_errors_are_told_in_the_medium_of_their_path(empty: Kit) -> None:
    client = empty.client("inspector")
    for path in ("/enclosures/x.json", "/redfish/v1/Chassis/a%0Ab"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
        assert answer.json()["error"]
    answer = client.request("TRACE", "/enclosures/1/permits")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert client.delete("/fleet.json").json()["error"] == "Not by this method."
