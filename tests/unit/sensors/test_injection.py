"""Interference is never taken for a change, and a change under interference is still seen."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.campaigns.judge import SEES, judge
from casemate.campaigns.play import Played, play
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.effects import (
    Aperture,
    Conducted,
    Effect,
    Hole,
    Magnetic,
    Radiated,
    Scatterer,
    Timed,
)
from on_boards import along

TILE = "top-1-1"
EXCITED = ("loop_resistance", "mesh_capacitance", "tdr", "rf_cavity")
TIMES_S = np.arange(40) * 0.5
POWERS = (0.1, 3.0, 100.0)
"""From what is common to what only a bench gives, in each unit of FIELDS."""


def _inside(hertz: float, band_hz: float, waveform: str, volt_m: float, duty: float) -> Radiated:
    return Radiated(
        volt_m=volt_m, hertz=hertz, band_hz=band_hz, waveform=waveform, duty=duty, inside=True
    )  # type: ignore[arg-type]


FIELDS = {
    "tone at a carrier": lambda p: _inside(1e5, 0.0, "tone", 100.0 * p, 1.0),
    "tone in the cavity's band": lambda p: _inside(5e9, 0.0, "tone", p, 1.0),
    "swept": lambda p: _inside(6e9, 6e9, "swept", p, 1.0),
    "pulsed": lambda p: _inside(4e9, 1e8, "pulsed", p, 0.1),
    "noise": lambda p: _inside(1e9, 2e9, "noise", p, 1.0),
    "replay": lambda p: _inside(6e9, 6e9, "replay", p, 1.0),
    "radio outside": lambda p: Radiated(volt_m=10.0 * p, hertz=3e9, band_hz=1e6, waveform="noise"),
    "magnetic": lambda p: Magnetic(tesla=1e-5 * p, hertz=50.0),
    "magnetic at a carrier": lambda p: Magnetic(tesla=1e-6 * p, hertz=1e5),
    "conducted, slow": lambda p: Conducted(volt=p, hertz=100.0, band_hz=10.0, waveform="tone"),
    "conducted at a carrier": lambda p: Conducted(
        volt=p, hertz=1e5, band_hz=100.0, waveform="noise"
    ),
}


def _jammed(twin: Twin, fitted: dict[str, Fitted], *scene: Timed, seed: int) -> tuple[Played, ...]:
    ready = tuple(fitted.values())
    return play(twin, scene, seed=seed, times_s=TIMES_S, ready=ready, only=EXCITED)


@pytest.mark.parametrize("name", FIELDS)
def test_interference_is_never_a_change(
    name: str, dpa_fitted: dict[str, Fitted], dpa_twin: Twin
) -> None:
    """At any power no residual passes SEES; whoever is reached hears it in silent chips."""
    heard = []
    for number, power in enumerate(POWERS):
        effect: Effect = FIELDS[name](power)
        scene = Timed(effect=effect, start_s=4.0, stop_s=16.0)
        for played in _jammed(dpa_twin, dpa_fitted, scene, seed=number):
            worst, which = played.worst()
            assert worst.max() < SEES, (
                f"{played.modality} at {power}: {played.residuals.names[which[worst.argmax()]]} "
                f"reads {worst.max():.1f}"
            )
            told = judge(played, (scene,))
            if told.sight == "interference":
                heard.append(played.modality)
                assert played.silent[TIMES_S < 4.0].max() < 2.5
    assert heard, "nobody hears it"


def test_a_cut_under_jamming_is_still_seen(dpa_fitted: dict[str, Fitted], dpa_twin: Twin) -> None:
    """Jam, then drill: the field is there before, during and after the hole."""
    spot = along(dpa_twin.board(TILE), 3, 0.4)
    hole = Timed(effect=Hole(at=spot, diameter_m=3e-4), start_s=8.0)
    for name in ("magnetic", "conducted, slow", "tone at a carrier"):
        jam = Timed(effect=FIELDS[name](30.0), start_s=2.0, stop_s=18.0)
        loops, caps, tdr, _ = _jammed(dpa_twin, dpa_fitted, jam, hole, seed=7)
        for played in (loops, caps, tdr):
            worst, which = played.worst()
            after, before = worst[TIMES_S >= 8.0], worst[TIMES_S < 8.0]
            assert before.max() < SEES
            assert after.min() > SEES, f"{played.modality} under {name}: {after.min():.1f}"
            tile = played.residuals.tiles[which[-1]]
            assert tile == TILE


def test_a_jammed_cavity_says_that_it_is_blind(
    dpa_fitted: dict[str, Fitted], dpa_twin: Twin
) -> None:
    """A rod under a strong field is lost, and judged interference, never nothing."""
    rod = Scatterer(x_m=0.03, y_m=0.03, z_m=0.005, length_m=0.016, diameter_m=3e-4)
    scene = (
        Timed(effect=FIELDS["swept"](30.0), start_s=2.0),
        Timed(effect=rod, start_s=8.0),
    )
    *_, cavity = _jammed(dpa_twin, dpa_fitted, *scene, seed=2)
    assert judge(cavity, scene).sight == "interference"
    alone = scene[1:]
    *_, cavity = _jammed(dpa_twin, dpa_fitted, *alone, seed=2)
    assert judge(cavity, alone).sight == "sees"


def test_an_opening_lets_a_change_through_and_is_none_of_interference(
    dpa_fitted: dict[str, Fitted], dpa_twin: Twin
) -> None:
    scene = (Timed(effect=Aperture(face="top", length_m=0.08, width_m=5e-3), start_s=5.0),)
    *_, cavity = _jammed(dpa_twin, dpa_fitted, *scene, seed=4)
    told = judge(cavity, scene)
    assert told.sight == "sees" and told.phase("after") is not None
    assert cavity.silent.max() < 2.5
