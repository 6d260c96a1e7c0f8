"""Verdicts: what the figures of a requirement, a move and a cause of false alarms amount to.

A requirement is met only if the unfavourable end of its interval meets it, and not met only if the
favourable end misses it. All else is in doubt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from casemate.case.results import FarResult, MoveResult, Results, Target, Verdict
from casemate.core.errors import InputError
from casemate.core.proof import ROUNDING

NOISE_LEVEL_MAX = 2
"""Highest response that noise alone may reach: keys sealed, nothing destroyed (planning value)."""
_ORDER: tuple[Verdict, ...] = ("not met", "in doubt", "met")
"""Worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict and the sentence that says why."""

    verdict: Verdict
    why: str


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of `verdicts`; none at all is in doubt, for nothing was shown."""
    return min(verdicts, key=_ORDER.index, default="in doubt")


def judged_interval(
    low: float, high: float, required: float, *, at_least: bool, what: str = "the interval"
) -> Judged:
    """Return the verdict of an interval against a bound. An end that equals the bound meets it."""
    bad, good = (low, high) if at_least else (high, low)
    ask = f"{'at least' if at_least else 'at most'} {required:.6g}"
    if _meets(bad, required, at_least):
        return Judged(verdict="met", why=f"the worse end of {what}, {bad:.6g}, is {ask}")
    if not _meets(good, required, at_least):
        return Judged(verdict="not met", why=f"even the better end of {what}, {good:.6g}, misses "
                      f"{ask}")  # fmt: skip
    return Judged(verdict="in doubt", why=f"{what} from {low:.6g} to {high:.6g} holds both "
                  f"sides of {required:.6g}")  # fmt: skip


def _meets(value: float, required: float, at_least: bool) -> bool:
    room = ROUNDING * abs(required)
    return value >= required - room if at_least else value <= required + room


def judged(target: Target) -> Judged:
    """Return the verdict of a requirement.

    InputError for figures that are not finite, an interval that is reversed, half given or does
    not hold `achieved`.
    """
    figures = (target.achieved, target.low, target.high)
    _finite(target.id, (target.required, *(x for x in figures if x is not None)))
    if target.achieved is None:
        if target.low is not None or target.high is not None:
            raise _wrong(target.id, "has an interval and no figure", "give both or neither")
        return Judged(verdict="in doubt", why="nothing is known")
    if target.low is None or target.high is None:
        raise _wrong(target.id, "has a figure without its interval",
                     "give low and high, both equal to the figure if it is exact")  # fmt: skip
    if not target.low <= target.achieved <= target.high:
        raise _wrong(target.id, "has an interval that is reversed or does not hold its figure",
                     "give low <= achieved <= high")  # fmt: skip
    return judged_interval(
        target.low, target.high, target.required, at_least=target.sense == "at_least"
    )


def judged_move(move: MoveResult) -> Judged:
    """Return the verdict of a move.

    To go in: the interval of PoD against what is asked, and no search that got past undetected.
    To discredit: noise alone never ended in TAMPER, nor above level 2. InputError as in `judged`.
    """
    _counts(move)
    if move.trials == 0:
        return Judged(verdict="in doubt", why="it was never tried")
    if move.goal == "discredit":
        return _judged_discredit(move)
    if not 0.0 <= move.pod_low <= move.pod <= move.pod_high <= 1.0:
        raise _wrong(move.id, "has a PoD outside its interval or outside 0 to 1",
                     "give 0 <= pod_low <= pod <= pod_high <= 1")  # fmt: skip
    if move.required is None:
        return Judged(verdict="in doubt", why="no PoD is asked of it")
    _finite(move.id, (move.required,))
    found = judged_interval(
        move.pod_low, move.pod_high, move.required, at_least=True, what="its PoD"
    )
    if found.verdict == "met" and move.adaptive < 0.0:
        return Judged(
            verdict="in doubt",
            why=f"{found.why}, but a search of {move.budget} trials found an attack that stays "
            f"{-move.adaptive:.3g} nats under the alarm",
        )
    return found


def _judged_discredit(move: MoveResult) -> Judged:
    if move.tamper:
        return Judged(verdict="not met", why=f"noise alone ended in TAMPER in {move.tamper} of "
                      f"{move.trials} trials")  # fmt: skip
    if move.level > NOISE_LEVEL_MAX:
        return Judged(verdict="not met", why=f"noise alone reached response level {move.level}, "
                      f"more than {NOISE_LEVEL_MAX}")  # fmt: skip
    return Judged(verdict="met", why=f"no TAMPER in {move.trials} trials, response level "
                  f"{move.level} at most")  # fmt: skip


def judged_far(far: FarResult) -> Judged:
    """Return whether a cause of false alarms is bounded; InputError if its interval is reversed."""
    _finite(far.cause, (far.per_enclosure_year, far.lower))
    if math.isnan(far.upper) or not 0.0 <= far.lower <= far.per_enclosure_year <= far.upper:
        raise _wrong(far.cause, "has a rate outside its interval or below 0",
                     "give 0 <= lower <= per_enclosure_year <= upper")  # fmt: skip
    if math.isinf(far.upper):
        return Judged(verdict="in doubt", why="no upper bound is known")
    return Judged(verdict="met", why=f"at most {far.upper:.3g} per enclosure and year")


def verdicts(results: Results) -> dict[str, Verdict]:
    """Return the verdict of each target by id."""
    return {target.id: judged(target).verdict for target in results.targets}


def move_verdicts(results: Results) -> dict[str, Verdict]:
    """Return the verdict of each move by id."""
    return {move.id: judged_move(move).verdict for move in results.moves}


def far_verdicts(results: Results) -> dict[str, Verdict]:
    """Return, by cause, whether false alarms are bounded."""
    return {far.cause: judged_far(far).verdict for far in results.far}


def overall(results: Results) -> Verdict:
    """Return the worst verdict of all targets, moves and causes of false alarms.

    Without a target or without a move to go in the whole is in doubt at best: nothing was asked or
    tried.
    """
    moves = move_verdicts(results)
    parts: list[Verdict] = [
        worst(verdicts(results).values()),
        worst(moves[move.id] for move in results.moves if move.goal == "intrude"),
        *moves.values(),
        *far_verdicts(results).values(),
    ]
    return worst(parts)


def _counts(move: MoveResult) -> None:
    counts = (move.detected, move.tamper, move.interference, move.denied)
    if move.trials < 0 or any(not 0 <= n <= move.trials for n in counts):
        raise _wrong(move.id, "counts more ends than trials", "give counts from 0 to trials")


def _finite(id: str, values: Iterable[float]) -> None:
    if not all(math.isfinite(value) for value in values):
        raise _wrong(id, "has a figure that is not finite", "give None where nothing is known")


def _wrong(id: str, what: str, remedy: str) -> InputError:
    return InputError(f"{id} {what}.", remedy=f"{remedy}.", key=id)
