"""Reference values that change: a new version counts once both parties have signed it.

Who has to sign is said by the version in force, so nobody who has only the machine, or only one
side's keys, changes what is expected. Earlier versions stay: what was shown under them is explained
by them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from casemate.attest import cose
from casemate.attest.parties import Need, Rule, agree, signed_by
from casemate.attest.reference import Reference, load
from casemate.attest.reference_write import as_cbor, as_json
from casemate.core.errors import CasemateError
from casemate.core.suites import Signer
from casemate.fleet.appraisal import evidence, walks
from casemate.fleet.errors import ConflictError, RefusedError
from casemate.fleet.store.schema import ENCLOSURES, TRUSTS

TYPE = "application/vnd.casemate.reference+cbor"
MOST_BYTES = 200_000
BOTH = Rule(
    action="reference",
    needs=(Need(role="host", least=1), Need(role="inspector", least=1)),
    blocs=2,
)
"""Who signs a new version: a host and an inspector, of two blocs, whatever the file says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version that was in force from `since_s` on. digest: of its file, SHA-256, hex."""

    version: int
    since_s: int
    digest: str
    signed_by: tuple[str, ...]


def sign(reference: Reference, signers: Sequence[Signer]) -> bytes:
    """Return reference values, signed: all keys of one party or of several."""
    return cose.build(TYPE, as_cbor(reference), signers)


def check(known: Reference, serial: str, data: bytes, now_s: int) -> tuple[Reference, list[str]]:
    """Return a new version and who signed it; RefusedError or ConflictError if it cannot follow."""
    try:
        item = cose.parse(data, typ=TYPE, most=MOST_BYTES)
        parties = signed_by(item, known.parties, now_s)
        agree(parties, BOTH)
        new = load(item.payload)
        unit = new.of(known.enclosure, serial)
    except CasemateError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None
    if unit.origin != known.unit(serial).origin:
        raise RefusedError("it names another log.", remedy="enter it as another enclosure.")
    if new.version <= known.version:
        raise ConflictError(
            f"version {new.version} does not follow version {known.version}.",
            remedy="a version is taken once; ask the parties for the newest.",
        )
    return new, sorted(each.name for each in parties)


def take(link: Connection, enclosure_id: int, data: bytes, now_s: int) -> Version:
    """Put a new version in force, and keep the one before. Who appraises has to be told.

    RefusedError or ConflictError if it cannot follow the one in force.
    """
    known = evidence.enclosure(link, enclosure_id)
    new, names = check(known.reference, known.serial, data, now_s)
    if not versions(link, enclosure_id):
        added = select(ENCLOSURES.c.added_s).where(ENCLOSURES.c.id == enclosure_id)
        _keep(link, enclosure_id, known.reference.version, known.files[0],
              int(link.execute(added).scalar_one()), b"", [])  # fmt: skip
    text = as_json(new).encode()
    _keep(link, enclosure_id, new.version, text, now_s, data, names)
    here = ENCLOSURES.c.id == enclosure_id
    link.execute(update(ENCLOSURES).where(here).values(reference=text))
    walks.drop(link, enclosure_id)
    return versions(link, enclosure_id)[-1]


def versions(link: Connection, enclosure_id: int) -> tuple[Version, ...]:
    """Return the versions that were in force, oldest first; none if there was only one."""
    asked = select(TRUSTS).where(TRUSTS.c.enclosure_id == enclosure_id)
    return tuple(
        Version(
            version=int(row.version), since_s=int(row.since_s),
            digest=hashlib.sha256(bytes(row.reference)).hexdigest(),
            signed_by=tuple(each for each in str(row.parties).split("\n") if each),
        )
        for row in link.execute(asked.order_by(TRUSTS.c.version))
    )  # fmt: skip


def reference_of(link: Connection, enclosure_id: int, version: int) -> Reference | None:
    """Return reference values as a version had them, None if it was never in force here."""
    known = evidence.enclosure(link, enclosure_id).reference
    if known.version == version:
        return known
    here = (TRUSTS.c.enclosure_id == enclosure_id) & (TRUSTS.c.version == version)
    found = link.execute(select(TRUSTS.c.reference).where(here)).scalar_one_or_none()
    return None if found is None else load(bytes(found))


def _keep(
    link: Connection, enclosure_id: int, version: int, text: bytes, since_s: int, signed: bytes,
    names: Sequence[str],
) -> None:  # fmt: skip
    row = {"enclosure_id": enclosure_id, "version": version, "reference": text, "signed": signed}
    link.execute(insert(TRUSTS).values(**row, since_s=since_s, parties="\n".join(names)))
