"""Evidence in the store: which enclosures there are, and what of their logs has come."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from casemate.attest.reference import Reference, load
from casemate.core.errors import FormatError, InputError
from casemate.fleet.appraisal.notes import read_note, whole
from casemate.fleet.errors import NotFoundError, RefusedError
from casemate.fleet.store.schema import ENCLOSURES, ENTRIES, FORKS, MACHINES, NOTES
from casemate.translog import merkle
from casemate.translog.bundle import Bundle
from casemate.translog.policy import Policy, parse

MOST_FORKS = 100
"""Kept of an enclosure (planning value)."""
MOST_OF_A_SIZE = 64
"""Notes of one size of a log (planning value): 16 witnesses, each of which is heard by itself."""
_KNOWN_NOTES = select(NOTES.c.digest).where(
    NOTES.c.enclosure_id == bindparam("of"), NOTES.c.digest.in_(bindparam("asked", expanding=True))
)
_OF_SIZES = (
    select(NOTES.c.size, func.count())
    .where(
        NOTES.c.enclosure_id == bindparam("of"),
        NOTES.c.size.in_(bindparam("asked", expanding=True)),
    )
    .group_by(NOTES.c.size)
)
_FORKED = select(FORKS.c.number).where(FORKS.c.enclosure_id == bindparam("of"))
_LAST = select(func.max(ENTRIES.c.number)).where(ENTRIES.c.enclosure_id == bindparam("of"))
_ENCLOSURE = select(ENCLOSURES).where(ENCLOSURES.c.id == bindparam("of"))
_ENTRIES = (
    select(ENTRIES.c.data)
    .where(ENTRIES.c.enclosure_id == bindparam("of"), ENTRIES.c.number >= bindparam("first"))
    .order_by(ENTRIES.c.number)
    .limit(bindparam("most"))
)
_NEW_ENTRY, _NEW_NOTE = insert(ENTRIES), insert(NOTES)
"""Statements of each push are made once: making them takes longer than carrying them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """An enclosure as this instance knows it. reference, policy: as read from `files`."""

    id: int
    name: str
    serial: str
    kind: str
    site: str
    reference: Reference
    policy: Policy
    files: tuple[bytes, bytes]


def add(
    link: Connection, *, reference: bytes, policy: bytes, serial: str, kind: str, site: str,
    now_s: int,
) -> int:  # fmt: skip
    """Enter an enclosure with the files of trust of this instance's party; return its id.

    InputError or FormatError if they are malformed, or do not know the serial.
    """
    known = load(reference)
    unit = known.unit(serial)
    parse(policy)
    row = {
        "name": known.enclosure, "serial": serial, "origin": unit.origin, "kind": kind,
        "site": site, "reference": reference, "policy": policy, "added_s": now_s,
    }  # fmt: skip
    for key in ("name", "serial", "origin", "kind", "site"):
        most, text = int(getattr(ENCLOSURES.c[key].type, "length", 0)), str(row[key])
        if len(text.encode()) > most or "\0" in text:
            raise InputError(
                f"it is longer than {most} bytes, or holds a NUL.",
                remedy="write a shorter one.", key=key, value=text[:40],
            )  # fmt: skip
    done = link.execute(insert(ENCLOSURES).values(**row).returning(ENCLOSURES.c.id))
    return int(done.scalar_one())


def let(link: Connection, enclosure_id: int, fingerprint: str, now_s: int) -> None:
    """Let the machine with this certificate (SHA-256, hex) bring evidence of an enclosure."""
    row = {"fingerprint": fingerprint, "enclosure_id": enclosure_id, "added_s": now_s}
    link.execute(insert(MACHINES).values(**row))


def controllers(link: Connection, beginnings: Sequence[str]) -> dict[str, str]:
    """Return the enclosure's name and serial of controllers, by beginnings of their fingerprints.

    beginnings: 16 hex digits each; of those that nobody has, or more than one, nothing.
    """
    begins = func.substr(MACHINES.c.fingerprint, 1, 16)
    asked = select(begins, ENCLOSURES.c.name, ENCLOSURES.c.serial).join_from(MACHINES, ENCLOSURES)
    rows = link.execute(asked.where(begins.in_(sorted(set(beginnings))))).all()
    count = Counter(str(row[0]) for row in rows)
    return {str(row[0]): f"{row[1]} {row[2]}" for row in rows if count[str(row[0])] == 1}


def let_none(link: Connection, enclosure_id: int) -> int:
    """Let no certificate bring evidence of an enclosure any more; return how many that were."""
    here = MACHINES.c.enclosure_id == enclosure_id
    return int(link.execute(delete(MACHINES).where(here)).rowcount)


def enclosure(link: Connection, enclosure_id: int) -> Enclosure:
    """Return an enclosure; NotFoundError if there is none."""
    row = link.execute(_ENCLOSURE, {"of": enclosure_id}).one_or_none()
    if row is None:
        raise NotFoundError("there is no such enclosure.", remedy="choose one of the fleet's page.")
    return Enclosure(
        id=row.id, name=row.name, serial=row.serial, kind=row.kind, site=row.site,
        reference=load(row.reference), policy=parse(row.policy),
        files=(bytes(row.reference), bytes(row.policy)),
    )  # fmt: skip


def next_number(link: Connection, enclosure_id: int) -> int:
    """Return the number of the entry that comes next."""
    found = link.execute(_LAST, {"of": enclosure_id}).scalar_one()
    return 0 if found is None else int(found) + 1


def entries(link: Connection, enclosure_id: int, first: int, count: int) -> list[bytes]:
    """Return entries from `first` on, at most `count`."""
    here = {"of": enclosure_id, "first": first, "most": count}
    return [bytes(each) for each in link.execute(_ENTRIES, here).scalars()]


def notes(link: Connection, enclosure_id: int) -> tuple[bytes, ...]:
    """Return the notes that are not part of another, in the order of `whole`."""
    asked = select(NOTES.c.data).where(NOTES.c.enclosure_id == enclosure_id)
    return whole([bytes(each) for each in link.execute(asked).scalars()])


def bundle(
    link: Connection,
    known: Enclosure,
    more: Sequence[bytes] = (),
    new: Sequence[bytes] = (),
) -> Bundle:
    """Return all evidence of an enclosure: entries under the newest checkpoint, and those after.

    more, new: entries and notes that are about to be stored.
    """
    all_ = [*entries(link, known.id, 0, 1 << 40), *more]
    held = whole([*notes(link, known.id), *new])
    size = read_note(held[-1]).stated.size if held else 0
    return Bundle(
        enclosure=known.name,
        serial=known.serial,
        origin=known.reference.unit(known.serial).origin,
        checkpoint=held[-1] if held else b"",
        witnessed=held[:-1],
        entries=tuple(all_[:size]),
        pending=tuple(all_[size:]),
        torn_bytes=0,
    )


def unknown(link: Connection, enclosure_id: int, new: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the notes that are not stored, each once."""
    asked = {hashlib.sha256(each).hexdigest(): each for each in new}
    if asked:
        here = {"of": enclosure_id, "asked": list(asked)}
        for each in link.execute(_KNOWN_NOTES, here).scalars():
            del asked[each]
    return tuple(asked.values())


def check_room(link: Connection, enclosure_id: int, new: Sequence[bytes]) -> None:
    """Raise RefusedError where a size of the log would have more notes than anybody needs.

    Each is weighed with all others of its size: who signs the same again and again costs time.
    """
    try:
        sizes = Counter(read_note(each).stated.size for each in new)
    except FormatError:
        return  # it is refused for that
    here = {"of": enclosure_id, "asked": list(sizes)}
    for size, count in link.execute(_OF_SIZES, here) if sizes else ():
        sizes[size] += count
    if crowded := [size for size, count in sizes.items() if count > MOST_OF_A_SIZE]:
        raise RefusedError(
            f"more than {MOST_OF_A_SIZE} checkpoints of {crowded[0]} entries.",
            remedy="bring one of each size, with the lines of all witnesses.",
        )


def put(
    link: Connection, enclosure_id: int, first: int, data: Sequence[bytes], new: Sequence[bytes]
) -> None:
    """Store entries from number `first` on, and notes that are not here yet."""
    if data:
        rows = [
            {"enclosure_id": enclosure_id, "number": first + at, "data": each}
            for at, each in enumerate(data)
        ]
        link.execute(_NEW_ENTRY, rows)
    if new:
        rows = [
            {
                "enclosure_id": enclosure_id, "digest": hashlib.sha256(each).hexdigest(),
                "data": each, "size": read_note(each).stated.size,
            }
            for each in new
        ]  # fmt: skip
        link.execute(_NEW_NOTE, rows)


def drop(link: Connection, enclosure_id: int, data: Sequence[bytes]) -> None:
    """Drop notes that need not be kept."""
    for each in data:
        digest = hashlib.sha256(each).hexdigest()
        here = (NOTES.c.enclosure_id == enclosure_id) & (NOTES.c.digest == digest)
        link.execute(delete(NOTES).where(here))


def put_fork(link: Connection, enclosure_id: int, number: int, data: bytes, now_s: int) -> None:
    """Store a signed token for a place that another one has; a hundred are proof enough."""
    if len(forks(link, enclosure_id)) >= MOST_FORKS:
        return
    digest = hashlib.sha256(data).hexdigest()
    here = (FORKS.c.enclosure_id == enclosure_id) & (FORKS.c.digest == digest)
    if link.execute(select(FORKS.c.number).where(here)).first() is None:
        row = {"enclosure_id": enclosure_id, "digest": digest, "number": number}
        link.execute(insert(FORKS).values(**row, data=data, at_s=now_s))


def forks(link: Connection, enclosure_id: int) -> list[int]:
    """Return the places that two signed tokens claim."""
    return sorted({int(each) for each in link.execute(_FORKED, {"of": enclosure_id}).scalars()})


SET = b"casemate-evidence-set/1\n"
"""How what is hashed into a digest of evidence begins."""


def digest(held: Bundle) -> str:
    """Return the digest of evidence, hex: two instances that have the same have the same."""
    whole_ = hashlib.sha256(SET)
    leaves = (merkle.leaf_hash(each) for each in (*held.entries, *held.pending))
    whole_.update(held.origin.encode() + b"\n" + merkle.root_of(leaves))
    whole_.update((len(held.entries) + len(held.pending)).to_bytes(8, "big"))
    for each in sorted((*held.witnessed, held.checkpoint)):
        whole_.update(hashlib.sha256(each).digest())
    return whole_.hexdigest()
