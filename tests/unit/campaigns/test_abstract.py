"""Abstract attacks against closed forms, the exact CUSUM, and planted weaknesses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from abstract_samples import NOISE, Boards, anchor, target
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.campaigns.abstract import TAIL, Attack, left, play, stretches, target_of
from casemate.campaigns.commission import BOUND
from casemate.campaigns.copies import Copies, Weakness, part_of, walk_of
from casemate.campaigns.curves import watched
from casemate.campaigns.rarity.exact import Cusum, mean_delay
from casemate.core.errors import CampaignError
from casemate.detect.anchor import NONE
from casemate.detect.bank import LEVELS
from casemate.detect.evidence import Evidence
from casemate.detect.response import SEAL
from casemate.detect.verdict import Court, Verdict


def test_the_same_seed_gives_the_same_result() -> None:
    attack = Attack(size=3.0 * NOISE, rise_s=2.0, hold_s=30.0, louder=3.0, duty=0.5)
    assert play(target(), attack, seed=(1,)) == play(target(), attack, seed=(1,))
    assert play(target(), attack, seed=(1,)) != play(target(), attack, seed=(2,))


def test_delays_are_those_of_the_matched_cusum_for_a_weak_change_in_quiet() -> None:
    """One noise of a window a window: lambda of 1 is in the grid, so only its share is lost."""
    tiny = target(bound=1e-9 * NOISE, step=1e-9 * NOISE, rate=0.0, grouped=False)
    size = NOISE / math.sqrt(88.0)
    run = watched(tiny, np.full(300, size), seed=(4,), looks=tuple(range(1, 200)))
    delays = run.delays_s(tiny.policy.nats[SEAL], 1.0)
    assert np.isfinite(delays).all()
    members = Evidence.start(1, LEVELS).rates.size
    limit = tiny.policy.nats[SEAL] + math.log(tiny.policy.features * 2.0 * members)
    exact = mean_delay(Cusum(k=0.5, h=limit), 1.0)
    assert delays.mean() == pytest.approx(exact, rel=0.12)


def test_noise_of_l_lowers_information_by_its_square() -> None:
    one = target(features=1, grouped=False)
    one = replace(one, anchors=one.anchors[1:], which=0)
    lost = [left(one, Attack(louder=each, hold_s=5.0)) for each in (1e2, 1e3, 1e9)]
    assert (lost[0] - lost[2]) / (lost[1] - lost[2]) == pytest.approx(100.0, rel=1e-6)
    # and so it does on the detectors' own meter
    shown = []
    for louder in (1e2, 1e3):
        many = Copies(one.anchor, one.shift(False), 1, np.random.default_rng(1))
        shown.append(many.watch(np.zeros((30, 1)), np.full(30, louder)).information[0])
    assert shown[0] / shown[1] == pytest.approx(100.0, rel=0.15)


def test_surroundings_walk_at_the_anchors_figures() -> None:
    one = anchor(features=1, bound=BOUND, rate=0.1, common=0.0)
    spread, memory_s = walk_of(one)
    assert spread[0] == 1.0
    assert 10.0 / (10.0 + memory_s[0]) == pytest.approx((0.1 * 10.0 / BOUND) ** 2)
    many = Copies(one, np.ones(1), 2000, np.random.default_rng(1))
    before = many.around.copy()
    many.follow(lambda _: np.zeros(2000), 0.0, memory_s[0])
    between = np.corrcoef(before, many.around)[0, 1]
    assert many.around.std() == pytest.approx(1.0, abs=0.06)
    assert between == pytest.approx(math.exp(-1.0), abs=0.08)
    # window by window they go as far as in one step of the same time
    few = Copies(one, np.ones(1), 500, np.random.default_rng(1))
    before = few.around.copy()
    few.watch(np.zeros((100, 500)), np.ones(100))
    kept = np.corrcoef(before, few.around)[0, 1]
    assert kept == pytest.approx(math.exp(-10.0 / memory_s[0]), abs=0.02)


def test_fused_evidence_is_what_the_court_finds() -> None:
    one = target()
    many = Copies(one.anchor, one.shift(False), 1, np.random.default_rng(1))
    shown = many.watch(np.full((5, 1), 6.0 * NOISE), np.ones(5))
    judged = Court(policy=one.policy).judge(0.5, (shown,))
    assert many.fused(shown, one.policy.features)[0] == pytest.approx(judged.nats)
    assert judged.nats > 0.0


def test_copies_do_not_know_of_each_other() -> None:
    one = anchor()
    many = part_of(one, np.arange(4), 3)
    assert many.group.tolist() == [0] * 4 + [1] * 4 + [2] * 4 and many.common.size == 3
    free = part_of(anchor(grouped=False), np.array([1, 2]), 2)
    assert free.group.tolist() == [NONE] * 4
    moved = Copies(one, np.ones(4), 2, np.random.default_rng(1))
    shown = moved.watch(np.tile([0.0, 50.0 * NOISE], (5, 1)), np.ones(5))
    nats = moved.fused(shown, 100)
    assert nats[0] < 0.0 < nats[1]


def test_a_jump_is_seen_and_a_bounded_walk_is_not() -> None:
    one = target()
    seen = play(one, Attack(size=6.0 * NOISE, hold_s=3.0), seed=(1,))
    assert seen.verdict is Verdict.TAMPER and seen.margin > 0.0 and 0.0 < seen.delay_s < 3.0
    unseen = play(one, Attack(size=2.0 * NOISE, rise_s=3600.0, hold_s=3600.0), seed=(1,))
    assert unseen.verdict is Verdict.NORMAL and unseen.level == 0 and math.isnan(unseen.delay_s)
    far = play(one, Attack(size=9.0 * NOISE, rise_s=3600.0, hold_s=3600.0), seed=(1,))
    assert far.verdict is Verdict.TAMPER


def test_noise_is_noticed_denied_and_sealed_in_this_order_and_never_more() -> None:
    one = target()
    quiet = play(one, Attack(hold_s=15.0), seed=(1,))
    assert (quiet.level, quiet.verdict) == (0, Verdict.NORMAL) and quiet.notice < 0.0
    weak = play(one, Attack(hold_s=3.0, louder=4.0), seed=(1,))
    assert (weak.level, weak.verdict) == (1, Verdict.INTERFERENCE) and weak.notice > 0.0
    brief = play(one, Attack(hold_s=3.0, louder=1e4), seed=(1,))
    assert (brief.level, brief.verdict) == (1, Verdict.DENIED) and brief.information < 0.0
    long = play(one, Attack(hold_s=15.0, louder=1e4), seed=(1,))
    assert long.level == 2 and long.shut > 0.0 > long.margin
    assert long.delay_s == pytest.approx(one.policy.blind_s, abs=5.0)


def test_energy_is_power_by_time() -> None:
    attack = Attack(hold_s=9.5, louder=11.0, duty=0.5)
    assert attack.energy == pytest.approx(120.0 * 0.5 * 10.0)
    loud, _ = attack.factors(-10, 115, 0.1)
    assert (loud**2 - 1.0).sum() * 0.1 == pytest.approx(attack.energy, rel=0.02)


def test_an_adversary_that_spares_silent_chips_is_heard_all_the_same() -> None:
    told = play(target(), Attack(hold_s=3.0, louder=10.0, spared=1.0), seed=(1,))
    assert told.notice > 0.0
    deaf = play(target(), Attack(hold_s=3.0, louder=10.0), seed=(1,), weakness=Weakness(mute=True))
    assert deaf.notice < 0.0 and deaf.verdict is Verdict.NORMAL


@settings(max_examples=25, deadline=None)
@given(
    louder=st.floats(0.0, 6.0), duty=st.floats(0.05, 1.0), spared=st.floats(0.0, 1.0),
    hold_s=st.floats(0.5, 15.0), seed=st.integers(0, 9),
)  # fmt: skip
def test_noise_alone_never_reaches_beyond_sealing(
    louder: float, duty: float, spared: float, hold_s: float, seed: int
) -> None:
    attack = Attack(louder=10.0**louder, duty=duty, spared=spared, hold_s=hold_s)
    told = play(target(), attack, seed=(seed,))
    assert told.level <= SEAL and told.verdict is not Verdict.TAMPER and told.margin < 0.0


@given(rise_s=st.floats(0.0, 1e9), hold_s=st.floats(0.1, 1e9), undone=st.booleans())
def test_stretches_follow_each_other_up_to_the_end(
    rise_s: float, hold_s: float, undone: bool
) -> None:
    attack = Attack(size=1.0, rise_s=rise_s, hold_s=hold_s, undone=undone)
    rows = stretches(attack, 0.1)
    ends = [first + count for first, count, _ in rows]
    assert all(a <= b for a, (b, _, _) in zip(ends, rows[1:], strict=False))
    assert ends[-1] == round(attack.lasts_s / 0.1) + TAIL
    assert all(looks[-1] == end for (_, _, looks), end in zip(rows, ends, strict=True))
    assert attack.moved(-1.0) == 0.0
    assert attack.moved(rise_s + 0.5 * hold_s) == pytest.approx(1.0)
    assert attack.moved(attack.lasts_s + 0.5) == (0.0 if undone else pytest.approx(1.0))


def test_the_target_is_the_middle_of_the_median_board() -> None:
    boards = {
        f"b{count}": (
            anchor("loop_resistance", features=2),
            anchor(features=count, tile=f"b{count}"),
        )
        for count in (9, 3, 5)
    }
    found = target_of(Boards(boards=boards), "mesh_capacitance")  # type: ignore[arg-type]
    assert found.tile == "b5" and found.anchor.modality == "mesh_capacitance"
    lean = found.lean()
    assert len(lean.anchor.names) <= 4
    assert lean.anchor.names[lean.feature] == found.anchor.names[found.feature]
    with pytest.raises(CampaignError, match="tdr"):
        target_of(Boards(boards=boards), "tdr")  # type: ignore[arg-type]


def test_what_is_left_out_of_a_lean_target_changes_no_verdict() -> None:
    full, lean = target(features=9), target(features=9).lean()
    for attack in (
        Attack(size=6.0 * NOISE),
        Attack(louder=1e4, hold_s=3.0),
        Attack(size=2.0 * NOISE, rise_s=3600.0),
        Attack(size=80.0 * NOISE, rise_s=1e5, whole=True),
    ):
        a, b = play(full, attack, seed=(1,)), play(lean, attack, seed=(1,))
        assert (a.verdict, a.level) == (b.verdict, b.level)
