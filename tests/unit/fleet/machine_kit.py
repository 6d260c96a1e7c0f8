"""A machine of its own for tests of the units: systemd as PID 1, in namespaces of this one.

Its /usr is this machine's, read-only; all else is in memory and ends with it, but for the folders
of the service, which lie under the test's own. Its network is a loopback of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from outside_programs import program

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
UNITS = ("casemate-fleet.service", "casemate-fleet-backup.service", "casemate-fleet-backup.timer")
PYTHON = Path("/usr/bin/python3")
START_S, MOST_S = 90.0, 600.0
_PROGRAM = f"""#!{PYTHON} -I
import sys
sys.path[:0] = ["/opt/source", "/opt/packages"]
from casemate.cli import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine that runs. leader: process id of its systemd. state: its /var/lib, seen here."""

    leader: int
    state: Path

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command there as root, and return what it said."""
        call = ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", *command]
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        done = subprocess.run(
            call, capture_output=True, text=True, timeout=MOST_S, check=False, env=clean, cwd="/"
        )
        if check and done.returncode != 0:
            pytest.fail(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def nearby(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this machine on the network of that one."""
        call = ["nsenter", "-t", str(self.leader), "-n", *command]
        return subprocess.run(call, capture_output=True, text=True, timeout=MOST_S, check=False)

    def casemate(self, *given: str) -> str:
        """Run `casemate fleet …` there as the service's user, whatever its exit code."""
        name = "casemate-fleet"
        return self.run("setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups",
                        "/opt/casemate/bin/casemate", "fleet", *given, check=False)  # fmt: skip

    def shown(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.run("systemctl", "show", "--property", name, "--value", unit).strip()

    def until(self, unit: str, name: str, value: str, *, for_s: float = START_S) -> None:
        """Wait until a property of a unit has a value."""
        end_s = time.monotonic() + for_s
        while (found := self.shown(unit, name)) != value:
            if time.monotonic() > end_s:
                told = self.run("systemctl", "status", "--no-pager", "-l", unit, check=False)
                pytest.fail(f"{unit}: {name} is {found}, not {value}\n{told}")
            time.sleep(0.25)


def _needed() -> None:
    for name in ("systemd-nspawn", "nsenter", "unshare"):
        program(name, "systemd-container, util-linux")
    if os.geteuid() != 0:
        pytest.skip("a machine of its own takes root")
    version = subprocess.run(
        [str(PYTHON), "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if version.stdout.split() != [str(each) for each in sys.version_info[:2]]:
        pytest.skip(f"{PYTHON} cannot load the packages of this Python")


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Yield a machine with the units, the program and the user; no service has begun."""
    _needed()
    state, opt, units = folder / "state", folder / "opt", folder / "units"
    for each in (state, opt / "bin", units):
        each.mkdir(parents=True)
        each.chmod(0o755)
    (opt / "bin" / "casemate").write_text(_PROGRAM, encoding="utf-8")
    (opt / "bin" / "casemate").chmod(0o755)
    for name in UNITS:
        shutil.copyfile(DEPLOY / name, units / name)
    shutil.copyfile(DEPLOY / "casemate-fleet.sysusers", folder / "sysusers")
    binds = {
        sysconfig.get_path("purelib"): "/opt/packages", str(ROOT / "src"): "/opt/source",
        str(opt): "/opt/casemate", "/etc/ld.so.cache": "/etc/ld.so.cache",
        str(folder / "sysusers"): "/etc/sysusers.d/casemate-fleet.conf",
        **{str(units / name): f"/etc/systemd/system/{name}" for name in UNITS},
    }  # fmt: skip
    # what manages this machine is not asked: the mounts are the new process's own
    call = ["unshare", "-m", "systemd-nspawn", "-q", "-D", "/", "--volatile=yes", "--register=no",
            "--keep-unit", "--private-network", "--console=pipe", f"--bind={state}:/var/lib",
            *(f"--bind-ro={here}:{there}" for here, there in binds.items()),
            "--boot", "systemd.unit=basic.target"]  # fmt: skip
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(call, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        made = Machine(leader=_leader(process, folder / "said"), state=state)
        made.run("systemctl", "is-system-running", "--wait", check=False)
        made.run("systemd-sysusers")
        yield made
    finally:
        process.terminate()  # nspawn powers the machine down
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def _leader(process: subprocess.Popen[bytes], said: Path) -> int:
    """Return the process id of the machine's systemd, once it takes commands."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and process.poll() is None:
        for each in children.read_text(encoding="ascii").split():
            made = Machine(leader=int(each), state=said)
            if made.run("systemctl", "show", "--value", "-p", "Version", check=False).strip():
                return int(each)
        time.sleep(0.25)
    told = said.read_text(encoding="utf-8", errors="replace")
    pytest.skip(f"systemd does not run as PID 1 in namespaces here: {told[-500:]}")
