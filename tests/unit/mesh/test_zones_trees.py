"""Zones and trees: spanning, connected, ribs within their share, uniformly drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.stats import chisquare

from casemate.core.randomness import keystream
from casemate.mesh.trees import grow_trees
from casemate.mesh.zones import ZonePlan, plan_zones

KEY = bytes(range(32))


def plan_of(
    inside: npt.NDArray[np.bool_], *, per_side: int = 10**6, share: float = 0.2, seed: int = 1
) -> ZonePlan:
    return plan_zones(
        inside, cells_per_side_max=per_side, rib_share=share, spine_shift=0,
        draw=keystream(seed.to_bytes(32, "little"), 1 << 14),
    )  # fmt: skip


def with_holes() -> npt.NDArray[np.bool_]:
    inside = np.ones((40, 50), dtype=bool)
    inside[10:24, 18:33] = False
    inside[30:33, 5:9] = False
    inside[:6, :7] = False
    return inside


def slotted() -> npt.NDArray[np.bool_]:
    inside = np.ones((30, 44), dtype=bool)
    inside[6:24, 20:23] = False
    return inside


SHAPES = {
    "rectangle": np.ones((15, 40), dtype=bool),
    "tall": np.ones((60, 16), dtype=bool),
    "holes": with_holes(),
    "slot": slotted(),
}


def tree_edges(
    plan: ZonePlan, tree: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return flat ends of all edges; fail where the two cells disagree about an edge."""
    planned = plan.rib != -1
    columns = plan.rib.shape[1]
    across = planned[:, :-1] & planned[:, 1:]
    upward = planned[:-1] & planned[1:]
    east, west = (tree[:, :-1] & 1) > 0, (tree[:, 1:] & 4) > 0
    north, south = (tree[:-1] & 2) > 0, (tree[1:] & 8) > 0
    assert (east == west)[across].all() and (north == south)[upward].all()
    e, n = np.argwhere(east & across), np.argwhere(north & upward)
    head = np.concatenate([e, n]) @ [columns, 1]
    tail = np.concatenate([e @ [columns, 1] + 1, n @ [columns, 1] + columns])
    return head, tail


@pytest.mark.parametrize("pattern", ["tree", "serpentine"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("per_side", [150, 10**6])
def test_each_zone_is_spanned_by_one_tree(shape: str, per_side: int, pattern: str) -> None:
    plan = plan_of(SHAPES[shape], per_side=per_side)
    assert plan.zones
    tree = grow_trees(plan, key=KEY, pattern=pattern)
    head, tail = tree_edges(plan, tree)
    planned = np.flatnonzero(plan.rib.ravel() != -1)
    assert len(head) == len(planned) - len(plan.zones)
    size = plan.rib.size
    graph = coo_array((np.ones(len(head)), (head, tail)), shape=(size, size)).tocsr()
    count, label = connected_components(graph[planned][:, planned], directed=False)
    assert count == len(plan.zones)
    columns = plan.rib.shape[1]
    spines = [set(label[np.searchsorted(planned, zone.spine @ [columns, 1])].tolist())
              for zone in plan.zones]  # fmt: skip
    assert all(len(spine) == 1 for spine in spines), "a spine lies in two trees"
    assert len(set.union(*spines)) == len(plan.zones), "two spines share a tree"


@pytest.mark.parametrize("shape", SHAPES)
def test_planned_cells_lie_inside_and_few_are_left(shape: str) -> None:
    inside = SHAPES[shape]
    plan = plan_of(inside)
    planned = plan.rib != -1
    assert not (planned & ~inside).any()
    left = int((inside & ~planned).sum())
    assert left <= 2 * 5 * len(plan.zones) + 4, "more than the terminals' voids is left out"


def test_a_rib_keeps_within_its_share() -> None:
    plan = plan_of(np.ones((21, 120), dtype=bool), share=0.04)
    sizes = np.bincount(plan.rib[plan.rib >= 0])
    middle = np.unique(plan.rib[:, 6:-6])
    middle = middle[middle >= 0]
    assert len(middle) > 40
    assert sizes[middle].max() <= 0.04 * 10 * 120


def test_every_rib_hangs_at_one_place() -> None:
    plan = plan_of(with_holes())
    rooted = plan.rib[plan.root]
    assert len(rooted) == len(set(rooted.tolist())) == int(plan.rib.max()) + 1
    head, tail = tree_edges(plan, grow_trees(plan, key=KEY, pattern="tree"))
    rib = plan.rib.ravel()
    crossing = (rib[head] == -2) != (rib[tail] == -2)
    assert crossing.sum() == len(rooted)
    inner = ~crossing & (rib[head] != -2)
    assert (rib[head] == rib[tail])[inner].all(), "an edge joins two ribs"


def blocks(rows: int, columns: int, count: int) -> ZonePlan:
    """Return count x count ribs of rows x columns cells, each rooted at its first cell."""
    number = np.arange(count * count, dtype=np.int32).reshape(count, count)
    rib = np.repeat(np.repeat(number, rows, axis=0), columns, axis=1)
    root = np.zeros(rib.shape, dtype=np.bool_)
    root[::rows, ::columns] = True
    return ZonePlan(zones=(), rib=rib, tree=np.zeros(rib.shape, np.uint8), root=root)


def kirchhoff(rows: int, columns: int) -> int:
    """Return the number of spanning trees of a grid: a cofactor of its Laplacian."""
    size = rows * columns
    laplacian = np.zeros((size, size))
    for a in range(size):
        for b in ([a + 1] if (a + 1) % columns else []) + ([a + columns] if a + columns < size
                                                           else []):  # fmt: skip
            laplacian[a, a] += 1
            laplacian[b, b] += 1
            laplacian[a, b] = laplacian[b, a] = -1
    return round(float(np.linalg.det(laplacian[1:, 1:])))


def census(tree: npt.NDArray[np.uint8], rows: int, columns: int) -> npt.NDArray[np.int64]:
    """Return how often each tree occurs among the blocks."""
    count = tree.shape[0] // rows
    cells = tree.reshape(count, rows, count, columns).transpose(0, 2, 1, 3)
    kinds = cells.reshape(count * count, rows * columns) & 3
    counts: npt.NDArray[np.int64] = np.unique(kinds, axis=0, return_counts=True)[1]
    return counts


@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (3, 3)])
def test_trees_are_drawn_uniformly(rows: int, columns: int) -> None:
    plan = blocks(rows, columns, 120)
    found = census(grow_trees(plan, key=KEY, pattern="tree"), rows, columns)
    assert len(found) == kirchhoff(rows, columns) == {6: 15, 9: 192}[rows * columns]
    assert chisquare(found).pvalue > 1e-4


def test_the_census_would_notice_trees_of_random_weights() -> None:
    """Planted fault: minimum spanning trees of random weights are not uniform."""
    rng = np.random.default_rng(3)
    heads = np.array([0, 1, 3, 4, 6, 7, 0, 1, 2, 3, 4, 5])
    tails = np.array([1, 2, 4, 5, 7, 8, 3, 4, 5, 6, 7, 8])
    kinds: dict[bytes, int] = {}
    for _ in range(6000):
        graph = coo_array((rng.random(12) + 0.01, (heads, tails)), shape=(9, 9)).tocsr()
        name = minimum_spanning_tree(graph).toarray().astype(bool).tobytes()
        kinds[name] = kinds.get(name, 0) + 1
    assert len(kinds) == 192
    assert chisquare(list(kinds.values())).pvalue < 1e-4


def test_trees_differ_with_the_key_and_serpentines_do_not() -> None:
    plan = plan_of(np.ones((21, 60), dtype=bool))
    one, two = (grow_trees(plan, key=bytes([k]) * 32, pattern="tree") for k in (1, 2))
    assert (one != two).mean() > 0.2
    combs = [grow_trees(plan, key=bytes([k]) * 32, pattern="serpentine") for k in (1, 2)]
    differ = np.flatnonzero((combs[0] != combs[1]).any(axis=0))
    # cells that no straight column reaches, beside the terminals, are walked at random
    assert all(column < 6 or column >= 54 for column in differ)


def test_serpentine_runs_straight_along_columns() -> None:
    plan = plan_of(np.ones((21, 60), dtype=bool))
    tree = grow_trees(plan, key=KEY, pattern="serpentine")
    head, tail = tree_edges(plan, tree)
    level = np.abs(head - tail) == 1
    assert (~level).sum() > 5 * level.sum() * 0.8
    rows = head[level] // 60
    spine = int(plan.zones[0].spine[0, 0])
    inner = (head[level] % 60 > 5) & (head[level] % 60 < 54)
    assert set(np.unique(rows[inner]).tolist()) <= {spine - 1, spine, spine + 1}
