"""What the service opens is what its unit allows: folders, kinds of sockets, memory, no program."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from casemate.fleet.access import people
from casemate.fleet.hammer.child_process import Reader
from casemate.fleet.service import home, supervised

UNIT = Path(__file__).resolve().parents[3] / "deploy" / "casemate-fleet.service"
HERE = Path(__file__).parent
BYTECODE = "__pycache__"
"""Of imports: where the unit lets nothing be written, Python goes on without."""


def directive(text: str, name: str) -> list[str]:
    """Return the words of a directive of a unit."""
    return [word for found in re.findall(rf"(?m)^{name}=(.*)$", text) for word in found.split()]


def forbidden(lines: list[str], unit: str, folder: Path) -> list[str]:
    """Return what was opened though the unit does not allow it, its folder being `folder`.

    /tmp would be its own, and it has no business there either.
    """
    families = {int(getattr(socket, each)) for each in directive(unit, "RestrictAddressFamilies")}
    strict = directive(unit, "ProtectSystem") == ["strict"]
    out = []
    for line in lines:
        what, _, value = line.partition(" ")
        own = value == str(folder) or value.startswith(f"{folder}/")
        if what == "writes":
            if strict and not own and value != "/dev/null" and BYTECODE not in value:
                out.append(line)
        elif what == "family" and int(value) in families:
            continue
        elif what != "memory" or directive(unit, "MemoryDenyWriteExecute") == ["yes"]:
            out.append(line)
    return out


def open_files(pid: int) -> list[str]:
    """Return the files that a process has open for writing, libraries in C too."""
    for _ in range(100):
        try:
            return _open_at_once(pid)
        except FileNotFoundError:
            time.sleep(0.02)  # one was closed while they were looked at: once more, all of them
    raise AssertionError("its files change faster than they can be looked at")


def _open_at_once(pid: int) -> list[str]:
    out = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        info = Path(f"/proc/{pid}/fdinfo/{each.name}").read_text(encoding="ascii")
        flags = int(re.findall(r"flags:\s+(\d+)", info)[0], 8)
        aim = os.readlink(each)
        if flags & (os.O_WRONLY | os.O_RDWR) and aim.startswith("/") and int(each.name) > 2:
            out.append(f"writes {aim.removesuffix(' (deleted)')}")
    return out


@pytest.mark.timeout(120)
def test_the_service_opens_what_its_unit_allows(tmp_path: Path) -> None:
    """Started, read by a person over TLS, ended: and its manager was told each time."""
    place = home.make(tmp_path / "fleet", "localhost")
    store = place.opened()
    with store.write() as link:
        people.add(link, "ann", "inspector", "peerland")
        code = people.new_code(link, "ann", int(time.time()))
    store.close()
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(tmp_path / "manager"))
    told.settimeout(60)
    out = tmp_path / "opened"
    running = subprocess.Popen(
        [sys.executable, str(HERE / "watched_service.py"), str(out), "fleet", "serve",
         str(place.folder), "--listen", "127.0.0.1:0", "--json"],
        stdout=subprocess.PIPE, text=True,
        env={**os.environ, supervised.SOCKET: str(tmp_path / "manager")},
    )  # fmt: skip
    try:
        assert running.stdout is not None
        url = json.loads(running.stdout.readline())["url"]
        assert told.recv(100) in (supervised.READY, supervised.ALIVE)
        Reader(url, place.tls / "ca.pem", code).fleet_s()
        heard = {told.recv(100) for _ in range(2)}
        lines = open_files(running.pid)
        assert any(each.endswith(home.DATABASE) for each in lines)
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    while supervised.STOPPING not in heard:
        heard.add(told.recv(100))
    assert supervised.ALIVE in heard
    told.close()
    lines += out.read_text(encoding="utf-8").splitlines()
    unit = UNIT.read_text(encoding="utf-8")
    assert f"family {int(socket.AF_INET)}" in lines and f"family {int(socket.AF_UNIX)}" in lines
    assert forbidden(lines, unit, place.folder) == []
    narrow = unit.replace("AF_INET AF_INET6 ", "")
    assert forbidden(lines, narrow, place.folder) == [f"family {int(socket.AF_INET)}"]
    assert len(forbidden(lines, unit, place.folder / "tls")) > 3  # its folder is where it writes


@pytest.mark.parametrize(
    "line",
    ["writes /etc/passwd", "writes /var/lib/casemate-fleet-other/x", "writes /tmp/x", "family 16",
     "program subprocess.Popen sh", "memory 7f00-7f01 rwxp 00000000 00:00 0"],
)  # fmt: skip
def test_what_is_not_allowed_is_found(line: str) -> None:
    unit = UNIT.read_text(encoding="utf-8")
    folder = Path("/var/lib/casemate-fleet")
    assert forbidden([f"writes {folder}/fleet.db", "family 2", line], unit, folder) == [line]


def test_without_a_manager_nothing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(supervised.SOCKET, raising=False)
    assert not supervised.tell(supervised.READY)
    for nobody in ("relative", str(tmp_path / "nobody"), "@nobody-listens-here"):
        monkeypatch.setenv(supervised.SOCKET, nobody)
        assert not supervised.tell(supervised.ALIVE)


def test_a_manager_in_the_abstract_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"casemate-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(f"\0{name}")
        monkeypatch.setenv(supervised.SOCKET, f"@{name}")
        assert supervised.tell(supervised.READY)
        assert told.recv(100) == supervised.READY
