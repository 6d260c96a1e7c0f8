"""A controller's certificate that is stolen, or runs out: another one, and an end of the first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Kit, bring, enter
from sqlalchemy import select

from casemate.attest.reference_write import as_json
from casemate.cli.main import main
from casemate.fleet.appraisal import evidence
from casemate.fleet.service import home
from casemate.fleet.store.schema import ERRANDS, MACHINES
from casemate.testing import honest_enclosure as honest


def test_a_certificate_that_is_let_in_no_more_brings_nothing(kit: Kit) -> None:
    brought = enter(kit)
    with kit.service.store.write() as link:
        evidence.let(link, brought.enclosure_id, "cd" * 32, 1)
        assert evidence.let_none(link, brought.enclosure_id + 1) == 0
    assert bring(kit, brought).status_code == 200
    with kit.service.store.write() as link:
        assert evidence.let_none(link, brought.enclosure_id) == 2
    honest.watch(brought.story)
    for each in ("ab" * 32, "cd" * 32):
        assert kit.push(brought.rest(), fingerprint=each).status_code == 401


def told(capsys: pytest.CaptureFixture[str], *given: str, code: int = 0) -> Any:
    """Run a command of the fleet and return its row."""
    assert main(["fleet", *given, "--json"]) == code
    out = capsys.readouterr().out
    return json.loads(out) if code == 0 else out


def let(folder: Path) -> tuple[set[str], list[str]]:
    """Return the certificates that are let in, and what was written down."""
    store = home.read(folder).opened()
    try:
        with store.read() as link:
            found = set(link.execute(select(MACHINES.c.fingerprint)).scalars())
            return found, list(link.execute(select(ERRANDS.c.what)).scalars())
    finally:
        store.close()


def test_the_command_ends_those_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, trust = tmp_path / "service", tmp_path / "trust"
    trust.mkdir()
    (trust / "reference.json").write_text(as_json(honest.reference()))
    (trust / "policy").write_bytes(honest.policy_text())
    told(capsys, "init", str(folder))
    first = told(
        capsys, "add", str(folder), str(trust), "--serial", honest.SERIAL, "--kind", "camera",
        "--site", "hall", "--identity", str(tmp_path / "first"),
    )  # fmt: skip
    given = ("identity", str(folder), "1")
    second = told(capsys, *given, str(tmp_path / "second"), "--beside")
    assert second["ended"] == 0
    assert let(folder)[0] == {first["fingerprint"], second["fingerprint"]}
    third = told(capsys, *given, str(tmp_path / "third"))
    assert third["ended"] == 2
    assert let(folder)[0] == {third["fingerprint"]}
    assert (tmp_path / "third" / "key.pem").stat().st_mode & 0o077 == 0
    told(capsys, *given, str(tmp_path / "third"), code=2)  # the folder is there
    told(capsys, *given, "--beside", code=2)
    told(capsys, "identity", str(folder), "2", str(tmp_path / "no"), code=1)
    assert not (tmp_path / "no").exists() and let(folder)[0] == {third["fingerprint"]}
    assert told(capsys, *given)["ended"] == 1
    found, said = let(folder)
    assert found == set()
    assert sum("certificates of a controller" in each for each in said) == 3
