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
from casemate.attest.keys.process import ProcessHolder
from casemate.attest.keys.protocol import CustodyError, Erasure, HolderState, one_each
from casemate.core import cbor
from casemate.core.suites import DEFAULT_SUITE, ED25519, PublicKey, Suite

SOURCE_S = 30.0
T = TypeVar("T")
ERASE_S = 5.0
"""SoftHSM destroys an object in some 4 ms; a network HSM takes longer. A planning value."""


class TokenStore:
    """The token's objects, as far as erasing goes: a cell of `pkcs11_cell` does it."""

    def __init__(self, cell: Cell, again: Callable[[], Cell]) -> None:
        self._cell, self._again = cell, again
        self._erased = False

    def begin_erase(self) -> None:
        """Tell the cell."""
        self._cell.overwrite()

    def answered(self) -> bool:
        """Wait; return whether the token shows no object of ours."""
        self._erased = self._erased or self._cell.await_word(ERASE_S)
        return self._erased

    def end_erase(self) -> bool:
        """Return whether that was so; else a cell is started again for it."""
        self._erased = self._erased or self._by_another_cell()
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
            erased = cell.await_word(ERASE_S)
            cell.discard()
            return erased
        return False


class Pkcs11Holder:
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
        store = _Later()
        gate = Suite(name=suite.name, algorithms=own, hash=suite.hash, since_s=suite.since_s)
        try:
            self._gate = ProcessHolder(
                gate, last=suite, sealed=sealed, quorum=quorum, source=source, store=store
            )
        except CustodyError as error:
            if source.said:
                raise CustodyError(source.said, remedy=error.remedy) from None
            raise
        try:
            self._cell = _start(plan, classical=classical)
        except BaseException:
            self._gate.close()
            raise
        store.now = TokenStore(self._cell, lambda: _start(plan, classical=False))

    @property
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""
        state = self._gate.state
        alive = state in (HolderState.READY, HolderState.SEALED)
        return HolderState.ERASED if alive and self._cell.dead else state

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys."""
        return tuple(self._by_algorithm(self._cell.public, self._gate.public()))

    def last_public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the last word's keys."""
        return self._gate.last_public()

    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key; the ML-DSA key's process decides."""
        each = one_each(message, len(self._suite.algorithms))
        ours = [m for a, m in zip(self._suite.algorithms, each, strict=True) if a != ED25519]
        theirs = [m for a, m in zip(self._suite.algorithms, each, strict=True) if a == ED25519]
        first = self._gate.sign(ours)
        second = self._cell.sign(theirs) if theirs else ()
        return tuple(self._by_algorithm(second, first))

    def seal(self) -> bytes:
        """Seal; return the challenge."""
        return self._gate.seal()

    def unseal(self, approval: bytes) -> None:
        """Unseal under a quorum's approval."""
        self._gate.unseal(approval)

    def zeroise(self) -> Erasure:
        """Erase the ML-DSA key, and destroy what the token holds."""
        return self._gate.zeroise()

    def last_word(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each of the last word's keys, once."""
        return self._gate.last_word(message)

    def close(self) -> None:
        """Drop keys from memory; the token keeps its own."""
        self._gate.close()

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


class _Later:
    """A store that is there only once the source has let go of the token."""

    now: TokenStore | None = None

    def begin_erase(self) -> None:
        if self.now is not None:
            self.now.begin_erase()

    def answered(self) -> bool:
        return self.now is not None and self.now.answered()

    def end_erase(self) -> bool:
        return self.now is not None and self.now.end_erase()

    def close(self) -> None:
        if self.now is not None:
            self.now.close()
