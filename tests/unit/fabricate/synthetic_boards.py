"""Small synthetic tiles: a pair of serpentines on each mesh layer, with terminals inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from casemate.core.geometry import circle_ring, rectangle
from casemate.design.enclosure import (
    FabProfile,
    MeshRules,
    Stackup,
    TileDesign,
    TileFrame,
)
from casemate.mesh.model import Net, Terminal, TileMesh

Vertices = npt.NDArray[np.int32]

TRACE_NM, PITCH_NM = 100_000, 200_000
PAD_NM, DRILL_NM = 450_000, 200_000

FOUR_LAYERS = Stackup(
    copper=("F.Cu", "In1.Cu", "In2.Cu", "B.Cu"),
    mesh=("In1.Cu", "In2.Cu"),
    depth_m=(0.2e-3, 0.25e-3),
    plane=("F.Cu", "B.Cu"),
    thickness_m=0.8e-3,
    copper_m=18e-6,
    blind=True,
)
TWO_LAYERS = Stackup(
    copper=("F.Cu", "B.Cu"),
    mesh=("F.Cu",),
    depth_m=(0.0,),
    plane=(),
    thickness_m=0.2e-3,
    copper_m=18e-6,
    blind=False,
)
FAB = FabProfile(
    id="test",
    max_board_m=(0.5, 0.5),
    trace_min_m=0.1e-3,
    space_min_m=0.1e-3,
    via_drill_m=0.2e-3,
    via_pad_m=0.45e-3,
    edge_clearance_m=0.3e-3,
    width_tolerance=0.2,
    registration_m=0.05e-3,
    source="synthetic, for tests",
)
RULES = MeshRules(
    pattern="serpentine",
    pitch_m=0.2e-3,
    trace_m=0.1e-3,
    lanes=2,
    net_length_max_m=50.0,
    theta_max_rad=1.2,
    hole_max_m=0.5e-3,
    same_net_share_max=1.0,
    bypass_worst_max=1.0,
    bypass_over_one_percent_max=1.0,
    resistance_mismatch_max=0.1,
)


def tile(
    *,
    width_m: float = 0.02,
    height_m: float = 0.012,
    stackup: Stackup = FOUR_LAYERS,
    hole: bool = True,
) -> TileDesign:
    """Return a rectangle with, if asked, a round cut-out near its right end."""
    outline = rectangle(width_m, height_m)
    if hole:
        ring = circle_ring((width_m - 3e-3, height_m / 2), 1.2e-3, clockwise=True)
        outline = replace(outline, holes=(ring,))
    frame = TileFrame(origin_m=(0, 0, 0), x_axis=(1, 0, 0), y_axis=(0, 0, 1), inward=(0, 1, 0))
    return TileDesign(
        id="front.0",
        face="front",
        panel="front",
        module="mesh.rigid4",
        outline=outline,
        frame=frame,
        stackup=stackup,
        fab=FAB,
        mesh=RULES,
        terminal_edge="left",
        lap_m=2e-3,
    )


def serpentine_pair(
    turns: int, *, left: int = 3_000_000, right: int = 13_000_000
) -> list[Vertices]:
    """Return two lanes that run side by side, both ends of each led out to the left.

    turns: number of strokes, even. Lane 0 is the inner one at right ends, lane 1 at left ends.
    """
    lanes: list[Vertices] = []
    for lane in (0, 1):
        ends = (right - (1 - lane) * PITCH_NM, left + lane * PITCH_NM)
        points: list[tuple[int, int]] = []
        for turn in range(turns):
            upper = (turn % 2 == 0) == (lane == 0)
            y = 1_000_000 + (2 * turn + upper) * PITCH_NM
            stroke = [(ends[1], y), (ends[0], y)]
            points += stroke if turn % 2 == 0 else stroke[::-1]
        lead = left - (600_000, 1_500_000)[lane]
        points[0] = (lead, points[0][1])
        points[-1] = (lead, points[-1][1])
        if lane == 0:
            points.insert(0, (lead, points[0][1] + 500_000))
            points.append((lead, points[-1][1] - 500_000))
        lanes.append(np.array(points, dtype=np.int32))
    return lanes


def mesh(board: TileDesign, *, turns: int = 24) -> TileMesh:
    """Return a pair of nets on each mesh layer; the second layer is mirrored and shifted."""
    nets: list[Net] = []
    for number, layer in enumerate(board.stackup.mesh):
        for lane, points in enumerate(serpentine_pair(turns)):
            if number:
                points = points * np.array([-1, 1], dtype=np.int32)
                points = points + np.array([16_000_000, PITCH_NM // 2], dtype=np.int32)
            nets.append(
                Net(
                    name=f"Z0.{layer}.{lane}",
                    layer=layer,
                    zone=0,
                    lane=lane,
                    vertices=points,
                )
            )
    terminals = tuple(
        Terminal(
            net=net.name,
            end=end,
            layer=net.layer,
            to_layer="B.Cu",
            x_nm=int(net.vertices[index, 0]),
            y_nm=int(net.vertices[index, 1]),
            drill_nm=DRILL_NM,
            pad_nm=PAD_NM,
        )
        for net in nets
        for end, index in (("start", 0), ("end", -1))
    )
    return TileMesh(
        tile=board.id,
        trace_nm=TRACE_NM,
        pitch_nm=PITCH_NM,
        nets=tuple(nets),
        terminals=terminals,
        fine_cells=turns * 2 * 50 * len(board.stackup.mesh),
        commitment="0" * 64,
    )


def with_vertices(board: TileMesh, number: int, vertices: Vertices) -> TileMesh:
    """Return the mesh with the vertices of net `number` exchanged: to plant faults."""
    nets = list(board.nets)
    nets[number] = replace(nets[number], vertices=vertices.astype(np.int32))
    return replace(board, nets=tuple(nets))
