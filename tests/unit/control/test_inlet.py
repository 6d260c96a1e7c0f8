"""What a pipe's messages come to, whole and in pieces, and how it ends; a queue with an end."""

from __future__ import annotations

import multiprocessing
import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

from casemate.control import inlet
from casemate.control.bounded import Bounded
from casemate.control.inlet import messages

SIZES = (0, 1, 17, 16_384, 16_385, 300_000, 5_000_000)


@pytest.fixture(params=[True, False])
def linked(request: pytest.FixtureRequest) -> Iterator[tuple[Connection, Connection]]:
    """Both kinds of pipe: a socket, and one that is none."""
    ours, theirs = multiprocessing.Pipe(duplex=request.param)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_messages_are_those_that_were_sent(linked: tuple[Connection, Connection]) -> None:
    ours, theirs = linked
    sent = [os.urandom(each) for each in SIZES]

    def say() -> None:
        for each in sent:
            theirs.send_bytes(each)
        theirs.close()

    saying = threading.Thread(target=say, daemon=True)
    saying.start()
    found = []
    with pytest.raises(EOFError):
        for each in messages(ours):
            assert type(each) is bytes
            found.append(each)
    saying.join(10.0)
    assert found == sent
    os.fstat(ours.fileno())  # it is still the pipe's own to close


def test_a_message_in_pieces_is_waited_for() -> None:
    one, other = socket.socketpair()
    link, body = Connection(one.detach()), os.urandom(90_000)

    def say() -> None:
        for each in (struct.pack("!i", len(body))[:2], struct.pack("!i", len(body))[2:]):
            other.sendall(each)
            time.sleep(0.02)
        for at in range(0, len(body), 30_000):
            other.sendall(body[at : at + 30_000])
            time.sleep(0.02)
        other.sendall(struct.pack("!i", 10) + b"half")
        other.close()

    threading.Thread(target=say, daemon=True).start()
    stream = messages(link)
    assert next(stream) == body
    with pytest.raises(EOFError):  # what breaks off within a message is no message
        next(stream)
    link.close()


def test_what_was_closed_here_is_read_no_more() -> None:
    """Its number may be another file's by then."""
    ours, theirs = multiprocessing.Pipe()
    stream = messages(ours)
    theirs.send_bytes(b"one")
    assert next(stream) == b"one"
    theirs.send_bytes(b"two")
    kept = os.dup(ours.fileno())
    number = ours.fileno()
    ours.close()
    os.dup2(kept, number)  # the number is in use again
    with pytest.raises(OSError, match="closed"):
        next(stream)
    os.close(kept)
    os.close(number)
    theirs.close()


@pytest.mark.parametrize("size", [inlet.MOST_BYTES + 1, 1 << 62])
def test_a_length_beyond_reason_is_the_end(size: int) -> None:
    one, other = socket.socketpair()
    link = Connection(one.detach())
    head = struct.pack("!i", size) if size < 1 << 31 else struct.pack("!iQ", -1, size)
    other.sendall(head)
    with pytest.raises(EOFError):
        next(messages(link))
    link.close()
    other.close()


def test_a_full_queue_makes_who_puts_wait() -> None:
    held: Bounded[int] = Bounded(2)
    held.put(1)
    held.put(2)
    assert held.full() and held.qsize() == 2
    with pytest.raises(queue.Full):
        held.put_nowait(3)
    put = threading.Thread(target=held.put, args=(3,), daemon=True)
    put.start()
    put.join(0.05)
    assert put.is_alive()
    assert held.get() == 1
    put.join(5.0)
    assert not put.is_alive() and [held.get(), held.get(timeout=1.0)] == [2, 3]
    with pytest.raises(queue.Empty):
        held.get(timeout=0.0)
    held.put_nowait(4)
    assert held.get(timeout=0.0) == 4 and not held.full()


def test_a_taker_is_woken_once_when_enough_has_come() -> None:
    held: Bounded[int] = Bounded(8)
    woken: list[int] = []

    def take() -> None:
        held.wait_for(3, 30.0)
        woken.append(held.qsize())

    taker = threading.Thread(target=take, daemon=True)
    taker.start()
    for number in range(3):
        taker.join(0.05)
        assert taker.is_alive() and not woken, "fewer than three are not enough"
        held.put(number)
    taker.join(5.0)
    assert woken == [3] and [held.get() for _ in range(3)] == [0, 1, 2]
    began_s = time.monotonic()
    held.wait_for(1, 0.1)
    assert 0.05 < time.monotonic() - began_s < 5.0, "nothing came, and no word of before is left"


def test_a_taker_never_waits_for_more_than_there_is_room_for() -> None:
    held: Bounded[int] = Bounded(2)
    put = threading.Thread(target=lambda: [held.put(k) for k in range(6)], daemon=True)
    put.start()
    for number in range(6):
        held.wait_for(9, 30.0)  # more than ever fit: whoever puts would wait for ever
        assert held.get(timeout=5.0) == number
    put.join(5.0)
    assert not put.is_alive()


def test_of_many_who_put_none_is_left_unheard() -> None:
    held: Bounded[int] = Bounded(4)
    threads = [
        threading.Thread(target=lambda: [held.put(k) for k in range(500)], daemon=True)
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    seen, until_s = 0, time.monotonic() + 30.0
    while seen < 2000 and time.monotonic() < until_s:
        held.wait_for(2 if seen < 1990 else 1, 0.5)
        while held.qsize():
            held.get()
            seen += 1
    assert seen == 2000
