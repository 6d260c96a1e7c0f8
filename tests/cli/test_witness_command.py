"""`casemate witness`: a folder, a server, a log that it cosigns, a check and a verdict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "translog"))

from log_samples import LOG_KEY, LOG_KEYS, ORIGIN, TestKey, Tree, signed

from casemate.cli.main import main
from casemate.translog import bundle, client, cosignature, guilt
from casemate.translog import note as notes
from casemate.translog.client import HttpAsker, Peer
from casemate.translog.log import Log


def new_witness(folder: Path, capsys, *more: str) -> notes.NoteKey:
    assert main(["witness", "new", str(folder), "--name", "state-a.example/w1", *more]) == 0
    key = notes.parse_vkey(capsys.readouterr().out.strip())
    with (folder / "logs").open("a") as stream:
        stream.write(f"log {LOG_KEYS[0].vkey()}\n")
    return key


def start(folder: Path) -> tuple[subprocess.Popen, dict]:
    command = [sys.executable, "-m", "casemate", "witness", str(folder)]
    process = subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE, text=True
    )
    return process, json.loads(process.stdout.readline())


def stop(process: subprocess.Popen, how: signal.Signals = signal.SIGINT) -> int:
    process.send_signal(how)
    return process.wait(timeout=20)


@pytest.mark.parametrize("algorithm", ["ml-dsa-44", "ed25519"])
def test_a_witness_serves_survives_kill_9_and_remembers(tmp_path, capsys, algorithm):
    key = new_witness(tmp_path / "w", capsys, "--algorithm", algorithm)
    assert os.stat(tmp_path / "w" / "key.pem").st_mode & 0o777 == 0o600
    log = Log(tmp_path / "log", ORIGIN, LOG_KEY)
    log.append([b"a"] * 5)
    process, said = start(tmp_path / "w")
    try:
        assert said["keys"] == [key.vkey()]
        found = client.cosign(log, [Peer(name="w", keys=(key,), asker=HttpAsker(said["url"]))])
    finally:
        stop(process, signal.SIGKILL)
    assert not found.failed
    cosignature.require(notes.parse(found.checkpoint), (key,))
    fork = Log(tmp_path / "fork", ORIGIN, LOG_KEY)
    fork.append([b"b"] * 5)
    process, said = start(tmp_path / "w")
    try:
        peer = Peer(name="w", keys=(key,), asker=HttpAsker(said["url"]))
        assert client.cosign(fork, [peer]).rollback is not None
    finally:
        assert stop(process) == 0
    (proof,) = (tmp_path / "w" / "guilt").iterdir()
    assert main(["witness", "guilt", str(proof), "--key", LOG_KEYS[0].vkey()]) == 1
    assert "cannot both be true" in capsys.readouterr().out


def test_fsck_says_what_it_checked_and_what_does_not_agree(tmp_path, capsys):
    bundle.write_manifest(tmp_path, enclosure="camera", serial="7", origin=ORIGIN)
    log = Log(tmp_path, ORIGIN, LOG_KEY)
    log.append([b"a"] * 300)
    log.checkpoint()
    log.append([b"b"])
    log.close()
    ask = ["witness", "fsck", str(tmp_path), "--key", LOG_KEYS[0].vkey(), "--json"]
    assert main(ask) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["size"], said["pending"], said["origin"]) == (300, 1, ORIGIN)
    path = tmp_path / "tile" / "entries" / "000"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert main(ask) == 1
    assert "entry 255" in capsys.readouterr().err


def test_the_innocent_are_not_convicted_and_bad_files_are_said(tmp_path, capsys):
    note = signed(Tree(3).stated()).encode()
    path = tmp_path / "proof.json"
    path.write_bytes(guilt.Guilt(first=note, second=note).encode())
    ask = ["witness", "guilt", str(path), "--key", LOG_KEYS[0].vkey()]
    assert main(ask) == 1
    assert "prove nothing" in capsys.readouterr().err
    path.write_bytes(b"{}")
    assert main(ask) == 2
    assert main(["witness", "guilt", str(tmp_path / "none"), "--key", LOG_KEYS[0].vkey()]) == 2
    assert main([*ask[:-1], "no key"]) == 2


def test_wrong_folders_and_addresses_are_said(tmp_path, capsys):
    folder = tmp_path / "w"
    new_witness(folder, capsys)
    assert main(["witness", "new", str(folder), "--name", "a"]) == 2
    assert main(["witness", "new", str(tmp_path / "x"), "--name", "a b"]) == 2
    assert main(["witness", str(tmp_path / "none")]) == 2
    for address in ("7380", "127.0.0.1:99999", "127.0.0.1:x"):
        assert main(["witness", str(folder), "--listen", address]) == 2
    (folder / "key.pem").chmod(0o644)
    assert main(["witness", str(folder)]) == 2
    assert "chmod 600" in capsys.readouterr().err
    (folder / "key.pem").chmod(0o600)
    (folder / "key.pem").write_text(TestKey.__doc__ or "")
    assert main(["witness", str(folder)]) == 2
    (folder / "witness.json").write_text("[]")
    assert main(["witness", str(folder)]) == 2
