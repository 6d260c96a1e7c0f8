"""What is kept over a stop: all that matters, and nothing that cannot be read."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from armed import armed_machine, permitted_machine, working_machine
from hypothesis import given
from hypothesis import strategies as st
from machines import START, TERMS, all_events

from casemate.control.machine import start, step
from casemate.control.memory import dump, load
from casemate.control.states import Keys, Limits, Machine
from casemate.core.errors import FormatError

NAMES = sorted(all_events(START))
LIVE = replace(START, limits=Limits())


def restarted(saved: Machine) -> Machine:
    """The machine after a start with what was kept."""
    return start(saved, LIVE, keys=Keys.SEALED, last_word=saved.last_word)[0]


@given(
    first=st.sampled_from((armed_machine, permitted_machine, working_machine)),
    names=st.lists(st.sampled_from(NAMES), max_size=15),
)
def test_a_start_knows_what_it_would_have_known(first: object, names: list[str]) -> None:
    """After any play, a start from bytes is a start from the machine itself."""
    m: Machine = first(LIVE)  # type: ignore[operator]
    for name in names:
        m, _ = step(m, all_events(m)[name], m.now_s + (0.5 if name == "tick" else 0.0))
    kept = load(dump(m))
    assert restarted(kept) == restarted(replace(m, work=None))
    assert dump(kept) == dump(replace(m, work=None))


def test_times_are_rounded_to_the_safe_side() -> None:
    """A used permit is remembered longer, a quorum's time is earlier."""
    m = replace(LIVE, used=((TERMS.permit, 10.2),), quorum_s=9.7)
    kept = load(dump(m))
    assert (kept.used, kept.quorum_s) == (((TERMS.permit, 11.0),), 9.0)
    assert load(dump(LIVE)).quorum_s == -math.inf


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Are no memory."""
    with pytest.raises(FormatError):
        load(data)


KEPT = dump(working_machine(LIVE))


@given(at=st.integers(0, len(KEPT) - 1), value=st.integers(0, 255))
def test_an_altered_byte(at: int, value: int) -> None:
    """Is malformed, or says what it says in the one form."""
    altered = KEPT[:at] + bytes([value]) + KEPT[at + 1 :]
    try:
        m = load(altered)
    except FormatError:
        return
    assert load(dump(m)) == m


@pytest.mark.parametrize("length", [0, 1, 50, len(KEPT) - 1])
def test_a_torn_file(length: int) -> None:
    """Is no memory."""
    with pytest.raises(FormatError):
        load(KEPT[:length])
