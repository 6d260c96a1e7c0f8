"""Copper under tools, nets that face, heat in a board, induced voltages: against other means."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_bvp
from shapely.geometry import LineString, Point

from casemate.mesh.model import Net, TileMesh
from casemate.twin._copper_kernel import ROOM
from casemate.twin.altered import added_squares
from casemate.twin.copper import index_copper, meet
from casemate.twin.effects import Magnetic, Radiated
from casemate.twin.facing import facing
from casemate.twin.heat_spot import HEAT_J_M3K, LOSS_W_M2K, rise_k, sheet_w_k
from casemate.twin.injection import Band, antenna_watt, net_volt
from casemate.twin.nick_table import added
from truths import Truth, abs_error, rel_error

sys.path.append(str(Path(__file__).parents[1] / "mesh"))
import mesh_samples

import small_tile


def test_tools_meet_what_shapely_says_they_meet(truth: Truth) -> None:
    """Random tools of 0.05 to 0.8 mm on a drawn tile: which nets, and how far off each."""
    generator = np.random.default_rng(21)
    mesh = mesh_samples.drawn().mesh
    copper = index_copper(mesh)
    places = generator.uniform((1e-3, 1e-3), (15e-3, 11e-3), (300, 2))
    diameter = generator.uniform(0.05e-3, 0.8e-3, 300)
    for layer in copper.layers:
        met = meet(copper, layer, places, diameter)
        lines = {k: LineString(n.vertices) for k, n in enumerate(mesh.nets) if n.layer == layer}
        worst = 0.0
        for tool, (place, size) in enumerate(zip(places, diameter, strict=True)):
            off = {k: 1e-9 * line.distance(Point(place * 1e9)) for k, line in lines.items()}
            mine = met.tool == tool
            expected = {k for k, far in off.items() if far < 0.5 * (size + copper.trace_m)}
            assert set(met.net[mine].tolist()) == expected
            for net in expected:
                ours = met.off_m[mine & (met.net == net)].min()
                worst = max(worst, abs_error(ours, off[net]))
        truth(
            kernel="twin.copper.meet",
            against="shapely's distances on a drawn tile, 300 tools a layer",
            found=worst,
            allowed=1e-12,
            unit="m",
        )


def _straight(name: str, y_nm: int, layer: str = "In1.Cu") -> Net:
    ends = np.array([[0, y_nm], [50_000_000, y_nm]], dtype=np.int32)
    return Net(name=name, layer=layer, zone=0, lane=0, vertices=ends)


def test_three_parallel_traces_face_each_other_along_their_length(truth: Truth) -> None:
    """50 mm side by side, a pitch of 0.2 mm apart; under the middle one lies a fourth."""
    nets = [_straight(name, 200_000 * k) for k, name in enumerate("abc")]
    mesh = TileMesh(
        tile="t", trace_nm=100_000, pitch_nm=200_000,
        nets=(*nets, _straight("d", 200_000, "In2.Cu")),
        terminals=(), fine_cells=0, commitment="",
    )  # fmt: skip
    found = facing(index_copper(mesh))
    assert found.pairs.tolist() == [[0, 1], [1, 2]]
    truth(
        kernel="twin.facing.facing",
        against="three parallel traces: their length",
        found=rel_error(found.metres, 0.05),
        allowed=0.005,
    )
    assert [1, 3] in found.over.tolist()
    area = found.area_m2[found.over.tolist().index([1, 3])]
    assert area == pytest.approx(0.05 * 0.2e-3, rel=0.01)


PLATE: Any = SimpleNamespace(tile=SimpleNamespace(stackup=small_tile.STACK))
SHEET = sheet_w_k(PLATE)
SETTLE_S = HEAT_J_M3K * small_tile.STACK.thickness_m / LOSS_W_M2K


def test_a_warm_spot_is_the_fin_equation_solved_elsewhere(truth: Truth) -> None:
    """In the end: (1/r)(r T')' = T/L^2, flux P/(2 pi r k t) at the spot's edge."""
    watt, long = 1.5, np.sqrt(SHEET / LOSS_W_M2K)
    radius = 0.02 * long

    def slope(r: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.vstack([y[1], y[0] / long**2 - y[1] / r])

    def ends(inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
        return np.array([inner[1] + watt / (2 * np.pi * radius * SHEET), outer[0]])

    r = np.geomspace(radius, 15 * long, 400)
    solved = solve_bvp(slope, ends, r, np.zeros((2, r.size)), tol=1e-6, max_nodes=50_000)
    assert solved.success
    at = np.geomspace(radius, 3 * long, 30)
    ours = rise_k(at, board=PLATE, watt=watt, radius_m=radius, age_s=1e6)
    truth(
        kernel="twin.heat_spot.rise_k",
        against="fin equation by collocation (scipy), to three lengths of decay",
        found=rel_error(ours, solved.sol(at)[0]),
        allowed=0.01,
    )


@pytest.mark.parametrize("age", [0.1, 1.0, 5.0])
def test_a_warm_spot_holds_the_heat_that_was_not_lost(age: float, truth: Truth) -> None:
    """All the plate: P tau (1 - exp(-t/tau)), tau = heat capacity over loss, 150 s here."""
    age_s, watt = age * SETTLE_S, 2.0
    r = np.geomspace(1e-6, 0.5, 4000)
    rise = rise_k(r, board=PLATE, watt=watt, radius_m=1e-6, age_s=age_s)
    held = np.trapezoid(rise * 2 * np.pi * r, r) * SETTLE_S * LOSS_W_M2K
    truth(
        kernel="twin.heat_spot.rise_k",
        against="balance of heat in the whole plate after 0.1, 1 and 5 time constants",
        found=rel_error(held, watt * SETTLE_S * -np.expm1(-age)),
        allowed=0.01,
    )


def test_voltages_are_those_of_faraday_and_powers_those_of_an_aperture(truth: Truth) -> None:
    """1 mT at 1 kHz through 10 cm2: 6.28 mV. 10 V/m at 3 GHz on lambda^2/(8 pi): 0.106 mW."""
    bare: Any = SimpleNamespace(shielding={})
    wide = Band(low_hz=0.0, high_hz=1e10)
    field = Magnetic(tesla=1e-3, hertz=1e3)
    truth(
        kernel="twin.injection.net_volt",
        against="Faraday: 2 pi f B A, and a thousandth rectified",
        found=rel_error(net_volt(bare, (field,), wide, np.array([1e-3])), 2 * np.pi * 1e-3),
        allowed=2e-3,
    )
    wave = Radiated(volt_m=10.0, hertz=3e9, band_hz=1e6, waveform="carrier")
    watt = 100.0 / 376.730 * 0.0999308**2 / (8 * np.pi)
    truth(
        kernel="twin.injection.antenna_watt",
        against="E^2/377 on lambda^2/(8 pi)",
        found=rel_error(antenna_watt(bare, (wave,), wide), watt),
        allowed=1e-4,
    )
    walled: Any = SimpleNamespace(shielding={"frequency_hz": [1e9, 1e10], "total_db": [60, 60]})
    assert antenna_watt(walled, (wave,), wide) == pytest.approx(1e-6 * watt, rel=1e-4)


@pytest.mark.parametrize(("diameter", "depth"), [(0.4, 0.15), (0.8, 0.5), (1.4, 0.3), (1.4, 0.8)])
def test_the_table_of_bites_and_what_it_is_of(diameter: float, depth: float, truth: Truth) -> None:
    from test_resistance import holed

    theirs = holed(diameter, 1.0 - depth + diameter / 2)
    off = 0.5 * (diameter + 1.0) - depth
    for ours in (
        added(1.0, np.array([diameter]), np.array([depth]))[0],
        added_squares(1.0, diameter, off),
    ):
        truth(
            kernel="twin.nick_table.added",
            against="finite elements (NGSolve), drill in an edge",
            found=rel_error(ours, theirs),
            allowed=0.05,
        )


def test_a_tool_wider_than_the_room_at_first_meets_all() -> None:
    """Nothing is dropped where a tool touches more segments than a drill does."""
    mesh = mesh_samples.drawn().mesh
    copper = index_copper(mesh)
    for layer, held in copper.layers.items():
        assert held.net.size > 2 * ROOM
        wide = meet(copper, layer, np.array([[8e-3, 6e-3]]), np.array([1.0]))
        nets = [k for k, name in enumerate(copper.layer_of) if name == layer]
        assert wide.net.tolist() == nets and wide.cut.all()  # each in one unbroken run
        lines = [LineString(mesh.nets[k].vertices) for k in nets]
        off_m = [line.distance(Point(8e6, 6e6)) * 1e-9 for line in lines]
        np.testing.assert_allclose(wide.off_m, off_m, atol=1e-9)
