"""Nets as paths: what any bridge or cut does to loop resistances, in closed form.

A net runs from its port (start) to ground through its termination. Let t(u) be the resistance from
node u to ground. A unit current into v lifts u to min(t(u), t(v)) if both are on one net, else 0:
that is G^-1, exactly and without a factor. One bridge R_b between u and v then changes
Z_pq by -d_p d_q / (R_b + R_e) with R_e = |t_u - t_v| on one net, t_u + t_v on two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from casemate.core.errors import InputError
from casemate.mesh.model import Net
from casemate.twin.line_materials import Real
from casemate.twin.network import GROUND, Changes, Edges, Index, changed_ohm
from casemate.twin.resistance import Copper, arc_ohm


@dataclass(frozen=True, slots=True, kw_only=True)
class PathNets:
    """Nets as paths. `net` (N,): the net of each node; `to_ground_ohm` (N,): t of each node;

    `first` (M + 1,): where each net's nodes begin, its port first, and N at the end.
    """

    net: Index
    to_ground_ohm: Real
    first: Index

    @property
    def loop_ohm(self) -> Real:
        """Return what each port sees, shape (M,): loop and termination."""
        return self.to_ground_ohm[self.first[:-1]]


def path_nets(arcs: tuple[Real, ...], termination_ohm: Real) -> PathNets:
    """Return the paths of `arcs`, each (n,) rising from 0 (`arc_ohm`), ended by `termination_ohm`.

    `termination_ohm` (M,), at least 0; a large one stands for an end that floats.
    """
    if len(arcs) != termination_ohm.size or not arcs or (termination_ohm < 0.0).any():
        raise InputError(
            "each net needs one termination of at least 0 ohm.",
            remedy="give as many terminations as nets.",
        )
    sizes = [len(arc) for arc in arcs]
    return PathNets(
        net=np.repeat(np.arange(len(arcs)), sizes),
        to_ground_ohm=np.concatenate(
            [arc[-1] - arc + end for arc, end in zip(arcs, termination_ohm, strict=True)]
        ),
        first=np.concatenate([[0], np.cumsum(sizes)]),
    )


def paths_of_nets(nets: tuple[Net, ...], copper: Copper, termination_ohm: float) -> PathNets:
    """Return the paths of a tile's nets, nodes at their vertices, all copper at its reference."""
    arcs = tuple(arc_ohm(net.vertices, copper) for net in nets)
    return path_nets(arcs, np.full(len(nets), termination_ohm))


def edges_of_paths(paths: PathNets) -> Edges:
    """Return the same network as edges, for the solver; ends of 0 ohm to ground are refused."""
    t = paths.to_ground_ohm
    last = paths.first[1:] - 1
    if not (t[last] > 0.0).all():
        raise InputError(
            "a net's end is ground itself.", remedy="give terminations above 0 ohm for the solver."
        )
    inside = np.setdiff1d(np.arange(t.size), last)
    return Edges(
        a=np.concatenate([inside, last]),
        b=np.concatenate([inside + 1, np.full(last.size, GROUND)]),
        siemens=1.0 / np.concatenate([t[inside] - t[inside + 1], t[last]]),
    )


def inverse_ohm(paths: PathNets, u: Index, v: Index) -> Real:
    """Return G^-1 between nodes `u` and `v` (broadcast), 0 where one is GROUND."""
    t = paths.to_ground_ohm
    joined = (paths.net[u] == paths.net[v]) & (u >= 0) & (v >= 0)
    return np.asarray(np.where(joined, np.minimum(t[u], t[v]), 0.0), dtype=np.float64)


def across_ohm(paths: PathNets, changes: Changes, a: Index, b: Index) -> Real:
    """Return the potential across each change for 1 A from `a` to `b`, shape (r, k)."""
    up, down = changes.a[:, None], changes.b[:, None]
    found = inverse_ohm(paths, up, a) - inverse_ohm(paths, down, a)
    return found - inverse_ohm(paths, up, b) + inverse_ohm(paths, down, b)


def paths_what_if_ohm(paths: PathNets, changes: Changes) -> Real:
    """Return the matrix of the nets' ports (M, M) with all changes made at once (Woodbury).

    Bridges: 1/R_b between two nodes. Cut of a segment: less its conductance. Thinned: the
    difference. A net left without a way to ground reads inf.
    """
    ports = paths.first[:-1]
    seen = across_ohm(paths, changes, ports, np.full(ports.size, GROUND))
    effective = across_ohm(paths, changes, changes.a, changes.b)
    return changed_ohm(np.diag(paths.loop_ohm), seen, effective, changes.siemens)


def single_bridges_ohm(paths: PathNets, a: Index, b: Index, bridge_ohm: Real) -> Real:
    """Return (dZ_pp, dZ_qq, dZ_pq), shape (K, 3), of each bridge alone; p, q: nets of `a`, `b`.

    On one net all three are the same. Compiled; `single_bridges_plain` is the same in NumPy.
    """
    found = np.empty((a.size, 3))
    _bridges(paths.net, paths.to_ground_ohm, a, b, bridge_ohm, found)
    return found


@njit(cache=True)
def _bridges(net: Index, t: Real, a: Index, b: Index, bridge: Real, found: Real) -> None:
    for k in range(a.size):
        first, second = t[a[k]], t[b[k]]
        if net[a[k]] == net[b[k]]:
            across = first - second
            drop = -across * across / (bridge[k] + abs(across)) if across != 0.0 else 0.0
            found[k, 0] = drop
            found[k, 1] = drop
            found[k, 2] = drop
        else:
            weight = 1.0 / (bridge[k] + first + second)
            found[k, 0] = -first * first * weight
            found[k, 1] = -second * second * weight
            found[k, 2] = first * second * weight


def single_bridges_plain(paths: PathNets, a: Index, b: Index, bridge_ohm: Real) -> Real:
    """Return what `single_bridges_ohm` returns, in NumPy."""
    first, second = paths.to_ground_ohm[a], paths.to_ground_ohm[b]
    same = paths.net[a] == paths.net[b]
    across = first - second
    whole = np.where(same, np.abs(across), first + second) + bridge_ohm
    whole = np.where(whole > 0.0, whole, 1.0)  # a bridge from a node to itself changes nothing
    p = np.where(same, across, first)
    q = np.where(same, across, -second)
    return np.column_stack([-p * p / whole, -q * q / whole, -p * q / whole])
