"""Passkeys: registered just after signing in, used in place of a code, and to sign acts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Fronted, Kit, bring, enter, kit_in
from soft_authenticator import SoftAuthenticator, text
from sqlalchemy import select, update

from casemate.fleet.access import passkeys, people
from casemate.fleet.service.application import application
from casemate.fleet.store.schema import ACT_SIGNATURES, ACTS, NONCES, PASSKEYS, PEOPLE
from casemate.fleet.web.gate import Gate, Limits

SIGNERS = ("inspector", "host-operator")


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Kit]:
    """A service whose policy asks for passkeys."""
    with kit_in(tmp_path) as kit:
        kit.service = replace(kit.service, name="fleet.test", passkeys=True)
        wide = Limits(per_s=1e9, burst=1e9)
        gate = Gate(kit.service, all_=wide, codes=wide, refusals=wide)
        kit.fronted = Fronted(application(kit.service, gate=gate))
        yield kit


def page(kit: Kit, role: str, path: str) -> tuple[str, dict[str, Any]]:
    """Return nonce and options that a page gives to a browser."""
    shown = kit.client(role).get(path).text
    nonce = re.search(r'name="nonce" value="([^"]+)"', shown)
    options = re.search(r'data-options="([^"]+)"', shown)
    assert nonce and options
    return nonce[1], json.loads(html.unescape(options[1]))


def register(kit: Kit, role: str, device: SoftAuthenticator) -> Any:
    """Register a device for who has this role."""
    nonce, options = page(kit, role, "/passkeys")
    said = device.create(options["challenge"])
    return kit.post(role, "/passkeys", nonce=nonce, passkey=said)


def sign_in(kit: Kit, device: SoftAuthenticator, nonce: str = "", challenge: str = "") -> Any:
    """Sign in with a device."""
    given, options = page(kit, "", "/sign-in/passkey")
    said = device.sign(challenge or options["challenge"])
    return kit.client().post("/sign-in/passkey", data={"nonce": nonce or given, "passkey": said})


def test_a_passkey_signs_in_without_a_code(asked: Kit) -> None:
    device = SoftAuthenticator()
    assert register(asked, "inspector", device).headers["location"] == "/passkeys"
    answer = sign_in(asked, device)
    assert answer.headers["location"] == "/fleet"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert sign_in(asked, device).status_code == 303
    told = asked.client("inspector").get("/passkeys.json").json()
    assert [each["id"] for each in told["have"]] == [text(device.id)[:12]]


@pytest.mark.parametrize(
    "device",
    [
        SoftAuthenticator(), SoftAuthenticator(origin="https://evil.test"),
        SoftAuthenticator(rp="evil.test"), SoftAuthenticator(verifies=False),
        SoftAuthenticator(origin="http://fleet.test"),
    ],
)  # fmt: skip
def test_what_does_not_sign_in(asked: Kit, device: SoftAuthenticator) -> None:
    """Not registered; made for another site; without a PIN or a finger; without TLS."""
    good = SoftAuthenticator(id=device.id, key=device.key)
    if device != SoftAuthenticator(id=device.id, key=device.key):
        register(asked, "inspector", good)
    assert sign_in(asked, device).status_code == 401


def test_a_nonce_is_used_once_soon_and_for_its_purpose(asked: Kit) -> None:
    device = SoftAuthenticator()
    register(asked, "inspector", device)
    nonce, options = page(asked, "", "/sign-in/passkey")
    assert sign_in(asked, device, nonce, options["challenge"]).status_code == 303
    assert sign_in(asked, device, nonce, options["challenge"]).status_code == 401
    late, options = page(asked, "", "/sign-in/passkey")
    asked.clock.now_s += passkeys.FRESH_S + 1
    assert sign_in(asked, device, late, options["challenge"]).status_code == 401
    other, options = page(asked, "inspector", "/passkeys")
    assert sign_in(asked, device, other, options["challenge"]).status_code == 401
    assert sign_in(asked, device, "AAAA", "AAAA").status_code == 401
    assert sign_in(asked, device, "\N{SNOWMAN}", "AAAA").status_code == 401
    with asked.service.store.read() as link:
        assert len(link.execute(select(NONCES)).all()) == 2  # of registering, of signing in
    assert sign_in(asked, device).status_code == 303
    with asked.service.store.read() as link:
        assert len(link.execute(select(NONCES)).all()) == 1  # what is too old went


def test_a_session_that_is_not_new_registers_nothing(asked: Kit) -> None:
    asked.clock.now_s += passkeys.BEGUN_S + 1
    assert register(asked, "inspector", SoftAuthenticator()).status_code == 403
    with asked.service.store.read() as link:
        assert link.execute(select(PASSKEYS)).all() == []


def test_a_device_that_was_copied_shows(asked: Kit) -> None:
    device = SoftAuthenticator()
    register(asked, "inspector", device)
    copy = replace(device)
    for _ in range(3):
        assert sign_in(asked, device).status_code == 303
    assert sign_in(asked, copy).status_code == 401


def test_a_nonce_lasts_as_long_as_it_says(asked: Kit) -> None:
    device = SoftAuthenticator()
    register(asked, "inspector", device)
    nonce, options = page(asked, "", "/sign-in/passkey")
    asked.clock.now_s += passkeys.FRESH_S
    assert sign_in(asked, device, nonce, options["challenge"]).status_code == 303


def test_a_passkey_that_is_left_of_somebody_removed_opens_nothing(asked: Kit) -> None:
    device = SoftAuthenticator()
    register(asked, "inspector", device)
    with asked.service.store.write() as link:
        link.execute(update(PEOPLE).where(PEOPLE.c.name == "inspector one").values(active=False))
        assert link.execute(select(PASSKEYS)).all() != []
    assert sign_in(asked, device).status_code == 401


def test_who_is_removed_is_let_in_no_more(asked: Kit) -> None:
    device, other = SoftAuthenticator(), SoftAuthenticator()
    register(asked, "inspector", device)
    register(asked, "host-operator", other)
    with asked.service.store.write() as link:
        people.remove(link, "inspector one")
        assert passkeys.forget(link, "host-operator one") == 1
    assert sign_in(asked, device).status_code == 401
    assert sign_in(asked, other).status_code == 401


def test_registering_twice_or_with_another_devices_answer(asked: Kit) -> None:
    device = SoftAuthenticator()
    assert register(asked, "inspector", device).status_code == 303
    assert register(asked, "host-operator", device).status_code == 409
    nonce, _ = page(asked, "inspector", "/passkeys")
    wrong = SoftAuthenticator().create("AAAA")
    assert asked.post("inspector", "/passkeys", nonce=nonce, passkey=wrong).status_code == 422
    mine, options = page(asked, "inspector", "/passkeys")
    said = SoftAuthenticator().create(options["challenge"])
    theirs = asked.post("auditor", "/passkeys", nonce=mine, passkey=said)
    assert theirs.status_code == 409  # a nonce is for one person


REASON = "opened by the technician, see permit"


def alarm(kit: Kit) -> str:
    """Have an enclosure tampered with; return what a person who looks has seen."""
    brought = enter(kit)
    bring(kit, brought)
    brought.story.watch(verdict="TAMPER")
    brought.story.seal()
    assert bring(kit, brought).status_code == 200
    told = kit.client("inspector").get("/incidents/1.json").json()
    assert told["level"] == "alarm"
    return str(told["seen"])


def act(
    kit: Kit, role: str, device: SoftAuthenticator | None, kind: str, seen: str, *,
    signed: str = REASON, signer: str = "",
) -> Any:  # fmt: skip
    """Propose or confirm as a browser would. signed: the reason that the device was shown."""
    form = {"seen": seen, "outcome": "explained", "reason": REASON, "agree": "1"}
    if device is not None:
        nonce = kit.client(signer or role).get("/incidents/1.json").json()["passkey"]["nonce"]
        challenge = text(passkeys.bound(nonce, kind, "1", seen, "explained", signed))
        form |= {"nonce": nonce, "passkey": device.sign(challenge)}
    return kit.post(role, f"/incidents/1/{kind}", **form)


def test_an_alarm_is_disposed_of_by_two_passkeys(asked: Kit) -> None:
    seen = alarm(asked)
    devices = {role: SoftAuthenticator() for role in SIGNERS}
    for role, device in devices.items():
        register(asked, role, device)
    inspector, host = (devices[each] for each in SIGNERS)
    assert act(asked, "inspector", None, "propose", seen).status_code == 403
    assert act(asked, "inspector", SoftAuthenticator(), "propose", seen).status_code == 403
    assert act(asked, "inspector", host, "propose", seen).status_code == 403
    other = act(asked, "inspector", inspector, "propose", seen, signed="something else, as shown")
    assert other.status_code == 403
    stolen = act(asked, "inspector", inspector, "propose", seen, signer="host-operator")
    assert stolen.status_code == 409
    with asked.service.store.read() as link:
        assert link.execute(select(ACTS)).all() == []
    assert act(asked, "inspector", inspector, "propose", seen).status_code == 303
    assert act(asked, "host-operator", None, "confirm", seen).status_code == 403
    assert act(asked, "host-operator", host, "confirm", seen).status_code == 303
    told = asked.client("inspector").get("/incidents/1.json").json()
    assert not told["open"]
    with asked.service.store.read() as link:
        rows = link.execute(select(ACT_SIGNATURES).order_by(ACT_SIGNATURES.c.act_id)).all()
    assert [each.passkey for each in rows] == [text(inspector.id), text(host.id)]
    assert json.loads(rows[0].words) == ["propose", "1", seen, "explained", REASON]


def test_acknowledging_needs_none(asked: Kit) -> None:
    seen = alarm(asked)
    assert asked.post("inspector", "/incidents/1/acknowledge", seen=seen).status_code == 303


def test_scripts_run_on_few_pages_and_none_within(asked: Kit) -> None:
    client = asked.client("auditor")
    for path, scripts in (
        ("/passkeys", "passkey"), ("/sign-in/passkey", "passkey"), ("/sign-in", ""),
        ("/fleet", "renew"), ("/passkeys.json", ""), ("/audit", ""),
    ):  # fmt: skip
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert ("script-src 'self'" in policy) == bool(scripts)
        assert ("connect-src 'self'" in policy) == (scripts == "renew")
        assert "unsafe" not in policy
        found = re.findall(r"<script[^>]*>[^<]*<", answer.text)
        assert found == ([f'<script src="/static/{scripts}.js"><'] if scripts else [])
    assert client.get("/static/passkey.js").headers["content-type"].startswith("text/javascript")
