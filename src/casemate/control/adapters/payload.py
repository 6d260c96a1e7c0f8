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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.attest import cose, token
from casemate.attest.claims import Payload
from casemate.attest.reference import Reference
from casemate.attest.token import Token
from casemate.core.canonical import pretty_json
from casemate.core.errors import CasemateError, FormatError, SignatureError
from casemate.core.suites import SUITES
from casemate.translog import merkle

FORMAT = "casemate-item/1"
PROOF = ".proof.json"
"""After the name of an item: its proof, beside it."""
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


def proofs(said: Payload, items: Sequence[Item], signed: bytes) -> Iterator[dict[str, Any]]:
    """Yield the proof of each item of a token, as JSON values, in their order."""
    levels = [[each.leaf for each in items]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(
            [merkle.node_hash(*below[i : i + 2]) for i in range(0, len(below) // 2 * 2, 2)]
        )
    said_by = base64.b64encode(signed).decode()
    for index, each in enumerate(items):
        path = merkle.inclusion_proof(lambda level, place: levels[level][place], index, len(items))
        yield {
            "format": FORMAT,
            "stream": said.stream,
            "number": said.first + index,
            "salt": each.salt.hex(),
            "path": [node.hex() for node in path],
            "token": said_by,
        }


def write_proofs(
    folder: Path, names: Sequence[str], said: Payload, items: Sequence[Item], signed: bytes
) -> None:
    """Write the proof of each item of a token beside it. OSError if it cannot be kept."""
    for name, row in zip(names, proofs(said, items, signed), strict=True):
        (folder / f"{name}{PROOF}").write_text(pretty_json(row), encoding="utf-8")


def leaf_kept(folder: Path, number: int) -> bytes:
    """Return the leaf of an item named by its number, NUMBER.*, as kept; b"" if it is not there."""
    for path in folder.glob(f"{number:08d}.*{PROOF}"):
        try:
            salt = bytes.fromhex(json.loads(path.read_bytes())["salt"])
            return item(path.with_name(path.name.removesuffix(PROOF)).read_bytes(), salt).leaf
        except (OSError, ValueError, KeyError, TypeError):
            return b""
    return b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """An item that was checked. number: in its stream. leaf: by which the next item may name it.

    unwatched: places of the enclosure of which its anchor says nothing. inventories: digests of
    those that both parties signed.
    """

    token: Token
    stream: str
    number: int
    leaf: bytes
    unwatched: tuple[str, ...] = ()
    inventories: frozenset[bytes] = frozenset()


def check(data: bytes, shown: bytes, reference: Reference, serial: str) -> Token:
    """Return the token that vouches for an item; see `vouched`."""
    return vouched(data, shown, reference, serial).token


def vouched(data: bytes, shown: bytes, reference: Reference, serial: str) -> Vouched:
    """Return what vouches for an item, from its bytes and its proof.

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
    anchors = {each.digest: each for each in unit.anchors}
    if found.anchor not in anchors:
        raise _unfit("the anchor is not known")
    place = number - found.body.first
    if not 0 <= place < found.body.count or row["stream"] != found.body.stream:
        raise _unfit("the token does not cover an item of that number")
    leaf = item(data, salt).leaf
    try:
        merkle.check_inclusion(leaf, place, found.body.count, path, found.body.root)
    except CasemateError as error:
        raise _unfit(f"the item is not the one that was signed ({error.message})") from None
    return Vouched(
        token=found, stream=found.body.stream, number=number, leaf=leaf,
        unwatched=anchors[found.anchor].unwatched,
        inventories=frozenset(each.digest for each in unit.inventories),
    )  # fmt: skip


def _unfit(why: str) -> SignatureError:
    return SignatureError(
        f"{why}.", remedy="treat the item as altered; obtain it again with its proof."
    )
