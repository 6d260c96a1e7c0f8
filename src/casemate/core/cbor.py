"""CBOR of which one value has exactly one form: what is signed, hashed and compared.

Allowed are integers of 64 bits, byte and text strings, arrays, maps with integers and text as
keys, false, true and null: no floating-point numbers, no tags, no undefined. Encoding is that of
RFC 8949, section 4.2.1: shortest heads, definite lengths, keys sorted bytewise. cbor2 reads; what
it read is written again by the code here and has to be the same bytes. So every byte that another
reader might take otherwise (a key twice, a long head, bytes after the end) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import cbor2

from casemate.core.errors import FormatError

MOST_BYTES = 65_535
"""Of an item, if not said otherwise: what an entry of a tile log can hold (C2SP tlog-tiles)."""
DEPTH = 16
"""Of nested arrays and maps, if not said otherwise. Our own formats use 6."""

_REMEDY = "obtain the bytes again from their source; if they come so again, their maker errs."


def encode(value: Any) -> bytes:
    """Return the one encoding of `value`; FormatError if it has none.

    Tuples are written as arrays. Depth is not bounded here.
    """
    out = bytearray()
    try:
        _put(out, value)
    except RecursionError:
        raise FormatError("the value is nested too deeply.", remedy=_REMEDY) from None
    return bytes(out)


def decode(data: bytes, *, most: int = MOST_BYTES, depth: int = DEPTH) -> Any:
    """Return the value of `data`: int, bytes, str, list, dict, bool or None.

    most: bytes, at most. depth: of nesting, at most; [] has 1. FormatError on anything but the one
    encoding of an allowed value.
    """
    if type(data) is not bytes:
        raise FormatError(f"{type(data).__name__} is not bytes.", remedy=_REMEDY)
    if len(data) > most:
        raise FormatError(f"{len(data)} bytes are more than {most}.", remedy=_REMEDY)
    try:
        value = cbor2.loads(
            data,
            max_depth=depth,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_NO_TAGS,
            tag_hook=_refuse,
        )
    except Exception as error:  # whatever the library raises: it reads bytes of an adversary
        raise FormatError(f"this is not sound CBOR ({_reason(error)}).", remedy=_REMEDY) from None
    out = bytearray()
    _put(out, value)
    if out != data:
        raise FormatError(
            "this is CBOR, but not in its one deterministic form (RFC 8949, section 4.2.1).",
            remedy=_REMEDY,
        )
    return value


def _put(out: bytearray, value: Any) -> None:
    kind = type(value)
    if kind is int:
        if value >= 0:
            _head(out, 0x00, value)
        else:
            _head(out, 0x20, -1 - value)
    elif kind is bytes:
        _head(out, 0x40, len(value))
        out += value
    elif kind is str:
        _text(out, value)
    elif kind is list or kind is tuple:
        _head(out, 0x80, len(value))
        for each in value:
            _put(out, each)
    elif kind is dict:
        _map(out, value)
    elif value is False or value is True or value is None:
        out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
    else:
        raise FormatError(
            f"{kind.__name__} has no place in signed CBOR.",
            remedy="use integers in a small unit, strings, arrays or maps.",
        )


def _head(out: bytearray, major: int, size: int) -> None:
    if size < 24:
        out.append(major | size)
    elif size < 0x100:
        out += bytes((major | 24, size))
    elif size < 0x1_0000:
        out.append(major | 25)
        out += size.to_bytes(2, "big")
    elif size < 0x1_0000_0000:
        out.append(major | 26)
        out += size.to_bytes(4, "big")
    elif size < 0x1_0000_0000_0000_0000:
        out.append(major | 27)
        out += size.to_bytes(8, "big")
    else:
        raise FormatError(
            "an integer is beyond 64 bits.", remedy="use a smaller one, or a byte string."
        )


def _text(out: bytearray, value: str) -> None:
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raise FormatError("a text is not Unicode.", remedy="use valid Unicode.") from None
    _head(out, 0x60, len(raw))
    out += raw


def _map(out: bytearray, value: dict[Any, Any]) -> None:
    _head(out, 0xA0, len(value))
    entries: list[tuple[bytes, Any]] = []
    for key, each in value.items():
        if type(key) is not int and type(key) is not str:
            raise FormatError(
                f"a key of a map is {type(key).__name__}.",
                remedy="use integers or text as keys.",
            )
        written = bytearray()
        _put(written, key)
        entries.append((bytes(written), each))
    entries.sort(key=_first)
    for head, each in entries:
        out += head
        _put(out, each)


def _first(entry: tuple[bytes, Any]) -> bytes:
    return entry[0]


def _refuse(value: object, immutable: bool) -> NoReturn:
    raise ValueError("tags are not allowed")


class _NoTags(Mapping[int, Any]):
    """Says of every tag that it is refused, before the library gives it a meaning."""

    def __getitem__(self, key: int) -> Any:
        return _refuse

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 1


_NO_TAGS = _NoTags()


def _reason(error: Exception) -> str:
    deepest: BaseException = error
    while deepest.__cause__ is not None:
        deepest = deepest.__cause__
    return str(deepest)[:120] or type(deepest).__name__
