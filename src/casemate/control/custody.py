"""Which key holder runs, how it is made and found again, and the key of the log."""

from __future__ import annotations

import hmac
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from casemate.attest.endorsement import Makers, check_certificate
from casemate.attest.keys.approval import Approver, Quorum
from casemate.attest.keys.cell import Cell, run_module, run_to_end
from casemate.attest.keys.process import OnProcess, ProcessHolder
from casemate.attest.keys.protocol import CustodyError, KeyHolder
from casemate.attest.keys.swtpm import SwTpm
from casemate.attest.keys.tpm import TpmHolder, forget
from casemate.attest.keys.tpm_esys import TpmPlan
from casemate.attest.keys.tpm_identity import SECRET_BYTES, challenge
from casemate.attest.parties import Party
from casemate.attest.quote import PCR_ANCHOR, PCR_SOFTWARE, key_name, measured
from casemate.attest.tpm_values import Pcr, Tpm
from casemate.core.errors import InputError, SignatureError
from casemate.core.private_folder import private_folder
from casemate.core.suites import DEFAULT_SUITE, ED25519, PublicKey, Suite
from casemate.core.whole_file import write_whole

TPM, PROCESS = "tpm", "process"
SOURCE_S = 30.0
"""A seed is read from a file in 0.2 s; a loaded machine takes longer. A planning value."""


def choice(asked: str, *, certified: bool = False) -> tuple[str, str]:
    """Return which custody is used and why; InputError if what is asked for is not there.

    certified: a TPM for which a maker vouches is asked for.
    """
    missing = [
        name
        for name, there in (
            ("the program swtpm", shutil.which("swtpm") is not None),
            ("the library tpm2-pytss", find_spec("tpm2_pytss") is not None),
        )
        if not there
    ]
    if certified and asked == PROCESS:
        raise InputError(
            "roots of makers of TPMs are pinned, and no TPM is asked for.",
            remedy="write --keys tpm, or leave --tpm-roots out.", key="--tpm-roots",
        )  # fmt: skip
    if (asked == TPM or certified) and missing:
        raise InputError(
            f"there is no TPM: {' and '.join(missing)} is missing.",
            remedy="install it, or write --keys process.",
            key="--keys",
        )
    if asked == PROCESS:
        return PROCESS, "as asked"
    return (PROCESS, f"{missing[0]} is missing") if missing else (TPM, "swtpm is started")


def quorum_of(parties: tuple[Party, ...]) -> Quorum:
    """Return the quorum that unseals: all of the parties."""
    return Quorum(
        parties=tuple(Approver(role=each.role, keys=each.keys) for each in parties),
        least=len(parties),
        roles=tuple(each.role for each in parties),
    )


def accepted(holder: KeyHolder, makers: Makers | None = None) -> Tpm | None:
    """Return the holder's TPM once it has proved to a party that its keys are in it; None if none.

    makers: whose roots the parties pinned; the endorsement key then needs a certificate under one
    of them. None: the parties approve that key by its name. CustodyError if the TPM cannot prove
    itself, for somebody shows keys that were made elsewhere, or if no maker vouches for it.
    """
    if not isinstance(holder, TpmHolder):
        return None
    shown, secret = holder.identity(), os.urandom(SECRET_BYTES)
    if not hmac.compare_digest(holder.answer(challenge(shown, secret)), secret):
        raise CustodyError(
            "the TPM does not prove its identity.",
            remedy="do not commission; look at what sits between TPM and controller.",
        )
    name, certificate = key_name(shown.endorsement), b""
    if makers is not None:
        certificate = shown.certificate
        try:
            check_certificate(certificate, name, makers, int(time.time()))
        except SignatureError as error:
            raise CustodyError(error.message, remedy=error.remedy) from None
    return Tpm(
        attestation=shown.attestation, endorsement=name, certificate=certificate,
        boot=tuple(Pcr(number=n, digest=holder.pcrs[n]) for n in sorted(holder.boot)),
    )  # fmt: skip


def doubts_of(holder: KeyHolder | None) -> tuple[str, ...]:
    """Return what this machine does not grant the holder's process, in words for people."""
    return holder.hardening.doubts if isinstance(holder, ProcessHolder | OnProcess) else ()


class Custody:
    """Makes holders. folder: of the software TPM's state, if one is used.

    boot: registers that the machine's boot fills, which new keys are bound to and quotes cover.
    Keys that were made before keep theirs.
    """

    def __init__(
        self,
        kind: str,
        folder: Path,
        software: bytes,
        quorum: Quorum,
        suite: Suite = DEFAULT_SUITE,
        *,
        boot: tuple[int, ...] = (),
    ) -> None:
        self._suite, self._boot = suite, boot
        self.kind, self._software, self._quorum = kind, software, quorum
        self._bound, self._root_file = folder / "keys.anchor", folder / "tpm.root"
        self._pid_file = folder / "tpm.pid"
        self._tpm: SwTpm | None = None
        if kind == TPM:
            _end_orphan(self._pid_file, folder / "tpm")
            self._tpm = SwTpm(folder / "tpm")
            self._pid_file.write_text(f"{self._tpm.pid}\n")

    def make(self, anchor: bytes) -> KeyHolder:
        """Return a holder of new keys, bound to software and anchor."""
        if self._tpm is None:
            return ProcessHolder(self._suite, quorum=self._quorum)
        plan = self._plan(anchor)
        write_whole(self._bound, " ".join([anchor.hex(), *map(str, self._boot)]) + "\n")
        with suppress(CustodyError):
            forget(plan)
        holder = TpmHolder(plan, self._suite, fresh=True, quorum=self._quorum)
        write_whole(self._root_file, holder.root.hex() + "\n")
        return holder

    def found(self, anchor: bytes, keys: tuple[PublicKey, ...]) -> KeyHolder | None:
        """Return the holder of the start before, sealed; None if its keys are gone.

        keys: its evidence keys as the log has them. Seeds of others, which somebody may have put
        into the TPM meanwhile, are none of this enclosure's. Keys stay bound to the anchor that
        they were made for, whatever was re-anchored since.
        """
        if self._tpm is None:
            return None
        boot = self._boot
        with suppress(OSError, ValueError):
            first, *rest = self._bound.read_text(encoding="utf-8").split()
            anchor, boot = bytes.fromhex(first), tuple(map(int, rest))
        try:
            plan = self._plan(anchor, boot)
            holder = TpmHolder(plan, self._suite, sealed=True, quorum=self._quorum)
        except CustodyError:
            return None
        if holder.public() != keys:
            holder.close()
            return None
        return holder

    def make_durable(self) -> None:
        """Have the key store's disk take what was erased or made. OSError."""
        if self._tpm is not None:
            self._tpm.make_durable()

    def close(self) -> None:
        """Stop the software TPM, if there is one."""
        if self._tpm is not None:
            self._tpm.stop()
            self._pid_file.unlink(missing_ok=True)

    def _plan(self, anchor: bytes, boot: tuple[int, ...] | None = None) -> TpmPlan:
        assert self._tpm is not None
        values = {PCR_SOFTWARE: measured(self._software), PCR_ANCHOR: measured(anchor)}
        return TpmPlan(
            address=self._tpm.address, measured=values, root=self._root(),
            boot=self._boot if boot is None else boot,
        )  # fmt: skip

    def _root(self) -> bytes:
        """Return the name of the storage key of the TPM that was commissioned; b"" before that."""
        try:
            return bytes.fromhex(self._root_file.read_text())
        except FileNotFoundError:
            return b""
        except (OSError, ValueError):
            raise InputError(
                "the name of the TPM cannot be read.",
                remedy="restore the file, or delete it and commission anew.",
                file=str(self._root_file),
            ) from None


def _end_orphan(pid_file: Path, folder: Path) -> None:
    """End the software TPM of a run that was killed: it is ours by folder, and nobody uses it."""
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"swtpm" in command and f"dir={folder}".encode() in command:
            os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return


class LogKey:
    """The key of the log, in a process of its own; its seed is a file beside the log.

    The process signs checkpoints of one log that never shrinks. Whoever reads the file can fork the
    log, and no further: witnesses cosign one history, and parties commission none that they have
    not seen cosigned.
    """

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        told, tell = os.pipe()

        def source(out: int, length: int) -> subprocess.Popen[bytes]:
            process = run_module("file_source", [out, tell, length, str(path)], [out, tell])
            run_to_end(process, SOURCE_S)
            return process

        try:
            self._cell = Cell((ED25519,), source=source, log=True)
        except CustodyError as error:
            os.set_blocking(told, False)
            with suppress(BlockingIOError):
                raise CustodyError(os.read(told, 4096).decode(), remedy=error.remedy) from None
            raise
        finally:
            os.close(told)
            os.close(tell)

    @property
    def public(self) -> PublicKey:
        """Return the public half."""
        return self._cell.public[0]

    @property
    def pid(self) -> int:
        """Return the process that signs."""
        return self._cell.pid

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return self._cell.sign(message)[0]

    def close(self) -> None:
        """End the process; the seed stays."""
        self._cell.close()
