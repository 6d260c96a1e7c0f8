"""iiod, the server of libiio, with devices made of functions. Text protocol of libiio 0.x."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

import numpy as np

DTD = (
    "<!DOCTYPE context [<!ELEMENT context (device | context-attribute)*>"
    "<!ELEMENT device (channel | attribute | debug-attribute | buffer-attribute)*>"
    "<!ELEMENT channel (scan-element?, attribute*)><!ELEMENT attribute EMPTY>"
    "<!ELEMENT scan-element EMPTY>"
    "<!ATTLIST context name CDATA #REQUIRED description CDATA #IMPLIED>"
    "<!ATTLIST device id CDATA #REQUIRED name CDATA #IMPLIED>"
    "<!ATTLIST channel id CDATA #REQUIRED type (input|output) #REQUIRED name CDATA #IMPLIED>"
    "<!ATTLIST scan-element index CDATA #REQUIRED format CDATA #REQUIRED scale CDATA #IMPLIED>"
    "<!ATTLIST attribute name CDATA #REQUIRED filename CDATA #IMPLIED>]>"
)
"""libiio sends its document type inline, before the context."""


@dataclass(slots=True, kw_only=True)
class EmulatedChannel:
    """raw: from seconds since the start to the raw number. Attributes are text, as in sysfs."""

    id: str
    raw: Callable[[float], float] | None = None
    output: bool = False
    index: int = -1
    format: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class EmulatedDevice:
    """One IIO device; rates_hz are those that it has, () for any."""

    id: str
    name: str
    channels: list[EmulatedChannel]
    attributes: dict[str, str] = field(default_factory=dict)
    rates_hz: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IioFaults:
    """Ways to misbehave; "after" counts READ and READBUF, 0 is never."""

    pace: float = 1.0
    hang_up_after: int = 0
    hang_after: int = 0
    nonsense_after: int = 0
    errno_after: int = 0
    xml: bytes = b""


class IioServer:
    """All devices; `talk` makes one client's conversation for TcpServer."""

    def __init__(self, devices: list[EmulatedDevice], *, faults: IioFaults | None = None) -> None:
        self.devices = {device.id: device for device in devices}
        self.faults = faults or IioFaults()
        self.reads = 0
        self.written: list[str] = []
        self.start_s = time.monotonic()

    def talk(self) -> IioTalk:
        """Return the conversation with a new client."""
        return IioTalk(self)

    def xml(self) -> bytes:
        """Return the context's description."""
        if self.faults.xml:
            return self.faults.xml
        head = '<?xml version="1.0" encoding="utf-8"?>' + DTD
        body = "".join(_device_xml(device) for device in self.devices.values())
        return f'{head}<context name="local" description="emulated">{body}</context>'.encode()


class IioTalk:
    """One client's buffers and commands."""

    def __init__(self, server: IioServer) -> None:
        self._server = server
        self._open: dict[str, tuple[int, float, int]] = {}

    def answer(self, line: str, payload: Callable[[int], bytes]) -> bytes | None:
        """Carry out one line of the text protocol."""
        words = line.split()
        if not words or words[0] == "EXIT":
            return None if words else b""
        if words[0] in ("READ", "READBUF"):
            self._server.reads += 1
            fault = self._fault()
            if fault is not None:
                return fault or None
        carried_out: Mapping[str, Callable[[], bytes]] = {
            "VERSION": lambda: b"0.25.b6028fd\n",
            "PRINT": lambda: _text(self._server.xml()),
            "TIMEOUT": lambda: b"0\n",
            "OPEN": lambda: self._opened(words),
            "CLOSE": lambda: _code(0 if self._open.pop(words[1], None) else -errno.EBADF),
            "READ": lambda: self._read(words),
            "WRITE": lambda: self._write(words, payload(int(words[-1]))),
            "READBUF": lambda: self._buffer(words[1], int(words[2])),
        }
        if words[0] not in carried_out:
            return _code(-errno.EINVAL)
        try:
            return carried_out[words[0]]()
        except (LookupError, ValueError):
            return _code(-errno.ENOENT)

    def _fault(self) -> bytes | None:
        """Return what a fault answers, b"" to hang up, None for none."""
        faults, reads = self._server.faults, self._server.reads
        if faults.hang_up_after and reads > faults.hang_up_after:
            return b""
        if faults.hang_after and reads > faults.hang_after:
            time.sleep(0.7)  # longer than the tests' time limit, and ends by itself
            return b""
        if faults.nonsense_after and reads > faults.nonsense_after:
            return b"what?\n"
        if faults.errno_after and reads > faults.errno_after:
            return _code(-errno.ETIMEDOUT)
        return None

    def _channel(self, words: list[str]) -> tuple[EmulatedDevice, EmulatedChannel | None, str]:
        """Return device, channel and attribute of READ or WRITE."""
        device = self._server.devices[words[1]]
        if words[2] not in ("INPUT", "OUTPUT"):
            return device, None, words[2]
        found = [c for c in device.channels if c.id == words[3]]
        return device, next(c for c in found if c.output is (words[2] == "OUTPUT")), words[4]

    def _read(self, words: list[str]) -> bytes:
        device, channel, name = self._channel(words)
        if channel is not None and name == "raw" and channel.raw is not None:
            return _text(f"{channel.raw(time.monotonic() - self._server.start_s):.0f}\0".encode())
        held = device.attributes if channel is None else channel.attributes
        return _text(held[name].encode() + b"\0")

    def _write(self, words: list[str], value: bytes) -> bytes:
        device, channel, name = self._channel(words)
        held = device.attributes if channel is None else channel.attributes
        text = value.decode("ascii").strip("\0\n ")
        if name not in held:
            return _code(-errno.ENOENT)
        if name == "sampling_frequency" and device.rates_hz:
            text = f"{min(device.rates_hz, key=lambda rate: abs(rate - float(text))):g}"
        held[name] = text
        self._server.written.append(f"{' '.join(words[1:-1])} {text}")
        return _code(len(value))

    def _opened(self, words: list[str]) -> bytes:
        device = self._server.devices[words[1]]
        mask = int(words[3], 16)
        if not mask:
            return _code(-errno.EINVAL)
        self._open[device.id] = (mask, time.monotonic(), 0)
        return _code(0)

    def _buffer(self, id: str, count: int) -> bytes:
        if id not in self._open:
            return _code(-errno.EBADF)
        device = self._server.devices[id]
        mask, start_s, done = self._open[id]
        inside = sorted(
            (c for c in device.channels if c.index >= 0 and mask >> c.index & 1),
            key=lambda c: c.index,
        )
        rate_hz = float(_rate(device)) / self._server.faults.pace
        scan_bytes = len(_scan(inside, 0.0))
        scans = count // scan_bytes
        until_s = start_s + (done + scans) / rate_hz
        time.sleep(max(0.0, min(1.0, until_s - time.monotonic())))
        data = b"".join(_scan(inside, (done + k) / rate_hz) for k in range(scans))
        self._open[id] = (mask, start_s, done + scans)
        words = max(1, -(-len(device.channels) // 32))
        return f"{len(data)}\n{mask:0{8 * words}x}\n".encode() + data


def _rate(device: EmulatedDevice) -> str:
    for held in (device.attributes, *(c.attributes for c in device.channels)):
        if "sampling_frequency" in held:
            return held["sampling_frequency"]
    return "100"


def _scan(channels: list[EmulatedChannel], at_s: float) -> bytes:
    """Return one scan: each sample in its format, aligned to its size, the whole to the widest."""
    out, widest = b"", 1
    for channel in channels:
        order, rest = channel.format.split(":")
        bits, _, tail = rest[1:].partition("/")
        storage, _, shift = tail.partition(">>")
        size = int(storage) // 8
        number = round(channel.raw(at_s)) if channel.raw else 0
        field_ = (number & (2 ** int(bits) - 1)) << int(shift)
        out += bytes(-len(out) % size)
        out += field_.to_bytes(size, "big" if order == "be" else "little")
        widest = max(widest, size)
    return out + bytes(-len(out) % widest)


def _device_xml(device: EmulatedDevice) -> str:
    channels = "".join(
        f'<channel id={quoteattr(c.id)} type="{"output" if c.output else "input"}">'
        + (
            f"<scan-element index='{c.index}' format={quoteattr(c.format)}/>"
            if c.index >= 0
            else ""
        )
        + "".join(f"<attribute name={quoteattr(name)}/>" for name in c.attributes)
        + "</channel>"
        for c in device.channels
    )
    own = "".join(f"<attribute name={quoteattr(name)}/>" for name in device.attributes)
    head = f"<device id={quoteattr(device.id)} name={quoteattr(device.name)}>"
    return f"{head}{channels}{own}</device>"


def _text(raw: bytes) -> bytes:
    return f"{len(raw)}\n".encode() + raw + b"\n"


def _code(number: int) -> bytes:
    return f"{number}\n".encode()


def stamp(at_s: float) -> float:
    """Return the raw number of a channel `timestamp`: ns since the epoch of the emulator."""
    return float(np.round(1.7e18 + at_s * 1e9))
