"""Pages of passkeys: to register one, and to sign in with one."""

from __future__ import annotations

import json
from typing import Any

from casemate.fleet.access import passkeys
from casemate.fleet.access.people import Person
from casemate.fleet.clockface import clock
from casemate.fleet.web.asked import Asked, Reply, Service


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return a person's own passkeys, and what a browser needs to make another."""
    person, desk = asked.who, service.desk
    given = passkeys.nonce(desk, f"register {person.id}", service.now_s())
    with service.store.read() as link:
        have = passkeys.listed(link, person.id)
        options = passkeys.registration(link, desk, person, given)
    return {
        "title": "Passkeys",
        "have": [{"id": id_[:12], "added": clock(at_s)} for id_, at_s in have],
        "nonce": given,
        "options": json.dumps(options),
        "required": service.passkeys,
    }


def register(service: Service, asked: Asked) -> Reply:
    """Register a passkey of who is signed in."""
    form, desk = asked.form, service.desk
    with service.store.write() as link:
        made = passkeys.register(
            link, desk, asked.who, asked.session, form.get("nonce", ""), form.get("passkey", ""),
            service.now_s(),
        )  # fmt: skip
    return Reply(to="/passkeys", told=f"passkey {made[:12]}")


def sign_in_form(service: Service, asked: Asked) -> dict[str, Any]:
    """Return what a browser needs to sign in with a passkey."""
    given = passkeys.nonce(service.desk, "sign-in", service.now_s())
    options = passkeys.request(service.desk, given)
    return {"title": "Sign in with a passkey", "nonce": given, "options": json.dumps(options)}


def sign_in(service: Service, asked: Asked) -> Reply:
    """Begin a session with a passkey."""
    form = asked.form
    with service.store.write() as link:
        secret = passkeys.sign_in(
            link, service.desk, form.get("nonce", ""), form.get("passkey", ""), service.now_s()
        )
    return Reply(to="/fleet", session=secret)


def asks(service: Service, person: Person, *, alarm: bool) -> dict[str, str] | None:
    """Return what a form needs to have its act signed; None where the policy does not ask it."""
    if not (service.passkeys and alarm):
        return None
    given = passkeys.nonce(service.desk, f"act {person.id}", service.now_s())
    return {"nonce": given, "options": json.dumps(passkeys.request(service.desk, given))}
