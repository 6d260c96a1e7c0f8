"""Conductance networks of nets with bridges: one factorisation, then every attack an update.

G v = i over the nodes that are not ground, G symmetric positive definite. A bridge, a cut or a
thinned edge changes G by B D B'; what ports see then follows from G's own columns (Woodbury,
Sherman-Morrison for one edge; W. W. Hager, SIAM Review 31(2), 1989):
Z' = Z - U' (D^-1 + E)^-1 U, U = B' G^-1 P, E = B' G^-1 B. No attack solves anew.
Nets alone are paths, for which G^-1 is known: see network_paths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.twin.line_materials import Real

Index = npt.NDArray[np.int64]
GROUND = -1
"""The node that is not solved for."""
OPEN = 1e-9
"""An edge that keeps less than this share of the conductance of its place counts as cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Conductances between nodes: `a`, `b` (E,) node numbers or GROUND, `siemens` (E,) above 0."""

    a: Index
    b: Index
    siemens: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an attack does at once: `siemens` (r,), not 0, is added between `a` and `b` (r,)."""

    a: Index
    b: Index
    siemens: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A factorised network of `nodes` nodes; `solve` maps currents (n, k) to potentials (n, k)."""

    nodes: int
    solve: Callable[[Real], Real]


def factorise(edges: Edges, nodes: int) -> Factor:
    """Return the factor of a network, SuperLU in symmetric mode.

    Raises InputError where a conductance is not above 0 or a part of the network floats.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import splu

    a, b, g = edges.a, edges.b, edges.siemens
    if not (g > 0.0).all() or max(a.max(), b.max()) >= nodes or (a == b).any():
        raise InputError(
            "an edge has no conductance above 0, a node that does not exist, or one node twice.",
            remedy="leave opens out of the edges; treat cuts as Changes.",
        )
    links = coo_array((np.ones(a.size), (a % (nodes + 1), b % (nodes + 1))), shape=(nodes + 1,) * 2)
    count, _ = connected_components(links, directed=False)
    if count != 1:
        raise InputError(
            f"{count - 1} parts of the network have no way to ground.",
            remedy="tie the end of each net to GROUND through its termination.",
        )
    up, down, inner = a >= 0, b >= 0, (a >= 0) & (b >= 0)
    rows = np.concatenate([a[up], b[down], a[inner], b[inner]])
    columns = np.concatenate([a[up], b[down], b[inner], a[inner]])
    values = np.concatenate([g[up], g[down], -g[inner], -g[inner]])
    matrix = coo_array((values, (rows, columns)), shape=(nodes, nodes)).tocsc()
    lu = splu(
        matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    return Factor(nodes=nodes, solve=lu.solve)


def columns_ohm(factor: Factor, a: Index, b: Index) -> Real:
    """Return potentials, shape (n + 1, k), for 1 A into `a` and out of `b`, (k,) each.

    The last row is ground's 0, so that index GROUND reads it.
    """
    currents = np.zeros((factor.nodes + 1, a.size))
    at = np.arange(a.size)
    np.add.at(currents, (a, at), 1.0)
    np.add.at(currents, (b, at), -1.0)
    found = np.zeros_like(currents)
    found[:-1] = factor.solve(np.ascontiguousarray(currents[:-1]))
    return found


def port_ohm(columns: Real, a: Index, b: Index) -> Real:
    """Return Z, shape (P, P), from the ports' `columns_ohm` and their nodes."""
    return np.asarray(columns[a] - columns[b], dtype=np.float64)


def changed_ohm(z_ohm: Real, seen: Real, effective: Real, siemens: Real) -> Real:
    """Return Z', shape (P, P), of r changes at once.

    `z_ohm` (P, P) before; `seen` U (r, P), the ports' columns across each changed edge; `effective`
    E (r, r), the changed edges' own columns across each other; `siemens` (r,). A port that the
    changes cut off from ground reads inf, and so do its pairings.
    """
    core = np.diag(1.0 / siemens) + effective
    scale = 1.0 / np.sqrt(np.abs(np.diag(effective)) + 1.0 / np.abs(siemens))
    left, size, right = np.linalg.svd(core * scale[:, None] * scale)
    dead = size < OPEN
    scaled = seen * scale[:, None]
    drop = (right[~dead] @ scaled).T @ ((left[:, ~dead].T @ scaled) / size[~dead, None])
    found = z_ohm - drop
    reach = np.sqrt(np.abs(np.diag(z_ohm)))
    lost = (np.abs(right[dead] @ scaled) > 1e-6 * reach).any(axis=0)
    found[lost, :] = np.inf
    found[:, lost] = np.inf
    return np.asarray(found, dtype=np.float64)


def what_if_ohm(factor: Factor, columns: Real, z_ohm: Real, changes: Changes) -> Real:
    """Return the port matrix (P, P) with all `changes` made; r solves, no factorisation.

    `columns`, `z_ohm`: of the ports, once for all attacks.
    """
    own = columns_ohm(factor, changes.a, changes.b)
    seen = columns[changes.a] - columns[changes.b]
    effective = own[changes.a] - own[changes.b]
    return changed_ohm(z_ohm, seen, effective, changes.siemens)


def single_changes_ohm(columns: Real, changes: Changes, effective: Real) -> Real:
    """Return dZ of each change made alone, shape (K, P, P): Sherman-Morrison.

    `effective` (K,): the effective resistance of each place; for an edge that is cut off by its
    removal (1 + dg R_e = 0) the ports that it served read inf.
    """
    seen = columns[changes.a] - columns[changes.b]
    below = 1.0 + changes.siemens * effective
    opened = np.abs(below) < OPEN
    weight = changes.siemens / np.where(opened, 1.0, below)
    found = -weight[:, None, None] * seen[:, :, None] * seen[:, None, :]
    reach = np.abs(seen) > 1e-9 * np.abs(seen).max(axis=1, keepdims=True, initial=0.0)
    found[opened[:, None, None] & reach[:, :, None] & reach[:, None, :]] = np.inf
    return np.asarray(found, dtype=np.float64)
