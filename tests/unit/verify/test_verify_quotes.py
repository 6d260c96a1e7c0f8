"""Quotes of starts: honest ones are quiet, over keys that come and go; each part counts."""

from __future__ import annotations

from dataclasses import replace

from verify_samples import ids, of

from casemate.attest import claims as c
from casemate.attest.reference import Enrolment
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.quotes import quoting, reference_with, restart
from casemate.testing.honest_enclosure import Story, keys, publics
from casemate.testing.unsafe_tpm import UnsafeTpm

KNOWN = reference_with(UnsafeTpm().identity)


def test_honest_starts_are_quiet() -> None:
    assert ids(of(quoting(restarts=0), reference=KNOWN)) == set()
    assert ids(of(quoting(restarts=3), reference=KNOWN)) == {"boot.restart"}


def test_second_start_of_the_controller_within_one_of_the_tpm() -> None:
    told = quoting()
    restart(told, resets=4, clock_ms=4_000)
    assert ids(of(told, reference=KNOWN)) == {"boot.restart"}


def test_nonce_of_an_inspector_is_under_the_quote() -> None:
    told = quoting()
    assert told.tpm is not None
    told.tpm = replace(told.tpm, resets=5)
    told.now_s += 30
    told.start("restarted", nonce=b"\x05" * 16)
    told.change("ARMED", "released")
    told.seal()
    honest.watch(told)
    assert ids(of(told, reference=KNOWN)) == {"boot.restart"}


def test_what_was_refused_is_no_earlier_state() -> None:
    """A quote that went back does not become what the next one is held to."""
    told = quoting()
    restart(told, resets=3)
    restart(told, resets=5)
    assert ids(of(told, reference=KNOWN)) == {"boot.restart", "quote.reset"}
    told = quoting()
    restart(told, resets=9, software=b"\x99" * 32)
    restart(told, resets=5, software=b"")
    assert "quote.reset" not in ids(of(told, reference=KNOWN))


def test_parties_may_enrol_another_tpm_with_new_keys() -> None:
    told, other = quoting(), UnsafeTpm(name="other", resets=1)
    permit = told.allow(actions=("recommission",))
    told.seal()
    new = Enrolment(
        sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")),
        tpm=other.identity,
    )  # fmt: skip
    unit = KNOWN.units[0]
    later = replace(KNOWN, units=(replace(unit, enrolments=(*unit.enrolments, new)),))
    told.evidence, told.tpm = keys("second"), other
    told.start("recommissioned", "COMMISSIONING", permit=permit)
    told.token(c.PermitUse(act="opened", permit=permit))
    told.seal()
    found = ids(of(told, reference=later))
    assert not {each for each in found if each.startswith("quote.")}
    mixed = replace(later.units[0], enrolments=(*unit.enrolments, replace(new, tpm=None)))
    assert "quote.invalid" in ids(of(told, reference=replace(later, units=(mixed,))))


def test_suite_of_long_digests() -> None:
    tpm = UnsafeTpm()
    told = Story(tpm=tpm, suite="cnsa2", software=b"\x0a" * 48, anchor=b"\x0e" * 48)
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    first = Enrolment(sequence=0, suite="cnsa2", keys=publics(told.evidence), tpm=tpm.identity)
    known = replace(KNOWN, units=(replace(KNOWN.units[0], enrolments=(first,)),))
    assert not {each for each in ids(of(told, reference=known)) if each.startswith("quote.")}


def test_keys_stay_bound_to_the_anchor_that_they_were_made_for() -> None:
    """A module was replaced under a permit: tokens name the new anchor, the TPM has the old one."""
    told = quoting(restarts=0)
    permit = told.allow()
    told.seal()
    told.open_up(permit)
    told.token(
        c.PermitUse(
            act="re-anchored", permit=permit, module="reader-loop", anchor=honest.NEW_ANCHOR,
            keys=(honest.MODULE.public,),
        )
    )  # fmt: skip
    told.anchor = honest.NEW_ANCHOR
    told.seal()
    told.close_up(permit)
    told.seal()
    restart(told, anchor=honest.ANCHOR)
    assert not {each for each in ids(of(told, reference=KNOWN)) if each.startswith("quote.")}
    restart(told, anchor=honest.NEW_ANCHOR)
    assert "quote.invalid" in ids(of(told, reference=KNOWN))
