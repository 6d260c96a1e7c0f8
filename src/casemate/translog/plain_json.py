"""JSON of which every reader sees the same: no key twice, no numbers beyond JSON's own. Pure."""

from __future__ import annotations

import json
from typing import Any

from casemate.core.errors import FormatError

MOST_BYTES = 4_000_000
"""Longest file read: two notes of the longest kind."""


def loads(data: bytes, what: str) -> dict[str, Any]:
    """Return the object in `data`; `what` names the file in the FormatError otherwise."""
    try:
        if len(data) > MOST_BYTES:
            raise ValueError("too long")
        row = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise FormatError(
            f"{what} is malformed: it is no JSON object with each key once.",
            remedy="get the file again from its source.",
        )
    return row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a key stands twice")
    return row


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no number")
