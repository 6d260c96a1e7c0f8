"""Folders of secrets are this user's own; a socket in one answers nobody else."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

import pytest

from casemate.core import local_socket
from casemate.core.errors import InputError, OutputError
from casemate.core.local_socket import Desk, ask
from casemate.core.private_folder import private_folder

NOBODY = 65534
SHARED = Path(tempfile.gettempdir())
KNOCK = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with socket.socket(socket.AF_UNIX) as link:
    link.settimeout(5.0)
    link.connect(sys.argv[1])
    try:
        link.sendall(b"{}\\n")
        print(link.recv(100).decode().strip() or "nothing")
    except OSError:
        print("nothing")
"""


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_is_made_closed_and_an_open_one_is_closed(tmp_path: Path) -> None:
    assert rights(private_folder(tmp_path / "a" / "b")) == 0o700
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert rights(private_folder(tmp_path / "open")) == 0o700


def test_link_and_file_are_no_folder_for_secrets(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "file").write_text("x")
    for name in ("link", "file"):
        with pytest.raises(OutputError, match="no folder for secrets"):
            private_folder(tmp_path / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    with pytest.raises(OutputError, match="belongs to another user"):
        private_folder(tmp_path / "theirs")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs a process of another user")
@pytest.mark.parametrize(("told", "says"), [(False, '{"secret": 1}\n'), (True, "nothing\n")])
def test_another_user_gets_no_answer_though_rights_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool, says: str
) -> None:
    """The kernel's word on who asks holds where a mask or an administrator opened the folder.

    The first row is the plant: without that word, the secret goes out.
    """
    if not told:
        monkeypatch.setattr(local_socket, "_user", lambda _link: 0)
    desk = Desk(tmp_path / "in" / "desk", lambda _question: {"secret": 1})
    try:
        assert ask(tmp_path / "in" / "desk", {}) == {"secret": 1}
        for path in (*takewhile(SHARED.__ne__, tmp_path.parents), tmp_path, tmp_path / "in"):
            path.chmod(0o755)
        (tmp_path / "in" / "desk").chmod(0o666)
        address = os.path.relpath(tmp_path / "in" / "desk", "/")
        there = subprocess.run(
            [sys.executable, "-ISc", KNOCK, address],
            cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert there.stdout == says, there.stdout + there.stderr
    finally:
        desk.close()


def test_user_at_the_other_end_is_the_kernels_word() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert local_socket._user(one) == os.geteuid()


def test_nobody_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing that runs"):
        ask(tmp_path / "none", {})
