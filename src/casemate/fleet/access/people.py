"""People and their sessions. Names, codes and sessions are made on the machine of the service.

A person gets a code that signs in once, within minutes; what is stored is its SHA-256, and so it is
with a session. There are no passwords.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from casemate.core.errors import InputError
from casemate.fleet.access.roles import ROLES
from casemate.fleet.errors import NotSignedInError
from casemate.fleet.store.schema import CODES, PASSKEYS, PEOPLE, SESSIONS

CODE_S = 900
"""For which a code signs in (planning value)."""
SESSION_S = 12 * 3600
"""Longest session (planning value)."""
IDLE_S = 3600
"""After which a session that nobody used is over (planning value)."""
AHEAD_S = 60
"""That a code or a session may be of a time to come (planning value): of more, the clock was set
back since, and it would live longer than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is signed in. csrf: what a form of this session has to carry. seen_s: its last use."""

    id: int
    name: str
    role: str
    party: str
    csrf: str = ""
    seen_s: int = 0


def add(link: Connection, name: str, role: str, party: str) -> int:
    """Enter a person; return the id. InputError if the name is taken, or the role is none.

    Names and parties are told apart by `alike`: two spellings of one party are not two parties.
    """
    if role not in ROLES:
        raise InputError(
            "there is no such role.", remedy=f"choose of {', '.join(ROLES)}.", key=role
        )
    plain = all(each.isprintable() and 0 < len(each) <= 100 for each in (name, party))
    if not plain or name != name.strip() or party != party.strip():
        raise InputError("this is no name.", remedy="use 1 to 100 printable characters.")
    for row in link.execute(select(PEOPLE.c.name, PEOPLE.c.party)):
        if alike(row.name, name):
            raise InputError(f"{name!r} is taken.", remedy="choose another name.")
        if alike(row.party, party) and row.party != party:
            raise InputError(
                f"{party!r} is a party already, written {row.party!r}.",
                remedy="write it in the same way.", key="--party", value=party,
            )  # fmt: skip
    values = {"name": name, "role": role, "party": party, "active": True}
    return int(link.execute(insert(PEOPLE).values(**values).returning(PEOPLE.c.id)).scalar_one())


def alike(one: str, other: str) -> bool:
    """Return whether two names are one to who reads them, whatever case, width and blanks."""
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).casefold().split())


def let_in(link: Connection, names: Iterable[str]) -> set[str]:
    """Return those of these names who are let in by now: nobody who was removed."""
    asked = select(PEOPLE.c.name).where(PEOPLE.c.name.in_(sorted(set(names))), PEOPLE.c.active)
    return set(link.execute(asked).scalars())


def new_code(link: Connection, name: str, now_s: int) -> str:
    """Return a code that signs a person in once. InputError if nobody has the name."""
    asked = select(PEOPLE.c.id).where(PEOPLE.c.name == name, PEOPLE.c.active)
    found = link.execute(asked).scalar_one_or_none()
    if found is None:
        raise InputError(f"there is nobody named {name!r}.", remedy="add the person first.")
    link.execute(delete(CODES).where(CODES.c.expires_s < now_s))
    code = secrets.token_urlsafe(24)
    row = {"digest": digest_of(code), "person_id": found, "expires_s": now_s + CODE_S}
    link.execute(insert(CODES).values(**row))
    return code


def remove(link: Connection, name: str) -> None:
    """Let a person in no more, from now on. InputError if nobody has the name."""
    done = link.execute(update(PEOPLE).where(PEOPLE.c.name == name).values(active=False))
    if done.rowcount != 1:
        raise InputError(f"there is nobody named {name!r}.", remedy="see who there is.")
    gone = select(PEOPLE.c.id).where(PEOPLE.c.name == name).scalar_subquery()
    link.execute(delete(SESSIONS).where(SESSIONS.c.person_id == gone))
    link.execute(delete(CODES).where(CODES.c.person_id == gone))
    link.execute(delete(PASSKEYS).where(PASSKEYS.c.person_id == gone))


def sign_in(link: Connection, code: str, now_s: int) -> str:
    """Return the secret of a new session; the code is used up. NotSignedInError if it is none."""
    taken = delete(CODES).where(CODES.c.digest == digest_of(code))
    row = link.execute(taken.returning(CODES.c.person_id, CODES.c.expires_s)).one_or_none()
    if row is None or not now_s < row.expires_s <= now_s + CODE_S + AHEAD_S:
        raise NotSignedInError(
            "the code is none, was used, or is too old.", remedy="ask for a new code."
        )
    return begin_session(link, row.person_id, now_s)


def begin_session(link: Connection, person_id: int, now_s: int) -> str:
    """Return the secret of a new session of a person who has shown who it is."""
    link.execute(delete(SESSIONS).where(SESSIONS.c.expires_s < now_s))
    secret = secrets.token_urlsafe(32)
    values = {
        "digest": digest_of(secret), "person_id": person_id, "csrf": secrets.token_urlsafe(24),
        "seen_s": now_s, "expires_s": now_s + SESSION_S,
    }  # fmt: skip
    link.execute(insert(SESSIONS).values(**values))
    return secret


def who(link: Connection, secret: str, now_s: int) -> Person:
    """Return the person of a session. NotSignedInError if it is over or there is none."""
    asked = (
        select(SESSIONS.c.csrf, SESSIONS.c.seen_s, SESSIONS.c.expires_s, PEOPLE)
        .join_from(SESSIONS, PEOPLE, SESSIONS.c.person_id == PEOPLE.c.id)
        .where(SESSIONS.c.digest == digest_of(secret), PEOPLE.c.active)
    )
    row = link.execute(asked).one_or_none()
    if row is None or row.expires_s <= now_s or not _is_in_use(row.seen_s, now_s):
        raise NotSignedInError("nobody is signed in.", remedy="sign in.")
    return Person(
        id=row.id, name=row.name, role=row.role, party=row.party, csrf=row.csrf, seen_s=row.seen_s
    )


def _is_in_use(seen_s: int, now_s: int) -> bool:
    return seen_s - AHEAD_S <= now_s < seen_s + IDLE_S


def touch(link: Connection, secret: str, now_s: int) -> None:
    """Note that a session is in use."""
    link.execute(
        update(SESSIONS).where(SESSIONS.c.digest == digest_of(secret)).values(seen_s=now_s)
    )


def sign_out(link: Connection, secret: str) -> None:
    """End a session."""
    link.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest_of(secret)))


def digest_of(secret: str) -> str:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
