"""What a mesh is once drawn: nets as polylines in integer nanometres, and their terminals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

VertexArray = npt.NDArray[np.int32]
"""Shape (n, 2): x, y in nanometres in the tile's plane; consecutive vertices differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """One meander trace from terminal to terminal; copper of constant width with round joints."""

    name: str
    layer: str
    zone: int
    lane: int
    vertices: VertexArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """One end of a net: a via from `layer` (mesh) to `to_layer` (inside), centre in nanometres.

    drill_nm, pad_nm: diameters. end: "start" or "end".
    """

    net: str
    end: str
    layer: str
    to_layer: str
    x_nm: int
    y_nm: int
    drill_nm: int
    pad_nm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMesh:
    """All copper of one tile's mesh. trace_nm, pitch_nm: width and lattice pitch."""

    tile: str
    trace_nm: int
    pitch_nm: int
    nets: tuple[Net, ...]
    terminals: tuple[Terminal, ...]
    fine_cells: int
    commitment: str

    @property
    def segments(self) -> int:
        """Return the number of straight trace segments."""
        return sum(len(net.vertices) - 1 for net in self.nets)
