"""Bridges from copper that leaves the lattice: what they cut out of their own net."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.mesh.model import Net
from casemate.mesh.spacing import Spacing, free_spacing


def hairpin(apart_nm: int, length_nm: int) -> Spacing:
    """Measure a net that goes `length_nm` out and comes back `apart_nm` beside itself."""
    points = [(0, 0), (length_nm, 0), (length_nm, apart_nm), (0, apart_nm)]
    net = Net(name="A", layer="L", zone=0, lane=0, vertices=np.array(points, dtype=np.int32))
    free = np.array([[0, 0], [0, 2]], dtype=np.int64)
    return free_spacing([net], free, [], trace_nm=100_000, pitch_nm=200_000)


def test_a_bridge_at_the_mouth_cuts_out_the_whole_hairpin() -> None:
    found = hairpin(200_000, 10_000_000)
    assert found.bridge_share == pytest.approx(1.0)


def test_a_wide_hairpin_cannot_be_bridged_over_one_gap() -> None:
    assert hairpin(400_000, 10_000_000).bridge_share == 0.0


def test_two_nets_side_by_side_are_no_bypass() -> None:
    nets = [
        Net(name=n, layer="L", zone=0, lane=k,
            vertices=np.array([(0, 200_000 * k), (5_000_000, 200_000 * k)], dtype=np.int32))
        for k, n in enumerate("AB")
    ]  # fmt: skip
    free = np.array([[0, 0], [1, 0]], dtype=np.int64)
    found = free_spacing(nets, free, [], trace_nm=100_000, pitch_nm=200_000)
    assert found.bridge_share == 0.0 and found.space_nm == pytest.approx(100_000)


def test_a_finger_narrower_than_the_trace_is_a_contact() -> None:
    """Planted fault: walls 60 um apart with 100 um wide copper."""
    assert hairpin(60_000, 400_000).contacts > 0
    assert hairpin(200_000, 400_000).contacts == 0
