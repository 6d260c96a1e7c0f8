"""Networks against dense solves, ngspice and random attacks."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_samples import ngspice
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from casemate.core.errors import InputError
from casemate.twin.line_materials import Real
from casemate.twin.network import (
    GROUND,
    Changes,
    Edges,
    columns_ohm,
    factorise,
    port_ohm,
    single_changes_ohm,
    what_if_ohm,
)
from casemate.twin.network_paths import (
    PathNets,
    edges_of_paths,
    path_nets,
    paths_of_nets,
    paths_what_if_ohm,
    single_bridges_ohm,
    single_bridges_plain,
)
from casemate.twin.resistance import Copper, jumped_ohm
from truths import Truth, abs_error, rel_error

sys.path.append(str(Path(__file__).parents[1] / "mesh"))
import mesh_samples


def dense(edges: Edges, nodes: int, changes: Changes | None = None) -> Real:
    """Return the inverse of the grounded Laplacian, solved densely after all changes."""
    g = np.zeros((nodes + 1, nodes + 1))
    for part in (edges, changes) if changes else (edges,):
        for a, b, value in zip(part.a, part.b, part.siemens, strict=True):
            g[[a, b, a, b], [a, b, b, a]] += np.array([1, 1, -1, -1]) * value
    return np.linalg.inv(g[:-1, :-1])


def changes_of(*rows: tuple[int, int, float]) -> Changes:
    a, b, g = zip(*rows, strict=True)
    return Changes(a=np.array(a), b=np.array(b), siemens=np.array(g, dtype=np.float64))


def random_paths(rng: np.random.Generator, nets: int) -> PathNets:
    arcs = tuple(
        np.concatenate([[0.0], np.cumsum(rng.uniform(0.01, 1.0, rng.integers(2, 9)))])
        for _ in range(nets)
    )
    return path_nets(arcs, rng.uniform(0.01, 2.0, nets))


@given(seed=st.integers(0, 2**32 - 1))
def test_random_networks_and_attacks_against_dense_solves(seed: int) -> None:
    changed, exact, single, alone = attacked(seed)
    assert changed == pytest.approx(exact, rel=1e-7, abs=1e-9)
    assert single == pytest.approx(alone, rel=1e-7, abs=1e-9)


def test_fixed_networks_against_dense_solves(truth: Truth) -> None:
    """Sixty fixed seeds of the property above, for the table."""
    for seed in range(60):
        changed, exact, single, alone = attacked(seed)
        truth(
            kernel="twin.network.what_if_ohm",
            against="dense solves of random trees and meshes, three changes at once",
            found=abs_error(changed, exact) / float(np.abs(exact).max()),
            allowed=1e-7,
        )
        truth(
            kernel="twin.network.single_changes_ohm",
            against="dense solves of random trees and meshes, one change at a time",
            found=abs_error(single, alone) / float(np.abs(alone).max()),
            allowed=1e-7,
        )


def attacked(seed: int) -> tuple[Real, Real, Real, Real]:
    """Return ports' matrices, ours and dense, with all changes, then one by one.

    A random tree to ground with more edges; changes up, down and new.
    """
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 30))
    extra = rng.integers(0, nodes, (int(rng.integers(0, 30)), 2))
    extra = extra[extra[:, 0] != extra[:, 1]]
    a = np.concatenate([np.arange(nodes), extra[:, 0]])
    b = np.concatenate([[rng.integers(-1, k) if k else GROUND for k in range(nodes)], extra[:, 1]])
    edges = Edges(a=a, b=b, siemens=rng.uniform(0.1, 10.0, a.size))
    factor = factorise(edges, nodes)
    ports = rng.integers(0, nodes, 3)
    ground = np.full(3, GROUND)
    columns = columns_ohm(factor, ports, ground)
    z = port_ohm(columns, ports, ground)
    assert z == pytest.approx(dense(edges, nodes)[np.ix_(ports, ports)], rel=1e-9)
    hit = rng.permutation(a.size)[:2]
    u, v = rng.integers(0, nodes), GROUND
    changes = changes_of(
        (int(a[hit[0]]), int(b[hit[0]]), -0.9 * edges.siemens[hit[0]]),
        (int(a[hit[1 % hit.size]]), int(b[hit[1 % hit.size]]), 3.0),
        (int(u), v, 100.0),
    )
    exact = dense(edges, nodes, changes)[np.ix_(ports, ports)]
    changed = what_if_ohm(factor, columns, z, changes)
    across = columns_ohm(factor, changes.a, changes.b)
    own = np.diag(across[changes.a] - across[changes.b])
    single = z + single_changes_ohm(columns, changes, own)
    rows = [
        changes_of((int(changes.a[k]), int(changes.b[k]), float(changes.siemens[k])))
        for k in range(3)
    ]
    alone = [dense(edges, nodes, one)[np.ix_(ports, ports)] for one in rows]
    return changed, exact, single, np.asarray(alone)


@given(seed=st.integers(0, 2**32 - 1))
def test_cuts_of_random_networks_open_what_graph_theory_says(seed: int) -> None:
    """One edge cut right through: inf for the ports cut off, the dense solve for the others."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 15))
    extra = rng.integers(0, nodes, (int(rng.integers(0, 4)), 2))
    extra = extra[extra[:, 0] != extra[:, 1]]
    a = np.concatenate([np.arange(nodes), extra[:, 0]])
    b = np.concatenate([[rng.integers(-1, k) if k else GROUND for k in range(nodes)], extra[:, 1]])
    edges = Edges(a=a, b=b, siemens=rng.uniform(0.1, 10.0, a.size))
    factor = factorise(edges, nodes)
    ports = np.arange(nodes)
    columns = columns_ohm(factor, ports, np.full(nodes, GROUND))
    z = port_ohm(columns, ports, np.full(nodes, GROUND))
    cut = int(rng.integers(0, a.size))
    rest = Edges(a=np.delete(a, cut), b=np.delete(b, cut), siemens=np.delete(edges.siemens, cut))
    links = coo_array(
        (np.ones(rest.a.size), (rest.a, rest.b % (nodes + 1))), shape=(nodes + 1,) * 2
    )
    label = connected_components(links, directed=False)[1]
    on = np.flatnonzero(label[:-1] == label[-1])
    change = changes_of((int(a[cut]), int(b[cut]), -float(edges.siemens[cut])))
    own = columns_ohm(factor, change.a, change.b)
    single = z + single_changes_ohm(columns, change, np.diag(own[change.a] - own[change.b]))[0]
    for found in (what_if_ohm(factor, columns, z, change), single):
        finite = np.isfinite(found)
        off = np.setdiff1d(ports, on)
        assert not finite[off][:, off].any()
        assert finite[np.ix_(on, on)].all()
    if on.size:
        place = np.full(nodes + 1, GROUND)
        place[on] = np.arange(on.size)
        kept = np.isin(rest.a, on)
        part = Edges(a=place[rest.a[kept]], b=place[rest.b[kept]], siemens=rest.siemens[kept])
        exact = dense(part, on.size)
        assert single[np.ix_(on, on)] == pytest.approx(exact, rel=1e-6, abs=1e-8)
        assert what_if_ohm(factor, columns, z, change)[np.ix_(on, on)] == pytest.approx(
            exact, rel=1e-6, abs=1e-8
        )


@given(seed=st.integers(0, 2**32 - 1))
def test_paths_are_their_network(seed: int) -> None:
    """Closed form, solver and dense solve agree: bridges one by one, several, and with cuts."""
    rng = np.random.default_rng(seed)
    paths = random_paths(rng, 3)
    edges = edges_of_paths(paths)
    nodes = paths.net.size
    ports = paths.first[:-1]
    ground = np.full(ports.size, GROUND)
    factor = factorise(edges, nodes)
    columns = columns_ohm(factor, ports, ground)
    z = port_ohm(columns, ports, ground)
    assert z == pytest.approx(np.diag(paths.loop_ohm), abs=1e-9)
    a, b = rng.integers(0, nodes, (2, 6))
    b = np.where(a == b, (b + 1) % nodes, b)
    bridge = rng.uniform(0.0, 1.0, 6) + 1e-3
    found = single_bridges_ohm(paths, a, b, bridge)
    assert found == pytest.approx(single_bridges_plain(paths, a, b, bridge), rel=1e-12)
    for k in range(6):
        one = changes_of((int(a[k]), int(b[k]), 1.0 / bridge[k]))
        exact = dense(edges, nodes, one)[np.ix_(ports, ports)] - z
        p, q = paths.net[a[k]], paths.net[b[k]]
        assert found[k] == pytest.approx([exact[p, p], exact[q, q], exact[p, q]], abs=1e-8)
    cut = int(rng.integers(0, edges.a.size))
    rows = [(int(a[k]), int(b[k]), 1.0 / bridge[k]) for k in range(3)]
    rows += [(int(edges.a[cut]), int(edges.b[cut]), -0.999 * float(edges.siemens[cut]))]
    many = changes_of(*rows)
    exact = dense(edges, nodes, many)[np.ix_(ports, ports)]
    assert paths_what_if_ohm(paths, many) == pytest.approx(exact, rel=1e-6, abs=1e-8)
    assert what_if_ohm(factor, columns, z, many) == pytest.approx(exact, rel=1e-6, abs=1e-8)


def test_fixed_bridges_against_dense_solves(truth: Truth) -> None:
    """Fixed seeds of the property above, for the table: one bridge at a time between two nets."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        paths = random_paths(rng, 3)
        edges, ports = edges_of_paths(paths), paths.first[:-1]
        a, b = paths.first[:1] + 1, paths.first[1:2] + 1
        found = single_bridges_ohm(paths, a, b, np.array([0.1]))[0]
        one = changes_of((int(a[0]), int(b[0]), 10.0))
        gap = dense(edges, paths.net.size, one) - dense(edges, paths.net.size)
        exact = gap[np.ix_(ports, ports)]
        truth(
            kernel="twin.network_paths.single_bridges_ohm",
            against="dense solves of random paths, one bridge",
            found=rel_error(found, (exact[0, 0], exact[1, 1], exact[0, 1])),
            allowed=1e-6,
        )


def test_bridge_then_cut_is_a_jumper_and_cut_alone_an_open() -> None:
    arc = np.array([0.0, 1.0, 3.0, 7.0])
    paths = path_nets((arc, arc), np.full(2, 0.5))
    cut = (1, 2, -0.5)
    jumped = paths_what_if_ohm(paths, changes_of((0, 3, 1.0 / 0.2), cut))
    expected = jumped_ohm(7.5, np.zeros(1), np.full(1, 7.0), np.full(1, 0.2), cut=True)[0]
    assert jumped == pytest.approx(np.diag([expected, 7.5]), abs=1e-9)
    opened = paths_what_if_ohm(paths, changes_of(cut))
    assert np.isinf(opened[0]).all() and np.isinf(opened[:, 0]).all()
    assert opened[1, 1] == pytest.approx(7.5)


@pytest.mark.external
def test_bridged_nets_of_a_tile_against_ngspice(tmp_path: Path, truth: Truth) -> None:
    """All eight nets of a drawn tile, two thousand nodes, three bridges at once and one nick."""
    copper = Copper(thickness_m=18e-6, width_m=1e-4)
    paths = paths_of_nets(mesh_samples.drawn().mesh.nets, copper, 1.0)
    edges, ports = edges_of_paths(paths), paths.first[:-1]
    rng = np.random.default_rng(7)
    a = paths.first[[1, 1, 4]] + [30, 90, 5]
    b = paths.first[[4, 1, 6]] + [60, 10, 7]  # two bridges between nets, one within
    thin = int(rng.integers(0, edges.a.size))
    nick = (int(edges.a[thin]), int(edges.b[thin]), -0.5 * float(edges.siemens[thin]))
    changes = changes_of(*((int(i), int(j), 50.0) for i, j in zip(a, b, strict=True)), nick)
    ours = paths_what_if_ohm(paths, changes)
    siemens = edges.siemens.copy()
    siemens[thin] *= 0.5
    rows = [
        f"R{k} n{i} {'0' if j < 0 else f'n{j}'} {1 / g:.15g}"
        for k, (i, j, g) in enumerate(zip(edges.a, edges.b, siemens, strict=True))
    ]
    rows += [f"RB{k} n{i} n{j} 0.02" for k, (i, j) in enumerate(zip(a, b, strict=True))]
    seen = tuple(f"n{port}" for port in ports)
    driven = int(paths.net[a[0]])
    rows += [f"I1 0 n{ports[driven]} DC 0 AC 1"]
    table = ngspice(tmp_path, "\n".join(rows), analysis="ac lin 3 1 3", nodes=seen)
    theirs = table[0, 1:].real
    truth(
        kernel="twin.network_paths.paths_what_if_ohm",
        against="ngspice, eight nets of a drawn tile, three bridges and a nick",
        found=abs_error(ours[driven], theirs) / float(theirs.max()),
        allowed=1e-6,
    )
    assert np.count_nonzero(theirs > 1e-6) > 1  # the bridges do couple nets


def test_floating_parts_and_negative_edges_are_refused() -> None:
    one = np.array([1.0])
    with pytest.raises(InputError, match="no way to ground"):
        factorise(Edges(a=np.array([0]), b=np.array([1]), siemens=one), 2)
    with pytest.raises(InputError):
        factorise(Edges(a=np.array([0]), b=np.array([GROUND]), siemens=-one), 1)
    with pytest.raises(InputError):
        path_nets((np.array([0.0, 1.0]),), np.zeros(2))
    with pytest.raises(InputError):
        edges_of_paths(path_nets((np.array([0.0, 1.0]),), np.zeros(1)))
