"""What a Linux IIO server says of its devices: the XML of libiio, and samples in their formats.

The XML comes from another machine: entities and everything external are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from casemate.core.errors import ReaderError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

XML_BYTES_MAX = 4 << 20
_FORMAT = re.compile(r"(le|be):([sSuU])(\d{1,2})/(8|16|32|64)(?:X(\d{1,3}))?>>(\d{1,2})")
SI: dict[str, tuple[str, float, float]] = {
    "voltage": ("V", 1e-3, 0.0),
    "current": ("A", 1e-3, 0.0),
    "temp": ("K", 1e-3, 273.15),
    "pressure": ("Pa", 1e3, 0.0),
    "humidityrelative": ("1", 1e-5, 0.0),
    "illuminance": ("lx", 1.0, 0.0),
    "accel": ("m/s^2", 1.0, 0.0),
    "anglvel": ("rad/s", 1.0, 0.0),
    "magn": ("T", 1e-4, 0.0),
    "resistance": ("ohm", 1.0, 0.0),
    "capacitance": ("F", 1e-9, 0.0),
}
"""Kind of channel to SI unit, factor and offset. The kernel counts in mV, mA, m degC, kPa, m%, lx,
m/s^2, rad/s, gauss, ohm and nF (Documentation/ABI/testing/sysfs-bus-iio)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a sample lies in the buffer: `le:s12/16>>4` has 12 bits in 16, shifted by 4."""

    big: bool
    signed: bool
    bits: int
    storage: int
    repeat: int
    shift: int

    @property
    def bytes(self) -> int:
        """Return the bytes of a sample, repeats included."""
        return self.storage // 8 * self.repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class IioChannel:
    """One channel. index: in the buffer's scan, -1 if it is in none. attributes: their names."""

    id: str
    output: bool
    index: int
    format: Format | None
    attributes: frozenset[str]

    @property
    def kind(self) -> str:
        """Return the kind: `voltage` of voltage0, voltage0-voltage1 or voltage0_x."""
        match = re.match(r"[a-z]+", self.id)
        return match[0] if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IioDevice:
    """One device: iio:device0, with the name of its chip."""

    id: str
    name: str
    channels: tuple[IioChannel, ...]
    attributes: frozenset[str]

    def channel(self, id: str, *, output: bool = False) -> IioChannel:
        """Return a channel; ReaderError if the device has none of this name and direction."""
        for each in self.channels:
            if each.id == id and each.output is output:
                return each
        names = ", ".join(each.id for each in self.channels if each.output is output)
        raise ReaderError(
            f"the device {self.name!r} has no {'output' if output else 'input'} {id!r}.",
            remedy=f"name one of: {names or 'none'}.",
        )


def parse_context(xml: bytes) -> tuple[IioDevice, ...]:
    """Return the devices of a context; ReaderError if the XML is broken, unsafe or too large."""
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if len(xml) > XML_BYTES_MAX:
        raise _broken(f"it is longer than {XML_BYTES_MAX >> 20} MiB")
    try:
        root = ElementTree.fromstring(xml, forbid_dtd=False)  # libiio sends its DTD inline
    except DefusedXmlException as error:
        raise _broken(f"it declares entities or goes outside ({type(error).__name__})") from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _broken(str(error)) from None
    if root.tag != "context":
        raise _broken(f"it begins with {root.tag!r}")
    return tuple(_device(each) for each in root.iter("device"))


def find_device(devices: tuple[IioDevice, ...], name: str) -> IioDevice:
    """Return the device of this name or id; ReaderError, with the names, if there is none."""
    found = [each for each in devices if name in (each.id, each.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{each.name or '?'} ({each.id})" for each in devices)
    raise ReaderError(
        f"there are {len(found)} devices {name!r}.", remedy=f"name one of: {names or 'none'}."
    )


def parse_format(text: str) -> Format:
    """Return a format such as `be:u24/32>>8`; ReaderError if it is none."""
    match = _FORMAT.fullmatch(text)
    if match is None:
        raise _broken(f"{text[:40]!r} is no format of samples")
    order, sign, bits, storage, repeat, shift = match.groups()
    found = Format(
        big=order == "be", signed=sign in "sS", bits=int(bits), storage=int(storage),
        repeat=int(repeat or 1), shift=int(shift),
    )  # fmt: skip
    if not 1 <= found.bits <= found.storage - found.shift or not found.repeat:
        raise _broken(f"{text!r} does not fit its storage")
    return found


def decode(words: npt.NDArray[np.uint8], format: Format) -> npt.NDArray[np.int64]:
    """Return raw numbers (K,) of samples in bytes (K, format.bytes); of repeats the first.

    Unsigned samples of 64 bits beyond 2^63 would not fit and raise ReaderError.
    """
    kind = f"{'>' if format.big else '<'}u{format.storage // 8}"
    first = np.ascontiguousarray(words[:, : format.storage // 8]).view(kind)[:, 0]
    raw = first.astype(np.uint64) >> np.uint64(format.shift)
    if format.bits < 64:
        raw &= np.uint64((1 << format.bits) - 1)
    elif not format.signed and bool((raw >> np.uint64(63)).any()):
        raise _broken("a sample does not fit 63 bits")
    number = raw.astype(np.int64)
    if format.signed and format.bits < 64:
        half = np.int64(1 << (format.bits - 1))
        number = (number ^ half) - half
    return number


def ends(format: Format) -> tuple[int, int]:
    """Return the least and the greatest raw number: readings there are clipped."""
    if format.signed:
        return -(1 << (format.bits - 1)), (1 << (format.bits - 1)) - 1
    return 0, (1 << format.bits) - 1


def layout(channels: tuple[IioChannel, ...]) -> tuple[tuple[int, ...], int]:
    """Return byte offsets of channels in a scan, and a scan's bytes.

    In order of index; each is aligned to its own size, the scan to the largest, as the kernel and
    libiio lay them out. Channels have to be in that order.
    """
    at, offsets, widest = 0, [], 1
    for each in channels:
        size = each.format.bytes if each.format else 1
        at += -at % size
        offsets.append(at)
        at += size
        widest = max(widest, size)
    return tuple(offsets), at + -at % widest


def _device(element: Element) -> IioDevice:
    return IioDevice(
        id=_word(element.get("id", "")),
        name=element.get("name", ""),
        channels=tuple(_channel(each) for each in element.findall("channel")),
        attributes=_names(element),
    )


def _channel(element: Element) -> IioChannel:
    scan = element.find("scan-element")
    try:
        index = -1 if scan is None else int(scan.get("index", "-1"))
    except ValueError:
        raise _broken("an index is no number") from None
    text = "" if scan is None else scan.get("format", "")
    return IioChannel(
        id=_word(element.get("id", "")),
        output=element.get("type") == "output",
        index=index,
        format=parse_format(text) if text else None,
        attributes=_names(element),
    )


def _names(element: Element) -> frozenset[str]:
    return frozenset(each.get("name", "") for each in element.findall("attribute"))


def _word(text: str) -> str:
    """Return a name that can stand in a command; ReaderError for one that would break it up."""
    if not re.fullmatch(r"[\w:.-]{1,64}", text, re.ASCII):
        raise _broken(f"{text[:40]!r} is no name")
    return text


def _broken(why: str) -> ReaderError:
    return ReaderError(
        f"the server's description of its devices cannot be used: {why}.",
        remedy="check that it is iiod of libiio 0.x, and what it serves.",
    )
