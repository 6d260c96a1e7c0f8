"""Loop resistance against finite elements, closed forms and orders of convergence."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rc_samples import ours_first, squares_between, trace_face

from casemate.core.errors import InputError
from casemate.twin.resistance import (
    Copper,
    arc_ohm,
    centroid_m,
    jumped_ohm,
    lengths_m,
    loop_ohm,
    matthiessen_alpha_1_k,
    ratio_shift,
    sample_points_m,
    squares,
    twin_ratio,
)
from casemate.twin.resistance_nicks import (
    bite_squares,
    hole_squares,
    notch_squares,
    slit_squares,
    step_squares,
)
from truths import Truth, abs_error, rel_error

sys.path.append(str(Path(__file__).parents[1] / "mesh"))
import mesh_samples

COPPER = Copper(thickness_m=18e-6, width_m=1e-4)
STRAIGHT = np.array([[0, 0], [50_000_000, 0]], dtype=np.int32)


def test_straight_trace_is_rho_l_over_wt_of_the_etched_width(truth: Truth) -> None:
    copper = Copper(thickness_m=35e-6, width_m=1.1e-4, etch_m=-1e-5)
    truth(
        kernel="twin.resistance.loop_ohm",
        against="rho l/(w t) of a straight trace, width as etched",
        found=rel_error(loop_ohm(STRAIGHT, copper), 1.7241e-8 * 0.05 / (35e-6 * 1e-4)),
        allowed=1e-6,
    )
    assert copper.sheet_ohm == pytest.approx(0.49e-3, rel=0.01)  # handbook figure of 35 um foil


@pytest.mark.parametrize("net", range(8))
def test_pieces_of_real_nets_against_finite_elements(net: int, truth: Truth) -> None:
    """Nine segments out of a drawn net: within 0.2 %; squares alone miss 2 to 27 %."""
    vertices = mesh_samples.drawn().mesh.nets[net].vertices
    start = len(vertices) // 3
    piece = vertices[start : start + 10].astype(np.float64) * 1e-5  # to trace widths: w = 1
    for first, last in ((0, 1), (-1, -2)):  # ends long enough to carry a uniform current
        way = (piece[last] - piece[first]) / np.hypot(*(piece[last] - piece[first]))
        piece[first] = piece[last] - 1.6 * way
    scaled = np.round(piece * 1e5).astype(np.int32)
    ours = squares(scaled, COPPER).sum()
    theirs = squares_between(*trace_face(piece, 1.0), maxh=0.35, corners=True)
    truth(
        kernel="twin.resistance.squares",
        against="finite elements (NGSolve), pieces of drawn nets",
        found=rel_error(ours, theirs),
        allowed=2e-3,
    )
    naive = lengths_m(scaled).sum() / COPPER.etched_m
    assert naive > 1.015 * theirs


def test_sharp_corner_table_is_near_the_conformal_map(truth: Truth) -> None:
    """A round joint saves slightly less than the sharp corner's 2 ln 2/pi = 0.4413 squares."""
    corner = np.array([[0, 0], [400_000, 0], [400_000, 400_000]], dtype=np.int32)
    saved = 8.0 - squares(corner, COPPER).sum()
    truth(
        kernel="twin.resistance.squares",
        against="conformal map of a sharp corner, 2 ln 2/pi squares saved",
        found=rel_error(saved, 2.0 * np.log(2.0) / np.pi),
        allowed=5e-3,
    )


@pytest.mark.parametrize("depth", [0.2, 0.35, 0.5, 0.8])
@pytest.mark.parametrize("length", [0.02, 0.15, 0.4, 1.5])
def test_notch_against_finite_elements(depth: float, length: float, truth: Truth) -> None:
    ours_first()
    from netgen.occ import WorkPlane, X

    plane = WorkPlane().Rectangle(6 + length, 1.0).Face()
    face = plane - WorkPlane().MoveTo(3, 1 - depth).Rectangle(length, 1.0).Face()
    for vertex in face.vertices:
        if abs(vertex.p.y - (1 - depth)) < 1e-9:
            vertex.hpref = 1
    total = squares_between(face, face.edges.Min(X), face.edges.Max(X), maxh=0.25, corners=True)
    theirs = total - 6.0 - length
    truth(
        kernel="twin.resistance_nicks.notch_squares",
        against="finite elements (NGSolve), 0.2 to 0.8 w deep, 0.02 to 1.5 w long",
        found=rel_error(notch_squares(1.0, depth, length), theirs),
        allowed=6e-3,
    )


def test_notch_tends_to_slit_and_to_two_steps() -> None:
    assert notch_squares(1.0, 0.5, 1e-9) == pytest.approx(slit_squares(1.0, 0.5), rel=1e-3)
    far = notch_squares(1.0, 0.5, 20.0) - 20.0
    assert far == pytest.approx(2 * step_squares(1.0, 0.5), rel=1e-9)


def holed(diameter: float, centre: float) -> float:
    ours_first()
    from netgen.occ import WorkPlane, X

    face = WorkPlane().Rectangle(6.0, 1.0).Face()
    face -= WorkPlane().MoveTo(3, centre).Circle(3, centre, diameter / 2).Face()
    return squares_between(face, face.edges.Min(X), face.edges.Max(X), maxh=0.15) - 6.0


@pytest.mark.parametrize(("diameter", "depth"), [(0.4, 0.15), (0.8, 0.5), (1.4, 0.3), (1.4, 0.8)])
def test_bite_against_finite_elements(diameter: float, depth: float, truth: Truth) -> None:
    theirs = holed(diameter, 1.0 - depth + diameter / 2)
    truth(
        kernel="twin.resistance_nicks.bite_squares",
        against="finite elements (NGSolve), drill in an edge",
        found=rel_error(bite_squares(1.0, depth, diameter), theirs),
        allowed=0.04,
    )


@pytest.mark.parametrize(("diameter", "centre"), [(0.2, 0.5), (0.5, 0.5), (0.4, 0.35), (0.7, 0.55)])
def test_hole_against_finite_elements(diameter: float, centre: float, truth: Truth) -> None:
    theirs = holed(diameter, centre)
    truth(
        kernel="twin.resistance_nicks.hole_squares",
        against="finite elements (NGSolve), hole within a trace",
        found=rel_error(hole_squares(1.0, diameter, centre), theirs),
        allowed=0.04,
    )


def test_small_hole_is_dilute(truth: Truth) -> None:
    truth(
        kernel="twin.resistance_nicks.hole_squares",
        against="dilute limit 2 pi r^2/w^2",
        found=rel_error(hole_squares(1.0, 0.02, 0.4), 2 * np.pi * 0.01**2),
        allowed=0.03,
    )


def test_half_width_nick_is_the_half_milliohm_of_the_literature() -> None:
    """100 um trace of 18 um copper, half width over 50 um: about 0.5 to 1 mOhm."""
    assert 0.5e-3 < notch_squares(1.0, 0.5, 0.5) * COPPER.sheet_ohm < 1e-3


def test_linear_gradient_is_the_temperature_at_the_centroid(truth: Truth) -> None:
    points, _ = sample_points_m(STRAIGHT)
    field = 25.0 + 40.0 * points[..., 0]
    expected = loop_ohm(STRAIGHT, COPPER) * (1 + 3.93e-3 * (5.0 + 40.0 * 0.025))
    truth(
        kernel="twin.resistance.loop_ohm",
        against="linear temperature: its value at the centroid, closed form",
        found=rel_error(loop_ohm(STRAIGHT, COPPER, field), expected),
        allowed=1e-12,
    )


@pytest.mark.parametrize("order", [1, 2])
def test_line_integral_converges_at_twice_the_order(order: int, truth: Truth) -> None:
    """T = exp(40 x) along 50 mm, against the integral in closed form, for 4, 8, 16 segments."""
    exact = loop_ohm(STRAIGHT, COPPER)
    mean = (np.exp(2.0) - 1.0) / 2.0
    exact *= 1.0 + 3.93e-3 * (mean - 20.0)
    gaps = []
    for parts in (4, 8, 16):
        x = np.linspace(0, 50_000_000, parts + 1)
        fine = np.column_stack([x, 0 * x]).astype(np.int32)
        points, _ = sample_points_m(fine, order=order)
        gaps.append(abs(loop_ohm(fine, COPPER, np.exp(40.0 * points[..., 0])) - exact))
    rates = np.log2(np.array(gaps[:-1]) / gaps[1:])
    truth(
        kernel="twin.resistance.loop_ohm",
        against="order of convergence to the integral of rho(T) in closed form (2, 4)",
        found=abs_error(rates, 2 * order),
        allowed=0.1,
        unit="orders",
    )


@given(
    mean=st.floats(-20, 80),
    gx=st.floats(-20, 20),
    gy=st.floats(-20, 20),
    nets=st.permutations(range(4)),
)
def test_twins_cancel_common_temperature_and_leave_the_gradient(
    mean: float, gx: float, gy: float, nets: list[int]
) -> None:
    drawn = mesh_samples.drawn().mesh.nets
    pair = (drawn[nets[0]].vertices, drawn[nets[1]].vertices)
    cold = twin_ratio(pair, COPPER)
    even = [np.full(sample_points_m(v)[0].shape[:2], mean) for v in pair]
    assert twin_ratio(pair, COPPER, (even[0], even[1])) == pytest.approx(cold, rel=1e-12)
    middle = 0.5 * (centroid_m(pair[0], COPPER) + centroid_m(pair[1], COPPER))
    field = [mean + (sample_points_m(v)[0] - middle) @ np.array([gx, gy]) for v in pair]
    found = twin_ratio(pair, COPPER, (field[0], field[1])) / cold - 1.0
    first = ratio_shift(pair, COPPER, np.array([gx, gy]), mean)
    assert found == pytest.approx(first, abs=1e-3 * abs(first) + 1e-12)


def test_twins_in_one_gradient_against_both_exact_integrals(truth: Truth) -> None:
    """A few fixed fields of the property above, for the table."""
    drawn = mesh_samples.drawn().mesh.nets
    pair = (drawn[0].vertices, drawn[1].vertices)
    cold = twin_ratio(pair, COPPER)
    middle = 0.5 * (centroid_m(pair[0], COPPER) + centroid_m(pair[1], COPPER))
    for mean, gradient in ((25.0, (20.0, 0.0)), (60.0, (-5.0, 12.0)), (-10.0, (3.0, -20.0))):
        way = np.array(gradient)
        field = [mean + (sample_points_m(v)[0] - middle) @ way for v in pair]
        exact = twin_ratio(pair, COPPER, (field[0], field[1])) / cold - 1.0
        truth(
            kernel="twin.resistance.ratio_shift",
            against="exact integrals of rho(T) along two drawn nets",
            found=rel_error(ratio_shift(pair, COPPER, way, mean), exact),
            allowed=1e-3,
        )


def test_matthiessen() -> None:
    """Foil of 1.80e-8 ohm m: 0.376 %/K; the product rho alpha stays."""
    assert matthiessen_alpha_1_k(1.80e-8) * 1.80e-8 == pytest.approx(6.776e-11, rel=1e-3)


def test_jumper_cut_and_in_parallel() -> None:
    arc = arc_ohm(STRAIGHT, COPPER)
    half = np.array([0.2 * arc[-1]]), np.array([0.7 * arc[-1]])
    none = np.zeros(1)
    cut = jumped_ohm(arc[-1], *half, np.full(1, 0.01), cut=True)
    assert cut == pytest.approx(0.5 * arc[-1] + 0.01)
    assert jumped_ohm(arc[-1], *half, none, cut=False) == pytest.approx(0.5 * arc[-1])
    beside = jumped_ohm(arc[-1], *half, np.array([0.5 * arc[-1]]), cut=False)
    assert beside == pytest.approx(0.75 * arc[-1])
    assert jumped_ohm(arc[-1], none, none, none, cut=False) == pytest.approx(arc[-1])


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError):
        Copper(thickness_m=18e-6, width_m=1e-4, etch_m=-2e-4)
    with pytest.raises(InputError):
        slit_squares(1.0, 1.0)
    with pytest.raises(InputError):
        hole_squares(1.0, 0.5, 0.2)
    back = np.array([[0, 0], [10, 0], [0, 0]], dtype=np.int32)
    with pytest.raises(InputError):
        squares(back, COPPER)
    jog = np.array([[0, 0], [10**6, 0], [10**6, 20000], [2 * 10**6, 20000]], dtype=np.int32)
    with pytest.raises(InputError):
        squares(jog, COPPER)
