"""Chips that are drawn ahead, and an interpreter that is in a hurry for as long as it has to be."""

from __future__ import annotations

import gc
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from casemate.control.haste import SWITCH_S, Haste
from casemate.control.readers import AT_ONCE, Drawn
from casemate.core.challenge import Challenge, chips

ASKED = Challenge(key=bytes(32), modality="cavity", epoch=3, chip_s=1e-3, order=48)
PLACES = st.tuples(st.integers(0, 5 * AT_ONCE), st.integers(0, 300))


@given(st.lists(PLACES, max_size=8))
def test_chips_are_those_of_the_challenge_wherever_one_asks(asked: list[tuple[int, int]]) -> None:
    drawn = Drawn(ASKED)
    for first, count in [*asked, (AT_ONCE - 1, 2), (7, AT_ONCE + 9)]:
        one, other = drawn.take(first, count), chips(ASKED, first, count)
        assert (one.first, one.epoch) == (other.first, other.epoch)
        assert np.array_equal(one.drive, other.drive) and np.array_equal(one.place, other.place)


def test_haste_ends_as_it_found_things() -> None:
    before, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    haste = Haste.begin()
    assert abs(sys.getswitchinterval() - SWITCH_S) < 1e-6 and SWITCH_S < before
    assert gc.get_freeze_count() > frozen
    haste.end()
    assert abs(sys.getswitchinterval() - before) < 1e-6
    assert gc.get_freeze_count() == 0
