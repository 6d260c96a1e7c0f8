"""What waits for a person is said first, by role and party, and is gone once it is done."""

from __future__ import annotations

import json
from typing import Any

from fleet_kit import Kit, bring, enter
from permit_kit import asked_for, key_file
from small_papers import box

from casemate.attest import claims as c
from casemate.cli.main import main
from casemate.fleet.permits import papers
from casemate.testing import honest_enclosure as honest

ROLES = ("host-operator", "inspector", "adjudicator", "auditor")


def waits(kit: Kit, role: str) -> dict[str, int]:
    rows = kit.client(role).get("/fleet.json").json()["for_you"]
    return {each["what"]: each["count"] for each in rows}


def opened(kit: Kit) -> str:
    """Have an enclosure tampered with, and return the digest of what was found."""
    brought = enter(kit, honest.armed(1))
    story = brought.story
    story.state = "TAMPERED"
    story.token(c.LastWord(reason="the front was opened", erased_us=9), signers=story.last_word)
    story.seal()
    bring(kit, brought)
    return str(kit.client("inspector").get("/incidents/1.json").json()["seen"])


def test_of_an_alarm_each_role_is_told_its_own_part(kit: Kit) -> None:
    assert [waits(kit, each) for each in ROLES] == [{}, {}, {}, {}]
    seen = opened(kit)
    new = {"incident not acknowledged yet": 1}
    assert [waits(kit, each) for each in ROLES] == [new, new, {}, {}]
    page = kit.client("host-operator").get("/fleet").text
    assert '<a href="/incidents/1">1 incident not acknowledged yet</a>' in page
    kit.post("host-operator", "/incidents/1/acknowledge", seen=seen)
    ready = {"incident to be disposed of": 1}
    assert [waits(kit, each) for each in ROLES] == [{}, ready, ready, {}]
    told = {"seen": seen, "outcome": "referred", "reason": "a drill was found at the front"}
    kit.post("inspector", "/incidents/1/propose", **told)
    second = {"incident proposed to you as the second person": 1}
    assert [waits(kit, each) for each in ROLES] == [second, {}, second, {}]
    kit.post("host-operator", "/incidents/1/confirm", seen=seen, agree="1")
    assert [waits(kit, each) for each in ROLES] == [{}, {}, {}, {}]
    assert "Nothing waits for you, auditor of" in kit.client("auditor").get("/fleet").text


def test_the_last_proposal_counts_not_the_first(kit: Kit) -> None:
    seen = opened(kit)
    told = {"seen": seen, "outcome": "referred", "reason": "a drill was found at the front"}
    for role in ("inspector", "host-operator"):
        kit.post(role, "/incidents/1/acknowledge", seen=seen)
        kit.post(role, "/incidents/1/propose", **told)
    second = "incident proposed to you as the second person"
    assert second in waits(kit, "inspector") and second not in waits(kit, "host-operator")


def test_a_permit_waits_for_the_party_that_has_not_signed(kit: Kit, tmp_path: Any) -> None:
    bring(kit, enter(kit))
    asked_for(kit)
    lacks = {"permit to be signed by your party": 1}
    assert [waits(kit, each) for each in ROLES] == [lacks, lacks, {}, {}]
    asked, out = tmp_path / "asked", tmp_path / "signed"
    asked.write_bytes(kit.client("inspector").get("/permits/1/file.cbor").content)
    key = str(key_file(tmp_path, "peerland"))
    assert main(["permit", "sign", str(asked), "--key", key, "-o", str(out)]) == 0
    with kit.service.store.write() as link:
        from casemate.fleet.appraisal import evidence
        from casemate.fleet.permits import files

        filed, known = files.read(link, 1), evidence.enclosure(link, 1)
        files.sign(link, known, filed, out.read_bytes(), kit.service.now_s())
    assert [waits(kit, each) for each in ROLES] == [lacks, {}, {}, {}]
    kit.post("host-operator", "/permits/1/withdraw")
    assert [waits(kit, each) for each in ROLES] == [{}, {}, {}, {}]


def test_no_outcome_is_chosen_beforehand(kit: Kit) -> None:
    seen = opened(kit)
    page = kit.client("inspector").get("/incidents/1").text
    assert '<select name="outcome" required><option value="">choose</option>' in page
    assert "selected" not in page[page.index('name="outcome"') : page.index("</select>")]
    told = {"seen": seen, "outcome": "", "reason": "a drill was found at the front"}
    assert kit.post("inspector", "/incidents/1/propose", **told).status_code == 422


def test_the_audit_log_names_controllers_and_shows_people_alone(kit: Kit) -> None:
    bring(kit, enter(kit))
    kit.post("host-operator", "/incidents/1/acknowledge", seen="no")
    client = kit.client("auditor")
    rows = client.get("/audit.json").json()["rows"]
    machines = {each["machine"] for each in rows if each["who"].startswith("machine:")}
    assert machines == {f"{honest.ENCLOSURE} {honest.SERIAL}"}
    people = client.get("/audit.json?show=people").json()["rows"]
    assert people and all(each["role"] for each in people)
    assert len(people) < len(rows)


def test_a_design_that_says_no_places_is_not_drawn(kit: Kit) -> None:
    """One that an older version wrote: where its tiles lie would be a guess."""
    bring(kit, enter(kit))
    old = box()
    for key in ("size_m", "crossings"):
        del old[key]
    with kit.service.store.write() as link:
        papers.put(link, 1, "design", json.dumps(box()).encode(), 0)
        from sqlalchemy import update

        from casemate.fleet.store.schema import PAPERS

        link.execute(update(PAPERS).values(data=json.dumps(old).encode()))
    page = kit.client("inspector").get("/enclosures/1")
    assert page.status_code == 200 and '<svg class="scene' not in page.text
    assert "does not say where its tiles lie" in page.text
