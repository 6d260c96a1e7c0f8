"""One scene on a twin: same seed same result, phases, stand-ins, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from casemate.campaigns.judge import judge, phases_of
from casemate.campaigns.play import Played, instants, play
from casemate.core.errors import InputError
from casemate.core.samples import Health
from casemate.sensors.modalities import MODALITIES
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.effects import (
    BusFault,
    Effect,
    Fans,
    Force,
    Gas,
    HeatSpot,
    Hole,
    Light,
    Place,
    Spot,
    Substituted,
    SupplyDip,
    Swapped,
    Timed,
)
from on_boards import along, read

TILE = "top-1-1"
TIMES_S = np.arange(30) * 0.5
LOOPS = "loop_resistance"


def _play(
    twin: Twin, fitted: dict[str, Fitted], *effects: Effect, seed: int = 1,
    only: tuple[str, ...] = (), stop_s: float = math.inf,
) -> tuple[Played, ...]:  # fmt: skip
    scene = tuple(Timed(effect=each, start_s=5.0, stop_s=stop_s) for each in effects)
    return play(twin, scene, seed=seed, times_s=TIMES_S, ready=tuple(fitted.values()), only=only)


@pytest.mark.slow  # in each run `test_twin_play` holds the bytes of two runs and of another seed
def test_the_same_seed_gives_the_same_result(dpa_twin: Twin, dpa_fitted: dict[str, Fitted]) -> None:
    hole = Hole(at=along(dpa_twin.board(TILE), 3, 0.4), diameter_m=3e-4)
    one, two, other = (_play(dpa_twin, dpa_fitted, hole, seed=seed) for seed in (1, 1, 2))
    assert [each.modality for each in one] == [each.id for each in MODALITIES]
    for first, second, third in zip(one, two, other, strict=True):
        assert np.array_equal(first.values, second.values, equal_nan=True)
        assert np.array_equal(first.residuals.z, second.residuals.z, equal_nan=True)
        assert np.array_equal(first.silent, second.silent)
        assert not np.array_equal(first.values, third.values)
    # fitted before or fitted now, it is the same
    (fresh,) = play(
        dpa_twin, (Timed(effect=hole, start_s=5.0),), seed=1, times_s=TIMES_S, only=(LOOPS,)
    )
    assert np.array_equal(fresh.values, one[0].values)


def test_a_hole_is_seen_from_its_start_and_where_it_is(
    dpa_twin: Twin, dpa_fitted: dict[str, Fitted]
) -> None:
    hole = Hole(at=along(dpa_twin.board(TILE), 3, 0.4), diameter_m=3e-4)
    scene = (Timed(effect=hole, start_s=5.0),)
    loops, caps, tdr, cavity, around = _play(dpa_twin, dpa_fitted, hole)
    for played in (loops, caps, tdr):
        told = judge(played, scene)
        assert told.sight == "sees" and told.seen_s == 0.0
        assert told.channel.split("/")[1] == TILE
        before = told.phase("before")
        assert before is not None and before.z < 8.0 and before.sight in ("blind", "hints")
    assert judge(cavity, scene).sight in ("blind", "hints")
    assert judge(around, scene).sight in ("blind", "hints")
    assert not tdr.in_design and loops.in_design


def test_what_ends_leaves_nothing(dpa_twin: Twin, dpa_fitted: dict[str, Fitted]) -> None:
    force = Force(at=Place(tile=TILE, x_m=0.04, y_m=0.03), kind="sine", newton=5.0, hertz=300.0)
    (around,) = _play(
        dpa_twin, dpa_fitted, force, Light(lux=500.0), only=("environment",), stop_s=10.0
    )
    worst, _ = around.worst()
    during = (TIMES_S >= 5.0) & (TIMES_S < 10.0)
    assert worst[during].min() > 8.0
    assert worst[~during].max() < 8.0


def test_phases_of_scenes() -> None:
    lasting = (Timed(effect=Light(lux=1.0), start_s=3.0),)
    ending = (Timed(effect=Light(lux=1.0), start_s=3.0, stop_s=6.0),)
    times_s = np.arange(10.0)
    assert phases_of((), times_s).tolist() == ["before"] * 10
    assert phases_of(lasting, times_s).tolist() == ["before"] * 3 + ["during"] * 5 + ["after"] * 2
    assert phases_of(ending, times_s).tolist() == ["before"] * 3 + ["during"] * 4 + ["after"] * 3


def test_instants_fall_on_all_changes() -> None:
    scene = (
        Timed(effect=Light(lux=1.0), start_s=3.0, stop_s=3.001),
        Timed(effect=Light(lux=1.0), start_s=500.0, rise_s=40.0),
    )
    found = instants(scene, count=24)
    assert (np.diff(found) > 0.0).all() and found[0] == 0.0
    for each in (3.0, 500.0, 540.1):
        assert np.abs(found - each).min() < 1e-9


@pytest.mark.parametrize(
    ("effect", "flag", "sight"),
    [
        (BusFault(modality=LOOPS, kind="cut"), Health.MISSING, "unheard"),
        (BusFault(modality="", kind="stuck"), Health.STALLED, "unheard"),
        (BusFault(modality=LOOPS, kind="delay", seconds=1e-3), Health.LATE, "unheard"),
        (BusFault(modality=LOOPS, kind="reset"), Health.RESET, "unheard"),
        (SupplyDip(share=0.3, held=False), Health.MISSING, "unheard"),
        (SupplyDip(share=0.3, held=True), Health.GOOD, "blind"),
        (BusFault(modality="tdr", kind="cut"), Health.GOOD, "blind"),
    ],
)  # fmt: skip
def test_a_reader_that_is_silent_never_looks_normal(
    effect: Effect, flag: Health, sight: str, dpa_twin: Twin, dpa_fitted: dict[str, Fitted]
) -> None:
    (loops,) = _play(dpa_twin, dpa_fitted, effect, only=(LOOPS,), stop_s=10.0)
    during = (TIMES_S >= 5.0) & (TIMES_S < 10.0)
    assert (loops.health[during] == flag).all()
    assert not loops.health[~during].any()
    told = judge(loops, (Timed(effect=effect, start_s=5.0, stop_s=10.0),))
    assert told.sight == sight or (sight == "blind" and told.sight == "hints")
    gone = flag in (Health.MISSING, Health.STALLED)
    assert np.isnan(loops.values[during]).all() == gone
    assert np.isnan(loops.residuals.z[during]).all() == gone
    assert np.isfinite(loops.values[~during]).all()


def test_stand_ins_are_seen_by_challenge_delay_or_mismatch(
    dpa_twin: Twin, dpa_fitted: dict[str, Fitted]
) -> None:
    def told(kind: str, mismatch: float, delay_s: float = 0.0, tile: str = TILE) -> str:
        effect = Substituted(
            modality=LOOPS, tile=tile, kind=kind, mismatch=mismatch, delay_s=delay_s
        )  # type: ignore[arg-type]
        (loops,) = _play(dpa_twin, dpa_fitted, effect, only=(LOOPS,))
        return judge(loops, (Timed(effect=effect, start_s=5.0),)).sight

    # a whole board's old answers follow no chip and are there in silent ones: interference
    assert told("replay", 0.0) == "interference"
    assert told("dummy", 0.03) == "sees"
    assert told("emulator", 0.0, 1e-3) == "unheard"
    assert told("emulator", 0.0) in ("blind", "hints")  # a perfect one in time is what it is
    (loops,) = _play(dpa_twin, dpa_fitted, Swapped(), only=(LOOPS,))
    assert judge(loops, (Timed(effect=Swapped(), start_s=5.0),)).sight == "sees"


def test_a_recording_fools_what_is_not_asked(dpa_twin: Twin, dpa_fitted: dict[str, Fitted]) -> None:
    """Passive sensors: a heated board is hidden by a replay, and that is said in the card."""
    spot = HeatSpot(at=Place(tile=TILE, x_m=0.055, y_m=0.038), watt=20.0, radius_m=2e-3)
    hidden = Substituted(modality="environment", tile="", kind="replay", mismatch=0.0)
    for effects, sight in (((spot,), "sees"), ((spot, hidden), "blind")):
        (around,) = _play(dpa_twin, dpa_fitted, *effects, only=("environment",))
        scene = tuple(Timed(effect=each, start_s=5.0) for each in effects)
        found = judge(around, scene).sight
        assert found == sight or (sight == "blind" and found == "hints")


def test_helium_stops_accelerometers_and_their_health_says_so(
    dpa_twin: Twin, dpa_fitted: dict[str, Fitted]
) -> None:
    (around,) = _play(dpa_twin, dpa_fitted, Gas(kind="helium", share=0.1), only=("environment",))
    shaken = [k for k, each in enumerate(around.fitted.channels) if "acceleration" in each.id]
    late = TIMES_S >= 5.0
    assert (around.health[late][:, shaken] == Health.STALLED).all()
    assert np.isnan(around.values[late][:, shaken]).all()


def test_fans_shake_by_the_square_of_their_speed(dpa_twin: Twin) -> None:
    from casemate.sensors.environment.physics import fit
    from casemate.twin.environment_sites import RACK

    rack = replace(dpa_twin, site=RACK)
    around = fit(rack)
    shaken = [k for k, each in enumerate(around.channels) if "acceleration" in each.id]
    squares = [
        read(around, rack, Fans(share=share)).quantity[shaken] ** 2
        for share in (0.0, 1.0, 2.0, 3.0)
    ]
    own = squares[1] - squares[0]
    assert (own > 0.0).all()
    for speed, found in ((2.0, squares[2]), (3.0, squares[3])):
        assert found - squares[0] == pytest.approx(speed**4 * own, rel=1e-6)


@pytest.mark.parametrize(
    "spot",
    [
        Spot(tile="nowhere", layer="In1.Cu", x_m=0.01, y_m=0.01),
        Spot(tile=TILE, layer="F.Cu", x_m=0.01, y_m=0.01),
        Spot(tile=TILE, layer="In1.Cu", x_m=math.nan, y_m=0.01),
    ],
)
def test_impossible_places_are_refused(
    spot: Spot, dpa_twin: Twin, dpa_fitted: dict[str, Fitted]
) -> None:
    with pytest.raises(InputError) as caught:
        _play(dpa_twin, dpa_fitted, Hole(at=spot, diameter_m=1e-3), only=(LOOPS,))
    assert caught.value.remedy
    sound = Hole(at=replace(spot, tile=TILE, layer="In1.Cu", x_m=0.01), diameter_m=-1e-3)
    with pytest.raises(InputError, match="diameter_m"):
        _play(dpa_twin, dpa_fitted, sound, only=(LOOPS,))
    with pytest.raises(InputError, match="no modality"):
        _play(dpa_twin, dpa_fitted, only=("smell",))
