"""The intrusion sensor: what it shows in each state, and that only a signed re-seal re-arms it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fleet_kit import Kit, enter
from redfish_kit import (
    ROOT,
    RedfishKit,
    armed,
    dispose,
    go_on,
    opened,
    redfish_of,
    stand,
    tampered,
    unknown,
)
from sqlalchemy import insert, update

from casemate.attest.reference import Enrolment
from casemate.fleet.redfish import messages, rearm, standing
from casemate.fleet.store.schema import INCIDENTS, TRIGGERS
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story

WORDS = ("clear", "deassert", "reset")
CHASSIS = f"{ROOT}/Chassis/1"
REARM = {"PhysicalSecurity": {"IntrusionSensor": "Normal"}}


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A Redfish service without an enclosure."""
    return redfish_of(kit)


def patch(made: RedfishKit, body: Any = REARM, role: str = "Operator", **headers: str) -> Any:
    """Write to the chassis."""
    return made.client(role, **headers).patch(CHASSIS, json=body)


def shown(made: RedfishKit) -> tuple[str | None, str]:
    """Return sensor and health."""
    row = made.get(CHASSIS)
    assert row["PhysicalSecurity"]["IntrusionSensorReArm"] == "Manual"
    return row["PhysicalSecurity"]["IntrusionSensor"], row["Status"]["Health"]


def refused(answer: Any) -> str:
    """Return why a re-arm was refused; check the form of the error."""
    assert answer.status_code == 409
    (info,) = answer.json()["error"]["@Message.ExtendedInfo"]
    assert info["MessageId"] == "Casemate.1.0.ReArmNeedsReSeal"
    assert info["RelatedProperties"] == ["#/PhysicalSecurity/IntrusionSensor"]
    assert info["Resolution"]
    return str(info["MessageArgs"][1])


def test_no_evidence_is_no_normal(made: RedfishKit) -> None:
    enter(made.kit)
    assert shown(made) == (None, "Critical")
    assert "UNKNOWN" in refused(patch(made))


def test_armed_is_normal_until_it_is_stale(made: RedfishKit) -> None:
    stand(made, armed)
    assert shown(made) == ("Normal", "OK")
    assert patch(made).status_code == 200  # nothing is latched
    made.kit.clock.now_s += 3600
    assert shown(made) == (None, "Critical")
    assert "UNKNOWN" in refused(patch(made))
    made.scan()
    assert made.told()[-1] == "ChassisIntrusionStale"


def test_tampering_stays_whatever_people_and_clients_do(made: RedfishKit) -> None:
    stand(made, tampered)
    assert shown(made) == ("TamperingDetected", "Critical")
    assert "TAMPERED" in refused(patch(made))
    assert "TAMPERED" in refused(patch(made, role="Administrator"))
    dispose(made.kit)
    assert "TAMPERED" in refused(patch(made))
    made.kit.clock.now_s += 86_400
    assert shown(made) == ("TamperingDetected", "Critical")


def test_an_open_alarm_shows_as_tampering_though_it_is_armed(made: RedfishKit) -> None:
    """A finding that no honest party makes stands in the incident: armed now is not enough."""
    story = armed()
    story.watch(verdict="INTERFERENCE")
    story.seal()
    honest.watch(story, 1)
    brought = stand(made, lambda: story)
    with made.kit.service.store.write() as link:
        link.execute(update(INCIDENTS).values(severity="alarm"))
    made.scan()
    state = made.get(CHASSIS)["Oem"]["Casemate"]["State"]
    assert (state, shown(made)) == ("ARMED", ("TamperingDetected", "Critical"))
    assert "stands open with an alarm" in refused(patch(made))
    dispose(made.kit)
    honest.watch(brought.story, 1)
    go_on(made, brought)
    assert shown(made) == ("TamperingDetected", "Critical")
    assert "re-seal" in refused(patch(made))
    told = made.told()
    assert "ChassisIntrusionCleared" not in told


def test_work_under_a_permit_is_re_armed_after_its_signed_end(made: RedfishKit) -> None:
    story, digest = opened()
    brought = stand(made, lambda: story)
    assert shown(made) == ("HardwareIntrusion", "Warning")
    assert "MAINTENANCE" in refused(patch(made))
    story.close_up(digest)
    story.seal()
    honest.watch(story, 1)
    go_on(made, brought)
    assert made.get(CHASSIS)["Oem"]["Casemate"]["State"] == "ARMED"
    assert shown(made) == ("HardwareIntrusion", "Warning")  # Manual: it waits to be re-armed
    assert "ChassisIntrusionCleared" not in made.told()
    assert patch(made, role="ReadOnly").status_code == 403
    etag = made.client("Operator").get(CHASSIS).headers["etag"]
    assert patch(made, **{"If-Match": '"other"'}).status_code == 412
    done = patch(made, **{"If-Match": etag})
    assert done.status_code == 200
    assert shown(made) == ("Normal", "OK")
    assert made.told()[-2:] == ["IntrusionSensorReArmed", "ChassisIntrusionCleared"]
    line = made.kit.service.audit.latest(1)[0][1]
    made.scan()
    assert made.told().count("ChassisIntrusionCleared") == 1
    assert (line.what.split(" ")[0], line.outcome) == ("PATCH", "done re-armed")


def test_a_permit_that_expired_is_no_signed_end(made: RedfishKit) -> None:
    story, digest = opened()
    brought = stand(made, lambda: story)
    story.close_up(digest, act="expired")
    story.seal()
    honest.watch(story, 1)
    go_on(made, brought)
    assert made.get(CHASSIS)["Oem"]["Casemate"]["State"] == "ARMED"
    assert "re-seal" in refused(patch(made))


def test_armed_again_without_a_signed_end_is_no_re_seal(made: RedfishKit) -> None:
    """The controller says that it is armed; nobody has signed that work has ended."""
    story, digest = opened()
    brought = stand(made, lambda: story)
    story.permit = b""
    story.change("ARMED", "somebody says so")
    story.seal()
    honest.watch(story, 1)
    go_on(made, brought)
    assert shown(made)[0] == "HardwareIntrusion"
    assert refused(patch(made))
    assert digest


def test_a_permit_that_one_party_signed_is_no_re_seal(made: RedfishKit) -> None:
    story, digest = opened(parties=("hostland",))
    brought = stand(made, lambda: story)
    story.close_up(digest)
    story.seal()
    honest.watch(story, 1)
    go_on(made, brought)
    with made.kit.service.store.read() as link:
        now = standing.read(link, 1, made.kit.service.now_s())
        assert not rearm.is_resealed(link, now)
    assert refused(patch(made))


def test_what_mends_tampering_was_signed_after_it(made: RedfishKit) -> None:
    """A permit to open or from before does not undo tampering; one to replace from after does."""
    story, digest = opened(actions=("open", "replace", "re-anchor"))
    brought = stand(made, lambda: story)
    story.close_up(digest)
    story.seal()
    go_on(made, brought)
    with made.kit.service.store.read() as link:
        now = standing.read(link, 1, made.kit.service.now_s())
        assert rearm.is_resealed(link, now)
        logged = next(
            at
            for at, token in rearm._tokens(link, 1)
            if token.body.__class__.__name__ == "PermitUse"
        )
        worse = replace(now, latch=standing.TAMPERING)
        assert not rearm.is_resealed(link, worse)
        assert not rearm.is_resealed(link, replace(worse, entry=logged + 1))
        assert rearm.is_resealed(link, replace(worse, entry=logged))
        assert not rearm.is_resealed(link, replace(now, entry=10_000))


def test_a_permit_to_open_alone_mends_no_tampering(made: RedfishKit) -> None:
    story, digest = opened(actions=("open",))
    brought = stand(made, lambda: story)
    story.close_up(digest)
    story.seal()
    go_on(made, brought)
    with made.kit.service.store.read() as link:
        now = replace(standing.read(link, 1, made.kit.service.now_s()), entry=0)
        assert rearm.is_resealed(link, replace(now, latch=standing.OPENED))
        assert not rearm.is_resealed(link, replace(now, latch=standing.TAMPERING))


def commissioned_anew(story: Story) -> None:
    """Commission with keys that were enrolled, under a permit, and watch again."""
    story.evidence = honest.keys("second")
    story.start("commissioned anew", "COMMISSIONING")
    story.allow(actions=("recommission",))
    story.seal()
    story.change("ARMED", "commissioned")
    story.seal()
    honest.watch(story, 1)


def test_commissioned_anew_after_tampering_and_re_armed(made: RedfishKit) -> None:
    story = tampered()
    new = Enrolment(
        sequence=len(story.entries), suite=story.suite, keys=honest.publics(honest.keys("second"))
    )
    brought = stand(made, lambda: story, reference=honest.reference(new))
    assert shown(made) == ("TamperingDetected", "Critical")
    commissioned_anew(story)
    go_on(made, brought)
    assert "alarm" in refused(patch(made))  # the incident stands
    dispose(made.kit)
    made.scan()
    assert shown(made) == ("TamperingDetected", "Critical")
    assert patch(made).status_code == 200
    assert shown(made)[0] == "Normal"
    assert made.told()[-1] == "ChassisIntrusionCleared"


WRITES: tuple[tuple[Any, int, str], ...] = (
    ({"PhysicalSecurity": {"IntrusionSensor": "TamperingDetected"}}, 400, "PropertyValueError"),
    ({"PhysicalSecurity": {"IntrusionSensor": None}}, 400, "PropertyValueError"),
    ({"PhysicalSecurity": {"IntrusionSensor": ["Normal"]}}, 400, "PropertyValueError"),
    ({"PhysicalSecurity": {"IntrusionSensorReArm": "Automatic"}}, 400, "PropertyNotWritable"),
    ({"PhysicalSecurity": "Normal"}, 400, "PropertyValueError"),
    ({"Oem": {"Casemate": {"State": "ARMED"}}}, 400, "PropertyNotWritable"),
    ({"Status": {"Health": "OK"}}, 400, "PropertyNotWritable"),
    ({**REARM, "AssetTag": "x"}, 400, "PropertyNotWritable"),
    ({"@odata.id": "x"}, 400, "NoOperation"),
    ({}, 400, "NoOperation"),
    ([], 400, "MalformedJSON"),
)


def test_nothing_else_can_be_written(made: RedfishKit) -> None:
    stand(made, tampered)
    for body, status, key in WRITES:
        answer = patch(made, body)
        assert answer.status_code == status, body
        assert answer.json()["error"]["code"].endswith(f".{key}")
    assert shown(made) == ("TamperingDetected", "Critical")


@pytest.mark.parametrize("tell", (tampered, unknown))
def test_no_text_of_an_alarm_says_that_it_is_over(made: RedfishKit, tell: Any) -> None:
    """Reasons that evidence gives hold those words: none of them gets into a text for machines."""
    stand(made, tell)
    made.kit.clock.now_s += 7200
    made.scan()
    rows = made.get(f"{CHASSIS}/LogServices/Security/Entries")["Members"]
    alarms = [each for each in rows if each["Severity"] != "OK"]
    assert len(alarms) >= 2
    for each in alarms:
        text = f"{each['Message']} {' '.join(each['MessageArgs'])} {each['MessageId']}".lower()
        assert "chassis intrusion" in text
        assert not any(word in text for word in WORDS)
    whole = str(made.get(CHASSIS)).lower()
    assert not any(word in whole for word in WORDS)


def test_the_registry_has_those_words_for_the_end_alone() -> None:
    for key, each in messages.OWN.items():
        text = f"{key} {each.text}".lower()
        told = each.severity != "OK" and key.startswith("Chassis") and key != "ChassisNotInUse"
        assert ("chassis intrusion" in text or "%2" in text) or not told, key
        if key != "ChassisIntrusionCleared":
            assert not any(word in text for word in WORDS), key
    assert set(messages.OWN["ChassisIntrusionFinding"].text.split()) >= {"%2"}


def test_a_flood_is_one_event(made: RedfishKit) -> None:
    """More findings of an incident are no more events; a worse one is one."""
    stand(made, unknown)
    before = made.told()
    row = {
        "incident_id": 1, "enclosure_id": 1, "what": "w", "remedy": "r", "at_s": None,
        "first_s": 1, "last_s": 1, "times": 1, "live": True,
    }  # fmt: skip
    for token in range(20):
        with made.kit.service.store.write() as link:
            more = {"finding": "boot.restart", "token": token, "severity": "warning"}
            link.execute(insert(TRIGGERS).values(**row, **more))
        made.scan()
    assert made.told() == before
    with made.kit.service.store.write() as link:
        worse = {"finding": "boot.counter", "token": 3, "severity": "alarm"}
        link.execute(insert(TRIGGERS).values(**row, **worse))
        link.execute(update(INCIDENTS).values(severity="alarm"))
    for _ in range(3):
        made.scan()
    assert made.told() == [*before, "ChassisIntrusionFinding"]
