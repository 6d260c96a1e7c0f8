"""Batches grow from the first on, so that something is proven soon and a day costs few tokens."""

from __future__ import annotations

from casemate.control.batches import FIRST_S, growing_s


def test_a_batch_waits_twice_as_long_as_the_one_before_up_to_the_whole() -> None:
    waits = [growing_s(number, 360.0) for number in range(40)]
    assert waits[0] == FIRST_S
    assert all(b == min(2.0 * a, 360.0) for a, b in zip(waits, waits[1:], strict=False))
    assert sum(1 for each in waits if each < 360.0) == 6  # tokens that a start costs
    assert growing_s(10**9, 360.0) == 360.0


def test_what_waits_for_less_than_the_first_is_not_held_longer() -> None:
    assert [growing_s(number, 0.5) for number in range(3)] == [0.5] * 3
    assert growing_s(0, 0.0) == 0.0  # a token each
