"""Releases: reference values under signatures of roots that sign seldom, offline, by hashes alone.

Roots use SLH-DSA (FIPS 205), whose safety rests on a hash function: they stand when lattices and
curves do not. Whoever verifies pins roots in `release-root.json`; the reference values beside it
then count only with `release.cbor`, in which enough of these roots have signed exactly their bytes.
docs/formats/release.md has both files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

from casemate.attest import _document
from casemate.attest._document import Node
from casemate.attest._fields import Fields, refuse, written
from casemate.attest.reference import Reference
from casemate.core import cbor
from casemate.core.errors import InputError, SignatureError

ROOTS_FILE, RELEASE_FILE = "release-root.json", "release.cbor"
ROOTS_FORMAT, FORMAT = "casemate-release-roots/1", "casemate-release/1"
CONTEXT = b"casemate release 1"
"""Context string of the signatures (FIPS 205, section 10.2): they are of releases alone."""
KID_BYTES, _DIGEST_BYTES = 16, 48
_MOST_BYTES, _MOST_ROOTS = 1 << 20, 16
_WHAT = "a release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """A parameter set: its module in pqcrypto, sizes in bytes (FIPS 205, table 2)."""

    module: str
    key_bytes: int
    signature_bytes: int


SETS = {
    "SLH-DSA-SHA2-128s": ParameterSet(
        module="slh_dsa_sha2_128s", key_bytes=32, signature_bytes=7_856
    ),
    "SLH-DSA-SHA2-192s": ParameterSet(
        module="slh_dsa_sha2_192s", key_bytes=48, signature_bytes=16_224
    ),
    "SLH-DSA-SHA2-256s": ParameterSet(
        module="slh_dsa_sha2_256s", key_bytes=64, signature_bytes=29_792
    ),
}
"""The small sets: a root signs seldom, and its signatures are checked in milliseconds."""
DEFAULT_SET = "SLH-DSA-SHA2-192s"
"""Of the strength of ML-DSA-65, which the reference values rely on (categories 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A public key of a release root. alg: a name of SETS."""

    name: str
    alg: str
    key: bytes

    @property
    def kid(self) -> bytes:
        """Return its id: of algorithm and key."""
        return hashlib.sha256(cbor.encode([self.alg, self.key])).digest()[:KID_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """What a verifier pins. least: roots that have to sign. version: the oldest one accepted."""

    roots: tuple[Root, ...]
    least: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What roots sign. id, version, enclosure: of the reference values; digest: SHA-384 of them.

    made_s: when, Unix seconds, by who made it.
    """

    id: str
    version: int
    enclosure: str
    digest: bytes
    made_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A release that holds, and the names of the roots that signed it."""

    release: Release
    by: tuple[str, ...]


def load_roots(data: bytes, *, file: str = "") -> Roots:
    """Return the roots of a file; InputError names the place that is wrong."""
    f = _document.read(data, file).fields(("format", "roots", "least", "version"))
    f["format"].choice((ROOTS_FORMAT,))
    roots = tuple(map(_root, f["roots"].items(1)))
    for what, values in (("name", [r.name for r in roots]), ("key", [r.key for r in roots])):
        if len(set(values)) != len(values):
            f["roots"].fail(f"a {what} stands twice.", "give each root its own.", show=False)
    if len(roots) > _MOST_ROOTS:
        f["roots"].fail(f"there are more than {_MOST_ROOTS}.", "name fewer.", show=False)
    return Roots(
        roots=roots, least=f["least"].number(1, len(roots)), version=f["version"].number(1, 2**31)
    )


def _root(node: Node) -> Root:
    f = node.fields(("name", "alg", "key"))
    alg = f["alg"].choice(tuple(SETS))
    return Root(name=f["name"].text(), alg=alg, key=f["key"].hex(SETS[alg].key_bytes))


def release_of(reference: Reference, data: bytes, now_s: int) -> Release:
    """Return the release of reference values whose file's bytes are `data`."""
    return Release(
        id=reference.id, version=reference.version, enclosure=reference.enclosure,
        digest=hashlib.sha384(data).digest(), made_s=now_s,
    )  # fmt: skip


def encode(release: Release) -> bytes:
    """Return what roots sign; FormatError if `decode` would refuse it."""
    values = {
        1: release.id, 2: release.version, 3: release.enclosure, 4: release.digest,
        5: release.made_s,
    }  # fmt: skip
    return written(FORMAT, values, decode)


def decode(statement: bytes) -> Release:
    """Return what a statement says; FormatError unless it is what `encode` gives."""
    f = Fields.of(statement, _WHAT, FORMAT)
    found = Release(
        id=f.text(1), version=f.number(2, 2**31), enclosure=f.text(3),
        digest=f.octets(4, _DIGEST_BYTES), made_s=f.number(5),
    )  # fmt: skip
    f.done()
    return found


def build(statement: bytes, signatures: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the file of a release: the statement, and (id of the root, signature) of each."""
    out = cbor.encode([statement, [list(each) for each in sorted(signatures)]])
    parse(out)
    return out


def parse(data: bytes) -> tuple[bytes, Release, dict[bytes, bytes]]:
    """Return statement, what it says, signatures by id of their root; nothing of it is checked.

    FormatError if the file is malformed.
    """
    whole = cbor.decode(data, depth=3, most=_MOST_BYTES)
    if type(whole) is not list or len(whole) != 2 or type(whole[0]) is not bytes:
        refuse(_WHAT, "is not a statement with signatures")
    rows = whole[1]
    if type(rows) is not list or not 1 <= len(rows) <= _MOST_ROOTS:
        refuse(_WHAT, f"has not 1 to {_MOST_ROOTS} signatures")
    found: dict[bytes, bytes] = {}
    for row in rows:
        whole_row = type(row) is list and len(row) == 2 and all(type(e) is bytes for e in row)
        if not whole_row or len(row[0]) != KID_BYTES or row[0] in found:
            refuse(_WHAT, "has a signature that is none, or one root's twice")
        found[row[0]] = row[1]
    return whole[0], decode(whole[0]), found


def check(data: bytes, roots: Roots, reference: Reference, reference_data: bytes) -> Released:
    """Return the release if enough roots signed exactly these reference values.

    reference_data: the bytes that `reference` was read from. SignatureError says what is missing or
    wrong; FormatError. Signatures of roots that nobody pinned are left alone: other sides have
    theirs.
    """
    statement, said, signatures = parse(data)
    by = []
    for root in roots.roots:
        signature = signatures.get(root.kid)
        if signature is not None:
            verify(root, statement, signature)
            by.append(root.name)
    if len(by) < roots.least:
        missing = sorted(each.name for each in roots.roots if each.name not in by)
        _refuse(
            f"{len(by)} of {roots.least} roots needed have signed the release; "
            f"{', '.join(missing)} did not"
        )
    if said != release_of(reference, reference_data, said.made_s):
        _refuse(
            f"the roots signed other reference values than these: {said.id} version {said.version} "
            f"of {said.enclosure}, by SHA-384 {said.digest.hex()[:16]}…"
        )
    if said.version < roots.version:
        _refuse(f"version {said.version} is older than {roots.version}, the oldest accepted")
    return Released(release=said, by=tuple(by))


def checked(
    reference: Reference, data: bytes, roots: bytes | None, release: bytes | None, *, where: str
) -> Released | None:
    """Check the release in a folder of trust that names roots; None if it names none.

    roots, release: bytes of the two files, None where there is none. where: the folder, for errors.
    """
    if roots is None:
        return None
    pinned = load_roots(roots, file=f"{where}/{ROOTS_FILE}")
    if release is None:
        _refuse(f"{where} names release roots, and there is no {RELEASE_FILE} that they signed")
    return check(release, pinned, reference, data)


def verify(root: Root, statement: bytes, signature: bytes) -> None:
    """Check one root's signature over a statement; SignatureError unless it is right."""
    known = SETS[root.alg]
    if len(signature) != known.signature_bytes:
        _refuse(f"the signature of root {root.name} has {len(signature)} bytes")
    try:
        library(root.alg).verify(root.key, statement, signature, context=CONTEXT)
    except ValueError:
        _refuse(f"the {root.alg} signature of root {root.name} does not fit")


def library(alg: str) -> Any:
    """Return pqcrypto's module of a parameter set; InputError if it is not installed."""
    try:
        return getattr(import_module("pqcrypto.sign"), SETS[alg].module)
    except (ImportError, AttributeError):
        raise InputError(
            "release roots are named, and the library for SLH-DSA is missing.",
            remedy="install pqcrypto (casemate[release]); do not take the roots away.",
            key=ROOTS_FILE,
        ) from None


def _refuse(why: str) -> NoReturn:
    raise SignatureError(
        f"{why}.",
        remedy="obtain reference values and release.cbor anew from your side; do not use these.",
    )
