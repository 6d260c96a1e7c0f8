"""The keys inside a holder's process: seeds in a locked page, keys for the time of a signature.

A private key is made from its seed for each signature and freed after it (OpenSSL clears what it
frees). Before a signature is handed out, the key's public half must be the one announced and the
page must not be empty: so a page erased at any moment, or in part, yields no signature, and above
all none by the key that zeros make.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from casemate.attest.keys import allowed
from casemate.attest.keys.approval import CHALLENGE_BYTES, ApprovalCheck
from casemate.attest.keys.memory import LockedPage
from casemate.attest.keys.protocol import CustodyError, gone, one_each
from casemate.core.private_keys import SEED_BYTES, from_seed
from casemate.core.suites import PublicKey


class Vault:
    """Keys of `algorithms` whose seeds lie in `page`, in order. One thread uses it.

    once: these are the last word's keys. log: these are a log's.
    """

    def __init__(
        self,
        page: LockedPage,
        algorithms: Sequence[int],
        approval: ApprovalCheck,
        *,
        once: bool,
        log: bool = False,
    ) -> None:
        self._page = page
        self.once = once
        self._approval = approval
        self._challenge: bytes | None = None
        self._log = allowed.GrowingLog() if log else None
        self._algorithms = tuple(algorithms)
        self._public: tuple[bytes, ...] = ()
        seeds = [bytes(SEED_BYTES) == self._seed(i) for i in range(len(self._algorithms))]
        if not seeds or any(seeds):
            raise CustodyError("there are no seeds.", remedy="see what the key store says.")
        self._public = tuple(_public(self._load(i)) for i in range(len(self._algorithms)))

    @property
    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves."""
        return tuple(PublicKey(a, p) for a, p in zip(self._algorithms, self._public, strict=True))

    def sign(self, messages: Sequence[bytes]) -> list[bytes]:
        """Return a signature of each message by the key of its place."""
        for message in one_each(messages, len(self._algorithms)):
            self._check(message)
        if self._page.is_zero():
            raise gone()
        signatures = []
        for i, message in enumerate(messages):
            key = self._load(i)
            if _public(key) != self._public[i]:
                raise gone()
            signatures.append(key.sign(message))
            del key
        if self._page.is_zero():
            raise gone()
        if self.once:
            self._page.erase()
            if not self._page.is_zero():
                raise CustodyError("the page does not erase.", remedy="replace the controller.")
        return signatures

    def seal(self) -> bytes:
        """Seal; return the challenge. A sealed vault keeps its challenge."""
        if self._challenge is None:
            self._challenge = os.urandom(CHALLENGE_BYTES)
        return self._challenge

    def unseal(self, approval: bytes) -> None:
        """Unseal if the approval holds; the challenge is used up."""
        if self._challenge is None:
            raise CustodyError("the keys are not sealed.", remedy="nothing is to be done.")
        self._approval.check(approval, self.public[-1].kid, self._challenge)
        self._challenge = None

    def _check(self, message: bytes) -> None:
        if self._log is not None:
            self._log.check(message)
        elif self.once:
            allowed.check_last(message)
        elif self._challenge is not None:
            allowed.check_sealed(message)
        else:
            allowed.check_ready(message)

    def _seed(self, i: int) -> memoryview:
        return self._page.view(i * SEED_BYTES, SEED_BYTES)

    def _load(self, i: int) -> Any:
        return from_seed(self._algorithms[i], self._seed(i))


def _public(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes_raw())
