"""What sees what: every move at several places, in every modality; generated, never typed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from casemate.attacks.catalogue import MOVES
from casemate.attacks.move import Move
from casemate.attacks.places import plan_drawn
from casemate.campaigns.judge import SEES, Judgement, Sight, judge
from casemate.campaigns.play import instants, play
from casemate.sensors.modalities import MODALITIES, fitted_to
from casemate.twin.assembly import Twin

INSTANTS = 24
"""Evenly spaced windows of a scene, beside those at its changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One modality and move over places: how often it saw, and what; residuals in noises."""

    modality: str
    move: str
    places: int
    saw: int
    sights: tuple[Sight, ...]
    z: tuple[float, ...]
    seen_s: tuple[float, ...]

    @property
    def sight(self) -> Sight:
        """Return the sight in the middle of all places, from best to worst."""
        order: tuple[Sight, ...] = ("sees", "unheard", "interference", "hints", "blind")
        return sorted(self.sights, key=order.index)[len(self.sights) // 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All cells of a design. `lacks`: modalities that it does not carry, played all the same."""

    name: str
    seed: int
    places: int
    modalities: tuple[str, ...]
    lacks: tuple[str, ...]
    cells: tuple[Cell, ...]

    def cell(self, modality: str, move: str) -> Cell:
        """Return one cell."""
        return next(each for each in self.cells if each.modality == modality and each.move == move)

    def unseen(self) -> tuple[str, ...]:
        """Return the moves to go in that no modality of the design saw at every place."""
        found = []
        for each in MOVES:
            rows = [
                cell
                for cell in self.cells
                if cell.move == each.id and cell.modality not in self.lacks
            ]
            noticed = [
                any(cell.sights[k] in ("sees", "unheard") for cell in rows)
                for k in range(self.places)
            ]
            if each.goal == "intrude" and not all(noticed):
                found.append(each.id)
        return tuple(found)


def matrix(
    twin: Twin,
    *,
    seed: int,
    places: int = 3,
    moves: tuple[Move, ...] = MOVES,
    say: Callable[[str], None] = lambda _text: None,
) -> Matrix:
    """Return what every modality saw of every move, defaults, at places drawn by area.

    Same seed, same matrix. All moves get the same places.
    """
    cells: list[Cell] = []
    names = tuple(each.id for each in MODALITIES)
    ready = tuple(each.fit(twin) for each in MODALITIES)
    for move in moves:
        judged: list[tuple[Judgement, ...]] = []
        for number in range(places):
            generator = np.random.default_rng([seed, number])
            plan = plan_drawn(twin.enclosure, generator)
            scene = move.scene(plan, {})
            times_s = instants(scene, count=INSTANTS)
            played = play(twin, scene, seed=seed + number, times_s=times_s, ready=ready)
            judged.append(tuple(judge(each, scene) for each in played))
            say(f"{move.id}, place {number + 1} of {places}")
        for k, modality in enumerate(names):
            mine = [row[k] for row in judged]
            sights = tuple(each.sight for each in mine)
            cells.append(
                Cell(
                    modality=modality,
                    move=move.id,
                    places=places,
                    saw=sum(sight == "sees" for sight in sights),
                    sights=sights,
                    z=tuple(_largest(each) for each in mine),
                    seen_s=tuple(each.seen_s for each in mine),
                )
            )
    carried = fitted_to(twin)
    return Matrix(
        name=twin.enclosure.name,
        seed=seed,
        places=places,
        modalities=names,
        lacks=tuple(name for name in names if name not in carried),
        cells=tuple(cells),
    )


def _largest(judged: Judgement) -> float:
    return max((part.z for part in judged.phases if part.name != "before"), default=0.0)


def matrix_html(found: Matrix) -> str:
    """Return the table, and the blind spots by name."""
    head = "".join(
        f"<th>{escape(name)}{' (not carried)' if name in found.lacks else ''}</th>"
        for name in found.modalities
    )
    rows = [f"<tr><th>move</th>{head}</tr>"]
    for each in dict.fromkeys(cell.move for cell in found.cells):
        cells = [found.cell(name, each) for name in found.modalities]
        rows.append(
            f"<tr><td>{escape(each)}</td>"
            + "".join(
                f'<td class="{cell.sight}{" out" if cell.modality in found.lacks else ""}">'
                f"{escape(_text(cell))}</td>"
                for cell in cells
            )
            + "</tr>"
        )
    unseen = ", ".join(found.unseen()) or "none"
    return (
        f"<table>{''.join(rows)}</table><p>Default tools at {found.places} places drawn by area. "
        f"sees: a residual of {SEES:g} noises or more; interference: silent chips tell of "
        "something that the challenge did not put; unheard: the reader's health says that it is "
        "cut, late or stuck; figures are the smallest and largest residual. Moves to go in that "
        f"no modality of this design saw at every place: <b>{escape(unseen)}</b>.</p>"
    )


def _text(cell: Cell) -> str:
    low, high = min(cell.z), max(cell.z)
    ends = dict.fromkeys([_short(low), _short(high)])
    spread = " to ".join(ends)
    part = "" if cell.saw in (0, cell.places) else f" at {cell.saw} of {cell.places}"
    return f"{cell.sight}{part} ({spread})"


def _short(z: float) -> str:
    return f"{z:.1f}" if z < 100.0 else ("1000+" if z >= 1e3 else f"{z:.0f}")


def matrix_markdown(found: Matrix) -> str:
    """Return the table as Markdown."""
    rows = [
        "| move | "
        + " | ".join(f"{n} (not carried)" if n in found.lacks else n for n in found.modalities)
        + " |",
        "|---" * (len(found.modalities) + 1) + "|",
    ]
    for each in dict.fromkeys(cell.move for cell in found.cells):
        cells = " | ".join(_text(found.cell(name, each)) for name in found.modalities)
        rows.append(f"| {each} | {cells} |")
    unseen = ", ".join(found.unseen()) or "none"
    rows += ["", f"Moves to go in that no carried modality saw at every place: {unseen}.", ""]
    return "\n".join(rows)


def matrix_json(found: Matrix) -> dict[str, Any]:
    """Return the matrix as JSON."""
    return {
        "name": found.name,
        "seed": found.seed,
        "places": found.places,
        "lacks": list(found.lacks),
        "unseen": list(found.unseen()),
        "cells": [
            {
                "modality": cell.modality,
                "move": cell.move,
                "sight": cell.sight,
                "sights": list(cell.sights),
                "residual_over_noise": list(cell.z),
                "seen_after_s": [None if math.isnan(t) else t for t in cell.seen_s],
            }
            for cell in found.cells
        ],
    }
