"""What is kept has a bound: events of Redfish, lines of reads. Nobody washes an alarm out by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_kit import FINGERPRINT, Kit, bring, enter, kit_in
from redfish_kit import ROOT, RedfishKit, redfish_of, stand, unknown
from sqlalchemy import func, select

from casemate.fleet.access import people
from casemate.fleet.audit import reads
from casemate.fleet.audit.log import AuditLog, Line
from casemate.fleet.intake.ingest import Submission
from casemate.fleet.redfish import events
from casemate.fleet.service.application import application
from casemate.fleet.store.schema import CODES, REDFISH_EVENTS, SESSIONS
from casemate.fleet.web import incident_page
from casemate.fleet.web.gate import Gate, Limits
from casemate.testing import honest_enclosure as honest


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedfishKit]:
    """A Redfish service with one enclosure that is UNKNOWN, which it has told."""
    with kit_in(tmp_path_factory.mktemp("kept")) as kit:
        made = redfish_of(kit)
        stand(made, unknown)
        yield made


def test_events_of_an_enclosure_have_a_bound_and_alarms_one_of_their_own(
    still: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEPT", 20)
    before = still.told()
    assert before.count("ChassisIntrusionUnknown") == 1
    with still.kit.service.store.write() as link:
        for _ in range(50):
            events.tell(link, 1, 9, "ChassisArmed", 1)
            events.tell(link, None, 9, "ChassisArmed", 1)  # of the service itself: apart, too
    told = still.told()
    assert told.count("ChassisIntrusionUnknown") == 1  # fifty harmless ones wash it not out
    assert told.count("ChassisArmed") == 40
    with still.kit.service.store.write() as link:
        last = [events.tell(link, 1, 9, "ChassisIntrusionStale", 1) for _ in range(30)][-1]
    with still.kit.service.store.read() as link:
        alarms = [
            each for each in events.after(link, 0, 999)
            if each.severity == "Critical" and each.enclosure_id == 1
        ]  # fmt: skip
        assert len(alarms) == 20
        assert alarms[-1].id == last == events.latest(link)
        assert link.execute(select(func.count()).select_from(REDFISH_EVENTS)).scalar_one() == 60
    log = still.get(f"{ROOT}/Chassis/1/LogServices/Security")
    assert log["OverWritePolicy"] == "WrapsWhenFull"


def read_many(log: AuditLog, lines: int) -> int:
    """Have a name read many things within a minute; return how many lines that made."""
    before = log.log.next_index
    for number in range(lines):
        line = Line(at_s=1000, who="account watcher", role="ReadOnly", party="hostland",
                    what="GET /redfish/v1/Chassis/{chassis}", subject=str(number + 1),
                    outcome="asked")  # fmt: skip
        log.read(line, f"redfish session {number % 7} 192.0.2.{number % 200}")
    log.flush()
    return log.log.next_index - before


def test_who_reads_ever_other_things_fills_no_log(tmp_path: Path) -> None:
    """Of many sessions and addresses of one account, too; what it read stays told."""
    log = AuditLog(tmp_path / "audit", "fleet.test/audit", clock=lambda: 1000.0)
    assert read_many(log, 3000) == reads.FEW + 2
    last = log.latest(1)[0][1]
    assert last.subject == reads.MANY
    assert "2879 more times" in last.outcome
    assert f"of {reads.FEW + 1}-3000" in last.outcome
    others = [log.latest(200)[at][1].subject for at in range(2, 100)]
    assert reads.MANY not in others
    log.close()


def test_what_was_read_is_told_in_ranges() -> None:
    assert reads._ranges({"3", "1", "2", "7"}) == "1-3, 7"
    assert reads._ranges({"x/1", "2"}) == "2 and 1 others"
    assert reads._ranges({"x/1"}) == "1 others"
    told = reads._ranges({str(2 * each) for each in range(900)})
    assert len(told) < 140
    assert told.endswith("others")


def test_a_certificate_and_a_session_fill_no_log(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Junk at the door, things that are not there, and what the role does not allow."""
    monkeypatch.setattr(reads, "FEW", 10)
    enter(kit)
    log = kit.service.audit.log
    before = log.next_index
    kit.fronted.fingerprint = FINGERPRINT
    for _ in range(40):
        assert kit.client().post("/evidence", content=b"junk").status_code == 422
    kit.fronted.fingerprint = ""
    host = kit.client("host-operator")
    for number in range(40):
        assert host.get(f"/enclosures/{9000 + number}").status_code == 404
        assert host.get("/audit").status_code == 403
    kit.service.audit.flush()
    assert log.next_index - before < 30
    text = " ".join(line.outcome for _, line in kit.service.audit.latest(300))
    assert "failed 422 39 more times" in text
    assert "refused 403" in text


def test_forms_of_a_person_are_bounded_from_wherever_they_come(kit: Kit) -> None:
    wide, few = Limits(per_s=1e9, burst=1e9), Limits(per_s=1.0, burst=5.0)
    kit.fronted.app = application(
        kit.service, gate=Gate(kit.service, all_=wide, codes=wide, refusals=wide, acts=few)
    )
    before = kit.service.audit.log.next_index
    found = [kit.post("inspector", "/incidents/9/propose").status_code for _ in range(9)]
    assert found == [*[404] * 5, *[429] * 4]
    assert kit.service.audit.log.next_index - before == 10
    assert kit.client("inspector").get("/incidents").status_code == 200
    assert kit.post("host-operator", "/incidents/9/acknowledge").status_code == 404


def test_what_an_account_of_redfish_changes_is_bounded(kit: Kit) -> None:
    made = redfish_of(kit)
    limited = made.app._gate._limited
    limited.acts = Limits(per_s=1.0, burst=3.0)
    before = kit.service.audit.log.next_index
    path = f"{ROOT}/EventService/Subscriptions/77"
    found = [made.client("Operator").delete(path).status_code for _ in range(6)]
    assert found == [404, 404, 404, 429, 429, 429]
    accounts = f"{ROOT}/AccountService/Accounts"
    refused = [made.client("ReadOnly").post(accounts, json={}).status_code for _ in range(40)]
    assert set(refused) == {403}
    kit.service.audit.flush()
    assert kit.service.audit.log.next_index - before <= 8


def test_checkpoints_of_one_size_have_a_bound(kit: Kit) -> None:
    """Whoever has the log's key signs the same again and again: each weighs all that are there."""
    brought = enter(kit, honest.armed(1))
    bring(kit, brought)
    story, size = brought.story, len(brought.story.entries)
    for part in range(3):
        notes = tuple(story.seal((), at_s=story.now_s + 100 * part + at) for at in range(30))
        answer = kit.push(Submission(first=size, entries=(), notes=notes))
        assert answer.status_code == (200 if part < 2 else 422), answer.text
    story.watch()
    last = story.seal(at_s=story.now_s)
    kit.clock.now_s = story.now_s + 300
    assert kit.push(Submission(first=size, entries=story.entries[size:], notes=(last,))).is_success


def test_acts_of_a_person_have_a_bound_and_others_go_on(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incident_page, "MOST_ACTS", 3)
    brought = enter(kit)
    brought.story.change("UNKNOWN", "power went")
    brought.story.seal()
    bring(kit, brought)
    seen = kit.client("inspector").get("/incidents/1.json").json()["seen"]
    form = {"seen": seen, "outcome": "explained", "reason": "because I say so, again"}
    found = [kit.post("host-operator", "/incidents/1/acknowledge", **form) for _ in range(5)]
    assert [each.status_code for each in found].count(422) >= 2
    assert kit.post("inspector", "/incidents/1/propose", **form).is_redirect


def test_sessions_and_codes_that_are_over_go(kit: Kit) -> None:
    store, now_s = kit.service.store, kit.service.now_s()
    with store.write() as link:
        people.new_code(link, "auditor one", now_s)
        later_s = now_s + people.SESSION_S + 1
        people.sign_in(link, people.new_code(link, "auditor one", later_s), later_s)
    with store.read() as link:
        assert len(link.execute(select(SESSIONS)).all()) == 1
        assert link.execute(select(CODES)).all() == []


def test_who_reads_all_evidence_holds_a_place_meanwhile(kit: Kit) -> None:
    bring(kit, enter(kit))
    held = [kit.service.downloads.begin("inspector one", iter((b"x",))) for _ in range(2)]
    assert kit.client("inspector").get("/enclosures/1/verdict.json").status_code == 503
    assert kit.client("auditor").get("/enclosures/1/verdict.json").status_code == 200
    del held
    assert kit.client("inspector").get("/enclosures/1/verdict.json").status_code == 200
