"""An emergency: what it covers, for how long, and what ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from verify_samples import ids, of

from casemate.attest import claims as c
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import story


def test_emergency_is_a_declared_gap() -> None:
    told = story()
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.change("UNKNOWN", "emergency")
    told.now_s += 60
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    honest.watch(told)
    result = of(told)
    assert ids(result) == {"permit.emergency"}
    gap = next(each for each in result.gaps if each.cause == "state UNKNOWN")
    assert (gap.length_s, gap.covered_by) == (60, "declared emergency")
    told.change("UNKNOWN", "stale")
    told.now_s += 30
    told.change("ARMED")
    told.seal()
    covers = [each.covered_by for each in of(told).gaps if each.cause == "state UNKNOWN"]
    assert covers == ["declared emergency", ""]


@pytest.mark.parametrize("again", [False, True])
def test_an_emergency_covers_no_longer_than_agreed(again: bool) -> None:
    """30 minutes are declared; what comes after is unknown, however often it is told."""
    told = story()
    told.change("UNKNOWN", "emergency")
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.seal()
    told.watch(30)
    told.seal()
    assert "permit.emergency-overdue" not in ids(of(told))
    if again:
        told.token(c.PermitUse(act="emergency", note="smoke"))
    told.watch(11)
    told.seal()
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    honest.watch(told)
    result = of(told)
    assert ids(result) == {"permit.emergency", "permit.emergency-overdue"}
    found = [(e.kind, e.length_s, e.covered_by) for e in result.gaps if e.cause == "state UNKNOWN"]
    assert found == [("unknown", 1800, "declared emergency"), ("unknown", 660, "")]
    assert result.state == "ARMED" and "1 gap that nothing covers" in result.headline


def test_an_emergency_that_nobody_agreed_to_covers_nothing() -> None:
    told = story()
    told.change("UNKNOWN", "emergency")
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.watch()
    told.seal()
    reference = honest.reference()
    reference = replace(reference, timing=replace(reference.timing, emergency_s=0))
    result = of(told, reference=reference)
    assert "permit.emergency-overdue" in ids(result)
    assert "declared emergency" not in {each.covered_by for each in result.intervals}


def test_commissioning_anew_ends_an_emergency() -> None:
    """What both parties begin anew is covered by that, however long ago the smoke was."""
    told = story()
    told.change("UNKNOWN", "emergency")
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.seal()
    told.change("COMMISSIONING", "recommission")
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.now_s += 7200
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told)
    result = of(told)
    assert "permit.emergency-overdue" not in ids(result)
    assert [e.covered_by for e in result.gaps if e.length_s == 7200] == ["commissioning"]
