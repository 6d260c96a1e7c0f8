"""The runtime on a small enclosure: from commissioning to the last word, judged by the verifier."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_small import Live, judged
from small_enclosure import wait_for

from casemate.attest.claims import Boot, Change
from casemate.attest.keys.protocol import KeysGoneError
from casemate.attest.reference import load
from casemate.attest.token import peek
from casemate.control.adapters import payload
from casemate.control.adapters.camera import PROOF, MadeUpFrames
from casemate.control.adapters.stream import Stream
from casemate.core.errors import SignatureError
from casemate.translog.bundle import read_bundle
from casemate.translog.policy import parse
from casemate.verify import appraise

CAVEAT = "watched in part: 1 of 2 boards, not rear"


def last_said(folder: Path) -> bool:
    """Return whether the log has the last word: signing waits behind a queue."""
    return any(peek(each)[1].kind == "last" for each in read_bundle(folder / "evidence").entries)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Play one life: commissioned, armed, frames signed, cut, gone; and what was seen of it."""
    folder = tmp_path_factory.mktemp("live") / "small"
    folder.mkdir()
    told: dict[str, Any] = {"folder": folder}
    live = Live(folder, caveat=CAVEAT, unwatched=("rear",))
    try:
        live.reaches("ARMED")
        camera = Stream(
            MadeUpFrames(seed=1), folder / "frames", name="camera", per_s=50.0, batch_s=0.5,
            first=0, guards=live.runtime.guards, say=live.runtime.say_payload,
        )  # fmt: skip
        assert wait_for(lambda: camera.signed > 0)
        time.sleep(2.5)  # for the verifier, whose times are seconds
        told["armed"] = live.runtime.status()
        live.far.cut = True
        live.reaches("TAMPERED")
        camera.close()
        assert wait_for(lambda: last_said(folder))
        assert wait_for(lambda: live.runtime.status()["witnessed_entries"] == len(
            read_bundle(folder / "evidence").entries))  # fmt: skip
        told["passed"] = camera.passed
        told["after"] = live.runtime.status()
        told["exit"] = live.runtime.exit_code
        holder = live.runtime.holder
        assert holder is not None
        with pytest.raises(KeysGoneError):
            holder.sign(b"anything")
        with pytest.raises(KeysGoneError):
            holder.last_word(b"anything")
    finally:
        live.close()
    yield told


def test_it_is_commissioned_and_armed(story: dict[str, Any]) -> None:
    armed = story["armed"]
    assert (armed["state"], armed["verdict"], armed["keys"]) == ("ARMED", "NORMAL", "LIVE")
    assert armed["verdict_latency_p99_s"] < 1.0  # loaded machines; the benchmark has the figure


def test_a_cut_ends_in_tampered_with_keys_gone(story: dict[str, Any]) -> None:
    after = story["after"]
    assert (after["state"], after["keys"], after["holder"]) == ("TAMPERED", "GONE", "erased")
    assert after["keys_gone_s"] < 1.0
    assert story["exit"] == 1


def test_the_verifier_says_what_happened(story: dict[str, Any]) -> None:
    found = judged(story["folder"])
    assert found.state == "TAMPERED"
    assert [each.id for each in found.findings if each.severity == "alarm"] == ["state.tampered"]
    assert "proven" in {each.kind for each in found.intervals}
    assert found.proven == found.tokens  # the last word is witnessed too


def test_a_frame_is_checked_alone_and_an_altered_one_refused(story: dict[str, Any]) -> None:
    folder = story["folder"]
    reference = load((folder / "trust" / "reference.json").read_bytes())
    frame = next(iter(sorted((folder / "frames").glob(f"*{PROOF}"))))
    data = frame.with_name(frame.name.removesuffix(PROOF)).read_bytes()
    found = payload.check(data, frame.read_bytes(), reference, "UNIT-1")
    assert found.state == "ARMED"
    for at in (0, len(data) // 2, len(data) - 1):
        altered = bytearray(data)
        altered[at] ^= 1
        with pytest.raises(SignatureError):
            payload.check(bytes(altered), frame.read_bytes(), reference, "UNIT-1")


def test_starts_and_changes_of_state_say_what_is_not_watched(story: dict[str, Any]) -> None:
    entries = read_bundle(story["folder"] / "evidence").entries
    bodies = [peek(each)[1].body for each in entries]
    said = [each.reason for each in bodies if isinstance(each, Boot | Change)]
    assert len(said) >= 2 and all(CAVEAT in each for each in said)
    assert [each.unwatched for each in bodies if isinstance(each, Boot)] == [("rear",)]
    found = {each.id: each for each in judged(story["folder"]).findings}
    assert "rear" in found["watch.partial"].what and "watch.claimed" not in found


def test_frames_after_the_cut_have_no_proof(story: dict[str, Any]) -> None:
    assert story["passed"] > 0


def test_a_start_after_the_cut_stays_tampered(story: dict[str, Any]) -> None:
    live = Live(story["folder"], unwatched=("rear",))
    try:
        time.sleep(1.5)
        assert live.state() == "TAMPERED"
        assert live.runtime.exit_code == 1
    finally:
        live.close()
    assert judged(story["folder"]).state == "TAMPERED"


def test_both_parties_begin_anew_after_the_cut(story: dict[str, Any]) -> None:
    live = Live(story["folder"], unwatched=("rear",), recommission=True)
    try:
        live.reaches("ARMED")
        time.sleep(3.0)
        assert live.state() == "ARMED"
        assert wait_for(lambda: live.runtime.status()["witness_problem"] == "")
    finally:
        live.close()
    found = judged(story["folder"])
    said = [(each.id, each.severity, each.what, each.token) for each in found.findings]
    assert [each for each in said if each[1] == "alarm" and each[0] != "state.tampered"] == []
    kinds = [each.kind for each in found.intervals if each.length_s > 0]
    assert kinds.index("interfered") < len(kinds) - 1 - kinds[::-1].index("proven"), kinds


@pytest.mark.slow
def test_a_folder_put_back_is_told_by_the_witnesses(tmp_path: Path) -> None:
    folder, copy = tmp_path / "small", tmp_path / "copy"
    folder.mkdir()
    live = Live(folder)
    try:
        live.reaches("ARMED")
        assert wait_for(lambda: live.runtime.status()["witnessed_entries"] > 0)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.sock"))
        assert wait_for(lambda: live.runtime.status()["log_entries"] > 2, 30.0)
    finally:
        live.close()
    kept = (folder / "evidence" / "checkpoint").read_bytes()
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    live = Live(folder)
    try:
        assert live.runtime.setting.rolled_back
        time.sleep(1.0)
        assert live.state() == "UNKNOWN"
    finally:
        live.close()
    found = appraise(
        read_bundle(folder / "evidence"),
        load((folder / "trust" / "reference.json").read_bytes()),
        parse((folder / "trust" / "policy").read_bytes()),
        now_s=int(time.time()),
        since=[kept],
    )
    assert "alarm" in {each.severity for each in found.findings}


@pytest.mark.slow
def test_a_reader_that_stalls_makes_unknown(tmp_path: Path) -> None:
    live = Live(tmp_path)
    try:
        live.reaches("ARMED")
        live.far.stalled = "plates"
        live.reaches("UNKNOWN")
        assert any("says nothing" in each[3] for each in live.runtime.status()["said"])
    finally:
        live.far.stalled = ""
        live.close()
