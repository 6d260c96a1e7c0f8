"""Verdict and level: the table row by row, and what noise alone can never set off."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core.errors import InputError
from casemate.detect.bank import Shown
from casemate.detect.causes import causes
from casemate.detect.passive import PassiveShown
from casemate.detect.response import ALERT, LATCH, LOG, SEAL, ZEROISE, policy
from casemate.detect.verdict import FORGIVEN, Court, Judged, Verdict

COUNT = 10
POLICY = policy(far_per_year=0.1, features=2 * COUNT, window_s=0.1)


def shown(modality: str = "loop_resistance", **changes: object) -> Shown:
    """Return a quiet modality of ten features on two boards, changed as asked."""
    zero = np.zeros(COUNT)
    no = np.zeros(COUNT, bool)
    quiet = Shown(
        modality=modality,
        names=tuple(f"f{k}" for k in range(COUNT)),
        tiles=tuple("ab"[k // 5] for k in range(COUNT)),
        anchored=zero - 1.0,
        step=zero - 1.0,
        interference=zero,
        information=zero + 60.0,
        healthy=zero + 60.0,
        window_s=0.1,
        open_=no,
        lost=no,
        off=zero,
        at_bound=no,
        shared=no,
    )
    return replace(quiet, **changes)


def speaking(nats: float, feature: int = 3) -> np.ndarray:
    """Return anchored evidence with which a feature alone fuses to `nats`."""
    found = np.full(COUNT, -1.0)
    found[feature] = nats + math.log(2.0 * 2 * COUNT)
    return found


def passive(kind: str, z: float, nats: float = 60.0) -> PassiveShown:
    return PassiveShown(
        modality="environment",
        names=(kind,),
        tiles=("",),
        kind=(kind,),
        z=np.array([z]),
        lost=np.array([False]),
        nats=np.array([nats]),
    )


def judged(*rows: Shown, sensors: tuple[PassiveShown, ...] = (), seconds: float = 0.1) -> Judged:
    return Court(policy=POLICY).judge(1.0, rows, sensors, seconds=seconds)


CAP = "mesh_capacitance"
OPEN = np.arange(COUNT) == 3
ALL = np.ones(COUNT, bool)
S, L, Z = (POLICY.nats[k] + 0.5 for k in (SEAL, LATCH, ZEROISE))
LIGHT = (passive("light", 50.0),)
WARM = (passive("temperature", 50.0),)
TABLE = [
    ((shown(),), (), Verdict.NORMAL, LOG),
    ((shown(interference=np.full(COUNT, 99.0)),), (), Verdict.INTERFERENCE, ALERT),
    ((shown(information=np.zeros(COUNT)),), (), Verdict.DENIED, ALERT),
    ((), (), Verdict.DENIED, ALERT),
    ((shown(anchored=speaking(POLICY.nats[ALERT] + 0.5)),), (), Verdict.NORMAL, ALERT),
    ((shown(step=speaking(S)),), (), Verdict.TAMPER, SEAL),
    ((shown(step=speaking(L)),), (), Verdict.TAMPER, SEAL),
    ((shown(step=speaking(L)), shown(CAP, step=speaking(9.0))), (), Verdict.TAMPER, SEAL),
    ((shown(step=speaking(L)), shown(CAP, step=speaking(12.5))), (), Verdict.TAMPER, LATCH),
    ((shown(step=speaking(L)),), LIGHT, Verdict.TAMPER, LATCH),
    # heat and humidity move all of a board, in both modalities: one witness
    (
        (shown(step=speaking(L), shared=ALL), shown(CAP, step=speaking(12.5), shared=ALL)),
        (),
        Verdict.TAMPER,
        SEAL,
    ),
    (
        (shown(step=speaking(L), shared=ALL), shown(CAP, step=speaking(12.5))),
        (),
        Verdict.TAMPER,
        LATCH,
    ),
    ((shown(step=speaking(Z), shared=ALL),), LIGHT, Verdict.TAMPER, SEAL),
    (
        (
            shown(step=speaking(Z), shared=ALL, open_=OPEN),
            shown(CAP, step=speaking(12.5), shared=ALL),
        ),
        (),
        Verdict.TAMPER,
        ZEROISE,
    ),
    ((shown(step=speaking(L)),), WARM, Verdict.TAMPER, SEAL),
    ((shown(step=speaking(Z)), shown(CAP, step=speaking(12.5))), (), Verdict.TAMPER, LATCH),
    ((shown(step=speaking(Z), open_=OPEN),), (), Verdict.TAMPER, SEAL),
    (
        (shown(step=speaking(Z), open_=OPEN), shown(CAP, step=speaking(12.5))),
        (),
        Verdict.TAMPER,
        ZEROISE,
    ),
    ((shown(step=speaking(Z)), shown(CAP, step=speaking(12.5))), LIGHT, Verdict.TAMPER, ZEROISE),
    ((shown(),), LIGHT, Verdict.NORMAL, ALERT),
    ((shown(open_=OPEN),), (), Verdict.NORMAL, ALERT),
    ((shown(open_=OPEN, information=np.where(OPEN, 0.0, 60.0)),), (), Verdict.DENIED, ALERT),
]


@pytest.mark.parametrize("row", TABLE)
def test_the_table(row: tuple) -> None:
    rows, sensors, verdict, level = row
    found = judged(*rows, sensors=sensors)
    assert (found.verdict, found.level) == (verdict, level)


any_nats = st.floats(-700.0, POLICY.nats[SEAL] - 5.0)
wild = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(math.nan))


@settings(max_examples=120, deadline=None)
@given(
    st.lists(any_nats, min_size=COUNT, max_size=COUNT),
    st.lists(wild, min_size=COUNT, max_size=COUNT),
    st.lists(st.floats(0.0, 1e9), min_size=COUNT, max_size=COUNT),
    st.lists(st.booleans(), min_size=COUNT, max_size=COUNT),
    st.floats(0.0, 1e6),
    st.sampled_from(["light", "pressure", "acceleration", "temperature"]),
)
def test_noise_alone_reaches_sealing_at_most_and_never_tamper(
    nats: list[float], information: list[float], heard: list[float], lost: list[bool],
    seconds: float, kind: str,
) -> None:  # fmt: skip
    one = shown(
        anchored=np.array(nats), step=np.array(nats[::-1]), information=np.array(information),
        interference=np.array(heard), lost=np.array(lost),
    )  # fmt: skip
    found = judged(
        one, shown(CAP, lost=np.array(lost)), sensors=(passive(kind, 99.0),), seconds=seconds
    )
    assert found.level <= SEAL and found.verdict is not Verdict.TAMPER
    if any(math.isnan(each) for each in information):
        assert found.verdict is Verdict.DENIED


@pytest.mark.parametrize("name", ["anchored", "step", "information", "interference"])
def test_what_is_not_a_number_is_never_normal(name: str) -> None:
    bad = np.array(getattr(shown(), name))
    bad[4] = np.nan
    assert judged(shown(**{name: bad})).verdict is not Verdict.NORMAL


def test_nothing_to_look_at_and_clocks_that_run_back() -> None:
    court = Court(policy=POLICY, expected=("loop_resistance", CAP))
    assert court.judge(1.0, (shown(), shown(CAP))).verdict is Verdict.NORMAL
    missing = court.judge(2.0, (shown(),))
    assert missing.verdict is Verdict.DENIED and CAP in missing.findings[0]
    for now, seconds in ((math.nan, 0.1), (3.0, -1.0), (3.0, math.inf)):
        with pytest.raises(InputError):
            court.judge(now, (shown(),), seconds=seconds)


def test_blind_time_is_summed_and_forgiven_slowly() -> None:
    court = Court(policy=POLICY)
    dark = shown(information=np.zeros(COUNT))
    levels = [court.judge(k / 10, (dark if k % 200 < 60 else shown(),)).level for k in range(500)]
    first = levels.index(SEAL)
    assert 200 < first < 260
    assert court.blind_s == pytest.approx(18.0 - 32.0 * FORGIVEN, abs=1e-6)
    court.judge(1e6, (shown(),), seconds=86_400.0)
    assert court.blind_s == 0.0


def test_onset_holds_from_the_first_sign_to_the_last() -> None:
    court = Court(policy=POLICY)
    assert math.isnan(court.judge(1.0, (shown(),)).onset_s)
    assert court.judge(2.0, (shown(interference=np.full(COUNT, 99.0)),)).onset_s == 1.9
    assert court.judge(3.0, (shown(step=speaking(S)),)).onset_s == 1.9
    assert math.isnan(court.judge(4.0, (shown(),)).onset_s)


def test_copies_go_their_own_way() -> None:
    court = Court(policy=POLICY, expected=(CAP,))
    twin = court.copy()
    court.judge(1.0, ())
    assert (twin.blind_s, twin.expected) == (0.0, (CAP,)) and math.isnan(twin.onset_s)
    assert court.blind_s == pytest.approx(0.1)


def test_place_items_and_who_saw_it() -> None:
    found = judged(shown(step=speaking(S, 7)), shown(CAP))
    assert (found.tile, found.seen_by) == ("b", ("loop_resistance",))
    assert [each.name for each in found.items] == ["f7"]
    assert found.nats == pytest.approx(S, abs=1e-6)


@pytest.mark.parametrize(
    ("row", "sensors", "first"),
    [
        (shown(step=speaking(S)), (), "local change of the mesh"),
        (shown(step=np.full(COUNT, 40.0)), (), "change of the whole"),
        (shown("rf_cavity", step=np.full(COUNT, 40.0)), (), "change in the volume"),
        (shown(step=speaking(S), open_=OPEN), (), "conductor cut"),
        (shown(open_=np.arange(COUNT) < 5), (), "board unplugged"),
        (shown(lost=np.ones(COUNT, bool)), (), "reader or its bus lost"),
        (
            shown(step=np.full(COUNT, 40.0), off=np.full(COUNT, -1.0)),
            (),
            "reader replaced or replayed",
        ),
        (shown(interference=np.full(COUNT, 99.0)), (), "injected interference"),
        (shown(), LIGHT, "surroundings"),
    ],
)
def test_causes_are_ranked(row: Shown, sensors: tuple[PassiveShown, ...], first: str) -> None:
    found = causes((row, shown(CAP)), sensors, POLICY)
    assert found[0].name == first and found[0].why
    assert sum(each.weight for each in found) == pytest.approx(1.0)
    assert causes((shown(),), (), POLICY) == ()


def test_thresholds_follow_from_budgets() -> None:
    windows = 365.25 * 86_400.0 / 0.1
    rates = {ALERT: 12.0, SEAL: 0.1, LATCH: 0.01, ZEROISE: 0.001}
    for level, rate in rates.items():
        assert POLICY.nats[level] == pytest.approx(math.log(windows / rate), rel=1e-12)
        assert POLICY.levels[level].per_year == pytest.approx(rate)
    assert POLICY.nats[LOG] == 0.0
    assert POLICY.interference == pytest.approx(math.log(windows / 12.0 * 2 * COUNT))
    assert POLICY.passive_alert == pytest.approx(math.log(windows / 12.0 * 2 * 64))
    assert POLICY.passive_entry == pytest.approx(math.log(windows / 0.001 * 2 * 64))
    strict = policy(far_per_year=1e-3, features=1, window_s=0.5)
    assert [each.per_year for each in strict.levels[3:]] == pytest.approx([1e-4, 1e-5])
    assert list(POLICY.nats) == sorted(POLICY.nats)
    assert [each.reversible for each in POLICY.levels] == [True, True, True, False, False]
    for bad in ({"far_per_year": 0.0}, {"far_per_year": math.nan}, {"features": 0}):
        with pytest.raises(InputError):
            policy(**{"far_per_year": 0.1, "features": 3, "window_s": 0.1, **bad})


@pytest.mark.parametrize(("nats", "level"), [(-1.0, LOG), (0.5, ALERT)])
def test_passive_sensors_alert_at_their_threshold(nats: float, level: int) -> None:
    sensors = (passive("temperature", 3.0, POLICY.passive_alert + nats),)
    found = judged(shown(), sensors=sensors)
    assert found.level == level and found.verdict is Verdict.NORMAL
    assert found.seen_by == (("environment",) if level == ALERT else ())


@pytest.mark.parametrize(("nats", "level"), [(-1.0, SEAL), (0.5, LATCH)])
def test_what_cannot_be_undone_asks_more_of_a_passive_sensor(nats: float, level: int) -> None:
    sensors = (passive("light", 9.0, POLICY.passive_entry + nats),)
    assert judged(shown(step=speaking(L)), sensors=sensors).level == level


def test_a_mute_passive_sensor_is_a_finding() -> None:
    mute = replace(passive("light", 0.0, -1.0), lost=np.array([True]))
    found = judged(shown(), sensors=(mute,))
    assert found.level == ALERT and "mute" in found.findings[0]
