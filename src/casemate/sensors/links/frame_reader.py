"""A reader on a microcontroller, over a serial port."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from casemate.core.challenge import Challenge
from casemate.core.errors import ReaderError
from casemate.core.samples import Block, Channel
from casemate.sensors.links.frame_session import Allowance, Session
from casemate.sensors.links.frames import (
    Code,
    Decoder,
    Frame,
    FrameError,
    Hello,
    Kind,
    encode,
    pack_configure,
    pack_drive,
    pack_start,
    unpack_ack,
    unpack_hello,
    unpack_samples,
)
from casemate.sensors.links.port import Port

POLL_S = 0.02
"""Longest wait for bytes, so the longest that `close` and a reported stall can be late."""
ANSWER_S = 0.5
"""Given to a reader to answer a command, three times over."""
TRIES = 3
AGAIN_S = 1.0
"""Between two attempts to wake a reader that went away or restarted."""
CHIP_LEAST_S = 2e-6
"""Time stamps count microseconds: over 64 chips of it they err by less than the monitor's 2 %."""


class FrameReader:
    """Speaks docs/formats/reader-frames.md. `channels` is what the design expects, not what a
    reader claims: one that names other channels or units is refused. serial: of the reader that was
    commissioned; None takes any. It is a name, and proves nothing.

    ReaderError from `configure` if the reader cannot be reached or refused; a stream that runs
    never raises. Pull it at least as often as `Allowance.late_s`: what waits in the port's buffer
    looks late, and is.
    """

    def __init__(
        self,
        *,
        modality: str,
        channels: tuple[Channel, ...],
        open_port: Callable[[], Port],
        allowance: Allowance | None = None,
        serial: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._modality, self._channels = modality, channels
        self._open_port, self._clock = open_port, clock
        self._allowance, self._serial = allowance or Allowance(), serial
        self._port: Port | None = None
        self._decoder = Decoder()
        self._sequence = 0
        self._generation = 0
        self._stream = 0
        self._woken_s = 0.0

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._channels

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return a stream that answers `challenge` from its chip 0; the one before ends."""
        self._generation += 1
        if self._port is not None:
            with contextlib.suppress(ReaderError):  # it may be gone by now: then open it again
                return self._started(self._port, challenge)
            self._port.close()
        port = self._port = self._open_port()
        try:
            return self._started(port, challenge)
        except ReaderError:
            self.close()
            raise

    def _started(self, port: Port, challenge: Challenge) -> Iterator[Block]:
        hello = self._hello(port)
        self._refuse(hello, challenge)
        self._command(port, Kind.STOP)
        session = self._session(hello, challenge)
        first = session.begin(self._clock())
        self._command(port, Kind.CONFIGURE, self._configuration(session, challenge))
        for drive in session.owed():
            self._command(port, Kind.DRIVE, pack_drive(drive))
        self._command(port, Kind.START, pack_start(session.stream, first))
        session.started(self._clock(), first)
        return self._blocks(session, challenge, self._generation)

    def close(self) -> None:
        """Stop the reader and let go of its port; the stream ends. Again does nothing."""
        self._generation += 1
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(ReaderError):
                self._send(port, Kind.STOP)
            port.close()

    def _session(self, hello: Hello, challenge: Challenge) -> Session:
        self._stream += 1
        return Session(
            hello=hello, channels=self._channels, challenge=challenge, stream=self._stream,
            allowance=self._allowance,
        )  # fmt: skip

    def _configuration(self, session: Session, challenge: Challenge) -> bytes:
        return pack_configure(session.stream, round(challenge.chip_s * 1e9))

    def _blocks(self, session: Session, challenge: Challenge, generation: int) -> Iterator[Block]:
        while self._generation == generation:
            frames = self._received()
            now_s = self._clock()
            for frame in frames:
                block = self._answer(session, challenge, frame, now_s)
                if block is not None and self._generation == generation:
                    yield block
            if self._generation != generation:
                return
            overdue = session.overdue(now_s)
            if overdue is not None:
                yield overdue
            self._supply(session)
            self._wake(session, now_s)

    def _received(self) -> list[Frame]:
        port = self._port
        if port is None:
            time.sleep(POLL_S)
            self._reopened()
            return []
        try:
            return self._decoder.feed(port.read(POLL_S))
        except ReaderError:
            self._dropped()
            return []

    def _reopened(self) -> None:
        """Try to open the port again, now and then, and ask who is there."""
        if self._clock() - self._woken_s < AGAIN_S:
            return
        self._woken_s = self._clock()
        try:
            self._port = self._open_port()
            self._send(self._port, Kind.ASK)
        except ReaderError:
            self._dropped()

    def _wake(self, session: Session, now_s: float) -> None:
        """Ask a reader that was long silent or behind who it is: its HELLO starts it again."""
        late_s = self._allowance.silent_s + AGAIN_S
        if session.lost_s(now_s) > late_s and now_s - self._woken_s > AGAIN_S and self._port:
            self._woken_s = now_s
            try:
                self._send(self._port, Kind.ASK)
            except ReaderError:
                self._dropped()

    def _dropped(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _answer(
        self, session: Session, challenge: Challenge, frame: Frame, now_s: float
    ) -> Block | None:
        try:
            if frame.kind == Kind.SAMPLES:
                return session.take(unpack_samples(frame.payload), now_s)
            if frame.kind == Kind.HELLO:
                self._resume(session, challenge, unpack_hello(frame.payload), now_s)
        except FrameError:
            self._decoder.bad += 1
        return None

    def _resume(self, session: Session, challenge: Challenge, hello: Hello, now_s: float) -> None:
        """Start a reader again that says hello in the midst of a stream."""
        if self._port is None or not session.again(hello):
            return
        first = session.begin(now_s)
        try:
            self._send(self._port, Kind.CONFIGURE, self._configuration(session, challenge))
            self._supply(session)
            if self._port is not None:
                self._send(self._port, Kind.START, pack_start(session.stream, first))
        except ReaderError:
            self._dropped()

    def _supply(self, session: Session) -> None:
        port = self._port
        if port is None:
            return
        try:
            for drive in session.owed():
                self._send(port, Kind.DRIVE, pack_drive(drive))
        except ReaderError:
            self._dropped()

    def _hello(self, port: Port) -> Hello:
        for _ in range(TRIES):
            self._send(port, Kind.ASK)
            for frame in self._until(port, ANSWER_S):
                if frame.kind != Kind.HELLO:
                    continue
                try:
                    return unpack_hello(frame.payload)
                except FrameError:
                    self._decoder.bad += 1
        raise ReaderError(
            "nothing on this port says that it is a reader.",
            remedy="check the port's name, the cable and the reader's power.",
            reader=port.name,
        )

    def _refuse(self, hello: Hello, challenge: Challenge) -> None:
        """ReaderError if this is not the reader that the design expects."""
        expected = tuple((c.id, c.unit) for c in self._channels)
        claimed = tuple((c.id, c.unit) for c in hello.channels)
        if hello.modality != self._modality:
            what = f"the reader measures {hello.modality!r}, not {self._modality!r}."
        elif self._serial is not None and hello.serial != self._serial:
            what = f"this is the reader {hello.serial}, not {self._serial}."
        elif claimed != expected:
            pairs = zip(claimed, expected, strict=False)
            one = next(((a, b) for a, b in pairs if a != b), (len(claimed), len(expected)))
            what = f"the reader's channels are not the design's: {one[0]} instead of {one[1]}."
        elif challenge.chip_s < (least_s := max(hello.chip_min_ns * 1e-9, CHIP_LEAST_S)):
            what = f"the reader needs chips of {least_s:g} s or longer."
        else:
            return
        raise ReaderError(
            what,
            remedy="connect the reader that the design names, or correct the design.",
            reader=self._port.name if self._port else "",
        )

    def _command(self, port: Port, kind: Kind, payload: bytes = b"") -> None:
        """Send a command and wait until the reader confirms it; ReaderError if it does not."""
        for _ in range(TRIES):
            sent = self._send(port, kind, payload)
            for frame in self._until(port, ANSWER_S):
                if frame.kind != Kind.ACK:
                    continue
                try:
                    sequence, code = unpack_ack(frame.payload)
                except FrameError:
                    continue
                if sequence == sent and code == Code.DONE:
                    return
                if sequence == sent:
                    name = Code(code).name if code in tuple(Code) else str(code)
                    raise ReaderError(
                        f"the reader refuses {kind.name}: {name}.",
                        remedy="check that its firmware speaks version 1 of reader-frames.",
                        reader=port.name,
                    )
        raise ReaderError(
            f"the reader does not answer {kind.name}.",
            remedy="restart the reader; check its cable.",
            reader=port.name,
        )

    def _until(self, port: Port, wait_s: float) -> Iterator[Frame]:
        stop = time.monotonic() + wait_s
        while (left := stop - time.monotonic()) > 0.0:
            yield from self._decoder.feed(port.read(min(POLL_S, left)))

    def _send(self, port: Port, kind: Kind, payload: bytes = b"") -> int:
        self._sequence = (self._sequence + 1) & 0xFFFF
        port.write(encode(kind, self._sequence, payload))
        return self._sequence
