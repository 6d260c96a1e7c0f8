"""A permit's way: requested, signed, logged and witnessed before use, in use, closed or expired.

The window is wall time, and no clock of the enclosure is asked for it. A checkpoint that it made at
m and got back at r, cosigned by a quorum at T, puts the wall time of r between T and T + r - m; the
permit begins if all of that lies in its window, and ends on the monotonic clock at the earliest
instant that its window may be over. Steps of any wall clock change nothing.

The technician's token is 20 random bytes. The permit holds its hash; who shows it begins the work,
once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from dataclasses import dataclass, replace
from enum import StrEnum

from casemate.control.scope import Scope
from casemate.core.errors import InputError

TOKEN_BYTES = 20
"""160 bits: no search finds it, however many permits there are; 32 letters to type."""
OPEN, SERVICE, REPLACE, REANCHOR = "open", "service", "replace", "re-anchor"
ACTIONS = (OPEN, SERVICE, REPLACE, REANCHOR)
BOTH = frozenset({"host", "inspector"})
"""Roles without which nothing is allowed; a manufacturer may sign besides."""


class Phase(StrEnum):
    """Where a permit is on its way. The first two are those of a file, the others the machine's."""

    REQUESTED = "requested"
    SIGNED = "signed"
    PRESENTED = "presented"
    LOGGED = "logged"
    IN_USE = "in use"
    CLOSED = "closed"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What parties have signed. permit: digest of the signed bytes. Times are Unix wall time.

    roles: of those whose signatures hold. token: SHA-256 as `token_hash` gives it.
    """

    permit: bytes
    enclosure: str
    serial: str
    scope: Scope
    actions: frozenset[str]
    not_before_s: float
    not_after_s: float
    token: bytes
    roles: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A permit that was shown to the enclosure. index: in the log, -1 before.

    end_s: monotonic, when its window may be over; inf before witnesses have it. tries: wrong
    tokens.
    """

    terms: Terms
    phase: Phase = Phase.PRESENTED
    index: int = -1
    end_s: float = math.inf
    tries: int = 0

    def allows(self, action: str, *, now_s: float, face: str = "", module: str = "") -> bool:
        """Return whether the permit is in force and names the action and the face or module."""
        scope = self.terms.scope
        return (
            self.phase is Phase.IN_USE
            and now_s < self.end_s
            and action in self.terms.actions
            and (face != "" or module != "")
            and (not face or face in scope.faces)
            and (not module or module in scope.modules)
        )


def why_not(terms: Terms, *, enclosure: str, serial: str, all_of: Scope, longest_s: float) -> str:
    """Return why a permit is none for this enclosure, "" if it is one."""
    window_s = terms.not_after_s - terms.not_before_s
    reasons = (
        (terms.enclosure != enclosure or terms.serial != serial, "it is for another enclosure"),
        (not terms.roles >= BOTH, "host and inspector have not both signed it"),
        (not terms.scope, "it names no face and no module"),
        (not terms.scope <= all_of, "it names faces or modules that are not there"),
        (not terms.actions, "it allows no action"),
        (not terms.actions <= set(ACTIONS), "it allows actions that are not known"),
        (not 0.0 < window_s <= longest_s, "its window is empty or too long"),
        (len(terms.token) != 32, "it holds no hash of a technician's token"),
        (len(terms.permit) not in (32, 48), "its digest is none"),
    )
    return next((reason for wrong, reason in reasons if wrong), "")


def logged(work: Work, permit: bytes, index: int) -> Work:
    """Return the permit with its place in the log, unchanged if the report is of another one."""
    if work.phase is not Phase.PRESENTED or permit != work.terms.permit or index < 0:
        return work
    return replace(work, index=index) if work.index < 0 else work


def witnessed(
    work: Work,
    *,
    size: int,
    quorum_s: float,
    made_s: float,
    now_s: float,
    least_s: float | None = None,
) -> Work:
    """Return the permit after a quorum has cosigned `size` entries; ready if they hold it.

    quorum_s, least_s: as in `events.Witnessed`. A time that may lie before the window changes
    nothing; one that may lie behind it is EXPIRED. A checkpoint
    whose span of time is not sound (made later than now, not finite) is none.
    """
    span_s = now_s - made_s
    sound = math.isfinite(quorum_s) and math.isfinite(span_s) and span_s >= 0.0
    if work.phase is not Phase.PRESENTED or not 0 <= work.index < size or not sound:
        return work
    latest_s = quorum_s + span_s
    if latest_s >= work.terms.not_after_s:
        return replace(work, phase=Phase.EXPIRED)
    if (quorum_s if least_s is None else least_s) < work.terms.not_before_s:
        return work
    return replace(work, phase=Phase.LOGGED, end_s=now_s + (work.terms.not_after_s - latest_s))


def begin(work: Work, token: bytes, *, tries: int, now_s: float) -> Work:
    """Return the permit IN_USE, or with one try more, REFUSED after `tries`, EXPIRED if it is."""
    if work.phase is not Phase.LOGGED:
        return work
    if now_s >= work.end_s:
        return replace(work, phase=Phase.EXPIRED)
    if hmac.compare_digest(token_hash(token), work.terms.token):
        return replace(work, phase=Phase.IN_USE, tries=0)
    failed = replace(work, tries=work.tries + 1)
    return replace(failed, phase=Phase.REFUSED) if failed.tries >= tries else failed


def token_hash(token: bytes) -> bytes:
    """Return SHA-256 of a technician's token, for the permit. 160 random bits need no salt."""
    return hashlib.sha256(token).digest()


def token_text(token: bytes) -> str:
    """Return a token as it is handed over: 32 letters and digits in groups of four.

    Raises InputError if it has not 20 bytes.
    """
    if len(token) != TOKEN_BYTES:
        raise InputError(
            f"a technician's token has {TOKEN_BYTES} random bytes.",
            remedy="draw it anew.",
            value=len(token),
        )
    text = base64.b32encode(token).decode()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def token_from(text: str) -> bytes:
    """Return the bytes of a token as typed; case, blanks and hyphens do not matter.

    Raises InputError if it is none.
    """
    plain = "".join(text.split()).replace("-", "").upper()
    try:
        token = base64.b32decode(plain.encode("ascii"), casefold=False)
    except (ValueError, UnicodeEncodeError):
        token = b""
    if len(token) != TOKEN_BYTES:
        raise InputError(
            "that is no technician's token.",
            remedy="type its 32 letters and digits, as they were handed over.",
        )
    return token
