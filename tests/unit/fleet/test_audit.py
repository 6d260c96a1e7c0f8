"""Every request is in a transparency log before it is carried out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from fleet_kit import FINGERPRINT, Kit, bring, enter, kit_in
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core.errors import OutputError
from casemate.fleet.audit.log import AuditLog, Line, decode
from casemate.translog.disk import FolderDisk
from casemate.translog.fsck import fsck


def lines(kit: Kit) -> list[tuple[str, str, str]]:
    """Return who, what and outcome, oldest first."""
    found = reversed(kit.service.audit.latest(1000))
    return [(each.who, each.what, each.outcome) for _, each in found]


def test_reads_writes_and_refusals_are_written_down(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    kit.client("auditor").get("/enclosures/1")
    kit.client("auditor").get("/enclosures/2")
    kit.post("auditor", "/incidents/1/confirm")
    kit.client().get("/fleet")
    machine = f"machine:{FINGERPRINT[:16]}"
    assert lines(kit) == [
        (machine, "POST /evidence", "asked"),
        (machine, "POST /evidence", "done"),
        ("auditor one", "GET /enclosures/{id:int}", "asked"),
        ("auditor one", "GET /enclosures/{id:int}", "asked"),
        ("auditor one", "GET /enclosures/{id:int}", "failed 404"),
        ("auditor one", "POST /incidents/{id:int}/confirm", "refused 403"),
        ("client testclient", "GET /fleet", "refused 401"),
    ]
    subjects = [each.subject for _, each in kit.service.audit.latest(1000)]
    assert subjects.count("2") == 2


def test_what_cannot_be_written_down_is_not_done(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    brought = enter(kit)
    brought.story.change("UNKNOWN", "power went")
    brought.story.seal()
    bring(kit, brought)
    seen = kit.client("inspector").get("/incidents/1.json").json()["seen"]

    def fail(_: Line) -> int:
        raise OutputError("planted.", remedy="none.")

    with monkeypatch.context() as patch:
        patch.setattr(kit.service.audit, "write", fail)
        assert kit.post("inspector", "/incidents/1/acknowledge", seen=seen).status_code == 503
        assert kit.client("inspector").get("/fleet").status_code == 503
    assert kit.client("inspector").get("/incidents/1.json").json()["acknowledged_by"] is None


def test_the_log_is_one_that_fsck_checks(tmp_path: Path) -> None:
    with kit_in(tmp_path) as kit:
        for _ in range(3):
            kit.client("auditor").get("/fleet")
        data = kit.client("auditor").get("/audit.zip").content
        keys, count = kit.service.audit.log.keys, kit.service.audit.log.size
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path / "out")
    found = fsck(FolderDisk(tmp_path / "out" / "audit"), "fleet.test/audit", keys)
    assert found.size == count == 3  # a read, two more of the same, and that of the log itself
    tile = next((tmp_path / "out" / "audit" / "tile" / "entries").rglob("000.p/*"))
    tile.write_bytes(tile.read_bytes().replace(b"auditor one", b"auditor two"))
    with pytest.raises(Exception, match=r"."):
        fsck(FolderDisk(tmp_path / "out" / "audit"), "fleet.test/audit", keys)


def test_lines_survive_a_restart(tmp_path: Path) -> None:
    with kit_in(tmp_path) as kit:
        kit.client("auditor").get("/fleet")
        before = kit.service.audit.latest(10)
    with kit_in(tmp_path) as again:
        assert again.service.audit.latest(10) == before
        again.client("auditor").get("/audit")
        assert len(again.service.audit.latest(10)) == len(before) + 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_makes_another_line(who: str, subject: str) -> None:
    line = Line(
        at_s=1, who=who, role="auditor", party="x", what="GET /fleet", subject=subject,
        outcome="asked",
    )  # fmt: skip
    data = line.encode()
    assert data.decode().isprintable()
    assert decode(data).what == "GET /fleet"
    assert len(decode(data).who) <= 200


def test_a_second_process_does_not_write_the_same_log(tmp_path: Path) -> None:
    with kit_in(tmp_path), pytest.raises(Exception, match="in use"):
        AuditLog(tmp_path / "audit", "fleet.test/audit", clock=lambda: 0.0)
