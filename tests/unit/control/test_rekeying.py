"""Fresh keys while a reader stands still: no stream stops for good, and no thread heaps up."""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import far_process
import pytest
from far_process import CHIP_S, NAMES, block
from small_enclosure import wait_for

from casemate.control.readers import HELD, Arrived, Drawn, Far, Pump
from casemate.control.wires import challenge_of, frame, unframed
from casemate.core.challenge import Challenge
from casemate.core.randomness import new_secret


def challenge(name: str = "loops", epoch: int = 1) -> Challenge:
    return Challenge(key=new_secret(), modality=name, epoch=epoch, chip_s=CHIP_S, order=1)


def pumps_of(name: str) -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name == f"pump {name}"}


@pytest.fixture
def linked() -> Iterator[tuple[Far, Connection]]:
    """A far side that the test plays itself."""
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(json.dumps(far_process.hello()).encode())
    far = Far(ours, timeout_s=10.0)
    yield far, theirs
    theirs.close()
    far.listening.join(10.0)
    ours.close()


def asked_of(link: Connection) -> Challenge:
    assert link.poll(10.0)
    return challenge_of(unframed(link.recv_bytes())[0]["configure"])


def tell(link: Connection, asked: Challenge, first: int, window: int) -> None:
    link.send_bytes(frame({"modality": "loops", "epoch": asked.epoch}, block(asked, first, window)))


def came(out: queue.Queue[Arrived]) -> tuple[int, float]:
    found = out.get(timeout=10.0)
    return found.chips.epoch, round(float(found.block.t_s[0]), 6)


@pytest.mark.parametrize("answered", [True, False])
def test_two_challenges_before_an_answer(linked: tuple[Far, Connection], answered: bool) -> None:
    """A reader that stood still answers both in turn, or the last alone: each goes to its own."""
    far, link = linked
    reader = far.readers["loops"]
    first, second, third = (challenge(epoch=k) for k in (1, 2, 3))
    streams = [reader.configure(each) for each in (first, second, third)]
    for _ in range(3):
        asked_of(link)
    tell(link, first, 0, 0)
    if answered:
        tell(link, second, 1, 1)
    tell(link, third, 2, 2)
    link.close()
    found: list[list[float]] = [[], [], []]

    def take(k: int) -> None:
        found[k] = [round(float(each.t_s[0]), 6) for each in streams[k]]

    threads = [threading.Thread(target=take, args=(k,), daemon=True) for k in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10.0)
    assert [each.is_alive() for each in threads] == [False] * 3
    assert found == [[0.0], [0.01] if answered else [], [0.02]]


def test_an_epoch_that_nobody_asked_for_takes_nothing_over(
    linked: tuple[Far, Connection],
) -> None:
    """A far side that claims one cannot keep later keys from taking over."""
    far, link = linked
    out: queue.Queue[Arrived] = queue.Queue(HELD)
    pump = Pump(far.readers["loops"], challenge(), out)
    asked = asked_of(link)
    link.send_bytes(frame({"modality": "loops", "epoch": 10**6}, block(asked, 0, 0)))
    assert came(out) == (1, 0.0)
    assert pump.renew()
    again = asked_of(link)
    tell(link, again, 1, 1)
    assert came(out) == (2, 0.01)


def test_a_reader_that_stands_still_is_asked_once(linked: tuple[Far, Connection]) -> None:
    far, link = linked
    others = pumps_of("loops")  # of tests before this one
    out: queue.Queue[Arrived] = queue.Queue(HELD)
    pump = Pump(far.readers["loops"], challenge(), out)
    assert not pump.renew()  # it has not answered the first yet
    asked = asked_of(link)
    tell(link, asked, 0, 0)
    assert came(out) == (1, 0.0)
    assert pump.renew()
    assert [pump.renew() for _ in range(5)] == [False] * 5
    assert not pumps_of("loops") - others, "the pipe's own thread takes what comes"
    again = asked_of(link)
    assert not link.poll(0.1)
    tell(link, asked, 0, 1)
    tell(link, again, 2, 2)
    assert [came(out), came(out)] == [(1, 0.01), (2, 0.02)]
    assert wait_for(lambda: pump.answers == 2, 5.0)
    assert pump.renew()


def test_a_stream_that_breaks_is_silence_of_its_own(
    linked: tuple[Far, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails between pipe and detector: the other reader goes on."""
    far, link = linked
    out: queue.Queue[Arrived] = queue.Queue(HELD)
    for name in NAMES:
        Pump(far.readers[name], challenge(name), out)
    asked = {each.modality: each for each in (asked_of(link), asked_of(link))}
    tell(link, asked["loops"], 0, 0)
    assert came(out) == (1, 0.0)

    def fails(_drawn: Drawn, _first: int, _count: int) -> None:
        raise ValueError("a fault that was planted")

    with monkeypatch.context() as patched:
        patched.setattr(Drawn, "take", fails)
        tell(link, asked["loops"], 0, 1)
        heard = threading.Event()
        far.hear = lambda _said: heard.set()
        link.send_bytes(frame({"modality": "loops"}))
        assert heard.wait(10.0)
    tell(link, asked["loops"], 0, 2)
    link.send_bytes(frame({"modality": "plates", "epoch": 1}, block(asked["plates"], 0, 0)))
    assert out.get(timeout=10.0).modality == "plates"
    assert out.empty() and far.listening.is_alive()


class Readers:
    """Two readers in a process that can be stopped, and what comes of them."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self.process = context.Process(target=_far, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.link = ours
        self.far = Far(ours, timeout_s=60.0)
        self.out: queue.Queue[Arrived] = queue.Queue(HELD)
        self.pumps = [Pump(self.far.readers[n], challenge(n), self.out) for n in NAMES]
        self.ends: dict[str, list[tuple[int, int]]] = {name: [] for name in NAMES}
        self.slow_s = 0.0
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            found = self.out.get()
            window = round(float(found.block.t_s[0]) / (far_process.CHIPS * CHIP_S))
            self.ends[found.modality].append((found.chips.epoch, window))
            time.sleep(self.slow_s)

    def stop(self, go_on: bool) -> None:
        pid = self.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGCONT if go_on else signal.SIGSTOP)

    def flows(self, epoch: int) -> bool:
        """Return whether all streams answer an epoch, soon."""
        return wait_for(lambda: all(e[-1:] and e[-1][0] == epoch for e in self.ends.values()), 60.0)

    def close(self) -> None:
        self.process.kill()
        self.process.join(10.0)
        self.far.listening.join(10.0)
        self.link.close()


def _far(link: Connection) -> None:
    link.send_bytes(json.dumps(far_process.hello()).encode())
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        far_process.work(link)


def test_stopped_and_slow_no_stream_stands_still_and_no_window_is_lost() -> None:
    """The reader's process is stopped while keys are asked for, and a detector falls behind."""
    found = Readers()
    try:
        assert found.flows(1)
        for epoch in (2, 3, 4):
            found.stop(False)
            time.sleep(0.2)
            assert [each.renew() for each in found.pumps] == [True, True]
            assert [each.renew() for each in found.pumps] == [False, False]
            found.slow_s = 0.02 if epoch == 3 else 0.0
            found.stop(True)
            assert found.flows(epoch)
    finally:
        found.close()
    for rows in found.ends.values():
        windows: list[Any] = [window for _, window in rows]
        assert windows == list(range(windows[0], windows[0] + len(windows)))
        epochs = [epoch for epoch, _ in rows]
        assert epochs == sorted(epochs)
