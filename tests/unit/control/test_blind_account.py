"""Blind time of before an enclosure guards is pardoned, of after not; a wait for it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from machines import START

from casemate.control.blind_account import BlindAccount
from casemate.control.states import Keys, Machine, State
from casemate.detect.response import LOG, SEAL, policy
from casemate.detect.verdict import Court, Judged, Verdict

POLICY = policy(far_per_year=0.1, features=10, window_s=0.1)
COMMISSIONING = replace(START, state=State.COMMISSIONING, keys=Keys.LIVE)
UNKNOWN = replace(START, state=State.UNKNOWN, keys=Keys.SEALED)
ARMED = replace(START, state=State.ARMED, keys=Keys.LIVE)


class Enclosure:
    """A real court, which nobody shows anything while it is dark."""

    def __init__(self) -> None:
        self.policy = POLICY
        self.court = Court(policy=POLICY)
        self.told: list[str] = []
        self.account = BlindAccount(self, self.told.append)
        self.now_s = 0.0

    def pardon(self) -> None:
        self.court.blind_s = 0.0

    def dark(self, seconds: float, now: Machine) -> None:
        """Show nothing for as long."""
        self.now_s += seconds
        found = self.court.judge(self.now_s, (), seconds=seconds)
        assert found.verdict is Verdict.DENIED
        self.account.settle(found, now)

    def well(self, now: Machine) -> int:
        """Take a verdict that is well but for the account; return the level that comes after it."""
        for _ in range(2):
            blind_s = self.court.blind_s
            level = SEAL if blind_s > POLICY.blind_s else LOG
            self.account.settle(normal(level, blind_s), now)
        return level


def normal(level: int, blind_s: float) -> Judged:
    return Judged(
        now_s=0.0, verdict=Verdict.NORMAL, level=level, nats=0.0, shrunk=0.0, tile="", onset_s=0.0,
        blind_s=blind_s, seen_by=(), causes=(), items=(), findings=(),
    )  # fmt: skip


@pytest.mark.parametrize("now", [COMMISSIONING, UNKNOWN])
def test_a_slow_start_does_not_hold_up_the_self_test(now: Machine) -> None:
    made = Enclosure()
    made.dark(25.0, now)
    assert made.court.blind_s == 25.0
    assert made.well(now) == LOG and made.court.blind_s == 0.0


def test_keys_that_take_long_to_make_do_not_either() -> None:
    made = Enclosure()
    assert made.well(COMMISSIONING) == LOG
    made.dark(15.0, COMMISSIONING)
    assert made.well(COMMISSIONING) == LOG


def test_who_blinds_an_enclosure_that_guards_gets_nothing_forgiven() -> None:
    made = Enclosure()
    assert made.well(ARMED) == LOG
    made.dark(16.0, ARMED)
    assert made.well(ARMED) == SEAL and made.told == []
    assert made.well(UNKNOWN) == SEAL and made.court.blind_s == 16.0
    assert made.told == [
        "the self-test waits: readings told too little for 16 s, which is forgiven in 36 min"
    ]


def test_a_second_dark_time_after_a_start_stays() -> None:
    made = Enclosure()
    assert made.well(UNKNOWN) == LOG
    made.dark(12.0, UNKNOWN)
    assert made.well(UNKNOWN) == SEAL and len(made.told) == 1


def test_dark_is_never_pardoned_while_it_lasts() -> None:
    made = Enclosure()
    for _ in range(3):
        made.dark(6.0, COMMISSIONING)
    assert made.court.blind_s == 18.0
    made.account.settle(replace(normal(SEAL, 18.0), findings=("mute",)), COMMISSIONING)
    assert made.court.blind_s == 18.0
