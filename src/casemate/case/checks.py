"""Whether results can be argued from at all: ids unique, references that exist, every rerun given.

What a figure amounts to is `verdict`'s matter; here a fault is refused, never judged.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from casemate.case.results import Atlas, Plot, Results
from casemate.case.verdict import Judged, judged, judged_far, judged_move
from casemate.core.errors import InputError


def checked(results: Results) -> Results:
    """Return `results`, or raise InputError that lists every fault found in them."""
    faults = [
        *_twice("target", (t.id for t in results.targets)),
        *_twice("move", (m.id for m in results.moves)),
        *_twice("cause of false alarms", (f.cause for f in results.far)),
        *_twice("assumption", (a.id for a in results.assumptions)),
        *_twice("doubt", (d.id for d in results.doubts)),
        *_twice("plot", (p.id for p in results.plots)),
        *_twice("map", (m.tile for m in results.maps)),
        *_date(results.date),
        *_unknown(results),
        *_no_rerun(results),
        *_impossible(results),
        *(fault for plot in results.plots for fault in _plot(plot)),
        *(_atlas(results.atlas) if results.atlas else ()),
    ]
    if faults:
        raise InputError(
            f"the results of {results.enclosure} cannot be argued from: {'; '.join(faults)}.",
            remedy="correct what made them; a case never guesses.",
        )
    return results


def _twice(what: str, ids: Iterable[str]) -> list[str]:
    return [f"{what} {id} is there twice" for id, n in Counter(ids).items() if n > 1]


def _date(date: str) -> list[str]:
    try:
        datetime.fromisoformat(date)
    except ValueError:
        return [f"the date {date!r} is not ISO 8601"]
    return []


def _unknown(results: Results) -> list[str]:
    known = {a.id for a in results.assumptions}
    resting = [
        *((t.id, t.rests_on) for t in results.targets),
        *((m.id, m.rests_on) for m in results.moves),
        *((f.cause, f.rests_on) for f in results.far),
    ]
    faults = [
        f"{id} rests on {each}, which no assumption records"
        for id, rests_on in resting
        for each in rests_on
        if each not in known
    ]
    targets = {t.id for t in results.targets}
    for doubt in results.doubts:
        faults += [
            f"doubt {doubt.id} names {id}, which is no target"
            for id in doubt.targets
            if id not in targets
        ]
    return faults


def _no_rerun(results: Results) -> list[str]:
    backed = [
        *((t.id, t.rerun) for t in results.targets if t.achieved is not None),
        *((m.id, m.rerun) for m in results.moves),
        *((f.cause, f.rerun) for f in results.far),
        *((p.id, p.rerun) for p in results.plots),
        *((("atlas", results.atlas.rerun),) if results.atlas else ()),
    ]
    return [f"{id} has no command that gives it again" for id, rerun in backed if not rerun.strip()]


def _impossible(results: Results) -> list[str]:
    faults = []
    judges: list[Callable[[], Judged]] = [
        *(partial(judged, target) for target in results.targets),
        *(partial(judged_move, move) for move in results.moves),
        *(partial(judged_far, far) for far in results.far),
    ]
    for judge in judges:
        try:
            judge()
        except InputError as refused:
            faults.append(refused.message.rstrip("."))
    return faults


def _plot(plot: Plot) -> list[str]:
    faults = []
    for series in plot.series:
        lengths = {len(series.x), len(series.y), *(len(b) for b in (series.low, series.high) if b)}
        if len(lengths) > 1 or bool(series.low) != bool(series.high):
            faults.append(f"plot {plot.id}: the lengths of {series.name} differ")
        if any(math.isinf(v) for v in (*series.x, *series.y)):
            faults.append(f"plot {plot.id}: {series.name} has a value that is infinite")
    return faults


def _atlas(atlas: Atlas) -> list[str]:
    shape = (len(atlas.x) - 1, len(atlas.y) - 1, len(atlas.z) - 1)
    good = len(atlas.margin) == shape[0] and all(
        len(plane) == shape[1] and all(len(row) == shape[2] for row in plane)
        for plane in atlas.margin
    )
    return [] if good else [f"the atlas does not have {' x '.join(map(str, shape))} cells"]
