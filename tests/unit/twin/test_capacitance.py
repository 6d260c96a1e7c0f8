"""Capacitances against finite elements in two and three dimensions; water against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rc_samples import crossing_quarter, energy, strip_quarter

from casemate.core.errors import InputError
from casemate.twin.capacitance import (
    bridged,
    crossing_f,
    drilled_crossing_f,
    film_share,
    floating,
    gap_f_m,
    grounded,
    grounded_wire_f_m,
    layer_f_m,
    pair_f_m,
    patch_removed_f,
    plate_f,
    set_back_m,
)
from casemate.twin.line_materials import EPS0_F_M
from casemate.twin.moisture import Film, film_factor, mean_water, uptake
from truths import Truth, abs_error, rel_error

ALTERNATING = {"middle": 0.0, "strip": 1.0}
PUSH_PULL = {"middle": 0.0, "strip": 1.0, "lid": 0.0}
COMMON = {"strip": 1.0, "lid": 0.0}


@pytest.mark.parametrize("width", [0.25, 0.5, 0.8])
def test_gap_of_alternating_traces_against_finite_elements(width: float, truth: Truth) -> None:
    """A quarter of a period; both sides and both traces of a gap make it C/eps0."""
    geometry = strip_quarter(((1 - width) / 2, 0.5), (0.5, 3.0))
    theirs = energy(geometry, ALTERNATING, maxh=0.2, order=4, hp=True)
    ours = gap_f_m(width_m=width, pitch_m=1.0, epsilon_r=1.0) / EPS0_F_M
    truth(
        kernel="twin.capacitance.gap_f_m",
        against="finite elements (NGSolve), alternating traces",
        found=rel_error(ours, theirs),
        allowed=3e-4,
    )


@pytest.mark.parametrize("width", [0.25, 0.5, 0.75])
@pytest.mark.parametrize(("film", "bound"), [(0.1, 0.1), (0.25, 0.05), (0.5, 0.015), (1.0, 2e-3)])
def test_film_against_finite_elements(
    width: float, film: float, bound: float, truth: Truth
) -> None:
    """The film's C, and what a change of its permittivity does to it."""
    geometry = strip_quarter(((1 - width) / 2, 0.5), (0.5, 3.0), film=film)
    theirs = [
        energy(geometry, ALTERNATING, maxh=0.2, order=4, hp=True, epsilon={"film": e, "air": 1.0})
        for e in (3.38, 3.4, 3.42)
    ]
    shape = {"width_m": width, "pitch_m": 1.0, "epsilon_r": 3.4, "film_m": film}
    told = f"finite elements (NGSolve), film of {film} pitch"
    truth(
        kernel="twin.capacitance.gap_f_m",
        against=told,
        found=rel_error(gap_f_m(**shape) / EPS0_F_M, theirs[1]),
        allowed=bound,
    )
    slope = np.log(theirs[2] / theirs[0]) / np.log(3.42 / 3.38)
    truth(
        kernel="twin.capacitance.film_share",
        against=told,
        found=abs_error(film_share(**shape), slope),
        allowed=bound,
        unit="of C",
    )


@pytest.mark.parametrize("width", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("height", [0.25, 0.75, 2.0, 4.0])
def test_layer_between_planes_against_finite_elements(
    width: float, height: float, truth: Truth
) -> None:
    """Push-pull and common mode of a quarter of a period under one plane."""
    geometry = strip_quarter(((1 - width) / 2, 0.5), (0.5, height), lid=True)
    push, both = (
        energy(geometry, drive, maxh=0.1, order=4, hp=True) for drive in (PUSH_PULL, COMMON)
    )
    gap, own = layer_f_m(width_m=width, pitch_m=1.0, above_m=height, below_m=height, epsilon_r=1.0)
    # both sides of a trace are four quarters
    truth(
        kernel="twin.capacitance.layer_f_m",
        against="finite elements (NGSolve), traces between planes, to the planes",
        found=rel_error(own / EPS0_F_M, 4.0 * both),
        allowed=1e-3,
    )
    truth(
        kernel="twin.capacitance.layer_f_m",
        against="finite elements (NGSolve), traces between planes, gap over push-pull",
        found=abs_error(gap / EPS0_F_M, push - both) / push,
        allowed=1e-3,
    )


@pytest.mark.parametrize(("width", "gap"), [(1.0, 1.0), (0.3, 1.0)])
def test_pair_alone_against_finite_elements(width: float, gap: float, truth: Truth) -> None:
    geometry = strip_quarter((gap / 2, gap / 2 + width), (150.0, 150.0))
    theirs = energy(geometry, ALTERNATING, maxh=20.0, order=4, hp=True)
    ours = pair_f_m(width_m=width, gap_m=gap, epsilon_r=1.0) / EPS0_F_M
    truth(
        kernel="twin.capacitance.pair_f_m",
        against="finite elements (NGSolve), one pair in the open",
        found=rel_error(ours, theirs),
        allowed=2e-3,
    )


def test_pair_alone_is_half_a_picofarad_per_centimetre_of_film() -> None:
    """100/100 um in polyimide: within the 0.3 to 0.8 pF/cm that designers expect."""
    ours = pair_f_m(width_m=1e-4, gap_m=1e-4, epsilon_r=3.4)
    assert 0.3e-12 < ours * 0.01 < 0.8e-12


@pytest.mark.parametrize(
    ("width", "apart", "bound"),
    [
        pytest.param(0.5, 0.125, 0.07, marks=pytest.mark.slow),
        (0.5, 0.25, 0.02),
        (0.5, 0.5, 0.01),
        pytest.param(0.25, 0.25, 0.025, marks=pytest.mark.slow),
        pytest.param(0.75, 0.25, 0.01, marks=pytest.mark.slow),
    ],
)
def test_crossing_against_finite_elements(
    width: float, apart: float, bound: float, truth: Truth
) -> None:
    theirs = 4.0 * energy(crossing_quarter(width, apart), {"A": 1.0, "B": 0.0}, maxh=0.15)
    ours = crossing_f(widths_m=(width, width), pitches_m=(1.0, 1.0), apart_m=apart, epsilon_r=1.0)
    near = "d = p/8" if apart < 0.2 else "d from p/4"
    truth(
        kernel="twin.capacitance.crossing_f",
        against=f"finite elements (NGSolve) in 3-D, {near}",
        found=rel_error(ours / EPS0_F_M, theirs),
        allowed=bound,
    )
    assert ours > plate_f(area_m2=width**2, apart_m=apart, epsilon_r=1.0)


@pytest.mark.parametrize(
    ("diameter", "epsilon_r"),
    [pytest.param(d, 3.4, marks=pytest.mark.slow) for d in (0.1, 0.2, 0.3, 0.4)]
    + [pytest.param(d, 4.4, marks=pytest.mark.slow) for d in (0.1, 0.2, 0.3, 0.4)],
)
def test_drilled_crossing_against_finite_elements(
    diameter: float, epsilon_r: float, truth: Truth
) -> None:
    sound, drilled = (
        4.0 * energy(
            crossing_quarter(0.5, 0.25, hole=diameter, drilled=gone), {"A": 1.0, "B": 0.0},
            maxh=0.15, epsilon={"hole": 1.0 / epsilon_r if gone else 1.0, "film": 1.0},
        )
        for gone in (False, True)
    )  # fmt: skip
    ours = drilled_crossing_f(diameter_m=diameter, apart_m=0.25, epsilon_r=epsilon_r)
    truth(
        kernel="twin.capacitance.drilled_crossing_f",
        against="finite elements (NGSolve) in 3-D, change by a hole of 0.4 to 1.6 d",
        found=rel_error(ours / epsilon_r / EPS0_F_M, drilled - sound),
        allowed=0.08,
    )


@pytest.mark.parametrize("radius", [0.02, 0.05, 0.1])
def test_grounded_wire_against_finite_elements(radius: float, truth: Truth) -> None:
    """Its own capacitance to wide grounded traces; the pair in push-pull does not see it."""
    geometry = strip_quarter((0.5, 10.5), (60.0, 60.0), wire=radius)
    own = 4.0 * energy(geometry, {"strip": 0.0, "wire": 1.0}, maxh=8.0, order=4, hp=True)
    pair, each = grounded_wire_f_m(radius_m=radius, gap_m=1.0, epsilon_r=1.0)
    truth(
        kernel="twin.capacitance.grounded_wire_f_m",
        against="finite elements (NGSolve), radius to a tenth of the gap",
        found=rel_error(each / EPS0_F_M, 0.5 * own),
        allowed=2e-3,
    )
    assert pair == -0.5 * each


def test_maxwell_matrices_of_three_traces() -> None:
    """Bridging adds up; floating in the middle is two capacitors in series; grounding screens."""
    c = np.array([[5.0, -2.0, -1.0], [-2.0, 6.0, -3.0], [-1.0, -3.0, 7.0]])
    assert bridged(c, 0, 1) == pytest.approx(np.array([[7.0, -4.0], [-4.0, 7.0]]))
    chain = np.array([[2.0, -2.0, 0.0], [-2.0, 5.0, -3.0], [0.0, -3.0, 3.0]])
    assert -floating(chain, 1)[0, 1] == pytest.approx(2.0 * 3.0 / 5.0)
    assert -grounded(c, 1)[0, 1] == 1.0
    volts = np.array([1.0, 1.0, 0.0])
    together = bridged(c, 0, 1)
    assert together[0, 0] == pytest.approx(volts @ c @ volts)


@given(width=st.floats(0.05, 0.95), scale=st.floats(1e-6, 1e-2))
def test_scale_and_complement(width: float, scale: float) -> None:
    """C per metre knows no scale; a grating and its complement multiply to eps^2 (Babinet)."""
    one = gap_f_m(width_m=width * scale, pitch_m=scale, epsilon_r=1.0) / EPS0_F_M
    other = gap_f_m(width_m=1.0 - width, pitch_m=1.0, epsilon_r=1.0) / EPS0_F_M
    assert one * other == pytest.approx(1.0, rel=1e-9)
    assert set_back_m(width_m=width, pitch_m=1.0) > 0.0


def differences(film: Film, time_s: float, cells: int) -> float:
    """Return the mean water by Crank-Nicolson on half the sheet, time step after cell size.

    The first steps are implicit (Rannacher), as the surface jumps.
    """
    size = 0.5 * film.thickness_m / cells
    steps = 8 * cells
    dt = time_s / steps
    a = np.diag(np.full(cells, -2.0)) + np.diag(np.ones(cells - 1), 1)
    a += np.diag(np.ones(cells - 1), -1)
    a[0, 0], a[-1, -1] = -3.0, -1.0  # surface at the face of cell 0, mirror at the middle
    a *= film.diffusivity_m2_s / size**2
    source = np.zeros(cells)
    source[0] = 2.0 * film.diffusivity_m2_s / size**2
    water, eye = np.zeros(cells), np.eye(cells)
    half = np.linalg.inv(eye - 0.5 * dt * a)
    for _ in range(4):
        water = half @ (water + 0.5 * dt * source)
    for _ in range(steps - 2):
        water = half @ ((eye + 0.5 * dt * a) @ water + dt * source)
    return float(water.mean())


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_uptake_is_the_limit_of_differences_of_second_order(share: float, truth: Truth) -> None:
    film = Film(thickness_m=50e-6)
    time_s = share * film.tau_s
    exact = float(uptake(film, np.array([time_s]))[0])
    gaps = [abs(differences(film, time_s, cells) - exact) for cells in (10, 20, 40)]
    assert np.log2(np.array(gaps[:-1]) / gaps[1:]) == pytest.approx(2.0, abs=0.15)
    truth(
        kernel="twin.moisture.uptake",
        against="Crank and Nicolson's differences, 40 cells (second order)",
        found=gaps[-1],
        allowed=3e-4,
        unit="of full",
    )


def test_early_uptake_is_the_square_root_of_time(truth: Truth) -> None:
    film = Film(thickness_m=50e-6)
    t = film.tau_s * np.array([0.002, 0.01, 0.05])
    root = 4.0 / film.thickness_m * np.sqrt(film.diffusivity_m2_s * t / np.pi)
    truth(
        kernel="twin.moisture.uptake",
        against="early law 4/h sqrt(D t/pi)",
        found=rel_error(uptake(film, t), root),
        allowed=1e-3,
    )


def test_time_constant_of_films() -> None:
    """50 um film, D of 1e-13 and 1e-12: 42 and 4 min; one open face takes four times as long."""
    slow = Film(thickness_m=50e-6, diffusivity_m2_s=1e-13)
    assert slow.tau_s / 60 == pytest.approx(42.2, rel=0.01)
    one = Film(thickness_m=50e-6, diffusivity_m2_s=1e-13, open_faces=1)
    assert one.tau_s == pytest.approx(4 * slow.tau_s)


def test_water_follows_a_changing_surface(truth: Truth) -> None:
    """A step: the series. A slow sine: first-order lag of the exact tanh transfer function."""
    film = Film(thickness_m=50e-6)
    step = np.ones(400)
    step[0] = 0.0
    found = mean_water(film, film.tau_s / 50, step)
    t = film.tau_s / 50 * np.arange(399)
    assert found[1:] == pytest.approx(uptake(film, t), abs=6e-3)
    omega = 0.5 / film.tau_s
    t = np.arange(4000) * film.tau_s / 40
    wave = mean_water(film, film.tau_s / 40, np.cos(omega * t))[2000:]
    root = np.sqrt(1j * omega * film.thickness_m**2 / 4 / film.diffusivity_m2_s)
    gain = np.tanh(root) / root
    held = t[2000:] - film.tau_s / 80  # the surface holds over a step
    truth(
        kernel="twin.moisture.mean_water",
        against="sine at the surface: transfer function tanh(q)/q",
        found=abs_error(wave, (gain * np.exp(1j * omega * held)).real),
        allowed=2e-3,
        unit="of full",
    )


def test_drift_of_a_node_dwarfs_a_hole() -> None:
    """1 pF node, 1 % of water by mass: +6 %, 60 fF; a 0.1 mm hole in a crossing: 1 to 5 fF."""
    film = Film(thickness_m=50e-6, water_at_full=0.01)
    wet = film_factor(film, rise_k=np.zeros(1), water=np.ones(1), age_s=np.zeros(1))
    assert wet[0] == pytest.approx(1.06)
    warm = film_factor(film, rise_k=np.full(1, 10.0), water=np.zeros(1), age_s=np.zeros(1))
    assert warm[0] == pytest.approx(1.0025)
    hole = drilled_crossing_f(diameter_m=1e-4, apart_m=50e-6, epsilon_r=3.4)
    assert -5e-15 < hole < -1e-15
    assert patch_removed_f(f_m=5e-11, facing_m=0.02, crossings=3, crossing_f=1e-14) < 10 * hole


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError):
        pair_f_m(width_m=1e-4, gap_m=0.0, epsilon_r=3.4)
    with pytest.raises(InputError):
        gap_f_m(width_m=1e-4, pitch_m=1e-4, epsilon_r=3.4)
    with pytest.raises(InputError):
        grounded_wire_f_m(radius_m=0.6, gap_m=1.0, epsilon_r=1.0)
    with pytest.raises(InputError):
        Film(thickness_m=1e-5, open_faces=3)
