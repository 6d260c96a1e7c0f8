"""A stage against the course of a scene that is known whole, which is another way to the same."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.core.errors import InputError
from casemate.twin.assembly import Twin
from casemate.twin.conditions import EVEN, course
from casemate.twin.effects import Ambient, HeatSpot, Hole, Place, Scene, Spot, Timed
from casemate.twin.stage import SCENE_S, Stage

TILE = "top-1-1"
TIMES_S = np.arange(0.0, (EVEN - 2) * SCENE_S + 1.0, SCENE_S)


def scenes() -> tuple[Scene, ...]:
    spot = HeatSpot(at=Place(tile=TILE, x_m=0.01, y_m=0.01), watt=3.0, radius_m=1e-3)
    return (
        (Timed(effect=spot, start_s=60.0, stop_s=400.0),),
        (Timed(effect=Ambient(kelvin=8.0), start_s=100.0, rise_s=200.0),),
    )


@pytest.mark.parametrize("scene", scenes())
def test_what_a_scene_adds_is_what_a_course_adds(dpa_twin: Twin, scene: Scene) -> None:
    runs = [course(dpa_twin, each, TIMES_S, np.random.default_rng(3)) for each in (scene, ())]
    quiet, played = Stage(dpa_twin, seed=1), Stage(dpa_twin, seed=1)
    played.begin(scene, 0.0)
    for name in ("ambient_k", "air_k", "skin_k"):
        pairs = zip(runs[0].steps, runs[1].steps, strict=True)
        known = [getattr(a, name) - getattr(b, name) for a, b in pairs]
        found = [getattr(played.at(t), name) - getattr(quiet.at(t), name) for t in TIMES_S.tolist()]
        assert np.abs(known).max() > 0.01 or name == "ambient_k"
        assert np.allclose(found, known, atol=1e-6)


def test_a_scene_begins_when_it_is_asked_for(dpa_twin: Twin) -> None:
    stage = Stage(dpa_twin, seed=1)
    hole = Hole(at=Spot(tile=TILE, layer="In1.Cu", x_m=0.01, y_m=0.01), diameter_m=3e-4)
    stage.begin((Timed(effect=hole, start_s=1.0),), 50.0)
    assert stage.at(50.8).active == ()
    assert stage.at(51.2).active == (hole,)
    stage.begin((Timed(effect=hole, start_s=0.0),), 80.0)
    assert stage.at(80.0).active == (hole, hole)


def test_the_same_seed_gives_the_same_surroundings(dpa_twin: Twin) -> None:
    one, same, other = (Stage(dpa_twin, seed=seed) for seed in (1, 1, 2))
    times = (0.0, 3.7, 5000.0)
    assert [one.at(t) for t in times] == [same.at(t) for t in times]
    assert one.at(5000.0) != other.at(5000.0)


def test_what_cannot_be_is_refused_and_changes_nothing(dpa_twin: Twin) -> None:
    stage = Stage(dpa_twin, seed=1)
    hole = Hole(at=Spot(tile="nowhere", layer="In1.Cu", x_m=0.0, y_m=0.0), diameter_m=3e-4)
    with pytest.raises(InputError):
        stage.begin((Timed(effect=hole, start_s=0.0),), 1.0)
    assert stage.at(2.0).active == ()
