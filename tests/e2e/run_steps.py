"""An enclosure that runs, and the commands with which it is used, as people give them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from casemate.core.errors import CasemateError
from casemate.core.local_socket import ask
from shared_builds import Built


def casemate(*arguments: str) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it prints on both."""
    done = subprocess.run(
        [sys.executable, "-m", "casemate", *arguments], capture_output=True, text=True, timeout=600
    )
    return done.returncode, done.stdout, done.stderr


class Run:
    """`casemate run` in a process; `lines` is what it has said."""

    def __init__(self, build: Built, folder: Path, *options: str) -> None:
        self.folder, self.log = folder, folder.with_suffix(".log")
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "casemate", "run", str(folder), "--spec", str(build.spec),
                 "--secret-file", str(build.secret), "--batch", "10", *options],
                stdout=log, stderr=log,
            )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """Return how it stands, an empty state while nothing answers."""
        try:
            return ask(self.folder / "run" / "control.sock", {})
        except CasemateError:
            return {"state": ""}

    def reaches(self, state: str, seconds: float = 900.0) -> None:
        """Wait for a state."""
        until_s = time.monotonic() + seconds
        while self.status()["state"] != state:
            assert time.monotonic() < until_s and self.process.poll() is None, self.lines()
            time.sleep(0.2)

    def says(self, text: str, seconds: float = 120.0) -> None:
        """Wait for a line."""
        until_s = time.monotonic() + seconds
        while text not in self.lines():
            assert time.monotonic() < until_s and self.process.poll() is None, self.lines()
            time.sleep(0.2)

    def lines(self) -> str:
        """Return what it has said."""
        return self.log.read_text()

    def ends(self) -> int:
        """End it in order; return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


def verified(folder: Path) -> tuple[int, dict[str, Any]]:
    """Return the verifier's exit code and what it says."""
    code, said, _ = casemate("verify", str(folder / "evidence"), "--trust", str(folder / "trust"),
                          "--json")  # fmt: skip
    return code, json.loads(said)


class Work:
    """A permit on its way: requested, signed by one party after the other."""

    def __init__(self, run: Run, home: Path, *scope: str) -> None:
        self.run, self.home, folder = run, home, run.folder
        self.keys = [f"--key={folder / 'parties' / each}-DEMO.json" for each in
                     ("host", "inspector")]  # fmt: skip
        now, serial = datetime.now(UTC), json.loads((folder / "proof.json").read_text())["serial"]
        code, said, _ = casemate(
            "permit", "request", "--enclosure", str(run.status()["enclosure"]), "--serial", serial,
            *scope, "--from", (now - timedelta(minutes=1)).isoformat(),
            "--until", (now + timedelta(hours=1)).isoformat(),
            "--checkpoint", str(folder / "evidence" / "checkpoint"),
            "-o", str(home / "request"), "--json",
        )  # fmt: skip
        assert code == 0
        self.token = str(json.loads(said)["token"])
        self._sign("request", "half", self.keys[0])

    def _sign(self, before: str, after: str, key: str) -> None:
        code, _, _ = casemate("permit", "sign", str(self.home / before), key,
                              "-o", str(self.home / after))  # fmt: skip
        assert code == 0

    def sign_by_the_other(self) -> None:
        """Add the inspector's signatures."""
        self._sign("half", "permit", self.keys[1])

    def use(self, name: str = "permit") -> tuple[int, str, str]:
        """Begin the work."""
        return casemate("permit", "use", str(self.run.folder), str(self.home / name),
                        "--token", self.token)  # fmt: skip

    def re_anchor(self) -> tuple[int, str, str]:
        """Both parties sign what was put in."""
        return casemate("permit", "re-anchor", str(self.run.folder), *self.keys)

    def close(self) -> tuple[int, str, str]:
        """End the work."""
        return casemate("permit", "close", str(self.home / "permit"), *self.keys, "--outcome",
                        "done", "-o", str(self.home / "closed"),
                        "--at", str(self.run.folder))  # fmt: skip
