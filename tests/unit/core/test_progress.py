"""Progress of long work: counted, never guessed; what stands still, fails or is ended says so."""

from __future__ import annotations

import io
import re
import threading

import pytest

from casemate.core import progress
from casemate.core.progress import (
    CANCELLED,
    DONE,
    FAILED,
    STALL_S,
    Work,
    WorkCancelledError,
    ending,
    failing,
    shown,
)

LONG_S = 60.0
"""For which a thread is waited for, on a machine that others use."""


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_counts_and_tells_how_long_it_has_to_go(clock: Clock) -> None:
    work = Work("appraisal", clock=clock)
    work.stage("tokens", 20_000, "tokens")
    for _ in work.each(range(4000)):
        clock.now_s += 0.001
    look = work.look()
    assert (look.done, look.total, look.count) == (4000, 20_000, "4,000 of 20,000 tokens")
    assert look.left_s == pytest.approx(16.0)
    assert look.text == "appraisal: tokens, 4,000 of 20,000 tokens, about 16 s to go in this stage"


def test_what_is_not_known_is_not_guessed(clock: Clock) -> None:
    work = Work("copy", clock=clock)
    work.stage("tables", 0, "rows")
    clock.now_s += 5
    work.step(1234)
    look = work.look()
    assert look.count == "1,234 rows" and look.left_s is None
    assert look.pace == "for 5 s; how much there is, is not known"
    work.stage("tables", 100_000, "rows")
    work.step()
    clock.now_s += 9  # one of 100,000 says nothing about the pace
    assert work.look().left_s is None and "not known yet" in work.look().pace
    work.stage("audit log", counted=False)
    clock.now_s += 1000
    assert work.look().count == "" and not work.look().stands
    assert "is not counted" in work.look().pace
    assert "%" not in work.look().text


def test_more_than_was_told_is_no_negative_time(clock: Clock) -> None:
    work = Work("copy", clock=clock)
    work.stage("sending", 10, "bytes")
    clock.now_s += 10
    work.step(11)
    assert work.look().left_s is None and work.look().count == "11 bytes of 10 bytes"


def test_what_stands_still_says_so(clock: Clock) -> None:
    work = Work("appraisal", clock=clock)
    work.stage("tokens", 100, "tokens")
    clock.now_s += 8
    work.step(50)
    clock.now_s += STALL_S - 1
    assert not work.look().stands and "to go" in work.look().pace
    clock.now_s += 32
    assert work.look().stands and work.look().pace == "nothing has moved for 41 s"
    work.step()
    assert not work.look().stands
    work.end()
    clock.now_s += 1000
    assert not work.look().stands and work.look().ended_s == 1000


def test_it_says_how_it_ended(clock: Clock) -> None:
    done, failed, called_off, left = (Work("x", clock=clock) for _ in range(4))
    clock.now_s += 12
    with ending(done):
        done.step(3)
    assert (done.look().how, done.look().pace) == (DONE, "done after 12 s")
    with pytest.raises(OSError), ending(failed):
        raise OSError(28, "the disk is full", "/a/path")
    assert failed.look().how == FAILED
    assert failed.look().pace == "it has failed: the disk is full"
    called_off.cancel("the service ends")
    with pytest.raises(WorkCancelledError, match="the service ends"), ending(called_off):
        called_off.step()
    assert called_off.look().how == CANCELLED
    with failing(left):
        left.step()
    assert left.look().how == "running"
    with pytest.raises(ValueError), failing(left):
        raise ValueError("no")
    left.end()  # what was said first stands
    assert left.look().how == FAILED and left.look().why == "ValueError"


def test_a_stage_that_begins_with_its_first_step(clock: Clock) -> None:
    work = Work("verification", clock=clock)
    work.stage("checkpoints", counted=False)
    step = work.later("tokens", 2, "tokens")
    assert work.look().stage == "checkpoints"
    step()
    step()
    assert (work.look().stage, work.look().done, work.look().total) == ("tokens", 2, 2)


def test_a_gauge_is_read_where_nobody_tells_steps(clock: Clock) -> None:
    sizes = [0]

    def gauge() -> int:
        if sizes[-1] < 0:
            raise OSError("the file is not there yet")
        return sizes[-1]

    work = Work("backup", clock=clock)
    work.stage("tables", 100, "bytes", gauge=gauge)
    sizes.append(-1)
    assert work.look().done == 0
    clock.now_s += 20
    assert work.look().stands
    sizes.append(40)
    assert work.look().done == 40 and not work.look().stands
    sizes.append(30)
    assert work.look().done == 40


class Terminal(io.StringIO):
    """What is written to a terminal; `seen` is set once a line of progress was."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if "2 of 9 rows" in text:
            self.seen.set()
        return super().write(text)


def test_on_a_terminal_its_last_line_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "_REDRAWN_S", 0.01)
    with shown("backup") as work:
        work.stage("table", 9, "rows")
        work.step(2)
        assert terminal.seen.wait(LONG_S)  # also while nothing moves
        work.step(7)
    last = terminal.getvalue().rpartition("\r\x1b[2K")[2]
    assert re.fullmatch(r"backup: table, 9 of 9 rows, done after \d+ s\n", last)


def test_an_error_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with pytest.raises(OSError), shown("backup"):
        raise OSError("full")
    assert terminal.getvalue().endswith("\r\x1b[2K")
    with pytest.raises(KeyboardInterrupt), shown("backup") as work:
        work.stage("table", 9, "rows")
        raise KeyboardInterrupt
    assert "backup: table, 0 of 9 rows, cancelled after" in terminal.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_beside_json_and_in_a_pipe_nothing_is_shown(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    monkeypatch.setattr(progress, "_REDRAWN_S", 0.001)
    with shown("backup", enabled=not terminal) as work:
        work.step()
    assert out.getvalue() == "" and work.look().how == DONE


def test_lengths_and_sizes_say_no_more_than_is_known() -> None:
    told = [progress.seconds(each) for each in (0.2, 89.4, 600, 7200)]
    assert told == ["1 s", "89 s", "10 min", "2.0 h"]
    sizes = [progress.size(each) for each in (999, 1000, 161_651_634, 2_500_000_000)]
    assert sizes == ["999 bytes", "1 kB", "162 MB", "2.5 GB"]
