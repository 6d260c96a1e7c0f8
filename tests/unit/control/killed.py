"""kill -9 of each process that the controller relies on, at each step of its life.

What holds in all of them: keys sign nothing more once a cut is seen, a latch stays, nothing guards
by itself after the next start, no thread ends in a traceback, and the evidence that was written
verifies.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from live_faults import GUARDING, SLOW_S, Life, alarms, hears
from readers_apart import FarApart
from small_enclosure import NAMES

from casemate.attest.keys.process import ProcessHolder
from casemate.core.errors import CasemateError
from casemate.testing.faults import Found

STEPS = ("start", "armed", "cut")
SILENT_S = 15.0
"""For which readers may be late where one of them falls silent."""
AFTER = {
    "keys": ("UNKNOWN",),
    "last word": ("ARMED",),
    "log key": ("ARMED",),
    "witnesses": ("ARMED",),
}
"""What the enclosure is in after the process was killed while armed. Witnesses, the log and the
last word tell of it; none of them guards."""


def killed(folder: Path, which: str, steps: tuple[str, ...] = STEPS) -> Found:
    """Kill a process of this machine's own at each step."""
    for step in steps:
        _played(
            folder / step / "small", step, lambda life: _kill(life, which), AFTER[which],
            made=which in ("keys", "last word"),
        )  # fmt: skip
    kept = "UNKNOWN without keys" if which == "keys" else "guards on"
    return Found(points=len(steps), found=f"{kept}; a cut is TAMPERED all the same")


def killed_readers(
    folder: Path, names: tuple[str, ...] = NAMES, steps: tuple[str, ...] = STEPS
) -> Found:
    """Kill each reader's process at each step: never ARMED without it, and a cut is not missed."""
    for name in names:
        for step in steps:
            _reader_killed(folder / f"{name} {step}" / "small", step, name)
    count = len(names) * len(steps)
    return Found(points=count, found="UNKNOWN, keys sealed or gone; a cut is TAMPERED or UNKNOWN")


def _reader_killed(home: Path, step: str, name: str) -> None:
    far = FarApart()
    try:
        _played(home, step, lambda _life: far.kill(name), ("UNKNOWN",), far=far, silent=name)
    finally:
        far.close()


def _kill(life: Life, which: str) -> None:
    if which == "witnesses":
        for pid in _children("spawn_main"):
            os.kill(pid, signal.SIGKILL)
        return
    if which == "log key":
        os.kill(life.runtime.setting.log._signers[0][1].pid, signal.SIGKILL)
        return
    holder = life.runtime.holder
    assert isinstance(holder, ProcessHolder)
    os.kill(holder.pids[which == "last word"], signal.SIGKILL)


def _played(
    home: Path,
    step: str,
    kill: Callable[[Life], None],
    after: tuple[str, ...],
    *,
    far: FarApart | None = None,
    made: bool = False,
    silent: str = "",
) -> None:
    """Play a life in which `kill` strikes; its start may be refused if it strikes at that.

    made: the process is there once keys are. silent: the reader that is killed.
    """
    life = Life(home, far=far, start=False, slow_s=SILENT_S if far else SLOW_S)
    with hears() as heard:
        try:
            if step == "start" and not made:
                kill(life)
            try:
                life.runtime.start()
            except CasemateError:
                assert step == "start", "a start that nothing disturbs is refused"
                return
            if step == "start":
                _at_start(life, kill, made=made)
            else:
                life.reaches("ARMED")
                life.watches()
                _while_armed(life, kill, after, step=step, silent=silent)
            last = life.state()
        finally:
            life.close()
    assert heard == [], f"{home}: {heard}"
    _next_start(home, step, last)


def _at_start(life: Life, kill: Callable[[Life], None], *, made: bool) -> None:
    """Nothing guards without what it needs; witnesses and keys are needed to be commissioned."""
    if made:
        life.until(lambda: life.runtime.holder is not None, "no keys")
        kill(life)
    life.watches(30)
    now = life.status()
    if now["holder"] == "erased":
        life.until(lambda: life.state() not in GUARDING, "guards without keys")


def _while_armed(
    life: Life, kill: Callable[[Life], None], after: tuple[str, ...], *, step: str, silent: str
) -> None:
    if step == "cut":
        life.far.cut = True
        if silent:
            life.until(lambda: silent in life.far.telling, "the reader tells nothing")
        kill(life)
    else:
        kill(life)
        life.watches()
        life.reaches(*after)
        life.far.cut = True
    life.reaches("TAMPERED", *(("UNKNOWN",) if silent else ()))
    life.keys_go()


def _next_start(home: Path, step: str, last: str) -> None:
    """Start again with all processes there."""
    life = Life(home)
    try:
        life.watches()
        state = life.state()
        assert last != "TAMPERED" or state == "TAMPERED", f"{home}: a latch is forgotten"
        assert step == "start" or state not in GUARDING, f"{home}: {state}"
        assert state != "TAMPERED" or life.status()["keys"] == "GONE"
    finally:
        life.close()
    said = alarms(home)
    assert said <= ({"state.tampered"} if step != "start" else set()), f"{home}: {said}"


def _children(named: str) -> list[int]:
    """This process's own children of a kind, by id."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    mine = {pid for each in tasks.iterdir() for pid in (each / "children").read_text().split()}
    return [
        int(pid)
        for pid in mine
        if named in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    ]
