"""Keys with an HSM: the classical one in it, the ML-DSA seed wrapped by it.

Today's tokens sign Ed25519 and know no ML-DSA (SoftHSM 2.6.1 neither). So the Ed25519 key is made
in the token and stays there, used by a small process that holds the session; the ML-DSA seed is
encrypted by an AES key that stays in the token, and unwrapped at a start into a holder's locked
page. A suite without Ed25519 uses the token for wrapping alone.

The ML-DSA process is the gatekeeper: it keeps the seal and the rules, and signs first. Without its
signature nothing verifies, whatever the token signed. This process sees neither key.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from casemate.attest.keys.approval import Quorum
from casemate.attest.keys.cell import Cell, Other, run_module, run_to_end
from casemate.attest.keys.pkcs11_token import TokenPlan
from casemate.attest.keys.process import LaterStore, OnProcess, ProcessHolder
from casemate.attest.keys.protocol import CustodyError, HolderState, one_each
from casemate.core import cbor
from casemate.core.suites import DEFAULT_SUITE, ED25519, PublicKey, Suite

SOURCE_S = 30.0
T = TypeVar("T")
ERASE_S = 5.0
"""SoftHSM destroys an object in some 0.3 ms, up to 4 ms if it asks its disk; a network HSM takes
longer. A planning value."""


class TokenStore:
    """The token's objects, as far as erasing goes: a cell of `pkcs11_cell` does it."""

    def __init__(self, cell: Cell, again: Callable[[], Cell]) -> None:
        self._cell, self._again = cell, again
        self._answered: bool | None = None
        self._erased = False

    def begin_erase(self) -> None:
        """Tell the cell."""
        self._cell.overwrite()

    def answered(self) -> bool:
        """Wait; return whether the token has destroyed both keys that all else depends on."""
        if self._answered is None:
            self._answered = self._cell.await_word(ERASE_S)
        return self._answered

    def end_erase(self) -> bool:
        """Return whether the token shows no object of ours; else a cell is started again."""
        if not self._erased:
            self.answered()
            self._erased = self._cell.await_word(ERASE_S) or self._by_another_cell()
        self._cell.kill()
        self._cell.await_death()
        return self._erased

    def close(self) -> None:
        """End the cell; the token keeps its objects."""
        self._cell.discard()

    def _by_another_cell(self) -> bool:
        with suppress(CustodyError):
            cell = self._again()
            cell.overwrite()
            cell.await_word(ERASE_S)  # of the keys; what counts is that nothing is left
            erased = cell.await_word(ERASE_S)
            cell.discard()
            return erased
        return False


class Pkcs11Holder(OnProcess):
    """`KeyHolder` with a PKCS#11 token.

    fresh: make new keys (at commissioning); CustodyError if there are some already. Otherwise the
    keys of the start before; CustodyError if they are gone.
    """

    def __init__(
        self,
        plan: TokenPlan,
        suite: Suite = DEFAULT_SUITE,
        *,
        fresh: bool = False,
        sealed: bool = False,
        quorum: Quorum | None = None,
    ) -> None:
        self._suite = suite
        own = tuple(each for each in suite.algorithms if each != ED25519)
        classical = len(own) != len(suite.algorithms)
        if len(own) != 1:
            raise CustodyError(
                f"suite {suite.name} has not one ML-DSA key.", remedy="use another suite."
            )
        source = _Source(plan, fresh=fresh, classical=classical)
        store = LaterStore()
        gate = Suite(name=suite.name, algorithms=own, hash=suite.hash, since_s=suite.since_s)
        try:
            super().__init__(
                ProcessHolder(
                    gate, last=suite, sealed=sealed, quorum=quorum, source=source, store=store
                )
            )
        except CustodyError as error:
            if source.said:
                raise CustodyError(source.said, remedy=error.remedy) from None
            raise
        try:
            self._cell = _start(plan, classical=classical)
        except BaseException:
            self._holder.close()
            raise
        store.now = TokenStore(self._cell, lambda: _start(plan, classical=False))

    @property
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""
        state = self._holder.state
        alive = state in (HolderState.READY, HolderState.SEALED)
        return HolderState.ERASED if alive and self._cell.dead else state

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys."""
        return tuple(self._by_algorithm(self._cell.public, self._holder.public()))

    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key; the ML-DSA key's process decides."""
        each = one_each(message, len(self._suite.algorithms))
        ours = [m for a, m in zip(self._suite.algorithms, each, strict=True) if a != ED25519]
        theirs = [m for a, m in zip(self._suite.algorithms, each, strict=True) if a == ED25519]
        first = self._holder.sign(ours)
        second = self._cell.sign(theirs) if theirs else ()
        return tuple(self._by_algorithm(second, first))

    def close(self) -> None:
        """Drop keys from memory; the token keeps its own."""
        self._holder.close()

    def _by_algorithm(self, classical: Sequence[T], own: Sequence[T]) -> list[T]:
        left, right = iter(classical), iter(own)
        return [next(left if each == ED25519 else right) for each in self._suite.algorithms]


def _start(plan: TokenPlan, *, classical: bool) -> Cell:
    config = {"token": plan.as_plain(), "classical": classical}
    return Cell((), other=Other(module="pkcs11_cell", config=config, env=dict(plan.env)))


class _Source:
    """Runs `pkcs11_source`; `said` is what went wrong."""

    def __init__(self, plan: TokenPlan, *, fresh: bool, classical: bool) -> None:
        self._plan, self._fresh, self._classical = plan, fresh, classical
        self.said = ""

    def __call__(self, out: int, length: int) -> subprocess.Popen[bytes]:
        told, tell = os.pipe()
        plan, give = os.pipe()
        try:
            os.write(give, cbor.encode(self._plan.as_plain()))
            process = run_module(
                "pkcs11_source",
                [out, tell, length, int(self._fresh), int(self._classical), plan],
                [out, tell, plan],
                env=dict(self._plan.env),
            )
            run_to_end(process, SOURCE_S)
            os.set_blocking(told, False)
            with suppress(BlockingIOError):
                self.said = os.read(told, 4096).decode(errors="replace")
            return process
        finally:
            for descriptor in (told, tell, plan, give):
                os.close(descriptor)
