"""A new version of reference values counts once both parties of the one in force have signed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fleet_kit import FINGERPRINT, Kit, bring, enter

from casemate.attest.reference import Digest, Reference
from casemate.fleet.appraisal import trust
from casemate.testing import honest_enclosure as honest

OTHER = b"\x77" * 32


def newer(**changes: Any) -> Reference:
    """Return version 4, which expects another software, too."""
    held = honest.reference()
    software = (*held.software, Digest(name="controller", digest=OTHER))
    return replace(held, **{"version": 4, "software": software, **changes})


def push(kit: Kit, data: bytes) -> Any:
    """Bring it as a controller does."""
    kit.fronted.fingerprint = FINGERPRINT
    try:
        return kit.client().post("/trust", content=data)
    finally:
        kit.fronted.fingerprint = ""


BOTH = (*honest.keys("hostland"), *honest.keys("peerland"))


def test_what_both_have_signed_is_in_force_and_the_old_one_stays(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    brought.story.software = OTHER
    brought.story.watch()
    brought.story.seal()
    bring(kit, brought)
    found = {each["id"] for each in kit.client("inspector").get("/enclosures/1.json").json()
             ["findings"]}  # fmt: skip
    assert "software.unknown" in found
    answer = push(kit, trust.sign(newer(), BOTH))
    assert answer.status_code == 200, answer.text
    told = kit.client("inspector").get("/enclosures/1.json").json()
    assert "software.unknown" not in {each["id"] for each in told["findings"]}
    rows = kit.client("inspector").get("/enclosures/1/trust.json").json()
    assert [each["version"] for each in rows] == [3, 4]
    assert rows[1]["signed_by"] == ["hostland", "peerland"]
    assert "version 4" in kit.client("inspector").get("/enclosures/1/verdict.json").text
    with kit.service.store.read() as link:
        old = trust.reference_of(link, 1, 3)
        assert old is not None
        assert replace(old, file="") == replace(honest.reference(), file="", suites=old.suites)
        assert trust.reference_of(link, 1, 9) is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (trust.sign(newer(), honest.keys("hostland")), 422),
        (trust.sign(newer(), honest.keys("peerland")), 422),
        (trust.sign(newer(), (*honest.keys("hostland"), *honest.keys("mallory"))), 422),
        (trust.sign(newer(), BOTH)[:-1] + b"\x00", 422),
        (trust.sign(newer(version=3), BOTH), 409),
        (trust.sign(newer(version=2), BOTH), 409),
        (trust.sign(newer(enclosure="another"), BOTH), 422),
        (trust.sign(newer(units=(replace(honest.reference().units[0], origin="x.org/y"),)), BOTH),
         422),
        (trust.sign(newer(units=(replace(honest.reference().units[0], serial="X"),)), BOTH), 422),
        (b"rubbish", 422), (b"", 422),
    ],
)  # fmt: skip
def test_what_cannot_follow(kit: Kit, data: bytes, status: int) -> None:
    """One party alone, a stranger, a changed byte, an old version, another enclosure or log."""
    bring(kit, enter(kit))
    before = kit.client("inspector").get("/enclosures/1/verdict.json").text
    assert push(kit, data).status_code == status
    assert kit.client("inspector").get("/enclosures/1/verdict.json").text == before
    assert kit.client("inspector").get("/enclosures/1/trust.json").json() == []


def test_new_parties_are_those_of_the_version_before(kit: Kit) -> None:
    """Who may sign the next version is what both have signed, not what the new one says."""
    enter(kit)
    mine = honest.keys("mallory")
    party = replace(honest.PARTIES["hostland"], name="mallory", keys=honest.publics(mine))
    forged = newer(parties=(party, honest.PARTIES["peerland"]))
    assert push(kit, trust.sign(forged, (*mine, *honest.keys("peerland")))).status_code == 422
    assert push(kit, trust.sign(forged, BOTH)).status_code == 200
    after = newer(version=5)
    assert push(kit, trust.sign(after, BOTH)).status_code == 422


def test_every_version_that_was_in_force_is_kept(kit: Kit) -> None:
    enter(kit)
    for made in ((), (4,), (4, 6)):
        if made:
            assert push(kit, trust.sign(newer(version=made[-1]), BOTH)).status_code == 200
        with kit.service.store.read() as link:
            held = [trust.reference_of(link, 1, at) for at in range(2, 8)]
        assert tuple(each.version for each in held if each is not None) == (3, *made)


def test_a_service_that_runs_hears_of_what_a_command_did(kit: Kit) -> None:
    bring(kit, enter(kit))
    assert kit.service.intake.look(1).reference.endswith("version 3")
    with kit.service.store.write() as link:
        trust.take(link, 1, trust.sign(newer(), BOTH), kit.service.now_s())
    kit.service.intake.tick()
    assert kit.service.intake.look(1).reference.endswith("version 4")
