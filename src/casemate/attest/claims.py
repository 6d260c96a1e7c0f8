"""What a token says beside its header: one body for each kind, and numbers of claims.

Numbers below -65536 are private (RFC 8392, section 9.1); the others are those of CWT and EAT (RFC
9711). docs/formats/evidence.md says what each claim reveals to whom.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.core.suites import PublicKey

PROFILE = "tag:casemate.example,2026:evidence/1"
"""The profile (RFC 9711, section 6). The name stands until the project has a domain."""

IAT, NONCE, UPTIME, EAT_PROFILE, BOOT_COUNT = 6, 10, 261, 265, 267
(ENCLOSURE, SERIAL, KIND, SEQUENCE, PREVIOUS, CHECKPOINT, STATE, VERDICT, HEALTH, ANCHOR) = range(
    -70_001, -70_011, -1
)
SOFTWARE, PERMIT, BODY = -70_011, -70_012, -70_013

STATES = ("COMMISSIONING", "ARMED", "MAINTENANCE", "TAMPERED", "UNKNOWN", "RETIRED")
RACK = "rack"
"""The stream of a rack's inventory."""
VERDICTS = ("NORMAL", "INTERFERENCE", "DENIED", "TAMPER")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A TPM's quote as it came: TPMS_ATTEST and TPMT_SIGNATURE. `quote.py` checks it."""

    attest: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """The controller started. keys: of evidence, in the suite's order; last_word: of the last word.

    reason: why it started, such as "commissioned", "restarted", "re-anchored". components: digests
    of measured software, sorted by name. quote: of the token without it, by the TPM that keeps
    the keys; None if none does. A nonce that was asked for stands in the token's header.
    unwatched: places, such as faces, that no sensor watches, sorted; () if all is watched.
    """

    suite: str
    keys: tuple[PublicKey, ...]
    last_word: tuple[PublicKey, ...]
    reason: str
    components: tuple[tuple[str, bytes], ...] = ()
    quote: Quote | None = None
    unwatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The state went from `before` to `after`. detail: digest of what stays with the host.

    inventory: digest of what a rack consists of, as both parties have signed it; where it is armed
    from COMMISSIONING alone.
    """

    before: str
    after: str
    reason: str
    detail: bytes = b""
    inventory: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeats:
    """A batch of heartbeats: number `first` .. `first + count - 1` since the start.

    start_ms: uptime of the first. period_ms: nominal. beats: packed, see beats.py. head: the
    chain's end after the last of them.
    """

    first: int
    start_ms: int
    period_ms: int
    beats: bytes
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What the protected thing made: items `first` .. `first + count - 1` of `stream`.

    root: of the Merkle tree (RFC 9162) over one leaf an item: its salt, then its digest. So one
    item can be shown alone, with its salt and its path, and nothing is told of the others.
    """

    stream: str
    first: int
    count: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitUse:
    """What became of a permit: `act` is one of ACTS.

    permit: digest of its payload, b"" in an emergency. signed: the whole signed permit, with act
    "logged" alone. module, anchor, keys: what was put in place, if a module was replaced; the
    anchor is the new one's digest. inventory: that of the rack with a tray that was replaced.
    """

    act: str
    permit: bytes = b""
    signed: bytes = b""
    module: str = ""
    anchor: bytes = b""
    keys: tuple[PublicKey, ...] = ()
    note: str = ""
    inventory: bytes = b""


ACTS = ("logged", "opened", "closed", "expired", "re-anchored", "emergency")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """The last word, signed by the last word's keys: TAMPERED, and the evidence keys are gone.

    erased_us: from verdict to erasure, microseconds, as the controller measured it. waiting: the
    heartbeats that no key had signed when the keys went.
    """

    reason: str
    erased_us: int
    waiting: Heartbeats | None = None


Body = Boot | Change | Heartbeats | Payload | PermitUse | LastWord
