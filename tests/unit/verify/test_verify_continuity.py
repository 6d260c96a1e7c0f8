"""Intervals against a painting second by second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from casemate.verify.continuity import KINDS, Interval, gaps, intervals

STRETCHES = st.lists(
    st.builds(
        lambda start, length, kind, cause: Interval(
            start_s=start, end_s=start + length, kind=kind, cause=cause
        ),
        st.integers(0, 40),
        st.integers(-3, 20),
        st.sampled_from(KINDS),
        st.sampled_from(("", "one", "two")),
    ),
    max_size=12,
)


@given(STRETCHES)
def test_the_worst_holds_at_each_second(stretches: list[Interval]) -> None:
    found = intervals(stretches)
    real = [each for each in stretches if each.length_s > 0]
    begin = min((each.start_s for each in real), default=0)
    end = max((each.end_s for each in real), default=0)
    painted = []
    for second in range(begin, end):
        here = [each.kind for each in real if each.start_s <= second < each.end_s]
        painted.append(min(here, key=KINDS.index) if here else "unknown")
    told = [each.kind for each in found for _ in range(each.length_s)]
    assert told == painted
    if found:
        assert (found[0].start_s, found[-1].end_s) == (begin, end)


@given(STRETCHES)
def test_neighbours_differ_and_causes_are_those_given(stretches: list[Interval]) -> None:
    found = intervals(stretches)
    for one, two in zip(found, found[1:], strict=False):
        assert one.end_s == two.start_s
        assert (one.kind, one.cause, one.covered_by) != (two.kind, two.cause, two.covered_by)
    for each in found:
        assert each.cause == "nothing is said of it" or any(
            each.kind == other.kind
            and each.cause == other.cause
            and other.start_s <= each.start_s < other.end_s
            for other in stretches
        )


def test_the_ledger_has_what_is_not_proven() -> None:
    rows = [Interval(start_s=n, end_s=n + 1, kind=kind) for n, kind in enumerate(KINDS)]
    assert [each.kind for each in gaps(rows)] == ["interfered", "unknown"]
