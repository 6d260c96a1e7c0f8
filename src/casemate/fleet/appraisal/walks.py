"""Walks in the store: after a restart nothing is walked anew but what came after the last one.

A walk decides what pages show, so it is not believed because it lies in the database: it bears a
code (HMAC-SHA-256) by a key in the service's folder, over the enclosure, the trust and the verifier
that it was walked with. What does not fit is walked anew.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from sqlalchemy import Connection, Row, bindparam, delete, insert, select

from casemate.core.errors import OutputError
from casemate.core.secret_file import make_once
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.walk_data import Saved
from casemate.fleet.store.schema import NOTES, WALKS

KEY_FILE, KEY_BYTES = "walks.key", 32
LEAST, SHARE = 16, 64
"""A walk is written once 16 tokens came, or a 64th of all, since it was; of a log that has just
begun, once it is twice as long (planning values): who starts anew walks through little of any."""
_SIZE = select(WALKS.c.settled, WALKS.c.trust).where(WALKS.c.enclosure_id == bindparam("of"))
_WALKING = ("appraiser.py", "notes.py", "oddities.py", "places.py", "stretches.py", "walk_data.py")
_LOG = logging.getLogger("casemate.fleet")


def key_in(folder: Path) -> bytes:
    """Return the key in a service's folder, made if there is none. OutputError if it is none."""
    path = folder / KEY_FILE
    if not path.exists():
        make_once(path, secrets.token_bytes(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise OutputError(
            f"{path} is no key.", remedy="remove it: all evidence is walked anew once."
        )
    return key


@cache
def verifier() -> bytes:
    """Return the digest of the code that walks: another release walks anew."""
    whole = hashlib.sha256()
    for name in ("verify", "attest", "translog"):
        here = resources.files(f"casemate.{name}")
        files = [each.name for each in here.iterdir() if each.name.endswith((".py", ".toml"))]
        for each in sorted(files):
            whole.update(hashlib.sha256(here.joinpath(each).read_bytes()).digest())
    for each in _WALKING:
        data = resources.files("casemate.fleet.appraisal").joinpath(each).read_bytes()
        whole.update(hashlib.sha256(data).digest())
    return whole.digest()


def trust_of(reference: bytes, policy: bytes) -> str:
    """Return the digest of what a walk was walked with, hex."""
    both = hashlib.sha256(reference).digest() + hashlib.sha256(policy).digest()
    return hashlib.sha256(both + verifier()).hexdigest()


def is_due(size: int, saved_size: int) -> bool:
    """Return whether enough came since the last walk was written."""
    return size - saved_size >= max(min(LEAST, size // 2), size // SHARE, 1)


def put(
    link: Connection, enclosure_id: int, trust: str, key: bytes, size: int, settled: int,
    data: bytes,
) -> None:  # fmt: skip
    """Write a walk in place of the one before."""
    drop(link, enclosure_id)
    row = {"enclosure_id": enclosure_id, "size": size, "settled": settled, "trust": trust}
    link.execute(insert(WALKS).values(**row, body=data, code=_code(key, row, data)))


def drop(link: Connection, enclosure_id: int) -> None:
    """Forget the walk that is written: evidence came that it lacks."""
    link.execute(delete(WALKS).where(WALKS.c.enclosure_id == enclosure_id))


def read(link: Connection, enclosure_id: int, trust: str, key: bytes) -> tuple[Saved, int] | None:
    """Return the walk of an enclosure with what came since, and its size; None without a sound one.

    What came since are entries from there on and notes of more entries: `Intake` writes it anew
    whenever a note of fewer comes.
    """
    row = link.execute(select(WALKS).where(WALKS.c.enclosure_id == enclosure_id)).one_or_none()
    if row is None or row.trust != trust:
        return None
    if not is_sound(row, key):
        _LOG.warning("the walk of enclosure %d is not of this service: walked anew", enclosure_id)
        return None
    entries = evidence.entries(link, enclosure_id, row.settled, 1 << 40)
    waiting = row.size - row.settled
    newer = select(NOTES.c.data).where(
        NOTES.c.enclosure_id == enclosure_id, NOTES.c.size > row.size
    )
    notes = [bytes(each) for each in link.execute(newer).scalars()]
    saved = Saved(
        data=bytes(row.body), waiting=tuple(entries[:waiting]), entries=tuple(entries[waiting:]),
        notes=tuple(notes),
    )  # fmt: skip
    return (saved, int(row.size)) if len(saved.waiting) == waiting else None


def ahead(link: Connection, enclosure_id: int, trust: str, key: bytes) -> int:
    """Return how many entries are to be walked through, with the walk that is written."""
    row = link.execute(_SIZE, {"of": enclosure_id}).one_or_none() if key else None
    written = int(row.settled) if row is not None and row.trust == trust else 0
    return evidence.next_number(link, enclosure_id) - written


def is_sound(row: Row[tuple[object, ...]], key: bytes) -> bool:
    """Return whether this service has written a row."""
    told = {each: getattr(row, each) for each in ("enclosure_id", "size", "settled", "trust")}
    return hmac.compare_digest(bytes(row.code), _code(key, told, bytes(row.body)))


def _code(key: bytes, row: dict[str, object], data: bytes) -> bytes:
    names: Sequence[str] = ("enclosure_id", "size", "settled", "trust")
    head = "casemate-walk-1 " + " ".join(str(row[each]) for each in names) + "\n"
    return hmac.digest(key, head.encode() + data, "sha256")
