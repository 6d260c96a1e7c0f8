"""Who may do what by Redfish: every resource, method and role; accounts, sessions, limits."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fleet_kit import Kit, enter, kit_in
from redfish_kit import ROLES, ROOT, RedfishKit, password_of, redfish_of
from sqlalchemy import select

from casemate.fleet.redfish import accounts
from casemate.fleet.redfish.asked import MOST_BODY_BYTES
from casemate.fleet.redfish.gate import Gate, Limited, Request
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.paths import resource_at
from casemate.fleet.redfish.routes import RESOURCES
from casemate.fleet.service.application import cookie_name
from casemate.fleet.store.schema import REDFISH_ACCOUNTS, REDFISH_SESSIONS
from casemate.fleet.web.gate import Limits

ADMIN, OPERATOR, READER = ROLES
ALL, ANY = set(ROLES), {*ROLES, ""}
OPEN = {
    ("GET", "/redfish"), ("GET", "/redfish/v1"), ("GET", "/redfish/v1/"),
    ("GET", "/redfish/v1/odata"), ("GET", "/redfish/v1/$metadata"),
    ("POST", f"{ROOT}/SessionService/Sessions"),
    ("POST", f"{ROOT}/SessionService/Sessions/Members"),
}  # fmt: skip
WRITES: dict[tuple[str, str], set[str]] = {
    ("PATCH", f"{ROOT}/Chassis/{{chassis}}"): {ADMIN, OPERATOR},
    ("POST", f"{ROOT}/AccountService/Accounts"): {ADMIN},
    ("PATCH", f"{ROOT}/AccountService/Accounts/{{account}}"): {ADMIN, READER},
    ("DELETE", f"{ROOT}/AccountService/Accounts/{{account}}"): {ADMIN},
    ("DELETE", f"{ROOT}/SessionService/Sessions/{{session}}"): ALL,
    ("POST", f"{ROOT}/EventService/Subscriptions"): {ADMIN, OPERATOR},
    ("DELETE", f"{ROOT}/EventService/Subscriptions/{{subscription}}"): ALL,
    ("POST", f"{ROOT}/EventService/Actions/EventService.SubmitTestEvent"): {ADMIN, OPERATOR},
}
READS: dict[tuple[str, str], set[str]] = {
    ("GET", f"{ROOT}/AccountService/Accounts/{{account}}"): {ADMIN, READER},
}
"""Written down a second time, by hand. The account in the path is the reader's own."""
PARTS = {
    "{chassis}": "1", "{component}": "1", "{log}": "Security", "{manager}": "fleet",
    "{role}": "ReadOnly", "{sensor}": "EvidenceAge", "{metric}": "State", "{trigger}": "State",
    "{report}": "1", "{detector}": "1", "{entry}": "1", "{account}": "3", "{session}": "999",
    "{subscription}": "1", "{registry}": "Casemate.1.0.0",
    "{schema}": "CasemateChassis.v1_0_0", "{file}": "CasemateChassis_v1.xml",
}  # fmt: skip


def concrete(path: str) -> str:
    """Return a path with something that may be there."""
    for name, value in PARTS.items():
        path = path.replace(name, value)
    assert "{" not in path
    return path


def expected(method: str, path: str) -> set[str]:
    """Return who gets through to the resource."""
    if (method, path) in OPEN:
        return ANY
    return WRITES.get((method, path)) or READS.get((method, path)) or ALL


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedfishKit]:
    """A service with an enclosure that nobody changes."""
    with kit_in(tmp_path_factory.mktemp("redfish")) as kit:
        enter(kit)
        yield redfish_of(kit)


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A service of one's own."""
    return redfish_of(kit)


def basic(name: str, password: str) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    coded = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {coded}"}


def test_every_method_of_every_resource_for_every_role(still: RedfishKit) -> None:
    """Who may gets through to the resource, whatever it says of an empty body; others do not."""
    gate, seen = Gate(still.redfish, Limited(all_=_wide(), wrong=_wide())), set()
    for resource in RESOURCES:
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            if method in resource.methods:
                seen.add((method, resource.path))
            for role in ("", *(ROLES if method in resource.methods else (ADMIN,))):
                token = {"x-auth-token": still.token(role)} if role else {}
                request = Request(method=method, path=concrete(resource.path), headers=token)
                status = _admitted(gate, request)
                if method not in resource.methods:
                    unseen = not role and not _is_free(resource.path)
                    assert status == (401 if unseen else 405), (method, resource.path, role)
                    continue
                may = role in expected(method, resource.path)
                wanted = 200 if may else 403 if role else 401
                assert status == wanted, (method, resource.path, role, status)
    assert set(WRITES) | set(READS) | OPEN <= seen
    assert {each for each in seen if each[0] != "GET"} == set(WRITES) | {
        each for each in OPEN if each[0] == "POST"
    }


def _is_free(path: str) -> bool:
    methods = {method for method, each in OPEN if each == path}
    found, _ = resource_at(concrete(path))
    assert found is not None
    return set(found.methods) <= methods


def _wide() -> Limits:
    return Limits(per_s=1e9, burst=1e9)


def _admitted(gate: Gate, request: Request) -> int:
    try:
        gate.admit(request)
    except RedfishError as error:
        return error.status
    return 200


def test_answers_are_audited_with_who_asked(still: RedfishKit) -> None:
    still.get(f"{ROOT}/Chassis/1", OPERATOR)
    line = still.kit.service.audit.latest(1)[0][1]
    assert (line.what, line.subject) == (f"GET {ROOT}/Chassis/{{chassis}}", "1")
    assert (line.who, line.role, line.party) == (f"account {OPERATOR}-one", OPERATOR, "hostland")
    before = still.kit.service.audit.log.next_index
    for path in ("/redfish", f"{ROOT}/", f"{ROOT}/odata"):
        assert still.client().get(path).status_code == 200
    assert still.kit.service.audit.log.next_index == before  # open to all, and always the same


def test_people_are_let_in_nowhere_here_and_accounts_not_to_pages(still: RedfishKit) -> None:
    client = still.client()
    client.cookies.set(cookie_name(still.kit.service), still.kit.sessions["inspector"])
    assert client.get(f"{ROOT}/Chassis").status_code == 401
    pages = still.kit.client()
    token = still.token(ADMIN)
    pages.cookies.set(cookie_name(still.kit.service), token)
    assert pages.get("/fleet", headers={"X-Auth-Token": token}).headers["location"] == "/sign-in"


def test_http_basic_and_sessions(made: RedfishKit) -> None:
    good = basic(f"{READER}-one", password_of(READER))
    assert made.client(**good).get(f"{ROOT}/Chassis").status_code == 200
    for bad in (
        basic(f"{READER}-one", "a long password of another"), basic("nobody", password_of(READER)),
        basic(f"{READER}-one", ""), {"Authorization": "Basic !"}, {"Authorization": "Bearer x"},
        {"X-Auth-Token": "0" * 64}, {"X-Auth-Token": ""},
    ):  # fmt: skip
        answer = made.client(**bad).get(f"{ROOT}/Chassis")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
    body = {"UserName": f"{READER}-one", "Password": password_of(READER)}
    begun = made.client().post(f"{ROOT}/SessionService/Sessions", json=body)
    assert begun.status_code == 201 and "set-cookie" not in begun.headers
    token, place = begun.headers["x-auth-token"], begun.headers["location"]
    assert made.client(**{"X-Auth-Token": token}).get(place).status_code == 200
    assert made.client(OPERATOR).get(place).status_code == 404
    assert made.client(OPERATOR).delete(place).status_code == 404
    with made.kit.service.store.read() as link:
        stored = str([*link.execute(select(REDFISH_SESSIONS)), *link.execute(
            select(REDFISH_ACCOUNTS)
        )])  # fmt: skip
    assert token not in stored and password_of(READER) not in stored
    made.kit.clock.now_s += accounts.IDLE_S
    assert made.client(**{"X-Auth-Token": token}).get(place).status_code == 401


def test_a_session_ends_when_old_and_with_its_account(made: RedfishKit) -> None:
    store, now_s = made.kit.service.store, made.kit.service.now_s()
    with store.write() as link:
        account = accounts.by_id(link, 3)
        number, token = accounts.begin(link, account, now_s)
        accounts.touch(link, number, now_s + accounts.SESSION_S - 5)
        assert accounts.of_session(link, token, now_s + accounts.SESSION_S - 1)
        assert accounts.of_session(link, token, now_s + accounts.SESSION_S) is None
        for _ in range(accounts.MOST_SESSIONS - 1):
            accounts.begin(link, account, now_s)
        with pytest.raises(RedfishError, match="too many sessions"):
            accounts.begin(link, account, now_s)
        accounts.change(link, 3, {"enabled": False})
        assert accounts.of_session(link, token, now_s) is None


def test_accounts_are_made_changed_and_removed(made: RedfishKit) -> None:
    base = f"{ROOT}/AccountService/Accounts"
    body = {"UserName": "exporter", "Password": "correct horse battery 1", "RoleId": READER}
    assert made.client(OPERATOR).post(base, json=body).status_code == 403
    added = made.client(ADMIN).post(base, json=body)
    assert added.status_code == 201 and added.json()["Password"] is None
    assert added.json()["Oem"]["Casemate"]["Party"] == "hostland"
    place = added.headers["location"]
    mine = made.client(**basic("exporter", body["Password"]))
    assert mine.get(base).json()["Members@odata.count"] == 1
    assert mine.patch(place, json={"RoleId": ADMIN}).status_code == 403
    assert mine.patch(place, json={"Enabled": True}).status_code == 403
    with made.kit.service.store.write() as link:
        account = accounts.by_name(link, "exporter")
        assert account is not None
        _, token = accounts.begin(link, account, made.kit.service.now_s())
    assert made.client(**{"X-Auth-Token": token}).get(base).status_code == 200
    assert mine.patch(place, json={"Password": "another horse battery 2"}).status_code == 200
    assert made.client(**{"X-Auth-Token": token}).get(base).status_code == 401  # its sessions end
    assert mine.get(base).status_code == 401
    other = made.client(**basic("exporter", "another horse battery 2"))
    assert other.patch(f"{base}/1", json={"Password": "x" * 30}).status_code == 403
    assert made.client(ADMIN).delete(place).status_code == 204
    assert other.get(base).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    (
        ({"Password": "short"}, 400), ({"Password": "a" * 40}, 400), ({"Password": 5}, 400),
        ({"UserName": "a b"}, 400), ({"UserName": ""}, 400), ({"UserName": "x" * 65}, 400),
        ({"UserName": f"{READER}-one"}, 409), ({"RoleId": "Root"}, 400), ({"RoleId": []}, 400),
        ({"Party": "peerland"}, 400), ({"Enabled": False}, 400), ({"AccountTypes": ["SNMP"]}, 400),
    ),
)  # fmt: skip
def test_accounts_that_cannot_be(still: RedfishKit, change: dict[str, Any], status: int) -> None:
    body = {"UserName": "new", "Password": "correct horse battery 1", "RoleId": READER}
    answer = still.client(ADMIN).post(f"{ROOT}/AccountService/Accounts", json={**body, **change})
    assert answer.status_code == status
    assert answer.json()["error"]["@Message.ExtendedInfo"][0]["MessageId"]


def test_the_last_administrator_stays(made: RedfishKit) -> None:
    admin, base = made.client(ADMIN), f"{ROOT}/AccountService/Accounts/1"
    for change in ({"RoleId": READER}, {"Enabled": False}):
        assert admin.patch(base, json=change).status_code == 403
    assert admin.delete(base).status_code == 403
    assert made.get(base, ADMIN)["RoleId"] == ADMIN


def test_guessing_is_slowed_down_and_fills_nothing(made: RedfishKit) -> None:
    gate, audit = Gate(made.redfish), made.kit.service.audit
    before, path = audit.log.next_index, f"{ROOT}/Chassis"
    wrong = basic(f"{READER}-one", "a long password of another" * 6)  # longer than is derived
    headers = {"authorization": wrong["Authorization"]}
    guess = Request(method="GET", path=path, headers=headers, client="192.0.2.1")
    assert [_admitted(gate, guess) for _ in range(24)] == [401] * 20 + [429] * 4
    login = Request(
        method="POST", path=f"{ROOT}/SessionService/Sessions", client="192.0.2.1", body=b"{}"
    )
    assert _admitted(gate, login) == 429
    strange = Request(method="GET", path=path, client="192.0.2.2")
    assert {_admitted(gate, strange) for _ in range(60)} == {401}
    assert audit.log.next_index - before == 50
    token = {"x-auth-token": made.token(READER)}
    known = Request(method="GET", path=path, client="192.0.2.1", headers=token)
    assert [_admitted(gate, known) for _ in range(3)] == [200] * 3
    often = Limited(all_=Limits(per_s=1.0, burst=2.0))
    busy = Gate(made.redfish, often)
    assert [_admitted(busy, known) for _ in range(3)] == [200, 200, 429]


def test_a_password_that_was_right_is_known_for_a_minute(made: RedfishKit) -> None:
    checks = made.redfish.passwords
    with made.kit.service.store.read() as link:
        secret = accounts.by_id(link, 3).secret
    assert not checks.is_known(secret, password_of(READER), 0.0)
    assert checks.are_right(secret, password_of(READER), 0.0)
    assert checks.is_known(secret, password_of(READER), 59.0)
    assert not checks.is_known(secret, password_of(READER), 60.0)
    assert not checks.is_known(secret, password_of(READER), -1.0)  # the clock was set back
    assert not checks.is_known(accounts.new_secret(password_of(READER)), password_of(READER), 1.0)
    assert not checks.are_right(None, password_of(READER), 1.0)


def test_requests_that_are_refused_whatever_they_ask(still: RedfishKit) -> None:
    base, admin = f"{ROOT}/Chassis", still.client(ADMIN)
    foreign = {"Origin": "https://evil.test"}
    assert admin.patch(f"{base}/1", json={}, headers=foreign).status_code == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert admin.patch(f"{base}/1", content=b"a=b", headers=form).status_code == 415
    json_ = {"Content-Type": "application/json"}
    large = b"{" + b" " * MOST_BODY_BYTES + b"}"
    assert admin.patch(f"{base}/1", content=large, headers=json_).status_code == 413
    for bad in (b"{", b"[" * 9000, b"\xff", b'{"a":NaN}', b'"x"'):
        assert admin.patch(f"{base}/1", content=bad, headers=json_).status_code == 400
    assert admin.get(base, headers={"Accept": "text/html"}).status_code == 406
    assert admin.get(base, headers={"OData-Version": "4.1"}).status_code == 412
    assert admin.request("FAKE", base).status_code == 501
    assert admin.put(f"{base}/1", json={}).headers["allow"] == "GET, HEAD, PATCH"
    for path in ("0", "-1", "01", "1e3", "4294967296", "%31%00", "x" * 200, "١"):
        assert admin.get(f"{base}/{path}").status_code in (400, 404), path


def test_strangers_do_not_learn_what_there_is(still: RedfishKit) -> None:
    for path in ("None", "Chassis/1", "Chassis/77", "AccountService/Accounts/77", "schema/x.xml"):
        assert still.client().get(f"{ROOT}/{path}").status_code == 401, path
    for path in ("None", "Chassis/77", "AccountService/Accounts/77", "schema/x.xml"):
        assert still.client(ADMIN).get(f"{ROOT}/{path}").status_code == 404, path


def test_nothing_of_a_fault_is_told(still: RedfishKit, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret of the machine")

    monkeypatch.setattr("casemate.fleet.redfish.standing.read", fail)
    answer = still.client(READER).get(f"{ROOT}/Chassis/1")
    assert answer.status_code == 500
    assert "secret" not in answer.text and answer.json()["error"]["code"].endswith("InternalError")


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "a\nb", ""])
def test_names_that_no_store_takes_are_names_of_nobody(still: RedfishKit, name: str) -> None:
    path = f"{ROOT}/SessionService/Sessions"
    body = json.dumps({"UserName": name, "Password": "x" * 14})
    answer = still.client().post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401)
