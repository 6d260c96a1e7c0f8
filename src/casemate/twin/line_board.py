"""A line on a board: connector, segments of several widths, connector or termination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from casemate.twin.line_launch import Launch, launch
from casemate.twin.line_materials import Complex, Real, j_omega
from casemate.twin.line_microstrip import Substrate, microstrip, open_end_m
from casemate.twin.line_network import cascade, flipped, line, reflection, terminated
from casemate.twin.line_steps import width_step

Kind = Literal["thru", "open", "short", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of strip as drawn."""

    width_m: float
    length_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How one-port standards end: added length, the short's inductance, the load's R and C."""

    length_m: float = 0.0
    short_h: float = 0.0
    load_ohm: float = 50.0
    load_f: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardModel:
    """What was fitted: board, connectors, and what etching did to every width."""

    board: Substrate
    launch: Launch
    etch_m: float = 0.0
    """Added to every drawn width."""
    length_m: float = 0.0
    """Added to the drawn length of every line: where the strip begins under the connectors."""
    ends: Ends = Ends()


def strip(model: BoardModel, segments: tuple[Segment, ...], f_hz: Real) -> Complex:
    """Return S, shape (F, 2, 2), of the segments with the steps between, without connectors."""
    parts: list[Complex] = []
    last_m: float | None = None
    for number, segment in enumerate(segments):
        width_m = segment.width_m + model.etch_m
        length_m = segment.length_m + (model.length_m if number == 0 else 0.0)
        if last_m is not None and last_m != width_m:
            parts.append(width_step(model.board, last_m, width_m, f_hz))
        parts.append(line(microstrip(model.board, width_m, f_hz), length_m))
        last_m = width_m
    return cascade(*parts)


def two_port(model: BoardModel, segments: tuple[Segment, ...], f_hz: Real) -> Complex:
    """Return S, shape (F, 2, 2), from plug to plug."""
    left = launch(model.launch, f_hz)
    return cascade(left, strip(model, segments, f_hz), flipped(left))


def one_port(model: BoardModel, segments: tuple[Segment, ...], kind: Kind, f_hz: Real) -> Complex:
    """Return S11, shape (F,), of a line that ends on the board open, shorted or loaded."""
    jw = j_omega(f_hz)
    last = segments[-1]
    longer_m = last.length_m + model.ends.length_m
    if kind == "open":
        longer_m += open_end_m(model.board, last.width_m + model.etch_m)
        end = np.ones(f_hz.size, dtype=np.complex128)
    elif kind == "short":
        end = reflection(jw * model.ends.short_h)
    else:
        end = reflection(1.0 / (1.0 / model.ends.load_ohm + jw * model.ends.load_f))
    segments = (*segments[:-1], Segment(width_m=last.width_m, length_m=longer_m))
    seen = cascade(launch(model.launch, f_hz), strip(model, segments, f_hz))
    return terminated(seen, end)
