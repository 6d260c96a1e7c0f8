"""Batches of items: large ones under one token, in little memory, and none left without a proof."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from item_signer import Enclosure, Given, kept, stream

from casemate.attest.claims import Payload
from casemate.control.adapters import payload
from casemate.control.adapters import stream as streams
from casemate.control.adapters.stream import Draft
from casemate.control.evidence import Lost, Signed

MANY = 3000


def numbered(number: int, _before: bytes) -> tuple[str, bytes]:
    return f"{number:08d}.bin", b"%d" % number


def wait(what: Any, seconds: float = 60.0) -> bool:
    until_s = time.monotonic() + seconds
    while not what() and time.monotonic() < until_s:
        time.sleep(0.005)
    return bool(what())


class Held(Enclosure):
    """Signs when it is let: what is said waits for `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.said = threading.Event(), 0

    def say(self, body: Payload, then: Signed, lost: Lost) -> None:
        self.said += 1

        def later() -> None:
            self.go.wait()
            Enclosure.say(self, body, then, lost)

        threading.Thread(target=later).start()


def test_three_thousand_items_are_under_one_token_and_each_is_checked_alone(
    tmp_path: Path,
) -> None:
    enclosure, source = Enclosure(), Given([numbered] * MANY)
    made = stream(enclosure, source, tmp_path, batch_s=3600.0)
    assert wait(lambda: source.spent)
    assert wait(lambda: len(list(tmp_path.iterdir())) == MANY)  # kept as they come
    made.close()
    assert [each.count for each in enclosure.bodies] == [MANY] and made.signed == MANY
    paths = kept(tmp_path)
    assert len(paths) == MANY
    for at in (0, 1, MANY // 2, MANY - 1):
        assert enclosure.check(paths[at]).number == at


def test_a_full_batch_ends_before_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BATCH", 10)
    enclosure, source = Enclosure(), Given([numbered] * 25)
    made = stream(enclosure, source, tmp_path, batch_s=3600.0, per_s=200.0)
    assert wait(lambda: made.signed >= 20 and source.spent)
    made.close()
    assert [each.count for each in enclosure.bodies] == [10, 10, 5] and made.passed == 0


def test_memory_has_an_end_while_signing_stalls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "WAITING", 8)
    enclosure, source = Held(), Given([numbered] * 40)
    made = stream(enclosure, source, tmp_path)
    assert wait(lambda: source.spent) and made.passed == 40 - 1 - 8
    enclosure.go.set()
    assert wait(lambda: made.signed == 9)
    made.close()
    assert [each.first for each in enclosure.bodies] == [0, 1]
    assert len(list(tmp_path.glob("*.bin"))) == 9 == len(kept(tmp_path))


def test_a_batch_begun_in_another_state_leaves_no_file(tmp_path: Path) -> None:
    enclosure, source = Enclosure(), Given([numbered] * 20)
    made = stream(enclosure, source, tmp_path, batch_s=3600.0)
    assert wait(lambda: source.spent and len(list(tmp_path.iterdir())) == 20)
    enclosure.on = False
    made.close()
    assert (made.signed, made.passed, list(tmp_path.iterdir())) == (0, 20, [])


def test_who_says_that_it_is_signed_does_not_wait_for_proofs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the thread that has to say the last word."""
    free, real = threading.Event(), payload.write_proofs

    def slow(*given: Any) -> None:
        free.wait()
        real(*given)

    monkeypatch.setattr(payload, "write_proofs", slow)
    enclosure = Enclosure()
    done = threading.Event()

    def say(body: Payload, then: Signed, lost: Lost) -> None:
        Enclosure.say(enclosure, body, then, lost)
        done.set()

    monkeypatch.setattr(enclosure, "say", say)
    made = stream(enclosure, Given([numbered] * 3), tmp_path)
    assert wait(done.is_set) and made.signed == 0
    free.set()
    assert wait(lambda: made.signed == 3)
    made.close()
    assert len(kept(tmp_path)) == 3


def test_a_proof_that_cannot_be_kept_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(payload, "write_proofs", full)
    drafts: list[Draft | None] = [numbered]
    made = stream(Enclosure(), Given(drafts), tmp_path)
    assert wait(lambda: "No space left" in made.problem)
    made.close()
    assert made.signed == 0


def test_a_disk_that_is_full_for_a_moment_costs_what_came_meanwhile_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.write_bytes
    full = {b"3", b"4"}  # the number stays until one is kept, so each is tried again as the next

    def write(path: Path, data: bytes) -> int:
        if data in full:
            full.discard(data)
            written(path, data[:0])
            raise OSError(errno.ENOSPC, "No space left on device")
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", write)
    enclosure, source = Enclosure(), Given([numbered] * 10)
    made = stream(enclosure, source, tmp_path, batch_s=3600.0, per_s=200.0)
    assert wait(lambda: source.spent)
    made.close()
    assert made.passed == 2 and made.signed == 8
    assert "No space left on device" in made.failed and not made.problem  # told, and over
    assert [enclosure.check(each).number for each in kept(tmp_path)] == list(range(8))


def test_a_disk_that_stays_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)
    made = stream(Enclosure(), Given([numbered] * 5), tmp_path, per_s=200.0)
    assert wait(lambda: made.passed == 5)
    assert "No space left on device" in made.status()["problem"]
    made.close()
