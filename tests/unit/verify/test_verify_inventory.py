"""A rack and its inventory: signed from its commissioning on, whatever becomes of it then."""

from __future__ import annotations

from verify_samples import ids, judged, of

from casemate.attest import claims as c
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.inventory import FIRST, SECOND, rack, rack_reference

REFERENCE = rack_reference(FIRST, SECOND)


def test_an_honest_rack_is_held_against_nothing() -> None:
    result = of(rack(), reference=REFERENCE)
    assert (ids(result), result.state) == (set(), "ARMED")


def test_the_inventory_holds_over_a_start() -> None:
    told = rack()
    told.now_s += 5
    told.start("restarted")
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    told.watch()
    told.frames(1, body={"stream": c.RACK})
    told.seal()
    assert ids(of(told, reference=REFERENCE)) == {"boot.restart"}


def test_a_tray_that_both_parties_signed_for() -> None:
    told = rack()
    digest = told.allow()
    told.seal()
    told.open_up(digest)
    told.seal()
    use = c.PermitUse(act="re-anchored", permit=digest, anchor=honest.NEW_ANCHOR, inventory=SECOND)
    told.token(use)
    told.anchor = honest.NEW_ANCHOR
    told.watch()
    told.close_up(digest)
    told.seal()
    assert ids(of(told, reference=REFERENCE)) == set()
    assert ids(of(told, reference=rack_reference(FIRST))) == {"inventory.unknown"}


def test_maintenance_of_a_rack_that_nobody_signed_is_found_too() -> None:
    told = honest.armed(1)
    digest = told.allow()
    told.seal()
    told.open_up(digest)
    told.watch()
    told.seal()
    found = next(
        each for each in of(told, reference=REFERENCE).findings if each.id == "inventory.unsigned"
    )
    assert found.last_token == len(told.entries) - 1  # from the first ARMED to the last of these
    assert found.severity == "alarm"


def test_what_heartbeats_say_of_an_inventory_is_nothing_of_sensors_or_supply() -> None:
    assert ids(judged("swap-a-tray")) == {"inventory.differs"}


def test_a_camera_has_no_inventory() -> None:
    told = honest.armed(1)
    told.frames()
    told.seal()
    assert ids(of(told)) == set()
