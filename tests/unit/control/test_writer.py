"""The writer of evidence: what waits when keys go is told all the same, and holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "translog"))

from log_samples import LOG_KEY, ORIGIN

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest.keys.unsafe import UnsafeHolder
from casemate.attest.token import Token, peek
from casemate.control.evidence import Beat, Begin, Do, Keep, Moment, Place, Say, Writer
from casemate.testing.unsafe_disk import UnsafeDisk
from casemate.translog.log import Log

PLACE = Place(enclosure="small", serial="U-1", software=b"\x0a" * 32)


class Written:
    """A writer on a disk in memory, with a holder."""

    def __init__(self) -> None:
        self.log = Log(UnsafeDisk(), ORIGIN, LOG_KEY)
        self.told: list[str] = []
        self.holder = UnsafeHolder()
        self.writer = Writer(
            self.log, PLACE, previous=b"", boots=0, batch_s=300, tell=self.told.append
        )
        self.at_ms = 0
        self.writer.put(Begin(holder=self.holder, reason="commissioned", at=self.at("ARMED")))

    def at(self, state: str) -> Moment:
        return Moment(state=state, anchor=b"\x0e" * 32, uptime_ms=self.at_ms, time_s=1_800_000_000)

    def beat(self, count: int, state: str = "ARMED") -> None:
        for _ in range(count):
            self.at_ms += 1000
            one = Beat(verdict="NORMAL", health=0, centinats=3, information=9, at=self.at(state))
            self.writer.put(one)

    def change(self, after: str) -> None:
        body = c.Change(before="ARMED", after=after, reason="told")
        self.writer.put(Say(body=body, at=self.at(after)))

    def wait(self) -> None:
        """Wait until all of the queue is done; heartbeats go on waiting."""
        import threading

        done = threading.Event()
        self.writer.put(Keep(done.set))
        assert done.wait(20.0)

    def tokens(self) -> list[Token]:
        return [peek(each)[1] for each in self.log.pending_entries()]


@pytest.fixture
def written() -> Iterator[Written]:
    found = Written()
    yield found
    found.writer.close()


def chained(first: bytes, *batches: c.Heartbeats) -> bool:
    head, number = beats.start(first), 0
    for each in batches:
        head = beats.chain(head, each.beats)
        if each.head != head or each.first != number:
            return False
        number += len(each.beats) // beats.BEAT_BYTES
    return True


def test_heartbeats_that_wait_when_keys_go_are_in_the_last_word(written: Written) -> None:
    written.beat(7)
    written.wait()
    written.holder.zeroise()
    word = c.LastWord(reason="cut", erased_us=300)
    written.writer.put(Keep(lambda: None))
    written.writer.put(Do(lambda: None))
    written.writer.put(Say(body=word, at=written.at("TAMPERED")))
    written.wait()
    boot, last = written.tokens()
    assert isinstance(last.body, c.LastWord) and last.body.waiting is not None
    assert len(last.body.waiting.beats) == 7 * beats.BEAT_BYTES
    assert chained(written.log.pending_entries()[0], last.body.waiting)
    assert written.writer.unsigned == 0 and boot.kind == "boot"


def test_sealed_keys_sign_heartbeats_that_wait_after_the_state_that_followed(
    written: Written,
) -> None:
    written.beat(5)
    written.wait()
    written.holder.seal()
    written.change("UNKNOWN")
    written.beat(3, "UNKNOWN")
    written.writer.put(Do(lambda: None))
    written.wait()
    found = written.tokens()
    assert [(each.kind, each.state) for each in found[1:]] == [
        ("state", "UNKNOWN"), ("heartbeats", "UNKNOWN"), ("heartbeats", "UNKNOWN"),
    ]  # fmt: skip
    bodies = [each.body for each in found[2:]]
    assert all(isinstance(each, c.Heartbeats) for each in bodies)
    assert chained(written.log.pending_entries()[0], *bodies)  # type: ignore[arg-type]
    assert [len(each.beats) for each in bodies] == [45, 27]  # type: ignore[union-attr]
    assert written.writer.unsigned == 0


def test_without_any_key_heartbeats_are_counted_as_unsigned(written: Written) -> None:
    written.beat(2)
    written.wait()
    written.holder.zeroise()
    written.holder.close()
    written.writer.close()
    assert written.writer.unsigned == 1
    assert "2 heartbeats stay unsigned" in written.told


def test_a_memory_that_is_kept_ends_no_batch(written: Written) -> None:
    written.beat(2)
    written.writer.put(Keep(lambda: None))
    written.wait()
    assert [each.kind for each in written.tokens()] == ["boot"]


def test_a_memory_comes_before_the_token_that_follows_it(written: Written) -> None:
    entries: list[int] = []
    written.writer.put(Keep(lambda: entries.append(written.log.next_index)))
    written.change("TAMPERED")
    written.wait()
    assert entries == [1] and [each.kind for each in written.tokens()] == ["boot", "state"]


def test_a_token_whose_waiting_heartbeats_were_cut_does_not_chain(written: Written) -> None:
    written.beat(4)
    written.wait()
    written.holder.zeroise()
    written.writer.put(Say(body=c.LastWord(reason="cut", erased_us=1), at=written.at("TAMPERED")))
    written.wait()
    body = written.tokens()[-1].body
    assert isinstance(body, c.LastWord) and body.waiting is not None
    less = replace(body.waiting, beats=body.waiting.beats[:-9])
    assert not chained(written.log.pending_entries()[0], less)
