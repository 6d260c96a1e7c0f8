"""What witnesses' lines bound: at the second, in any order, and whoever comes late."""

from __future__ import annotations

from dataclasses import replace

from verify_samples import ids, of

from casemate.attest.reference import Enrolment
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story, keys, publics
from casemate.testing.malicious_host import story
from casemate.translog.note import parse as parse_note
from casemate.translog.policy import parse as parse_policy


def add_line(told: Story, name: str, at_s: int) -> None:
    """Let a witness cosign the newest checkpoint later than others, and tell the enclosure."""
    assert told.known is not None
    line = honest.cosign(name, told.stated(told.known.size), at_s)
    told.notes = (*told.notes[:-1], told.notes[-1] + line.text().encode())
    told.known = replace(told.known, note=parse_note(told.notes[-1]).digest)


def slow_quorum(later_s: int) -> Story:
    """Return a story in which the second witness of a quorum came 100 s after the first.

    The enclosure names those two, a third comes after, and the token is seen `later_s` after the
    first of them.
    """
    told = story()
    begun_s = told.now_s
    told.seal(["north"])
    add_line(told, "south", begun_s + 100)
    told.now_s += 110
    told.frames()
    known = told.known
    assert known is not None
    late = honest.cosign("west", told.stated(known.size), begun_s + 150)
    told.notes = (*told.notes[:-1], told.notes[-1] + late.text().encode())
    told.now_s = begun_s + later_s
    told.seal()
    return told


def test_a_quorum_is_as_old_as_its_first_line() -> None:
    """If of every quorum one witness tells the truth, it may be the first."""
    assert "token.window" not in ids(of(slow_quorum(720)))
    late = of(slow_quorum(721))
    begun_s = story().now_s
    said = next(each.what for each in late.findings if each.id == "token.window")
    assert said.endswith(f"from {begun_s} to {begun_s + 721}")


def test_a_checkpoint_that_is_cosigned_again_counts_from_the_first_time() -> None:
    told = story()
    told.now_s += 60
    told.seal()
    result = of(told)
    assert (result.findings, result.seen_s) == ((), told.now_s - 60)


def test_the_newest_of_those_that_wait_is_named() -> None:
    told = story()
    for _ in range(2):
        told.watch()
        told.seal([])
    result = of(told)
    said = next(each.what for each in result.findings if each.id == "log.awaiting")
    assert f"size {len(told.entries)}:" in said


def test_keys_of_one_enrolment_sign_the_log_whole() -> None:
    """The policy names no log's keys; keys that come later need not have signed before."""
    rows = honest.policy_text().decode().splitlines()
    text = "\n".join([*(row for row in rows if not row.startswith("log ")), ""])
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal(signers=told.evidence)
    told.change("ARMED", "commissioned")
    told.seal(signers=told.evidence)
    told.watch()
    told.seal(signers=told.evidence)
    new = Enrolment(sequence=10**6, suite=told.suite, keys=publics(keys("second")))
    policy = parse_policy(text.encode())
    assert of(told, reference=honest.reference(new), policy=policy).findings == ()


def test_bounds_never_go_back() -> None:
    """A larger log was cosigned earlier than a smaller one: the later bound holds."""
    told = story()
    told.now_s += 300
    told.seal()
    told.frames()
    told.seal(at_s=told.now_s - 290)
    told.frames()
    begun_s = told.now_s
    told.now_s += 721
    told.seal()
    said = next(each.what for each in of(told).findings if each.id == "token.window")
    assert said.endswith(f"from {begun_s} to {begun_s + 721}")
