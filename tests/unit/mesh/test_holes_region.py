"""The region bound against drawn copper (pixels, connected components) and planted faults."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from casemate.core.errors import ProofError
from casemate.mesh.holes.lattice import lattice_bound
from casemate.mesh.holes.raster import draw_copper, drill_severs, severs
from casemate.mesh.holes.region import RegionCertificate, region_bound, region_index
from casemate.mesh.holes.witness import find_witness

P, W = 200_000, 100_000
"""Pitch and trace, nanometres."""
CELLS = 20
SPAN = 2 * CELLS * P
Path = npt.NDArray[np.int32]
Cell = tuple[int, int]
STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1))


def spanning_tree(cells: int, generator: np.random.Generator) -> set[tuple[Cell, Cell]]:
    """Return a uniform spanning tree of a square grid (Wilson 1996), edges both ways."""
    inside = {(cells // 2, cells // 2)}
    edges: set[tuple[Cell, Cell]] = set()
    for start in np.ndindex(cells, cells):
        onward: dict[Cell, Cell] = {}
        here: Cell = (start[0], start[1])
        while here not in inside:
            dx, dy = STEPS[generator.integers(4)]
            there = (here[0] + dx, here[1] + dy)
            if 0 <= there[0] < cells and 0 <= there[1] < cells:
                onward[here] = there
                here = there
        here = (start[0], start[1])
        while here not in inside:
            inside.add(here)
            edges |= {(here, onward[here]), (onward[here], here)}
            here = onward[here]
    return edges


def random_tour(seed: int, offset: int = 0, cells: int = CELLS) -> Path:
    """Return the tour around a random tree on the doubled grid, in nanometres."""
    edges = spanning_tree(cells, np.random.default_rng(seed))

    def linked(a: Cell, b: Cell) -> bool:
        home, other = (a[0] // 2, a[1] // 2), (b[0] // 2, b[1] // 2)
        if home != other:
            return (home, other) in edges
        if a[0] != b[0]:
            return (home, (home[0], home[1] + (1 if a[1] % 2 else -1))) not in edges
        return (home, (home[0] + (1 if a[0] % 2 else -1), home[1])) not in edges

    path: list[Cell] = [(0, 0)]
    before: Cell | None = None
    while True:
        here = path[-1]
        around = [(here[0] + dx, here[1] + dy) for dx, dy in STEPS]
        onward = [
            q for q in around
            if min(q) >= 0 and max(q) < 2 * cells and q != before and linked(here, q)
        ]  # fmt: skip
        if len(path) > 1 and onward[0] == path[0]:
            break
        before = here
        path.append(onward[0])
    assert len(path) == 4 * cells * cells
    return (np.array(path) * P + offset).astype(np.int32)


def box(margin: int) -> npt.NDArray[np.float64]:
    return np.array([[margin, margin, SPAN - margin, SPAN - margin]], dtype=np.float64)


def solve(
    nets: Sequence[Sequence[Path]],
    boxes: npt.NDArray[np.float64],
    *,
    only: tuple[int, ...] | None = None,
    tolerance_m: float = 2e-6,
    touch: bool = False,
) -> RegionCertificate:
    index = region_index(nets, trace_nm=W, pitch_nm=P, boxes=boxes)
    return region_bound(index, layers=only, tolerance_m=tolerance_m, touch=touch)


def cut(nets: Sequence[Sequence[Path]], x_m: float, y_m: float, diameter_m: float) -> list[bool]:
    """Return, for each layer, whether the drawn copper is cut."""
    return list(
        drill_severs(
            nets, trace_nm=W, x_nm=x_m * 1e9, y_nm=y_m * 1e9, diameter_nm=diameter_m * 1e9,
            pixel_nm=2000.0,
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def layers() -> list[list[Path]]:
    return [[random_tour(1)], [random_tour(2, P // 2)]]


def test_inside_a_pattern_it_meets_the_lattice_bound(layers: list[list[Path]]) -> None:
    lattice = lattice_bound(
        pitch_m=2e-4, trace_m=1e-4, offsets=((0, 0), (0.5, 0.5)), depths_m=(0, 2e-4)
    )
    inner = box(4 * P)
    joint = solve(layers, inner)
    assert joint.found_m <= lattice.perpendicular_m
    assert joint.bound_m == pytest.approx(lattice.perpendicular_m, abs=3e-6)
    for k in range(2):
        alone = solve(layers, inner, only=(k,))
        assert alone.bound_m == pytest.approx(lattice.per_layer_m[k], abs=3e-6)
    touched = solve(layers, inner, touch=True)
    assert touched.found_m <= lattice.empty_perpendicular_m + 1e-9


@pytest.mark.parametrize("only", [(0,), (0, 1)])
def test_at_the_claimed_worst_place_the_drawn_copper_agrees(
    layers: list[list[Path]], only: tuple[int, ...]
) -> None:
    claim = solve(layers, box(3 * P), only=only, tolerance_m=1e-6)
    drawn = [layers[k] for k in only]
    assert not any(cut(drawn, claim.x_m, claim.y_m, claim.found_m - 8e-6))
    assert any(cut(drawn, claim.x_m, claim.y_m, claim.found_m + 8e-6))


def test_at_random_places_the_criterion_is_exact(layers: list[list[Path]]) -> None:
    generator = np.random.default_rng(5)
    for _ in range(25):
        x, y = generator.uniform(3 * P, SPAN - 4 * P, 2)
        claim = solve(layers, np.array([[x - 1, y - 1, x + 1, y + 1]]), tolerance_m=1e-7)
        assert not any(cut(layers, x * 1e-9, y * 1e-9, claim.bound_m - 8e-6))
        assert any(cut(layers, x * 1e-9, y * 1e-9, claim.bound_m + 8e-6))


def test_a_missing_stretch_raises_the_bound(layers: list[list[Path]]) -> None:
    whole = solve(layers, box(3 * P), only=(0,))
    middle = len(layers[0][0]) // 2
    for missing in (1, 6):
        parts = [layers[0][0][:middle], layers[0][0][middle + missing :]]
        faulty = solve([parts], box(3 * P))
        assert faulty.bound_m > whole.bound_m + missing * 2e-5


def solve_with_outline(nets: list[Path], edge: int) -> RegionCertificate:
    low, high = -edge, SPAN - P + edge
    ring = np.array([[low, low], [high, low], [high, high], [low, high]])
    boxes = np.array([[low, low, high, high]], dtype=np.float64)
    index = region_index([nets], trace_nm=W, pitch_nm=P, boxes=boxes, outline=[ring])
    return region_bound(index)


def test_the_rim_is_limited_by_the_board_and_a_bare_rim_is_found(layers: list[list[Path]]) -> None:
    close = solve_with_outline(layers[0], P // 2)
    assert close.bound_m == pytest.approx(4.243e-4, abs=3e-6), "rim no worse than inside"
    bare = solve_with_outline(layers[0], 5 * P)
    assert bare.bound_m > 9e-4
    assert not (0 <= bare.x_m * 1e9 <= SPAN and 0 <= bare.y_m * 1e9 <= SPAN)


def test_a_parallel_run_has_p_plus_w() -> None:
    lines = []
    for k in range(11):
        run = [[0, k * P], [20 * P, k * P]]
        lines += run if k % 2 == 0 else run[::-1]
    claim = solve([[np.array(lines, dtype=np.int32)]], np.array([[2e6, 4e5, 2.6e6, 1.4e6]]))
    assert claim.bound_m == pytest.approx(3e-4, abs=2.1e-6)


def test_slanted_copper_is_held_to_the_same_truth() -> None:
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    nets = [np.rint(random_tour(3, cells=8) @ turn.T).astype(np.int32)]
    centre = turn @ np.array([1.6e6, 1.6e6])
    claim = solve([nets], np.array([[*(centre - 4e5), *(centre + 4e5)]]), tolerance_m=1e-6)
    assert cut([nets], claim.x_m, claim.y_m, claim.found_m + 8e-6) == [True]
    assert cut([nets], claim.x_m, claim.y_m, claim.found_m - 8e-6) == [False]


def test_the_drawing_sees_a_cut_and_a_neck() -> None:
    net = np.array([[-1_000_000, 0], [1_000_000, 0]], dtype=np.int32)
    copper = draw_copper([net], trace_nm=W, x_nm=0, y_nm=0, half_nm=3e5, pixel_nm=5e3)
    hole = np.zeros_like(copper)
    hole[:, 60] = True
    assert severs(copper, hole)
    hole[copper[:, 60].nonzero()[0][0], 60] = False
    assert not severs(copper, hole), "a neck of one pixel still joins"


def test_terminals_prove_nothing() -> None:
    net = np.array([[0, 0], [1_000_000, 0]], dtype=np.int32)
    at_end = np.array([[9e5, -1, 9e5 + 1, 1]])
    loose = region_bound(
        region_index([[net]], trace_nm=W, pitch_nm=P, boxes=at_end, end_trim_nm=250_000)
    )
    tight = region_bound(region_index([[net]], trace_nm=W, pitch_nm=P, boxes=at_end))
    assert tight.bound_m == pytest.approx(1e-4, abs=3e-6)
    assert loose.bound_m > 3e-4


def test_copper_under_a_pad_proves_nothing() -> None:
    """Planted fault: the last segment is shorter than the pad, which covers the one before."""
    short = np.array([[0, 0], [1_000_000, 0], [1_000_000, 110_000]], dtype=np.int32)
    beside = np.array([[92e4, -1, 92e4 + 1, 1]])
    bounds = [
        region_bound(
            region_index([[short]], trace_nm=W, pitch_nm=P, boxes=beside, end_trim_nm=trim)
        ).bound_m
        for trim in (0.0, 250_000.0)
    ]
    covered = math.sqrt(300_000**2 - 110_000**2)
    free = (92e4 - (1e6 - covered)) * 1e-9
    assert bounds[0] == pytest.approx(1e-4, abs=3e-6)
    assert bounds[1] == pytest.approx(2 * math.hypot(free, 5e-5), abs=3e-6)


def test_a_drill_that_holds_a_whole_barrel_severs() -> None:
    net = np.array([[0, 0], [1_000_000, 0]], dtype=np.int32)
    boxes = np.array([[1e6 - 1, -1, 1e6 + 1, 1]])
    bounds = [
        region_bound(
            region_index(
                [[net]], trace_nm=W, pitch_nm=P, boxes=boxes, end_trim_nm=250_000, vias=[barrels]
            )
        ).bound_m
        for barrels in (np.empty((0, 3)), np.array([[1e6, 0.0, 1e5]]))
    ]
    assert bounds[0] > 5e-4
    assert bounds[1] == pytest.approx(2e-4, abs=3e-6)


def test_no_boxes_is_refused() -> None:
    with pytest.raises(ProofError):
        region_index([[random_tour(1)]], trace_nm=W, pitch_nm=P, boxes=np.empty((0, 4)))


@pytest.mark.parametrize("any_direction", [False, True])
def test_the_witness_is_within_ten_micrometres_of_the_bound(any_direction: bool) -> None:
    nets = [[random_tour(11, cells=24)], [random_tour(12, P // 2, cells=24)]]
    certificate = lattice_bound(
        pitch_m=2e-4, trace_m=1e-4, offsets=((0, 0), (0.5, 0.5)), depths_m=(0.0, 2e-4)
    )
    witness = find_witness(
        nets, certificate=certificate, trace_nm=W, pitch_nm=P, depths_m=(0.0, 2e-4),
        window_nm=(6 * P, 6 * P, 41 * P, 41 * P), any_direction=any_direction,
    )  # fmt: skip
    assert witness.drawn
    assert 0.0 <= witness.slack_m <= 1e-5
