"""Items of a stream under one token, and one item checked alone.

Each item has a salt of its own, so that its digest tells nothing to who does not hold the item. A
token carries the root over a batch; beside an item lies its proof, which holds salt, path and the
token itself. So a consumer needs the item, its proof and reference values, and nobody else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from casemate.attest import cose, token
from casemate.attest.claims import Payload
from casemate.attest.reference import Reference
from casemate.attest.token import Token
from casemate.core.errors import CasemateError, FormatError, SignatureError
from casemate.core.suites import SUITES
from casemate.translog import merkle

FORMAT = "casemate-item/1"
SALT_BYTES = 16
SIGNING_STATES = ("ARMED", "MAINTENANCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a stream: its salt and the digest of its bytes."""

    salt: bytes
    digest: bytes

    @property
    def leaf(self) -> bytes:
        """Return the leaf of the tree under a token."""
        return merkle.leaf_hash(self.salt + self.digest)


def item(data: bytes, salt: bytes | None = None) -> Item:
    """Return an item of these bytes."""
    made = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return Item(salt=made, digest=hashlib.sha256(data).digest())


def body(stream: str, first: int, items: Sequence[Item]) -> Payload:
    """Return the body of the token over items `first` and on."""
    return Payload(
        stream=stream,
        first=first,
        count=len(items),
        root=merkle.root_of(each.leaf for each in items),
    )


def proof(said: Payload, items: Sequence[Item], index: int, signed: bytes) -> dict[str, Any]:
    """Return the proof of item `index` (of its token, from 0), as JSON values."""
    leaves = [each.leaf for each in items]

    def node(level: int, place: int) -> bytes:
        return merkle.root_of(leaves[place << level : (place + 1) << level])

    path = merkle.inclusion_proof(node, index, len(leaves))
    return {
        "format": FORMAT,
        "stream": said.stream,
        "number": said.first + index,
        "salt": items[index].salt.hex(),
        "path": [each.hex() for each in path],
        "token": base64.b64encode(signed).decode(),
    }


def check(data: bytes, shown: bytes, reference: Reference, serial: str) -> Token:
    """Return the token that vouches for an item, from its bytes and its proof.

    FormatError if the proof is malformed; SignatureError if the item, the path or a signature does
    not fit, or the token is of an enclosure that was not guarded. It says what the enclosure said:
    whether the log holds it, and what came after, is for `casemate verify`.
    """
    try:
        row = json.loads(shown)
        if row["format"] != FORMAT:
            raise ValueError("another format")
        salt, path = bytes.fromhex(row["salt"]), [bytes.fromhex(each) for each in row["path"]]
        signed, number = base64.b64decode(row["token"], validate=True), int(row["number"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"the proof of the item is malformed: {error}.", remedy="obtain it again."
        ) from None
    said, found = token.peek(signed)
    unit = reference.unit(serial)
    enrolment = unit.enrolment(found.sequence)
    cose.check_suite(said, enrolment.keys, SUITES[enrolment.suite])
    if (found.enclosure, found.serial) != (reference.enclosure, serial):
        raise _unfit("the token is of another enclosure")
    if found.state not in SIGNING_STATES or not isinstance(found.body, Payload):
        raise _unfit(f"the token is of kind {found.kind}, in state {found.state}")
    if found.software not in {each.digest for each in reference.software}:
        raise _unfit("the software that signed is not known")
    if found.anchor not in {each.digest for each in unit.anchors}:
        raise _unfit("the anchor is not known")
    place = number - found.body.first
    if not 0 <= place < found.body.count or row["stream"] != found.body.stream:
        raise _unfit("the token does not cover an item of that number")
    leaf = item(data, salt).leaf
    try:
        merkle.check_inclusion(leaf, place, found.body.count, path, found.body.root)
    except CasemateError as error:
        raise _unfit(f"the item is not the one that was signed ({error.message})") from None
    return found


def _unfit(why: str) -> SignatureError:
    return SignatureError(
        f"{why}.", remedy="treat the item as altered; obtain it again with its proof."
    )
