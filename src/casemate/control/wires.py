"""Blocks and challenges as bytes, for readers that are another process on this machine.

A frame is a line of JSON and the arrays that it names, one after the other. What comes out is of
the announced shape, or FormatError: nothing in a frame is run. The line is filled up with blanks so
that arrays begin at a multiple of 16 bytes: what comes is used where it lies.
"""

from __future__ import annotations

import base64
import json
import math
from functools import lru_cache
from typing import Any

import numpy as np

from casemate.core.challenge import Challenge
from casemate.core.errors import FormatError
from casemate.core.samples import Block

_ALIGNED = 16
_KNOWN_BYTES = 1024
"""Of a line that is kept once it was read: those of blocks have some 200."""
_Array = tuple[str, np.dtype[Any], int, tuple[int, ...], int]
"""Name, type, count, shape and bytes."""
_KINDS = {"t_s": ("<f8",), "chip": ("<i8",), "values": ("<f8", "<c16"), "health": ("<u2",)}


def frame(head: dict[str, Any], block: Block | None = None) -> bytes:
    """Return the frame of a message, with the arrays of `block` if there is one."""
    parts: list[Any] = []
    if block is not None:
        rows = []
        for name in _KINDS:
            array = np.ascontiguousarray(getattr(block, name))
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            rows.append([name, array.dtype.str, list(array.shape)])
            parts.append(array)
        head = {**head, "arrays": rows}
    line = json.dumps(head).encode()
    return b"".join([line, b" " * (-(len(line) + 1) % _ALIGNED), b"\n", *parts])


def unframed(data: bytes) -> tuple[dict[str, Any], Block | None]:
    """Return the message and its block; FormatError if it is malformed."""
    end = data.find(b"\n")
    end = end if end >= 0 else len(data)
    line = data[:end]
    try:
        if len(line) <= _KNOWN_BYTES and b'"arrays"' in line:
            head, layout = _read(line)  # the same for each block of a reader
        else:
            head, layout = _read.__wrapped__(line)
        return dict(head), None if layout is None else _block(layout, data, end + 1)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise FormatError(
            f"a frame of a reader is malformed ({error}).", remedy="use one version on both sides."
        ) from None


@lru_cache(maxsize=64)
def _read(line: bytes) -> tuple[dict[str, Any], tuple[_Array, ...] | None]:
    """Return a frame's message without its arrays, and where they lie; None without any."""
    head = json.loads(line)
    rows = head.pop("arrays", None)
    if rows is None:
        return head, None
    layout = []
    for name, kind, shape in rows:
        if kind not in _KINDS[name] or min(shape, default=0) < 0:
            raise ValueError(f"{name} of type {kind} and shape {shape}")
        dtype, count = np.dtype(kind), math.prod(shape)
        layout.append((name, dtype, count, tuple(shape), dtype.itemsize * count))
    if {each[0] for each in layout} != set(_KINDS):
        raise ValueError("not the arrays of a block")
    return head, tuple(layout)


def _block(layout: tuple[_Array, ...], data: bytes, at: int) -> Block:
    """Return the block whose arrays lie in `data` from `at` on, without a copy."""
    found = {}
    for name, dtype, count, shape, size in layout:
        if at + size > len(data):
            raise ValueError("an array is cut off")
        found[name] = np.frombuffer(data, dtype=dtype, count=count, offset=at).reshape(shape)
        at += size
    if at != len(data):
        raise ValueError("not the arrays of a block")
    return Block(**found)


def challenge_plain(challenge: Challenge) -> dict[str, Any]:
    """Return a challenge as JSON values, key included: for a reader's own wire alone."""
    return {
        "key": base64.b64encode(challenge.key).decode(),
        "modality": challenge.modality,
        "epoch": challenge.epoch,
        "chip_s": challenge.chip_s,
        "constellation": challenge.constellation,
        "symbols": challenge.symbols,
        "silent": challenge.silent,
        "order": challenge.order,
    }


def challenge_of(row: dict[str, Any]) -> Challenge:
    """Return the challenge of `challenge_plain`."""
    return Challenge(**{**row, "key": base64.b64decode(row["key"])})
