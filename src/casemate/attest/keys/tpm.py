"""Keys whose seeds outlive a restart in a TPM, bound to measured software and anchor; quotes.

Signing is that of `process.py`: the TPM of today knows neither Ed25519 nor ML-DSA. The TPM holds
the seeds while the machine is off, gives them only to the software that was measured, forgets them
on `zeroise`, and vouches for the evidence keys by quotes whose extra data names them.

This process talks to the TPM for quotes and for erasing, and never sees a seed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from casemate.attest.claims import Quote
from casemate.attest.keys.approval import Quorum
from casemate.attest.keys.cell import run_module, run_to_end
from casemate.attest.keys.process import LaterStore, OnProcess, ProcessHolder
from casemate.attest.keys.protocol import CustodyError, HolderState
from casemate.attest.keys.tpm_esys import Esys, TpmPlan
from casemate.attest.keys.tpm_identity import Credential, TpmIdentity, answer, identity
from casemate.attest.keys.tpm_link import (
    RC_HANDLE,
    Link,
    flush_stale,
    read_public_command,
    response_code,
    undefine_command,
)
from casemate.attest.keys.tpm_source import write_plan
from casemate.attest.quote import extra_data
from casemate.core.suites import DEFAULT_SUITE, PublicKey, Suite

SOURCE_S = 30.0
ERASE_S = 5.0
"""A hardware TPM takes some 0.1 s to forget an index; busy with a key it takes longer."""


class TpmStore:
    """The seeds' place in the TPM, as far as erasing goes: no method reads them."""

    def __init__(self, link: Link, index: int) -> None:
        self._link, self._index = link, index
        self._command = undefine_command(index)
        self._under_way = False

    def begin_erase(self) -> None:
        """Send the command, if the TPM is not busy for us."""
        if not self._under_way and self._link.lock.acquire(blocking=False):
            try:
                self._link.transmit(self._command)
                self._under_way = True
            except CustodyError:
                self._link.lock.release()

    def answered(self) -> bool:
        """Wait; return whether the TPM answered that the index is no more. Tries a second time."""
        if not self._under_way and self._link.lock.acquire(timeout=ERASE_S):
            with suppress(CustodyError):
                self._link.transmit(self._command)
            self._under_way = True
        found = False
        if self._under_way:
            with suppress(CustodyError):
                answer = self._link.settled(self._command, ERASE_S)
                found = response_code(answer) == 0
            self._under_way = False
            self._link.lock.release()
        return found

    def end_erase(self) -> bool:
        """Return whether the TPM shows no index; else erase once more by another connection."""
        if self._under_way:
            self.answered()
        return self._gone(self._link) or self._by_another_link()

    def _by_another_link(self) -> bool:
        """Erase once more: the connection may be broken, or hung in another command."""
        with suppress(CustodyError):
            self._link.close()
            with Link(self._link.address) as link:
                link.exchange(self._command, ERASE_S)
                return self._gone(link)
        return False

    def close(self) -> None:
        """Let go of the TPM."""
        self._link.close()

    def _gone(self, link: Link) -> bool:
        with suppress(CustodyError):
            return response_code(link.exchange(read_public_command(self._index), 1.0)) == RC_HANDLE
        return False


def forget(plan: TpmPlan) -> bool:
    """Erase the seeds of a holder that does not run; return whether the TPM has none now."""
    with Link(plan.address) as link:
        link.exchange(undefine_command(plan.nv_index))
        return response_code(link.exchange(read_public_command(plan.nv_index))) == RC_HANDLE


class TpmHolder(OnProcess):
    """`KeyHolder` with seeds in a TPM, and `quote`.

    fresh: make new keys (at commissioning); CustodyError if there are some already. Otherwise the
    keys of the start before; CustodyError if they are gone, or software or anchor are others.
    """

    def __init__(
        self,
        plan: TpmPlan,
        suite: Suite = DEFAULT_SUITE,
        *,
        fresh: bool = False,
        sealed: bool = False,
        quorum: Quorum | None = None,
    ) -> None:
        with Link(plan.address) as link:  # swtpm serves one connection at a time
            flush_stale(link)
            tpm = Esys(link, plan.root)
            self.pcrs = tpm.measure(plan)
            self._plan = replace(plan, root=tpm.root())
            tpm.close()
        reasons, tell = os.pipe()
        try:
            super().__init__(self._start(suite, fresh, sealed, quorum, tell))
        except CustodyError as error:
            os.set_blocking(reasons, False)
            with suppress(BlockingIOError):
                said = os.read(reasons, 4096).decode(errors="replace")
                if said:
                    raise CustodyError(said, remedy=error.remedy) from None
            raise
        finally:
            os.close(reasons)
            os.close(tell)

    def _start(
        self, suite: Suite, fresh: bool, sealed: bool, quorum: Quorum | None, tell: int
    ) -> ProcessHolder:
        def source(out: int, length: int) -> subprocess.Popen[bytes]:
            arguments: list[str | int] = [
                out,
                tell,
                length,
                int(fresh),
                write_plan(self._plan).hex(),
            ]
            process = run_module("tpm_source", arguments, [out, tell], env={"TSS2_LOG": "all+none"})
            run_to_end(process, SOURCE_S)
            return process

        store = LaterStore()
        holder = ProcessHolder(suite, sealed=sealed, quorum=quorum, source=source, store=store)
        try:
            self._link = Link(self._plan.address)
            store.now = TpmStore(self._link, self._plan.nv_index)
            self._tpm = Esys(self._link, self._plan.root)
            self._key, self.attestation_key = self._tpm.make_attestation_key()
        except BaseException:
            holder.close()
            raise
        return holder

    @property
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""
        return self._holder.state

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys."""
        return self._holder.public()

    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key."""
        return self._holder.sign(message)

    def close(self) -> None:
        """Drop all keys from memory; the TPM keeps the seeds."""
        if self._holder.state is not HolderState.CLOSED:
            with suppress(CustodyError):
                self._tpm.flush(self._key)
            self._tpm.close()
        self._holder.close()

    @property
    def boot(self) -> tuple[int, ...]:
        """Return which of `pcrs` the machine's boot filled."""
        return self._plan.boot

    @property
    def root(self) -> bytes:
        """Return the name of the TPM's storage key, for the plan of the next start."""
        return self._plan.root

    def identity(self) -> TpmIdentity:
        """Return the TPM's keys as it shows them; parties `challenge` them before they accept."""
        return identity(self._tpm, self.attestation_key)

    def answer(self, asked: Credential) -> bytes:
        """Return the secret of a party's challenge; CustodyError if it is for another TPM."""
        return answer(self._tpm, self._key, asked)

    def quote(self, evidence: bytes, nonce: bytes = b"") -> Quote:
        """Return a quote of the measured PCRs for a digest of evidence (see `quote.py`).

        Its extra data names the evidence keys. It works after zeroise too: the TPM still says
        which software runs. CustodyError if the TPM does not.
        """
        extra = extra_data(evidence, self.public(), nonce)
        attest, signature = self._tpm.quote(self._key, self._plan.selection, extra)
        return Quote(attest=attest, signature=signature)
