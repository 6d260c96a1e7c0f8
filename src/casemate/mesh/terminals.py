"""The two ends of a zone: leads fan out from the lattice to vias that a fab can make.

A zone of k lanes has 2k nets; at each end of its spine 2k vias stand in a column, spaced by
pad + space. The leads are nested, so they keep the lattice's distance everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.design.enclosure import FabProfile
from casemate.mesh.region import NM, Lattice
from casemate.mesh.zones import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One end of one net in the working frame.

    half: 0 above the spine, 1 below. lane: 0 beside the spine. node: (row, column) on the
    lattice where the lead begins; points_nm: from the via to that node, shape (n, 2).
    """

    zone: int
    half: int
    lane: int
    end: int
    node: tuple[int, int]
    points_nm: npt.NDArray[np.int64]


def fan(lattice: Lattice, zone: Zone, fab: FabProfile) -> list[Lead]:
    """Return the 4k leads of a zone, both ends."""
    lanes, side, pitch = lattice.lanes, lattice.side, lattice.pitch_nm
    spacing = via_spacing_nm(fab, pitch)
    leads = []
    for end, (row, column) in enumerate((zone.spine[0], zone.spine[-1])):
        away = -1 if end == 0 else 1
        node_column = int(column) * side + (0 if end == 0 else side - 1)
        x = lattice.x_nm + node_column * pitch
        # an odd pitch would put the middle between two nanometres: build from the lanes' rows
        for half in (0, 1):
            up = 1 if half == 0 else -1
            for lane in range(lanes):
                node_row = int(row) * side + (lanes + lane if half == 0 else lanes - 1 - lane)
                y = lattice.y_nm + node_row * pitch
                y_via = y + up * round((2 * lane + 1) * (spacing - pitch) / 2)
                x_turn = x + away * (lanes - lane) * pitch
                x_via = x + away * (lanes + 1) * pitch
                points = [(x_via, y_via), (x_turn, y_via), (x_turn, y), (x, y)]
                leads.append(
                    Lead(
                        zone=zone.index,
                        half=half,
                        lane=lane,
                        end=end,
                        node=(node_row, node_column),
                        points_nm=np.array(points, dtype=np.int64),
                    )
                )
    return leads


def via_spacing_nm(fab: FabProfile, pitch_nm: int) -> int:
    """Return the distance between via centres in a fan: pad to pad and pad to trace both fit."""
    return max(math.ceil((fab.via_pad_m + fab.space_min_m) * NM), pitch_nm)


def via_keepout_nm(fab: FabProfile, trace_nm: int) -> float:
    """Return how far foreign centrelines stay from a via's centre."""
    return (fab.via_pad_m / 2 + fab.space_min_m) * NM + trace_nm / 2
