"""Anchors of a twin: bounds again by hand, lag against a simulated walk, the steepest rise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.campaigns.commission import (
    BOUND,
    LIMIT_K,
    commissioned,
    lag,
    steepest_k_s,
    usual_k_s,
    window_of,
)
from casemate.detect.anchor import NONE, Anchor, FieldAnchor, PassiveAnchor, anchor_bytes
from casemate.detect.bank import chips_of
from casemate.detect.field import MEMORY_S as FIELD_MEMORY_S
from casemate.detect.tracked import COMMON_MEMORY_S, MEMORY_S
from casemate.sensors.mesh_capacitance.physics import EPOXY
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.conditions import SKIN_NODE
from casemate.twin.environment_thermal import settled_k, temperatures_k


@pytest.mark.parametrize("memory_s", [30.0, 600.0])
def test_lag_is_what_a_follower_leaves_of_a_walk(memory_s: float) -> None:
    """Ornstein-Uhlenbeck of unit spread, exact steps of 0.1 s, followed with MEMORY_S."""
    generator = np.random.default_rng(1)
    runs, step = 400, 0.1
    rho, share = math.exp(-step / memory_s), 1.0 - math.exp(-step / MEMORY_S)
    walk = generator.standard_normal(runs)
    state, left = walk.copy(), []
    for k in range(4000):
        walk = rho * walk + math.sqrt(1.0 - rho**2) * generator.standard_normal(runs)
        state = state + share * (walk - state)
        if k > 1500:
            left.append(np.mean((walk - state) ** 2))
    assert math.sqrt(np.mean(left)) == pytest.approx(lag(memory_s), rel=0.05)


def test_a_window_brings_a_dozen_chips() -> None:
    assert window_of(1e-3, 1.0) == 0.1
    assert window_of(0.1, 1.0) == pytest.approx(1.2)
    assert window_of(1e-3, 0.05) == pytest.approx(0.3)
    for chip_s, visits in ((1e-3, 1.0), (0.1, 1.0), (1e-3, 0.05), (7e-3, 0.3)):
        loud, quiet = chips_of(chip_s, visits, window_of(chip_s, visits))
        assert loud + quiet >= 12 and quiet == max(1, round((loud + quiet) / 8))


@pytest.mark.parametrize("usual", [True, False])
def test_the_steepest_rise_is_bounded_by_heat_over_what_it_warms(
    dpa_twin: Twin, usual: bool
) -> None:
    """Half the step gives the same; no node warms faster than all power into its capacity."""
    site = dpa_twin.site
    found = usual_k_s(dpa_twin) if usual else steepest_k_s(dpa_twin)
    warmer_k = site.door_k.value + 2.0 * site.hvac_k.value if usual else LIMIT_K
    start = settled_k(site.network, np.array([site.idle_w.value, 0.0, 0.0]), site.mean_k.value)
    power = np.tile([site.full_w.value, 0.0, site.sun_w.value], (1200, 1))
    around = np.full(1200, site.mean_k.value + warmer_k)
    run = temperatures_k(site.network, start, power, around, 0.5)[:, SKIN_NODE]
    finer = np.abs(np.diff(np.concatenate([[start[SKIN_NODE]], run]))).max() / 0.5
    assert 0.0 < found <= finer * 1.0001 and found == pytest.approx(finer, rel=0.2)


def by_hand(
    anchor: Anchor, spread: np.ndarray, memory_s: float, usual: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return bound and step again from the rule: BOUND spreads, of the walk, its lag, the noise.

    usual: how fast common modes move by themselves, 1/s.
    """
    window_s = window_of(anchor.chip_s, anchor.visits)
    loud, _ = chips_of(anchor.chip_s, anchor.visits, window_s)
    window = math.sqrt(2.0) * anchor.noise / math.sqrt(loud)
    own = window * math.sqrt(window_s / (2.0 * MEMORY_S))
    shared, late = np.zeros(own.size), np.zeros(own.size)
    for g in range(anchor.common.size):
        mine = np.flatnonzero(anchor.group == g)
        shared[mine] = math.sqrt(math.pi / (2.0 * mine.size)) * np.median(window[mine])
        late[mine] = COMMON_MEMORY_S * usual
    behind2 = (MEMORY_S / (MEMORY_S + memory_s)) * spread**2 + own**2 + shared**2
    return BOUND * np.sqrt(spread**2 + behind2) + late, BOUND * np.sqrt(behind2) + late


def test_bounds_of_loops_by_hand(dpa_twin: Twin, dpa_fitted: dict[str, Fitted]) -> None:
    fitted = dpa_fitted["loop_resistance"]
    anchor = commissioned(dpa_twin, fitted)
    assert isinstance(anchor, Anchor)
    ratio = anchor.group == NONE
    assert np.allclose(anchor.expected, np.where(ratio, 0.0, 1.0))
    spread = np.where(ratio, 0.02, 1.0) * 0.00393 * fitted.card["gradient"]
    bound, step = by_hand(
        anchor, spread, fitted.card["gradient_memory"], 0.00393 * usual_k_s(dpa_twin)
    )
    assert np.allclose(anchor.bound, bound, rtol=1e-3)
    assert np.allclose(anchor.step, step, rtol=1e-3)
    assert np.allclose(anchor.rate, anchor.step / MEMORY_S)
    assert np.allclose(anchor.common, 0.00393 * 60.0, rtol=1e-6)
    assert np.allclose(anchor.common_rate, 0.00393 * steepest_k_s(dpa_twin), rtol=1e-6)
    share = fitted.noise / fitted.nominal
    pair = np.hypot(share[anchor.first], share[np.where(anchor.second < 0, 0, anchor.second)])
    assert np.allclose(anchor.noise[ratio], pair[ratio])
    # a feature shares its common mode with its own board alone
    for group in range(anchor.common.size):
        assert len({anchor.tiles[k] for k in np.flatnonzero(anchor.group == group)}) == 1


def test_bounds_of_capacitances_by_hand(dpa_twin: Twin, dpa_fitted: dict[str, Fitted]) -> None:
    fitted = dpa_fitted["mesh_capacitance"]
    anchor = commissioned(dpa_twin, fitted)
    assert isinstance(anchor, Anchor)
    spread = np.full(anchor.noise.size, fitted.card["contrast"])
    # 1 % of all water that the film takes, in the first second of 2/h sqrt(D t/pi)
    film = EPOXY
    second = 2.0 / film.thickness_m * math.sqrt(film.diffusivity_m2_s / math.pi)
    wet = film.per_water * film.water_at_full * second
    usual = film.temperature_1_k * usual_k_s(dpa_twin) + 0.01 * wet
    bound, step = by_hand(anchor, spread, fitted.card["contrast_memory"], usual)
    steepest = film.temperature_1_k * steepest_k_s(dpa_twin) + 0.82 * wet
    assert np.allclose(anchor.common_rate, steepest) and steepest > 5.0 * usual
    assert np.allclose(anchor.bound, bound) and np.allclose(anchor.step, step)
    assert np.allclose(anchor.noise, fitted.noise / fitted.nominal)
    assert np.all(anchor.must > 10.0 * anchor.bound)
    # groups: one board, one kind of plate, one layer
    assert anchor.group.min() >= 0 and np.bincount(anchor.group).min() >= 1


def test_bounds_of_a_cavity_by_hand(dpa_twin: Twin, dpa_fitted: dict[str, Fitted]) -> None:
    """Six walks share the drift: its power passes 8 spreads' rarity where chi-square(6) does."""
    fitted = dpa_fitted["rf_cavity"]
    anchor = commissioned(dpa_twin, fitted)
    assert isinstance(anchor, FieldAnchor)
    from scipy.optimize import brentq

    # tail of chi-square(6) in closed form: exp(-x/2) (1 + x/2 + x^2/8)
    tail = math.erfc(BOUND / math.sqrt(2.0))
    x = brentq(lambda x: math.exp(-x / 2) * (1 + x / 2 + x * x / 8) / tail - 1.0, 10.0, 200.0)
    bound = math.sqrt(fitted.card["drift"] * x / 6.0)
    assert np.allclose(anchor.bound, bound, rtol=1e-6)
    behind = math.sqrt(FIELD_MEMORY_S / (FIELD_MEMORY_S + fitted.card["drift_memory"]))
    assert np.allclose(anchor.step, 1.5 * behind * bound, rtol=1e-6)
    gram = np.einsum("lst,lrt->lsr", anchor.shapes, anchor.shapes)
    assert np.allclose(gram, np.eye(3), atol=1e-9)
    assert np.all(anchor.must > anchor.bound)


def test_every_modality_has_an_anchor_with_the_same_bytes_each_time(
    dpa_twin: Twin, dpa_fitted: dict[str, Fitted]
) -> None:
    first = tuple(commissioned(dpa_twin, each) for each in dpa_fitted.values())
    again = tuple(commissioned(dpa_twin, each) for each in dpa_fitted.values())
    assert anchor_bytes(first) == anchor_bytes(again)
    assert sum(isinstance(each, PassiveAnchor) for each in first) == 1


def test_surroundings_of_the_twin_stay_within_the_bounds(
    dpa_twin: Twin, dpa_fitted: dict[str, Fitted]
) -> None:
    """What the twin lets surroundings do in a day stays below 6 of the 8 spreads."""
    times_s = np.arange(0.0, 86_400.0, 60.0)
    for name in ("loop_resistance", "mesh_capacitance"):
        fitted = dpa_fitted[name]
        anchor = commissioned(dpa_twin, fitted)
        assert isinstance(anchor, Anchor)
        extra = np.real(fitted.nuisance(times_s, np.random.default_rng(3))) / anchor.nominal
        second = np.where(anchor.second == NONE, 0, anchor.second)
        moved = anchor.weight[:, 0] * extra[:, anchor.first]
        moved = moved + anchor.weight[:, 1] * extra[:, second]
        assert np.all(np.abs(moved).max(axis=0) < 0.75 * anchor.bound)
