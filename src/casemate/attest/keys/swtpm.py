"""A software TPM 2.0 for tests and for the twin: Debian's swtpm as a child process.

    with SwTpm(folder) as tpm:
        holder = TpmHolder(TpmPlan(address=tpm.address, ...))

It speaks TPM 2.0 like hardware and protects nothing: root reads its memory, and a copy of its
folder brings back what was erased, counters included. The rollback anchor is the witnessed log.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from casemate.attest.keys.memory import WIPE_FREED, be_urgent
from casemate.attest.keys.protocol import CustodyError
from casemate.attest.keys.tpm_link import Link
from casemate.core.private_folder import private_folder

START_S, STOP_S = 10.0, 1.0
_SHUTDOWN_CLEAR = bytes.fromhex("8001 0000000c 00000145 0000")

_GUARD = '"$@" >&2 & echo $!; read -r end; kill -9 $!; wait'
"""Ends swtpm at the end of standard input, so also if this process is killed. Two on one folder
would spoil it."""


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


class SwTpm:
    """A running swtpm whose state is in `folder`, which is made if it is not there.

    Each start is a reset of the TPM: its reset counter goes up, PCRs are zeros.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("swtpm")
        if program is None:
            raise CustodyError(
                "the program swtpm is missing.", remedy="apt-get install swtpm, or use a real TPM."
            )
        private_folder(folder)
        self._sockets = Path(tempfile.mkdtemp(prefix="casemate-tpm-"))  # sun_path has 107 bytes
        self._folder = folder
        self.address = str(self._sockets / "tpm")
        self._process = subprocess.Popen(
            [
                *("sh", "-c", _GUARD, "sh", program),
                *("socket", "--tpm2", "--tpmstate", f"dir={folder}"),
                *("--server", f"type=unixio,path={self.address}"),
                *("--ctrl", f"type=unixio,path={self._sockets / 'control'}"),
                *("--flags", "not-need-init,startup-clear"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | WIPE_FREED,
        )
        assert self._process.stdin and self._process.stdout
        self._hold, said = self._process.stdin, self._process.stdout
        with said:
            self.pid = int(said.readline())
        be_urgent(self.pid)  # hardware waits for no other process
        until = time.monotonic() + START_S
        while not self._answers():
            if not _lives(self.pid) or time.monotonic() > until:
                self.kill()
                raise CustodyError(
                    f"swtpm does not start with its state in {folder}.",
                    remedy="see whether another swtpm uses the folder; its lock is in it.",
                )
            time.sleep(0.002)

    def _answers(self) -> bool:
        with suppress(CustodyError), Link(self.address):
            return True
        return False

    def make_durable(self) -> None:
        """Have the system's disk take what swtpm has written: it does not ask for that itself.

        Hardware keeps its memory by its own. OSError if the disk does not.
        """
        for path in (*(each for each in self._folder.iterdir() if each.is_file()), self._folder):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def stop(self) -> None:
        """Shut down in order, as a machine does that is switched off."""
        if _lives(self.pid):
            with suppress(CustodyError), Link(self.address) as link:
                link.exchange(_SHUTDOWN_CLEAR, STOP_S)
        self.kill()

    def kill(self) -> None:
        """Cut its power."""
        self._hold.close()
        self._process.wait()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
