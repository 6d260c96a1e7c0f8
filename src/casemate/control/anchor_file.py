"""The signed anchors on disk: the bytes that both parties signed, and who signed them."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import fields
from typing import Any

import numpy as np

from casemate.core.errors import CasemateError, FormatError
from casemate.detect.anchor import Anchor, AnyAnchor, FieldAnchor, PassiveAnchor, anchor_bytes

_TYPES: dict[str, type[Anchor] | type[FieldAnchor] | type[PassiveAnchor]] = {
    each.__name__: each for each in (Anchor, FieldAnchor, PassiveAnchor)
}
_WRONG = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError,
          CasemateError)  # fmt: skip
"""What values of other kinds than an anchor's lead to."""


def anchors_of(data: bytes) -> tuple[AnyAnchor, ...]:
    """Return the anchors of `anchor_bytes`; FormatError unless they give the same bytes again."""
    try:
        document = json.loads(data)
        if document["format"] != "casemate/anchor/1":
            raise ValueError(f"format {document['format']!r}")
        found = tuple(_anchor(row) for row in document["anchors"])
        again = anchor_bytes(found)
    except _WRONG as error:
        raise _malformed(str(error)) from None
    if again != data:
        raise _malformed("it is not in canonical form")
    return found


def digest_of(data: bytes) -> bytes:
    """Return the digest by which tokens and reference values name anchors."""
    return hashlib.sha256(data).digest()


def _anchor(row: dict[str, Any]) -> AnyAnchor:
    kind = _TYPES[row["type"]]
    if set(row) != {"type", *(each.name for each in fields(kind))}:
        raise ValueError(f"the fields of {row['type']}")
    found: AnyAnchor = kind(**{name: _value(row[name]) for name in row if name != "type"})
    return found


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, dict):
        return value
    raw = base64.b64decode(value["data"], validate=True)
    if value["dtype"] not in ("<f8", "<i8", "<c16", "<c8", "|b1"):
        raise ValueError(f"type {value['dtype']}")
    return np.frombuffer(raw, dtype=value["dtype"]).reshape(value["shape"]).copy()


def _malformed(why: str) -> FormatError:
    return FormatError(
        f"the anchors are malformed: {why}.",
        remedy="take them from where they were commissioned; do not mend them.",
    )
