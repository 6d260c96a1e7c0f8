"""What the controller of an enclosure remembers: its state, its keys, who may do what, deadlines.

All times are readings of one monotonic clock, in seconds. Wall time enters only as the time of a
quorum of witnesses, with a permit.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from enum import StrEnum

from casemate.control.permits import Phase, Work
from casemate.control.scope import NOTHING, Scope


class State(StrEnum):
    """PRODUCT.md: the states of an enclosure."""

    COMMISSIONING = "COMMISSIONING"
    ARMED = "ARMED"
    MAINTENANCE = "MAINTENANCE"
    TAMPERED = "TAMPERED"
    UNKNOWN = "UNKNOWN"
    RETIRED = "RETIRED"


class Keys(StrEnum):
    """What the key holder has. NONE: not made yet; SEALED: a quorum can open; GONE: destroyed."""

    NONE = "NONE"
    LIVE = "LIVE"
    SEALED = "SEALED"
    GONE = "GONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long what may last, s. All are planning values but `grace_s`.

    stale_s: a verdict counts as fresh. grace_s: keys stay live without a fresh verdict, as
    detect.Policy.blind_s; also how long passed checks count. alert_s: between equal alerts.
    margin_s: before the end of hold-up.
    tries: wrong one-time tokens until a permit is void. longest_s: window of a permit.
    most: permits remembered as used.
    """

    stale_s: float = 1.0
    grace_s: float = 10.0
    alert_s: float = 60.0
    margin_s: float = 1.0
    tries: int = 5
    longest_s: float = 31 * 86_400.0
    most: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The controller's whole memory at `now_s`.

    enclosure, serial: whose it is. boot (16 bytes): random at each start. count: of what approvals
    may answer. faces, modules: all there are.
    anchor: SHA-256 of the frozen model, b"" if there is none. stale_at_s: from when the last
    verdict is stale. seal_at_s: when keys are sealed unless all is well again. ready_until_s: how
    long passed checks count. supply_end_s: when hold-up ends. open: faces. replaced: modules that
    are not anchored; alien: those of them that did not prove who they are. emergency: access that
    nobody has closed by an approval. seal_challenge: of the key holder, for an approval that
    unseals; b"" while it has given none. forgot: the memory of an earlier run is lost. last_word:
    is unspent. used: (permit, end of its window) of permits that were presented. quorum_s: latest
    wall time that a quorum vouched for. alert_level, alerted_s: of the last alert.
    """

    enclosure: str
    serial: str
    faces: frozenset[str]
    modules: frozenset[str]
    boot: bytes
    limits: Limits = field(default_factory=Limits)
    state: State = State.COMMISSIONING
    keys: Keys = Keys.NONE
    now_s: float = 0.0
    anchor: bytes = b""
    stale_at_s: float = -math.inf
    seal_at_s: float = math.inf
    ready_until_s: float = -math.inf
    supply_end_s: float = math.inf
    open: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    alien: frozenset[str] = frozenset()
    emergency: bool = False
    forgot: bool = False
    work: Work | None = None
    seal_challenge: bytes = b""
    last_word: bool = False
    used: tuple[tuple[bytes, float], ...] = ()
    quorum_s: float = -math.inf
    alert_level: int = 0
    alerted_s: float = -math.inf
    count: int = 0

    @property
    def masked(self) -> Scope:
        """Return what detection leaves out: the scope of the permit in use, else nothing."""
        return self.work.terms.scope if self.work is not None and self.in_use else NOTHING

    @property
    def in_use(self) -> bool:
        """Return whether work under a permit goes on, in MAINTENANCE or UNKNOWN."""
        return self.work is not None and self.work.phase is Phase.IN_USE

    @property
    def signs_payload(self) -> bool:
        """Return whether frames, traces and the like may be signed now."""
        return (
            self.state in (State.ARMED, State.MAINTENANCE)
            and self.keys is Keys.LIVE
            and self.fresh
            and math.isinf(self.seal_at_s)
        )

    @property
    def fresh(self) -> bool:
        """Return whether the last verdict still counts."""
        return self.now_s < self.stale_at_s

    @property
    def ready(self) -> bool:
        """Return whether checks have passed since the last thing that could change their result."""
        return self.now_s < self.ready_until_s

    @property
    def whole(self) -> bool:
        """Return whether no face is open and every module is anchored."""
        return not (self.open or self.replaced or self.alien)

    @property
    def challenge(self) -> bytes:
        """Return what an approval has to name, 16 bytes: it answers this moment and no other."""
        return challenge(self.enclosure, self.serial, self.boot, self.count)


def challenge(enclosure: str, serial: str, boot: bytes, count: int) -> bytes:
    """Return 16 bytes of SHA-256 over a domain, the enclosure, its serial, this start, a count."""
    parts = (b"casemate approval 1", enclosure.encode(), serial.encode(), boot, b"%d" % count)
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(4, "big") + part)
    return found.digest()[:16]
