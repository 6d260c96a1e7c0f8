"""A small tile of real mesh for the tests of reflectometry, drawn once."""

from __future__ import annotations

from functools import cache

from casemate.core.geometry import rectangle
from casemate.mesh.generate import draw_tile
from casemate.mesh.model import TileMesh
from casemate.sensors.tdr.physics import Tdr, card_reader, tdr_of
from small_tile import SECRET, tile

TILE = tile(rectangle(40e-3, 24e-3), net_length_max_m=4.0)


@cache
def mesh() -> TileMesh:
    """Return the sample tile's mesh: two layers, one zone each, two pairs a layer."""
    return draw_tile(TILE, secret=SECRET, serial="S-1").mesh


@cache
def sample(unit: int = 5, name: str = "embedded", rise_k: float = 0.0) -> Tdr:
    """Return reflectometry of the sample tile."""
    return tdr_of(TILE, mesh(), card_reader(name), unit=unit, rise_k=rise_k)
