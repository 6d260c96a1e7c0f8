"""A small tile for the mesh tests, drawn once, and graphs rebuilt from its links with scipy."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.mesh.generate import Drawing, draw_tile
from small_tile import SECRET, tile


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
