"""Air against the figures of reference/cad_em.md section 5."""

from __future__ import annotations

import pytest

from casemate.design.air import (
    Vent,
    flow_share,
    honeycomb_pa,
    inlet_rise_k,
    screen_k,
    skin_rise_k,
    vent_pa,
)


@pytest.mark.parametrize(
    ("cell", "depth", "want"),
    [
        (3.2, 12.7, (1.4, 5.2, 14.5)),
        (4.8, 12.7, (0.9, 3.4, 9.6)),
        (6.35, 25.4, (1.0, 3.7, 10.3)),
        (3.2, 25.4, (2.3, 7.8, 20.9)),
    ],
)
def test_honeycomb_table(cell: float, depth: float, want: tuple[float, ...]) -> None:
    got = [honeycomb_pa(u, cell * 1e-3, depth * 1e-3, 0.95) for u in (1.0, 2.5, 5.0)]
    assert got == pytest.approx(want, rel=0.02, abs=0.06)


def test_grille_table() -> None:
    assert [screen_k(a) for a in (0.3, 0.5, 0.7)] == pytest.approx([14.0, 4.0, 1.35], rel=0.003)
    assert screen_k(1.0) == 0.0


def test_the_lamella_is_counted() -> None:
    bare = Vent(cell_m=3.2e-3, depth_m=12.7e-3, open_share=0.95)
    full = Vent(cell_m=3.2e-3, depth_m=12.7e-3, open_share=0.95, lamella_open_share=0.5)
    extra = vent_pa(1.0, 1.0, full) - vent_pa(1.0, 1.0, bare)
    assert extra == pytest.approx(4.0 * 0.5 * 1.2, rel=1e-9)


def test_fixed_fans_lose_flow_and_gain_temperature() -> None:
    assert flow_share(0.0) == 1.0
    assert flow_share(100.0, stall_pa=100.0) == pytest.approx(0.5**0.5)
    heat = 1.2 * 1006.0 * 0.98 * 15.0  # 15 K at full flow
    assert inlet_rise_k(100.0, heat, 0.98) == pytest.approx(15 * (2**0.5 - 1))
    assert heat == pytest.approx(17e3, rel=0.05)  # the rack's own figure


def test_a_closed_rack_cannot_shed_its_heat() -> None:
    assert skin_rise_k(340.0, 8.74) == pytest.approx(10.0)
    assert skin_rise_k(17e3, 8.74) > 300
