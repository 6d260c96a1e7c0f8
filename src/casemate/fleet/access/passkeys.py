"""Passkeys of people: registered in a session that a code has just begun, then used in its place.

`webauthn` checks what authenticators say. A challenge is a nonce that this service has signed for
one purpose and one session, for some minutes; it is used up with what it let through. For an act on
an incident the challenge is a digest of the nonce and of the act itself: the person's own device
has signed what was decided, and for what.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import Connection, delete, func, insert, select, update
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from casemate.fleet.access import people
from casemate.fleet.access.people import Person
from casemate.fleet.errors import ConflictError, NotAllowedError, NotSignedInError, RefusedError
from casemate.fleet.store.schema import ACT_SIGNATURES, NONCES, PASSKEYS, PEOPLE, SESSIONS

FRESH_S = 300
"""For which a challenge may be answered (planning value)."""
BEGUN_S = 900
"""After signing in, in which a passkey may be registered: a stolen session makes none later."""
MOST_OF_PERSON = 10
_RANDOM, _TIME, _MAC = 16, 8, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who checks passkeys: host name of the service, its secret, whether over TLS."""

    name: str
    secret: bytes
    secure: bool


def nonce(desk: Desk, purpose: str, now_s: int) -> str:
    """Return a nonce for a purpose, URL-safe text. Nothing is stored of it."""
    body = secrets.token_bytes(_RANDOM) + (now_s + FRESH_S).to_bytes(_TIME, "big")
    return _text(body + _mac(desk, body, purpose))


def bound(given: str, *words: str) -> bytes:
    """Return the challenge that a nonce and an act's words are; `passkey.js` makes the same."""
    told = json.dumps(["casemate-act/1", given, *words], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(told.encode("utf-8", "replace")).digest()


def registration(link: Connection, desk: Desk, person: Person, given: str) -> dict[str, Any]:
    """Return what a browser needs to make a passkey of a person."""
    have = [_bytes(each.id) for each in _of(link, person.id)]
    options = webauthn.generate_registration_options(
        rp_id=desk.name, rp_name="Casemate fleet", user_name=person.name,
        user_id=person.id.to_bytes(8, "big"), challenge=_bytes(given),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in have],
    )  # fmt: skip
    found: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return found


def register(
    link: Connection, desk: Desk, person: Person, session: str, given: str, said: str, now_s: int
) -> str:
    """Take a passkey that a browser has made; return its id.

    NotAllowedError if the session is not new; RefusedError if it is no answer to the nonce.
    """
    begun = select(SESSIONS.c.expires_s).where(SESSIONS.c.digest == people.digest_of(session))
    started_s = int(link.execute(begun).scalar_one()) - people.SESSION_S
    if now_s - started_s > BEGUN_S:
        raise NotAllowedError(
            "passkeys are registered just after signing in.", remedy="sign in with a new code."
        )
    _use_up(link, desk, given, f"register {person.id}", now_s)
    if len(_of(link, person.id)) >= MOST_OF_PERSON:
        raise RefusedError("there are enough passkeys.", remedy="have old ones forgotten.")
    try:
        made = webauthn.verify_registration_response(
            credential=said, expected_challenge=_bytes(given), expected_rp_id=desk.name,
            expected_origin=_origin(desk, said), require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise RefusedError(f"this is no passkey: {error}.", remedy="try again.") from None
    id_ = _text(made.credential_id)
    if link.execute(select(PASSKEYS.c.id).where(PASSKEYS.c.id == id_)).first() is not None:
        raise ConflictError("the passkey is registered already.", remedy="use another device.")
    row = {"id": id_, "person_id": person.id, "public": made.credential_public_key}
    link.execute(insert(PASSKEYS).values(**row, count=made.sign_count, added_s=now_s))
    return id_


def request(desk: Desk, given: str) -> dict[str, Any]:
    """Return what a browser needs to have a passkey sign; which one is up to the person."""
    options = webauthn.generate_authentication_options(
        rp_id=desk.name, challenge=_bytes(given),
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return found


def sign_in(link: Connection, desk: Desk, given: str, said: str, now_s: int) -> str:
    """Return the secret of a new session of a passkey's person. NotSignedInError if it is none."""
    try:
        _use_up(link, desk, given, "sign-in", now_s)
        person_id, _ = _check(link, desk, _bytes(given), said)
    except (ConflictError, NotAllowedError) as error:
        raise NotSignedInError(error.message, remedy="try again, or use a code.") from None
    return people.begin_session(link, person_id, now_s)


def sign_act(
    link: Connection, desk: Desk, person: Person, given: str, said: str, words: tuple[str, ...],
    now_s: int,
) -> dict[str, Any]:  # fmt: skip
    """Return what is to be kept of a signature of an act, which says: what, of which, why.

    NotAllowedError or ConflictError if the person's own passkey has not just signed just this.
    """
    if not given or not said:
        raise NotAllowedError(
            "this needs your passkey, now.",
            remedy="use the page in a browser with scripts; register a passkey after signing in.",
        )
    _use_up(link, desk, given, f"act {person.id}", now_s)
    who, id_ = _check(link, desk, bound(given, *words), said)
    if who != person.id:
        raise NotAllowedError("the passkey is another person's.", remedy="use your own.")
    return {"passkey": id_, "nonce": given, "words": json.dumps(words), "signed": said}


def keep_signature(link: Connection, act_id: int, row: dict[str, Any]) -> None:
    """Keep the signature of an act beside it."""
    link.execute(insert(ACT_SIGNATURES).values(act_id=act_id, **row))


def listed(link: Connection, person_id: int) -> list[tuple[str, int]]:
    """Return a person's passkeys: id, and when it was registered."""
    return [(str(each.id), int(each.added_s)) for each in _of(link, person_id)]


def forget(link: Connection, name: str) -> int:
    """Forget all passkeys of a person, of whom the name is known; return how many.

    Sessions end, too: who has the device that is forgotten may be in one of them.
    """
    whose = select(PEOPLE.c.id).where(PEOPLE.c.name == name).scalar_subquery()
    link.execute(delete(SESSIONS).where(SESSIONS.c.person_id == whose))
    return int(link.execute(delete(PASSKEYS).where(PASSKEYS.c.person_id == whose)).rowcount)


def _of(link: Connection, person_id: int) -> list[Any]:
    asked = select(PASSKEYS.c.id, PASSKEYS.c.added_s).where(PASSKEYS.c.person_id == person_id)
    return list(link.execute(asked.order_by(PASSKEYS.c.added_s)).all())


def _check(link: Connection, desk: Desk, challenge: bytes, said: str) -> tuple[int, str]:
    """Return whose passkey has signed a challenge, and its id. NotAllowedError if none has."""
    try:
        id_ = str(json.loads(said)["id"])[:1400]
        if not (id_.isascii() and id_.isprintable()):
            raise ValueError("it is not registered here")
        asked = (
            select(PASSKEYS).join(PEOPLE, PEOPLE.c.id == PASSKEYS.c.person_id)
            .where(PASSKEYS.c.id == id_, PEOPLE.c.active)
        )  # fmt: skip
        row = link.execute(asked).one_or_none()
        if row is None:
            raise ValueError("it is not registered here")
        done = webauthn.verify_authentication_response(
            credential=said, expected_challenge=challenge, expected_rp_id=desk.name,
            expected_origin=_origin(desk, said), credential_public_key=bytes(row.public),
            credential_current_sign_count=int(row._mapping["count"]),
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise NotAllowedError(
            f"the passkey does not hold: {error}.", remedy="reload the page, and try again."
        ) from None
    link.execute(update(PASSKEYS).where(PASSKEYS.c.id == id_).values(count=done.new_sign_count))
    return int(row.person_id), id_


def _use_up(link: Connection, desk: Desk, given: str, purpose: str, now_s: int) -> None:
    """Take a nonce of ours once. ConflictError if it is none, too old, or was used."""
    try:
        data = _bytes(given)
    except ValueError:
        data = b""
    body, mac = data[: _RANDOM + _TIME], data[_RANDOM + _TIME :]
    ends_s = int.from_bytes(body[_RANDOM:], "big")
    right = hmac.compare_digest(mac, _mac(desk, body, purpose)) and now_s <= ends_s
    digest = hashlib.sha256(data).hexdigest()
    asked = select(func.count()).select_from(NONCES).where(NONCES.c.digest == digest)
    if not right or link.execute(asked).scalar_one():
        raise ConflictError("the page is too old.", remedy="reload it, and try again.")
    link.execute(delete(NONCES).where(NONCES.c.expires_s < now_s))
    link.execute(insert(NONCES).values(digest=digest, expires_s=ends_s))


def _mac(desk: Desk, body: bytes, purpose: str) -> bytes:
    return hmac.digest(desk.secret, body + purpose.encode(), "sha256")[:_MAC]


def _origin(desk: Desk, said: str) -> str:
    """Return the origin that an answer names, if it is of this host: its port may be forwarded."""
    row = json.loads(_bytes(str(json.loads(said)["response"]["clientDataJSON"])))
    named = str(row["origin"])
    parts = urlsplit(named)
    local = not desk.secure and parts.scheme == "http"
    if parts.hostname != desk.name or not (parts.scheme == "https" or local):
        raise ValueError("it was made for another site")
    return named


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
