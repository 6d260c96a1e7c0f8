"""Who may see into a process of keys: planted debuggers, open files, another log."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import casemate
from casemate.attest.keys import allowed, memory
from casemate.attest.keys import cell as cells
from casemate.attest.keys.memory import Hardening
from casemate.attest.keys.process import ProcessHolder
from casemate.attest.keys.protocol import CustodyError
from casemate.control.custody import LogKey, doubts_of
from casemate.core.suites import verify

TRACED = cells._RUN.replace(
    "main({arguments})", "import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0); main({arguments})"
)
"""A process that lets its parent trace it (PTRACE_TRACEME) before it closes itself."""


def checkpoint(size: int, root: int = 7, origin: str = "example.org/a") -> bytes:
    text = base64.b64encode(bytes([root]) * 32).decode()
    return f"{origin}\n{size}\n{text}\n".encode()


def test_traced_holder_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_RUN", TRACED)
    with pytest.raises(CustodyError, match="it is traced"):
        ProcessHolder()


BECOME = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
def become():
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    libc.prctl(4, 1, 0, 0, 0)  # as after an exec
def look(pid, names):
    for name in names:
        try: os.close(os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_NONBLOCK)); print(name[:2])
        except OSError: pass
    if libc.ptrace(0x4206, pid, 0, 0) == 0: print("traced")
    sys.stdout.flush()
"""
LOOK = BECOME + "become(); look(int(sys.argv[1]), ('mem', 'environ', 'maps', 'fd/0'))"
SAME_USER = (
    BECOME
    + """
from casemate.attest.keys.memory import close_to_others
become()
held, _ = os.pipe()
if sys.argv[1] == "closed":
    close_to_others()
controller = os.getpid()
if os.fork() == 0:
    libc.prctl(4, 1, 0, 0, 0)
    look(controller, (f"fd/{held}", "mem"))
    os._exit(0)
os.wait()
"""
)


def seen(code: str, argument: object) -> str:
    root = str(Path(casemate.__file__).parent.parent)
    found = subprocess.run(
        [sys.executable, "-c", code, str(argument)],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": root},
    )  # fmt: skip
    return found.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs a process of another user")
def test_another_user_reads_no_memory_and_traces_nothing() -> None:
    holder = ProcessHolder()
    try:
        for pid in holder.pids:
            assert seen(LOOK, pid) == ""
    finally:
        holder.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs a process of another user")
@pytest.mark.parametrize(("how", "found"), [("open", "fd\nme\ntraced\n"), ("closed", "")])
def test_same_user_gets_at_no_descriptor_of_a_closed_controller(how: str, found: str) -> None:
    """The first row is the plant: without closing, a process of the same user has the pipes."""
    assert seen(SAME_USER, how) == found


def test_what_is_not_granted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def granted(**changes: bool) -> Hardening:
        given = {"page_locked": True, "all_locked": True, "realtime": True, **changes}
        return Hardening(dumpable=False, core_bytes=0, **given)

    assert granted().doubts == ()
    assert "wait" in granted(realtime=False).doubts[0]
    for on, words in ((True, 1), (False, 0)):
        monkeypatch.setattr(memory, "swap_is_on", lambda on=on: on)
        assert len(granted(all_locked=False).doubts) == words


def test_doubts_reach_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = ProcessHolder()
    try:
        poor = replace(holder.hardening, all_locked=False)
        monkeypatch.setattr(holder._evidence, "hardening", poor)
        monkeypatch.setattr(memory, "swap_is_on", lambda: True)
        assert any("swapped" in each for each in doubts_of(holder))
        assert doubts_of(None) == ()
    finally:
        holder.close()


def test_log_key_signs_one_log_that_grows(tmp_path: Path) -> None:
    key = LogKey(tmp_path / "run" / "log.key")
    try:
        for size in (0, 3, 3, 9):
            verify(key.public, checkpoint(size), key.sign(checkpoint(size)))
        for fork in (
            checkpoint(8), checkpoint(9, root=8), checkpoint(10, origin="example.org/b"),
            checkpoint(10) + b"extension\n", b"anything",
        ):  # fmt: skip
            with pytest.raises(CustodyError):
                key.sign(fork)
        key.sign(checkpoint(10))
    finally:
        key.close()


def test_log_key_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "run" / "log.key"
    first = LogKey(path)
    first.close()
    again = LogKey(path)
    try:
        assert again.public == first.public
        seed = path.read_bytes()
        assert len(seed) == 32 and path.stat().st_mode & 0o777 == 0o600
    finally:
        again.close()


@pytest.mark.parametrize("fault", ["readable", "short", "link"])
def test_file_of_the_log_key_that_others_could_change_is_refused(
    tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "log.key"
    path.write_bytes(os.urandom(31 if fault == "short" else 32))
    path.chmod(0o640 if fault == "readable" else 0o600)
    if fault == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CustodyError, match="the file of the key"):
        LogKey(path)


def test_growing_log_counts_what_it_was_asked() -> None:
    log = allowed.GrowingLog()
    log.check(checkpoint(5))
    for bad in (checkpoint(4), checkpoint(5, root=1), checkpoint(6)[:-1]):
        with pytest.raises(CustodyError):
            log.check(bad)
    log.check(checkpoint(5))
