"""What a party tries who owns some of the people, certificates or clocks: each move, refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fleet_kit import FINGERPRINT, HOST, PEER, Kit, bring, enter
from sqlalchemy import delete, select, update

from casemate.core.errors import InputError
from casemate.fleet.access import passkeys, people
from casemate.fleet.access.people import Person
from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.alarms.incidents import Trigger
from casemate.fleet.errors import NotAllowedError, NotSignedInError
from casemate.fleet.intake.ingest import BEGUN_S
from casemate.fleet.service.routes import ROUTES
from casemate.fleet.store.schema import INCIDENTS, MACHINES, TRIGGERS
from casemate.fleet.web.gate import Gate, Request
from casemate.testing import honest_enclosure as honest

REASON = "the supply was cut by the site, see its record"


def alarmed(kit: Kit) -> str:
    """Bring an enclosure with an alarm, and return what people see of its incident."""
    brought = enter(kit, honest.armed(1))
    story = brought.story
    story.state = "TAMPERED"
    story.token(honest.c.LastWord(reason="the front was opened", erased_us=40),
                signers=story.last_word)  # fmt: skip
    story.seal()
    assert bring(kit, brought).status_code == 200
    return str(shown(kit)["seen"])


def shown(kit: Kit, role: str = "host-operator") -> dict[str, Any]:
    """Return the story of the incident."""
    found: dict[str, Any] = kit.client(role).get("/incidents/1.json").json()
    return found


def opened(kit: Kit) -> dict[str, str]:
    """Return severities of open incidents, by finding that holds now."""
    asked = select(TRIGGERS.c.finding, INCIDENTS.c.severity).join_from(TRIGGERS, INCIDENTS)
    with kit.service.store.read() as link:
        rows = link.execute(asked.where(INCIDENTS.c.disposed_s.is_(None), TRIGGERS.c.live))
        return {str(each[0]): str(each[1]) for each in rows}


# ---- two persons ----


def test_who_was_removed_has_no_part_in_a_disposition(kit: Kit) -> None:
    """A browser of an inspector is stolen and proposes; the inspector is removed; a host agrees."""
    seen = alarmed(kit)
    form = {"seen": seen, "outcome": "explained", "reason": REASON}
    assert kit.post("inspector", "/incidents/1/propose", **form).is_redirect
    assert shown(kit)["proposed"]["stands"]
    with kit.service.store.write() as link:
        people.remove(link, "inspector one")
    agreed = kit.post("host-operator", "/incidents/1/confirm", seen=seen, agree="1")
    assert agreed.status_code == 409
    assert shown(kit)["open"] and shown(kit)["proposed"] is None


WIDE = "".join(chr(ord(each) + 0xFEE0) for each in HOST)
"""The same letters, as wide as Chinese characters."""


@pytest.mark.parametrize("party", ("Hostland", " hostland", "hostland ", WIDE, "host\u00adland"))
def test_two_spellings_are_not_two_parties(kit: Kit, party: str) -> None:
    """Else one side has two, and disposes of its own alarms."""
    with kit.service.store.write() as link, pytest.raises(InputError):
        people.add(link, "eve", "inspector", party)
    ann = Person(id=1, name="ann", role="host-operator", party=HOST)
    held = [Trigger(finding="f", token=1, severity="alarm", what="w", remedy="r", at_s=1,
                    first_s=1, last_s=1, times=1, live=True)]  # fmt: skip
    seen = incidents.digest(held)
    act = incidents.propose(ann, "explained", REASON, severity="alarm", triggers=held, seen=seen,
                            now_s=1)  # fmt: skip
    eve = replace(ann, name="eve", role="inspector", party=party)
    if people.alike(party, HOST):  # as an older release let one in
        with pytest.raises(NotAllowedError):
            incidents.confirm(eve, [act], triggers=held, seen=seen, now_s=2)


@pytest.mark.parametrize("name", ("Inspector One", "inspector  one", "inspector one"))
def test_two_persons_do_not_share_a_name(kit: Kit, name: str) -> None:
    with kit.service.store.write() as link, pytest.raises(InputError):
        people.add(link, name, "inspector", PEER)


@pytest.mark.parametrize(
    ("name", "role", "party"),
    (
        ("eve", "root", PEER), ("eve", "", PEER), ("", "inspector", PEER), ("eve", "auditor", ""),
        ("e\x1b[2J", "inspector", PEER), ("eve", "inspector", "x" * 101), (" eve", "auditor", PEER),
    ),
)  # fmt: skip
def test_who_is_entered_has_a_name_a_party_and_a_role_that_there_is(
    kit: Kit, name: str, role: str, party: str
) -> None:
    with kit.service.store.write() as link, pytest.raises(InputError):
        people.add(link, name, role, party)


# ---- what was seen is not what came later ----


def trigger(finding: str, token: int, **changes: Any) -> Trigger:
    """Return a trigger."""
    made = Trigger(finding=finding, token=token, severity="warning", what="w", remedy="r", at_s=5,
                   first_s=9, last_s=9, times=1, live=True)  # fmt: skip
    return replace(made, **changes)


def test_what_begins_to_hold_again_is_not_what_was_seen(kit: Kit) -> None:
    """A host holds evidence back, has that looked at, and does it again before it is decided."""
    brought = enter(kit, honest.armed(1))
    assert bring(kit, brought).status_code == 200
    found = []
    for _ in range(2):
        kit.clock.now_s += 500
        assert kit.service.intake.tick() == 1
        found.append(shown(kit)["seen"])
        while brought.story.now_s < kit.clock.now_s:
            honest.watch(brought.story)
        assert bring(kit, brought).json()["state"] == "ARMED"
    assert found[0] != found[1]
    form = {"seen": found[0], "outcome": "explained", "reason": REASON}
    assert kit.post("inspector", "/incidents/1/propose", **form).status_code == 409


def test_a_count_that_has_fallen_lets_nothing_pass_as_seen() -> None:
    """Withheld notes make fifty findings; all are explained; with the notes they are one again.

    The forty-nine that come next are news, and not what was explained.
    """
    many, one = trigger("token.window", 3, times=50), trigger("token.window", 3)
    fallen = incidents.news([one], {many.key: many}, 10)
    assert (fallen.new, [each.times for each in fallen.changed]) == ((), [1])
    after = {each.key: each for each in fallen.changed}
    more = replace(one, times=2)
    assert incidents.news([more], after, 11).new == (more,)
    gone = {each.key: each for each in incidents.news([], {many.key: many}, 10).changed}
    assert incidents.news([one], gone, 11).new == (one,)


def test_a_count_that_has_fallen_is_written_down(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    for _ in range(3):
        brought.story.watch(verdict="INTERFERENCE")
    brought.story.seal()
    assert bring(kit, brought).status_code == 200
    result = kit.service.intake.look(1)
    with kit.service.store.write() as link:
        held = {each.finding: each.times for each in decisions.read(link, 1).triggers}
        less = tuple(replace(each, times=1) for each in result.findings)
        decisions.update_from(link, 1, replace(result, findings=less), [], 600)
        after = {each.finding: each.times for each in decisions.read(link, 1).triggers}
    assert (held["verdict.interference"], set(after.values())) == (3, {1})


@pytest.mark.parametrize("armed", (True, False))
def test_one_that_begins_and_falls_silent_is_told_of(kit: Kit, armed: bool) -> None:
    """It has the grace of one that has just begun, and never says anything again."""
    story = honest.Story()
    brought = enter(kit, story)
    story.start("commissioned", "COMMISSIONING")
    story.seal()
    story.now_s += 30
    if armed:
        story.change("ARMED", "commissioned")
    assert bring(kit, brought).status_code == 200
    kit.service.intake.tick()
    assert opened(kit) == {}
    kit.clock.now_s += BEGUN_S + 100
    assert kit.service.intake.tick() == 1
    assert "unknown" in opened(kit).values()
    kit.clock.now_s += 10 * BEGUN_S
    assert kit.service.intake.tick() == 0  # it is told of: nothing more to look for


def test_one_that_is_being_commissioned_is_not(kit: Kit) -> None:
    story = honest.Story()
    brought = enter(kit, story)
    story.start("commissioned", "COMMISSIONING")
    for _ in range(3):
        story.now_s += BEGUN_S + 1
        story.watch()
        story.seal()
        assert bring(kit, brought).status_code == 200
        kit.service.intake.tick()
        assert opened(kit).keys() <= {"token.silence"}


# ---- sessions, certificates, forms ----


def removed(kit: Kit) -> None:
    with kit.service.store.write() as link:
        people.remove(link, "inspector one")


def signed_out(kit: Kit) -> None:
    with kit.service.store.write() as link:
        people.sign_out(link, kit.sessions["inspector"])


@pytest.mark.parametrize("ends", (removed, signed_out))
def test_a_form_that_was_under_way_when_its_person_was_removed_does_nothing(
    kit: Kit, ends: Any
) -> None:
    """Its body takes minutes to come, as slow ones may."""
    seen = alarmed(kit)
    route = next(x for x in ROUTES if x.path == "/incidents/{id:int}/acknowledge")
    asked = Request(
        route=route, path={"id": 1}, session=kit.sessions["inspector"], client="192.0.2.1",
        form={"csrf": kit.csrf["inspector"], "seen": seen},
    )  # fmt: skip
    gate = Gate(kit.service)
    admitted = gate.admit(asked)
    ends(kit)
    with pytest.raises(NotSignedInError):
        gate.serve(asked, admitted)
    assert shown(kit)["acknowledged_by"] is None


def test_evidence_that_was_under_way_when_its_certificate_was_removed_is_not_taken(
    kit: Kit,
) -> None:
    enter(kit)
    route = next(x for x in ROUTES if (x.path, x.method) == ("/series", "POST"))
    asked = Request(route=route, fingerprint=FINGERPRINT, client="192.0.2.1")
    gate = Gate(kit.service)
    admitted = gate.admit(asked)
    with kit.service.store.write() as link:
        link.execute(delete(MACHINES))
    with pytest.raises(NotSignedInError):
        gate.serve(asked, admitted)


def test_who_has_a_passkey_that_was_forgotten_is_out(kit: Kit) -> None:
    with kit.service.store.write() as link:
        passkeys.forget(link, "inspector one")
    assert kit.client("inspector").get("/fleet").headers["location"] == "/sign-in"
    assert kit.client("auditor").get("/fleet").status_code == 200


@pytest.mark.parametrize("name", ("01", "1000000001", "0", "١", "+1", "1.0"))
def test_a_number_of_an_incident_is_written_in_one_way(kit: Kit, name: str) -> None:
    """Else one is named twice in a form, or another one is decided than was named."""
    seen = alarmed(kit)
    with kit.service.store.write() as link:
        link.execute(update(INCIDENTS).values(severity="warning"))
    form = {"take.1": seen, f"take.{name}": seen, "outcome": "explained", "reason": REASON}
    assert kit.post("inspector", "/review/dispose", **form).status_code == 422
    assert shown(kit)["open"]


def test_a_clock_that_is_set_back_lengthens_no_session_and_no_code(kit: Kit) -> None:
    """Who can set the clock of the machine for a while signs in, and stays in for as long more."""
    store, now_s = kit.service.store, kit.service.now_s()
    later_s = now_s + 7 * 86_400
    with store.write() as link:
        secret = people.sign_in(link, people.new_code(link, "auditor one", later_s), later_s)
        code = people.new_code(link, "auditor one", later_s)
        near = people.new_code(link, "auditor one", now_s + people.AHEAD_S)
        for at_s in (later_s, later_s - people.AHEAD_S):
            assert people.who(link, secret, at_s).name == "auditor one"
        for at_s in (now_s, later_s - people.AHEAD_S - 1):
            with pytest.raises(NotSignedInError):
                people.who(link, secret, at_s)
    with store.write() as link, pytest.raises(NotSignedInError):
        people.sign_in(link, code, now_s)
    with store.write() as link:
        people.who(link, people.sign_in(link, near, now_s), now_s)
