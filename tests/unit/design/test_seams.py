"""The overlap rule against tools thrown at random at a seam in cross-section.

Cross-section: the upper mesh fills x <= 0 at depth 0, the lower one x >= -overlap at depth gap.
A tool is a strip of its diameter that enters at some place under some angle; it is struck when
its whole width or its axis (severing: any trace across the strip) meets a mesh.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from boxes import RIGID, STACKUP

from casemate.design.seams import SeamRule, overlap_of, terminal_strip

THETA = math.radians(70)
TOOL = 0.45e-3


def missed(overlap_m: float, gap_m: float, theta_max: float, shift_m: float = 0.0) -> int:
    """Return how many of many random tools pass beyond both meshes (boards apart by shift_m)."""
    rng = np.random.default_rng(7)
    count = 200_000
    theta = rng.uniform(-theta_max, theta_max, count)
    theta[:1000] = -theta_max
    at_upper = rng.uniform(-3 * overlap_m, 3 * overlap_m, count)
    at_upper[:1000] = np.linspace(0, TOOL, 1000)
    at_lower = at_upper + gap_m * np.tan(theta)
    half = TOOL / 2 / np.cos(theta)  # the strip's half width along a board

    def clear_of(x: npt.NDArray[np.float64], edge: float, side: int) -> npt.NDArray[np.bool_]:
        # a tool misses a mesh only if its whole width lies beyond the mesh's edge
        return np.asarray(side * (x - edge) > half)

    beyond_upper = clear_of(at_upper, 0.0, 1)
    beyond_lower = clear_of(at_lower, -overlap_m + shift_m, -1)
    return int(np.count_nonzero(beyond_upper & beyond_lower))


@pytest.mark.parametrize("clearance", [0.0, 0.1e-3, 0.3e-3, 1.0e-3])
def test_no_tool_passes_the_overlap(clearance: float) -> None:
    rule = SeamRule(module="m", kind="lap", clearance_m=clearance)
    got = overlap_of(rule, stackup=STACKUP, fab=RIGID, tool_m=TOOL, theta_rad=THETA)
    worst_shift = 2 * RIGID.registration_m
    assert missed(got.meshed_m, got.gap_m, THETA, worst_shift) == 0


def test_half_an_overlap_lets_tools_pass() -> None:
    """Plant the fault: the check must be able to fail."""
    rule = SeamRule(module="m", kind="lap", clearance_m=0.3e-3)
    got = overlap_of(rule, stackup=STACKUP, fab=RIGID, tool_m=TOOL, theta_rad=THETA)
    assert missed(got.meshed_m / 2, got.gap_m, THETA, 2 * RIGID.registration_m) > 0


def test_a_tool_flatter_than_the_spec_passes() -> None:
    """What the doubt layout.lap-flat says: beyond the angle the overlap proves nothing."""
    rule = SeamRule(module="m", kind="lap", clearance_m=0.1e-3)
    got = overlap_of(rule, stackup=STACKUP, fab=RIGID, tool_m=TOOL, theta_rad=THETA)
    assert missed(got.meshed_m, got.gap_m, math.radians(89), 2 * RIGID.registration_m) > 0


def test_the_board_overlap_pays_for_rims_and_terminals() -> None:
    rule = SeamRule(module="m", kind="lap", clearance_m=0.3e-3, terminal_strip_m=3e-3)
    got = overlap_of(rule, stackup=STACKUP, fab=RIGID, tool_m=TOOL, theta_rad=THETA)
    assert got.board_m == pytest.approx(got.meshed_m + 3e-3 + 2 * RIGID.edge_clearance_m)
    assert got.meshed_m >= got.required_m
    assert terminal_strip(RIGID) < 3e-3
    wide = SeamRule(module="m", kind="lap", clearance_m=0.3e-3, overlap_min_m=20e-3)
    forced = overlap_of(wide, stackup=STACKUP, fab=RIGID, tool_m=TOOL, theta_rad=THETA)
    assert forced.board_m == pytest.approx(20e-3)


def test_the_modules_own_reach_counts() -> None:
    slim = SeamRule(module="m", kind="lap", clearance_m=0.3e-3)
    far = SeamRule(module="m", kind="lap", clearance_m=0.3e-3, tool_reach_m=0.6e-3)
    one, two = (
        overlap_of(rule, stackup=STACKUP, fab=RIGID, tool_m=TOOL, theta_rad=THETA)
        for rule in (slim, far)
    )
    assert two.required_m - one.required_m == pytest.approx(0.15e-3)
