"""How valid bytes are bent: as bytes, and as the values that they encode."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from casemate.core import cbor

Bend = Callable[[bytes, random.Random], bytes]

NUMBERS = (0, 1, -1, 23, 24, 255, 256, 65_535, 65_536, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64)
PIECES = (
    b"", b"\0", b"\xff" * 9, b"\n", b"\n\n", b" ", b"=", b"+", b"\xe2\x80\x94 ", b"9" * 30, b"-1",
    b"[" * 3000, b"{" * 3000, b"\x9f" * 40, b"\x81" * 400, b"\xd8\x62", b"\x1b\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff", b"1e999999", b"9" * 5000, b"NaN", b"\xed\xa0\x80",
    b"\xf0\x9f\x94\x92", b"\x7f\x1b[2J", b"A" * 70_000,
)  # fmt: skip
TEXTS = (
    "",
    " ",
    "x" * 257,
    "\ud800",
    "\u202e",
    "\x00",
    "a\nb",
    "é",
    "-1",
    "1e9",
    "../..",
    "9" * 40,
)


def bent(data: bytes, draw: random.Random) -> bytes:
    """Return bytes with one to four changes."""
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        at, length = draw.randrange(len(out) + 1), draw.choice((1, 1, 2, 8, 64, 1000))
        kind = draw.randrange(8)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << draw.randrange(8)
        elif kind == 1 and at < len(out):
            out[at] = draw.randrange(256)
        elif kind == 2:
            del out[at : at + length]
        elif kind == 3:
            out[at:at] = out[at : at + length]
        elif kind == 4:
            out[at : at + length] = draw.choice(PIECES)
        elif kind == 5:
            out[at:at] = draw.choice(PIECES)
        elif kind == 6:
            del out[at:]
        else:
            out[at : at + length] = draw.randbytes(draw.randrange(1, 9))
    return bytes(out)


def bent_cbor(data: bytes, draw: random.Random) -> bytes:
    """Return the CBOR with one value, somewhere in it, of another kind or size."""
    return _encoded(value_bent(cbor.decode(data), draw), data, draw)


def bent_json(data: bytes, draw: random.Random) -> bytes:
    """Return the JSON with one value, somewhere in it, of another kind or size."""
    return json.dumps(value_bent(json.loads(data), draw), default=bytes.hex).encode()


def both(structure: Bend) -> Bend:
    """Return what bends bytes and structure by turns."""
    return lambda data, draw: (structure if draw.random() < 0.6 else bent)(data, draw)


def value_bent(value: Any, draw: random.Random) -> Any:
    """Return a copy of `value` with one change somewhere."""
    if isinstance(value, list) and value and draw.random() < 0.85:
        at = draw.randrange(len(value))
        return [*value[:at], value_bent(value[at], draw), *value[at + 1 :]]
    if isinstance(value, dict) and value and draw.random() < 0.85:
        key = draw.choice(list(value))
        return {**value, key: value_bent(value[key], draw)}
    return _other(value, draw)


def _other(value: Any, draw: random.Random) -> Any:
    if isinstance(value, list) and draw.random() < 0.6:
        return draw.choice((value[:-1], value * 2, value[::-1], [value], value * 70))
    if isinstance(value, dict) and draw.random() < 0.6:
        key = draw.choice([*value, 99, "more"])
        return {k: v for k, v in value.items() if k != key} if key in value else {**value, key: 1}
    if isinstance(value, bytes) and draw.random() < 0.6:
        return draw.choice((value[:-1], value + b"\0", bytes(len(value)), value * 3))
    if isinstance(value, str) and draw.random() < 0.6:
        return draw.choice((*TEXTS, value + "x", value.upper(), value[:-1]))
    if type(value) is int and draw.random() < 0.6:
        return draw.choice((value + 1, value - 1, -value, *NUMBERS))
    others: Sequence[Any] = (None, True, False, 0, -1, 2**64 - 1, "", "x", b"", b"x", [], {}, [[]])
    return draw.choice(others)


def _encoded(value: Any, before: bytes, draw: random.Random) -> bytes:
    try:
        return cbor.encode(value)
    except Exception:  # what cannot be written cannot come: bend the bytes
        return bent(before, draw)
