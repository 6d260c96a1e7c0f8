"""What faults of a live enclosure have in common: lives of it, damaged files, a killed controller.

Plays wait for what happens, never for a time; WAIT_S bounds that on a busy machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from small_enclosure import SmallFar, pretty, wait_for, wanted

import casemate
from casemate.attest.reference import load
from casemate.attest.token import peek
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
from casemate.core.errors import CasemateError
from casemate.testing.faults import Found
from casemate.translog.bundle import read_bundle
from casemate.translog.policy import parse
from casemate.verify import appraise

GUARDING = ("ARMED", "MAINTENANCE")
WAIT_S = 300.0
SLOW_S = 60.0
"""For which readers may be late where nothing depends on their silence: the machine may be busy."""
WINDOWS = 8
"""After which a start has shown what it is: judged, checked and stepped."""


class Life:
    """A runtime that runs, and what went wrong in its threads.

    far: its readers, in this process by default. asked: what else is wanted. prepare: is given the
    setting before keys are looked for. start: let time run at once.
    """

    def __init__(
        self,
        folder: Path,
        *,
        far: Any = None,
        keys: str = "process",
        slow_s: float = SLOW_S,
        asked: Mapping[str, Any] = MappingProxyType({}),
        prepare: Callable[[Setting], None] = lambda _setting: None,
        start: bool = True,
        **options: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.far = folder, far or SmallFar()
        given = {"approve": False, "recommission": False, **options}
        setting = Setting(wanted(folder, keys=keys, slow_s=slow_s, **asked))
        try:
            prepare(setting)
            self.runtime = Runtime(setting, self.far, **given)
        except BaseException:
            setting.close()
            raise
        if start:
            self.runtime.start()

    def status(self) -> dict[str, Any]:
        return self.runtime.status()

    def state(self) -> str:
        return str(self.status()["state"])

    def until(self, done: Callable[[], bool], what: str) -> None:
        assert wait_for(done, WAIT_S), f"{what}: {pretty(self.status())}"

    def reaches(self, *states: str) -> None:
        self.until(lambda: self.state() in states, f"never {states}")

    def watches(self, windows: int = WINDOWS) -> None:
        """Wait until so many more windows are judged."""
        least = self.runtime.watching.figures.windows + windows
        self.until(
            lambda: (
                self.runtime.watching.figures.windows >= least or not self.runtime.watching.alive
            ),
            "nothing is judged",
        )

    def keys_go(self) -> None:
        """Wait until keys sign no more: gone, or sealed after the time of grace."""
        self.until(lambda: self.status()["keys"] in ("GONE", "SEALED"), "keys stay")

    def said(self, part: str) -> bool:
        return any(part in each.text for each in tuple(self.runtime.told))

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


def alarms(folder: Path) -> set[str]:
    """What the verifier is alarmed by, or refuses; nothing before there is a reference."""
    if not (folder / "trust" / "reference.json").exists():
        return set()
    found = appraise(
        read_bundle(folder / "evidence"),
        load((folder / "trust" / "reference.json").read_bytes()),
        parse((folder / "trust" / "policy").read_bytes()),
        now_s=int(time.time()),
    )
    return {each.id for each in found.findings if each.severity == "alarm"}


def last_word_of(folder: Path) -> bool:
    """Whether the log has a last word."""
    bundle = read_bundle(folder / "evidence")
    return any(peek(each)[1].kind == "last" for each in (*bundle.entries, *bundle.pending))


def commissioned(folder: Path) -> None:
    """Play a life that ends in order, with evidence that is cosigned."""
    life = Life(folder)
    try:
        life.reaches("ARMED")
        life.until(
            lambda: life.status()["witnessed_entries"] == life.status()["log_entries"],
            "unwitnessed",
        )
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
    state in which nothing guards; never a traceback, never ARMED, never as if it were new."""
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
            path, what = folder / name, f"{name} {damage.__name__}"
            path.write_bytes(damage(path.read_bytes()))
            with hears() as heard:
                try:
                    life = Life(home, approve=True)
                except CasemateError:
                    refused += 1
                else:
                    declared += 1
                    try:
                        life.watches()
                        assert life.state() in ("UNKNOWN", "TAMPERED"), f"{what}: {life.state()}"
                    finally:
                        life.close()
            assert heard == [], f"{what}: {heard}"
    return Found(
        points=len(names) * len(damages),
        found=f"{len(names)} files: {refused} clear errors, {declared} starts that guard nothing",
    )


STEPS = ("started", "keys", "armed", "cut", "latched", "told")
"""Of a life: readers run; keys are made; it guards; a net is cut; it has latched; the last word is
in the log."""
LIVES = """
import sys, time
from pathlib import Path
sys.path.append({here!r})
from live_faults import Life, last_word_of
life = Life(Path(sys.argv[1]), keys=sys.argv[2])
def tell(step):
    print(step, flush=True)
tell("started")
life.until(lambda: life.runtime.holder is not None, "no keys")
tell("keys")
life.reaches("ARMED")
tell("armed")
if sys.argv[3] in ("started", "keys", "armed"):
    time.sleep(3600)
life.far.cut = True
tell("cut")
while life.runtime.watching.machine.state != "TAMPERED":
    time.sleep(0.001)
tell("latched")
life.until(lambda: last_word_of(life.folder), "no last word")
tell("told")
time.sleep(3600)
"""


def killed_controller(folder: Path, steps: tuple[str, ...] = STEPS, keys: str = "process") -> Found:
    """Kill the controller at steps of its life, and start again: nothing guards by itself, a
    latch that was told stays, and what was signed verifies with no alarm but of the tampering."""
    for step in steps:
        home = folder / step / "small"
        _one_life(home, step, keys)
        _until_free(home)
        life = Life(home, keys=keys)
        new = step in STEPS[:2]  # parties were about to commission it, and may go on
        try:
            life.watches()
            state = life.state()
            assert new or state not in GUARDING, f"{step}: {state}"
            assert step != "told" or state == "TAMPERED", f"{step}: the latch is forgotten"
            if state == "TAMPERED":
                assert life.status()["keys"] == "GONE"
        finally:
            life.close()
        said = alarms(home)
        assert said <= ({"state.tampered"} if step in STEPS[3:] else set()), f"{step}: {said}"
    return Found(points=len(steps), found="nothing guards by itself after it; evidence holds")


def _one_life(home: Path, step: str, keys: str) -> None:
    home.mkdir(parents=True)
    code = LIVES.format(here=str(Path(__file__).parent))
    heard = home.parent / "stderr"
    with heard.open("w") as errors, subprocess.Popen(
        [sys.executable, "-c", code, str(home), keys, step],
        stdout=subprocess.PIPE, text=True, stderr=errors,
        env=os.environ | {"PYTHONPATH": str(Path(casemate.__file__).parents[1])},
    ) as process:  # fmt: skip
        assert process.stdout
        said = ""
        for line in process.stdout:
            said = line.strip()
            if said == step:
                break
        process.kill()
    assert said == step, f"it ended after {said or 'nothing'}: {heard.read_text()[-2000:]}"


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

    assert wait_for(free, WAIT_S)
