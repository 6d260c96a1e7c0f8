"""What single heartbeats, verdicts and first seconds say: mutants that lived in a whole run."""

from __future__ import annotations

import pytest
from verify_samples import ids, of

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest.reference import Enrolment
from casemate.attest.token import Judgement
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story, keys, publics
from casemate.testing.malicious_host import story


def test_armed_in_the_second_of_its_start_is_not_proven_yet() -> None:
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    result = of(told)
    assert [each.cause for each in result.intervals] == ["after the last token"]
    said = {each.id: each.what for each in result.findings}
    assert result.state == "UNKNOWN" and "nothing is proven yet" in said["state.unknown"]


def test_a_last_word_whose_verdict_led_to_it_ignores_nothing() -> None:
    told = story()
    told.token(
        c.LastWord(reason="opened", erased_us=400),
        state="TAMPERED",
        signers=told.last_word,
        verdict=Judgement(verdict="TAMPER", level=4, millinats=90_000, information_millinats=9000),
    )
    told.seal()
    assert ids(of(told)) == {"state.tampered"}


def test_heartbeats_of_tampering_in_a_token_that_tells_no_verdict() -> None:
    told = story()
    told.change("UNKNOWN", "keys are sealed")
    told.now_s += honest.BATCH_S
    beat = beats.Beat(late_ms=3, verdict="TAMPER", health=0, centinats=3, information=900)
    told.token(
        beats.batch(
            [beat] * 60, first=told.beats, start_ms=told.beat_ms + 1000, period_ms=1000,
            head=told.head,
        )
    )  # fmt: skip
    told.seal()
    assert ids(of(told)) == {"state.unknown", "verdict.tamper", "state.gap"}


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (0x8000, "supply.cut"), (0x4000, "inventory.differs"), (0x0100, "sensor.passing"),
        (0x0001, "sensor.passing"),
    ],
)  # fmt: skip
def test_a_flag_of_one_heartbeat_among_sixty(flags: int, found: str) -> None:
    told = story()
    told.now_s += honest.BATCH_S
    given = [
        beats.Beat(
            late_ms=3, verdict="NORMAL", health=flags * (number == 30), centinats=3, information=900
        )
        for number in range(60)
    ]
    told.token(
        beats.batch(
            given, first=told.beats, start_ms=told.beat_ms + 1000, period_ms=1000, head=told.head
        )
    )
    told.seal()
    assert ids(of(told)) == {found}


def test_new_keys_at_the_second_token_after_a_first_that_says_tampered() -> None:
    """That the log begins so is told; that it is begun anew is no jump of its own."""
    told = Story()
    told.start("restarted", "TAMPERED")
    told.seal()
    new = Enrolment(sequence=1, suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.seal()
    found = ids(of(told, reference=honest.reference(new)))
    assert "state.jump" in found and "state.after-tampered" not in found


def test_one_heartbeat_of_interference_among_sixty_is_in_the_ledger() -> None:
    told = story()
    told.now_s += honest.BATCH_S
    given = [
        beats.Beat(
            late_ms=3, verdict="INTERFERENCE" if number == 30 else "NORMAL", health=0,
            centinats=3, information=900,
        )
        for number in range(60)
    ]  # fmt: skip
    told.token(
        beats.batch(
            given, first=told.beats, start_ms=told.beat_ms + 1000, period_ms=1000, head=told.head
        )
    )
    told.seal()
    assert "interference" in [each.cause for each in of(told).intervals]
