"""What the adversary chooses: a move's parameters, a board and a place on it, as a unit cube.

Each choice is one coordinate from 0 to 1: a linear or logarithmic parameter between its ends, a
whole one (and the board) in even steps. Boards are best given in an order in which neighbours are
alike, such as by face and size.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.attacks.move import Parameter
from casemate.core.errors import InputError
from casemate.core.geometry import Outline, Point

Unit = npt.NDArray[np.float64]
"""Coordinates from 0 to 1, (axes,)."""
MIDDLE: Point = (0.5, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to carry out a move. place: of the board's bounding box, 0 to 1 (`point_on`)."""

    values: Mapping[str, float]
    tile: str = ""
    place: Point = MIDDLE

    def key(self) -> tuple[object, ...]:
        """Return what tells candidates apart."""
        return (tuple(sorted(self.values.items())), self.tile, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """All candidates. tiles: boards to choose from, none if the move has no place on one.

    place: whether the place on a board is chosen too. A parameter with low = high is no choice.
    """

    parameters: tuple[Parameter, ...]
    tiles: tuple[str, ...] = ()
    place: bool = False

    def __post_init__(self) -> None:
        if not self.size:
            raise InputError(
                "there is nothing to choose.", remedy="give a parameter with a range, or boards."
            )

    @property
    def free(self) -> tuple[Parameter, ...]:
        """Return the parameters that have a range."""
        return tuple(each for each in self.parameters if each.high > each.low)

    @property
    def size(self) -> int:
        """Return the number of axes: parameters, then the board, then x and y."""
        return len(self.free) + (len(self.tiles) > 1) + 2 * self.place

    @property
    def steps(self) -> Unit:
        """Return the step of each axis in units of its range, 0 where it is continuous."""
        steps = [1.0 / (each.high - each.low) if each.scale == "whole" else 0.0
                 for each in self.free]  # fmt: skip
        if len(self.tiles) > 1:
            steps.append(1.0 / (len(self.tiles) - 1))
        return np.array([*steps, *([0.0, 0.0] if self.place else [])])

    @property
    def count(self) -> float:
        """Return how many candidates there are, inf if an axis is continuous."""
        steps = self.steps
        return math.prod(round(1.0 / step) + 1 for step in steps) if (steps > 0).all() else math.inf

    def all(self) -> Iterator[Candidate]:
        """Yield all candidates of a space that has a finite number of them."""
        axes = [np.linspace(0.0, 1.0, round(1.0 / step) + 1).tolist() for step in self.steps]
        for unit in itertools.product(*axes):
            yield self.decoded(np.array(unit))

    def decoded(self, unit: Unit) -> Candidate:
        """Return the candidate at a point of the cube; what lies outside counts as on its side."""
        at = iter(np.clip(unit, 0.0, 1.0).tolist())
        values = {each.name: _value(each, next(at)) if each.high > each.low else each.low
                  for each in self.parameters}  # fmt: skip
        tile = self.tiles[0] if self.tiles else ""
        if len(self.tiles) > 1:
            tile = self.tiles[round(next(at) * (len(self.tiles) - 1))]
        return Candidate(
            values=values, tile=tile, place=(next(at), next(at)) if self.place else MIDDLE
        )

    def encoded(self, candidate: Candidate) -> Unit:
        """Return the point of a candidate; what lies outside the space is moved to its side."""
        unit = [_unit(each, candidate.values.get(each.name, each.default)) for each in self.free]
        if len(self.tiles) > 1:
            known = candidate.tile in self.tiles
            unit.append(self.tiles.index(candidate.tile) / (len(self.tiles) - 1) if known else 0.0)
        found: Unit = np.array([*unit, *(candidate.place if self.place else ())])
        return np.clip(found, 0.0, 1.0)

    def nearest(self, candidate: Candidate) -> Candidate:
        """Return the candidate itself if it lies in the space, else the one at its side."""
        values = candidate.values
        inside = (
            set(values) == {each.name for each in self.parameters}
            and all(each.low <= values[each.name] <= each.high for each in self.parameters)
            and candidate.tile in (self.tiles or ("",))
            and (self.place or candidate.place == MIDDLE)
        )
        return candidate if inside else self.decoded(self.encoded(candidate))

    def drawn(self, count: int, generator: np.random.Generator) -> Unit:
        """Return points drawn uniformly, (count, axes)."""
        return generator.random((count, self.size))


def _value(parameter: Parameter, unit: float) -> float:
    low, high = parameter.low, parameter.high
    if parameter.scale == "whole":
        return float(round(low + unit * (high - low)))
    if unit in (0.0, 1.0):
        return high if unit else low
    if parameter.scale == "log":
        return min(max(low * math.exp(unit * math.log(high / low)), low), high)
    return min(max(low + unit * (high - low), low), high)


def _unit(parameter: Parameter, value: float) -> float:
    low, high = parameter.low, parameter.high
    if parameter.scale == "log":
        return math.log(max(value, low) / low) / math.log(high / low)
    return (value - low) / (high - low)


def point_on(outline: Outline, place: Point) -> Point:
    """Return the point (m) of a board nearest to a place of its bounding box, 0 to 1 each way."""
    import shapely
    from shapely.ops import nearest_points

    from casemate.attacks.board import board_of

    board = board_of(outline)
    x0, y0, x1, y1 = board.bounds
    at = shapely.Point(x0 + place[0] * (x1 - x0), y0 + place[1] * (y1 - y0))
    found = nearest_points(board, at)[0]
    return float(found.x), float(found.y)
