"""The tables of the case's page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from casemate.case.figures import figure, interval, parameters, place, rate
from casemate.case.ladder import level_name
from casemate.case.marks import badge, command
from casemate.case.results import MoveResult, Part, Results, Target
from casemate.case.sensitivity import Withdrawn, sensitivity, simulated_only
from casemate.case.verdict import judged, judged_far, judged_move

Cell = tuple[str, str]
"""Safe markup and the class of its cell."""


def table(caption: str, heads: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table; the first cell of a row is its head."""
    top = "".join(f'<th scope="col"{_kind(kind)}>{words}</th>' for words, kind in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row"{_kind(kind)}>{words}</th>'
            if k == 0
            else f"<td{_kind(kind)}>{words}</td>"
            for k, (words, kind) in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{top}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _s(words: str, kind: str = "") -> Cell:
    return escape(words), kind


def _named(title: str, id: str) -> Cell:
    return f'{escape(title)}<br><code class="soft">{escape(id)}</code>', "name"


def doubts_table(results: Results) -> str:
    """Return the doubts with what they cast doubt on."""
    rows = [
        (_named(d.text, d.id), _s(", ".join(d.targets) or "the whole", "w")) for d in results.doubts
    ]
    return table("Doubts: what nothing backs", (_s("doubt"), _s("casts doubt on")), rows)


def simulated_list(results: Results) -> str:
    """Return in a sentence what only a simulation or an assumption backs."""
    soft = set(simulated_only(results))
    targets = [t.id for t in results.targets if t.id in soft and t.kind in ("simulated", "assumed")]
    causes = [f.cause for f in results.far if f.kind in ("simulated", "assumed")]
    moves = sum(1 for m in results.moves if m.trials)
    parts = []
    if targets:
        parts.append(f"targets {escape(', '.join(targets))}")
    if causes:
        parts.append(f"false alarms by {escape(', '.join(causes))}")
    if moves:
        parts.append(f"every figure of the {moves} moves that were tried")
    if not parts:
        return "<p>No figure rests on a simulation or an assumption alone.</p>"
    return f"<p><b>Simulated or assumed only:</b> {'; '.join(parts)}.</p>"


def assumptions_table(results: Results) -> str:
    """Return the assumptions, what carries most first, with what flips without each."""
    by_id = {a.id: a for a in results.assumptions}
    rows = []
    for row in sensitivity(results):
        a = by_id[row.assumption]
        rows.append(
            (
                _named(a.text, a.id),
                (_flips(row), "w"),
                _s(a.covers, "w"),
                _s(a.checked, "w"),
                _s(a.source, "w"),
            )
        )
    heads = (_s("assumption"), _s("without it"), _s("what answers then"), _s("checked by"),
             _s("source"))  # fmt: skip
    return table("Assumptions, what carries most first", heads, rows)


def _flips(row: Withdrawn) -> str:
    lines = []
    if row.top_flips:
        lines.append(f"<b>the whole: {row.top_before} → {row.top_after}</b>")
    groups: dict[tuple[str, str], list[str]] = {}
    for flip in row.flips:
        groups.setdefault((flip.before, flip.after), []).append(flip.id)
    for (before, after), ids in sorted(groups.items(), key=lambda g: g[0][0] != "met"):
        shown = ", ".join(ids[:6]) + (f" and {len(ids) - 6} more" if len(ids) > 6 else "")
        lines.append(f"{before} → {after}: {escape(shown)}")
    if not lines:
        still = len(row.resting)
        lines.append(f"nothing flips; {still} {'rests' if still == 1 else 'rest'} on it")
    return "<br>".join(lines)


def targets_table(results: Results) -> str:
    """Return what was asked and what was reached."""
    heads = (_s("target"), _s("verdict"), _s("asked", "n"), _s("reached", "n"), _s("interval", "n"),
             _s("kind"), _s("evidence, and how to get it again"))  # fmt: skip
    return table("Targets", heads, (_target(t) for t in results.targets))


def _target(target: Target) -> tuple[Cell, ...]:
    found = judged(target)
    sign = "≥" if target.sense == "at_least" else "≤"
    span = interval(target.low, target.high, target.unit)
    at = "" if span in ("exact", "-") else f'<br><span class="soft">at {_conf(target)}</span>'
    return (
        _named(target.text, target.id),
        (f"{badge(found.verdict)}", ""),
        _s(f"{sign} {figure(target.required, target.unit)}", "n"),
        _s(figure(target.achieved, target.unit), "n"),
        (escape(span) + at, "n"),
        _s(target.kind),
        (_evidence(target.evidence, target.rerun, target.rests_on), "w evidence"),
    )


def _conf(target: Target) -> str:
    return escape(figure(target.confidence, "share"))


def _evidence(words: str, rerun: str, rests_on: Sequence[str]) -> str:
    rests = f"; rests on {escape(', '.join(rests_on))}" if rests_on else ""
    again = f"<br>{command(rerun)}" if rerun else ""
    return f"{escape(words)}{rests}{again}"


def intrude_table(results: Results) -> str:
    """Return the moves to go in, worst first."""
    moves = [m for m in results.moves if m.goal == "intrude"]
    moves.sort(key=lambda m: (m.pod_low if m.trials else -1.0, m.id))
    heads = (_s("move"), _s("PoD", "n"), _s("delay: half, 99 of 100", "n"),
             _s("weakest place; search"), _s("seen by"), _s("potential"))  # fmt: skip
    return table("Moves to go in, the least sure first", heads, (_intrude(m) for m in moves))


def _intrude(move: MoveResult) -> tuple[Cell, ...]:
    name, kind = _named(move.name, move.id)
    asked = "nothing asked" if move.required is None else f"≥ {figure(move.required, 'share')}"
    span = interval(move.pod_low, move.pod_high, "share")
    shown = f"{figure(move.pod, 'share')}<br><span class='soft'>{span}<br>"
    pod = f"{shown}{move.detected} of {move.trials}; {asked}</span>" if move.trials else "not tried"
    seen = ", ".join(each.replace("_", " ") for each in move.seen_by)
    return (
        (f"{name}<br>{badge(judged_move(move).verdict)}", kind),
        (pod, "n"),
        (f"{figure(move.delay_s_p50, 's')}<br>{figure(move.delay_s_p99, 's')}", "n"),
        (f"{_weakest(move)}<br>{_searched(move)}", "w place"),
        _s(seen or "nothing"),
        (_potential(move), ""),
    )


def _weakest(move: MoveResult) -> str:
    at = move.weakest
    if at is None:
        return "no trial kept"
    end = "" if at.detected else ", <b>not detected</b>"
    values = f"<br>{escape(parameters(at.parameters))}" if at.parameters else ""
    return f"{escape(place(at))}, margin {at.margin:.3g} nats{end}{values}"


def _searched(move: MoveResult) -> str:
    if math.isnan(move.adaptive):
        return '<span class="soft">no search was made</span>'
    end = "<b>✗ search got past</b>" if move.adaptive < 0 else "search did not get past"
    return f"{end}: {move.adaptive:.3g} nats in {move.budget} trials"


def _potential(move: MoveResult) -> str:
    persons = "1 person" if move.persons == 1 else f"{move.persons} persons"
    return (
        f"{move.points} points, {escape(move.potential_level)}<br>"
        f'<span class="soft">{persons}, {move.cost_usd:,.0f} USD</span>'
    )


def discredit_table(results: Results) -> str:
    """Return the moves to make alarms worthless."""
    moves = [m for m in results.moves if m.goal == "discredit"]
    names = (
        "move",
        "verdict",
        "trials",
        "TAMPER",
        "INTERFERENCE",
        "DENIED",
        "response",
        "potential",
    )
    heads = [_s(name, "n" if 2 <= k <= 5 else "") for k, name in enumerate(names)]
    rows = (
        (
            _named(m.name, m.id),
            (badge(judged_move(m).verdict), ""),
            _s(str(m.trials), "n"),
            _s(str(m.tamper), "n"),
            _s(str(m.interference), "n"),
            _s(str(m.denied), "n"),
            _s(level_name(m.level)),
            (_potential(m), ""),
        )
        for m in moves
    )
    return table("Moves to make alarms worthless: noise alone may seal keys, no more", heads, rows)


def parts_table(move: MoveResult) -> str:
    """Return how a move fared by tile and by range of a parameter."""
    rows = [_part(part) for part in (*move.by_tile, *move.by_parameter)]
    heads = (_s("tile or parameter"), _s("from", "n"), _s("to", "n"), _s("detected", "n"),
             _s("PoD interval", "n"))  # fmt: skip
    return table(f"{move.name}: parts of the campaign", heads, rows)


def _part(part: Part) -> tuple[Cell, ...]:
    ranged = part.high > part.low
    return (
        (f"<code>{escape(part.what)}</code>", ""),
        _s(figure(part.low, part.unit) if ranged else "-", "n"),
        _s(figure(part.high, part.unit) if ranged else "-", "n"),
        _s(f"{part.detected} of {part.trials}", "n"),
        _s(interval(part.pod_low, part.pod_high, "share"), "n"),
    )


def far_table(results: Results) -> str:
    """Return the causes of false alarms with their figures."""
    heads = (_s("cause"), _s("bounded"), _s("rate", "n"), _s("at most", "n"), _s("response"),
             _s("kind"), _s("evidence, and how to get it again"))  # fmt: skip
    rows = (
        (
            (escape(f.cause), ""),
            (badge(judged_far(f).verdict), ""),
            _s(rate(f.per_enclosure_year), "n"),
            _s(rate(f.upper), "n"),
            _s(level_name(f.level)),
            _s(f.kind),
            (_evidence(f.about, f.rerun, f.rests_on), "w evidence"),
        )
        for f in results.far
    )
    return table("False alarms by cause, per enclosure", heads, rows)
