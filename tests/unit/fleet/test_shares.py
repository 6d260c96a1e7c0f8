"""What one enclosure's evidence may cost others: its own share, and what all may have beyond."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from fleet_kit import Kit, bring, enter

from casemate.fleet.errors import TooManyError
from casemate.fleet.intake import shares
from casemate.fleet.intake.shares import Shares
from casemate.testing import honest_enclosure as honest


class Hand:
    """Two clocks that are set by hand: time, and processor time."""

    def __init__(self) -> None:
        self.now_s = self.spent_s = 0.0

    def shares(self) -> Shares:
        """Return shares by these clocks."""
        return Shares(lambda: self.now_s, lambda: self.spent_s)

    def spend(self, held: Shares, who: int, spent_s: float) -> bool:
        """Work for an enclosure; return whether it was let."""
        try:
            with held.taking(who):
                self.spent_s += spent_s
        except TooManyError:
            return False
        return True


def test_who_spends_ever_more_gets_its_share_and_what_others_leave() -> None:
    hand = Hand()
    held, got = hand.shares(), 0.0
    for _ in range(36_000):  # an hour, a tenth of a second each
        hand.now_s += 0.1
        got += 0.1 * hand.spend(held, 1, 0.1)
    most = 3600 * (shares.OWN + shares.COMMON) + shares.OWN_S + shares.COMMON_S
    assert 0.95 * most < got <= most + 1


def test_a_hundred_that_spend_all_leave_the_others_theirs() -> None:
    """The others bring a token each 20 s, which takes 16 ms, and are never refused."""
    hand = Hand()
    held, bad = hand.shares(), 0.0
    for second in range(600):
        hand.now_s += 1.0
        for who in range(100):
            bad += 3.0 * hand.spend(held, who, 3.0)
        if second % 20 == 0:
            assert all(hand.spend(held, 1000 + each, 0.016) for each in range(100))
    own_s = 100 * (shares.OWN_S + 600 * shares.OWN)
    common_s = shares.COMMON_S + 600 * shares.COMMON
    assert bad <= own_s + common_s + 100 * 3.0
    assert len(held._own) <= shares.MOST_KNOWN


def test_what_is_owed_is_paid_off() -> None:
    hand = Hand()
    held = hand.shares()
    assert hand.spend(held, 1, shares.OWN_S + 10)
    held._common.charge(shares.COMMON_S + 1000, 0.0)
    with pytest.raises(TooManyError) as error, held.taking(1):
        pass
    assert f"{10 / shares.OWN:.0f} s" in error.value.remedy
    assert hand.spend(held, 2, 1)
    hand.now_s = 10 / shares.OWN + 1
    held._common.charge(10**6, hand.now_s)
    assert hand.spend(held, 1, 1)


def test_few_go_beyond_their_own_at_once() -> None:
    hand = Hand()
    held = hand.shares()
    for who in range(4):
        hand.spend(held, who, shares.OWN_S + 1)
    with ExitStack() as under_way:
        for who in range(shares.MOST_BEYOND):
            under_way.enter_context(held.taking(who))
        assert not hand.spend(held, 3, 0)
        assert hand.spend(held, 4, 0)
    assert hand.spend(held, 3, 0)


def test_few_walk_anew_at_once_of_those_who_bring_evidence() -> None:
    hand = Hand()
    held = hand.shares()
    long = shares.SHORT + 1
    in_, out = threading.Barrier(shares.MOST_WALKS + 1), threading.Event()

    def walk(who: int) -> None:
        with held.taking(who), held.walking(long):
            in_.wait(60)
            out.wait(60)

    walking = [threading.Thread(target=walk, args=(who,)) for who in range(shares.MOST_WALKS)]
    for each in walking:
        each.start()
    in_.wait(60)
    with held.taking(9), pytest.raises(TooManyError), held.walking(long):
        pass
    with held.taking(9), held.walking(shares.SHORT):
        pass
    with held.walking(long):  # a page, or the clock
        pass
    out.set()
    for each in walking:
        each.join()
    with held.taking(9), held.walking(long):
        pass


def test_who_may_not_walk_anew_has_lost_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint of before: it is refused, or taken; evidence, result and verdict are whole."""
    brought = enter(kit, honest.armed(6))
    assert bring(kit, brought).status_code == 200
    story, size = brought.story, len(brought.story.entries)
    before = kit.service.intake.look(1)
    late = story.seal(("north", "south"), stated=story.stated(size // 2))
    rest = brought.rest()
    assert rest.notes == (late,)
    monkeypatch.setattr(shares, "SHORT", 0)
    monkeypatch.setattr(shares, "MOST_WALKS", 0)
    answer = kit.push(rest)
    assert answer.status_code == 429
    assert "anew" in answer.json()["error"]
    monkeypatch.setattr(shares, "MOST_WALKS", 2)
    assert kit.service.intake.look(1) == before
    honest.watch(story)
    assert bring(kit, brought).status_code == 200
    assert kit.push(rest).status_code == 200


def test_who_is_owed_nothing_is_refused_before_anything_is_done(kit: Kit) -> None:
    brought = enter(kit, honest.armed(2))
    hand = Hand()
    held = hand.shares()
    kit.service.intake._shares = held
    assert bring(kit, brought).status_code == 200
    held._own[1].charge(10**6, 0.0)
    held._common.charge(10**6, 0.0)
    honest.watch(brought.story)
    answer = bring(kit, brought)
    assert answer.status_code == 429
    assert kit.client("inspector").get("/enclosures/1").status_code == 200
    kit.clock.now_s += 10_000  # what it does not bring makes it stale: nothing is shown as fresh
    assert kit.service.intake.tick() == 1
    assert kit.service.intake.look(1).state == "UNKNOWN"
