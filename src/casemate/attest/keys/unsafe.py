"""A holder for tests: keys on the heap of this process, and faults on demand. Never for evidence.

    holder = UnsafeHolder(faults={Fault.LIES_ABOUT_ERASURE})

Each fault breaks one promise of `KeyHolder`; the conformance kit finds each.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from casemate.attest.keys import allowed
from casemate.attest.keys.approval import ApprovalCheck, NoQuorum
from casemate.attest.keys.protocol import (
    CustodyError,
    Erasure,
    HolderState,
    gone,
    one_each,
)
from casemate.core.private_keys import from_seed
from casemate.core.suites import DEFAULT_SUITE, PublicKey, Suite


class Fault(StrEnum):
    """What goes wrong."""

    CANNOT_SIGN = "signing fails, as of a busy or broken store"
    WRONG_SIGNATURE = "a signature has one bit flipped"
    LIES_ABOUT_ERASURE = "zeroise reports success and erases nothing"
    KNOWN_KEY_AFTER_ERASURE = "after zeroise it signs with the key of a zero seed"
    STORE_KEEPS_KEYS = "zeroise leaves the key store as it was, and says so"
    SEAL_IGNORED = "a sealed holder signs everything"
    ANY_APPROVAL = "any approval unseals"
    LAST_WORD_TWICE = "the last word can be spoken again"
    LAST_WORD_LOST = "zeroise takes the last word with it"
    LAST_WORD_OF_ANYTHING = "the last word's keys sign any message"
    SLOW_ERASURE = "zeroise takes 50 ms"


class UnsafeHolder:
    """`KeyHolder` without any protection. seed: of all keys; the same seed, the same keys."""

    def __init__(
        self,
        suite: Suite = DEFAULT_SUITE,
        *,
        approval: ApprovalCheck | None = None,
        seed: bytes = b"unsafe",
        faults: Collection[Fault] = (),
    ) -> None:
        self.faults = set(faults)
        self._algorithms = suite.algorithms
        self._approval = approval or NoQuorum()
        self._keys: list[Any] = self._make(b"evidence", seed)
        self._last: list[Any] = self._make(b"last", seed)
        self._public, self._last_public = self._publics(self._keys), self._publics(self._last)
        self._challenge: bytes | None = None
        self._sealings = 0
        self._state = HolderState.READY

    @property
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""
        return self._state

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys."""
        return self._public

    def last_public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the last word's keys."""
        return self._last_public

    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key."""
        each = one_each(message, len(self._algorithms))
        if Fault.CANNOT_SIGN in self.faults:
            raise CustodyError("the key store is busy.", remedy="try again.")
        self._live()
        for one in each:
            if self._challenge is None or Fault.SEAL_IGNORED in self.faults:
                allowed.check_ready(one)
            else:
                allowed.check_sealed(one)
        made = [key.sign(one) for key, one in zip(self._keys, each, strict=True)]
        if Fault.WRONG_SIGNATURE in self.faults:
            made[-1] = bytes([made[-1][0] ^ 1]) + made[-1][1:]
        return tuple(made)

    def seal(self) -> bytes:
        """Seal; return the challenge."""
        self._live()
        if self._challenge is None:
            self._sealings += 1
            self._challenge = hashlib.sha256(b"sealing %d" % self._sealings).digest()
            self._state = HolderState.SEALED
        return self._challenge

    def unseal(self, approval: bytes) -> None:
        """Unseal under a quorum's approval."""
        self._live()
        if self._challenge is None:
            raise CustodyError("the keys are not sealed.", remedy="nothing is to be done.")
        if Fault.ANY_APPROVAL not in self.faults:
            self._approval.check(approval, self._public[-1].kid, self._challenge)
        self._challenge = None
        self._state = HolderState.READY

    def zeroise(self) -> Erasure:
        """Forget the evidence keys: nothing is overwritten here."""
        start = time.perf_counter()
        was = self._state
        if Fault.SLOW_ERASURE in self.faults:
            time.sleep(0.05)
        if was is not HolderState.CLOSED and Fault.LIES_ABOUT_ERASURE not in self.faults:
            self._keys = []
            self._state = HolderState.ERASED
            if Fault.KNOWN_KEY_AFTER_ERASURE in self.faults:
                self._keys = [from_seed(a, bytes(32)) for a in self._algorithms]
            if Fault.LAST_WORD_LOST in self.faults:
                self._last = []
        took = time.perf_counter() - start
        store = False if Fault.STORE_KEEPS_KEYS in self.faults else None
        found = was in (HolderState.READY, HolderState.SEALED)
        return Erasure(
            unusable=store is not False, unusable_s=took, overwritten=found, copied=found,
            overwritten_s=took, dead=True, dead_s=took, store=store,
        )  # fmt: skip

    def last_word(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each of the last word's keys, once."""
        each = one_each(message, len(self._algorithms))
        if self._state is HolderState.CLOSED:
            raise CustodyError("the holder is closed.", remedy="open it again.")
        if not self._last:
            raise gone("The last word is spoken, or its keys are lost")
        for one in each:
            if Fault.LAST_WORD_OF_ANYTHING not in self.faults:
                allowed.check_last(one)
        keys, again = self._last, Fault.LAST_WORD_TWICE in self.faults
        self._last = keys if again else []
        return tuple(key.sign(one) for key, one in zip(keys, each, strict=True))

    def close(self) -> None:
        """Drop all keys."""
        self._keys, self._last = [], []
        self._state = HolderState.CLOSED

    def _live(self) -> None:
        if self._state is HolderState.CLOSED:
            raise CustodyError("the holder is closed.", remedy="open it again.")
        if not self._keys:
            raise gone()

    def _make(self, name: bytes, seed: bytes) -> list[Any]:
        return [
            from_seed(each, hashlib.sha256(b"%s %d %s" % (name, each, seed)).digest())
            for each in self._algorithms
        ]

    def _publics(self, keys: Sequence[Any]) -> tuple[PublicKey, ...]:
        raws = [key.public_key().public_bytes_raw() for key in keys]
        return tuple(PublicKey(a, raw) for a, raw in zip(self._algorithms, raws, strict=True))
