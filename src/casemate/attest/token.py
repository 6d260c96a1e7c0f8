"""A token: one signed statement of an enclosure, an EAT (RFC 9711) in COSE_Sign.

Everything in it is under every signature. `read` is the way to a token that can be relied on;
`peek` shows what an item says before anybody has checked who says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from casemate.attest import _bodies, cose
from casemate.attest import claims as c
from casemate.attest._fields import DIGESTS, Fields, named, refuse
from casemate.core import cbor
from casemate.core.suites import PublicKey, Signer, Suite

TYPE = "application/eat+cwt"
"""Media type of a token (RFC 9782)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRef:
    """The latest checkpoint with a quorum that the enclosure knew.

    note: SHA-256 of the note with its cosignatures, b"" if it is not named. It alone bounds from
    below when a token was made: nobody knows it before witnesses have signed, while whoever has the
    enclosure's keys can work out sizes and roots ahead.
    """

    origin: str
    size: int
    root: bytes
    note: bytes = b""

    def listed(self) -> list[str | int | bytes]:
        """Return [origin, size, root], and the note's digest if it is named."""
        return [self.origin, self.size, self.root, *([self.note] if self.note else ())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict of detection. level: of the response. Evidence and information in 0.001 nat.

    information_millinats: what an attack of the reaction time could show, at the worst place.
    """

    verdict: str
    level: int
    millinats: int
    information_millinats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorHealth:
    """Channels in all, those without a fault, and the union of the others' Health flags."""

    channels: int
    healthy: int
    flags: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What an enclosure says at one point of its log.

    boot: counts starts, from 1. sequence: index in the enclosure's log, from 0. previous: digest of
    the token before, b"" with the first. time_s: its own wall clock, Unix seconds, only
    informative; None if it has none. uptime_s: since the start. anchor, software, permit: digests;
    b"" if there is none. nonce: what an inspector asked with, b"" if none did.
    """

    enclosure: str
    serial: str
    boot: int
    sequence: int
    previous: bytes
    uptime_s: int
    state: str
    software: bytes
    body: c.Body
    time_s: int | None = None
    checkpoint: CheckpointRef | None = None
    verdict: Judgement | None = None
    health: SensorHealth | None = None
    anchor: bytes = b""
    permit: bytes = b""
    nonce: bytes = b""

    @property
    def kind(self) -> str:
        """Return boot, state, heartbeats, payload, permit or last."""
        return _bodies.kind_of(self.body)


def encode(token: Token) -> bytes:
    """Return the claims as CBOR; FormatError if `decode` would refuse them."""
    out = cbor.encode(_claims(token))
    decode(out)
    return out


def decode(payload: bytes) -> Token:
    """Return the token of these claims; FormatError unless they are what `encode` gives."""
    f = Fields(cbor.decode(payload, depth=6), "a token")
    if f.take(c.EAT_PROFILE) != c.PROFILE:
        refuse("a token", f"has not the profile {c.PROFILE}")
    kind = f.choice(c.KIND, _bodies.KINDS)
    token = Token(
        enclosure=f.text(c.ENCLOSURE),
        serial=f.text(c.SERIAL),
        boot=f.number(c.BOOT_COUNT),
        sequence=f.number(c.SEQUENCE),
        previous=f.digest(c.PREVIOUS),
        uptime_s=f.number(c.UPTIME),
        state=f.choice(c.STATE, c.STATES),
        software=f.octets(c.SOFTWARE, *DIGESTS),
        time_s=f.number(c.IAT) if f.has(c.IAT) else None,
        checkpoint=read_checkpoint(f.take(c.CHECKPOINT)) if f.has(c.CHECKPOINT) else None,
        verdict=_verdict(f.take(c.VERDICT)) if f.has(c.VERDICT) else None,
        health=_health(f.take(c.HEALTH)) if f.has(c.HEALTH) else None,
        anchor=f.digest(c.ANCHOR),
        permit=f.digest(c.PERMIT),
        nonce=f.octets(c.NONCE, *range(8, 65)) if f.has(c.NONCE) else b"",
        body=_bodies.read(kind, f.take(c.BODY)),
    )
    f.done()
    _consistent(token)
    return token


def unquoted(token: Token) -> bytes:
    """Return the claims of a boot token without its quote: what the quote is for.

    FormatError for another token.
    """
    if not isinstance(token.body, c.Boot):
        refuse("a quote", "is for a boot token alone")
    return encode(replace(token, body=replace(token.body, quote=None)))


def sign(token: Token, signers: Sequence[Signer]) -> bytes:
    """Return the token's bytes, signed by each signer in order."""
    return cose.build(TYPE, encode(token), signers)


def messages(payload: bytes, keys: Sequence[PublicKey]) -> tuple[bytes, ...]:
    """Return what each key has to sign, for keys that another process holds."""
    return cose.messages(TYPE, payload, keys)


def assemble(payload: bytes, keys: Sequence[PublicKey], signatures: Sequence[bytes]) -> bytes:
    """Return the token's bytes from signatures over `messages`, in the same order."""
    return cose.assemble(TYPE, payload, keys, signatures)


def peek(data: bytes) -> tuple[cose.Signed, Token]:
    """Return the item and what it says, with nothing checked but form; FormatError."""
    item = cose.parse(data, typ=TYPE)
    return item, decode(item.payload)


def read(data: bytes, keys: Sequence[PublicKey], suite: Suite) -> Token:
    """Return the token if exactly `keys`, in the suite's order, signed it.

    SignatureError if not; FormatError if it is malformed.
    """
    item = cose.parse(data, typ=TYPE)
    cose.check_suite(item, keys, suite)
    return decode(item.payload)


def _claims(token: Token) -> dict[int, Any]:
    known, verdict, health = token.checkpoint, token.verdict, token.health
    return named(
        {
            c.EAT_PROFILE: c.PROFILE,
            c.ENCLOSURE: token.enclosure,
            c.SERIAL: token.serial,
            c.KIND: token.kind,
            c.BOOT_COUNT: token.boot,
            c.SEQUENCE: token.sequence,
            c.PREVIOUS: token.previous,
            c.UPTIME: token.uptime_s,
            c.STATE: token.state,
            c.SOFTWARE: token.software,
            c.IAT: token.time_s,
            c.CHECKPOINT: known.listed() if known else None,
            c.VERDICT: [
                verdict.verdict, verdict.level, verdict.millinats, verdict.information_millinats
            ] if verdict else None,
            c.HEALTH: [health.channels, health.healthy, health.flags] if health else None,
            c.ANCHOR: token.anchor,
            c.PERMIT: token.permit,
            c.NONCE: token.nonce,
            c.BODY: _bodies.write(token.body),
        }
    )  # fmt: skip


def _consistent(token: Token) -> None:
    if (token.sequence == 0) == bool(token.previous):
        refuse("a token", "names a previous one though it is the first, or none though it is not")
    if token.boot < 1:
        refuse("a token", "counts its starts from below 1")
    if isinstance(token.body, c.Change) and token.body.after != token.state:
        refuse("a token", "says another state than it has changed to")
    if isinstance(token.body, c.LastWord) and token.state != "TAMPERED":
        refuse("a token", "is a last word in another state than TAMPERED")


def _listed(value: object, what: str, count: int) -> Fields:
    if type(value) is not list or len(value) != count:
        refuse(what, f"is not an array of {count}")
    return Fields(dict(enumerate(value)), what)


def read_checkpoint(value: object, what: str = "a token's checkpoint") -> CheckpointRef:
    """Return the checkpoint of [origin, size, root] or with a note; FormatError about `what`."""
    longer = type(value) is list and len(value) == 4
    f = _listed(value, what, 4 if longer else 3)
    return CheckpointRef(
        origin=f.text(0),
        size=f.number(1),
        root=f.octets(2, 32),
        note=f.octets(3, 32) if longer else b"",
    )


def _verdict(value: object) -> Judgement:
    f = _listed(value, "a token's verdict", 4)
    return Judgement(
        verdict=f.choice(0, c.VERDICTS),
        level=f.number(1, 4),
        millinats=f.number(2),
        information_millinats=f.number(3),
    )


def _health(value: object) -> SensorHealth:
    f = _listed(value, "a token's health", 3)
    health = SensorHealth(channels=f.number(0), healthy=f.number(1), flags=f.number(2, 65_535))
    if health.healthy > health.channels:
        refuse("a token's health", "has more healthy channels than channels")
    return health
