"""The radio cavity on the dpa twin: blind-spot law, stretch, openings, relays, stand-ins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from casemate.sensors.card import load_card
from casemate.sensors.modality import Fitted
from casemate.sensors.rf_cavity.physics import RfCavity, air_of, rod_m2
from casemate.sensors.standing_in import delivered
from casemate.twin.assembly import Twin
from casemate.twin.cavity_needle import Needle, needle_m2
from casemate.twin.cavity_opening import Opening, opening_change
from casemate.twin.cavity_stretch import stretch
from casemate.twin.conditions import anchor_of
from casemate.twin.effects import Aperture, Gas, Relay, Scatterer, Substituted, Swapped
from casemate.twin.injection import attenuation
from on_boards import read, with_effects, z_of


@pytest.fixture
def rf(dpa_fitted: dict[str, Fitted]) -> RfCavity:
    fitted = dpa_fitted["rf_cavity"]
    assert isinstance(fitted, RfCavity)
    return fitted


def _rods(twin: Twin, count: int, **shape: float) -> list[Scatterer]:
    generator = np.random.default_rng(8)
    size, origin = np.array(twin.volume.size_m), np.array(twin.volume.origin_m)
    places = origin + generator.random((count, 3)) * size
    return [Scatterer(x_m=x, y_m=y, z_m=z, **shape) for x, y, z in places.tolist()]


def _shares(rf: RfCavity, twin: Twin, rods: list[Scatterer]) -> np.ndarray:
    """Return |dH|^2 over the level of each tone, (rods, links, tones)."""
    found = [read(rf, twin, rod).quantity - rf.nominal for rod in rods]
    return np.abs(np.array(found).reshape(len(rods), len(rf.links), -1)) ** 2 / rf.level**2


def test_a_rod_changes_links_by_the_blind_spot_law(rf: RfCavity, dpa_twin: Twin) -> None:
    """Mean over 200 places of |dH|^2/|H|^2 is sigma/A; a single place may be 20 dB below."""
    rods = _rods(dpa_twin, 200, length_m=0.01, diameter_m=3e-4)
    shares = _shares(rf, dpa_twin, rods)
    law = needle_m2(Needle(depth_m=0.01, diameter_m=3e-4), rf.f_hz) / rf.absorption_m2
    ratio = (shares / law).mean()
    assert 0.5 < ratio < 2.0
    by_tone = (shares / law).mean(axis=(0, 1))
    assert (by_tone > 1 / 3).all() and (by_tone < 3.0).all()
    assert np.percentile(shares / law, 1) < 0.01


def test_rods_of_a_millimetre_are_below_any_noise(rf: RfCavity, dpa_twin: Twin) -> None:
    """1 mm, 0.1 mm thick: below -70 dB at 8 GHz and no residual; 16 mm are seen."""
    at_8 = int(np.argmin(np.abs(rf.f_hz - 8e9)))
    rods = _rods(dpa_twin, 20, length_m=1e-3, diameter_m=1e-4)
    assert _shares(rf, dpa_twin, rods)[:, :, at_8].mean() < 1e-7
    still = z_of(rf, read(rf, dpa_twin), 1)
    for rod in rods:
        assert np.abs(z_of(rf, read(rf, dpa_twin, rod), 1) - still).max() < 0.01
    long = _rods(dpa_twin, 20, length_m=0.016, diameter_m=1e-4)
    seen = [z_of(rf, read(rf, dpa_twin, rod), 1).max() for rod in long]
    assert np.median(seen) > 8.0


def test_glass_is_far_weaker_than_metal(rf: RfCavity) -> None:
    """0.125 mm x 10 mm: some 60 dB below, as reference/physics.md 5.5 has it."""
    metal = Scatterer(x_m=0.0, y_m=0.0, z_m=0.0, length_m=0.01, diameter_m=1.25e-4)
    share = rod_m2(replace(metal, epsilon_r=4.0), rf.f_hz) / rod_m2(metal, rf.f_hz)
    assert (share < 1e-4).all()


def test_stretch_is_seen_in_the_reading_and_fitted_out(rf: RfCavity, dpa_twin: Twin) -> None:
    anchor = with_effects(dpa_twin)
    warm = replace(anchor, air_k=anchor.air_k + 10.0, humidity=anchor.humidity + 0.1)
    found = rf.read(warm)
    eps = stretch(rf.anchor_air, air_of(warm), rf.card["expansion"])
    assert eps > 1e-4
    exact = rf.links_at(rf.f_hz * (1.0 + eps)).reshape(-1)
    assert found.quantity == pytest.approx(exact, rel=1e-9)
    moved = np.mean(np.abs(found.quantity - rf.nominal) ** 2) / np.mean(np.abs(rf.nominal) ** 2)
    left = rf._ratios(found.quantity[None], 1, np.ones((1, found.quantity.size)))[0]
    assert moved > 1e-6
    power = rf.card["noise"] + rf.card["drift"]
    assert (left * power < 0.01 * moved).all()


def test_a_common_complex_gain_is_fitted_out(rf: RfCavity) -> None:
    turned = (0.9 + 0.2j) * rf.nominal[None]
    left = rf._ratios(turned, 1, np.ones(turned.shape))
    assert (left < 1e-20).all()


def test_an_opening_takes_its_share_of_the_level(rf: RfCavity, dpa_twin: Twin) -> None:
    """A lid that is off, 60 drawn fields: mean power and mean change by sigma/(A + sigma)."""
    lid = Opening(length_m=0.1, width_m=0.07)
    change, fall = opening_change(lid, rf.absorption_m2, rf.f_hz)
    assert 0.2 < fall.mean() < 0.6
    before = rf.nominal.reshape(len(rf.links), -1)
    after = np.array(
        [
            read(
                replace(rf, twin=replace(dpa_twin, seed=seed)),
                dpa_twin,
                Aperture(face=face, length_m=0.1, width_m=0.07),
            ).quantity
            for face in ("front", "rear", "left", "right", "top", "bottom")
            for seed in range(10)
        ]
    ).reshape(60, *before.shape)
    power, moved = (np.mean(np.abs(each) ** 2, axis=(0, 1)) for each in (after, after - before))
    own = np.mean(np.abs(before) ** 2, axis=0)
    # of this unit's own field, and of the level that the unrelated part has on average
    fresh = fall * (1.0 - fall) * rf.level**2
    assert power.sum() == pytest.approx(((1.0 - fall) ** 2 * own + fresh).sum(), rel=0.06)
    assert moved.sum() == pytest.approx((fall**2 * own + fresh).sum(), rel=0.06)
    # where a unit has the mean level, both are the share itself
    assert (1.0 - fall) ** 2 + fall * (1.0 - fall) == pytest.approx(1.0 - fall)
    assert fall**2 + fall * (1.0 - fall) == pytest.approx(change)


def test_helium_lowers_the_index_and_nitrogen_does_not(rf: RfCavity, dpa_twin: Twin) -> None:
    helium = read(rf, dpa_twin, Gas(kind="helium", share=1.0)).quantity
    exact = rf.links_at(rf.f_hz * (1.0 + 3.3e-5 - 2.7e-4)).reshape(-1)
    assert helium == pytest.approx(exact, rel=1e-9)
    assert read(rf, dpa_twin, Gas(kind="nitrogen", share=1.0)).quantity == pytest.approx(rf.nominal)


def test_a_switched_rod_is_half_there_and_heard_in_all_chips(rf: RfCavity, dpa_twin: Twin) -> None:
    (rod,) = _rods(dpa_twin, 1, length_m=0.016, diameter_m=3e-4)
    steady = read(rf, dpa_twin, rod)
    switched = read(rf, dpa_twin, replace(rod, switch_hz=1e3))
    change = steady.quantity - rf.nominal
    assert switched.quantity - rf.nominal == pytest.approx(0.5 * change, rel=1e-9)
    # half of the change, up or down, in both parts together
    assert np.sqrt(2.0) * switched.additive == pytest.approx(0.5 * np.abs(change), rel=1e-9)
    assert not steady.additive.any()


def test_a_relay_passes_the_wall_twice(rf: RfCavity, dpa_twin: Twin) -> None:
    """Of unit gain there is left attenuation squared: 1e-2 behind a wall of 20 dB."""
    table = {"frequency_hz": [1e9, 2e10], "total_db": [20.0, 20.0]}
    enclosure = replace(dpa_twin.enclosure, shielding=table)
    walled = replace(rf, twin=replace(dpa_twin, enclosure=enclosure))

    def added(of: RfCavity, gain_db: float, delay_s: float = 5e-8) -> np.ndarray:
        return read(of, dpa_twin, Relay(gain_db=gain_db, delay_s=delay_s)).quantity - rf.nominal

    strong = added(walled, 40.0)
    share = np.abs(strong.reshape(len(rf.links), -1)) / (100.0 * rf.level * 1e-2)
    assert np.mean(share**2) == pytest.approx(1.0, rel=0.25)
    assert strong == pytest.approx(10.0 * added(walled, 20.0), rel=1e-6)
    assert np.abs(added(walled, 40.0, 6e-8)) == pytest.approx(np.abs(strong), rel=1e-6)


def test_the_dpa_wall_is_open_in_the_cavity_band(rf: RfCavity, dpa_twin: Twin) -> None:
    """A doubt, kept in sight: by its own design nothing shields 3 to 9 GHz. Change the README too.

    Seams resonate there; the target of 40 dB ends at 1 GHz. Jamming and relays meet no wall.
    """
    wall = [attenuation(dpa_twin.enclosure, f) for f in rf.f_hz.tolist()]
    assert wall == pytest.approx([1.0] * len(wall))
    assert attenuation(dpa_twin.enclosure, 1e9) < 0.01


def test_stand_ins_for_the_cavity(rf: RfCavity, dpa_twin: Twin) -> None:
    """A replay follows no chip; another unit has nothing in common; a good copy passes."""
    anchor, still = anchor_of(dpa_twin), rf.read(anchor_of(dpa_twin))

    def got(effect: Substituted | Swapped) -> np.ndarray:
        return delivered(rf, still, replace(anchor, active=(effect,)), 3).quantity

    replayed = Substituted(modality="rf_cavity", tile="", kind="replay", mismatch=0.0)
    assert not got(replayed).any()
    power = np.mean(np.abs(rf.nominal) ** 2)
    swapped = got(Swapped())
    assert np.mean(np.abs(swapped) ** 2) == pytest.approx(power, rel=0.2)
    assert abs(np.vdot(swapped, rf.nominal)) / rf.nominal.size < 0.2 * power
    for mismatch in (0.01, 0.03, 0.1):
        copy = Substituted(modality="rf_cavity", tile="", kind="emulator", mismatch=mismatch)
        off = np.mean(np.abs(got(copy) - rf.nominal) ** 2) / power
        assert off == pytest.approx(mismatch**2, rel=0.3)


def test_all_of_it_is_called_simulated() -> None:
    card = load_card("rf_cavity")
    assert card.maturity == "simulated" and "simulated" in card.senses
