"""Permits in a browser: asked for, signed at home, brought back, used, closed; and who cheats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Kit, bring, enter, sign_all_in
from permit_kit import HOST, INSPECTOR, asked_for, form, log, signed_at_home, upload
from small_papers import box
from sqlalchemy import select

from casemate.attest import permit as permits
from casemate.control.permits import token_from, token_hash
from casemate.fleet.appraisal import evidence
from casemate.fleet.permits import checklist, papers
from casemate.fleet.store.schema import METADATA
from casemate.testing import honest_enclosure as honest
from casemate.verify import appraise


def phase(kit: Kit, number: int) -> str:
    return str(kit.client("auditor").get(f"/permits/{number}.json").json()["phase"])


def checks(kit: Kit) -> dict[str, Any]:
    rows = kit.client("auditor").get("/enclosures/1/permits.json").json()["checks"]
    return {each["id"]: each for each in rows}


def test_a_permit_goes_its_whole_way(kit: Kit, tmp_path: Path) -> None:
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    number, token = asked_for(kit)
    assert phase(kit, number) == "requested"
    asked = permits.decode(kit.client(HOST).get(f"/permits/{number}/file.cbor").content)
    assert asked.technician == token_hash(token_from(token))
    assert asked.checkpoint.size == len(brought.story.entries)
    for party, after in (("hostland", "signed in part"), ("peerland", "signed")):
        data = signed_at_home(kit, number, party, tmp_path)
        role = HOST if party == "hostland" else INSPECTOR
        assert upload(kit, role, f"/permits/{number}/sign", data).status_code == 303
        assert phase(kit, number) == after
    row = kit.client("auditor").get(f"/permits/{number}.json").json()
    assert row["signers"] == ["hostland (host)", "peerland (inspector)"] and row["lacks"] == ""
    whole = kit.client(HOST).get(f"/permits/{number}/file.cbor").content
    digest = bytes.fromhex(row["digest"])
    log(brought, row["digest"], whole)
    bring(kit, brought)
    assert phase(kit, number) == "in the log"
    brought.story.open_up(digest)
    brought.story.watch()
    brought.story.seal()
    bring(kit, brought)
    assert phase(kit, number) == "in use"
    found = checks(kit)
    assert (found["permit"]["how"], found["put-in"]["how"]) == ("blocks", "unknown")
    brought.story.close_up(digest)
    brought.story.watch()
    brought.story.seal()
    bring(kit, brought)
    assert phase(kit, number) == "closed"
    assert {each["how"] for each in checks(kit).values()} == {"met"}
    assert kit.client("auditor").get("/enclosures/1.json").json()["how"] == "ARMED"
    page = kit.client("auditor").get("/enclosures/1/continuity").text
    assert '<rect class="bar maintenance" fill="url(#hatch-work)"' in page  # no colour alone


def test_what_is_not_known_stands_in_the_way_of_arming(kit: Kit) -> None:
    enter(kit)
    row = kit.client("auditor").get("/enclosures/1/permits.json").json()
    assert row["blocking"] >= 4
    found = checks(kit)
    assert found["fresh"]["how"] == "blocks"
    assert {found[each]["how"] for each in ("watched", "healthy", "quiet", "latch")} == {"unknown"}


def test_what_is_unknown_is_not_said_to_be_untouched(kit: Kit) -> None:
    """Until its evidence says how it stands, nobody knows whether it was tampered with."""
    brought = enter(kit, honest.armed(1))
    brought.story.change("UNKNOWN", "power went")
    brought.story.seal()
    bring(kit, brought)
    assert checks(kit)["latch"]["how"] == "unknown"
    begun = honest.Story()
    begun.start("commissioned", "COMMISSIONING")
    begun.seal()
    with kit.service.store.read() as link:
        reference = evidence.enclosure(link, 1).reference
    result = appraise(begun.bundle(), reference, honest.policy(), now_s=begun.now_s + 5)
    assert [x.how for x in checklist.before_arming(result, (), None, ()) if x.id == "latch"] == [
        "met"
    ]


@pytest.mark.parametrize(
    ("plant", "id_"),
    (
        pytest.param({"verdict": "INTERFERENCE"}, "quiet", marks=pytest.mark.slow),
        ({"health": honest.SensorHealth(channels=8, healthy=7, flags=0)}, "healthy"),
        pytest.param({"stale": True}, "fresh", marks=pytest.mark.slow),
        ({"unwatched": ("rear",)}, "watched"),
        ({"tampered": True}, "latch"),
    ),
)  # fmt: skip
def test_the_check_list_says_what_blocks(kit: Kit, plant: dict[str, Any], id_: str) -> None:
    unwatched = plant.pop("unwatched", ())
    story = honest.armed(1, body={"unwatched": unwatched}) if unwatched else honest.armed(1)
    brought = enter(kit, story)
    stale, tampered = plant.pop("stale", False), plant.pop("tampered", False)
    if tampered:
        body = honest.c.LastWord(reason="the front was opened", erased_us=40)
        story.state = "TAMPERED"
        story.token(body, signers=story.last_word)
    else:
        story.watch(**plant)
    story.seal()
    assert bring(kit, brought).status_code == 200
    kit.clock.now_s += 1000 if stale else 0
    found = checks(kit)
    assert found[id_]["how"] == "blocks", found
    assert found[id_]["remedy"]


def test_signatures_count_and_nothing_else_does(kit: Kit, tmp_path: Path) -> None:
    """What is wrong is refused, and nothing of it is kept."""
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    one, _ = asked_for(kit)
    other, _ = asked_for(kit, reason="another")
    good = signed_at_home(kit, one, "hostland", tmp_path)
    foreign = signed_at_home(kit, one, "nobody", tmp_path)
    strange = signed_at_home(kit, other, "hostland", tmp_path)
    bare = kit.client(HOST).get(f"/permits/{one}/file.cbor").content
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    path = f"/permits/{one}/sign"
    for data in (foreign, strange, bare, flipped, b"", b"x", b"x" * 90_000, good[:-1]):
        assert upload(kit, INSPECTOR, path, data).status_code == 422
        assert phase(kit, one) == "requested"
    assert upload(kit, INSPECTOR, path, good).status_code == 303  # whoever brings it
    assert phase(kit, one) == "signed in part"
    assert upload(kit, HOST, path, foreign).status_code == 422
    assert phase(kit, one) == "signed in part"


NONE = (
    {"until": "2027-01-15T07:59"}, {"until": "2027-03-15T08:00"}, {"until": "soon"},
    {"from": "-"}, {"faces": "-", "modules": "-"},
    {"action.open": "-", "action.replace": "-", "action.re-anchor": "-"},
    {"reason": "two\nlines"}, {"reason": " "}, {"faces": "front\x1b[2J"},
)  # fmt: skip
"""What makes a request none."""


def test_a_request_that_is_none_is_refused(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    for changes in NONE:
        answer = kit.post(HOST, "/enclosures/1/permits", **form(**changes))
        assert answer.status_code == 422, changes
    assert kit.client(HOST).get("/enclosures/1/permits.json").json()["rows"] == []


def test_no_permit_without_a_history_that_witnesses_have_seen(kit: Kit) -> None:
    enter(kit)
    assert kit.post(HOST, "/enclosures/1/permits", **form()).status_code == 422


def test_a_request_made_elsewhere_is_brought_and_the_token_never_comes(
    kit: Kit, tmp_path: Path
) -> None:
    from casemate.cli.main import main

    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    note, out = tmp_path / "checkpoint", tmp_path / "asked.cbor"
    note.write_bytes(brought.story.notes[-1])
    command = ["permit", "request", "--enclosure", honest.ENCLOSURE, "--serial", honest.SERIAL,
               "--face", "front", "--action", "open", "--from", "2027-01-15T08:00Z", "--until",
               "2027-01-15T10:00Z", "--checkpoint", str(note), "-o", str(out)]  # fmt: skip
    assert main(command) == 0
    path = "/enclosures/1/permits/bring"
    assert upload(kit, INSPECTOR, path, out.read_bytes()).headers["location"] == "/permits/1"
    assert upload(kit, INSPECTOR, path, out.read_bytes()).status_code == 409
    assert phase(kit, 1) == "requested"
    kit.clock.now_s = honest.START_S + 7200
    kit.sessions, kit.csrf = sign_all_in(kit.service.store, kit.service.now_s())
    assert phase(kit, 1) == "expired"
    other = permits.encode(honest.replace(permits.decode(out.read_bytes()), serial="UNIT-0002"))
    assert upload(kit, INSPECTOR, path, other).status_code == 422


def test_the_token_is_shown_once_and_not_kept(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    _, token = asked_for(kit)
    raw = token_from(token)
    with kit.service.store.read() as link:
        rows = [
            tuple(row) for table in METADATA.sorted_tables for row in link.execute(select(table))
        ]
    flat = b"".join(each for row in rows for each in row if isinstance(each, bytes))
    assert raw not in flat and token not in str(rows)
    lines = str(kit.service.audit.latest(100))
    assert token not in lines
    assert kit.client(HOST).get("/permits/1.json").json()["digest"] in lines


def test_a_request_is_withdrawn_by_the_party_that_asked(kit: Kit, tmp_path: Path) -> None:
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    number, _ = asked_for(kit)
    signed = signed_at_home(kit, number, "hostland", tmp_path)
    assert kit.post(INSPECTOR, f"/permits/{number}/withdraw").status_code == 403
    assert kit.post(HOST, f"/permits/{number}/withdraw").status_code == 303
    assert phase(kit, number) == "withdrawn"
    assert kit.post(HOST, f"/permits/{number}/withdraw").status_code == 409
    assert upload(kit, HOST, f"/permits/{number}/sign", signed).status_code == 409
    rows = kit.client(HOST).get("/enclosures/1/permits.json?show=open").json()["rows"]
    assert rows == []


def test_a_permit_of_the_evidence_that_nobody_asked_for_here_is_shown(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    allowed = brought.story.allow()
    brought.story.seal()
    bring(kit, brought)
    others = kit.client("auditor").get("/enclosures/1/permits.json").json()["others"]
    assert [(each["act"], each["permit"]) for each in others] == [("logged", allowed.hex())]


def test_a_permit_does_not_outlast_a_start_of_the_controller(kit: Kit, tmp_path: Path) -> None:
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    number, _ = asked_for(kit)
    digest = kit.client(HOST).get(f"/permits/{number}.json").json()["digest"]
    for party in ("hostland", "peerland"):
        upload(kit, HOST, f"/permits/{number}/sign", signed_at_home(kit, number, party, tmp_path))
    log(brought, digest, kit.client(HOST).get(f"/permits/{number}/file.cbor").content)
    brought.story.open_up(bytes.fromhex(digest))
    brought.story.now_s += 5
    brought.story.start("restarted")
    brought.story.seal()
    bring(kit, brought)
    assert phase(kit, number) == "expired"


def test_requests_have_an_end(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    from casemate.fleet.permits import files

    monkeypatch.setattr(files, "MOST_OPEN", 2)
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    found = [kit.post(HOST, "/enclosures/1/permits", **form(reason=str(each))) for each in range(3)]
    assert [each.status_code for each in found] == [200, 200, 422]
    assert kit.post(INSPECTOR, "/enclosures/1/permits", **form()).status_code == 200


def test_places_of_a_permit_are_ticked_or_written_down(kit: Kit) -> None:
    bring(kit, enter(kit, honest.armed(1)))
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
    page = kit.client(HOST).get("/enclosures/1/permits/new").text
    assert '<input type="checkbox" name="face.1" value="front"> front' in page
    assert "From, UTC" in page and "Until, UTC" in page
    given = {**form(), "face.2": "rear", "face.6": "bottom"}
    assert kit.post(HOST, "/enclosures/1/permits", **given).status_code == 200
    row = kit.client(HOST).get("/enclosures/1/permits.json").json()["rows"][0]
    assert {"rear", "bottom", *form()["faces"].split()} == set(row["faces"])
