"""What tests of key holders share: a scanner of memory, stopping."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def stop(pid: int) -> None:
    """Stop a process, and wait until it is."""
    os.kill(pid, signal.SIGSTOP)
    while ") T " not in Path(f"/proc/{pid}/stat").read_text():
        time.sleep(0.001)


class Scanner:
    """`memory_scan.py` at work."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("memory_scan.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, verb: str, what: object) -> dict[str, int]:
        """Return the needles found, by name; at least something has to be read."""
        assert self._process.stdin and self._process.stdout
        print(verb, what, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the scanner ended"
        answer = json.loads(line)
        assert verb == "holder" or answer["bytes"] > 0, "nothing was read"
        found: dict[str, int] = answer["found"]
        return found

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
