"""Mode counts, losses and the modal sum against exact modes of boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from casemate.twin.cavity_box import box_modes, fields, green, random_places
from casemate.twin.cavity_budget import Absorber, Cavity, Walls, losses, mean_gain, wall_m2
from casemate.twin.cavity_modes import box_indices, modal_overlap, mode_density_1_hz, weyl_count
from casemate.twin.cavity_opening import Opening, hole_m2, opening_change, opening_m2, slot_m2
from casemate.twin.line_materials import C0_M_S, MU0_H_M
from truths import Truth, abs_error, db_error, rel_error

BOX = (0.44, 0.5, 0.13)
"""A server of 19 inches, 0.0286 m3."""


def test_the_smooth_count_follows_the_exact_modes_of_a_box(truth: Truth) -> None:
    f_hz = np.linspace(1e9, 8e9, 60)
    exact = np.searchsorted(box_indices(BOX, 8.1e9)[1], f_hz, side="right")
    gap = exact - weyl_count(BOX, f_hz)
    assert abs(gap.mean()) < 1.5
    truth(
        kernel="twin.cavity_modes.weyl_count",
        against="exact modes of a box counted to 8 GHz, over all of them",
        found=float(np.abs(gap).max() / exact[-1]),
        allowed=0.006,
    )
    bare = exact - 8 / 3 * np.pi * np.prod(BOX) * (f_hz / C0_M_S) ** 3
    assert bare.mean() < -10  # without the edge term the count is wrong one way


def test_the_lowest_mode_of_the_reference_box_is_exact(truth: Truth) -> None:
    truth(
        kernel="twin.cavity_modes.box_indices",
        against="TE101 of 300 x 120 x 300 mm, 706.62 MHz",
        found=rel_error(box_indices((0.3, 0.12, 0.3), 1e9)[1][0], 706.618e6),
        allowed=1e-5,
    )


def test_density_and_overlap_have_the_figures_of_the_reference() -> None:
    f_hz = np.array([5e9])
    assert mode_density_1_hz(0.028, f_hz)[0] == pytest.approx(0.65e-6, rel=0.01)
    step = np.array([5e9 - 1e6, 5e9 + 1e6])
    slope = np.diff(weyl_count(BOX, step))[0] / 2e6
    volume_m3 = float(np.prod(BOX))
    assert mode_density_1_hz(volume_m3, f_hz, sum(BOX))[0] == pytest.approx(slope, rel=1e-6)
    assert modal_overlap(0.028, np.array([147.0]), f_hz)[0] == pytest.approx(22, rel=0.03)


def _exact_wall_q(size_m: tuple[float, ...], f_max_hz: float, f_min_hz: float) -> float:
    """Volume over wall integral of the exact mode fields; harmonic mean of Q times delta."""
    modes = box_modes(size_m, f_max_hz)  # type: ignore[arg-type]
    k = np.linalg.norm(modes.wave_1_m, axis=1)
    chosen = k > 2 * np.pi * f_min_hz / C0_M_S
    wave, h = modes.wave_1_m[chosen], np.cross(modes.wave_1_m, modes.amplitude)[chosen]
    zero = wave == 0
    sin2, cos2 = np.where(zero, 0.0, 0.5), np.where(zero, 1.0, 0.5)
    # H_x = h_x sin(k_x x) cos(k_y y) cos(k_z z)
    other = [(1, 2), (0, 2), (0, 1)]
    volume = sum(
        h[:, i] ** 2 * sin2[:, i] * cos2[:, other[i][0]] * cos2[:, other[i][1]] for i in range(3)
    ) * np.prod(size_m)
    wall = np.zeros(h.shape[0])
    for normal in range(3):
        for i in other[normal]:
            third = 3 - normal - i
            mean = h[:, i] ** 2 * sin2[:, i] * cos2[:, third]
            wall += 2 * np.prod(size_m) / size_m[normal] * mean
    return float(1 / np.mean(wall / (2 * volume)))


def test_wall_loss_is_that_of_the_exact_fields(truth: Truth) -> None:
    exact = _exact_wall_q(BOX, 6e9, 5e9)  # Q times skin depth
    area = 2 * (BOX[0] * BOX[1] + BOX[0] * BOX[2] + BOX[1] * BOX[2])
    f_hz = np.array([5.5e9])
    walls = Walls(area_m2=area)
    delta = 1 / np.sqrt(np.pi * f_hz * MU0_H_M * walls.conductivity_s_m)
    q = 2 * np.pi * np.prod(BOX) * f_hz / (C0_M_S * wall_m2(walls, f_hz))
    truth(
        kernel="twin.cavity_budget.wall_m2",
        against="wall integrals of the exact fields of a box, 5 to 6 GHz",
        found=rel_error(q * delta, exact),
        allowed=0.06,
    )
    assert wall_m2(Walls(area_m2=1.0), np.array([5e9]))[0] == pytest.approx(8.4e-5, rel=0.02)


def test_the_budget_adds_up_and_gives_the_q_of_the_reference() -> None:
    body = Absorber(f_hz=(2e9, 8e9), area_m2=(0.02, 0.02), source="planning value")
    cavity = Cavity(volume_m3=0.028, walls=Walls(area_m2=0.7), absorbers=(body,), antennas=2)
    found = losses(cavity, np.array([5e9]))
    parts = found.walls_m2 + found.absorbers_m2 + found.openings_m2 + found.antennas_m2
    assert found.total_m2 == pytest.approx(parts)
    slit = Opening(length_m=0.05, width_m=1e-3)
    many = Cavity(
        volume_m3=0.028,
        walls=Walls(area_m2=0.7, mu_r=4.0),
        absorbers=(replace(body, count=3),),
        openings=(replace(slit, count=5),),
        antennas=2,
        antenna_efficiency=0.5,
    )
    more = losses(many, found.f_hz)
    assert more.absorbers_m2 == pytest.approx(3 * found.absorbers_m2)
    assert more.openings_m2 == pytest.approx(5 * opening_m2(slit, found.f_hz))
    assert more.walls_m2 == pytest.approx(2 * found.walls_m2)  # root of mu_r
    assert more.antennas_m2 == pytest.approx(0.5 * found.antennas_m2)
    assert found.antennas_m2 == pytest.approx(2 * (C0_M_S / found.f_hz) ** 2 / (8 * np.pi))
    alone = losses(Cavity(volume_m3=0.028, walls=Walls(area_m2=0.0), absorbers=(body,)), found.f_hz)
    assert alone.q[0] == pytest.approx(147, rel=0.01)
    assert alone.bandwidth_hz[0] == pytest.approx(34e6, rel=0.01)
    assert 10 * np.log10(mean_gain(alone)[0]) == pytest.approx(-21.5, abs=0.2)


def test_the_modal_sum_of_a_box_has_the_level_of_the_power_balance(truth: Truth) -> None:
    """<|G|^2> = 1/(18 pi A) between random places and directions, whatever the volume."""
    generator = np.random.default_rng(7)
    modes, q, f0 = box_modes(BOX, 7.5e9), 147.0, 4.5e9
    places, axes = random_places(BOX, 24, 0.03, generator)
    left = fields(modes, places, axes)
    f_hz = f0 * np.linspace(0.93, 1.07, 41)
    power = np.mean(np.abs(green(modes, q, f_hz, left[:12], left[12:])) ** 2)
    absorption = 2 * np.pi * np.prod(BOX) * f0 / C0_M_S / q
    truth(
        kernel="twin.cavity_box.green",
        against="level of the power balance, 1/(18 pi A)",
        found=rel_error(power * 18 * np.pi * absorption, 1.0),
        allowed=0.3,
    )
    truth(
        kernel="twin.cavity_budget.mean_gain",
        against="modal sum of a box between matched short dipoles",
        found=db_error(_dipole_gain(power, f0), mean_gain_of(absorption, f0)),
        allowed=1.5,
        unit="dB",
    )


def _dipole_gain(green_squared: float, f_hz: float) -> float:
    """Return |S21|^2 of two lossless matched short dipoles from the mean |G|^2 between them.

    A dipole of moment j omega p = I l radiates eta k^2 (I l)^2/(12 pi); its field is omega mu0 I l
    |G|; a matched short dipole takes |E l|^2/(8 R) with R = eta k^2 l^2/(6 pi). Peak values.
    """
    k, eta = 2 * np.pi * f_hz / C0_M_S, MU0_H_M * C0_M_S
    sent_w = eta * k**2 / (12 * np.pi)
    field2 = (2 * np.pi * f_hz * MU0_H_M) ** 2 * green_squared
    return float(field2 / (8 * eta * k**2 / (6 * np.pi)) / sent_w)


def mean_gain_of(absorption_m2: float, f_hz: float) -> float:
    body = Absorber(f_hz=(f_hz,), area_m2=(absorption_m2,), source="planning value")
    cavity = Cavity(volume_m3=0.0286, walls=Walls(area_m2=0.0), absorbers=(body,))
    return float(mean_gain(losses(cavity, np.array([f_hz])))[0])


def test_modes_are_normalised_and_free_of_divergence(truth: Truth) -> None:
    modes = box_modes((0.3, 0.25, 0.2), 2e9)
    assert np.abs((modes.wave_1_m * modes.amplitude).sum(axis=1)).max() < 1e-9
    nodes, weight = np.polynomial.legendre.leggauss(20)
    grid = np.stack(np.meshgrid(*([0.5 * (nodes + 1)] * 3), indexing="ij"), axis=-1).reshape(-1, 3)
    share = np.einsum("i,j,k->ijk", weight, weight, weight).ravel() / 8
    places = grid * np.array(modes.size_m)
    parts = [fields(modes, places, np.tile(axis, (places.shape[0], 1))) for axis in np.eye(3)]
    overlap = sum((p * share[:, None]).T @ p for p in parts) * np.prod(modes.size_m)
    truth(
        kernel="twin.cavity_box.box_modes",
        against="Gauss-Legendre integrals of products of the fields: unit matrix",
        found=abs_error(overlap, np.eye(overlap.shape[0])),
        allowed=1e-6,
        unit="of 1",
    )


def test_a_small_hole_leaks_what_bethe_averaged_over_incidence_does(truth: Truth) -> None:
    radius, f_hz = 1e-3, np.array([8e9])
    k = 2 * np.pi * f_hz[0] / C0_M_S
    cosine = (np.arange(2000) + 0.5) / 2000
    te, tm = cosine**2, 1 + (1 - cosine**2) / 4
    mean = 64 / (27 * np.pi) * k**4 * radius**6 * np.mean(0.5 * (te + tm))
    truth(
        kernel="twin.cavity_opening.hole_m2",
        against="Bethe's dipoles integrated over incidence",
        found=rel_error(hole_m2(2 * radius, f_hz)[0], 0.5 * mean),
        allowed=1e-4,
    )
    assert hole_m2(0.3, f_hz)[0] == pytest.approx(np.pi * 0.15**2 / 4)


def test_a_resonant_slot_takes_as_much_as_a_matched_antenna() -> None:
    f_hz = np.linspace(1e9, 4e9, 601)
    area = slot_m2(0.06, 0.5e-3, f_hz) / ((C0_M_S / f_hz) ** 2 / (8 * np.pi))
    assert area.max() == pytest.approx(1.0, abs=0.01)
    assert f_hz[np.argmax(area > 0.99)] == pytest.approx(C0_M_S / 0.12, rel=0.09)
    assert np.abs(np.diff(area)).max() < 0.1  # no jump where one form takes over


def test_an_opening_changes_the_response_by_its_share_of_the_losses() -> None:
    slit = Opening(length_m=0.05, width_m=1e-3)
    f_hz = np.array([2e9, 6e9])
    change, fall = opening_change(slit, np.array([0.02, 0.02]), f_hz)
    assert change == pytest.approx(opening_m2(slit, f_hz) / (0.02 + opening_m2(slit, f_hz)))
    assert fall == pytest.approx(change)
    hole = Opening(length_m=0.3e-3, width_m=0.3e-3)
    assert 10 * np.log10(opening_change(hole, np.array([0.02]), np.array([8e9]))[0][0]) < -120
