"""Handshakes begin in turns: who makes many stands in its own way, and the service has a bound."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from casemate.fleet.web import turns
from casemate.fleet.web.turns import Turns


@dataclass(slots=True)
class Line:
    """A connection that waits."""

    who: str
    at_s: float
    clock: Callable[[], float]
    begun_s: float | None = None
    ended: bool = False

    def begin(self) -> None:
        """Begin TLS."""
        assert self.begun_s is None and not self.ended
        self.begun_s = self.clock()

    def abort(self) -> None:
        """End."""
        assert self.begun_s is None and not self.ended
        self.ended = True


@dataclass(slots=True)
class Loop:
    """A loop whose time passes as it is told."""

    now_s: float = 0.0
    due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    held: Turns = field(init=False)

    def __post_init__(self) -> None:
        self.held = Turns(lambda: self.now_s, self.later)

    def later(self, wait_s: float, do: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self.due, (self.now_s + wait_s, len(self.lines), do))

    def come(self, who: str) -> Line:
        """Let a connection come."""
        made = Line(who, self.now_s, lambda: self.now_s)
        self.lines.append(made)
        self.held.enter(made, who)
        return made

    def until(self, end_s: float) -> None:
        """Let time pass."""
        while self.due and self.due[0][0] <= end_s:
            self.now_s, _, do = heapq.heappop(self.due)
            do()
        self.now_s = end_s

    def begun(self) -> Counter[str]:
        """Return how many have begun, by who they are."""
        return Counter(each.who for each in self.lines if each.begun_s is not None)


def test_one_sender_has_a_bound_and_nobody_waits_for_it() -> None:
    """1,200 a second of one address, and one each 0.1 s of others."""
    loop = Loop()
    honest = []
    for tick in range(12_000):
        loop.until(tick / 1200)
        loop.come("203.0.113.9")
        if tick % 120 == 0:
            honest.append(loop.come(f"198.51.100.{tick // 120 % 250}"))
    loop.until(10.0)
    most = turns.BURST_OF_ONE + 10 * turns.RATE_OF_ONE
    assert 0.9 * most < loop.begun()["203.0.113.9"] <= most + 1
    assert all(each.begun_s is not None for each in honest)
    assert max(each.begun_s - each.at_s for each in honest if each.begun_s is not None) < 0.05
    assert len(loop.held) <= turns.MOST_OF_ONE


def test_many_senders_have_a_bound_together_and_take_turns() -> None:
    """A network of IPv6 is one; sixty of them ask for 20 a second each, one for 5."""
    loop = Loop()
    for tick in range(12_000):
        loop.until(tick / 1200)
        loop.come(f"2001:db8:{tick % 60:x}::{tick:x}")
        if tick % 240 == 0:
            loop.come("192.0.2.1")
    loop.until(10.0)
    begun = loop.begun()
    assert sum(begun.values()) <= turns.BURST + 10 * turns.RATE + 1
    assert begun["192.0.2.1"] == 50
    by_network = Counter(each.who.split("::")[0] for each in loop.lines if each.begun_s is not None)
    del by_network["192.0.2.1"]
    assert max(by_network.values()) < 1.5 * min(by_network.values())


def test_a_fleet_behind_one_address_gets_in_after_a_power_cut() -> None:
    """10,000 that come within two seconds; who is ended comes again after 5 to 15 s."""
    loop, waiting = Loop(), [(2.0 * each / 10_000, each) for each in range(10_000)]
    heapq.heapify(waiting)
    tries: Counter[int] = Counter()
    while waiting:
        at_s, number = heapq.heappop(waiting)
        loop.until(at_s)
        tries[number] += 1
        if loop.come("203.0.113.9").ended:
            again_s = at_s + 5 + (number * 7919 + tries[number] * 104_729) % 1000 / 100
            heapq.heappush(waiting, (again_s, number))
    loop.until(loop.now_s + 2)
    assert loop.begun()["203.0.113.9"] == 10_000
    least_s = (10_000 - turns.BURST_OF_ONE) / turns.RATE_OF_ONE
    assert least_s <= loop.now_s < 3 * least_s


def test_who_leaves_waits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BURST_OF_ONE", 1.0)
    monkeypatch.setattr(turns, "MOST_KNOWN", 2)
    loop = Loop()
    first, second, third = (loop.come("a") for _ in range(3))
    assert first.begun_s == 0.0
    loop.held.leave(second)
    loop.held.leave(first)
    loop.until(1.0)
    assert second.begun_s is None
    assert third.begun_s == pytest.approx(1 / turns.RATE_OF_ONE, abs=2 * turns.LEAST_WAIT_S)
    for each in "bcde":
        loop.come(each)
    assert len(loop.held._of) == 2


def test_where_all_have_one_the_latest_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BURST", 1.0)
    monkeypatch.setattr(turns, "MOST", 3)
    loop = Loop()
    lines = [loop.come(each) for each in "abcdde"]
    assert [each.ended for each in lines] == [False, False, False, False, True, True]
    loop.until(1.0)
    assert [each.who for each in lines if each.begun_s is not None] == list("abcd")
