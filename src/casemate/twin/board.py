"""A board as the twin holds it: what its nets are as a whole in memory, their copper on disk.

Whole nets (length, squares, where they lie, whom they face) are all that a quiet enclosure needs;
the index of copper is loaded for the few boards that something is done to.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from casemate.core.errors import InputError
from casemate.design.enclosure import TileDesign
from casemate.mesh.model import TileMesh
from casemate.mesh.store import load_mesh
from casemate.twin.copper import Copper, Index, index_copper
from casemate.twin.facing import Facing, facing
from casemate.twin.line_materials import Real
from casemate.twin.resistance import NM, lengths_m

MOST_HELD = 8_000_000
"""Segments of copper kept in memory, some 60 bytes each: all of a camera, a few of a rack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A drawn board. N nets: `length_m`, `squares` (N,), `middle_m` (N, 2) mean place of copper,

    `loop_m2` (N,) signed area between a net and the straight line that joins its terminals.
    """

    tile: TileDesign
    nets: tuple[str, ...]
    layer_of: tuple[str, ...]
    zone: Index
    lane: Index
    length_m: Real
    squares: Real
    middle_m: Real
    loop_m2: Real
    facing: Facing
    path: Path

    def copper(self) -> Copper:
        """Return the index of its copper, from disk if need be."""
        return kept_copper(self.path)

    def number(self, net: str) -> int:
        """Return the number of a net; InputError if there is none of that name."""
        if net not in self.nets:
            raise InputError(
                f"board {self.tile.id} has no net {net!r}.",
                remedy=f"nets: {', '.join(self.nets[:6])} ...",
            )
        return self.nets.index(net)


_held: OrderedDict[Path, Copper] = OrderedDict()
"""Of this process: indices in the order of their last use."""


def kept_copper(path: Path) -> Copper:
    """Return the index of a stored mesh; the last used of them stay in memory, up to MOST_HELD."""
    if path not in _held:
        _held[path] = index_copper(load_mesh(path))
        while len(_held) > 1 and sum(_segments(each) for each in _held.values()) > MOST_HELD:
            _held.popitem(last=False)
    _held.move_to_end(path)
    return _held[path]


def _segments(copper: Copper) -> int:
    return sum(layer.net.size for layer in copper.layers.values())


def summed_up(tile: TileDesign, mesh: TileMesh, path: Path) -> Board:
    """Return the board of a mesh that is stored at `path`."""
    copper = index_copper(mesh)
    return Board(
        tile=tile,
        nets=copper.nets,
        layer_of=copper.layer_of,
        zone=copper.zone,
        lane=copper.lane,
        length_m=copper.length_m,
        squares=copper.squares,
        middle_m=np.stack([_middle_m(net.vertices) for net in mesh.nets]),
        loop_m2=np.array([_loop_m2(net.vertices) for net in mesh.nets]),
        facing=facing(copper),
        path=path,
    )


def _middle_m(vertices: np.ndarray) -> Real:
    weights = lengths_m(vertices)
    ends = vertices.astype(np.float64) * NM
    middles = 0.5 * (ends[:-1] + ends[1:])
    return np.asarray(weights @ middles / weights.sum())


def _loop_m2(vertices: np.ndarray) -> float:
    """Return the signed area that a magnetic field through the board links with a net."""
    x, y = (vertices - vertices[0]).astype(np.float64).T * NM
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


ARRAYS = ("zone", "lane", "length_m", "squares", "middle_m", "loop_m2")
FACING = ("pairs", "metres", "over", "area_m2", "own_m", "points")


def board_arrays(board: Board) -> dict[str, np.ndarray]:
    """Return what a file keeps of a board, for `board_of_arrays`."""
    rows = {name: getattr(board, name) for name in ARRAYS}
    rows |= {f"facing_{name}": getattr(board.facing, name) for name in FACING}
    return {**rows, "nets": np.array(board.nets), "layer_of": np.array(board.layer_of)}


def board_of_arrays(tile: TileDesign, rows: dict[str, np.ndarray], path: Path) -> Board:
    """Return the board that `board_arrays` kept."""
    return Board(
        tile=tile,
        nets=tuple(rows["nets"].tolist()),
        layer_of=tuple(rows["layer_of"].tolist()),
        facing=Facing(**{name: rows[f"facing_{name}"] for name in FACING}),
        path=path,
        **{name: rows[name] for name in ARRAYS},
    )
