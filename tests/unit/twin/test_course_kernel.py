"""Compiled recursions of a course against the same in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.twin._course_kernel import soaked, stepped, weighed

GENERATOR = np.random.default_rng(4)


def test_steps_take_the_form_that_is_named_for_each() -> None:
    keep = 0.3 * GENERATOR.random((2, 3, 3))
    driven, which = GENERATOR.random((7, 3)), np.array([0, 1, 1, 0, 0, 1, 0])
    state, out = np.array([1.0, 2.0, 3.0]), np.empty((7, 3))
    expected, now = [], state.copy()
    for k in range(7):
        now = keep[which[k]] @ now + driven[k]
        expected.append(now)
    stepped(keep, driven, which, state, out)
    assert out == pytest.approx(np.array(expected), rel=1e-12)
    assert np.array_equal(state, out[-1])


def test_water_is_read_before_the_surface_of_its_step_has_soaked_in() -> None:
    keep, share = np.array([0.9, 0.5]), np.array([0.6, 0.3])
    surface, state, found = GENERATOR.random(9), np.array([0.2, 0.4]), np.empty(9)
    expected, now = [], state.copy()
    for value in surface.tolist():
        expected.append(share @ now + 0.1 * value)
        now = value + (now - value) * keep
    soaked(keep, share, 0.1, surface, state, found)
    assert found == pytest.approx(np.array(expected), rel=1e-12)


def test_each_place_counts_once_between_the_two_radii_beside_it() -> None:
    radii = np.geomspace(1e-4, 2.0, 50)
    places, net = GENERATOR.uniform(-0.2, 0.2, (400, 2)), GENERATOR.integers(0, 3, 400)
    places[0] = 0.01, 0.02  # the very middle of the spot
    first, step = np.log(radii[0]), np.log(radii[1] / radii[0])
    left, right = np.zeros((2, 3, 50))
    weighed(places, net.astype(np.int32), 0.01, 0.02, first, step, left, right)
    table = left + right
    assert table.sum(axis=1) == pytest.approx(np.bincount(net, minlength=3), rel=1e-12)
    # what is linear in ln r is interpolated as it is
    off = np.maximum(np.hypot(places[:, 0] - 0.01, places[:, 1] - 0.02), radii[0])
    assert table @ np.log(radii) == pytest.approx(np.bincount(net, np.log(off), 3), rel=1e-9)
