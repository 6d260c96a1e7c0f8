"""Whatever readers send, in any order: no exception, a verdict, never a quiet one by default."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from small_box import CHIP_S, Box, flagged

from casemate.core.challenge import chips
from casemate.core.samples import Block, Health
from casemate.detect.response import SEAL
from casemate.detect.verdict import Verdict


def values_of(block, values):
    return Block(t_s=block.t_s, chip=block.chip, values=values, health=block.health)


def columns_of(block, count):
    return Block(t_s=block.t_s, chip=block.chip, values=block.values[:, :count],
                 health=block.health[:, :count])  # fmt: skip


def rows_of(block, rows):
    return Block(t_s=block.t_s[rows], chip=block.chip[rows], values=block.values[rows],
                 health=block.health[rows])  # fmt: skip


def one_more(block):
    wide = np.hstack([block.values, block.values[:, :1]])
    return Block(t_s=block.t_s, chip=block.chip, values=wide,
                 health=np.hstack([block.health, block.health[:, :1]]))  # fmt: skip


def rail(block, c):
    """Return a converter that stands at its upper end and says so, whatever is asked."""
    return replace(flagged(block, Health.CLIPPED), values=np.full_like(block.values, 1e3))


DEAF = {
    "nothing comes": lambda b, c: None,
    "not a number": lambda b, c: (values_of(b, b.values * np.nan), c),
    "infinite": lambda b, c: (values_of(b, np.full_like(b.values, np.inf)), c),
    "minus infinite": lambda b, c: (values_of(b, np.full_like(b.values, -np.inf)), c),
    "flagged missing": lambda b, c: (flagged(b, Health.MISSING), c),
    "flagged unit": lambda b, c: (flagged(b, Health.UNIT), c),
    "all flags": lambda b, c: (flagged(b, Health(511)), c),
    "clipped without sign": lambda b, c: (flagged(b, Health.CLIPPED), c),
    "a channel lost": lambda b, c: (columns_of(b, b.values.shape[1] - 1), c),
    "a channel added": lambda b, c: (one_more(b), c),
    "no channels": lambda b, c: (columns_of(b, 0), c),
    "no rows": lambda b, c: (rows_of(b, slice(0, 0)), c),
    "no chips": lambda b, c: (b, None),
    "old epoch": lambda b, c: (b, replace(c, epoch=0)),
    "other numbers": lambda b, c: (replace(b, chip=b.chip + 10**9), c),
    "numbers below 0": lambda b, c: (replace(b, chip=b.chip - 10**9), c),
    "time is nan": lambda b, c: (replace(b, t_s=b.t_s * np.nan), c),
}  # fmt: skip
"""After which a modality tells nothing."""
STRANGE = {
    "stuck": lambda b, c: (values_of(b, np.repeat(b.values[:1], len(b.values), axis=0)), c),
    "at the rail": lambda b, c: (rail(b, c), c),
    "one nan": lambda b, c: (flagged(b, Health.GOOD, slice(0, 1), slice(0, 1)), c),
    "half missing": lambda b, c: (rows_of(b, slice(0, None, 2)), c),
    "first missing": lambda b, c: (rows_of(b, slice(len(b.chip) // 2, None)), c),
    "twice": lambda b, c: (rows_of(b, np.repeat(np.arange(len(b.chip)), 2)), c),
    "turned round": lambda b, c: (rows_of(b, slice(None, None, -1)), c),
    "time runs back": lambda b, c: (replace(b, t_s=b.t_s[::-1].copy()), c),
    "an hour ago": lambda b, c: (replace(b, t_s=b.t_s - 3600.0), c),
    "in an hour": lambda b, c: (replace(b, t_s=b.t_s + 3600.0), c),
    "late by half a second": lambda b, c: (replace(b, t_s=b.t_s + 0.5), c),
    "one wild number": lambda b, c: (replace(b, chip=np.where(b.chip % 7 == 0, 2**60, b.chip)), c),
    "whole numbers": lambda b, c: (values_of(b, np.zeros(b.values.shape, dtype=np.int64)), c),
    "single": lambda b, c: (values_of(b, b.values.real.astype(np.float32)), c),
    "loud": lambda b, c: (values_of(b, b.values + 1e6 * (b.chip[:, None] % 5 - 2.0)), c),
}  # fmt: skip
"""Of which some chips may count, and more."""
KEYED = ("loops", "plates", "cavity")


class Machine(RuleBasedStateMachine):
    """Good chips and faults in any order."""

    @initialize(seed=st.integers(0, 2**32 - 1), settled=st.booleans())
    def begin(self, seed, settled):
        self.box = Box(np.random.default_rng(seed))
        self.deaf_s = dict.fromkeys(KEYED, 0.0)
        self.judged = None
        self.taken(self.box.step(2500 if settled else 50), 0.0, "")

    def taken(self, judged, seconds, deaf):
        self.judged = judged
        for name in KEYED:
            self.deaf_s[name] = self.deaf_s[name] + seconds if deaf in (name, "*") else 0.0

    @rule(count=st.integers(1, 700))
    def good(self, count):
        self.taken(self.box.step(count), 0.0, "")

    @rule(what=st.sampled_from(sorted(DEAF)), only=st.sampled_from([*KEYED, "climate", "*"]),
          count=st.integers(1, 700))  # fmt: skip
    def deaf(self, what, only, count):
        judged = self.box.step(count, DEAF[what], "" if only == "*" else only)
        self.taken(judged, count * CHIP_S, only)

    @rule(what=st.sampled_from(sorted(STRANGE)), only=st.sampled_from([*KEYED, "climate", ""]),
          count=st.integers(1, 700))  # fmt: skip
    def strange(self, what, only, count):
        self.taken(self.box.step(count, STRANGE[what], only), 0.0, "")

    @rule(back_s=st.sampled_from([0.0, 1.0, 1e6, float("nan"), float("-inf"), float("inf")]))
    def clock(self, back_s):
        self.judged = self.box.detector.judge(self.box.now_s - back_s)

    @rule(count=st.integers(1, 400))
    def unknown(self, count):
        drawn = self.box.asked("loops", count)
        self.box.detector.add("sonar", self.box.answer("loops", drawn), drawn)
        self.judged = self.box.detector.judge(self.box.now_s)
        assert any("sonar" in each for each in self.judged.findings)

    @rule()
    def rekeyed(self):
        self.box.now_s = max(self.box.now_s, self.judged.now_s)
        self.box.rekey()

    @rule()
    def copied(self):
        self.box.detector = self.box.detector.copy()

    @invariant()
    def defined(self):
        if self.judged is None:
            return
        assert self.judged.verdict in Verdict
        assert self.judged.level <= SEAL
        deaf = max(self.deaf_s.values()) > self.box.policy.attack_s
        assert not (deaf and self.judged.verdict is Verdict.NORMAL)

    def teardown(self):
        if self.judged is not None:
            self.rekeyed()
            for _ in range(12):
                self.judged = self.box.step(5000)
            assert self.judged.verdict is Verdict.NORMAL, self.judged
            assert not self.judged.findings


def run_machine(examples: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=12, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck), database=None,
        ),
    )  # fmt: skip


def test_any_sequence_of_faults() -> None:
    run_machine(4)


@pytest.mark.slow
def test_any_sequence_of_faults_at_length() -> None:
    run_machine(100)


def test_every_deaf_fault_denies_and_every_one_is_named() -> None:
    start = Box(np.random.default_rng(3))
    assert start.step(2500).verdict is Verdict.NORMAL
    for what, fault in DEAF.items():
        for only in KEYED:
            box = Box(np.random.default_rng(4), now_s=start.now_s, next_chip=start.next_chip)
            box.detector = start.detector.copy()
            findings = set()
            for _ in range(8):
                judged = box.step(200, fault, only)
                findings |= set(judged.findings)
                assert judged.level <= SEAL
            assert judged.verdict is Verdict.DENIED, (what, only, judged)
            assert any(only in each for each in findings), (what, only)


def test_chips_of_another_epoch_answered_are_evidence() -> None:
    """A reader that answers an old challenge under new numbers is a replay."""
    box = Box(np.random.default_rng(6))
    box.step(2500)

    def replayed(block, drawn):
        return box.answer("loops", chips(box.challenge("loops", 7), drawn.first, 100)), drawn

    judged = [box.step(100, replayed, "loops") for _ in range(10)]
    assert judged[-1].verdict is Verdict.TAMPER and judged[-1].level == SEAL
    assert judged[-1].seen_by == ("loops",)
