"""What a snapshot of a rack is, in bytes: an item of the stream "rack". docs/formats/payload.md."""

from __future__ import annotations

import json
from typing import Any

from casemate.attest.claims import RACK
from casemate.core.canonical import canonical_bytes
from casemate.core.errors import FormatError

STREAM, FORMAT = RACK, "casemate-rack/1"


def decode(data: bytes) -> dict[str, Any]:
    """Return a snapshot from bytes of anybody; FormatError unless they are canonical."""
    canonical_bytes(0)  # a library that is missing is no fault of the bytes
    try:
        row = json.loads(data)
        well = isinstance(row, dict) and canonical_bytes(row) == data and row["format"] == FORMAT
        well = well and type(row["number"]) is int and type(row["time"]) is int
        well = well and len(bytes.fromhex(row["before"])) in (0, 32)
        well = well and all(
            set(each) == {"id", "component", "what"} and all(type(v) is str for v in each.values())
            for each in row["findings"]
        )
    except Exception as error:  # whatever the libraries raise: these are bytes of anybody
        raise _malformed(type(error).__name__) from None
    if not well:
        raise _malformed("not canonical, or of another format")
    return dict(row)


def _malformed(why: str) -> FormatError:
    return FormatError(f"the snapshot of a rack is malformed: {why}.", remedy="obtain it again.")
