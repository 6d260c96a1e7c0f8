"""Blocks and challenges as bytes, for readers that are another process on this machine.

A frame is a line of JSON and the arrays that it names, one after the other. What comes out is of
the announced shape, or FormatError: nothing in a frame is run. The line is filled up with blanks so
that arrays begin at a multiple of 16 bytes: what comes is used where it lies.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

from casemate.core.challenge import Challenge
from casemate.core.errors import FormatError
from casemate.core.samples import Block

_ALIGNED = 16
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
    try:
        head = json.loads(data[:end])
        rows = head.pop("arrays", None)
        return head, None if rows is None else _block(rows, data, end + 1)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise FormatError(
            f"a frame of a reader is malformed ({error}).", remedy="use one version on both sides."
        ) from None


def _block(rows: list[list[Any]], data: bytes, at: int) -> Block:
    """Return the block whose arrays lie in `data` from `at` on, without a copy."""
    found = {}
    for name, kind, shape in rows:
        if kind not in _KINDS[name]:
            raise ValueError(f"{name} of type {kind}")
        count = math.prod(shape)
        size = np.dtype(kind).itemsize * count
        if min(shape, default=0) < 0 or at + size > len(data):
            raise ValueError("an array is cut off")
        found[name] = np.frombuffer(data, dtype=kind, count=count, offset=at).reshape(shape)
        at += size
    if at != len(data) or set(found) != set(_KINDS):
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
