"""The goal structure as a nested list and as a drawing in the shapes of the notation."""

from __future__ import annotations

from html import escape

from casemate.case.gsn import Node, Structure
from casemate.case.marks import badge, command, sign, tone
from casemate.case.svg import picture, shortened, text

WIDTH = 1000.0
LEFT, CHIP_W, CHIP_H, GAP = 226.0, 180.0, 34.0, 10.0
PER_ROW = 4


def tree_html(structure: Structure) -> str:
    """Return the argument as nested lists that open and close without a script."""
    return f'<div class="tree">{_goal(structure, structure.node(structure.root), 0)}</div>'


def _goal(structure: Structure, node: Node, depth: int) -> str:
    verdict = badge(node.verdict) if node.verdict else ""
    open_ = " undeveloped" if node.undeveloped else ""
    head = f"<code>{node.id}</code> {escape(node.text)} {verdict}" + (
        '<span class="soft"> undeveloped: no evidence</span>' if node.undeveloped else ""
    )
    inside = "".join(
        f'<p class="beside"><code>{each.id}</code> <i>{_words(each.kind)}</i> '
        f"{escape(each.text)}</p>"
        for each in structure.joined(node.id, "InContextOf")
    )
    inside += "".join(
        f'<p class="beside challenge"><code>{each.id}</code> <i>challenged by the doubt</i> '
        f"{escape(each.text)}</p>"
        for each in structure.challenged_by(node.id)
    )
    for each in structure.joined(node.id, "SupportedBy"):
        inside += _solution(each) if each.kind == "Solution" else _goal(structure, each, depth + 1)
    if not inside:
        return f'<p class="leaf{open_}">{head}</p>'
    shown = " open" if depth < 1 else ""
    return (
        f'<details class="{node.kind.lower()}{open_}"{shown}><summary>{head}</summary>'
        f"{inside}</details>"
    )


def _words(kind: str) -> str:
    return {"Context": "in the context of", "Assumption": "assuming", "Justification": "because"}[
        kind
    ]


def _solution(node: Node) -> str:
    shown = node.evidence
    if shown is None:
        return ""
    span = "" if shown.interval == "-" else f" ({escape(shown.interval)})"
    return (
        f'<p class="solution"><code>{node.id}</code> '
        f'<span class="kind">{escape(shown.kind)}</span> '
        f"{escape(node.text)}: <b>{escape(shown.figure)}</b>{span}, {escape(shown.date)}<br>"
        f"{command(shown.rerun)}</p>"
    )


def tree_svg(structure: Structure) -> str:
    """Return the overview: top goal, strategies, and the goals under each with their verdicts."""
    root = structure.node(structure.root)
    groups = [
        (n, structure.joined(n.id, "SupportedBy")) for n in structure.joined(root.id, "SupportedBy")
    ]
    body = _box(30, 8, WIDTH - 60, 40, root, shortened(root.text, 112))
    y = 74.0
    middles = []
    for strategy, goals in groups:
        rows = max(1, -(-len(goals) // PER_ROW))
        height = rows * (CHIP_H + GAP)
        middle = y + 0.5 * (height - GAP)
        middles.append(middle)
        body += _strategy(strategy, middle)
        body += _chips(goals, y, middle)
        y += height + 12.0
    if middles:
        body = (
            f'<path d="M14 28H30M14 28V{middles[-1]:.1f}" class="link"/>'
            + "".join(f'<path d="M14 {m:.1f}H24" class="link"/>' for m in middles)
            + body
        )
    told = "; ".join(f"{n.text}: {n.verdict}" for n, _ in groups)
    return picture(WIDTH, y, f"Argument: {root.verdict}", told, body, "gsn")


def _box(x: float, y: float, wide: float, high: float, node: Node, words: str) -> str:
    return (
        f"<g><title>{escape(node.id)} {escape(node.text)}: {node.verdict}</title>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" '
        f'class="goal {tone(node.verdict)}"/>'
        + text(x + 8, y + 0.5 * high + 4, f"{sign(node.verdict)} {node.id} {words}")
        + "</g>"
    )


def _strategy(node: Node, middle: float) -> str:
    if node.kind != "Strategy":
        return _box(24, middle - 20, 176, 40, node, shortened(node.text, 18))
    y = middle - 20
    return (
        f"<g><title>{escape(node.id)} {escape(node.text)}: {node.verdict}</title>"
        f'<path d="M38 {y:.1f}h162l-14 40h-162Z" class="strategy {tone(node.verdict)}"/>'
        + text(44, middle + 4, f"{sign(node.verdict)} {node.id} {node.about}")
        + "</g>"
    )


def _chips(goals: tuple[Node, ...], top: float, middle: float) -> str:
    if not goals:
        return ""
    rows = -(-len(goals) // PER_ROW)
    ends = [top + r * (CHIP_H + GAP) + 0.5 * CHIP_H for r in range(rows)]
    body = f'<path d="M193 {middle:.1f}H212M212 {ends[0]:.1f}V{ends[-1]:.1f}" class="link"/>'
    body += "".join(f'<path d="M212 {end:.1f}H{LEFT:.1f}" class="link"/>' for end in ends)
    for k, goal in enumerate(goals):
        x = LEFT + (k % PER_ROW) * (CHIP_W + GAP)
        y = top + (k // PER_ROW) * (CHIP_H + GAP)
        body += _box(x, y, CHIP_W, CHIP_H, goal, shortened(goal.about or goal.text, 17))
        body += _end(goal, x + CHIP_W - 12, y + CHIP_H)
    return body


def _end(goal: Node, x: float, y: float) -> str:
    """Return what the goal ends in: a circle for a solution, a diamond for undeveloped."""
    if goal.undeveloped:
        return f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6Z" class="open"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" class="sol"/>'
