"""The part of an enclosure's evidence that shows an interval of time. Pure.

A bundle begins with the log: who verifies it needs each token from the first on. So what is cut is
the end: at the first checkpoint that a quorum saw after the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from casemate.fleet.errors import RefusedError
from casemate.fleet.evidence import Enclosure
from casemate.fleet.notes import read_note
from casemate.translog.bundle import Bundle
from casemate.verify import log as logs
from casemate.verify import tokens
from casemate.verify.continuity import Interval
from casemate.verify.findings import Notebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Evidence up to the end of an interval. now_s: the time at which to verify it.

    whole: nothing was left out, because no quorum has seen more than the interval's end.
    """

    bundle: Bundle
    now_s: int
    whole: bool


def cut(held: Bundle, known: Enclosure, until_s: int, now_s: int) -> Cut:
    """Return the evidence that shows all up to `until_s`, as a bundle.

    RefusedError if the log's evidence is not plain: then only the whole of it says what is wrong.
    """
    read = tokens.read(held.entries)
    unit = known.reference.unit(known.serial)
    book = Notebook()
    view = logs.view(held, unit, known.policy, list(tokens.named(read)), (), book)
    if any(each.id != "log.awaiting" for each in book.findings()):
        raise RefusedError(
            "something about this log is odd, so no part of it can stand for an interval.",
            remedy="export all of its evidence.",
        )
    seal = next((each for each in view.seals if each.by_s >= until_s), None)
    if seal is None:
        return Cut(bundle=held, now_s=now_s, whole=True)
    notes = [x for x in (*held.witnessed, held.checkpoint) if read_note(x).stated.size <= seal.size]
    kept = replace(
        held, checkpoint=notes[-1], witnessed=tuple(notes[:-1]), entries=held.entries[: seal.size],
        pending=(),
    )  # fmt: skip
    return Cut(bundle=kept, now_s=max(seal.by_s, until_s), whole=False)


def within(found: Sequence[Interval], from_s: int, until_s: int) -> tuple[Interval, ...]:
    """Return the parts of intervals that lie in a time."""
    cut_ = (
        replace(each, start_s=max(each.start_s, from_s), end_s=min(each.end_s, until_s))
        for each in found
    )
    return tuple(each for each in cut_ if each.length_s > 0)
