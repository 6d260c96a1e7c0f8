"""The case as a page: what is in doubt first, then what was asked, found and argued.

One section for the report, or a page of its own. Nothing is fetched and nothing runs.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from importlib.resources import files

from casemate.case.argument import argument
from casemate.case.checks import checked
from casemate.case.figures import place
from casemate.case.ladder import ladder_svg
from casemate.case.maps import atlas_svgs, map_svg, weakest
from casemate.case.marks import command, tone
from casemate.case.plots import left_out, plot_svg
from casemate.case.results import Plot, Results, TileMap
from casemate.case.tables import (
    assumptions_table,
    discredit_table,
    doubts_table,
    far_table,
    intrude_table,
    parts_table,
    simulated_list,
    targets_table,
)
from casemate.case.tree import tree_html, tree_svg
from casemate.case.verdict import move_verdicts, overall, verdicts

MAX_MAPS = 6
"""Boards shown at once, those with most misses first; the others open on demand."""
_HEADLINES = {
    "met": "Every target is met and every move is answered, under the assumptions below.",
    "not met": "Not met: at least one target is missed or one move gets past.",
    "in doubt": "In doubt: what is known does not show that every target is met.",
}


def case_html(results: Results) -> str:
    """Return the section for the report, with its own style. InputError as `checked`."""
    checked(results)
    css = (files("casemate.case") / "case.css").read_text(encoding="utf-8")
    parts = [
        _head(results),
        _doubts(results),
        _part("assumptions", "Assumptions", _assumptions(results)),
        _part("targets", "Targets", targets_table(results)) if results.targets else "",
        _part("moves", "Moves", _moves(results)) if results.moves else "",
        _part("far", "False alarms", _far(results)) if results.far else "",
        _part("curves", "Curves", "".join(map(_plot, results.plots))) if results.plots else "",
        _part("maps", "Where it was tried", _maps(results)) if results.maps else "",
        _part("atlas", "Atlas of the search", _atlas(results)) if results.atlas else "",
        _part("argument", "Argument", _argument(results)),
    ]
    return (
        f'<section class="case" aria-labelledby="case"><style>{css}</style>'
        + "".join(parts)
        + "</section>"
    )


def case_page(results: Results) -> str:
    """Return a page of its own that holds the section and loads nothing."""
    title = f"{results.enclosure}: security case"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f'<title>{escape(title)}</title></head>\n<body class="case-page"><main>'
        f"<h1>{escape(title)}</h1>{case_html(results)}</main></body></html>\n"
    )


def _part(id: str, title: str, body: str) -> str:
    return f'<section aria-labelledby="case-{id}"><h3 id="case-{id}">{title}</h3>{body}</section>'


def _head(results: Results) -> str:
    verdict = overall(results)
    targets = Counter(verdicts(results).values())
    moves = Counter(move_verdicts(results).values())
    counts = "".join(
        f"<li><b>{n[v]} / {sum(n.values())}</b><span>{what} {v}</span></li>"
        for n, what in ((targets, "targets"), (moves, "moves"))
        for v in ("met", "in doubt", "not met")
    )
    versions = ", ".join(f"{k} {v}" for k, v in sorted(results.versions.items()))
    return (
        f'<h2 id="case">Security case</h2><div class="verdict {tone(verdict)}">'
        f"<strong>{_HEADLINES[verdict]}</strong><span>Against: {escape(results.adversary)}.</span>"
        f'</div><ul class="counts">{counts}</ul><p class="soft">{escape(results.enclosure)}, '
        f"serial {escape(results.serial)}, spec <code>{escape(results.spec_digest[:16])}</code>; "
        f"run of {escape(results.date)}, seed {results.seed}; {escape(versions)}.</p>"
    )


def _doubts(results: Results) -> str:
    stated = doubts_table(results) if results.doubts else "<p>No doubt was stated.</p>"
    return _part("doubts", "Doubts", stated + simulated_list(results))


def _assumptions(results: Results) -> str:
    if not results.assumptions:
        return "<p>No assumption is recorded.</p>"
    return (
        "<p>Each one withdrawn by itself: what rests on it is then unknown. Two withdrawn together "
        "flip what the one or the other flips.</p>" + assumptions_table(results)
    )


def _moves(results: Results) -> str:
    parts = []
    if any(m.goal == "intrude" for m in results.moves):
        parts.append(intrude_table(results))
    if any(m.goal == "discredit" for m in results.moves):
        parts.append(discredit_table(results))
    split = [m for m in results.moves if m.by_tile or m.by_parameter]
    if split:
        inside = "".join(parts_table(move) for move in split)
        parts.append(f"<details><summary>By tile and by parameter</summary>{inside}</details>")
    return "".join(parts)


def _far(results: Results) -> str:
    return (
        f"<figure>{ladder_svg(results)}<figcaption>Each line from the lower to the upper end, the "
        "dot at the rate; dashed: simulated or assumed; an arrow: no bound. Heavy line: what is "
        "asked.</figcaption></figure>" + far_table(results)
    )


def _plot(plot: Plot) -> str:
    out = left_out(plot)
    note = f" {out} points that a logarithmic axis cannot hold are left out." if out else ""
    return (
        f"<figure>{plot_svg(plot)}<figcaption><b>{escape(plot.title)}.</b> {escape(plot.about)}"
        f"{note}<br>{command(plot.rerun)}</figcaption></figure>"
    )


def _maps(results: Results) -> str:
    key = (
        '<p><span class="key hit">●</span> detected <span class="key miss">✗</span> not detected '
        "<span class='key ring'>◯</span> weakest place; shaded cells: share not detected. "
        "Boards with most misses first.</p>"
    )
    ranked = sorted(results.maps, key=lambda m: (-_missed(m), m.tile))
    first = "".join(map(_map, ranked[:MAX_MAPS]))
    more = "".join(map(_map, ranked[MAX_MAPS:]))
    rest = (
        f"<details><summary>{len(ranked) - MAX_MAPS} more boards</summary>"
        f'<div class="maps">{more}</div></details>'
        if more
        else ""
    )
    return f'{key}<div class="maps">{first}</div>{rest}'


def _missed(tile: TileMap) -> int:
    return sum(not t.detected for t in tile.trials)


def _map(tile: TileMap) -> str:
    worst = weakest(list(tile.trials))
    told = f"; weakest margin {worst.margin:.3g} nats at {place(worst)}" if worst else ""
    return (
        f"<figure>{map_svg(tile)}<figcaption><b>{escape(tile.tile)}</b>, {escape(tile.face)}: "
        f"{_missed(tile)} of {len(tile.trials)} trials not detected{escape(told)}"
        "</figcaption></figure>"
    )


def _atlas(results: Results) -> str:
    if results.atlas is None:
        return ""
    layers = "".join(
        f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>"
        for caption, svg in atlas_svgs(results.atlas)
    )
    return (
        f"<p>{escape(results.atlas.about)} Margins in nats over the alarm; ✗ and below 0: not "
        f'detected.</p><div class="maps">{layers}</div><p>{command(results.atlas.rerun)}</p>'
    )


def _argument(results: Results) -> str:
    structure = argument(results)
    return (
        f"<figure>{tree_svg(structure)}<figcaption>Rectangle: goal; slanted: strategy; circle: "
        "ends in solutions; diamond: undeveloped. GSN Community Standard, version 3.</figcaption>"
        "</figure>"
        f"{tree_html(structure)}"
    )
