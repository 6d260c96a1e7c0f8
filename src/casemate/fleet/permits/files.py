"""Permits that parties ask for: a request, the signatures that come, and where it stands.

The keys of parties never come here. A request is a file that each party signs on its own machine;
what comes back counts by its signatures alone, whoever brings it. What became of a permit at the
enclosure is said by the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from casemate.attest import permit as permits
from casemate.attest.cose import TAG
from casemate.attest.parties import signed_by
from casemate.attest.permit import Permit
from casemate.core.errors import CasemateError
from casemate.core.suites import SUITES
from casemate.fleet.access.people import Person
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.errors import ConflictError, NotAllowedError, NotFoundError, RefusedError
from casemate.fleet.store.schema import PERMITS
from casemate.fleet.story.told import Event

MOST_OPEN = 200
"""Requests of a party for an enclosure in the longest time of a permit (planning value).

Of each party by itself: nobody can fill the list so that the other has no room.
"""
MOST_BYTES = 80_000
"""Of a permit that is brought: sixteen signatures of two keys (planning value)."""
PHASES = (
    "requested", "signed in part", "signed", "in the log", "in use", "closed", "expired",
    "withdrawn",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A request as it lies here. signed: with the signatures so far, None without any."""

    id: int
    enclosure_id: int
    digest: str
    payload: bytes
    signed: bytes | None
    asked_by: str
    asked_role: str
    asked_party: str
    asked_s: int
    withdrawn_by: str | None
    withdrawn_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a permit stands. signers: parties whose signatures hold. lacks: why it is not enough.

    events: what the evidence tells of it.
    """

    phase: str
    signers: tuple[str, ...]
    lacks: str
    events: tuple[Event, ...]


def ask(link: Connection, known: Enclosure, asked: Permit, person: Person, now_s: int) -> int:
    """File a request and return its number. RefusedError if it cannot be one."""
    if (asked.enclosure, asked.serial) != (known.name, known.serial):
        raise RefusedError("it is for another enclosure.", remedy="file it with that one.")
    if asked.not_after_s <= now_s:
        raise RefusedError("its time is over.", remedy="ask for a time that is to come.")
    here = (
        (PERMITS.c.enclosure_id == known.id)
        & (PERMITS.c.asked_party == person.party)
        & (PERMITS.c.asked_s > now_s - permits.LONGEST_S)
    )
    count = select(func.count()).select_from(PERMITS).where(here)
    if link.execute(count).scalar_one() >= MOST_OPEN:
        raise RefusedError("too many requests lie here.", remedy="use those that lie here.")
    payload = permits.encode(asked)
    digest = identity(known, payload)
    same = (PERMITS.c.enclosure_id == known.id) & (PERMITS.c.digest == digest)
    if link.execute(select(PERMITS.c.id).where(same)).first() is not None:
        raise ConflictError("this request lies here already.", remedy="see the list.")
    row = {
        "enclosure_id": known.id, "digest": digest, "payload": payload, "signed": None,
        "asked_by": person.name, "asked_role": person.role, "asked_party": person.party,
        "asked_s": now_s,
    }  # fmt: skip
    return int(link.execute(insert(PERMITS).values(**row).returning(PERMITS.c.id)).scalar_one())


def identity(known: Enclosure, payload: bytes) -> str:
    """Return the digest by which the enclosure's tokens name a permit, hex."""
    suite = SUITES[known.reference.unit(known.serial).enrolments[-1].suite]
    return permits.identity(payload, suite).hex()


def read(link: Connection, permit_id: int) -> Filed:
    """Return a request; NotFoundError if there is none."""
    row = link.execute(select(PERMITS).where(PERMITS.c.id == permit_id)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such permit.", remedy="choose one of the list.")
    return Filed(**row._mapping)


def of_enclosure(link: Connection, enclosure_id: int, most: int) -> list[Filed]:
    """Return an enclosure's requests, newest first."""
    asked = select(PERMITS).where(PERMITS.c.enclosure_id == enclosure_id)
    rows = link.execute(asked.order_by(PERMITS.c.id.desc()).limit(most))
    return [Filed(**row._mapping) for row in rows]


def take(data: bytes, known: Enclosure) -> tuple[Permit, bytes | None]:
    """Return what a file asks for, and the file itself if it is signed. RefusedError if it is none.

    Signatures, if there are any, hold.
    """
    if not 0 < len(data) <= MOST_BYTES:
        raise RefusedError(f"a permit has up to {MOST_BYTES} bytes.", remedy="choose its file.")
    try:
        if not data.startswith(TAG):
            return permits.decode(data), None
        return permits.peek(data)[1], data
    except CasemateError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None


def sign(link: Connection, known: Enclosure, filed: Filed, data: bytes, now_s: int) -> Filed:
    """Add the signatures of a file to a request; RefusedError if they are not of it, or not good.

    Whoever brings it: signatures count, and every one has to be of a party of this side's
    reference values.
    """
    if filed.withdrawn_s is not None:
        raise ConflictError("the request was withdrawn.", remedy="ask anew.")
    _, signed = take(data, known)
    if signed is None:
        raise RefusedError(
            "nobody has signed this file.", remedy="sign it with `casemate permit sign`."
        )
    try:
        item, _ = permits.peek(signed)
        if item.payload != filed.payload:
            raise RefusedError(
                "it is another permit than this one.", remedy="sign the file of this request."
            )
        merged = permits.merge(filed.signed, signed) if filed.signed else signed
        signed_by(permits.peek(merged)[0], known.reference.parties, now_s)
    except RefusedError:
        raise
    except CasemateError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None
    link.execute(update(PERMITS).where(PERMITS.c.id == filed.id).values(signed=merged))
    return read(link, filed.id)


def withdraw(link: Connection, filed: Filed, person: Person, now_s: int) -> None:
    """Withdraw a request of one's own party. What was signed stays signed wherever it lies."""
    if filed.asked_party != person.party:
        raise NotAllowedError("another party has asked for it.", remedy="ask that party.")
    if filed.withdrawn_s is not None:
        raise ConflictError("it was withdrawn before.", remedy="see the list.")
    values = {"withdrawn_by": person.name, "withdrawn_s": now_s}
    link.execute(update(PERMITS).where(PERMITS.c.id == filed.id).values(**values))


def standing(known: Enclosure, filed: Filed, told: Sequence[Event], now_s: int) -> Standing:
    """Return where a permit stands, by its signatures, by what evidence tells, and by time."""
    mine = tuple(each for each in told if each.kind == "permit" and each.permit == filed.digest)
    signers, lacks = _signed(known, filed, now_s)
    acts = {each.act for each in mine}
    over = now_s >= permits.decode(filed.payload).not_after_s
    if "closed" in acts:
        phase = "closed"
    elif "expired" in acts or (over and "opened" not in acts) or _outlived(mine, told):
        phase = "expired"
    elif "opened" in acts:
        phase = "in use"
    elif "logged" in acts:
        phase = "in the log"
    elif filed.withdrawn_s is not None:
        phase = "withdrawn"
    else:
        phase = ("signed in part" if signers else "requested") if lacks else "signed"
    return Standing(phase=phase, signers=signers, lacks=lacks, events=mine)


def _outlived(mine: Sequence[Event], told: Sequence[Event]) -> bool:
    """Return whether the controller started after a permit was opened: it does not outlast that."""
    opened = max((each.number for each in mine if each.act == "opened"), default=None)
    return opened is not None and any(x.kind == "start" and x.number > opened for x in told)


def _signed(known: Enclosure, filed: Filed, now_s: int) -> tuple[tuple[str, ...], str]:
    """Return the parties whose signatures hold, and what is missing."""
    if filed.signed is None:
        return (), "nobody has signed it yet"
    values = known.reference
    try:
        found = signed_by(permits.peek(filed.signed)[0], values.parties, now_s)
    except CasemateError as error:
        return (), error.message
    names = tuple(f"{each.name} ({each.role})" for each in found)
    try:
        permits.check(filed.signed, values.parties, values.rules, enclosure=known.name,
                      serial=known.serial, now_s=now_s)  # fmt: skip
    except CasemateError as error:
        return names, error.message
    return names, ""
