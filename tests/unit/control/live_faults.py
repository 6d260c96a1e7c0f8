"""Faults of a live enclosure, each played on the small one; AssertionError where it goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from small_enclosure import SmallFar, pretty, wait_for, wanted

import casemate
from casemate.attest.keys.process import ProcessHolder
from casemate.attest.reference import load
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
from casemate.core.errors import CasemateError
from casemate.testing.faults import Found
from casemate.translog.bundle import read_bundle
from casemate.translog.policy import parse
from casemate.verify import appraise

GUARDING = ("ARMED", "MAINTENANCE")


class Life:
    """A runtime that runs, and what went wrong in its threads."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.far = SmallFar()
        given = {"approve": True, "recommission": False, **options}
        setting = Setting(wanted(folder))
        try:
            self.runtime = Runtime(setting, self.far, **given)  # type: ignore[arg-type]
        except BaseException:
            setting.close()
            raise
        self.runtime.start()

    def state(self) -> str:
        return str(self.runtime.status()["state"])

    def reaches(self, *states: str) -> None:
        assert wait_for(lambda: self.state() in states), pretty(self.runtime.status())

    def close(self) -> None:
        self.runtime.close()


@contextmanager
def hears() -> Any:
    """Gather exceptions of threads that nobody caught."""
    heard: list[str] = []
    before = threading.excepthook
    threading.excepthook = lambda args: heard.append(repr(args.exc_value))
    try:
        yield heard
    finally:
        threading.excepthook = before


def alarms(folder: Path) -> list[str]:
    """What the verifier is alarmed by."""
    found = appraise(
        read_bundle(folder / "evidence"),
        load((folder / "trust" / "reference.json").read_bytes()),
        parse((folder / "trust" / "policy").read_bytes()),
        now_s=int(time.time()),
    )
    return [each.id for each in found.findings if each.severity == "alarm"]


def commissioned(folder: Path) -> None:
    """Play a life that ends in order."""
    folder.mkdir(parents=True, exist_ok=True)
    life = Life(folder)
    try:
        life.reaches("ARMED")
        time.sleep(1.5)
    finally:
        life.close()


def _empty(data: bytes) -> bytes:
    return b""


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes((data[middle] ^ 0x10,)) + data[middle + 1 :] if data else b"x"


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (_empty, _half, _flipped)


def corrupt_files(folder: Path, damages: tuple[Callable[[bytes], bytes], ...] = DAMAGES) -> Found:
    """Damage each file of a commissioned enclosure in turn, and start: an error of ours, or a
    state in which nothing guards; never a traceback, never ARMED."""
    home = folder / "small"
    commissioned(home)
    names = sorted(
        each.relative_to(folder).as_posix()
        for top in (home, folder / "small.witnesses")
        for each in top.rglob("*")
        if each.is_file() and not each.name.startswith(".")
    )
    shutil.copytree(folder, kept := folder.with_name(f"{folder.name}.kept"))
    refused = declared = 0
    for name in names:
        for damage in damages:
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
            path = folder / name
            path.write_bytes(damage(path.read_bytes()))
            with hears() as heard:
                try:
                    life = Life(home)
                except CasemateError:
                    refused += 1
                else:
                    declared += 1
                    try:
                        time.sleep(0.7)
                        assert life.state() not in GUARDING, f"{name} {damage.__name__}"
                    finally:
                        life.close()
            assert heard == [], f"{name} {damage.__name__}: {heard}"
    return Found(
        points=len(names) * len(damages),
        found=f"{len(names)} files: {refused} clear errors, {declared} starts that guard nothing",
    )


def killed_helper(folder: Path, which: str) -> Found:
    """Kill a process that the controller relies on: it says so, and guards only with keys."""
    life = Life(folder, approve=False)
    with hears() as heard:
        try:
            life.reaches("ARMED")
            time.sleep(1.2)
            holder = life.runtime.holder
            assert isinstance(holder, ProcessHolder)
            if which == "witness":
                _kill_children("spawn_main")
                time.sleep(2.0)
                assert life.state() == "ARMED", "witnesses are not needed to guard"
                life.far.cut = True
                life.reaches("TAMPERED")
                assert life.runtime.status()["keys"] == "GONE"
            else:
                os.kill(holder.pids[which == "last word"], signal.SIGKILL)
                if which == "keys":
                    life.reaches("UNKNOWN")
                    assert life.runtime.status()["keys"] == "GONE"
                life.far.cut = True
                life.reaches("TAMPERED")
        finally:
            life.close()
    assert heard == []
    return Found(points=1, found="UNKNOWN without keys" if which == "keys" else "TAMPERED all same")


def _kill_children(named: str) -> None:
    """Kill this process's own children of a kind, by id."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    mine = {pid for each in tasks.iterdir() for pid in (each / "children").read_text().split()}
    for pid in mine:
        if named in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"):
            os.kill(int(pid), signal.SIGKILL)


LIVES = """
import sys, time
from pathlib import Path
sys.path.append({here!r})
from live_faults import Life
life = Life(Path(sys.argv[1]))
print("started", flush=True)
life.reaches("ARMED")
print("armed", flush=True)
if sys.argv[2] == "cut":
    life.far.cut = True
time.sleep(60)
"""


def killed_controller(folder: Path, moments: tuple[tuple[str, float], ...]) -> Found:
    """Kill the controller at moments of its life, and start again: nothing guards by itself, a
    latch stays, and what was signed verifies without alarm but of the tampering itself."""
    for number, (when, after_s) in enumerate(moments):
        home = folder / str(number) / "small"
        home.mkdir(parents=True)
        code = LIVES.format(here=str(Path(__file__).parent))
        with subprocess.Popen(
            [sys.executable, "-c", code, str(home), when],
            stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(Path(casemate.__file__).parents[1])},
        ) as process:  # fmt: skip
            assert process.stdout
            for line in process.stdout:
                if line.strip() == ("started" if when == "start" else "armed"):
                    break
            time.sleep(after_s)
            process.kill()
        _until_free(home)
        life = Life(home)
        try:
            time.sleep(1.0)
            known = life.state()
            fresh = life.runtime.setting.boots == 0
            assert fresh or known not in GUARDING, f"{when} {after_s}: {known}"
        finally:
            life.close()
        if (home / "trust" / "reference.json").exists() and not fresh:
            said = alarms(home)
            assert set(said) <= ({"state.tampered"} if when == "cut" else set()), said
    return Found(points=len(moments), found="nothing guards by itself after it; evidence holds")


def _until_free(home: Path) -> None:
    """Wait for witnesses of the killed controller to end: their pipe has closed."""
    import fcntl

    def free() -> bool:
        for path in (home.parent / "small.witnesses").glob("*/.lock"):
            with path.open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    return False
        return True

    assert wait_for(free, 20.0)
