"""A small tile for the mesh tests, drawn once, and graphs rebuilt from its links with scipy."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.core.geometry import Outline, rectangle
from casemate.design.enclosure import FabProfile, MeshRules, Stackup, TileDesign, TileFrame
from casemate.mesh.generate import Drawing, draw_tile

SECRET = bytes(range(32))
STACK = Stackup(
    copper=("F.Cu", "In1.Cu", "In2.Cu", "B.Cu"), mesh=("In1.Cu", "In2.Cu"),
    depth_m=(0.15e-3, 0.2e-3), plane=("F.Cu",), thickness_m=0.8e-3, copper_m=18e-6, blind=True,
)  # fmt: skip
FAB = FabProfile(
    id="small", max_board_m=(0.67, 0.6), trace_min_m=1e-4, space_min_m=1e-4, via_drill_m=0.15e-3,
    via_pad_m=0.25e-3, edge_clearance_m=0.2e-3, width_tolerance=0.2, registration_m=0.2e-3,
    source="test",
)  # fmt: skip
RULES = MeshRules(
    pattern="tree", pitch_m=2e-4, trace_m=1e-4, lanes=2, net_length_max_m=25.0,
    theta_max_rad=math.radians(20), hole_max_m=0.54e-3, same_net_share_max=0.55,
    bypass_worst_max=0.4, bypass_over_one_percent_max=0.4, resistance_mismatch_max=0.4,
)  # fmt: skip
"""Bounds that the small tile holds, so that a planted fault stands out."""


def tile(outline: Outline | None = None, **rules: Any) -> TileDesign:
    """Return a tile of 16 x 12 mm, or of another outline, with changed mesh rules."""
    return TileDesign(
        id="front-1", face="front", panel="front", module="rigid-4l",
        outline=outline or rectangle(16e-3, 12e-3),
        frame=TileFrame(origin_m=(0, 0, 0), x_axis=(1, 0, 0), y_axis=(0, 0, 1), inward=(0, 1, 0)),
        stackup=STACK, fab=FAB, mesh=replace(RULES, **rules), terminal_edge="left", lap_m=0.0,
    )  # fmt: skip


@cache
def drawn() -> Drawing:
    """Return the sample tile's drawing."""
    return draw_tile(tile(), secret=SECRET, serial="S-1")


def link_graph(links: npt.NDArray[np.uint8]) -> Any:
    """Return the undirected graph of a layer's links as a sparse matrix over flat nodes."""
    from scipy.sparse import coo_array

    rows, columns = links.shape
    right, up = np.argwhere(links & 1), np.argwhere(links & 2)
    assert not (links[:, -1] & 1).any() and not (links[-1] & 2).any(), "a link leaves the lattice"
    a = np.concatenate([right @ [columns, 1], up @ [columns, 1]])
    b = np.concatenate([right @ [columns, 1] + 1, up @ [columns, 1] + columns])
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(rows * columns,) * 2)
    return (graph + graph.T).tocsr()


def paths_of(
    links: npt.NDArray[np.uint8], covered: npt.NDArray[np.bool_]
) -> list[tuple[frozenset[int], frozenset[int]]]:
    """Return (ends, nodes) of each component of the covered nodes; fail unless all are paths."""
    from scipy.sparse.csgraph import connected_components

    graph = link_graph(links)
    degree = np.diff(graph.indptr)
    on = np.flatnonzero(covered.ravel())
    assert not degree[~covered.ravel()].any(), "a link on a node without a trace"
    assert set(np.unique(degree[on])) <= {1, 2}, "a trace branches or a node stands alone"
    count, label = connected_components(graph[on][:, on], directed=False)
    found = []
    for number in range(count):
        nodes = on[label == number]
        ends = nodes[degree[nodes] == 1]
        assert len(ends) == 2, "a closed loop"
        found.append((frozenset(ends.tolist()), frozenset(nodes.tolist())))
    return found
