"""Passive sensors: the chain against scipy, what is seen and when, gaps, and whatever comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from small_box import Box

from casemate.core.errors import InputError
from casemate.detect import passive, pyramid
from casemate.detect.anchor import PassiveAnchor
from casemate.detect.passive import FULL, STANDS, PassiveBank, PassiveShown
from casemate.detect.response import ALERT as RESPONSE_ALERT
from casemate.detect.verdict import Verdict

ALERT = 18.0
AR = (0.6, 0.3)
LEFT = 0.5
"""Innovation of the autoregression, in spreads."""


def anchor(kinds: tuple[str, ...] = ("light", "humidity"), **changes: object) -> PassiveAnchor:
    """White light of noise 0.01, and a humidity that remembers."""
    white = np.array([each != "humidity" for each in kinds])
    count = len(kinds)
    found = PassiveAnchor(
        modality="environment", chip_s=0.1, names=tuple(f"s{k}" for k in range(count)),
        tiles=("",) * count, kind=kinds, nominal=np.where(white, 0.0, 0.4),
        spread=np.where(white, 0.01, 0.05), log=np.zeros(count, bool),
        contrast=np.zeros(count, bool),
        coefficients=np.where(white[:, None], 0.0, np.array(AR)),
        innovation=np.where(white, 1.0, LEFT), slack=np.full(count, 0.1),
        bound=np.full(count, 8.0), noise=np.where(white, 1.0, LEFT),
    )  # fmt: skip
    return replace(found, **changes)


def quiet(rows: int, seed: int, count: int = 2) -> np.ndarray:
    """Readings (rows, 2): the null of `anchor`."""
    kicks = np.random.default_rng(seed).standard_normal((rows + 200, 2))
    walk = lfilter([LEFT], [1.0, -AR[0], -AR[1]], kicks[:, 1])
    return np.stack([0.01 * kicks[200:, 0], 0.4 + 0.05 * walk[200:]], axis=1)


def run(bank: PassiveBank, values: np.ndarray, lost: np.ndarray | None = None) -> PassiveShown:
    none = np.zeros(values.shape, dtype=np.bool_)
    return bank.add(values, none if lost is None else lost)


def scores(bank: PassiveBank, values: np.ndarray) -> np.ndarray:
    """Scores after each window, (K, C)."""
    return np.stack([run(bank, row[None]).nats for row in values])


def test_the_chain_is_whitening_clipping_and_the_pyramid() -> None:
    """Against scipy's filter and the pyramid by themselves; slack is what a side loses."""
    values = quiet(300, 1)
    values[150:, 1] += 0.06
    bank = PassiveBank(anchor())
    bank.stand(np.array([0.0, 0.4]), np.zeros(2, bool))
    found = scores(bank, values)[:, 1]
    z = lfilter([1.0, -AR[0], -AR[1]], [1.0], (values[:, 1] - 0.4) / 0.05) / LEFT
    z = np.clip(z, -4.0, 4.0)[:, None]
    state = pyramid.start(1, passive.LEVELS, sided=True)
    wanted = pyramid.advance(state, (z - 0.1).astype(np.float32), (-z - 0.1).astype(np.float32))[
        :, 0
    ]
    over = wanted > pyramid.least_alarm(passive.LEVELS) - 12.0
    assert found.max() > 1.0 and np.allclose(found[over], wanted[over], atol=1e-3)


def test_batches_are_sums_over_the_root_of_their_size() -> None:
    values = quiet(400, 2) + np.array([0.004, 0.0])
    one = PassiveBank(anchor(batch=4))
    z = values[:, 0].reshape(-1, 4).sum(axis=1)[:, None] / 0.01 / 2.0
    state = pyramid.start(1, passive.LEVELS, sided=True)
    wanted = pyramid.advance(state, (z - 0.2).astype(np.float32), (-z - 0.2).astype(np.float32))[-1]
    assert run(one, values).nats[0] == pytest.approx(float(wanted[0]), abs=1e-3)


@pytest.mark.parametrize(("size", "most"), [(8.5, 6), (2.0, 20), (0.5, 500), (0.25, 4000)])
def test_what_the_fixed_limit_missed_is_seen(size: float, most: int) -> None:
    """Sizes in noises of light; 8 spreads for 3 windows saw none but the first."""
    bank, values = PassiveBank(anchor()), quiet(most + 50, 3)
    values[50:, 0] += 0.01 * size
    found = scores(bank, values)
    assert found[:50].max() < ALERT / 2.0
    assert found[50:, 0].max() >= ALERT and found[:, 1].max() < ALERT


def test_one_wild_window_is_no_alarm() -> None:
    for wild in (1e3, -1e9, 1e308, -1e308):
        bank, values = PassiveBank(anchor()), quiet(400, 4)
        values[200] += wild
        assert scores(bank, values).max() < 12.0


def test_a_slow_rise_alarms_at_the_bound_and_not_before() -> None:
    """So slow that innovations say nothing: the test of what is beyond, in spreads of 0.05."""
    rows = 3000
    bank, values = PassiveBank(anchor(slack=np.full(2, 1.5))), quiet(rows, 5)
    rise = np.linspace(0.0, 12.0, rows)
    values[:, 1] += 0.05 * rise
    found = scores(bank, values)[:, 1]
    first = int(np.argmax(found >= ALERT))
    assert found[first] >= ALERT and 7.0 < rise[first] < 9.0


def test_filters_take_their_state_before_they_speak() -> None:
    """A sensor that starts off its anchor within the bound is no alarm; beyond it, it is one."""
    for off, alarmed in ((0.2, False), (0.6, True)):
        bank, values = PassiveBank(anchor()), quiet(40, 6)
        values[:, 1] += off
        assert (scores(bank, values)[:, 1].max() >= ALERT) == alarmed


def test_gaps_leave_evidence_and_long_ones_settle_anew() -> None:
    values = quiet(500, 7)
    values[250:, 1] += 0.25  # five spreads, ten innovations at once, one in the long run
    lost = np.zeros(values.shape, dtype=np.bool_)
    lost[200:250, 1] = True
    bank = PassiveBank(anchor())
    run(bank, values[:100])
    before = run(bank, values[100:200]).nats
    after = run(bank, values[200:250], lost[200:250])
    assert after.lost.tolist() == [False, True] and after.nats[1] == before[1]
    assert scores(bank, values[250:262])[:, 1].max() < ALERT / 2.0
    # the same step without a gap is seen
    seen = PassiveBank(anchor())
    run(seen, values[:200])
    assert scores(seen, values[250:262])[:, 1].max() >= ALERT


def test_an_alarm_stands_and_clears_when_its_cause_has_gone() -> None:
    bank, values = PassiveBank(anchor()), quiet(2000, 8)
    values[100:1000, 0] += 1.0
    found = scores(bank, values)[:, 0]
    assert (found[105:1000] >= ALERT).all()
    assert found[:1000].max() >= FULL
    assert (found[1000 + STANDS + 90 :] < ALERT).all()


def test_contrast_is_against_the_median_of_what_is_there() -> None:
    kinds = ("temperature",) * 3
    bank = PassiveBank(anchor(kinds, contrast=np.ones(3, bool), nominal=np.full(3, 300.0)))
    warm = np.full((5, 3), 310.0)
    assert run(bank, warm).z.tolist() == [0.0, 0.0, 0.0]
    warm[:, 2] = np.nan
    warm[:, 1] += 0.04
    found = run(bank, warm)
    assert found.z == pytest.approx([-2.0, 2.0, 0.0]) and found.lost.tolist() == [0, 0, 1]


def test_logarithms_and_copies() -> None:
    bank = PassiveBank(anchor(("acceleration", "humidity"), log=np.array([True, False]),
                              nominal=np.array([0.1, 0.4])))  # fmt: skip
    row = np.array([[0.1 * np.e**0.05, 0.4]])
    assert run(bank, row).z == pytest.approx([5.0, 0.0])
    other = bank.copy()
    run(other, np.repeat(row, 30, axis=0))
    assert other.score[0] > 20.0 > bank.score[0] + 10.0
    bank.afresh()
    assert bank.score[0] == pyramid.NO_SCORE and bank.state.samples == 0
    assert run(bank, np.zeros((1, 2))).z[0] < -100.0


def test_the_enclosures_detector_runs_them() -> None:
    """Blocks of a reader in, an alert out, no conviction; a copy goes its own way."""
    box = Box(np.random.default_rng(12))
    box.detector.judge(0.0)
    for _ in range(4):
        calm = box.step(1000)
    assert calm.seen_by == ()
    other = box.detector.copy()

    def lit(block, drawn):
        return replace(block, values=block.values + 0.2), drawn  # two spreads

    for _ in range(4):
        found = box.step(1000, change=lit, only="climate")
    assert found.seen_by == ("climate",) and found.verdict is not Verdict.TAMPER
    assert found.level == RESPONSE_ALERT
    assert any(each.name == "surroundings" and "nats" in each.why for each in found.causes)
    assert other.judge(4.0).seen_by == ()


wild = st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 0.4, 0.01])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(wild, wild, st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_whatever_comes_the_scores_are_numbers(rows: list[tuple]) -> None:
    bank = PassiveBank(anchor())
    values = np.array([row[:2] for row in rows])
    lost = np.array([row[2:] for row in rows], dtype=np.bool_)
    found = run(bank, values, lost)
    gone = lost[-1] | ~np.isfinite(values[-1])
    assert found.lost.tolist() == gone.tolist()
    assert np.isfinite(found.nats).all() and np.isfinite(found.z).all()
    # and it works on: quiet clears it, and a jump is seen
    run(bank, quiet(1000, 9))
    assert run(bank, quiet(1, 10)).nats.max() < ALERT
    assert scores(bank, quiet(30, 11) + np.array([0.1, 0.0]))[:, 0].max() >= ALERT


def test_an_autoregression_that_explodes_is_refused() -> None:
    with pytest.raises(InputError):
        PassiveBank(anchor(coefficients=np.array([[0.0, 0.0], [0.9, 0.2]])))
    for bad in ({"innovation": np.zeros(2)}, {"slack": np.array([-1.0, 0.0])}, {"batch": 0},
                {"coefficients": np.full((2, 2), np.nan)}, {"bound": np.full(3, 8.0)}):  # fmt: skip
        with pytest.raises(InputError):
            anchor(**bad)
