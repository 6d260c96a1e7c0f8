"""Which key holder runs, how it is made and found again, and the key of the log."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from casemate.attest.keys.approval import Party as Approver
from casemate.attest.keys.approval import Quorum
from casemate.attest.keys.cell import Cell
from casemate.attest.keys.process import ProcessHolder
from casemate.attest.keys.protocol import CustodyError, KeyHolder
from casemate.attest.keys.quote import PCR_ANCHOR, PCR_SOFTWARE, measured
from casemate.attest.keys.swtpm import SwTpm
from casemate.attest.keys.tpm import TpmHolder, forget
from casemate.attest.keys.tpm_esys import TpmPlan
from casemate.attest.parties import Party
from casemate.core.errors import InputError
from casemate.core.suites import ED25519, PublicKey

TPM, PROCESS = "tpm", "process"


def choice(asked: str) -> tuple[str, str]:
    """Return which custody is used and why; InputError if what is asked for is not there."""
    missing = [
        name
        for name, there in (
            ("the program swtpm", shutil.which("swtpm") is not None),
            ("the library tpm2-pytss", find_spec("tpm2_pytss") is not None),
        )
        if not there
    ]
    if asked == TPM and missing:
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


class Custody:
    """Makes holders. folder: of the software TPM's state, if one is used."""

    def __init__(self, kind: str, folder: Path, software: bytes, quorum: Quorum) -> None:
        self.kind, self._software, self._quorum = kind, software, quorum
        self._pid_file = folder / "tpm.pid"
        self._tpm: SwTpm | None = None
        if kind == TPM:
            _end_orphan(self._pid_file, folder / "tpm")
            self._tpm = SwTpm(folder / "tpm")
            self._pid_file.write_text(f"{self._tpm.pid}\n")

    def make(self, anchor: bytes) -> KeyHolder:
        """Return a holder of new keys, bound to software and anchor."""
        if self._tpm is None:
            return ProcessHolder(quorum=self._quorum)
        plan = self._plan(anchor)
        with suppress(CustodyError):
            forget(plan)
        return TpmHolder(plan, fresh=True, quorum=self._quorum)

    def found(self, anchor: bytes) -> KeyHolder | None:
        """Return the holder of the start before, sealed; None if its keys are gone."""
        if self._tpm is None:
            return None
        try:
            return TpmHolder(self._plan(anchor), sealed=True, quorum=self._quorum)
        except CustodyError:
            return None

    def close(self) -> None:
        """Stop the software TPM, if there is one."""
        if self._tpm is not None:
            self._tpm.stop()
            self._pid_file.unlink(missing_ok=True)

    def _plan(self, anchor: bytes) -> TpmPlan:
        assert self._tpm is not None
        values = {PCR_SOFTWARE: measured(self._software), PCR_ANCHOR: measured(anchor)}
        return TpmPlan(address=self._tpm.address, measured=values)


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

    Whoever reads that file can fork the log, and no further: witnesses cosign one history.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())

        def source(out: int, length: int) -> subprocess.Popen[bytes]:
            with path.open("rb") as file:
                process = subprocess.Popen(["cat"], stdin=file, stdout=out)
            process.wait(10.0)
            return process

        self._cell = Cell((ED25519,), source=source)

    @property
    def public(self) -> PublicKey:
        """Return the public half."""
        return self._cell.public[0]

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return self._cell.sign(message)[0]

    def close(self) -> None:
        """End the process; the seed stays."""
        self._cell.close()
