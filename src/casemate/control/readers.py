"""Readers on the far side of a pipe, and what takes their blocks to the detector."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.control.bounded import Bounded
from casemate.control.inlet import messages
from casemate.control.wires import challenge_plain, frame, unframed
from casemate.core.challenge import Challenge, Chips, chips
from casemate.core.errors import FormatError, ReaderError
from casemate.core.randomness import new_secret
from casemate.core.samples import Block, Channel, Reader
from casemate.core.watch import Limits, Watcher, union, watched

HELD = 64
"""Blocks of all readers that wait for the detector: 1.6 s of four readers (planning value). As many
of each reader wait before; whoever floods waits in the pipe, and takes no memory here."""


CPU_EVERY = 10
"""Blocks between two looks at the time that a thread has used."""
AT_ONCE = 1024
"""Chips that are drawn at once."""


Take = Callable[[Block | None], None]
"""Takes a stream's blocks in turn, and None at its end."""


class Far:
    """The other end of a pipe behind which readers are: `readers`, by modality, and `hello`.

    listening: the thread that takes what comes; it ends with the pipe's other end. Whoever closes
    this end waits for it first: its number may be that of the next pipe.
    """

    def __init__(self, link: Connection, *, timeout_s: float) -> None:
        self._link = link
        self._lock = threading.Lock()
        if not link.poll(timeout_s):
            raise ReaderError("the readers do not start.", remedy="see what they print.")
        try:
            self.hello: dict[str, Any] = json.loads(link.recv_bytes())
        except (EOFError, OSError, ValueError):
            raise ReaderError("the readers ended.", remedy="see what they print.") from None
        self.readers = {row["modality"]: FarReader(self, row) for row in self.hello["readers"]}
        self.hear: Callable[[dict[str, Any]], None] = lambda _said: None
        self.listening = threading.Thread(target=self._receive, name="far", daemon=True)
        self.listening.start()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; ReaderError if the readers have ended."""
        try:
            with self._lock:
                self._link.send_bytes(frame(message))
        except OSError:
            raise ReaderError("the readers ended.", remedy="see what they print.") from None

    def _receive(self) -> None:
        try:
            for message in messages(self._link):
                try:
                    head, block = unframed(message)
                except FormatError:
                    continue  # no block came: to its watcher that is silence
                reader = self.readers.get(str(head.get("modality")))
                if reader is not None and block is not None:
                    reader.take(block, head.get("epoch"))
                elif block is None:
                    self.hear(head)
        except (EOFError, OSError, TypeError):  # TypeError: closed while it waited
            for reader in self.readers.values():
                reader.end()


class FarReader:
    """One of them, as a `core.samples.Reader`."""

    def __init__(self, far: Far, row: dict[str, Any]) -> None:
        self._far = far
        self.modality = str(row["modality"])
        self.chip_s, self.order = float(row["chip_s"]), int(row["order"])
        self._channels = tuple(
            Channel(id=i, modality=self.modality, unit=u, tile=t, low=low, high=high, excited=e)
            for i, u, t, low, high, e in row["channels"]
        )
        self._lock = threading.Lock()
        self._streams: dict[int, Take] = {}
        self._held: dict[int, Bounded[Block | None]] = {}
        self._epoch = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._channels

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return the stream of blocks that answers `challenge`; the one before ends.

        What answers an earlier epoch goes on until the first block of a newer one has come. If a
        stream is overtaken before it began, it ends without a block.
        """
        blocks: Bounded[Block | None] = Bounded(HELD)
        self._ask(challenge, blocks.put, blocks)
        return iter(blocks.get, None)

    def deliver(self, challenge: Challenge, take: Take) -> None:
        """Do the same, but give each block to `take` as it comes, in the pipe's thread; None ends.

        While it has not returned, nothing more is taken from the pipe. It does not raise.
        """
        self._ask(challenge, take, None)

    def _ask(self, challenge: Challenge, take: Take, held: Bounded[Block | None] | None) -> None:
        with self._lock:
            self._streams[challenge.epoch] = take
            if held is not None:
                self._held[challenge.epoch] = held
            self._epoch = self._epoch or challenge.epoch
        self._far.send({"configure": challenge_plain(challenge)})

    @property
    def blocks(self) -> Bounded[Block | None]:
        """Return the queue of the stream that goes on now."""
        return self._held[self._epoch]

    def take(self, block: Block, epoch: object) -> None:
        """Take in a block that came. epoch: of the challenge that it answers, None if unsaid."""
        ended: list[Take] = []
        with self._lock:
            if isinstance(epoch, int) and epoch > self._epoch and epoch in self._streams:
                self._epoch = epoch
                for each in sorted(self._streams):
                    if each < epoch:
                        ended.append(self._streams.pop(each))
                        self._held.pop(each, None)
            now = self._streams.get(self._epoch)
        for each_ended in ended:
            each_ended(None)
        if now is not None:
            now(block)

    def end(self) -> None:
        """End every stream: nothing comes any more."""
        with self._lock:
            streams = list(self._streams.values())
        for each in streams:
            each(None)

    def close(self) -> None:
        """End the stream; a full queue ends with its process."""
        with suppress(queue.Full, KeyError):
            self.blocks.put_nowait(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A block that was watched, with the chips that it may answer. at_s: when it came, monotonic.

    faults (C,): union of its flags by channel. calm: there is known to be none.
    """

    modality: str
    block: Block
    chips: Chips
    at_s: float
    faults: npt.NDArray[np.uint16]
    calm: bool = False


Arrivals = Bounded[Arrived] | queue.Queue[Arrived]
"""What takes blocks to the detector."""


class Drawn:
    """Chips of one challenge in turn, drawn many at once: a draw costs the same for 1 and 1000."""

    def __init__(self, challenge: Challenge) -> None:
        self._challenge = challenge
        self._held = chips(challenge, 0, 0)

    def hold(self, first: int, count: int) -> None:
        """Draw these chips and some more, if they are not drawn yet."""
        begin = first - self._held.first
        if begin < 0 or begin + count > self._held.drive.size:
            self._held = chips(self._challenge, first, max(count, AT_ONCE))

    def take(self, first: int, count: int) -> Chips:
        """Return chips `first` .. `first + count - 1`, as `core.challenge.chips` does."""
        self.hold(first, count)
        held = self._held
        begin = first - held.first
        mine = slice(begin, begin + count)
        return Chips(
            first=first, drive=held.drive[mine], place=held.place[mine], epoch=held.epoch
        )  # fmt: skip


class _Stream:
    """What answers one challenge, on its way to the detector."""

    def __init__(self, pump: Pump, challenge: Challenge, channels: tuple[Channel, ...]) -> None:
        self._pump, self._epoch, self._drawn = pump, challenge.epoch, Drawn(challenge)
        self._watcher = Watcher(channels, challenge, Limits())
        self._due, self._count, self._broken = 0, 0, False
        self._none = np.zeros(len(channels), np.uint16)
        self._none.flags.writeable = False

    def pass_on(self, block: Block, at_s: float, *, calm: bool = False) -> None:
        """Give a block that was watched, and came at `at_s`, to the detector. calm: no flags."""
        pump, count = self._pump, block.t_s.size
        pump.answers = self._epoch
        first = self._due
        if pump.excited and count and int(block.chip[0]) > first:
            first = int(block.chip[0])  # some were lost; the detector counts them
        arrived = Arrived(
            modality=pump.modality, block=block, chips=self._drawn.take(first, count), at_s=at_s,
            faults=self._none if calm else union(block.health), calm=calm,
        )  # fmt: skip
        self._due, self._count = first + count, count
        pump.out.put(arrived)

    def ahead(self) -> None:
        """Draw chips for the next block of that size, while nobody waits for it."""
        self._drawn.hold(self._due, self._count)

    def take(self, block: Block | None) -> None:
        """Watch a block and pass it on. What breaks here is silence of this modality alone."""
        if block is None or self._broken:
            return
        at_s, began_s = time.monotonic(), time.thread_time()
        try:
            watcher = self._watcher
            watched_block = watcher.check(block)
            self.pass_on(watched_block, at_s, calm=watcher.calm)
            self.ahead()
        except Exception as error:
            self._broken = True
            logging.getLogger(__name__).warning("a reader's stream broke off: %r", error)
        self._pump.cpu_s += time.thread_time() - began_s


class Pump:
    """Takes one reader's blocks, watched, to the detector's queue. A full queue makes it wait.

    A reader that can `deliver` needs no thread for that; others get one a challenge. cpu_s: what
    all this has used so far. `answers`: epoch of the challenge that the last block answers, 0
    before the first.
    """

    def __init__(
        self,
        reader: Reader,
        challenge: Challenge,
        out: Arrivals,
    ) -> None:
        self.modality, self.cpu_s, self._came_s = challenge.modality, 0.0, time.monotonic()
        self._reader, self._channels, self.out = reader, reader.channels, out
        self.challenge, self.answers = challenge, 0
        self.excited = any(each.excited for each in reader.channels)
        self._thread = self._begun(None)

    def renew(self) -> bool:
        """Ask with a fresh key and another epoch; the stream before is taken to its end first.

        False, and nothing is asked, while the reader has not answered the last challenge: one that
        stands still would have a thread more waiting for it each time.
        """
        asked = self.challenge
        if self.answers != asked.epoch:
            return False
        self.challenge = replace(asked, key=new_secret(), epoch=asked.epoch + 1)
        self._thread = self._begun(self._thread)
        return True

    def _begun(self, after: threading.Thread | None) -> threading.Thread | None:
        stream = _Stream(self, self.challenge, self._channels)
        if isinstance(self._reader, FarReader):
            self._reader.deliver(self.challenge, stream.take)
            return None
        blocks = self._reader.configure(self.challenge)
        thread = threading.Thread(
            target=self._run, args=(blocks, self.challenge, stream, after),
            name=f"pump {self.modality}", daemon=True,
        )  # fmt: skip
        thread.start()
        return thread

    def _stamped(self, stream: Iterator[Block]) -> Iterator[Block]:
        """Yield the stream, and note when each block came: before anything is done with it."""
        for block in stream:
            self._came_s = time.monotonic()
            yield block

    def _run(
        self,
        blocks: Iterator[Block],
        challenge: Challenge,
        stream: _Stream,
        after: threading.Thread | None,
    ) -> None:
        if after is not None:
            after.join()
        spent_s = self.cpu_s
        stamped = watched(self._stamped(blocks), self._channels, challenge)
        for number, block in enumerate(stamped):
            stream.pass_on(block, self._came_s)
            if number % CPU_EVERY == 0:  # asking costs a call to the system
                self.cpu_s = spent_s + time.thread_time()
            stream.ahead()
