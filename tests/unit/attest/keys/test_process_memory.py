"""Where keys lie while a holder lives, and that nothing is left: memory, dumps, the controller."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from holder_scans import Scanner

from casemate.attest.keys import cell as cells
from casemate.attest.keys.process import ProcessHolder
from casemate.core.suites import DEFAULT_SUITE, SUITES, Suite
from casemate.testing.keyholders import FRAME, LAST
from outside_programs import missing, program

LIVES_ON = cells._RUN.replace(
    "main({arguments})",
    "import casemate.attest.keys.holder as holder, time; "
    "holder._kill = lambda: time.sleep(60); main({arguments})",
)
"""A holder that erases and then does not end itself, so that its memory can be looked at."""


KEEPS_KEYS = cells._RUN.replace(
    "main({arguments})",
    "import casemate.attest.keys.vault as vault; kept = []; load = vault.Vault._load; "
    "vault.Vault._load = lambda s, i: (kept.append(load(s, i)), kept[-1])[1]; main({arguments})",
)
"""A holder that does not free the keys that it makes for signing."""


def test_scan_finds_what_signing_derives_where_keys_are_kept(
    scan: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The needles are the right ones: the test below can fail."""
    monkeypatch.setattr(cells, "_RUN", KEEPS_KEYS)
    holder = ProcessHolder()
    try:
        holder.sign(FRAME)
        scan("holder", holder.pids[0])
        found = scan("scan", holder.pids[0])
        assert found["seed 1"] > 1 and found["seed 2"] > 1
        assert "K 2 6" in found, "the key of FIPS 204 that signing derives from the seed"
    finally:
        holder.close()


@pytest.mark.parametrize(
    "suite",
    [
        pytest.param(s, marks=[] if s is DEFAULT_SUITE else [pytest.mark.slow])
        for s in SUITES.values()
    ],
    ids=SUITES,
)
def test_seeds_lie_in_one_page_and_nothing_derived_is_left(scan: Scanner, suite: Suite) -> None:
    holder = ProcessHolder(suite)
    try:
        for _ in range(20):
            holder.sign(FRAME)
        scan("holder", holder.pids[0])
        in_holder = scan("scan", holder.pids[0])
        wanted = {f"seed {i + 1}": 1 for i in range(len(suite.algorithms))}
        assert in_holder == wanted, "seeds once each, and nothing that signing derived"
        assert scan("scan", os.getpid()) == {}, "the controller has a key"
        assert scan("scan", holder.pids[1]) == {}, "the other holder has a key"
    finally:
        holder.close()


def test_scan_finds_what_openssl_leaves_where_freed_memory_stays(
    scan: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason for WIPE_FREED, and a check that the test above can fail."""
    monkeypatch.setattr(cells, "WIPE_FREED", {})
    holder = ProcessHolder()
    try:
        holder.sign(FRAME)
        scan("holder", holder.pids[0])
        assert scan("scan", holder.pids[0])["seed 2"] > 1
    finally:
        holder.close()


def test_nothing_is_left_in_a_process_that_lives_on(
    scan: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "_RUN", LIVES_ON)
    holder = ProcessHolder()
    try:
        cell = holder._evidence
        holder.sign(FRAME)
        scan("holder", cell.pid)
        assert set(scan("scan", cell.pid)) == {"seed 1", "seed 2"}
        cell.overwrite()
        assert cell.await_word(2.0)
        assert not cell.dead
        assert scan("scan", cell.pid) == {}
        scan("holder", holder.pids[1])
        assert set(scan("scan", holder.pids[1])) == {"seed 1", "seed 2"}
        holder.last_word(LAST)
        assert scan("scan", holder.pids[1]) == {}, "a last word is spoken, and its keys are left"
    finally:
        holder.close()


def test_dump_by_a_debugger_leaves_the_page_out(scan: Scanner, tmp_path: Path) -> None:
    gcore = program("gcore", "gdb")
    holder = ProcessHolder()
    try:
        holder.sign(FRAME)
        pid = holder.pids[0]
        scan("holder", pid)
        for flags, finds in ((["-a"], {"seed 1": 1, "seed 2": 1}), ([], {})):
            core = tmp_path / f"core{len(flags)}"
            subprocess.run(
                [gcore, *flags, "-o", str(core), str(pid)],
                check=True,
                capture_output=True,
                env={"PATH": os.environ["PATH"], "DEBUGINFOD_URLS": ""},
            )
            assert scan("file", f"{core}.{pid}") == finds
    finally:
        holder.close()


def test_crash_writes_no_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core":
        missing("the working folder as the place of core dumps", "is not set")
    monkeypatch.chdir(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        subprocess.run([sys.executable, "-c", "import os; os.abort()"], check=False)
        assert list(tmp_path.glob("core*")), "a process that is not hardened writes one"
        for each in tmp_path.glob("core*"):
            each.unlink()
        holder = ProcessHolder()
        os.kill(holder.pids[0], signal.SIGABRT)
        assert holder._evidence.await_death()
        holder.close()
        assert not list(tmp_path.glob("core*"))
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_holder_shares_nothing_but_its_descriptors() -> None:
    holder = ProcessHolder()
    try:
        for pid in holder.pids:
            there = Path(f"/proc/{pid}")
            environment = there.joinpath("environ").read_bytes().rstrip(b"\0")
            assert environment.count(b"=") == 3, "GLIBC_TUNABLES and its two values"
            kinds = [os.readlink(each).split(":")[0] for each in (there / "fd").iterdir()]
            assert sorted(kinds)[-3:] == ["pipe", "pipe", "socket"], kinds
            assert "Max core file size        0                    0" in (
                there.joinpath("limits").read_text()
            )
        granted = holder.hardening
        assert not granted.dumpable and granted.core_bytes == 0 and granted.page_locked
    finally:
        holder.close()


def test_holders_die_with_their_controller() -> None:
    code = (
        "from casemate.attest.keys.process import ProcessHolder; import time;"
        "h = ProcessHolder(); print(*h.pids, flush=True); time.sleep(60)"
    )
    root = str(Path(cells.casemate.__file__).parent.parent)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": root}
    ) as controller:
        assert controller.stdout
        pids = [int(each) for each in controller.stdout.readline().split()]
        descriptors = [os.pidfd_open(pid) for pid in pids]
        controller.kill()
    until = time.monotonic() + 5.0
    while not all(cells._readable(each, 0.01) for each in descriptors):
        assert time.monotonic() < until, "a holder outlives its controller"
    for each in descriptors:
        os.close(each)
