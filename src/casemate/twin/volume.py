"""The protected volume as a cavity: size, walls and what absorbs in it, from the design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.geometry import Point3
from casemate.design.enclosure import Enclosure
from casemate.twin.cavity_budget import Absorber, Cavity, Losses, Walls, losses
from casemate.twin.cavity_fan import Fan
from casemate.twin.line_materials import Real

BOARD_M2 = 2e-3
"""Absorption cross-section of a populated board of 0.01 m2 (order 1e-3 to 1e-2 m2 a server board:
physics.md 5.5, after Flintoft and others 2016; planning value)."""
RACK_M2 = 0.5
"""Of the contents of a full rack of 1.4 m3 (physics.md 5.5, planning value)."""
FULL_M3 = 0.2
"""Volumes above are filled as a rack is, those below hold a board or two (planning value)."""
ANTENNAS = 4
"""Of the module volume-rf-cavity."""
HONEYCOMB_FAN_M2 = 1e-5
"""What the field sees of fans behind honeycomb of 3.2 mm: an open one of 1e-3 m2, 20 dB below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """The inside: `size_m`, how it loses power, what stirs it (None: no fan within)."""

    size_m: Point3
    origin_m: Point3
    cavity: Cavity
    fan: Fan | None

    def losses(self, f_hz: Real) -> Losses:
        """Return the loss budget at `f_hz` (F,)."""
        return losses(self.cavity, f_hz)

    @property
    def volume_m3(self) -> float:
        """Return the volume."""
        return float(np.prod(self.size_m))


def volume_of(enclosure: Enclosure, *, antennas: int = ANTENNAS) -> Volume:
    """Return the volume within the walls of a design."""
    walls = {face.name: face.thickness_m for face in enclosure.faces}
    x, y, z = enclosure.size_m
    size = (
        x - walls["left"] - walls["right"],
        y - walls["front"] - walls["rear"],
        z - walls["bottom"] - walls["top"],
    )
    contents = float(np.prod(size))
    rack = contents > FULL_M3
    area_m2 = RACK_M2 * contents / 1.4 if rack else BOARD_M2
    surface = 2.0 * (size[0] * size[1] + size[1] * size[2] + size[2] * size[0])
    vented = any(crossing.kind == "air" for crossing in enclosure.crossings)
    return Volume(
        size_m=size,
        origin_m=(walls["left"], walls["front"], walls["bottom"]),
        cavity=Cavity(
            volume_m3=contents,
            walls=Walls(area_m2=surface, conductivity_s_m=5.8e7),
            absorbers=(
                Absorber(f_hz=(1e9, 2e10), area_m2=(area_m2, area_m2), source="planning value"),
            ),
            antennas=antennas,
        ),
        fan=Fan(radius_m=0.02, scatter_m2=HONEYCOMB_FAN_M2, turns_1_s=180.0) if vented else None,
    )
