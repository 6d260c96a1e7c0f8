"""What findings ask of people: one incident, two persons, and nothing that hides something else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fleet_kit import HOST, PEER, Kit, bring, enter
from sqlalchemy import select

from casemate.fleet.access.people import Person
from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.alarms.incidents import FORKED, WHOLE, Trigger, news
from casemate.fleet.errors import ConflictError, NotAllowedError, RefusedError
from casemate.fleet.store.schema import OUTBOX
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import ATTACKS
from casemate.verify.findings import KINDS
from casemate.verify.result import Result

REASON = "the supply was cut by the site, see its record"
OPERATOR = Person(id=1, name="ann", role="host-operator", party=HOST)
INSPECTOR = Person(id=2, name="bo", role="inspector", party=PEER)
JUDGE = Person(id=3, name="cy", role="adjudicator", party="court")


def trigger(finding: str = "boot.restart", token: int = 3, **changes: object) -> Trigger:
    """Return a trigger."""
    made = Trigger(
        finding=finding, token=token, severity="warning", what="w", remedy="r", at_s=5, first_s=9,
        last_s=9, times=1, live=True,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def keyed(*held: Trigger) -> dict[tuple[str, int], Trigger]:
    """Return triggers by key."""
    return {each.key: each for each in held}


def test_what_was_found_before_is_no_news() -> None:
    one = trigger()
    assert news([one], {}, 10).new == (one,)
    assert news([one], keyed(one), 10).new == ()
    assert news([replace(one, times=2)], keyed(one), 10).new != ()


def test_what_holds_for_the_whole_is_news_each_time_that_it_begins() -> None:
    stale = trigger("time.stale", WHOLE)
    assert news([stale], keyed(stale), 10).new == ()
    ended = news([], keyed(stale), 10).changed
    assert [each.live for each in ended] == [False]
    assert news([stale], keyed(*ended), 10).new == (replace(stale, times=2),)


def test_an_acknowledgement_is_void_once_something_else_comes() -> None:
    """Else a harmless finding would be acknowledged first, and the true one would ride along."""
    old = {"sensor.fault"}
    assert not incidents.voids_acknowledgement([trigger("sensor.fault", 9)], old)
    assert incidents.voids_acknowledgement([trigger("verdict.tamper")], old)
    alarm = trigger("state.tampered", severity="alarm")
    assert incidents.voids_acknowledgement([alarm], {"state.tampered"})


def test_texts_for_machines_say_intrusion_and_never_its_end() -> None:
    for finding in (*KINDS, FORKED, "no.such"):
        text = incidents.alarm_text(finding)
        assert text.startswith("chassis intrusion")
        assert not {"clear", "deassert", "reset"} & set(text.lower().replace(":", "").split())
        for word in ("clear", "deassert", "reset"):
            assert word not in text.lower()
    assert incidents.alarm_text(FORKED).endswith("two signed stories of one enclosure")
    assert incidents.alarm_text("time.stale").endswith(KINDS["time.stale"].meaning)


@pytest.mark.parametrize("reason", ("x" * 10, "x" * 2000, "lifts\r\n\tin the hall"))
def test_a_reason_may_have_lines(reason: str) -> None:
    held = [trigger()]
    act = incidents.propose(
        INSPECTOR, "explained", reason, severity="warning", triggers=held,
        seen=incidents.digest(held), now_s=1,
    )  # fmt: skip
    assert act.reason == reason


@pytest.mark.parametrize(
    "reason", ("", "x" * 9, "x" * 2001, "          ", "escape\x1b[2J here", "x" * 20 + "\0")
)
def test_a_disposition_has_a_reason(reason: str) -> None:
    held = [trigger()]
    with pytest.raises(RefusedError):
        incidents.propose(
            INSPECTOR, "explained", reason, severity="warning", triggers=held,
            seen=incidents.digest(held), now_s=1,
        )  # fmt: skip


def proposed(person: Person, held: list[Trigger]) -> incidents.Act:
    """Return what a person proposes of an alarm."""
    return incidents.propose(
        person, "explained", REASON, severity="alarm", triggers=held,
        seen=incidents.digest(held), now_s=1,
    )  # fmt: skip


def test_two_persons_of_two_parties_one_of_whom_inspects() -> None:
    held = [trigger(severity="alarm")]
    seen = incidents.digest(held)
    act = proposed(OPERATOR, held)
    told = {"triggers": held, "seen": seen, "now_s": 2}
    assert incidents.confirm(INSPECTOR, [act], **told).act == "confirm"  # type: ignore[arg-type]
    assert incidents.confirm(OPERATOR, [proposed(JUDGE, held)], **told)  # type: ignore[arg-type]
    acknowledged = incidents.acknowledge(INSPECTOR, **told)  # type: ignore[arg-type]
    assert incidents.confirm(INSPECTOR, [act, acknowledged], **told)  # type: ignore[arg-type]
    for second in (
        OPERATOR,
        replace(OPERATOR, role="inspector", party="third"),  # one person, signed in twice
        replace(OPERATOR, name="dee"),
        replace(OPERATOR, party="third"),
        replace(INSPECTOR, party=HOST),
        Person(id=9, name="eve", role="host-operator", party="third"),
    ):
        with pytest.raises(NotAllowedError):
            incidents.confirm(second, [act], **told)  # type: ignore[arg-type]
    with pytest.raises(ConflictError):
        incidents.confirm(INSPECTOR, [], **told)  # type: ignore[arg-type]


def test_who_decides_has_seen_all_of_it() -> None:
    held = [trigger(severity="alarm")]
    act = proposed(OPERATOR, held)
    more = [*held, trigger("verdict.tamper")]
    with pytest.raises(ConflictError):
        incidents.confirm(INSPECTOR, [act], triggers=more, seen=incidents.digest(more), now_s=2)
    with pytest.raises(ConflictError):
        incidents.acknowledge(INSPECTOR, triggers=more, seen=incidents.digest(held), now_s=2)
    with pytest.raises(ConflictError):
        incidents.acknowledge(
            INSPECTOR, triggers=[replace(held[0], times=2)], seen=act.seen, now_s=2
        )


def test_a_host_does_not_dispose_of_its_own_incidents() -> None:
    held = [trigger()]
    with pytest.raises(NotAllowedError):
        incidents.propose(
            OPERATOR, "explained", REASON, severity="warning", triggers=held,
            seen=incidents.digest(held), now_s=1,
        )  # fmt: skip


def seen_of(kit: Kit) -> str:
    """Return what an inspector has before them."""
    return str(kit.client("inspector").get("/incidents/1.json").json()["seen"])


def test_tampering_from_the_first_trigger_to_the_disposition(kit: Kit) -> None:
    shown = ATTACKS["open-it"].run()
    brought = enter(kit, honest.Story(now_s=shown.now_s))
    brought.story.entries = (*shown.bundle.entries, *shown.bundle.pending)
    brought.story.notes = (*shown.bundle.witnessed, shown.bundle.checkpoint)
    assert bring(kit, brought).json()["state"] == "TAMPERED"
    page = kit.client("inspector").get("/incidents/1.json").json()
    assert page["level"] == "alarm" and page["latch"].startswith("TAMPERED")
    assert page["text"] == incidents.alarm_text("state.tampered")
    assert kit.post("host-operator", "/incidents/1/acknowledge", seen=page["seen"]).is_redirect
    after = kit.client("inspector").get("/incidents/1.json").json()
    assert after["acknowledged_by"] == "host-operator one"
    assert (after["latch"], after["live"], after["open"]) == (page["latch"], page["live"], True)
    form = {"seen": page["seen"], "outcome": "referred", "reason": REASON}
    assert kit.post("inspector", "/incidents/1/propose", **form).is_redirect
    assert kit.client("inspector").get("/incidents/1.json").json()["open"]
    alone = kit.post("inspector", "/incidents/1/confirm", seen=page["seen"], agree="1")
    assert alone.status_code == 403
    form_ = {"seen": page["seen"], "agree": "1"}
    unread = kit.post("host-operator", "/incidents/1/confirm", seen=page["seen"])
    assert unread.status_code == 422 and "tick the box" in unread.text
    assert kit.client("inspector").get("/incidents/1.json").json()["open"]
    assert kit.post("host-operator", "/incidents/1/confirm", **form_).is_redirect
    done = kit.client("inspector").get("/incidents/1.json").json()
    assert (done["open"], done["outcome"]) == (False, "referred")
    assert kit.client("inspector").get("/fleet.json").json()["rows"][0]["state"] == "TAMPERED"
    again = kit.post("inspector", "/incidents/1/propose", **form)
    assert again.status_code == 409
    with kit.service.store.read() as link:
        acts = decisions.read(link, 1).acts
    told = [each.outcome for _, each in kit.service.audit.latest(100)]
    for act in acts:
        assert f"done {incidents.act_digest(1, act)}" in told
    other = incidents.act_digest(1, replace(acts[-1], reason="another"))
    assert f"done {other}" not in told


def test_a_flood_is_one_incident_and_a_disposed_finding_does_not_come_again(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    story = brought.story
    for _ in range(8):
        story.watch(verdict="INTERFERENCE")
        story.seal()
        assert bring(kit, brought).status_code == 200
    with kit.service.store.read() as link:
        found = decisions.read(link, 1)
        assert kit.client("auditor").get("/incidents.json").json()["total"] == 1
    assert found.severity in ("warning", "unknown")
    form = {"seen": seen_of(kit), "outcome": "explained", "reason": REASON}
    assert kit.post("inspector", "/incidents/1/propose", **form).is_redirect
    honest.watch(story, 2)
    bring(kit, brought)
    assert kit.client("auditor").get("/incidents.json").json()["total"] == 0
    assert kit.client("auditor").get("/fleet.json").json()["well"]
    story.watch(verdict="INTERFERENCE")
    story.seal()
    bring(kit, brought)
    assert kit.client("auditor").get("/incidents.json").json()["total"] == 1


def test_a_new_kind_of_finding_takes_the_acknowledgement_back(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    story = brought.story
    story.watch(verdict="INTERFERENCE")
    story.seal()
    bring(kit, brought)
    seen = seen_of(kit)
    assert kit.post("inspector", "/incidents/1/acknowledge", seen=seen).is_redirect
    story.watch(verdict="DENIED")
    story.seal()
    bring(kit, brought)
    page = kit.client("inspector").get("/incidents/1.json").json()
    assert page["acknowledged_by"] is None
    form = {"seen": seen, "outcome": "explained", "reason": REASON}
    assert kit.post("inspector", "/incidents/1/propose", **form).status_code == 409


def test_one_that_has_just_begun_raises_nothing_and_one_that_proves_nothing_does(kit: Kit) -> None:
    story = honest.Story()
    brought = enter(kit, story)
    story.start("commissioned", "COMMISSIONING")
    story.seal()
    story.now_s += 30
    story.change("ARMED", "commissioned")
    bring(kit, brought)
    page = kit.client("auditor").get("/fleet.json").json()
    assert (page["waiting"], page["rows"][0]["state"], page["well"]) == (0, "UNKNOWN", False)
    for _ in range(8):
        story.watch()
    bring(kit, brought)
    assert kit.client("auditor").get("/fleet.json").json()["waiting"] == 1


def test_the_text_is_that_of_the_worst_finding_and_a_host_is_not_offered_what_it_may_not(
    kit: Kit,
) -> None:
    brought = enter(kit, honest.armed(1))
    story = brought.story
    story.watch(verdict="INTERFERENCE")
    story.seal()
    bring(kit, brought)
    assert not kit.client("host-operator").get("/incidents/1.json").json()["may"]["propose"]
    assert kit.client("inspector").get("/incidents/1.json").json()["may"]["propose"]
    story.change("UNKNOWN", "sealed")
    story.seal()
    bring(kit, brought)
    page = kit.client("inspector").get("/incidents/1.json").json()
    assert page["triggers"][0]["finding"] == "verdict.interference"
    assert page["text"] == incidents.alarm_text("state.unknown")


def test_an_alarm_stays_one_whatever_comes_after_it(kit: Kit) -> None:
    """Else a host would follow an alarm by a warning, for which one person is enough."""
    result = alarmed(kit)
    kinds = KINDS["boot.restart"]
    mild = replace(result.findings[0], id=kinds.id, severity=kinds.severity, token=99)
    with kit.service.store.write() as link:
        decisions.update_from(link, 1, replace(result, findings=(*result.findings, mild)), [], 600)
        found = decisions.read(link, 1)
    assert found.severity == "alarm"
    assert {each.severity for each in found.triggers} == {"alarm", "warning"}


def test_outlets_hear_of_a_disposition_and_not_of_a_proposal(kit: Kit) -> None:
    """Who waits for an acknowledgement would take a proposal for one."""
    alarmed(kit)
    with kit.service.store.write() as link:
        told = [len(link.execute(select(OUTBOX)).all())]
        found = decisions.read(link, 1)
        held = list(found.triggers)
        act = proposed(OPERATOR, held)
        given = {"triggers": held, "seen": act.seen, "now_s": 2}
        for each in (act, incidents.confirm(INSPECTOR, [act], **given)):  # type: ignore[arg-type]
            decisions.record(link, found, each)
            told.append(len(link.execute(select(OUTBOX)).all()) - told[0])
    assert told[1:] == [0, 1]


def test_what_holds_no_more_is_told_apart(kit: Kit) -> None:
    result = alarmed(kit)
    with kit.service.store.write() as link:
        before = decisions.shown(link, 1)
        decisions.update_from(link, 1, replace(result, findings=()), [], 600)
        after = decisions.shown(link, 1)
    assert (before.live, after.live, after.count) == (before.count, 0, before.count)


def alarmed(kit: Kit) -> Result:
    """Bring an enclosure whose evidence has an alarm; return its appraisal."""
    brought = enter(kit, honest.armed(1))
    brought.story.state = "TAMPERED"
    body = honest.c.LastWord(reason="the front was opened", erased_us=40)
    brought.story.token(body, signers=brought.story.last_word)
    brought.story.seal()
    assert bring(kit, brought).json()["state"] == "TAMPERED"
    return kit.service.intake.look(1)
