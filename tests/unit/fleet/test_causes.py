"""Causes of an incident: every finding speaks for one, the worst comes first, none is ruled out."""

from __future__ import annotations

import json

import pytest
from fleet_kit import Kit, bring, enter
from small_papers import box

from casemate.attest import claims as c
from casemate.fleet.alarms.incidents import FORKED, WHOLE, Trigger
from casemate.fleet.permits import papers
from casemate.fleet.story import causes
from casemate.testing import honest_enclosure as honest
from casemate.verify.findings import KINDS

QUIET = ("state.unknown", "state.commissioning", "state.retired", "trust.travels")
"""They say that it is not known, not why; reference values here never travel."""


def trigger(finding: str, severity: str = "warning") -> Trigger:
    return Trigger(finding=finding, token=WHOLE, severity=severity, what="w", remedy="r", at_s=0,
                   first_s=0, last_s=0, times=1, live=True)  # fmt: skip


def test_every_finding_that_asks_for_somebody_speaks_for_a_cause() -> None:
    asks = [each.id for each in KINDS.values() if each.severity != "note"] + [FORKED]
    silent = [x for x in asks if not any(causes.speaks_for(x, each) for each in causes.CAUSES)]
    assert sorted(silent) == sorted(QUIET)
    named = [one for each in causes.CAUSES for one in each.findings]
    idle = [x for x in named if not any(y == x or (x[-1] == "." and y.startswith(x)) for y in
                                        [*KINDS, FORKED])]  # fmt: skip
    assert idle == []
    assert all(len(each.runbook) >= 2 for each in causes.CAUSES)


def test_the_worst_comes_first_and_of_equal_ones_the_hostile() -> None:
    found = causes.rank([trigger("boot.restart"), trigger("verdict.interference")], ())
    assert [each.cause.id for each in found] == ["disturbed", "power"]
    found = causes.rank([trigger("verdict.interference"), trigger("time.stale", "unknown")], ())
    assert [each.cause.id for each in found] == ["network", "disturbed"]
    found = causes.rank([trigger("boot.restart"), trigger("state.tampered", "alarm")], ())
    assert found[0].cause.id == "opened" and found[0].severity == "alarm"


def test_a_finding_that_nobody_has_thought_of_is_told_all_the_same() -> None:
    found = causes.rank([trigger("new.kind", "alarm")], ())
    assert [(each.cause.id, each.cause.hostile) for each in found] == [("unknown", True)]
    assert found[0].speaks == ("new.kind: w",)
    assert causes.rank([], ()) == []


def test_the_site_speaks_for_what_is_of_the_site_alone() -> None:
    found = causes.rank([trigger("time.stale", "unknown"), trigger("state.tampered", "alarm")], (),
                        "3 of 4 too")  # fmt: skip
    said = {each.cause.id: each.speaks for each in found}
    assert "3 of 4 too" in said["network"] and "3 of 4 too" not in said["opened"]


@pytest.fixture
def opened(kit: Kit) -> Kit:
    brought = enter(kit, honest.armed(1))
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
    story = brought.story
    story.state = "TAMPERED"
    story.token(c.LastWord(reason="the rear was drilled", erased_us=9), signers=story.last_word)
    story.seal()
    assert bring(kit, brought).status_code == 200
    return kit


def test_the_story_has_place_cause_capacity_runbook_and_next_step(opened: Kit) -> None:
    row = opened.client("host-operator").get("/incidents/1.json").json()
    assert row["place"]["tiles"] == ["rear-1-1"]
    assert row["place"]["said"] == ["the rear was drilled"]
    first = row["causes"][0]
    assert first["hostile"] and any("the rear was drilled" in each for each in first["speaks"])
    assert row["capacity"]["site"] == {"proven": 0, "all": 1}
    assert row["runbook"][0].startswith("Operator: take its work away")
    assert row["for_you"].startswith("Acknowledge it")
    page = opened.client("host-operator").get("/incidents/1").text
    assert "That names 1 tile." in page and "0 of 1 camera" in page
    assert [each["tiles"] for each in row["picture"]["places"]] == [["rear-1-1"]]
    assert row["picture"]["view"] == "rear-right-top"  # from where the place is seen
    assert '<span class="number">Place 1</span> “the rear was drilled”' in page


def test_the_next_step_is_that_of_who_asks(opened: Kit) -> None:
    def step(role: str) -> str:
        return str(opened.client(role).get("/incidents/1.json").json()["for_you"])

    seen = opened.client("inspector").get("/incidents/1.json").json()["seen"]
    opened.post("inspector", "/incidents/1/acknowledge", seen=seen)
    assert step("host-operator").startswith("Find the cause")
    opened.post("host-operator", "/incidents/1/propose", seen=seen, outcome="referred",
                reason="a drill was found there")  # fmt: skip
    assert step("inspector").startswith("Confirm what host-operator one")
    assert step("host-operator").startswith("Wait for a person of another party")
    assert step("auditor").startswith("Wait")
    opened.post("inspector", "/incidents/1/confirm", seen=seen, agree="1")
    assert step("inspector").startswith("Nothing")


def test_capacity_counts_nothing_stale(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    brought.story.watch(verdict="INTERFERENCE")
    honest.watch(brought.story, 2)
    bring(kit, brought)
    client = kit.client("inspector")
    assert client.get("/incidents/1.json").json()["capacity"]["site"]["proven"] == 1
    kit.clock.now_s += 1000
    assert client.get("/incidents/1.json").json()["capacity"]["site"]["proven"] == 0
