"""The two ends of a zone: leads fan out on the lattice to vias that a fab can make.

A zone of k lanes has 2k nets; at each end of its spine 2k vias stand in a column, four nodes
apart, in a void of one coarse column and five coarse rows. Leads run on lattice nodes like any
other trace, so the neighbours' fingers fill the rest of the void, between the vias too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import MeshError
from casemate.design.enclosure import FabProfile, TileDesign
from casemate.mesh.model import Terminal
from casemate.mesh.region import NM, Lattice
from casemate.mesh.tours import RIGHT, UP
from casemate.mesh.zones import Zone

VIA_ROWS = 5
"""Nodes from via to via: on the layers that vias pass through, a finger fits between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One end of one net in the working frame.

    half: 0 above the spine, 1 below. lane: 0 beside the spine. end: 0 left, 1 right.
    nodes: (row, column) from the via to the spine's last cell, corners only.
    """

    zone: int
    half: int
    lane: int
    end: int
    nodes: tuple[tuple[int, int], ...]


def fan(lattice: Lattice, zone: Zone) -> list[Lead]:
    """Return the 4k leads of a zone, both ends, nested: the outer lane turns off first."""
    lanes, side = lattice.lanes, lattice.side
    leads = []
    for end, cell in enumerate((zone.spine[0], zone.spine[-1])):
        row, column = cell[::-1] if zone.upright else cell
        away = -1 if end == 0 else 1
        start = int(column) * side + (0 if end == 0 else side - 1)
        above = int(row) * side + lanes  # first node row above the spine's middle line
        for half in (0, 1):
            for lane in range(lanes):
                at = above + lane if half == 0 else above - 1 - lane
                rise = VIA_ROWS // 2 + VIA_ROWS * lane
                via = above + rise if half == 0 else above - 1 - rise
                turn = start + away * (lanes - lane)
                last = start + away * (lanes + 1)
                corners = ((via, last), (via, turn), (at, turn), (at, start))
                leads.append(
                    Lead(
                        zone=zone.index,
                        half=half,
                        lane=lane,
                        end=end,
                        nodes=tuple((c, r) if zone.upright else (r, c) for r, c in corners),
                    )
                )
    return leads


def lay_leads(
    leads: list[Lead], links: npt.NDArray[np.uint8], covered: npt.NDArray[np.bool_]
) -> None:
    """Draw the leads into the links of a layer."""
    for lead in leads:
        for (r0, c0), (r1, c1) in zip(lead.nodes[:-1], lead.nodes[1:], strict=True):
            low_r, high_r = sorted((r0, r1))
            low_c, high_c = sorted((c0, c1))
            covered[low_r : high_r + 1, low_c : high_c + 1] = True
            if r0 == r1:
                links[r0, low_c:high_c] |= RIGHT
            else:
                links[low_r:high_r, c0] |= UP


def position_nm(lattice: Lattice, node: tuple[int, int]) -> tuple[int, int]:
    """Return (x, y) of a node in the working frame."""
    return (
        lattice.x_nm + node[1] * lattice.pitch_nm,
        lattice.y_nm + node[0] * lattice.pitch_nm,
    )


def refuse_tight(fab: FabProfile, pitch_nm: int, trace_nm: int) -> None:
    """Raise MeshError if the fan's vias would come too near each other or a trace."""
    via_to_via = (fab.via_pad_m + fab.space_min_m) * NM
    if VIA_ROWS * pitch_nm < via_to_via or 2 * pitch_nm < via_keepout_nm(fab, trace_nm):
        raise MeshError(
            f"vias of fab profile {fab.id} (pad {fab.via_pad_m * 1e3:.2f} mm) do not fit a pitch "
            f"of {pitch_nm / 1e6:.3f} mm.",
            remedy="use a coarser pitch, or a fab profile with smaller vias.",
        )


def via_keepout_nm(fab: FabProfile, trace_nm: int) -> float:
    """Return how far foreign centrelines stay from a via's centre."""
    return (fab.via_pad_m / 2 + fab.space_min_m) * NM + trace_nm / 2


def core_nm(terminal: Terminal) -> float:
    """Return the radius of what a drill must hold whole to cut a terminal off its net.

    A via's barrel, for nothing else joins the layers there; of a pad without a via all of it.
    """
    via = terminal.layer != terminal.to_layer
    return (terminal.drill_nm if via else terminal.pad_nm) / 2


def copper_span(tile: TileDesign, terminal: Terminal) -> tuple[str, ...]:
    """Return the copper layers on which a terminal's via has copper, outer first."""
    copper = tile.stackup.copper
    if terminal.layer == terminal.to_layer:
        return (terminal.layer,)
    if not tile.stackup.blind:
        return copper
    first, last = sorted((copper.index(terminal.layer), copper.index(terminal.to_layer)))
    return copper[first : last + 1]
