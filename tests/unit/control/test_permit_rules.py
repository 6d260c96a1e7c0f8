"""A permit's window on the monotonic clock, its token, and what makes it none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machines import SCOPE, TERMS, TOKEN

from casemate.control import permits
from casemate.control.permits import Phase, Work
from casemate.control.scope import Scope
from casemate.core.errors import InputError

SHOWN = Work(terms=replace(TERMS, not_before_s=1000.0, not_after_s=1100.0), index=4)


def seen(work: Work = SHOWN, **changes: float) -> Work:
    """Witnessed in the middle of its window, within a second."""
    at = {"size": 5, "quorum_s": 1050.0, "made_s": 7.0, "now_s": 8.0} | changes
    return permits.witnessed(work, **at)  # type: ignore[arg-type]


@given(
    offset_s=st.floats(-1e6, 1e6),
    out_s=st.floats(0.0, 30.0),
    back_s=st.floats(0.0, 30.0),
    lag_s=st.floats(0.0, 200.0),
)
def test_it_never_outlives_its_window(
    offset_s: float, out_s: float, back_s: float, lag_s: float
) -> None:
    """Against a world in which the true wall time is known: inside the window from begin to end."""
    made_s = 10.0 + lag_s
    now_s = made_s + out_s + back_s
    wall = 990.0 - 10.0  # true wall time = monotonic + wall, whatever the host's clock says
    quorum_s = made_s + out_s + wall
    work = permits.witnessed(SHOWN, size=5, quorum_s=quorum_s, made_s=made_s, now_s=now_s)
    if work.phase is Phase.LOGGED:
        assert now_s + wall >= SHOWN.terms.not_before_s
        assert work.end_s + wall <= SHOWN.terms.not_after_s + 1e-6
        assert now_s < work.end_s
    if now_s + wall + out_s >= SHOWN.terms.not_after_s + 1e-6:
        assert work.phase is Phase.EXPIRED
    assert offset_s is not None


def test_the_entry_has_to_be_in_the_checkpoint() -> None:
    """Not one before it, nor any before it was logged."""
    assert seen().phase is Phase.LOGGED
    assert seen(size=4).phase is Phase.PRESENTED
    assert seen(replace(SHOWN, index=-1)).phase is Phase.PRESENTED


def test_the_window() -> None:
    """Too early waits, too late ends, a slow quorum counts against the permit."""
    assert seen(quorum_s=999.0).phase is Phase.PRESENTED
    assert seen(quorum_s=1100.0).phase is Phase.EXPIRED
    assert seen(quorum_s=1090.0, now_s=17.0).phase is Phase.EXPIRED
    assert seen(quorum_s=1090.0, now_s=16.0).end_s == pytest.approx(17.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_times_that_are_none(bad: float) -> None:
    """A checkpoint with such a time tells nothing."""
    assert seen(quorum_s=bad).phase is Phase.PRESENTED
    assert seen(made_s=bad).phase is Phase.PRESENTED
    assert seen(made_s=9.0).phase is Phase.PRESENTED


def test_a_token_begins_once() -> None:
    """The right one begins, once; wrong ones are counted; an expired permit takes none."""
    ready = seen()
    used = permits.begin(ready, TOKEN, tries=3, now_s=9.0)
    assert used.phase is Phase.IN_USE
    assert permits.begin(used, TOKEN, tries=3, now_s=9.0) is used
    once = permits.begin(ready, b"wrong", tries=2, now_s=9.0)
    assert (once.phase, once.tries) == (Phase.LOGGED, 1)
    assert permits.begin(once, b"wrong", tries=2, now_s=9.0).phase is Phase.REFUSED
    assert permits.begin(ready, TOKEN, tries=3, now_s=ready.end_s).phase is Phase.EXPIRED
    assert permits.begin(SHOWN, TOKEN, tries=3, now_s=9.0) is SHOWN


def test_scope() -> None:
    """It allows what it names, in use, until it ends."""
    used = permits.begin(seen(), TOKEN, tries=3, now_s=9.0)
    assert used.allows("open", now_s=9.0, face="f")
    assert not used.allows("open", now_s=9.0, face="g")
    assert not used.allows("open", now_s=9.0)
    assert not used.allows("service", now_s=9.0, face="f")
    assert not used.allows("open", now_s=used.end_s, face="f")
    assert not seen().allows("open", now_s=9.0, face="f")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"serial": "other"}, "another enclosure"),
        ({"enclosure": "other"}, "another enclosure"),
        ({"roles": frozenset({"host", "manufacturer"})}, "host and inspector"),
        ({"scope": Scope()}, "no face and no module"),
        ({"scope": Scope(faces=frozenset({"roof"}))}, "not there"),
        ({"actions": frozenset()}, "no action"),
        ({"actions": frozenset({"open", "fly"})}, "not known"),
        ({"not_after_s": 0.0}, "window"),
        ({"not_after_s": 11.0}, "window"),
        ({"not_after_s": math.nan}, "window"),
        ({"token": b""}, "token"),
        ({"permit": b""}, "digest"),
    ],
)
def test_permits_that_are_none(changes: dict[str, object], why: str) -> None:
    """Each is refused for its own reason."""
    everything = Scope(faces=frozenset("fg"), modules=frozenset("mn"))

    def reason(terms: permits.Terms) -> str:
        return permits.why_not(terms, enclosure="e", serial="s", all_of=everything, longest_s=9.0)

    assert reason(TERMS) == ""
    assert why in reason(replace(TERMS, **changes))  # type: ignore[arg-type]
    assert SCOPE <= everything


@given(st.binary(min_size=20, max_size=20))
def test_tokens_as_typed(token: bytes) -> None:
    """In any case, with any blanks."""
    text = permits.token_text(token)
    assert len(text.replace("-", "")) == 32
    assert permits.token_from(f" {text.lower()}\n".replace("-", " ")) == token


@given(st.text(max_size=40))
def test_what_is_no_token(text: str) -> None:
    """Is told so."""
    try:
        assert len(permits.token_from(text)) == 20
    except InputError as error:
        assert error.remedy
    with pytest.raises(InputError):
        permits.token_text(b"short")
