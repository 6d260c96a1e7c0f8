"""Which assumptions carry the conclusion: what becomes of each verdict if one is withdrawn.

A claim rests on all assumptions that it names together, so withdrawing two flips exactly what the
one or the other flips, and a whole that is met stays met if each alone leaves it so. Pairs tell
nothing new.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from casemate.case.results import Results, Verdict
from casemate.case.verdict import far_verdicts, move_verdicts, overall, verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A verdict that changes. what: target, move or cause of false alarms."""

    what: str
    id: str
    before: Verdict
    after: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What an assumption carries. resting: all that names it, whether or not its verdict flips.

    top_flips: the overall verdict changes from `top_before` to `top_after`.
    """

    assumption: str
    resting: tuple[str, ...]
    flips: tuple[Flip, ...]
    top_before: Verdict
    top_after: Verdict

    @property
    def top_flips(self) -> bool:
        """Return whether the overall verdict changes."""
        return self.top_before != self.top_after

    @property
    def lost(self) -> tuple[Flip, ...]:
        """Return what is met now and would not be."""
        return tuple(flip for flip in self.flips if flip.before == "met")


def without(results: Results, ids: frozenset[str]) -> Results:
    """Return the results as if nothing were known that rests on any assumption of `ids`.

    Targets lose their figure, moves their trials, causes of false alarms their upper bound.
    """
    targets = tuple(
        replace(t, achieved=None, low=None, high=None) if ids & set(t.rests_on) else t
        for t in results.targets
    )
    moves = tuple(
        replace(m, trials=0, detected=0, tamper=0, interference=0, denied=0, pod=math.nan,
                pod_low=0.0, pod_high=1.0) if ids & set(m.rests_on) else m
        for m in results.moves
    )  # fmt: skip
    far = tuple(replace(f, upper=math.inf) if ids & set(f.rests_on) else f for f in results.far)
    return replace(results, targets=targets, moves=moves, far=far)


def sensitivity(results: Results) -> tuple[Withdrawn, ...]:
    """Return each assumption with what flips if it is withdrawn; what carries most comes first."""
    rows = [_withdrawn(results, a.id) for a in results.assumptions]
    return tuple(
        sorted(
            rows,
            key=lambda r: (not r.top_flips, -len(r.lost), -len(r.flips), -len(r.resting),
                           r.assumption),
        )
    )  # fmt: skip


def _withdrawn(results: Results, id: str) -> Withdrawn:
    changed = without(results, frozenset({id}))
    before, after = _all(results), _all(changed)
    return Withdrawn(
        assumption=id,
        resting=tuple(
            [t.id for t in results.targets if id in t.rests_on]
            + [m.id for m in results.moves if id in m.rests_on]
            + [f.cause for f in results.far if id in f.rests_on]
        ),
        flips=tuple(
            Flip(what=key[0], id=key[1], before=was, after=after[key])
            for key, was in before.items()
            if after[key] != was
        ),
        top_before=overall(results),
        top_after=overall(changed),
    )


def _all(results: Results) -> dict[tuple[str, str], Verdict]:
    return {
        **{("target", id): v for id, v in verdicts(results).items()},
        **{("move", id): v for id, v in move_verdicts(results).items()},
        **{("cause", id): v for id, v in far_verdicts(results).items()},
    }


def simulated_only(results: Results) -> tuple[str, ...]:
    """Return the ids of targets, moves and causes that only a simulation or assumption backs."""
    soft = ("simulated", "assumed")
    return tuple(
        [t.id for t in results.targets if t.kind in soft]
        + [m.id for m in results.moves if m.trials]
        + [f.cause for f in results.far if f.kind in soft]
    )
