"""What a host does about the TPM that keeps the enclosure's keys."""

from __future__ import annotations

from dataclasses import replace

from casemate.attest import token as tokens
from casemate.attest.claims import Boot, Quote
from casemate.attest.reference import Enrolment, Reference, Tpm
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import ZERO, Shown, Table, show
from casemate.testing.honest_enclosure import Story
from casemate.testing.unsafe_tpm import UnsafeTpm

QUOTES = Table()


def reference_with(tpm: Tpm) -> Reference:
    """Return the reference values whose first keys are kept by this TPM."""
    found = honest.reference()
    first: Enrolment = replace(found.units[0].enrolments[0], tpm=tpm)
    return replace(found, units=(replace(found.units[0], enrolments=(first,)),))


def quoting(restarts: int = 1) -> Story:
    """Return evidence of an honest enclosure with a TPM, after some starts."""
    told = honest.armed(1, Story(tpm=UnsafeTpm()))
    for _ in range(restarts):
        restart(told)
    return told


def restart(told: Story, **changes: object) -> None:
    """Switch an enclosure off and on, after which parties let it be armed."""
    assert told.tpm is not None
    given = {"resets": told.tpm.resets + 1, "restarts": 0, "clock_ms": 4_000, **changes}
    told.tpm = replace(told.tpm, **given)  # type: ignore[arg-type]
    told.now_s += 30
    told.start("restarted")
    told.change("ARMED", "released")
    told.seal()
    honest.watch(told)


def _show(told: Story) -> Shown:
    return show(told, reference=reference_with(UnsafeTpm().identity))


@QUOTES.attack("quote.absent", "start without the TPM's quote")
def leave_the_quote_out() -> Shown:
    told = quoting()
    told.tpm = None
    told.now_s += 30
    told.start("restarted")
    told.seal()
    return _show(told)


@QUOTES.attack("quote.invalid", "move the seeds to another TPM")
def move_to_another_tpm() -> Shown:
    told = quoting()
    restart(told, name="another")
    return _show(told)


@QUOTES.attack("quote.invalid", "start other software, and claim the known one")
def quote_other_software() -> Shown:
    told = quoting()
    restart(told, software=ZERO)
    return _show(told)


@QUOTES.attack("quote.invalid", "start with another anchor, and claim the known one")
def quote_another_anchor() -> Shown:
    told = quoting()
    restart(told, anchor=ZERO)
    return _show(told)


@QUOTES.attack("quote.invalid", "have a TPM make keys for no anchor, which fit any")
def bind_to_no_anchor() -> Shown:
    told = Story(tpm=UnsafeTpm(), anchor=b"")
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    told.anchor = honest.ANCHOR
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told)
    return _show(told)


@QUOTES.attack("quote.invalid", "zero the magic of a quote, as one that no TPM made")
def zero_the_magic() -> Shown:
    told = quoting()
    restart(told, magic=0)
    return _show(told)


def _quote_of(told: Story) -> Quote:
    quotes = [
        each.quote
        for each in (tokens.peek(data)[1].body for data in told.entries)
        if isinstance(each, Boot) and each.quote is not None
    ]
    return quotes[-1]


@QUOTES.attack("quote.invalid", "show the quote of an earlier start again")
def replay_a_quote() -> Shown:
    told = quoting()
    quote = _quote_of(told)
    told.now_s += 30
    told.start("restarted", body={"quote": quote})
    told.seal()
    return _show(told)


@QUOTES.attack("quote.invalid", "have a TPM vouch for keys for which parties enrolled none")
def quote_uninvited() -> Shown:
    return show(quoting())


@QUOTES.attack("quote.reset", "restore an older state of the TPM")
def restore_the_tpm() -> Shown:
    told = quoting()
    restart(told, resets=3)
    return _show(told)


@QUOTES.attack("quote.reset", "set back the TPM's clock within one start of it")
def set_the_tpm_back() -> Shown:
    told = quoting()
    restart(told, resets=4, clock_ms=3_999)
    return _show(told)


@QUOTES.attack("quote.starts", "start the TPM with other software between two honest starts")
def start_in_between() -> Shown:
    told = quoting()
    restart(told, resets=6)
    return _show(told)


@QUOTES.attack("quote.starts", "suspend the machine and look into it before it goes on")
def resume_in_between() -> Shown:
    told = quoting()
    restart(told, restarts=1)
    return _show(told)
