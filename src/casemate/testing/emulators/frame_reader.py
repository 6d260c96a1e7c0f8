"""A microcontroller reader that speaks docs/formats/reader-frames.md, and misbehaves on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.sensors.links.frames import (
    NO_NUMBER,
    Code,
    Decoder,
    Drive,
    Frame,
    FrameError,
    Hello,
    Kind,
    Samples,
    Status,
    encode,
    pack_ack,
    pack_hello,
    pack_samples,
    unpack_drive,
    unpack_pair,
)

Quantity = Callable[[int], npt.NDArray[np.float64]]
"""From the place that is driven to what each channel would read under a drive of 1."""


STALL_S = 1e9
"""For ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Ways to misbehave; "after" counts chips, "every" counts frames, 0 and 1.0 are none."""

    mute: bool = False
    stall_after: int = 0
    stall_s: float = STALL_S
    pace: float = 1.0
    """Chips take this many times as long as the reader says."""
    clock: float = 1.0
    """The reader's time stamps run this much faster."""
    reset_after: int = 0
    unit_after_reset: str = ""
    corrupt_every: int = 0
    repeat_every: int = 0
    drop_every: int = 0
    no_number_after: int = 0
    saturate_after: int = 0
    freeze_after: int = 0
    supply_after: int = 0
    refuse: Kind | None = None
    ahead_by: int = 0
    """Claims to be this many chips further than it is."""


class FrameDevice:
    """The reader's firmware, as bytes and times. `noise` is in the channels' units.

    `heard` is all drive that it was told, as a probe on its serial line would see it.
    """

    def __init__(
        self,
        hello: Hello,
        quantity: Quantity,
        *,
        faults: Faults | None = None,
        noise: float = 0.0,
        frame_chips: int = 8,
        seed: int = 0,
    ) -> None:
        self.hello, self.faults = hello, faults or Faults()
        self.heard: list[Drive] = []
        self._quantity, self._noise, self._frame_chips = quantity, noise, frame_chips
        self._generator = np.random.default_rng(seed)
        self._decoder = Decoder()
        self._sequence = self._frames = 0
        self._table: dict[int, tuple[complex, int]] = {}
        self._stream, self._chip_s = 0, 0.0
        self._first = self._chip = 0
        self._start_s: float | None = None
        self._boot_s: float | None = None
        self._has_reset = False
        self._frozen: npt.NDArray[np.int32] | None = None
        self._has_stalled = False

    def received(self, data: bytes, now_s: float) -> bytes:
        """Return ACK or HELLO for each command."""
        if self.faults.mute:
            return b""
        return b"".join(self._command(frame, now_s) for frame in self._decoder.feed(data))

    def tick(self, now_s: float) -> bytes:
        """Return frames of samples that are due."""
        if self._boot_s is None:
            self._boot_s = now_s
        out = []
        while self._start_s is not None:
            done_s = (self._chip + self._frame_chips - self._first) * self._chip_s
            if now_s - self._start_s < done_s * self.faults.pace + self._stalled():
                break
            after = 0 if self._has_reset else self.faults.reset_after
            if after and self._chip >= after:
                out.append(self._reset(now_s))
                break
            out.append(self._samples())
        return b"".join(out)

    def _stalled(self) -> float:
        after = 0 if self._has_stalled else self.faults.stall_after
        return self.faults.stall_s if after and self._chip >= after else 0.0

    def _reset(self, now_s: float) -> bytes:
        self._has_reset, self._start_s, self._boot_s = True, None, now_s
        self._table.clear()
        self.hello = replace(self.hello, boot=self.hello.boot + 1)
        if self.faults.unit_after_reset:
            unit = self.faults.unit_after_reset
            changed = tuple(replace(c, unit=unit) for c in self.hello.channels)
            self.hello = replace(self.hello, channels=changed)
        return self._frame(Kind.HELLO, pack_hello(self.hello))

    def _command(self, frame: Frame, now_s: float) -> bytes:
        if frame.kind == Kind.ASK:
            return self._frame(Kind.HELLO, pack_hello(self.hello))
        try:
            code = self._carried_out(frame, now_s)
        except FrameError:
            code = Code.MALFORMED
        if frame.kind == self.faults.refuse:
            code = Code.MALFORMED
        return self._frame(Kind.ACK, pack_ack(frame.sequence, code))

    def _carried_out(self, frame: Frame, now_s: float) -> Code:
        if frame.kind == Kind.STOP:
            self._start_s = None
        elif frame.kind == Kind.CONFIGURE:
            self._stream, chip_ns = unpack_pair(frame.payload)
            if chip_ns < self.hello.chip_min_ns:
                return Code.TOO_FAST
            self._chip_s = chip_ns * 1e-9
            self._table.clear()
            self._start_s = None
        elif frame.kind == Kind.DRIVE:
            return self._tabled(unpack_drive(frame.payload))
        elif frame.kind == Kind.START:
            stream, first = unpack_pair(frame.payload)
            if not self._chip_s or stream != self._stream:
                return Code.NOT_CONFIGURED
            self._has_stalled = self._has_stalled or (
                self._stalled() < 1e6 and self._stalled() > 0.0
            )
            self._first = self._chip = first
            self._start_s = now_s
        else:
            return Code.UNKNOWN
        return Code.DONE

    def _tabled(self, drive: Drive) -> Code:
        if drive.stream != self._stream:
            return Code.NOT_CONFIGURED
        if len(self._table) + drive.drive.size > self.hello.depth:
            return Code.FULL
        self.heard.append(drive)
        pairs = zip(drive.drive.tolist(), drive.place.tolist(), strict=True)
        self._table.update({drive.first + k: pair for k, pair in enumerate(pairs)})
        return Code.DONE

    def _samples(self) -> bytes:
        number = range(self._chip, self._chip + self._frame_chips)
        starved = any(k not in self._table for k in number)
        told = [self._table.pop(k, (0j, 0)) for k in number]
        ideal = np.array([drive.real * self._quantity(place) for drive, place in told])
        ideal = ideal + self._generator.normal(0.0, self._noise, ideal.shape)
        offset = np.array([c.offset for c in self.hello.channels])
        scale = np.array([c.scale for c in self.hello.channels])
        low = np.array([c.code_low for c in self.hello.channels])
        high = np.array([c.code_high for c in self.hello.channels])
        codes = np.clip(np.rint((ideal - offset) / scale), low, high).astype(np.int32)
        codes = self._spoilt(codes, high)
        status = Status.STARVED if starved else Status.GOOD
        if self._has_reset and self._chip == self._first:
            status |= Status.RESET
        if self.faults.supply_after and self._chip >= self.faults.supply_after:
            status |= Status.SUPPLY
        begin_s = (self._chip - self._first) * self._chip_s * self.faults.clock
        sent = Samples(
            stream=self._stream, first=self._chip + self.faults.ahead_by,
            device_us=1_000_000 + round(begin_s * 1e6), status=status, codes=codes,
        )  # fmt: skip
        self._chip += self._frame_chips
        return self._on_the_line(pack_samples(sent))

    def _spoilt(
        self, codes: npt.NDArray[np.int32], high: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        if self.faults.no_number_after and self._chip >= self.faults.no_number_after:
            codes[:, 0] = NO_NUMBER
        if self.faults.saturate_after and self._chip >= self.faults.saturate_after:
            codes[:] = high
        if self.faults.freeze_after and self._chip >= self.faults.freeze_after:
            self._frozen = codes[:1].copy() if self._frozen is None else self._frozen
            codes = np.repeat(self._frozen, codes.shape[0], axis=0)
        return codes

    def _on_the_line(self, payload: bytes) -> bytes:
        self._frames += 1
        whole = self._frame(Kind.SAMPLES, payload)
        if self._every(self.faults.drop_every):
            return b""
        if self._every(self.faults.corrupt_every):
            middle = len(whole) // 2
            return whole[:middle] + bytes([whole[middle] ^ 0x55 or 1]) + whole[middle + 1 :]
        return whole * 2 if self._every(self.faults.repeat_every) else whole

    def _every(self, frames: int) -> bool:
        return bool(frames) and self._frames % frames == 0

    def _frame(self, kind: Kind, payload: bytes) -> bytes:
        self._sequence += 1
        return encode(kind, self._sequence, payload)
