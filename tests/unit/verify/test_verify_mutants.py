"""What only bent checks let through: each test here killed a mutant that all others let live."""

from __future__ import annotations

from dataclasses import replace

from verify_samples import ids, kinds, of

from casemate.attest import claims as c
from casemate.attest import cose
from casemate.attest import token as tokens
from casemate.attest.reference import Enrolment
from casemate.attest.token import Judgement
from casemate.core.suites import SUITES
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story, keys, publics
from casemate.testing.malicious_host import story
from casemate.translog.policy import parse as parse_policy
from casemate.verify.clocks import Clocks
from casemate.verify.findings import Notebook
from casemate.verify.result import Result
from casemate.verify.tokens import Step


def found(result: Result, kind: str) -> int:
    """Return how often a kind was found."""
    return sum(each.times for each in result.findings if each.id == kind)


def test_time_around_a_replayed_token_is_not_proven() -> None:
    told = story()
    last = told.entries[-1]
    told.entries += (told.entries[5],)
    place = len(told.entries)
    told.now_s += 60
    body = tokens.peek(last)[1].body
    assert isinstance(body, c.Payload)
    told.token(
        replace(body, first=told.items),
        sequence=place - 1,
        previous=SUITES[told.suite].digest(last),
    )
    told.seal()
    result = of(told)
    assert ids(result) == {"token.replayed"}
    assert [each.cause for each in result.intervals][-2] == "evidence that was told twice"


def test_a_start_that_is_missing_is_told_once() -> None:
    told = Story(boot=1, state="ARMED", evidence=keys("evidence"))
    told.watch(3)
    told.seal()
    assert found(of(told), "boot.absent") == 1


def test_heartbeats_that_are_missing_after_a_second_start() -> None:
    told = story()
    told.start("restarted", permit=b"")
    told.seal()
    told.change("ARMED")
    told.seal()
    told.watch(miss=20)
    told.seal()
    assert found(of(told), "beats.missing") == 1


def test_no_heartbeats_are_due_while_nobody_watches() -> None:
    told = story()
    told.change("UNKNOWN", "stale")
    for _ in range(4):
        told.now_s += 60
        told.token(c.PermitUse(act="emergency", note="still"))
        told.seal()
    assert "beats.missing" not in ids(of(told))


def test_last_words_that_are_nobody_s() -> None:
    word = c.LastWord(reason="opened", erased_us=400)
    told = story()
    told.token(word, state="TAMPERED", signers=keys("host"))
    told.seal()
    assert ids(of(told)) == {"signature.key"}
    told = story()
    told.token(word, state="TAMPERED", signers=told.last_word)
    item, token = tokens.peek(told.entries[-1])
    payload = tokens.encode(replace(token, uptime_s=1))
    told.entries = (*told.entries[:-1], cose.write(replace(item, payload=payload)))
    told.seal()
    assert ids(of(told)) == {"signature.forged"}


def test_a_start_signed_by_keys_that_it_does_not_name() -> None:
    told = story()
    told.start("restarted", signers=keys("host"), body={"keys": publics(keys("another"))})
    told.seal()
    assert ids(of(told)) == {"signature.key"}


def test_tokens_that_all_name_notes_before_a_line_was_added() -> None:
    told = story()
    for _ in range(14):
        told.seal(["north", "south"])
        told.watch()
        stated = told.stated(len(told.entries) - 1)
        line = honest.cosign("west", stated, told.now_s)
        told.notes = (*told.notes[:-1], told.notes[-1] + line.text().encode())
    told.seal()
    assert of(told).findings == ()


def test_no_witness_was_ever_there() -> None:
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.change("ARMED")
    told.watch()
    told.seal([])
    result = of(told)
    assert (result.state, result.since_s, result.seen_s) == ("UNKNOWN", None, None)
    assert result.headline.startswith("UNKNOWN from the beginning: too few witnesses")


def test_appraised_in_the_second_of_the_last_token() -> None:
    told = story()
    assert kinds(of(told, now_s=told.now_s))[-1] == ("proven", 360)
    assert of(told, now_s=told.now_s - 10).exit_code == 0


def test_silence_after_tampering_is_no_news() -> None:
    told = story()
    told.change("TAMPERED", "opened")
    told.now_s += 600
    told.watch()
    told.seal()
    result = of(told)
    assert "token.silence" not in ids(result)
    assert kinds(result)[-1] == ("interfered", 680)


def test_a_permit_that_gave_way_to_another_is_spent() -> None:
    told = story()
    one, two = told.allow(), told.allow(modules=("reader-cavity",))
    told.seal()
    told.open_up(one)
    told.watch()
    told.token(c.PermitUse(act="opened", permit=two, module="reader-cavity"), permit=two)
    told.permit = two
    told.watch()
    told.seal()
    assert of(told).findings == ()
    told.token(c.PermitUse(act="opened", permit=one, module="reader-loop"), permit=two)
    told.seal()
    assert ids(of(told)) == {"permit.reused"}


def test_new_keys_without_a_permit_are_told_once() -> None:
    told = story()
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    told.watch(3)
    told.seal()
    assert found(of(told, reference=honest.reference(new)), "identity.enrolment") == 1


def test_closing_another_permit_does_not_end_the_one_in_use() -> None:
    told = story()
    one, two = told.allow(), told.allow(modules=("reader-cavity",))
    told.seal()
    told.open_up(one)
    told.token(c.PermitUse(act="closed", permit=two))
    told.watch()
    told.seal()
    assert of(told).findings == ()


def test_a_start_after_tampering_is_no_end_of_it() -> None:
    told = story()
    told.change("TAMPERED", "opened")
    told.now_s += 50
    told.start("restarted", "TAMPERED")
    told.seal()
    result = of(told)
    assert (ids(result), kinds(result)[-1]) == (
        {"state.tampered", "boot.restart"},
        ("interfered", 70),
    )


def test_work_on_the_whole_names_no_module() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.permit = digest
    told.change("MAINTENANCE", "permit begins")
    told.token(c.PermitUse(act="re-anchored", permit=digest, anchor=honest.NEW_ANCHOR))
    told.anchor = honest.NEW_ANCHOR
    told.watch()
    told.seal()
    assert of(told).findings == ()


def test_permit_used_by_a_token_that_knows_no_checkpoint() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    use = c.PermitUse(act="opened", permit=digest, module="reader-loop")
    told.token(use, checkpoint=None)
    told.seal()
    assert ids(of(told)) == {"permit.unwitnessed"}


def test_clocks_may_drift_with_the_time() -> None:
    """After 200,000 s the bounds may cross by 50 s: 30 s and 100 ppm."""
    data = story().entries[-1]
    token = replace(tokens.peek(data)[1], time_s=None)

    def crossed(by_s: int) -> set[str]:
        book = Notebook()
        clocks = Clocks(honest.TIMING, book)
        for uptime_s, lower_s, upper_s in (
            (200_000, 1_000_000, None),
            (200_000 + by_s, None, 1_000_000),
        ):
            clocks.take(
                Step(
                    index=0, data=data, digest=b"", token=replace(token, uptime_s=uptime_s),
                    enrolment=honest.reference().units[0].enrolments[0], when_s=0,
                    lower_s=lower_s, upper_s=upper_s, at_s=0,
                )
            )  # fmt: skip
        return {each.id for each in book.findings()}

    assert crossed(50) == set()
    assert crossed(51) == {"clock.fast"}


def test_permit_that_is_logged_again_counts_from_the_first_time() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.token(tokens.peek(told.entries[-1])[1].body)
    told.open_up(digest)
    told.watch()
    told.seal()
    assert of(told).findings == ()


def test_unknown_module_without_a_key() -> None:
    told = story()
    digest = told.allow(modules=("ghost",))
    told.seal()
    told.open_up(digest, module="ghost")
    use = c.PermitUse(act="re-anchored", permit=digest, module="ghost", anchor=honest.NEW_ANCHOR)
    told.token(use)
    told.seal()
    assert "module.unknown" in ids(of(told))


def test_a_wrong_start_is_told_where_it_begins() -> None:
    told = story()
    told.boot = 7
    told.watch(3)
    told.seal()
    assert found(of(told), "boot.counter") == 1


def test_heartbeats_missing_before_maintenance_are_not_forgiven() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.now_s += 50
    told.open_up(digest)
    told.beat_ms = 1000 * (told.now_s - told.boot_s)
    told.watch()
    told.seal()
    assert found(of(told), "beats.missing") == 1


def test_new_keys_that_begin_in_another_state() -> None:
    told = story()
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.start("restarted")
    told.seal()
    result = of(told, reference=honest.reference(new))
    assert found(result, "identity.enrolment") == 2


def test_a_permit_covers_no_time_after_its_end() -> None:
    told = story()
    digest = told.allow(not_after_s=told.now_s + 100)
    told.seal()
    told.open_up(digest)
    told.watch()
    told.change("UNKNOWN", "sealed")
    told.seal()
    for _ in range(10):
        told.now_s += 60
        told.token(c.PermitUse(act="closed", permit=b"\x77" * 32))
        told.seal()
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    result = of(told)
    named = f"permit {digest.hex()[:16]}"
    covered = [each.covered_by for each in result.intervals if each.cause == "state UNKNOWN"]
    assert covered[0] == named and covered[-1] == ""
    assert "state.gap" in ids(result)


def test_an_enrolment_without_keys_vouches_for_no_log() -> None:
    told = story()
    told.seal(signers=keys("host"))
    rows = honest.policy_text().decode().splitlines()
    policy = parse_policy("\n".join([*(r for r in rows if not r.startswith("log ")), ""]).encode())
    empty = Enrolment(sequence=10**6, suite=told.suite, keys=())
    result = of(told, reference=honest.reference(empty), policy=policy)
    assert "log.signature" in ids(result)


def test_another_permit_does_not_arm_new_keys() -> None:
    told = story()
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("open",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    assert ids(of(told, reference=honest.reference(new))) == {"identity.enrolment"}


def test_a_permit_to_recommission_that_is_logged_before_its_time_is_no_alarm() -> None:
    told = story()
    told.allow(
        actions=("recommission",), not_before_s=told.now_s + 600, not_after_s=told.now_s + 1200
    )
    told.seal()
    honest.watch(told)
    assert of(told).findings == ()


def test_work_without_a_wall_clock_or_witnesses_yet() -> None:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest, time_s=None)
    told.watch(time_s=None)
    assert not {each for each in ids(of(told)) if each.startswith("permit")}


def test_a_verdict_that_latches_is_not_answered_by_sealing() -> None:
    told = story()
    latches = Judgement(verdict="TAMPER", level=3, millinats=30_000, information_millinats=9_000)
    told.change("UNKNOWN", "verdict TAMPER, level 3", verdict=latches)
    told.seal()
    assert "verdict.ignored" in ids(of(told))
