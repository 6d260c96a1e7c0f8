"""Messages of whoever is at the broker: taken as at the door, bounded, and told in few lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import FINGERPRINT, Brought, Kit, enter

from casemate.core.errors import InputError, OutputError
from casemate.fleet.intake.ingest import Submission, Taken, encode
from casemate.fleet.intake.push import parts_of
from casemate.fleet.nats import door as doors
from casemate.fleet.nats import wire
from casemate.fleet.nats.door import TRIES, WINDOW_S, Door
from casemate.fleet.nats.settings import read
from casemate.fleet.outlets.settings import Tls
from casemate.fleet.web.gate import Limits
from casemate.testing import honest_enclosure as honest

WIDE = Limits(per_s=1e9, burst=1e9)


def begun(kit: Kit) -> tuple[Brought, bytes]:
    """Enter the enclosure of the stories; return its first submission."""
    brought = enter(kit)
    kit.clock.now_s = brought.story.now_s + 5
    return brought, encode(brought.rest())


def lines(kit: Kit) -> list[tuple[str, str]]:
    """Return who and outcome of the lines about this way in, oldest first."""
    held = kit.service.audit.latest(1000)
    return [(line.who, line.outcome) for _, line in reversed(held) if line.what == doors.ROUTE]


def test_it_is_taken_once_and_told_again(kit: Kit, tmp_path: Path) -> None:
    door, (brought, data) = Door(kit.service, tmp_path / "nats"), begun(kit)
    ask = door.take(FINGERPRINT, b"")
    assert (ask.done, json.loads(ask.answer)["next"]) == ("taken", 0)
    for _ in range(2):  # a message whose acknowledgement was lost comes again
        outcome = door.take(FINGERPRINT, data)
        assert outcome.done == "taken"
        status, number, state, _ = wire.read_answer(outcome.answer)
        assert (status, number, state) == (200, len(brought.story.entries), "ARMED")
    assert list((tmp_path / "nats" / "trying").iterdir()) == []


def test_a_name_opens_nothing_but_its_own_place(kit: Kit, tmp_path: Path) -> None:
    door, (brought, data) = Door(kit.service, tmp_path / "nats", limits=WIDE), begun(kit)
    for name in ("", "cd" * 32, "x", "' OR 1=1 --"):
        assert door.take(name, data) == doors.Outcome(done="refused")
    foreign = encode(Submission(first=0, entries=(b"junk",), notes=()))
    gap = encode(Submission(first=9, entries=brought.story.entries[-1:], notes=()))
    for sent, status in ((b"\xff", 422), (foreign, 422), (gap, 409)):
        outcome = door.take(FINGERPRINT, sent)
        assert outcome.done == "refused"
        assert wire.read_answer(outcome.answer)[0] == status
    assert door.take(FINGERPRINT, b"x" * (wire.MOST_BYTES + 1)).done == "refused"
    assert door.take(FINGERPRINT, data).done == "taken"


def test_many_messages_are_two_lines_of_the_audit_log(kit: Kit, tmp_path: Path) -> None:
    door, (_, data) = Door(kit.service, tmp_path / "nats", limits=WIDE), begun(kit)
    for _ in range(50):
        door.take(FINGERPRINT, b"\xff")
        door.take("cd" * 32, b"\xff")
    door.take(FINGERPRINT, data)
    machine = f"machine:{FINGERPRINT[:16]}"
    assert [who for who, _ in lines(kit)] == [machine, "somebody at the broker"]
    kit.clock.now_s += WINDOW_S
    door.tick()
    assert lines(kit)[2:] == [
        (machine, "refused 422: 50, taken: 1"), ("somebody at the broker", "refused 401: 50"),
    ]  # fmt: skip
    door.tick()
    door.take(FINGERPRINT, b"")
    assert len(lines(kit)) == 5


def test_a_flood_is_put_off_and_holds_up_no_other(kit: Kit, tmp_path: Path) -> None:
    door = Door(kit.service, tmp_path / "nats")
    _, data = begun(kit)
    found = [door.take(FINGERPRINT, b"\xff").done for _ in range(60)]
    assert found == ["refused"] * 40 + ["later"] * 20
    kit.clock.now_s += 5
    assert door.take(FINGERPRINT, data).done == "taken"


def test_what_cannot_be_written_down_is_not_done(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, (_, data) = Door(kit.service, tmp_path / "nats"), begun(kit)

    def full(*_: Any) -> int:
        raise OutputError("the disk is full.", remedy="free space.")

    with monkeypatch.context() as patch:
        patch.setattr(kit.service.audit, "write", full)
        assert door.take(FINGERPRINT, data).done == "later"
    with kit.service.store.read() as link:
        assert doors.evidence.next_number(link, 1) == 0
    assert door.take(FINGERPRINT, data).done == "taken"


def failing(error: Exception) -> Callable[[int, Submission], Taken]:
    def take(_: int, __: Submission) -> Taken:
        raise error

    return take


def test_a_store_that_is_away_puts_nothing_aside(kit: Kit, tmp_path: Path) -> None:
    away = OutputError("the store refuses.", remedy="wait.")
    door = Door(kit.service, tmp_path / "nats", limits=WIDE, take=failing(away))
    _, data = begun(kit)
    assert {door.take(FINGERPRINT, data).done for _ in range(5 * TRIES)} == {"later"}
    assert doors.aside(tmp_path / "nats") == 0


def test_poison_goes_aside_after_some_tries_and_is_counted(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "MOST_ASIDE", 2)
    door = Door(kit.service, tmp_path / "nats", limits=WIDE, take=failing(ZeroDivisionError()))
    begun(kit)
    for number in range(5):
        bad = encode(Submission(first=number, entries=(), notes=()))
        found = [door.take(FINGERPRINT, bad).done for _ in range(TRIES + 1)]
        assert found == ["later"] * TRIES + ["refused"]
    assert doors.aside(tmp_path / "nats") == 2
    assert len(lines(kit)) == 1
    door.tick(all_=True)
    told = f"failed: {TRIES * 5}, put aside: 5"
    assert lines(kit)[-1][1] == told


def test_poison_that_kills_the_service_goes_aside_too(kit: Kit, tmp_path: Path) -> None:
    """A process that dies within a message leaves a mark; the broker's own count is not asked."""
    _, data = begun(kit)
    for _ in range(TRIES):
        door = Door(kit.service, tmp_path / "nats", take=failing(KeyboardInterrupt()))  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            door.take(FINGERPRINT, data)
    after = Door(kit.service, tmp_path / "nats")
    assert after.take(FINGERPRINT, data).done == "refused"
    assert doors.aside(tmp_path / "nats") == 1
    assert after.take(FINGERPRINT, data).done == "taken"  # it is tried anew, if it comes again


@pytest.mark.parametrize(
    "row",
    [
        [], {"host": "a b"}, {"host": "broker.test", "plain": True}, {"host": "broker.test"},
        {"host": "127.0.0.1", "plain": True, "port": 0}, {"host": "127.0.0.1", "plain": "yes"},
        {"host": "127.0.0.1", "plain": True, "stream": "a.b"},
        {"host": "127.0.0.1", "plain": True, "password": "x"}, {"host": "x", "ca": "none.pem"},
    ],
)  # fmt: skip
def test_settings_that_are_wrong_are_named(row: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nats|key|plain|host|port|stream|certificate|ca"):
        read(row, tmp_path, tmp_path / "fleet.json")


def test_settings() -> None:
    assert read(None, Path(), Path()) is None
    made = read({"host": "127.0.0.1", "plain": True}, Path(), Path())
    assert made is not None
    assert (made.port, made.stream, made.context()) == (4222, "CASEMATE", None)
    assert Tls(ca="", certificate="", key="").context().check_hostname


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"casemate.evidence.{'ab' * 32}", "ab" * 32), (f"casemate.evidence.{'AB' * 32}", ""),
        (f"casemate.evidence.x.{'ab' * 32}", ""), (f"other.{'ab' * 32}", ""), ("", ""),
    ],
)  # fmt: skip
def test_subjects(text: str, found: str) -> None:
    assert wire.sender(text) == found
    if found:
        assert wire.subject(wire.EVIDENCE, found) == text
    with pytest.raises(ValueError):
        wire.subject(wire.ANSWER, "*")


def test_no_part_is_larger_than_a_message_and_none_is_lost() -> None:
    story = honest.armed(8)
    most = 30_000
    parts = parts_of(story.bundle(), 3, set(), most_bytes=most)
    assert all(len(encode(each)) <= most for each in parts)
    assert [x for each in parts for x in each.entries] == list(story.entries[3:])
    assert {x for each in parts for x in each.notes} == set(story.notes)
