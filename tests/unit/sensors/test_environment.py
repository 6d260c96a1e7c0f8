"""The environment's sensors on the dpa twin: what they stand in, and what is theirs alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from casemate.core.errors import InputError
from casemate.sensors.environment.physics import Environment, _sensor_rms, fit
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.effects import Force, HeatSpot, Place, Shaken, Sound
from casemate.twin.environment_sites import RACK, SITES
from casemate.twin.shaking import force_rms_m_s2, quiet_rms_m_s2, sound_rms_m_s2
from on_boards import read, with_effects, z_of

TILE = "top-1-1"


@pytest.fixture
def around(dpa_fitted: dict[str, Fitted]) -> Environment:
    fitted = dpa_fitted["environment"]
    assert isinstance(fitted, Environment)
    return fitted


def _of(around: Environment, kind: str) -> list[int]:
    return [k for k, each in enumerate(around.kind) if each == kind]


def test_one_sensor_a_face_for_what_differs_and_one_for_the_air(around: Environment) -> None:
    counts = {kind: len(_of(around, kind)) for kind in dict.fromkeys(around.kind)}
    assert counts == {"temperature": 6, "humidity": 1, "acceleration": 6}  # as its modules say
    faces = {around.twin.board(around.channels[k].tile).tile.face
             for k in _of(around, "temperature")}  # fmt: skip
    assert len(faces) == 6
    assert not any(each.excited for each in around.channels)


def test_they_read_what_they_stand_in(around: Environment, dpa_twin: Twin) -> None:
    anchor = with_effects(dpa_twin)
    moved = replace(anchor, skin_k=anchor.skin_k + 3.0, humidity=0.77)
    found = around.read(moved).quantity
    assert found[_of(around, "temperature")] == pytest.approx(np.full(6, anchor.skin_k + 3.0))
    assert found[_of(around, "humidity")] == pytest.approx([0.77])
    # all boards alike are no contrast: only the median moves
    names = around.residuals(
        found[None], np.zeros((1, found.size), np.uint16), 1, np.ones((1, found.size))
    )
    z = dict(zip(names.names, names.z[0].tolist(), strict=True))
    assert all(abs(z[f"environment/temperature/{face}"]) < 1e-9 for face in ("top", "left"))
    assert z["environment/temperature median"] > 0.3
    assert z["environment/humidity"] > 5.0


def test_a_warm_spot_is_contrast_of_its_board(around: Environment, dpa_twin: Twin) -> None:
    board = dpa_twin.board(TILE).tile
    spot = HeatSpot(
        at=Place(tile=TILE, x_m=0.5 * board.width_m, y_m=0.5 * board.height_m), watt=3.0,
        radius_m=2e-3,
    )  # fmt: skip
    found = read(around, dpa_twin, spot)
    warm = np.flatnonzero(found.quantity != around.nominal)
    assert [around.channels[k].tile for k in warm] == [TILE]
    assert np.abs(z_of(around, found)).max() > 8.0
    cold = read(around, dpa_twin, replace(spot, watt=-3.0))
    assert cold.quantity[warm] - around.nominal[warm] == pytest.approx(
        around.nominal[warm] - found.quantity[warm], rel=1e-9
    )


def test_forces_shake_their_own_face_ten_times_the_others(
    around: Environment, dpa_twin: Twin
) -> None:
    """20 dB to another face; powers of what shakes a panel add up."""
    force = Force(at=Place(tile=TILE, x_m=0.04, y_m=0.03), kind="sine", newton=3.0, hertz=400.0)
    shaken = _of(around, "acceleration")
    square = read(around, dpa_twin, force).quantity[shaken] ** 2 - around.nominal[shaken] ** 2
    mine = [around.channels[k].tile == TILE for k in shaken]
    assert sum(mine) == 1
    own, others = square[np.array(mine)][0], square[~np.array(mine)]
    assert own > 0.0 and others == pytest.approx(np.full(5, 0.01 * own), rel=1e-6)
    share = (0.04 / dpa_twin.board(TILE).tile.width_m, 0.03 / dpa_twin.board(TILE).tile.height_m)
    direct = force_rms_m_s2(dpa_twin.site.name, "sine", 3.0, 400.0, share)
    assert math.sqrt(own) == pytest.approx(direct, rel=1e-6)
    double = read(around, dpa_twin, replace(force, newton=6.0)).quantity[shaken] ** 2
    assert double - around.nominal[shaken] ** 2 == pytest.approx(4.0 * square, rel=1e-6)


def test_what_moves_the_whole_moves_all_faces(around: Environment, dpa_twin: Twin) -> None:
    shaken = _of(around, "acceleration")
    for effect, rms in (
        (Shaken(kind="noise", m_s2=2.0, hertz=500.0), 2.0),
        (Shaken(kind="sine", m_s2=2.0, hertz=50.0), math.sqrt(2.0)),
        (Sound(pascal=11.0, hertz=1e3), sound_rms_m_s2(dpa_twin.site.name, 11.0, 1e3)),
    ):
        found = read(around, dpa_twin, effect).quantity[shaken]
        assert found == pytest.approx(np.hypot(around.nominal[shaken], rms), rel=1e-9)


def test_sound_moves_panels_by_the_mass_law() -> None:
    """115 dB (11 Pa) on 2 mm of aluminium: 4 m/s2; ultrasound a tenth of it (physics.md 5.6)."""
    for site in SITES.values():
        areal = site.plate.density_kg_m3 * site.plate.thickness_m
        assert sound_rms_m_s2(site.name, 11.0, 1e3) == pytest.approx(22.0 / areal)
        assert sound_rms_m_s2(site.name, 11.0, 4e4) == pytest.approx(2.2 / areal)
    assert 22.0 / (2700.0 * 2e-3) == pytest.approx(4.0, rel=0.05)


def test_forces_of_all_kinds_are_linear_and_others_are_refused() -> None:
    for kind in ("drill", "sine", "noise", "shock"):
        one, two = (force_rms_m_s2("laboratory", kind, n, 200.0, (0.3, 0.4)) for n in (1.0, 2.0))
        assert one > 0.0 and two == pytest.approx(2.0 * one, rel=1e-6), kind
    with pytest.raises(InputError, match="wiggle"):
        force_rms_m_s2("laboratory", "wiggle", 1.0, 200.0, (0.3, 0.4))


def test_vibration_of_a_quiet_rack_is_its_fans_and_the_sensor(dpa_twin: Twin) -> None:
    around = fit(replace(dpa_twin, site=RACK))
    quiet = quiet_rms_m_s2(RACK.name)
    assert quiet > 10.0 * _sensor_rms() / 100.0
    shaken = _of(around, "acceleration")
    assert around.nominal[shaken] == pytest.approx(np.full(6, math.hypot(quiet, _sensor_rms())))
    # 25 ug/rtHz over 4 kHz: twice the 0.8 mg of 1 kHz (physics.md 5.6)
    assert _sensor_rms() < 0.05
