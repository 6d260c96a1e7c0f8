"""The part of an enclosure's evidence that shows an interval of time. Pure.

A bundle begins with the log: who verifies it needs each token from the first on. So what is cut is
the end: at the first checkpoint that a quorum saw after the interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from casemate.core.progress import Work
from casemate.fleet.errors import RefusedError
from casemate.fleet.story.export import Source
from casemate.verify.continuity import Interval
from casemate.verify.findings import Notebook
from casemate.verify.log import Ledger, Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Evidence up to the end of an interval. now_s: the time at which to verify it.

    whole: nothing was left out, because no quorum has seen more than the interval's end.
    """

    source: Source
    now_s: int
    whole: bool


def cut(
    held: Source, seals: Sequence[Seal] | None, until_s: int, now_s: int, work: Work | None = None
) -> Cut:
    """Return the evidence that shows all up to `until_s`.

    seals: what a quorum has seen of it last, None if something is odd. RefusedError if the log's
    evidence is not plain: then only the whole of it says what is wrong.
    """
    if not seals:
        raise RefusedError(
            "something about this log is odd, so no part of it can stand for an interval.",
            remedy="export all of its evidence.",
        )
    known = seals if seals[0].by_s < until_s else _all_seals(held, work or Work("cut"))
    seal = next((each for each in known if each.by_s >= until_s), None)
    if seal is None:
        return Cut(source=held, now_s=now_s, whole=True)
    return Cut(source=held.until(seal.size), now_s=max(seal.by_s, until_s), whole=False)


def _all_seals(held: Source, work: Work) -> Iterator[Seal]:
    """Yield what a quorum has seen, from the first on: the appraisal keeps the latest alone."""
    unit = held.known.reference.unit(held.known.serial)
    ledger, sizes = Ledger(unit, held.known.policy, Notebook()), {size for size, _ in held.notes}
    work.stage("reading tokens", held.total, "tokens")
    for part in held.entries(0, held.total):
        ledger.take(part, sizes)
        work.step(len(part))
    work.stage("looking for where witnesses saw the interval's end", 0, "checkpoints")
    for data in work.each(held.checkpoints()):
        for stated, note in ledger.read(data):
            yield from ledger.weigh(stated, note, newest=True)


def within(found: Sequence[Interval], from_s: int, until_s: int) -> tuple[Interval, ...]:
    """Return the parts of intervals that lie in a time."""
    cut_ = (
        replace(each, start_s=max(each.start_s, from_s), end_s=min(each.end_s, until_s))
        for each in found
    )
    return tuple(each for each in cut_ if each.length_s > 0)
