"""The oblique region bound against the lattice bound and against drawn copper."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from casemate.core.errors import ProofError
from casemate.mesh.holes.lattice import lattice_bound
from casemate.mesh.holes.oblique import ObliqueCertificate, oblique_bound
from casemate.mesh.holes.raster import drill_severs
from casemate.mesh.holes.region import RegionIndex, region_bound, region_index

P, W = 200_000, 100_000
THETA = math.radians(70.0)


def weave(offset: int) -> list[npt.NDArray[np.int32]]:
    """Return square waves two points high, 24 wide: each point visited, half the squares open."""
    nets = []
    for row in range(0, 16, 2):
        path = []
        for column in range(24):
            up = column % 2
            path += [(column, row + up), (column, row + 1 - up)]
        nets.append((np.array(path) * P + offset).astype(np.int32))
    return nets


@pytest.fixture(scope="module")
def index() -> RegionIndex:
    boxes = np.array(
        [[x, y, x + P, y + P] for x in range(9 * P, 14 * P, P) for y in range(5 * P, 9 * P, P)]
    )
    return region_index(
        [weave(0), weave(P // 2)], trace_nm=W, pitch_nm=P, boxes=boxes, slant_m=1.2e-3
    )


def draw(claim: ObliqueCertificate, dz_m: float, more_m: float) -> bool:
    return any(
        drill_severs(
            [weave(0), weave(P // 2)], trace_nm=W, x_nm=claim.x_m * 1e9, y_nm=claim.y_m * 1e9,
            diameter_nm=(claim.found_m + more_m) * 1e9, pixel_nm=2000.0,
            depths_nm=(0.0, dz_m * 1e9), theta_rad=claim.theta_rad, phi_rad=claim.phi_rad,
        )
    )  # fmt: skip


@pytest.mark.parametrize("dz", [2e-4, 5e-5])
def test_the_worst_direction_is_true_on_drawn_copper(index: RegionIndex, dz: float) -> None:
    claim = oblique_bound(
        index, depths_m=(0.0, dz), theta_max_rad=THETA, floor_m=2.8e-4, tolerance_m=8e-6
    )
    lattice = lattice_bound(
        pitch_m=2e-4, trace_m=1e-4, offsets=((0, 0), (0.5, 0.5)), depths_m=(0, dz)
    )
    straight = region_bound(index)
    assert claim.found_m <= lattice.any_direction_m + 1e-9
    assert straight.found_m <= claim.bound_m
    assert claim.bound_m - claim.found_m <= 1e-5
    assert not draw(claim, dz, -8e-6)
    assert draw(claim, dz, 8e-6)


def test_a_floor_above_everything_needs_no_search(index: RegionIndex) -> None:
    claim = oblique_bound(index, depths_m=(0.0, 2e-4), theta_max_rad=THETA, floor_m=5e-4)
    assert claim.bound_m == 5e-4
    assert claim.boxes == 0


@pytest.mark.parametrize("x1", [16, 11], ids=["both spots boxed", "only the first boxed"])
def test_a_hole_in_both_layers_is_found_at_a_slant(x1: int) -> None:
    """Planted fault: cells are bare in both layers, but only a slanted drill sees both."""
    dz, shift = 4e-4, 3
    layers = []
    for k, gap in enumerate((9, 9 + shift)):
        nets = []
        for row in range(30):
            y = row * P + k * P // 2
            ends = ((0, gap * P), ((gap + 2) * P, 24 * P)) if 12 <= row < 15 else ((0, 24 * P),)
            nets += [np.array([[a, y], [b, y]], dtype=np.int32) for a, b in ends]
        layers.append(nets)
    boxes = np.array([[8 * P, 11 * P, x1 * P, 16 * P]], dtype=np.float64)
    place = region_index(layers, trace_nm=W, pitch_nm=P, boxes=boxes, slant_m=1.2e-3)
    straight = region_bound(place).bound_m
    claim = oblique_bound(
        place, depths_m=(0.0, dz), theta_max_rad=THETA, floor_m=3.3e-4, tolerance_m=2e-5
    )
    assert claim.bound_m > straight + 5e-5
    assert math.tan(claim.theta_rad) * dz == pytest.approx(shift * 2e-4, abs=2e-4)


def test_empty_holes_of_any_direction_stay_below_the_lattice_bound(index: RegionIndex) -> None:
    lattice = lattice_bound(
        pitch_m=2e-4, trace_m=1e-4, offsets=((0, 0), (0.5, 0.5)), depths_m=(0, 5e-5)
    )
    claim = oblique_bound(
        index, depths_m=(0.0, 5e-5), theta_max_rad=THETA, floor_m=1.4e-4, touch=True
    )
    assert claim.bound_m >= region_bound(index, touch=True).found_m
    assert claim.found_m <= lattice.per_layer_m[0]


def test_bad_arguments_are_refused(index: RegionIndex) -> None:
    with pytest.raises(ProofError):
        oblique_bound(index, depths_m=(0.0,), theta_max_rad=THETA)
    with pytest.raises(ProofError):
        oblique_bound(index, depths_m=(0.0, 1e-4), theta_max_rad=1.5)
