"""Tours: one path a lane, no loops, nested, nothing left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from mesh_samples import paths_of
from test_zones_trees import KEY, SHAPES, plan_of

from casemate.mesh.tours import follow, tour_links
from casemate.mesh.trees import grow_trees
from casemate.mesh.zones import ZonePlan


def laid(
    shape: str, lanes: int, pattern: str = "tree"
) -> tuple[ZonePlan, npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    plan = plan_of(SHAPES[shape], per_side=400)
    tree = grow_trees(plan, key=KEY, pattern=pattern)
    planned = plan.rib != -1
    covered = np.repeat(np.repeat(planned, 2 * lanes, axis=0), 2 * lanes, axis=1)
    return plan, tour_links(tree, planned, lanes), covered


@pytest.mark.parametrize("pattern", ["tree", "serpentine"])
@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_tours_are_two_paths_a_lane_and_zone(shape: str, lanes: int, pattern: str) -> None:
    plan, links, covered = laid(shape, lanes, pattern)
    paths = paths_of(links, covered)
    assert len(paths) == 2 * lanes * len(plan.zones)
    assert sum(len(nodes) for _, nodes in paths) == covered.sum()


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_lanes_are_nested_from_end_to_end(shape: str, lanes: int) -> None:
    """Lane k at the left end of a spine is lane k at its right end, on the same side."""
    plan, links, covered = laid(shape, lanes)
    side, columns = 2 * lanes, links.shape[1]
    ends = {path_ends for path_ends, _ in paths_of(links, covered)}
    for zone in plan.zones:
        (r0, c0), (r1, c1) = zone.spine[0].tolist(), zone.spine[-1].tolist()
        for lane in range(side):
            if zone.upright:
                first = r0 * side * columns + c0 * side + lane
                last = (r1 * side + side - 1) * columns + c1 * side + lane
            else:
                first = (r0 * side + lane) * columns + c0 * side
                last = (r1 * side + lane) * columns + c1 * side + side - 1
            assert frozenset((first, last)) in ends


@pytest.mark.parametrize("shape", SHAPES)
def test_follow_covers_every_node_once(shape: str) -> None:
    _, links, covered = laid(shape, 2)
    buffer = np.empty(links.size, dtype=np.int64)
    seen = np.zeros(links.size, dtype=np.int64)
    for ends, nodes in paths_of(links, covered):
        first, last = sorted(ends)
        count = follow(links, first // links.shape[1], first % links.shape[1], buffer)
        assert count == len(nodes) and buffer[count - 1] == last
        assert set(buffer[:count].tolist()) == nodes
        seen[buffer[:count]] += 1
    assert (seen == covered.ravel()).all()


def test_a_closed_loop_does_not_hang_follow_and_is_no_path() -> None:
    """Planted fault: four nodes in a ring with a tail that never ends."""
    links = np.zeros((2, 2), dtype=np.uint8)
    links[0, 0], links[0, 1], links[1, 0] = 3, 2, 1
    assert follow(links, 0, 0, np.empty(16, dtype=np.int64)) == -1
    with pytest.raises(AssertionError, match="loop"):
        paths_of(links, np.ones((2, 2), dtype=bool))
