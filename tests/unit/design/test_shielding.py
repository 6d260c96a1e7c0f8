"""Shielding against the check values of reference/cad_em.md section 2.2 and a full-wave solver."""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from casemate.design.cavity import SlottedBox, lowest_resonance_hz, robinson_db
from casemate.design.shielding import (
    absorption_db,
    combined_db,
    grid_db,
    guide_db,
    honeycomb_cells,
    many_db,
    reflection_db,
    round_guide_db,
    seam_db,
    sheet_db,
    slot_db,
    thin_sheet_db,
)

COPPER = 5.8e7
ALUMINIUM = 3.5e7
MHZ = (50, 100, 200, 400, 600, 700, 800, 1000)

BOXES = {
    "300-100x5": SlottedBox(
        a_m=0.3, b_m=0.12, d_m=0.3, slot_m=0.1, width_m=5e-3, wall_m=1.5e-3, p_m=0.15
    ),
    "300-200x30": SlottedBox(
        a_m=0.3, b_m=0.12, d_m=0.3, slot_m=0.2, width_m=30e-3, wall_m=1.5e-3, p_m=0.15
    ),
    "222-100x5": SlottedBox(
        a_m=0.222, b_m=0.055, d_m=0.146, slot_m=0.1, width_m=5e-3, wall_m=1.5e-3, p_m=0.073
    ),
}
ROBINSON = [
    ("300-100x5", 0, (60.03, 53.79, 46.88, 36.83, 22.98, -9.70, 17.40, 20.15)),
    ("300-100x5", 1, (39.32, 39.20, 38.71, 36.68, 32.82, 23.97, 27.18, 14.36)),
    ("300-200x30", 0, (43.86, 37.55, 30.34, 18.73, -0.95, -9.52, -8.17, 11.49)),
    ("222-100x5", 0, (52.35, 46.25, 39.89, 32.47, 26.36, 23.12, 19.50, 9.51)),
]


@pytest.mark.parametrize(("box", "field", "row"), ROBINSON)
def test_robinson_rows_of_the_reference(box: str, field: int, row: tuple[float, ...]) -> None:
    got = [robinson_db(f * 1e6, BOXES[box])[field] for f in MHZ]
    assert got == pytest.approx(row, abs=0.011)


def test_robinson_dips_at_703_mhz() -> None:
    box = BOXES["300-100x5"]
    dip = min((robinson_db(f * 1e4, box)[0], f / 100) for f in range(69000, 72000))[1]
    assert dip == pytest.approx(703.15, abs=0.02)


@pytest.mark.parametrize(
    ("f_hz", "um", "sigma", "want", "within"),
    [
        (1e4, 35, COPPER, 111.6, 0.06),
        (1e6, 35, COPPER, 111.7, 0.06),
        (1e8, 35, COPPER, 134.1, 0.1),
        (1e9, 35, COPPER, 223.6, 0.2),
        (1e4, 70, COPPER, 117.7, 0.06),
        (1e6, 70, COPPER, 117.9, 0.06),
        (1e8, 70, COPPER, 180.1, 0.1),
        (1e9, 70, COPPER, 369.0, 0.6),
        (1e4, 1000, ALUMINIUM, 136.7, 0.6),
        (1e6, 1000, ALUMINIUM, 208.0, 2.0),
    ],
)
def test_sheets(f_hz: float, um: float, sigma: float, want: float, within: float) -> None:
    assert sheet_db(f_hz, um * 1e-6, sigma) == pytest.approx(want, abs=within)


def test_sheet_parts_of_copper_35_um() -> None:
    assert absorption_db(1e4, 35e-6, COPPER) == pytest.approx(0.46, abs=0.005)
    assert absorption_db(1e9, 35e-6, COPPER) == pytest.approx(145, abs=1)
    rows = [reflection_db(f, 1.0) for f in (1e4, 1e6, 1e8, 1e9)]
    assert rows == pytest.approx([128.0, 108.0, 88.0, 78.0], abs=0.15)


def test_a_thick_sheet_does_not_underflow() -> None:
    assert sheet_db(1e8, 1e-3, ALUMINIUM) > 1000
    assert math.isfinite(sheet_db(18e9, 1.5e-3, 6e6, mu_r=200))


def test_sheet_tends_to_the_thin_sheet_formula() -> None:
    resistance = 1 / (COPPER * 1e-8)
    assert sheet_db(1e3, 1e-8, COPPER) == pytest.approx(thin_sheet_db(resistance), abs=1e-3)


def test_grids_and_slots() -> None:
    rows = [grid_db(f, 2e-3, 0.2e-3) for f in (1e8, 1e9, 1e10)]
    assert rows == pytest.approx([52.1, 32.1, 12.4], abs=0.06)
    rows = [grid_db(f, 0.5e-3, 0.15e-3) for f in (1e8, 1e9, 1e10)]
    assert rows == pytest.approx([71.6, 51.6, 31.6], abs=0.06)
    rows = [slot_db(f, m) for m in (0.1, 0.01) for f in (1e8, 1e9)]
    assert rows == pytest.approx([23.5, 3.5, 43.5, 23.5], abs=0.06)


@pytest.mark.parametrize(
    ("cell", "depth", "one", "count", "minus"),
    [
        (3.2, 12.7, (108, 106, 100), 10149, (40, 80)),
        (4.8, 12.7, (72, 68, 59), 4510, (37, 73)),
        (6.35, 25.4, (109, 99, 71), 2577, (34, 68)),
    ],
)
def test_honeycombs(
    cell: float, depth: float, one: tuple[float, ...], count: int, minus: tuple[float, float]
) -> None:
    got = [guide_db(f * 1e9, cell * 1e-3, depth * 1e-3) for f in (1, 10, 18)]
    assert got == pytest.approx(one, abs=0.6)
    cells = honeycomb_cells(0.09, cell * 1e-3)
    assert cells == pytest.approx(count, abs=1.5)
    assert -many_db(0.0, cells, coherent=False) == pytest.approx(minus[0], abs=0.6)
    assert -many_db(0.0, cells, coherent=True) == pytest.approx(minus[1], abs=0.6)


def test_a_guide_above_cut_off_keeps_nothing() -> None:
    assert guide_db(47e9, 3.2e-3, 12.7e-3) == 0.0
    assert round_guide_db(0.4e9, 50e-3, 0.15, eps_r=80.0) == 0.0  # water passes 390 MHz and more
    assert round_guide_db(0.38e9, 50e-3, 0.15, eps_r=80.0) > 0.0


def test_seam_near_field_and_slope() -> None:
    near = seam_db(1e5, 1e-3, 0.0, 0.3)
    assert near == pytest.approx(20 * math.log10(math.pi * 0.3 * 376.73 / 2e-3), abs=0.01)
    assert seam_db(1e5, 1e-2, 0.0, 0.3) == pytest.approx(near - 20, abs=1e-6)


def test_parallel_paths() -> None:
    assert combined_db([60, 60], coherent=False) == pytest.approx(60 - 3.0103, abs=1e-4)
    assert combined_db([60, 60], coherent=True) == pytest.approx(60 - 6.0206, abs=1e-4)
    assert combined_db([20, 5000], coherent=False) == pytest.approx(20)


def test_full_wave_solver_agrees_on_the_lowest_resonance() -> None:
    # ngsolve and build123d each bring their own OCCT: never both in one process
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        solved = other.submit(_full_wave_resonance).result(timeout=120)
    assert lowest_resonance_hz((0.3, 0.12, 0.3)) == pytest.approx(706.618e6, abs=1e3)
    assert solved == pytest.approx(lowest_resonance_hz((0.3, 0.12, 0.3)), rel=2e-3)


def _full_wave_resonance() -> float:
    import ngsolve
    from netgen.occ import Box, OCCGeometry, Pnt

    shape = Box(Pnt(0, 0, 0), Pnt(0.3, 0.12, 0.3))
    shape.faces.name = "wall"
    mesh = ngsolve.Mesh(OCCGeometry(shape).GenerateMesh(maxh=0.1))
    space = ngsolve.HCurl(mesh, order=2, dirichlet="wall")
    u, v = space.TnT()
    a = ngsolve.BilinearForm(ngsolve.curl(u) * ngsolve.curl(v) * ngsolve.dx).Assemble()
    m = ngsolve.BilinearForm(u * v * ngsolve.dx).Assemble()
    found = _eigenvalues(a.mat, m.mat, space.FreeDofs(), near=200.0)
    return min(math.sqrt(x) for x in found if x > 1.0) * 299_792_458.0 / (2 * math.pi)


def _eigenvalues(stiff: object, mass: object, free: object, near: float) -> list[float]:
    import numpy as np
    import scipy.sparse as sp
    from scipy.sparse.linalg import eigsh

    keep = np.flatnonzero(np.array(list(free), dtype=bool))  # type: ignore[call-overload]

    def csr(matrix: object) -> sp.csc_matrix:
        values, columns, starts = matrix.CSR()  # type: ignore[attr-defined]
        shape = (len(starts) - 1, len(starts) - 1)
        whole = sp.csr_matrix((np.array(values), np.array(columns), np.array(starts)), shape=shape)
        return whole[keep][:, keep].tocsc()

    found = eigsh(csr(stiff), k=3, M=csr(mass), sigma=near, return_eigenvectors=False)
    return [float(x) for x in found]
