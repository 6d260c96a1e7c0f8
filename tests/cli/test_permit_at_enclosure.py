"""`casemate permit` at a small enclosure that runs: request, sign, use, swap, re-anchor, close."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from casemate.cli import permit as command
from casemate.cli.desks import DESK, STATUS
from casemate.core.errors import CasemateError, FormatError
from casemate.core.local_socket import Desk

sys.path.append(str(Path(__file__).parents[1] / "unit" / "control"))
from live_small import Live
from small_enclosure import wait_for


def call(*arguments: object) -> int:
    """Run the command as the frame does."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    args = parser.parse_args([str(each) for each in arguments])
    return int(args.run_subcommand(args))


def test_nobody_answers(tmp_path: Path) -> None:
    (tmp_path / "permit").write_bytes(b"x")
    for arguments in (
        ("use", tmp_path, tmp_path / "permit"),
        ("swap", tmp_path, "plates"),
        ("emergency", tmp_path, "--cause", "fire"),
        ("re-anchor", tmp_path, "--key", tmp_path / "permit"),
    ):
        with pytest.raises(CasemateError, match="nothing that runs answers"):
            call(*arguments)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    folder = tmp_path / "small"
    folder.mkdir()
    found = Live(folder)

    def swapped(question: dict[str, Any]) -> dict[str, Any]:
        found.far.swap(question["swap"], 9 if question["alien"] else 1)
        return {"done": ["swapped"]}

    desks = [Desk(folder / STATUS, found.runtime.answer), Desk(folder / DESK, swapped)]
    try:
        found.reaches("ARMED")
        assert wait_for((folder / "evidence" / "checkpoint").exists)
        yield found
    finally:
        for each in desks:
            each.close()
        found.close()


@pytest.mark.slow
def test_the_whole_way(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    """By the real commands, each party with its own file of keys; then an emergency."""
    folder, now = live.folder, datetime.now(UTC)
    host, inspector = (folder / "parties" / f"{each}-DEMO.json" for each in ("host", "inspector"))
    asked, half, whole = (folder.parent / each for each in ("request", "half", "permit"))
    assert call(
        "request", "--enclosure", "small", "--serial", "UNIT-1", "--module", "plates",
        "--action", "replace", "--action", "re-anchor",
        "--from", (now - timedelta(minutes=1)).isoformat(),
        "--until", (now + timedelta(hours=1)).isoformat(),
        "--checkpoint", folder / "evidence" / "checkpoint", "-o", asked, "--json",
    ) == 0  # fmt: skip
    token = json.loads(capsys.readouterr().out)["token"]
    assert call("sign", asked, "--key", host, "-o", half) == 0
    with pytest.raises(FormatError, match="inspector"):
        call("use", folder, half, "--token", token)
    assert call("sign", half, "--key", inspector, "-o", whole) == 0
    assert call("use", folder, whole) == 0
    assert live.state() == "ARMED"  # without the token it waits
    assert call("use", folder, whole, "--token", token) == 0
    assert live.state() == "MAINTENANCE"
    assert call("swap", folder, "plates") == 0
    assert wait_for(lambda: live.runtime.upkeep._proposed is not None)
    with pytest.raises(FormatError, match="every party"):
        call("re-anchor", folder, "--key", host)
    assert call("re-anchor", folder, "--key", host, "--key", inspector) == 0
    said = capsys.readouterr()
    assert "plates: 4 features move by 5.000% at most" in said.err
    end = ("--outcome", "done", "-o", folder.parent / "closed", "--at", folder, "--json")
    assert call("close", whole, "--key", host, "--key", inspector, *end) == 0
    assert live.state() == "ARMED"
    assert call("emergency", folder, "--cause", "leak") == 0
    assert live.state() == "UNKNOWN"
    assert live.far.unlocked == {"front", "back"}
