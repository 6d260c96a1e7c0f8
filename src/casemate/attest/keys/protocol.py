"""What holds the enclosure's signing keys, and what it promises.

Two keys' worth of custody, each with one key an algorithm of the suite:

- the evidence keys sign tokens. They can be sealed (signs nothing but tokens that say so) and
  unsealed under a quorum, and are erased by `zeroise`;
- the last word's keys sign one message in their life, also after `zeroise`, and are gone then.
  Verifiers take them for a token of kind "last" and nothing else.

No method hands out a private key. Keys exist in ARMED and MAINTENANCE only: the runtime opens a
holder on the way into them and closes it on the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from casemate.core.errors import CasemateError
from casemate.core.suites import PublicKey

MESSAGE_MOST = 65_535
"""Bytes of a message to be signed: the size of an entry of the log."""


class CustodyError(CasemateError):
    """The holder cannot be started or reached, or refuses. What it holds is then unknown."""

    exit_code = 3


class SealedError(CustodyError):
    """The keys are sealed: they sign only what says so."""


class KeysGoneError(CustodyError):
    """The keys are erased, or the one-shot key is used up. They cannot come back."""


class HolderState(StrEnum):
    """READY signs; SEALED signs what says so; ERASED after zeroise or loss; CLOSED at rest."""

    READY = "ready"
    SEALED = "sealed"
    ERASED = "erased"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What `zeroise` achieved. Times in seconds from the call.

    unusable: no signature can come any more, now or at a later start: the page is overwritten (or
    the holder dead), the holder killed, and the key store, if any, has answered that the keys are
    erased. unusable_s: when the caller knew. What follows verifies it, and takes longer.
    overwritten: the holder read its pages back as zeros. overwritten_s: when the caller knew, or
    gave up waiting and killed the holder. copied: the kernel copied the zeros over the page; known
    even of a holder that was killed before it could read back. dead: the kernel has ended the
    holder and freed its memory; dead_s: when the caller knew.
    store: what is left in the key store (TPM, HSM), as it shows when it is looked at again: True
    erased, False not, None no store. stored_s: when that was known.
    """

    unusable: bool
    unusable_s: float
    overwritten: bool
    overwritten_s: float
    copied: bool
    dead: bool
    dead_s: float
    store: bool | None = None
    stored_s: float = 0.0

    @property
    def complete(self) -> bool:
        """Return whether nothing is left: the holder is dead and the store, if any, is erased."""
        return self.dead and self.store is not False

    @property
    def verified_s(self) -> float:
        """Return when all was known: store and holder."""
        return max(self.dead_s, self.stored_s)


@runtime_checkable
class KeyHolder(Protocol):
    """Custody of an enclosure's keys. Each method may be called from any thread."""

    @property
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""
        ...

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys, in the suite's order."""
        ...

    def last_public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the last word's keys, in the suite's order."""
        ...

    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key, in the order of `public`.

        message: one for all keys, or one for each (a COSE_Sign names the key in what it signs).
        SealedError while sealed, KeysGoneError after erasure, CustodyError if it cannot be done.
        """
        ...

    def seal(self) -> bytes:
        """Seal the evidence keys; return the challenge that an approval has to answer."""
        ...

    def unseal(self, approval: bytes) -> None:
        """Unseal under a quorum's approval (`approval.py`); CustodyError unless it is right."""
        ...

    def zeroise(self) -> Erasure:
        """Erase the evidence keys here and in the key store. Waits for no signature. Never raises.

        A second call finds nothing and says so.
        """
        ...

    def last_word(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each of the last word's keys, once; KeysGoneError after that.

        The keys are gone before the signatures are handed out. CustodyError, and the keys stay, if
        it is no token of kind "last" (`allowed.py`).
        """
        ...

    def close(self) -> None:
        """Drop all keys from memory and end. What a key store holds stays, for the next start."""
        ...


def gone(what: str = "The evidence keys are erased") -> KeysGoneError:
    """Return the error for keys that are no more."""
    return KeysGoneError(
        f"{what}.", remedy="commission the enclosure anew, with both parties' signatures."
    )


def one_each(message: bytes | Sequence[bytes], keys: int) -> list[bytes]:
    """Return a message for each key; CustodyError unless it is one for all or one for each."""
    each = [message] * keys if isinstance(message, bytes) else list(message)
    if len(each) != keys:
        raise CustodyError(
            f"{len(each)} messages are not one for each of {keys} keys.",
            remedy="give one message for all keys, or one for each.",
        )
    for one in each:
        check_message(one)
    return each


def check_message(message: bytes) -> None:
    """Refuse what no holder signs: CustodyError unless 1 to MESSAGE_MOST bytes."""
    if type(message) is not bytes or not 0 < len(message) <= MESSAGE_MOST:
        raise CustodyError(
            f"a holder signs 1 to {MESSAGE_MOST} bytes.", remedy="split or hash the message."
        )
