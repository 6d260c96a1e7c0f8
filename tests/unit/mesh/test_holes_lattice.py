"""The lattice bound against closed forms, drawn contradictions and planted faults."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.core.errors import ProofError
from casemate.mesh.holes import _lattice_kernel as kernel
from casemate.mesh.holes.lattice import (
    LatticeCertificate,
    lattice_bound,
    single_layer_closed_form_m,
    symmetry_fold,
)

P, W = 2e-4, 1e-4
HALF_PITCH = ((0.0, 0.0), (0.5, 0.5))


def bound(**changes: object) -> LatticeCertificate:
    arguments: dict[str, object] = {
        "pitch_m": P,
        "trace_m": W,
        "offsets": HALF_PITCH,
        "depths_m": (0.0, 2e-4),
        "theta_max_rad": math.radians(70.0),
        "open_squares": True,
    }
    return lattice_bound(**{**arguments, **changes})


def test_one_layer_meets_its_closed_forms() -> None:
    one = bound(offsets=((0.0, 0.0),), depths_m=(0.0,))
    exact = single_layer_closed_form_m(P, W)
    assert exact == pytest.approx(math.sqrt(2) * 3e-4)
    for figure in (one.perpendicular_m, one.any_direction_m, one.per_layer_m[0]):
        assert exact <= figure <= exact + 3e-7
    empty = math.sqrt(2) * P - W
    assert empty <= one.empty_perpendicular_m <= empty + 3e-7


@pytest.mark.parametrize(("trace", "pitch"), [(75e-6, 150e-6), (50e-6, 200e-6), (180e-6, 2e-4)])
def test_closed_form_holds_for_other_widths(trace: float, pitch: float) -> None:
    one = bound(offsets=((0.0, 0.0),), depths_m=(0.0,), trace_m=trace, pitch_m=pitch)
    assert one.perpendicular_m == pytest.approx(math.sqrt(2) * (pitch + trace), abs=3e-7)


def test_bounds_lie_between_drawn_copper_and_the_safe_form() -> None:
    """reference/mesh.md 6b.3: safe forms above, drawn contradictions below."""
    assert 3.45e-4 < bound().any_direction_m <= 3.75e-4
    assert bound(depths_m=(0.0, 5e-5)).any_direction_m <= 3.39e-4
    one = bound(offsets=((0.0, 0.0),), depths_m=(0.0,), open_squares=False)
    assert 3.70e-4 < one.perpendicular_m <= 3.77e-4


def test_order_of_the_figures() -> None:
    two = bound()
    assert two.perpendicular_m <= two.any_direction_m <= two.per_layer_m[0]
    assert two.empty_any_direction_m < two.any_direction_m
    assert bound(open_squares=False).any_direction_m <= two.any_direction_m
    assert bound(theta_max_rad=0.3).any_direction_m <= two.any_direction_m + 2e-6
    far = bound(depths_m=(0.0, 2e-3)).any_direction_m
    assert far == pytest.approx(two.per_layer_m[0], rel=0.01), "far layers do not help"


def test_aligned_layers_add_nothing() -> None:
    same = bound(offsets=((0.0, 0.0), (0.0, 0.0)))
    assert same.perpendicular_m == pytest.approx(same.per_layer_m[0], abs=3e-7)


def test_symmetry_changes_no_figure() -> None:
    offsets, depths = np.array(HALF_PITCH), np.array([-0.5, 0.5])
    full = kernel.search(offsets, depths, 0.25, math.tan(1.2), 0, True, False, 0.01, 10**7)
    for fold in (1, 2):
        part = kernel.search(offsets, depths, 0.25, math.tan(1.2), fold, True, False, 0.01, 10**7)
        assert abs(part[2] - full[2]) <= 0.011
        assert part[3] < full[3]
    assert symmetry_fold(HALF_PITCH) == 2
    assert symmetry_fold(((0.0, 0.0), (0.5, 0.0))) == 1
    assert symmetry_fold(((0.0, 0.0), (1 / 3, 1 / 3))) == 0


@pytest.mark.parametrize("touch", [False, True])
def test_no_sampled_place_and_direction_beats_the_bound(touch: bool) -> None:
    two = bound()
    limit = (two.empty_any_direction_m if touch else two.any_direction_m) / 2 / P
    generator = np.random.default_rng(7)
    best = 0.0
    for _ in range(20_000):
        x, y = generator.uniform(0.0, 1.0, 2)
        s = math.tan(math.radians(generator.uniform(0.0, 70.0)))
        phi = generator.uniform(0.0, 2.0 * math.pi)
        sx, sy = s * math.cos(phi), s * math.sin(phi)
        reaches = [
            kernel.layer_reach(x + z * sx - o[0], y + z * sy - o[1], sx, sy, 0.25, True, touch)
            for z, o in zip((-0.5, 0.5), HALF_PITCH, strict=True)
        ]
        best = max(best, min(reaches))
    assert 0.8 * limit < best <= limit


def test_metric_is_the_distance_from_a_tilted_line() -> None:
    c = kernel.metric(1.3, -0.4)
    direction = np.array([1.3, -0.4, 1.0]) / math.sqrt(1.3**2 + 0.4**2 + 1)
    for u in (np.array([1.0, 0.0]), np.array([0.3, 0.7])):
        mapped = np.array([[c[0], c[1]], [c[1], c[2]]]) @ u
        expected = np.linalg.norm(np.cross(np.append(u, 0.0), direction))
        assert np.linalg.norm(mapped) == pytest.approx(expected)


def test_bad_arguments_are_refused() -> None:
    for changes in (
        {"trace_m": 2e-4},
        {"depths_m": (0.0,)},
        {"theta_max_rad": 1.5},
        {"tolerance_m": 0.0},
    ):
        with pytest.raises(ProofError):
            bound(**changes)
