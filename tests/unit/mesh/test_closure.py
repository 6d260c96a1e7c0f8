"""Closure of edges and vertices: random tools never beat the bounds, planted faults raise them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from casemate.mesh.closure import BoardHalf, EdgeSection, edge_bound
from casemate.mesh.vertex import VertexSolid, arrays, vertex_bound

Array = npt.NDArray[np.float64]
H = 0.6e-3
MM = 1e-3
MESH, CENTRE, LEG = 0.08 * MM, 1.08 * MM, 3.5 * MM


def arc(mesh: float = MESH) -> tuple[tuple[float, float], ...]:
    radius = CENTRE - mesh
    angles = [math.pi / 2 * step / 16 for step in range(17)]
    return tuple((CENTRE - radius * math.cos(a), CENTRE - radius * math.sin(a)) for a in angles)


def section(leg: float = LEG, shingle: float = 0.0) -> EdgeSection:
    board = BoardHalf(depths_m=(0.73 * MM, 0.73 * MM + shingle), start_m=0.98 * MM, figure_m=H)
    return EdgeSection(
        over=board,
        under=replace(board, start_m=2.1 * MM + shingle),
        strip=((MESH, leg), *arc(), (leg + 1 * MM + shingle, MESH)),
        strip_figure_m=H,
        sagitta_m=5e-6,
    )


def seen_by_walking(section: EdgeSection, count: int, seed: int) -> float:
    """Return the largest of many random lines' figures, by stepping along each in small steps.

    An outside truth: it knows no signed distance. Points every 20 um on the line against points
    every 20 um on the patches, so it errs low by at most 2 x 14 um.
    """
    rng = np.random.default_rng(seed)
    boards = []
    for half, turned in ((section.over, False), (section.under, True)):
        for depth in half.depths_m:
            run = np.arange(half.start_m, 60 * MM, 20e-6)
            flat = np.column_stack([np.full_like(run, depth), run])
            boards.append((half.figure_m, flat[:, ::-1] if turned else flat))
    corners = np.array(section.strip)
    pieces = [
        a + (b - a) * np.linspace(0, 1, max(2, math.ceil(math.dist(a, b) / 20e-6)))[:, None]
        for a, b in zip(corners[:-1], corners[1:], strict=True)
    ]
    strip = np.concatenate(pieces)
    worst = 0.0
    for _ in range(count):
        angle = rng.uniform(0.12, math.pi / 2 - 0.12)
        through = rng.uniform(-1 * MM, 5 * MM, 2)
        normal = np.array([math.sin(angle), -math.cos(angle)])

        def nearest(points: Array, normal: Array = normal, through: Array = through) -> float:
            return float(np.abs((points - through) @ normal).min())

        figures = [section.strip_figure_m + 2 * nearest(strip)]
        for k in (0, 2):
            figures.append(boards[k][0] + 2 * max(nearest(boards[k][1]), nearest(boards[k + 1][1])))
        worst = max(worst, min(figures))
    return worst - 28e-6


@pytest.mark.parametrize("leg", [LEG, 1.3 * MM])
@pytest.mark.parametrize("shingle", [0.0, 1.1 * MM])
def test_random_lines_never_beat_the_edge(leg: float, shingle: float) -> None:
    given = section(leg, shingle)
    bound = edge_bound(given, tolerance_m=20e-6).bound_m
    assert seen_by_walking(given, 1000, seed=3) <= bound


def test_an_edge_with_its_strip_lets_nothing_pass_but_the_patches_figure() -> None:
    found = edge_bound(section())
    assert found.bound_m == pytest.approx(H, abs=1e-6)
    assert edge_bound(section(shingle=1.1 * MM)).bound_m == pytest.approx(H, abs=1e-6)


def test_planted_faults_at_an_edge_raise_the_figure() -> None:
    good, coarse = section(), 20e-6
    short = replace(good, strip=good.strip[1:-1])  # no legs at all
    assert edge_bound(short, tolerance_m=coarse).bound_m > H + 0.3 * MM
    missing = replace(good, strip=((-1.0, -1.0), (-1.0, -1.001)))
    assert edge_bound(missing, tolerance_m=coarse).bound_m > H + 1 * MM
    inner = 1.9 * MM  # an angle strip under the boards: grazing lines slip in beside its leg
    inside = replace(good, strip=((inner, LEG), (inner, inner), (LEG, inner)))
    assert edge_bound(inside, tolerance_m=coarse).bound_m > H + 0.3 * MM
    coarse_strip = replace(good, strip_figure_m=2 * H)
    assert edge_bound(coarse_strip).bound_m > H + 0.3 * MM


def solid(end: float = 0.25 * MM) -> VertexSolid:
    """Return a vertex like that of a small box: top runs through, left over front."""
    points = ((MESH, LEG), *arc(), (LEG, MESH))
    return VertexSolid(
        depths_m=((0.73 * MM, 0.73 * MM),) * 3,
        starts_m=(
            (0.0, 0.98 * MM, 2.1 * MM), (2.1 * MM, 0.0, 2.1 * MM), (0.98 * MM, 0.98 * MM, 0.0),
        ),
        board_figures_m=(H, H, H),
        points_m=(points, points, points),
        ends_m=(1.33 * MM, 1.33 * MM, end),
        strip_figures_m=(H, H, H),
        sagitta_m=5e-6,
    )  # fmt: skip


def random_line(rng: np.random.Generator) -> tuple[Array, Array]:
    """Return a line no flatter to any plane than the cloud reaches."""
    direction = rng.uniform(0.35, 1.0, 3)
    return rng.uniform(-1 * MM, 3 * MM, 3), direction / np.linalg.norm(direction)


def sampled(given: VertexSolid, count: int = 40_000) -> float:
    """Return the largest figure of many random lines: never above the truth."""
    from casemate.mesh._vertex_kernel import line_figure

    rng, table = np.random.default_rng(2), arrays(given)
    return max(line_figure(*random_line(rng), 0.0, *table) for _ in range(count))


def cloud(given: VertexSolid, step: float = 0.1 * MM) -> list[tuple[float, Array]]:
    """Return points on every patch with its figure, step apart."""
    found = []
    run = np.arange(0.0, 16 * MM, step)
    for k in range(3):
        i, j = (axis for axis in range(3) if axis != k)
        u, v = np.meshgrid(run + given.starts_m[k][i], run + given.starts_m[k][j])
        flat = np.zeros((u.size, 3))
        flat[:, k], flat[:, i], flat[:, j] = given.depths_m[k][0], u.ravel(), v.ravel()
        found.append((given.board_figures_m[k], flat))
        corners = np.array(given.points_m[k])
        curve = np.concatenate([
            a + (b - a) * np.linspace(0, 1, max(2, math.ceil(math.dist(a, b) / step)))[:, None]
            for a, b in zip(corners[:-1], corners[1:], strict=True)
        ])  # fmt: skip
        bent = np.zeros((len(curve) * len(run), 3))
        bent[:, i], bent[:, j] = np.repeat(curve[:, 0], len(run)), np.repeat(curve[:, 1], len(run))
        bent[:, k] = np.tile(run + given.ends_m[k], len(curve))
        found.append((given.strip_figures_m[k], bent))
    return found


def test_random_tools_never_beat_the_vertex() -> None:
    """The search's bound against lines whose distances the cloud gives (next test) and a sample."""
    found = vertex_bound(solid(), tolerance_m=0.3 * MM)
    assert sampled(solid()) <= found.bound_m
    assert found.found_m > H + 0.3 * MM  # the vertex is open, and the search knows it


def test_the_kernels_distance_is_that_of_the_cloud() -> None:
    from casemate.mesh._vertex_kernel import line_figure

    given, rng = solid(), np.random.default_rng(5)
    patches = cloud(given)
    for _ in range(200):
        place, direction = random_line(rng)
        quick = line_figure(place, direction, 0.0, *arrays(given))
        slow = math.inf
        for figure, points in patches:
            away = points - place
            across = away - (away @ direction)[:, None] * direction
            slow = min(slow, figure + 2 * float(np.sqrt((across**2).sum(axis=1).min())))
        assert quick <= slow + 1e-9 or quick == pytest.approx(slow, abs=0.15 * MM)


def test_planted_faults_at_a_vertex_raise_the_figure() -> None:
    good = sampled(solid())
    gap = replace(solid(), ends_m=(3 * MM, 3 * MM, 3 * MM))
    assert sampled(gap) > good + 0.1 * MM
    cap = (2, MESH, 0.25 * MM, 5 * MM, 0.25 * MM, 5 * MM, H)
    assert sampled(replace(solid(), caps=(cap,))) < good - 0.1 * MM
