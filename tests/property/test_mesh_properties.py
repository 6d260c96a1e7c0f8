"""Any mask of cells: spanning trees, paths without loops, fingers that only ever add."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from casemate.core.randomness import keystream
from casemate.mesh.tours import bump_fill, follow, tour_links
from casemate.mesh.trees import grow_trees
from casemate.mesh.zones import plan_zones

CALM = settings(max_examples=60, deadline=None, derandomize=True,
                suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
BoolMask = npt.NDArray[np.bool_]


@st.composite
def masks(draw: st.DrawFn) -> BoolMask:
    """A rectangle of coarse cells less a few rectangles, in a frame of empty cells."""
    rows, columns = draw(st.integers(9, 26)), draw(st.integers(8, 36))
    inside = np.zeros((rows + 2, columns + 2), dtype=np.bool_)
    inside[1:-1, 1:-1] = True
    for _ in range(draw(st.integers(0, 4))):
        r, c = draw(st.integers(0, rows)), draw(st.integers(0, columns))
        inside[r : r + draw(st.integers(1, 14)), c : c + draw(st.integers(1, 14))] = False
    return inside


def components(links: npt.NDArray[np.uint8], on: BoolMask) -> tuple[int, npt.NDArray[np.int64]]:
    """Return the number of components among the nodes `on`, and each node's degree."""
    rows, columns = links.shape
    right, up = np.argwhere(links & 1), np.argwhere(links & 2)
    head = np.concatenate([right, up]) @ [columns, 1]
    tail = np.concatenate([right @ [columns, 1] + 1, up @ [columns, 1] + columns])
    size = rows * columns
    degree = np.bincount(head, minlength=size) + np.bincount(tail, minlength=size)
    graph = coo_array((np.ones(len(head)), (head, tail)), shape=(size, size)).tocsr()
    nodes = np.flatnonzero(on.ravel())
    count, _ = connected_components(graph[nodes][:, nodes], directed=False)
    return int(count), degree.reshape(rows, columns)


@CALM
@given(inside=masks(), lanes=st.integers(1, 3), per_side=st.sampled_from([60, 200, 10**6]),
       pattern=st.sampled_from(["tree", "serpentine"]), seed=st.integers(0, 2**64 - 1),
       free=st.floats(0.5, 1.0))  # fmt: skip
def test_traces_stay_single_paths_from_plan_to_fingers(
    inside: BoolMask, lanes: int, per_side: int, pattern: str, seed: int, free: float
) -> None:
    key = seed.to_bytes(32, "little")
    plan = plan_zones(inside, cells_per_side_max=per_side, rib_share=0.05, spine_shift=0,
                      draw=keystream(key, 1 << 12))  # fmt: skip
    planned = plan.rib != -1
    assert not (planned & ~inside).any()
    if not plan.zones:
        assert not planned.any()
        return
    tree = grow_trees(plan, key=key, pattern=pattern)
    links = tour_links(tree, planned, lanes)
    side = 2 * lanes
    covered = np.repeat(np.repeat(planned, side, axis=0), side, axis=1)
    nets = side * len(plan.zones)
    count, degree = components(links, covered)
    assert count == nets
    assert set(np.unique(degree[covered]).tolist()) <= {1, 2}
    assert (degree == 1).sum() == 2 * nets and not degree[~covered].any()

    ends = degree == 1
    usable = np.random.default_rng(seed).random(covered.shape) < free
    before = covered.copy()
    noise = np.random.default_rng(seed).integers(0, 9, (5, 7))
    won = int(bump_fill(links, usable, covered, noise))
    assert won == covered.sum() - before.sum()
    assert (covered >= before).all(), "a covered node was lost"
    assert not (covered & ~before & ~usable).any(), "a trace where none may lie"
    count, degree = components(links, covered)
    assert count == nets
    assert set(np.unique(degree[covered]).tolist()) <= {1, 2}
    assert ((degree == 1) == ends).all(), "an end moved"
    assert not degree[~covered].any()
    assert_no_pair_is_left(links, usable & ~covered)
    assert_followed(links, ends, covered)


def assert_no_pair_is_left(links: npt.NDArray[np.uint8], free: BoolMask) -> None:
    """No link has two free nodes beside it."""
    right = (links[:, :-1] & 1) > 0
    pair = free[:, :-1] & free[:, 1:]
    assert not (right[1:] & pair[:-1]).any() and not (right[:-1] & pair[1:]).any()
    up = (links[:-1] & 2) > 0
    pair = free[:-1] & free[1:]
    assert not (up[:, 1:] & pair[:, :-1]).any() and not (up[:, :-1] & pair[:, 1:]).any()


def assert_followed(links: npt.NDArray[np.uint8], ends: BoolMask, covered: BoolMask) -> None:
    """Paths followed from all ends pass every covered node exactly twice, once each way."""
    buffer = np.empty(links.size, dtype=np.int64)
    passed = np.zeros(links.size, dtype=np.int64)
    for row, column in np.argwhere(ends):
        count = int(follow(links, row, column, buffer))
        assert count > 1
        passed[buffer[:count]] += 1
    assert (passed == 2 * covered.ravel()).all()
