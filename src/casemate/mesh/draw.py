"""The board as it is made: drawn, and once more if a net came out longer than a reader reaches.

Whoever needs a unit's layout, to make it or to attack its twin, draws it here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from casemate.design.enclosure import TileDesign
from casemate.mesh.generate import Drawing, draw_tile
from casemate.mesh.model import TileMesh

SHORTER = 0.8
"""Share of the reader's reach for a second drawing, where the first has a net beyond it: a spine
off the middle of a low strip makes one half longer than planned."""


def draw_board(tile: TileDesign, *, secret: bytes, serial: str) -> Drawing:
    """Return the drawing of a unit's board; the same for the same tile, secret and serial."""
    drawing = draw_tile(tile, secret=secret, serial=serial)
    if longest_m(drawing.mesh) > tile.mesh.net_length_max_m:
        shorter = replace(tile.mesh, net_length_max_m=SHORTER * tile.mesh.net_length_max_m)
        again = replace(tile, mesh=shorter)  # the proof asks the reader's whole reach
        drawing = draw_tile(again, secret=secret, serial=serial)
    return drawing


def longest_m(mesh: TileMesh) -> float:
    """Return the length of the longest net."""
    return max(
        (
            float(np.abs(np.diff(net.vertices.astype(np.int64), axis=0)).sum()) / 1e9
            for net in mesh.nets
        ),
        default=0.0,
    )
