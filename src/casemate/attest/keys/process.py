"""Keys in small processes of their own: the controller holds descriptors, never a key.

`ProcessHolder` has two (cell.py): one for the evidence keys, one for the last word's.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from casemate.attest.keys.approval import Quorum
from casemate.attest.keys.cell import WORD_S, Cell, Source
from casemate.attest.keys.memory import Hardening, urgently
from casemate.attest.keys.protocol import (
    CustodyError,
    Erasure,
    HolderState,
    KeysGoneError,
    gone,
)
from casemate.core.suites import DEFAULT_SUITE, PublicKey, Suite

_NOTHING = Erasure(
    unusable=True, unusable_s=0.0, overwritten=False, overwritten_s=0.0, copied=False, dead=True,
    dead_s=0.0,
)  # fmt: skip


class KeyStore(Protocol):
    """Where seeds outlive the holder's process."""

    def begin_erase(self) -> None:
        """Start to erase them, without waiting for the end. Does not raise."""
        ...

    def answered(self) -> bool:
        """Wait for the answer to that; return whether it was that they are gone. Does not raise."""
        ...

    def end_erase(self) -> bool:
        """Look; return whether they are gone, after another try if need be. Does not raise."""
        ...

    def close(self) -> None:
        """Let go of the store; what it holds stays."""
        ...


class ProcessHolder:
    """`KeyHolder` by two processes. Without `source` the keys live as long as it does.

    last: suite of the last word, if another. quorum: who unseals; nobody without. source, store:
    where seeds come from and stay. sealed: start sealed, since the keys were when the holder before
    ended (`seal` gives the challenge).
    """

    def __init__(
        self,
        suite: Suite = DEFAULT_SUITE,
        *,
        last: Suite | None = None,
        sealed: bool = False,
        quorum: Quorum | None = None,
        source: Source | None = None,
        store: KeyStore | None = None,
    ) -> None:
        self._store = store
        self._sealed = sealed
        self._closed = self._erased = False
        self._guard = threading.Lock()
        self._last = Cell((last or suite).algorithms, once=True, wait=False)
        try:
            self._evidence = Cell(suite.algorithms, sealed=sealed, quorum=quorum, source=source)
        except BaseException:
            self._last.close()
            raise
        try:
            self._last.greet()
        except BaseException:
            self._evidence.close()
            raise

    @property
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""
        if self._closed:
            return HolderState.CLOSED
        if self._erased or self._evidence.dead:
            return HolderState.ERASED
        return HolderState.SEALED if self._sealed else HolderState.READY

    @property
    def hardening(self) -> Hardening:
        """Return what the system granted the process of the evidence keys."""
        return self._evidence.hardening

    @property
    def pids(self) -> tuple[int, int]:
        """Return the processes of the evidence keys and of the last word's."""
        return self._evidence.pid, self._last.pid

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys."""
        return self._evidence.public

    def last_public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the last word's keys."""
        return self._last.public

    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key: of one message, or each of its own."""
        self._live()
        return self._evidence.sign(message)

    def seal(self) -> bytes:
        """Seal; return the challenge."""
        self._live()
        challenge: bytes = self._evidence.ask({"do": "seal"})
        self._sealed = True
        return challenge

    def unseal(self, approval: bytes) -> None:
        """Unseal under a quorum's approval, which the holder's process checks."""
        self._live()
        self._evidence.ask({"do": "unseal", "approval": approval})
        self._sealed = False

    def zeroise(self) -> Erasure:
        """Erase the evidence keys here and in the store."""
        start = time.perf_counter()
        with urgently(), self._guard:  # which `close` alone contends for
            return _NOTHING if self._closed else self._zeroise(start)

    def _zeroise(self, start: float) -> Erasure:
        went = self._evidence.overwrite()
        self._erased = True
        if self._store is not None:
            self._store.begin_erase()
        overwritten = self._evidence.await_word(WORD_S)
        told = time.perf_counter()
        self._evidence.kill()
        answered = self._store is None or self._store.answered()
        unusable = answered and (overwritten or (went and self._evidence.copied()))
        known = time.perf_counter()
        # keys are gone; from here on it is looked whether that is so, and the memory freed
        stored = self._store.end_erase() if self._store is not None else None
        forgot = time.perf_counter()
        dead = self._evidence.await_death()
        died = time.perf_counter()
        if not unusable:
            unusable, known = dead and stored is not False, died
        return Erasure(
            unusable=unusable and stored is not False,
            unusable_s=known - start,
            overwritten=overwritten,
            overwritten_s=told - start,
            copied=went and self._evidence.copied(),
            dead=dead,
            dead_s=died - start,
            store=stored,
            stored_s=forgot - start if stored is not None else 0.0,
        )

    def last_word(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each of the last word's keys, once."""
        if self._closed:
            raise CustodyError("the holder is closed.", remedy="open it again.")
        try:
            return self._last.sign(message)
        except KeysGoneError:
            raise gone("The last word is spoken, or its keys are lost") from None

    def close(self) -> None:
        """Drop all keys from memory."""
        with self._guard:
            if not self._closed:
                self._closed = True
                self._evidence.close()
                self._last.close()
                if self._store is not None:
                    self._store.close()

    def _live(self) -> None:
        if self._closed:
            raise CustodyError("the holder is closed.", remedy="open it again.")
        if self._erased:
            raise gone()


class OnProcess(ABC):
    """A holder whose rules are kept by a `ProcessHolder`: what such backends have in common."""

    def __init__(self, holder: ProcessHolder) -> None:
        self._holder = holder

    @property
    @abstractmethod
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""

    @abstractmethod
    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys."""

    @abstractmethod
    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key."""

    @abstractmethod
    def close(self) -> None:
        """Drop all keys from memory; what a store holds stays."""

    @property
    def hardening(self) -> Hardening:
        """Return what the system granted the process of the evidence keys."""
        return self._holder.hardening

    def last_public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the last word's keys."""
        return self._holder.last_public()

    def seal(self) -> bytes:
        """Seal; return the challenge."""
        return self._holder.seal()

    def unseal(self, approval: bytes) -> None:
        """Unseal under a quorum's approval."""
        self._holder.unseal(approval)

    def zeroise(self) -> Erasure:
        """Erase the evidence keys in the process and in the store."""
        return self._holder.zeroise()

    def last_word(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each of the last word's keys, once."""
        return self._holder.last_word(message)


class LaterStore:
    """A `KeyStore` that is there only once the source of seeds has let go of it."""

    now: KeyStore | None = None

    def begin_erase(self) -> None:
        """Start to erase, if the store is there."""
        if self.now is not None:
            self.now.begin_erase()

    def answered(self) -> bool:
        """Return whether the store is there and has answered."""
        return self.now is not None and self.now.answered()

    def end_erase(self) -> bool:
        """Return whether the store is there and says that its keys are gone."""
        return self.now is not None and self.now.end_erase()

    def close(self) -> None:
        """Let go of the store."""
        if self.now is not None:
            self.now.close()
