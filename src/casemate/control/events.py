"""What happens to an enclosure, as the runtime reports it. Signatures are checked before.

An `Approval` or `Terms` stands for a document whose signatures hold against the roster; the machine
decides what they are worth.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.control.permits import Terms
from casemate.control.scope import NOTHING, Scope
from casemate.control.states import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A document signed by parties. purpose: commission, recommission, unseal, re-anchor, retire.

    roles: of those whose signatures hold. challenge: `Machine.challenge` that it answers, or the
    key holder's to unseal. subject: SHA-256 of an anchor for commission and re-anchor.
    document: SHA-256 of its bytes.
    """

    purpose: str
    roles: frozenset[str]
    challenge: bytes
    document: bytes
    subject: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict of detection. level: of the response. masked: what was left out of it."""

    level: int
    verdict: str
    masked: Scope = NOTHING
    wants_chips: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A self-test's end: software, readers and the model against `anchor`, `masked` left out."""

    passed: bool
    anchor: bytes
    masked: Scope = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Time passes; at least once every `stale_s`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A reader says nothing any more. module: whose it is."""

    module: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """The loop of detection has missed its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyLost:
    """The supply is cut; hold-up lasts `hold_s` from now."""

    hold_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyBack:
    """The supply is there again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A face opens. corroborated: a second kind of sensor says so too."""

    face: str
    corroborated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A face is closed again."""

    face: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Another module answers in a module's place. proven: its key is in the reference values."""

    module: str
    proven: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """Somebody has to get in at once (fire, leak)."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A permit is shown to the enclosure."""

    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitLogged:
    """The permit lies in the log as entry `index`."""

    permit: bytes
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A quorum has cosigned a checkpoint of `size` entries made at `made_s` (monotonic).

    quorum_s: wall time, Unix, by which it stood if of every quorum one witness tells the truth;
    least_s: that was reached then, likewise (None: the same). Whose clock runs ahead moves the
    first alone, which a permit's end is held against and nothing that lasts.
    """

    size: int
    quorum_s: float
    made_s: float
    least_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """The technician begins, with a one-time token."""

    token: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The technician is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysFound:
    """What the key holder really has by its own account."""

    keys: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The key holder has sealed, and an approval has to answer this challenge."""

    challenge: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """In commissioning: the model is measured and frozen."""

    anchor: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """Both parties sign anchor, software and public keys."""

    approval: Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Reanchor:
    """Both parties sign a new anchor after modules were replaced."""

    anchor: bytes
    approval: Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A quorum opens sealed keys."""

    approval: Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommission:
    """Both parties begin commissioning anew."""

    approval: Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    """Both parties take the enclosure out of service."""

    approval: Approval


Event = (
    Judgement | Checked | Tick | Silent | Watchdog | SupplyLost | SupplyBack | Opened | Closed
    | Replaced | Emergency | Presented | PermitLogged | Witnessed | Begin | Finish | KeysFound
    | Sealed | Anchored | Commission | Reanchor | Release | Recommission | Retire
)  # fmt: skip
