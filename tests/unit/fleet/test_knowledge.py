"""Continuity of the fleet, and the security case: what is not proven is never counted as proven."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from fleet_kit import Kit, bring, enter
from small_papers import case
from sqlalchemy import insert

from casemate.core.errors import FormatError
from casemate.fleet.permits import papers
from casemate.fleet.store.schema import ENCLOSURES
from casemate.fleet.web import timeline
from casemate.testing import honest_enclosure as honest
from casemate.verify.continuity import Interval


def test_the_fleet_page_says_the_same_as_the_page_of_the_enclosure(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    story = brought.story
    story.watch(verdict="INTERFERENCE")
    honest.watch(story, 3)
    bring(kit, brought)
    client = kit.client("inspector")
    one = client.get("/enclosures/1/continuity.json").json()
    row = client.get("/continuity.json").json()
    assert row["rows"][0]["proven"] == one["totals"]["proven"]["share"] > 0
    assert row["totals"] == one["totals"]
    assert row["rows"][0]["gaps"] == len(one["gaps"]) == len(row["ledger"])
    assert row["uncovered"] == one["uncovered"]
    covered = [bool(each["covered_by"]) for each in row["ledger"]]
    assert covered == sorted(covered) and set(covered) == {True, False}  # the bare ones first
    bare = client.get("/continuity.json?show=uncovered").json()["ledger"]
    assert len(bare) == one["uncovered"] and not any(each["covered_by"] for each in bare)


def test_time_since_the_last_appraisal_is_never_proven(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    client = kit.client("inspector")
    before = client.get("/continuity.json").json()
    proven_s = before["totals"]["proven"]["seconds"]
    kit.clock.now_s += 100
    after = client.get("/continuity.json").json()
    assert after["totals"]["proven"]["seconds"] == proven_s
    assert after["totals"]["unknown"]["seconds"] >= 100
    assert after["uncovered"] == before["uncovered"]  # it may be silent so long
    kit.clock.now_s += 1000
    assert client.get("/continuity.json").json()["uncovered"] == before["uncovered"] + 1


def test_what_never_brought_anything_is_unknown_since_it_was_entered(kit: Kit) -> None:
    client = kit.client("auditor")
    assert "There is no enclosure yet" in client.get("/continuity").text
    enter(kit)
    kit.clock.now_s += 60
    row = client.get("/continuity.json").json()
    assert (row["rows"][0]["proven"], row["uncovered"]) == (0.0, 1)
    assert row["ledger"][0]["cause"] == "no evidence was brought yet"


def test_pages_and_filters_are_in_the_address(kit: Kit) -> None:
    base = {"reference": b"x", "policy": b"x", "added_s": 0, "kind": "camera"}
    rows = [
        {**base, "name": "cam", "serial": f"S-{n}", "origin": f"o/{n}", "site": f"hall {n % 2}"}
        for n in range(60)
    ]
    with kit.service.store.write() as link:
        link.execute(insert(ENCLOSURES), rows)
    client = kit.client("inspector")
    first = client.get("/continuity.json?q=cam").json()
    assert (len(first["rows"]), first["pages"]) == (50, 2)
    assert first["links"] == {"after": "?q=cam&show=all&page=2"}
    assert len(client.get("/continuity.json?page=2").json()["rows"]) == 10
    assert client.get("/continuity.json?q=HALL 1").json()["total"] == 30
    assert client.get("/continuity?show=x").status_code == 422


def test_times_as_shown_are_read_back() -> None:
    for each in (0, honest.START_S, 253_402_300_800):
        assert timeline.unix_s(timeline.clock(each)) == each
    assert [timeline.fitting(0, wide) for wide in (5, 60, 61, 86_400, 10**9)] == [
        "seconds", "minute", "hour", "day", "year",
    ]  # fmt: skip


@pytest.fixture
def argued(kit: Kit) -> Kit:
    enter(kit)
    with kit.service.store.write() as link:
        papers.put(link, 1, "case", json.dumps(case()).encode(), 0)
    return kit


def read(kit: Kit, query: str = "") -> dict[str, Any]:
    return dict(kit.client("auditor").get(f"/enclosures/1/case.json{query}").json()["case"])


def test_the_case_is_read_from_the_goal_down_to_evidence(argued: Kit) -> None:
    top = read(argued)
    assert top["warnings"] == [] and top["doubts"][0]["id"] == "simulated"
    assert [each["id"] for each in top["supported_by"]] == ["S1"]
    assert [each["id"] for each in top["context"]] == ["A1"]
    claim = read(argued, "?node=G2")
    assert [each["id"] for each in claim["path"]] == ["G1", "S1"]
    assert [each["id"] for each in claim["challenged_by"]] == ["CG1"]
    assert claim["node"]["target"]["achieved"] == "0.0009"
    proof = read(argued, "?node=Sn1")["node"]["evidence"]
    assert proof["rerun"] == "casemate build enclosure.toml -o out"
    assert argued.client("auditor").get("/enclosures/1/case?node=none").status_code == 404
    page = argued.client("auditor").get("/enclosures/1/case").text
    assert page.index("Doubts") < page.index("Targets")
    raw = argued.client("auditor").get("/enclosures/1/case/file.json")
    assert json.loads(raw.content) == case()


def test_a_case_that_is_not_of_this_enclosure_says_so(kit: Kit) -> None:
    enter(kit, honest.Story())
    for made, says in (
        ({**case(), "verdict": "met"}, "it was changed"),
        (case(serial="UNIT-0009"), "serial UNIT-0009"), (case(enclosure="rack"), "enclosure rack"),
    ):  # fmt: skip
        with kit.service.store.write() as link:
            papers.put(link, 1, "case", json.dumps(made).encode(), 0)
        assert any(says in each for each in read(kit)["warnings"])
        assert "Do not rely on it" in kit.client("auditor").get("/enclosures/1/case").text


def test_a_case_in_a_circle_ends(argued: Kit) -> None:
    made = case()
    made["gsn"]["links"] += [{"kind": "SupportedBy", "source": "Sn1", "target": "G1"},
                             {"kind": "SupportedBy", "source": "G2", "target": "S1"}]  # fmt: skip
    with argued.service.store.write() as link:
        papers.put(link, 1, "case", json.dumps(made).encode(), 0)
    assert [each["id"] for each in read(argued, "?node=Sn1")["path"]] == ["G1", "S1", "G2"]


def test_a_case_that_is_none_is_refused(kit: Kit) -> None:
    enter(kit, honest.Story())
    gsn = case()["gsn"]
    stray = [{**gsn["links"][0], "target": "G9"}]
    none = (case(format="casemate/case/2"), case(gsn={**gsn, "root": "G9"}),
            case(gsn={**gsn, "links": stray}), case(doubts=["x"]))  # fmt: skip
    for data in (b"no case", *(json.dumps(each).encode() for each in none)):
        with kit.service.store.write() as link, pytest.raises(FormatError):
            papers.put(link, 1, "case", data, 0)
    assert (
        "No security case was handed over" in kit.client("auditor").get("/enclosures/1/case").text
    )


def test_a_line_of_many_intervals_is_short_and_hides_no_gap() -> None:
    """A host that comes and goes with each token makes a year of 90,000 intervals."""
    kinds = ("proven", "unknown", "interfered", "maintenance")
    found = [
        Interval(start_s=10 * at, end_s=10 * at + 10, cause="c", covered_by="",
                 kind="proven" if at % 7 else kinds[at % 4])
        for at in range(2_000)
    ]  # fmt: skip
    bars = timeline.draw(found, 0, 20_000)
    assert len(bars) < 1500
    there = {
        (bar["kind"], x) for bar in bars
        for x in range(int(bar["x"]) - 1, int(bar["x"] + bar["width"]) + 2)
    }  # fmt: skip
    for each in found:
        assert (each.kind, int(timeline.WIDTH * each.start_s / 20_000)) in there
    ranks = [timeline._RANK[each["kind"]] for each in bars]
    assert ranks == sorted(ranks)
    few = timeline.draw(found[:100], 0, 1000)
    assert len(few) == 100


def test_times_of_the_axis_are_even_and_lie_where_they_belong() -> None:
    for _, wide in timeline.LEVELS:
        for end_s in (1_800_000_017, 1_800_003_600):
            found = timeline.ticks(end_s - wide, end_s)
            assert 1 <= len(found) <= timeline.MOST_TICKS
            steps = {round(b["x"] - a["x"], 1) for a, b in pairwise(found)}
            assert len(steps) <= 2 and all(0 < each["x"] < timeline.WIDTH for each in found)
    hour = timeline.ticks(1_800_000_000 - 3600, 1_800_000_000)
    assert hour[0] == {"x": pytest.approx(166.67, abs=0.01), "text": "07:10"}
    later = timeline.ticks(1_800_000_017 - 3600, 1_800_000_017)
    assert later[0] == {"x": pytest.approx(161.94, abs=0.01), "text": "07:10"}  # 17 s earlier
    assert timeline.ticks(1_800_000_000, 1_800_000_000) == []
    assert len(timeline.ticks(0, 1 << 40)) <= timeline.MOST_TICKS
