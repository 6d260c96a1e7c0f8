"""Permits: one scoped, expiring action, signed by k of n parties with separate signatures.

A permit is one COSE_Sign to which each party adds its own signatures, in any order: none covers
another's. It names the enclosure, where, what, when and the checkpoint that its signers had seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from casemate.attest import cose
from casemate.attest._fields import Fields, refuse, text, written
from casemate.attest.parties import Need, Party, Rule, agree, signed_by
from casemate.attest.token import CheckpointRef, read_checkpoint
from casemate.core.errors import PermitError
from casemate.core.suites import Signer, Suite

__all__ = [
    "ACTIONS", "TYPE", "Need", "Party", "Permit", "Rule", "add", "agree", "build", "check",
    "covers", "decode", "encode", "identity", "merge", "peek",
]  # fmt: skip

TYPE = "application/vnd.casemate.permit+cbor"
FORMAT = "casemate-permit/1"
ACTIONS = (
    "open", "service", "replace", "re-anchor", "update", "unseal", "recommission", "retire"
)  # fmt: skip
NONCE_BYTES = 16
TECHNICIAN_BYTES = 32
LONGEST_S = 31 * 86_400
"""No permit is for longer: a planning value. Whoever needs more asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What is allowed: `actions` at `faces` and on `modules`, in not_before_s <= now < not_after_s.

    checkpoint: the latest that the signers had seen, so a permit says from which state of the
    log on it may be used. technician: SHA-256 of the one-time token of who carries it out.
    """

    enclosure: str
    serial: str
    faces: tuple[str, ...]
    modules: tuple[str, ...]
    actions: tuple[str, ...]
    not_before_s: int
    not_after_s: int
    checkpoint: CheckpointRef
    nonce: bytes
    technician: bytes
    reason: str = ""


def encode(permit: Permit) -> bytes:
    """Return the payload that parties sign; FormatError if `decode` would refuse it."""
    values = {
        1: permit.enclosure,
        2: permit.serial,
        3: sorted(permit.faces) or None,
        4: sorted(permit.modules) or None,
        5: sorted(permit.actions),
        6: permit.not_before_s,
        7: permit.not_after_s,
        8: permit.checkpoint.listed(),
        9: permit.nonce,
        10: permit.technician,
        11: permit.reason,
    }
    return written(FORMAT, values, decode)


def decode(payload: bytes) -> Permit:
    """Return the permit of a payload; FormatError unless it is what `encode` gives."""
    f = Fields.of(payload, "a permit", FORMAT, depth=3)
    permit = Permit(
        enclosure=f.text(1),
        serial=f.text(2),
        faces=_names(f, 3) if f.has(3) else (),
        modules=_names(f, 4) if f.has(4) else (),
        actions=_names(f, 5),
        not_before_s=f.number(6),
        not_after_s=f.number(7),
        checkpoint=read_checkpoint(f.take(8), "a permit's checkpoint"),
        nonce=f.octets(9, NONCE_BYTES),
        technician=f.octets(10, TECHNICIAN_BYTES),
        reason=f.text(11) if f.has(11) else "",
    )
    f.done()
    unknown = set(permit.actions) - set(ACTIONS)
    if unknown:
        refuse("a permit", f"allows {min(unknown)!r}, which is none of {', '.join(ACTIONS)}")
    if not permit.faces and not permit.modules:
        refuse("a permit", "names neither a face nor a module")
    if not 0 < permit.not_after_s - permit.not_before_s <= LONGEST_S:
        refuse("a permit", f"is not for a time of up to {LONGEST_S // 86_400} days")
    return permit


def build(permit: Permit, signers: Sequence[Signer]) -> bytes:
    """Return the permit signed by `signers`: all keys of one party or of several."""
    return cose.build(TYPE, encode(permit), signers)


def peek(data: bytes) -> tuple[cose.Signed, Permit]:
    """Return the item and what it says, with nothing checked but form; FormatError."""
    item = cose.parse(data, typ=TYPE)
    return item, decode(item.payload)


def add(data: bytes, signers: Sequence[Signer]) -> bytes:
    """Return the permit with the signatures of `signers` added to those it has."""
    item, _ = peek(data)
    return merge(data, cose.build(TYPE, item.payload, signers))


def merge(one: bytes, other: bytes) -> bytes:
    """Return one permit with the signatures of both; FormatError if they are not the same permit.

    Signatures are sorted by key id, so the order in which parties signed does not show.
    """
    a, b = peek(one)[0], peek(other)[0]
    if a.payload != b.payload:
        refuse("the second permit", "is another permit than the first")
    kept = {each.kid: each for each in (*b.signatures, *a.signatures)}
    signatures = tuple(kept[kid] for kid in sorted(kept))
    return cose.write(replace(a, signatures=signatures))


def identity(payload: bytes, suite: Suite) -> bytes:
    """Return the digest by which tokens name a permit; signatures do not change it."""
    return suite.digest(payload)


def check(
    data: bytes,
    roster: Sequence[Party],
    rules: Sequence[Rule],
    *,
    enclosure: str,
    serial: str,
    now_s: int,
) -> tuple[Permit, tuple[Party, ...]]:
    """Return a permit of this enclosure and who signed it, if they are enough for all its actions.

    now_s: time at which it was signed or is used; suites are judged by it, its window is not: see
    `covers`. Raises FormatError, SignatureError or PermitError.
    """
    item, permit = peek(data)
    if (permit.enclosure, permit.serial) != (enclosure, serial):
        _forbid(f"it is for {permit.enclosure}, serial {permit.serial}, not for this enclosure")
    parties = signed_by(item, roster, now_s)
    for action in permit.actions:
        found = [rule for rule in rules if rule.action == action]
        if len(found) != 1:
            _forbid(f"reference values have {len(found)} rules for action {action}")
        agree(parties, found[0])
    return permit, parties


def covers(permit: Permit, action: str, module: str, now_s: int) -> None:
    """Check that the permit allows `action` on this module or face now; PermitError if not."""
    if action not in permit.actions:
        _forbid(f"it allows {', '.join(permit.actions)}, not {action}")
    if module not in permit.modules and module not in permit.faces:
        places = ", ".join((*permit.faces, *permit.modules))
        _forbid(f"it is for {places}, not for {module}")
    if now_s < permit.not_before_s:
        _forbid(f"it begins {permit.not_before_s - now_s} s later")
    if now_s >= permit.not_after_s:
        _forbid(f"it ended {now_s - permit.not_after_s} s ago")


def _names(f: Fields, key: int) -> tuple[str, ...]:
    listed: list[Any] = f.array(key, 1, 64)
    names = [text(each, "a permit", key) for each in listed]
    if names != sorted(set(names)):
        refuse("a permit", f"{key!r} is not sorted, or has a name twice")
    return tuple(names)


def _forbid(why: str) -> NoReturn:
    raise PermitError(
        f"the permit does not allow this: {why}.",
        remedy="ask for a permit with the right scope and have it signed.",
    )
