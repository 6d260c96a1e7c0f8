"""What the controller has to do, in the order given: the runtime carries it out, and adds nothing.

Keys come first: nothing stands before `Zeroise` or before a `Seal` that a verdict or a face has set
off, but the `Unlock` of an emergency.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from casemate.control.scope import Scope


class Signer(StrEnum):
    """Who signs a record.

    KEYS: live or sealed; sealed ones sign no ARMED and no
    MAINTENANCE. PARTIES: the approval itself is the proof. NOBODY: no key is left."""

    KEYS = "KEYS"
    LAST_WORD = "LAST_WORD"
    PARTIES = "PARTIES"
    NOBODY = "NOBODY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a token of kind "state" or "permit" has to say.

    kind: state, keys, permit, alert, supply, entry, module, anchor, refused. before, after: states.
    at_s: monotonic. subject: digest of a permit, an approval's document or an anchor; b"" if none.
    act: one of claims.ACTS if a token of kind "permit" has to say it. place: face or module.
    """

    kind: str
    before: str
    after: str
    reason: str
    at_s: float
    subject: bytes = b""
    act: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zeroise:
    """Destroy the keys, sealed ones too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Wrap the keys under the quorum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseal:
    """Open the keys with an approval's document (its SHA-256)."""

    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeKeys:
    """Make new keys and a new last word, bound to an anchor."""

    anchor: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Put a record into the evidence. Unsigned ones (NOBODY) tell the host alone."""

    record: Record
    by: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitPermit:
    """Log a permit and report `PermitLogged`; nothing may be opened before witnesses have it."""

    permit: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """Leave exactly this out of detection, from now on; nothing if empty."""

    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock:
    """Open the locks of these faces."""

    faces: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Close the locks of these faces."""

    faces: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Tell people."""

    level: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreChips:
    """Ask more challenges, with a fresh key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Tell who asked that nothing was done, and why."""

    reason: str


Action = (
    Zeroise | Seal | Unseal | MakeKeys | Evidence | SubmitPermit | Mask | Unlock | Lock | Alert
    | MoreChips | Refuse
)  # fmt: skip
