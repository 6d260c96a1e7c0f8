"""Frames of a reader on a microcontroller: docs/formats/reader-frames.md, version 1. No I/O.

A frame is version, kind, sequence and payload, closed by the CRC-32 of zlib, COBS-encoded and
ended by a zero byte. The CRC finds accidents, not forgery: a reader inside the enclosure is
trusted as far as its challenge shows that it drives what it is told.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

VERSION = 1
FRAME_BYTES_MAX = 65_536
NO_NUMBER = -(2**31)
"""Code of a sample that the reader could not take."""
_HEAD, _CRC = struct.Struct("<BBH"), struct.Struct("<I")
_HELLO, _CHANNEL = struct.Struct("<IHHII"), struct.Struct("<ddii")
_SAMPLES, _ACK = struct.Struct("<IQQHHH"), struct.Struct("<HB")
_CONFIGURE, _START, _DRIVE = struct.Struct("<IQ"), struct.Struct("<IQ"), struct.Struct("<IQH")
_CHIP = np.dtype([("in_phase", "<f4"), ("quadrature", "<f4"), ("place", "<u2")])


class Kind(IntEnum):
    """Kinds of frames; from 0x10 on they go to the reader."""

    HELLO = 0x01
    SAMPLES = 0x02
    ACK = 0x03
    ASK = 0x10
    CONFIGURE = 0x11
    DRIVE = 0x12
    START = 0x13
    STOP = 0x14


class Status(IntFlag):
    """What a reader says of itself with every frame of samples."""

    GOOD = 0
    RESET = 1
    OVERRUN = 2
    SUPPLY = 4
    STARVED = 8


class Code(IntEnum):
    """How a reader answers a command."""

    DONE = 0
    UNKNOWN = 1
    MALFORMED = 2
    TOO_FAST = 3
    FULL = 4
    NOT_CONFIGURED = 5


class FrameError(ValueError):
    """A payload does not have the form of its kind. Stays within the drivers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame whose CRC is right."""

    kind: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameChannel:
    """value = code * scale + offset, in `unit`; codes at or beyond the ends are clipped."""

    id: str
    unit: str
    scale: float
    offset: float
    code_low: int
    code_high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What a reader is. boot counts its starts; depth is how many chips of drive it holds."""

    serial: int
    boot: int
    chip_min_ns: int
    depth: int
    modality: str
    firmware: str
    channels: tuple[FrameChannel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Codes (K, C) of chips first .. first + K - 1; device_us is when the first one began."""

    stream: int
    first: int
    device_us: int
    status: Status
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What to drive on chips first .. first + K - 1: complex (K,), 0 is silent; place (K,)."""

    stream: int
    first: int
    drive: npt.NDArray[np.complex128]
    place: npt.NDArray[np.int64]


def encode(kind: Kind, sequence: int, payload: bytes = b"") -> bytes:
    """Return a frame's bytes on the line."""
    from cobs import cobs

    body = _HEAD.pack(VERSION, kind, sequence & 0xFFFF) + payload
    return bytes(cobs.encode(body + _CRC.pack(zlib.crc32(body)))) + b"\0"


@dataclass(slots=True)
class Decoder:
    """Cuts a stream of bytes into frames. `bad` counts those that were thrown away."""

    bad: int = 0
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes; never raises, never keeps more than one."""
        self._rest += data
        *pieces, rest = bytes(self._rest).split(b"\0")
        if len(rest) > FRAME_BYTES_MAX:
            self.bad += 1
            rest = b""
        self._rest = bytearray(rest)
        frames = (self._frame(piece) for piece in pieces if piece)
        return [frame for frame in frames if frame is not None]

    def _frame(self, piece: bytes) -> Frame | None:
        from cobs import cobs

        try:
            whole = bytes(cobs.decode(piece))
            body, crc = whole[: -_CRC.size], _CRC.unpack(whole[-_CRC.size :])[0]
            version, kind, sequence = _HEAD.unpack_from(body)
        except (cobs.DecodeError, struct.error):
            self.bad += 1
            return None
        if version != VERSION or zlib.crc32(body) != crc:
            self.bad += 1
            return None
        return Frame(kind=kind, sequence=sequence, payload=body[_HEAD.size :])


def pack_hello(hello: Hello) -> bytes:
    """Return the payload of HELLO."""
    head = _HELLO.pack(
        hello.serial, hello.boot, len(hello.channels), hello.chip_min_ns, hello.depth
    )
    parts = [head, _text(hello.modality), _text(hello.firmware)]
    for c in hello.channels:
        ends = _CHANNEL.pack(c.scale, c.offset, c.code_low, c.code_high)
        parts += [_text(c.id), _text(c.unit), ends]
    return b"".join(parts)


def unpack_hello(payload: bytes) -> Hello:
    """Return what a payload of HELLO says; FrameError if it is none."""
    try:
        serial, boot, count, chip_min_ns, depth = _HELLO.unpack_from(payload)
        modality, at = _take_text(payload, _HELLO.size)
        firmware, at = _take_text(payload, at)
        channels = []
        for _ in range(count):
            name, at = _take_text(payload, at)
            unit, at = _take_text(payload, at)
            scale, offset, low, high = _CHANNEL.unpack_from(payload, at)
            at += _CHANNEL.size
            channels.append(
                FrameChannel(
                    id=name, unit=unit, scale=scale, offset=offset, code_low=low, code_high=high
                )
            )
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise FrameError(f"HELLO: {error}") from None
    sound = all(np.isfinite([c.scale, c.offset]).all() and c.scale != 0.0 for c in channels)
    if at != len(payload) or not sound or depth == 0:
        raise FrameError("HELLO has a wrong length, no depth, or a scale that is no number")
    return Hello(
        serial=serial, boot=boot, chip_min_ns=chip_min_ns, depth=depth, modality=modality,
        firmware=firmware, channels=tuple(channels),
    )  # fmt: skip


def pack_samples(samples: Samples) -> bytes:
    """Return the payload of SAMPLES."""
    count, channels = samples.codes.shape
    head = _SAMPLES.pack(
        samples.stream, samples.first, samples.device_us, count, channels, samples.status
    )
    return head + samples.codes.astype("<i4").tobytes()


def unpack_samples(payload: bytes) -> Samples:
    """Return what a payload of SAMPLES says; FrameError if it is none."""
    try:
        stream, first, device_us, count, channels, status = _SAMPLES.unpack_from(payload)
    except struct.error as error:
        raise FrameError(f"SAMPLES: {error}") from None
    if len(payload) != _SAMPLES.size + 4 * count * channels or first >= 2**62:
        raise FrameError("SAMPLES has a wrong length or chip number")
    codes = np.frombuffer(payload, dtype="<i4", offset=_SAMPLES.size).reshape(count, channels)
    return Samples(
        stream=stream, first=first, device_us=device_us, status=Status(status & 0xF),
        codes=codes.astype(np.int32),
    )  # fmt: skip


def pack_drive(drive: Drive) -> bytes:
    """Return the payload of DRIVE."""
    table = np.zeros(drive.drive.size, dtype=_CHIP)
    table["in_phase"], table["quadrature"] = drive.drive.real, drive.drive.imag
    table["place"] = drive.place
    return _DRIVE.pack(drive.stream, drive.first, table.size) + table.tobytes()


def unpack_drive(payload: bytes) -> Drive:
    """Return what a payload of DRIVE says; FrameError if it is none."""
    try:
        stream, first, count = _DRIVE.unpack_from(payload)
        table = np.frombuffer(payload, dtype=_CHIP, offset=_DRIVE.size)
    except (struct.error, ValueError) as error:
        raise FrameError(f"DRIVE: {error}") from None
    if table.size != count:
        raise FrameError("DRIVE has a wrong length")
    drive = table["in_phase"].astype(np.float64) + 1j * table["quadrature"]
    return Drive(stream=stream, first=first, drive=drive, place=table["place"].astype(np.int64))


def pack_ack(sequence: int, code: Code) -> bytes:
    """Return the payload of ACK: the sequence of the command that it answers, and how it went."""
    return _ACK.pack(sequence & 0xFFFF, code)


def unpack_ack(payload: bytes) -> tuple[int, int]:
    """Return (sequence, code); FrameError if the payload is no ACK."""
    try:
        sequence, code = _ACK.unpack(payload)
    except struct.error as error:
        raise FrameError(f"ACK: {error}") from None
    return int(sequence), int(code)


def pack_configure(stream: int, chip_ns: int) -> bytes:
    """Return the payload of CONFIGURE."""
    return _CONFIGURE.pack(stream, chip_ns)


def pack_start(stream: int, first: int) -> bytes:
    """Return the payload of START: the chip to begin with."""
    return _START.pack(stream, first)


def unpack_pair(payload: bytes) -> tuple[int, int]:
    """Return the two numbers of CONFIGURE or START; FrameError if it is neither."""
    try:
        one, two = _START.unpack(payload)
    except struct.error as error:
        raise FrameError(f"command: {error}") from None
    return int(one), int(two)


def _text(text: str) -> bytes:
    raw = text.encode("ascii")
    return bytes([len(raw)]) + raw


def _take_text(payload: bytes, at: int) -> tuple[str, int]:
    size = payload[at]
    raw = payload[at + 1 : at + 1 + size]
    if len(raw) != size:
        raise IndexError("a text is cut off")
    return raw.decode("ascii"), at + 1 + size
