"""What the command line prints of a case: verdict, doubts, targets, worst moves, false alarms."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

from casemate.case.checks import checked
from casemate.case.figures import figure, interval, place, rate
from casemate.case.ladder import level_name
from casemate.case.marks import sign
from casemate.case.results import MoveResult, Results, Target
from casemate.case.sensitivity import sensitivity
from casemate.case.svg import shortened
from casemate.case.verdict import judged, judged_move, move_verdicts, overall, verdicts

WIDTH = 100
MAX_DOUBTS, MAX_TARGETS, MAX_MOVES, MAX_CAUSES = 5, 10, 5, 5


def case_text(results: Results, files: Iterable[str] = ()) -> str:
    """Return ten to forty lines without colour, at most 100 wide. files: paths to name at the end.

    What is cut short says how much is left out. InputError as `checked`.
    """
    checked(results)
    verdict = overall(results)
    lines = [
        f"{sign(verdict)} {results.enclosure} ({results.serial}): {verdict}. "
        f"{_count('targets', verdicts(results).values())}, "
        f"{_count('moves', move_verdicts(results).values())}.",
        *_doubts(results),
        *_simulated(results),
        *_carried(results),
        *_targets(results),
        *_moves(results),
        *_causes(results),
        *_files(tuple(files)),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _count(what: str, found: Iterable[str]) -> str:
    each = list(found)
    return f"{sum(v == 'met' for v in each)} of {len(each)} {what} met"


def _doubts(results: Results) -> list[str]:
    if not results.doubts:
        return ["Doubts: none stated"]
    lines = ["Doubts"]
    for doubt in results.doubts[:MAX_DOUBTS]:
        of = f" ({', '.join(doubt.targets)})" if doubt.targets else ""
        lines.append(f"  {shortened(doubt.text + of, WIDTH - 2)}")
    return lines + _more(len(results.doubts), MAX_DOUBTS, "doubts")


def _simulated(results: Results) -> list[str]:
    soft = [t.id for t in results.targets if t.kind in ("simulated", "assumed")]
    soft += [f.cause for f in results.far if f.kind in ("simulated", "assumed")]
    tried = sum(1 for m in results.moves if m.trials)
    if tried:
        soft.append(f"all {tried} moves")
    if not soft:
        return []
    return _wrapped(f"Simulated or assumed only: {', '.join(soft)}.")


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, subsequent_indent="  ", max_lines=2, placeholder=" …")


def _carried(results: Results) -> list[str]:
    """Return the assumption that carries most, if any carries something."""
    rows = [row for row in sensitivity(results) if row.flips]
    if not rows:
        return []
    first = rows[0]
    text = next(a.text for a in results.assumptions if a.id == first.assumption)
    end = (
        f"the whole would be {first.top_after}"
        if first.top_flips
        else f"{len(first.flips)} verdicts would change"
    )
    told = f"Carries most, of {len(rows)} assumptions that carry: {text}. Without it {end}."
    return _wrapped(told)


def _targets(results: Results) -> list[str]:
    if not results.targets:
        return ["Targets: none"]
    order = ("not met", "in doubt", "met")
    ranked = sorted(results.targets, key=lambda t: order.index(judged(t).verdict))
    rows = [_target(target) for target in ranked[:MAX_TARGETS]]
    return ["Targets", *_aligned(rows), *_more(len(ranked), MAX_TARGETS, "targets")]


def _target(target: Target) -> tuple[str, ...]:
    found = judged(target)
    ask = ">=" if target.sense == "at_least" else "<="
    span = interval(target.low, target.high, target.unit)
    return (
        f"{sign(found.verdict)} {shortened(target.id, 28)}",
        found.verdict,
        figure(target.achieved, target.unit),
        f"{ask} {figure(target.required, target.unit)}",
        "" if span in ("-", "exact") else span,
        target.kind,
    )


def _moves(results: Results) -> list[str]:
    if not results.moves:
        return ["Moves: none were tried"]
    order = ("not met", "in doubt", "met")
    ranked = sorted(
        results.moves,
        key=lambda m: (order.index(judged_move(m).verdict), _pod(m), m.id),
    )
    bad = sum(judged_move(m).verdict != "met" for m in ranked)
    shown = ranked[: max(1, min(bad, MAX_MOVES))]
    lines = ["Moves, the worst first", *_aligned([_move(move) for move in shown])]
    left = len(ranked) - len(shown)
    return lines + ([f"  and {left} more, {max(0, bad - len(shown))} of them not met"
                     " or in doubt"] if left else [])  # fmt: skip


def _pod(move: MoveResult) -> float:
    return move.pod_low if move.goal == "intrude" and move.trials else -1.0


def _move(move: MoveResult) -> tuple[str, ...]:
    found = judged_move(move)
    if move.goal == "discredit":
        ended = f"TAMPER in {move.tamper} of {move.trials}"
        where = level_name(move.level)
    else:
        ended = f"PoD {figure(move.pod, 'share')}" if move.trials else "not tried"
        if move.trials:
            ended += f", {interval(move.pod_low, move.pod_high, 'share')}"
        notes = [place(move.weakest, 0)] if move.weakest else []
        notes += ["search got past"] if move.adaptive < 0 else []
        where = "; ".join(notes)
    return f"{sign(found.verdict)} {shortened(move.id, 20)}", found.verdict, ended, where


def _causes(results: Results) -> list[str]:
    if not results.far:
        return ["False alarms: no cause is stated"]
    ranked = sorted(results.far, key=lambda f: (-f.level, -f.upper, f.cause))
    rows = [
        (
            shortened(f.cause, 28),
            level_name(f.level),
            rate(f.per_enclosure_year),
            "no bound" if math.isinf(f.upper) else f"at most {rate(f.upper)}",
            f.kind,
        )
        for f in ranked[:MAX_CAUSES]
    ]
    head = "False alarms per enclosure, the gravest response first"
    return [head, *_aligned(rows), *_more(len(ranked), MAX_CAUSES, "causes")]


def _files(files: tuple[str, ...]) -> list[str]:
    return [f"Files: {', '.join(files)}"] if files else []


def _more(have: int, most: int, what: str) -> list[str]:
    return [f"  and {have - most} more {what}"] if have > most else []


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows in columns, two blanks apart, cut at the page's width."""
    if not rows:
        return []
    wide = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ("  " + "  ".join(c.ljust(w) for c, w in zip(row, wide, strict=True)) for row in rows)
    return [shortened(line.rstrip(), WIDTH) for line in lines]
