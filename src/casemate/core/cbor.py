"""CBOR of which one value has exactly one form: what is signed, hashed and compared.

Allowed are integers of 64 bits, byte and text strings, arrays, maps with integers and text as
keys, false, true and null: no floating-point numbers, no tags, no undefined. Encoding is that of
RFC 8949, section 4.2.1: shortest heads, definite lengths, keys sorted bytewise. cbor2 reads; what
it read is written again by the code here and has to be the same bytes. So every byte that another
reader might take otherwise (a key twice, a long head, bytes after the end) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NoReturn

import cbor2

from casemate.core.errors import FormatError

MOST_BYTES = 65_535
"""Of an item, if not said otherwise: what an entry of a tile log can hold (C2SP tlog-tiles)."""
DEPTH = 16
"""Of nested arrays and maps, if not said otherwise. Our own formats use 6."""

_REMEDY = "obtain the bytes again from their source; if they come so again, their maker errs."


def encode(value: Any, *, depth: int = DEPTH) -> bytes:
    """Return the one encoding of `value`; FormatError if it has none.

    Tuples are written as arrays. depth: of nesting, at most; [] has 1.
    """
    out = bytearray()
    _put(out, value, depth)
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
            max_depth=depth + 1,  # it counts otherwise; what is exact is _put
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_NO_TAGS,
            tag_hook=_refuse,
        )
    except Exception as error:  # whatever the library raises: it reads bytes of an adversary
        raise FormatError(f"this is not sound CBOR ({_reason(error)}).", remedy=_REMEDY) from None
    out = bytearray()
    _put(out, value, depth)
    if out != data:
        raise FormatError(
            "this is CBOR, but not in its one deterministic form (RFC 8949, section 4.2.1).",
            remedy=_REMEDY,
        )
    return value


def _put(out: bytearray, value: Any, room: int) -> None:
    kind = type(value)
    leaf = _LEAVES.get(kind)
    if leaf is not None:
        out += leaf(value)
    elif kind is dict:
        _put_map(out, value, room)
    elif kind is list or kind is tuple:
        if room < 1:
            _too_deep()
        out += _head(0x80, len(value))
        for each in value:
            leaf = _LEAVES.get(type(each))
            if leaf is not None:
                out += leaf(each)
            else:
                _put(out, each, room - 1)
    else:
        raise FormatError(
            f"{kind.__name__} has no place in signed CBOR.",
            remedy="use integers in a small unit, strings, arrays or maps.",
        )


def _put_map(out: bytearray, value: dict[Any, Any], room: int) -> None:
    if room < 1:
        _too_deep()
    out += _head(0xA0, len(value))
    entries = [(_key(key), each) for key, each in value.items()]
    entries.sort(key=_first)
    for head, each in entries:
        out += head
        leaf = _LEAVES.get(type(each))
        if leaf is not None:
            out += leaf(each)
        else:
            _put(out, each, room - 1)


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return _SHORT[major | size]
    if size < 0x100:
        return bytes((major | 24, size))
    if size < 0x1_0000:
        return bytes((major | 25, size >> 8, size & 0xFF))
    if size < 0x1_0000_0000:
        return _SHORT[major | 26] + size.to_bytes(4, "big")
    if size < 0x1_0000_0000_0000_0000:
        return _SHORT[major | 27] + size.to_bytes(8, "big")
    raise FormatError(
        "an integer is beyond 64 bits.", remedy="use a smaller one, or a byte string."
    )


def _integer(value: int) -> bytes:
    return _head(0x00, value) if value >= 0 else _head(0x20, -1 - value)


def _text(value: str) -> bytes:
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raise FormatError("a text is not Unicode.", remedy="use valid Unicode.") from None
    return _head(0x60, len(raw)) + raw


def _octets(value: bytes) -> bytes:
    return _head(0x40, len(value)) + value


def _key(key: Any) -> bytes:
    if type(key) is int:
        return _integer_key(key)
    if type(key) is str:
        return _text(key)
    raise FormatError(
        f"a key of a map is {type(key).__name__}.", remedy="use integers or text as keys."
    )


_integer_key = lru_cache(maxsize=1024)(_integer)
_SHORT = tuple(bytes((each,)) for each in range(256))


_LEAVES: dict[type, Callable[[Any], bytes]] = {
    int: _integer,
    bytes: _octets,
    str: _text,
    bool: {False: b"\xf4", True: b"\xf5"}.__getitem__,
    type(None): {None: b"\xf6"}.__getitem__,
}


def _first(entry: tuple[bytes, Any]) -> bytes:
    return entry[0]


def _too_deep() -> NoReturn:
    raise FormatError("arrays and maps are nested too deeply.", remedy=_REMEDY)


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
