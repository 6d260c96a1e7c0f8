"""An interval as a bundle: what is cut is the end, and the verifier says the same of the rest."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Kit, bring, enter

from casemate.attest.reference_write import as_json
from casemate.cli.main import main
from casemate.fleet.appraisal import appraiser
from casemate.testing import honest_enclosure as honest


def local(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def unpacked(kit: Kit, folder: Path, from_s: int, until_s: int) -> dict[str, Any]:
    query = f"from={local(from_s)}&until={local(until_s)}"
    answer = kit.client("inspector").get(f"/enclosures/1/interval.zip?{query}")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(folder)
    (folder / "mine").mkdir()
    (folder / "mine" / "reference.json").write_text(as_json(honest.reference()))
    (folder / "mine" / "policy").write_bytes(honest.policy_text())
    return dict(json.loads((folder / "interval.json").read_text()))


def verified(folder: Path, at: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    capsys.readouterr()
    command = ["verify", str(folder / "evidence"), "--trust", str(folder / "mine"), "--now", at]
    code = main([*command, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_interval_verifies_offline_and_says_the_same(
    kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brought = enter(kit)
    story = brought.story
    begun_s, until_s = story.now_s - 240, story.now_s - 90
    honest.watch(story, 2)
    story.watch(verdict="INTERFERENCE")
    honest.watch(story, 2)
    bring(kit, brought)
    row = unpacked(kit, tmp_path, begun_s, until_s)
    assert 0 < row["entries"] < len(story.entries) and row["whole"] is False
    assert [each["kind"] for each in row["continuity"]] == ["proven"]
    code, found = verified(tmp_path, row["verify_at"], capsys)
    assert code == 0 and found["state"] == "ARMED" and found["tokens"] == row["entries"]
    assert found["seen"] == row["verify_at"] and found["findings"] == []
    edge = next(each for each in found["continuity"] if each["kind"] == "proven")
    assert edge["from"] <= row["from"] and edge["to"] >= row["until"]


def test_of_an_old_interval_no_more_is_sent(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The appraisal keeps what a quorum has seen last; what it saw before is found again."""
    monkeypatch.setattr(appraiser, "RECENT_NOTES", 2)
    brought = enter(kit)
    begun_s = brought.story.now_s
    honest.watch(brought.story, 8)
    bring(kit, brought)
    found = kit.service.intake.seals(1)
    assert found is not None
    assert begun_s + 60 < found[0].by_s
    row = unpacked(kit, tmp_path, begun_s - 60, begun_s + 60)
    assert row["whole"] is False
    assert row["entries"] <= len(brought.story.entries) - 6


def test_an_interval_with_trouble_shows_it(
    kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever exports cannot leave out what happened within."""
    brought = enter(kit)
    story = brought.story
    begun_s = story.now_s
    story.watch(verdict="INTERFERENCE")
    honest.watch(story, 2)
    bring(kit, brought)
    row = unpacked(kit, tmp_path, begun_s, begun_s + 65)
    assert "interfered" in {each["kind"] for each in row["continuity"]}
    code, found = verified(tmp_path, row["verify_at"], capsys)
    assert code == 1 and found["findings"][0]["id"] == "verdict.interference"


def test_an_interval_up_to_now_is_the_whole(kit: Kit, tmp_path: Path) -> None:
    brought = enter(kit)
    bring(kit, brought)
    now_s = kit.service.now_s()
    row = unpacked(kit, tmp_path, now_s - 100, now_s)
    assert row["whole"] is True and row["entries"] == len(brought.story.entries)


def test_of_an_odd_log_there_is_no_interval(kit: Kit) -> None:
    """A part of a log that tells two stories could look good."""
    brought = enter(kit)
    story = brought.story
    middle_s = story.now_s - 90
    late = story.stated(len(story.entries) - 1)
    story.seal(at_s=story.now_s + 40, stated=late)  # a smaller log, seen after a larger one
    story.now_s += 60
    answer = bring(kit, brought)
    query = f"from={local(middle_s - 60)}&until={local(middle_s)}"
    told = kit.client("inspector").get(f"/enclosures/1/interval.zip?{query}")
    assert answer.status_code == 200 and told.status_code == 422


def test_times_out_of_bounds_are_refused(kit: Kit) -> None:
    enter(kit, honest.Story())
    for query in (
        "from=x", "until=2099-01-01T00:00", "from=2027-01-15T09:00&until=2027-01-15T08:00",
        "from=2027-01-15T08:00&until=2027-01-15T08:00", "until=0001-01-01T00:00",
    ):  # fmt: skip
        for path in ("interval", "interval.zip"):
            answer = kit.client("inspector").get(f"/enclosures/1/{path}?{query}")
            assert answer.status_code == 422, query


def test_the_page_shows_gaps_events_and_what_is_not_said(kit: Kit) -> None:
    brought = enter(kit)
    story = brought.story
    story.change("UNKNOWN", "power went")
    story.seal()
    bring(kit, brought, later_s=200)
    row = kit.client("inspector").get("/enclosures/1/interval.json").json()
    assert row["silent"] != "0 s" and row["gaps"]
    assert any(each["text"] == "power went" for each in row["events"])
    assert "offline bundle" in kit.client("inspector").get("/enclosures/1/interval").text
