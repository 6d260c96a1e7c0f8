"""Reads in the audit log: who polls fills no disk, and no read goes unsaid."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from fleet_kit import FINGERPRINT, Kit, enter, kit_in, sign_all_in

from casemate.core.errors import OutputError
from casemate.fleet.access import people
from casemate.fleet.audit.log import Line
from casemate.fleet.audit.reads import FEW, MANY, WINDOW_S, Reads
from casemate.fleet.service.application import application
from casemate.fleet.web.gate import Gate, Limits
from casemate.translog.errors import LogError

LINE = Line(
    at_s=1000, who="account watcher", role="ReadOnly", party="hostland", what="GET /a",
    subject="7", outcome="asked",
)  # fmt: skip


class Log:
    """Lines that were made durable; may be told to fail."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.fails = False

    def write(self, line: Line) -> None:
        """Take a line."""
        if self.fails:
            raise OutputError("planted.", remedy="none.")
        self.lines.append(line)

    @property
    def told(self) -> list[tuple[int, str]]:
        """Return times and outcomes."""
        return [(each.at_s, each.outcome.split(" until ")[0]) for each in self.lines]


@pytest.fixture
def log() -> Log:
    """A log with nothing in it."""
    return Log()


def made(log: Log) -> Reads:
    """Return what counts for a log."""
    return Reads(log.write, lambda: not log.fails)


def test_the_first_is_a_line_and_those_of_its_minute_are_counted(log: Log) -> None:
    reads = made(log)
    for at in range(150):
        reads.note(replace(LINE, at_s=1000 + at), "s")
    assert log.told == [
        (1000, "asked"), (1060, "asked; before it asked 59 more times"),
        (1120, "asked; before it asked 59 more times"),
    ]  # fmt: skip
    reads.flush(1179)
    assert len(log.lines) == 3
    reads.flush(1180)
    assert log.told[-1] == (1149, "asked 29 more times")
    reads.flush()
    assert len(log.lines) == 4


def test_what_differs_in_anything_is_a_line_of_its_own(log: Log) -> None:
    """Nothing rides along: another session, place, outcome, person or way."""
    reads = made(log)
    others = [replace(LINE, **{name: "other"}) for name in ("who", "what", "subject", "outcome")]
    for each in (LINE, *others, LINE, *others):
        reads.note(each, "s")
    reads.note(LINE, "another session")
    assert len(log.lines) == 6
    reads.flush()
    assert sum("1 more times" in each.outcome for each in log.lines) == 5


def test_a_clock_that_is_set_back_begins_anew(log: Log) -> None:
    reads = made(log)
    for at_s in (1000, 1010, 900, 901, 100_000):
        reads.note(replace(LINE, at_s=at_s), "s")
    assert [each.at_s for each in log.lines] == [1000, 900, 100_000]
    assert "1 more times until" in log.lines[1].outcome


def test_what_cannot_be_written_down_is_not_answered_and_no_count_is_lost(log: Log) -> None:
    reads = made(log)
    for _ in range(4):
        reads.note(LINE, "s")
    log.fails = True
    for _ in range(2):
        with pytest.raises(OutputError):  # within the minute: it is not counted instead
            reads.note(LINE, "s")
    with pytest.raises(OutputError):
        reads.note(replace(LINE, subject="8"), "s")
    with pytest.raises(OutputError):
        reads.flush()
    log.fails = False
    reads.note(LINE, "s")
    reads.flush()
    assert log.told == [(1000, "asked"), (1000, "asked 4 more times")]


def test_of_too_many_the_oldest_is_written_down(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.fleet.audit.reads.MOST", 20)
    reads = made(log)
    for _ in range(2):
        reads.note(LINE, "s")
    for at in range(20):
        reads.note(replace(LINE, subject=f"x{at}"), "s")
    assert log.told[-1] == (1000, "asked 1 more times")


def test_at_once_none_is_answered_before_a_line_is_durable(log: Log) -> None:
    durable, writing = threading.Event(), threading.Barrier(2)

    def slow(line: Line) -> None:
        writing.wait(10)
        log.write(line)
        durable.set()

    reads = Reads(slow, lambda: True)
    answered: list[bool] = []

    def ask() -> None:
        reads.note(LINE, "s")
        answered.append(durable.is_set())

    both = [threading.Thread(target=ask) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(20)
    assert answered == [True, True]
    assert len(log.lines) == 2


def test_who_polls_leaves_two_lines_a_minute(kit: Kit) -> None:
    """A person, a controller, and a person whose session was stolen: none hides behind another."""
    enter(kit)
    log = kit.service.audit.log
    before = log.next_index
    for _ in range(8):
        assert kit.client("auditor").get("/fleet").status_code == 200
        kit.clock.now_s += 1
    kit.fronted.fingerprint = FINGERPRINT
    for _ in range(8):
        kit.client().get("/evidence")
    kit.fronted.fingerprint = ""
    kit.sessions, kit.csrf = sign_all_in(kit.service.store, kit.service.now_s())
    kit.client("auditor").get("/fleet")
    assert log.next_index - before == 3
    kit.clock.now_s += WINDOW_S
    kit.service.audit.flush()
    told = [line.outcome for _, line in kit.service.audit.latest(5)]
    assert sum("7 more times until" in each for each in told) == 2
    one_each = log.next_index
    for _ in range(3):
        kit.client("auditor").get("/enclosures/1/evidence.zip")
        kit.client("auditor").get("/audit")
    assert log.next_index == one_each + 6


def test_a_log_that_fails_answers_no_repeated_read(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: list[bytes]) -> int:
        raise LogError("planted.", remedy="none.")

    assert kit.client("auditor").get("/fleet").status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(kit.service.audit.log, "append", fail)
        assert kit.client("auditor").get("/incidents").status_code == 503
        assert kit.client("auditor").get("/fleet").status_code == 503
    assert kit.client("auditor").get("/fleet").status_code == 200


def test_strangers_at_the_sign_in_fill_no_log(kit: Kit) -> None:
    """From many addresses: each has limits of its own, the log has one for all of them."""
    wide = Limits(per_s=1e9, burst=1e9)
    few = Limits(per_s=1.0, burst=6.0)
    gate = Gate(kit.service, all_=wide, codes=wide, refusals=few)
    kit.fronted.app = application(kit.service, gate=gate)
    log = kit.service.audit.log
    before = log.next_index
    for _ in range(8):
        kit.client().get("/sign-in")
        kit.client().post("/sign-in", data={"code": "guess"})
    assert log.next_index - before == 6


def test_a_session_begins_after_its_line_is_durable(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kit.service.store.write() as link:
        code = people.new_code(link, "auditor one", kit.service.now_s())

    def fail(_: Line) -> int:
        raise OutputError("planted.", remedy="none.")

    with monkeypatch.context() as patch:
        patch.setattr(kit.service.audit, "write", fail)
        assert kit.client().post("/sign-in", data={"code": code}).status_code == 503
    answer = kit.client().post("/sign-in", data={"code": code})
    assert answer.status_code == 303  # nothing was done: the code is good still
    told = [(line.what, line.outcome) for _, line in kit.service.audit.latest(2)]
    assert told == [("POST /sign-in", "done"), ("POST /sign-in", "asked")]


def test_counts_survive_the_end_of_the_service(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ends")
    with kit_in(folder) as kit:
        for _ in range(5):
            kit.client("auditor").get("/fleet")
    with kit_in(folder) as kit:
        told = [line.outcome for _, line in kit.service.audit.latest(10)]
    assert any("asked 4 more times" in each for each in told)


def test_what_one_answer_shows_of_many_is_told_with_which_they_were(log: Log) -> None:
    reads = made(log)
    shown = replace(LINE, subject="")
    reads.note(shown, "s", {"2", "3", "4", "9"})
    reads.note(shown, "s", {"3", "2", "9", "4"})
    assert [each.subject for each in log.lines] == ["2-4, 9"]
    for at in range(10, 10 + FEW):
        reads.note(shown, "s", {str(at)})
    reads.note(shown, "s", {"500", "501"})
    assert log.lines[-1].subject == MANY
    reads.flush()
    assert log.lines[-1].outcome.endswith(f", of {9 + FEW}, 500-501")
