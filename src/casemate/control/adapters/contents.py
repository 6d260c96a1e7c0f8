"""What items of a stream say of themselves, held against their proofs and against one another."""

from __future__ import annotations

from typing import Any

from casemate.control.adapters import trace
from casemate.control.adapters.payload import Vouched
from casemate.core.errors import SignatureError


class Contents:
    """Takes items that were vouched for, in the order in which they are shown."""

    def __init__(self) -> None:
        self._chunks: list[tuple[trace.Chunk, bytes]] = []

    def take(self, data: bytes, found: Vouched) -> dict[str, Any]:
        """Return what is to be told of an item, as JSON values.

        FormatError if it is malformed; SignatureError if it says another number than its proof.
        """
        if found.stream == trace.STREAM:
            return self._chunk(data, found)
        return {}

    def _chunk(self, data: bytes, found: Vouched) -> dict[str, Any]:
        chunk = trace.decode(data)
        if chunk.number != found.number:
            raise SignatureError(
                f"chunk {chunk.number} lies under the proof of chunk {found.number}.",
                remedy="treat it as swapped; obtain it again with its proof.",
            )
        self._chunks.append((chunk, found.leaf))
        seconds = len(chunk.samples) / chunk.meter.rate_hz
        return {
            "sample": chunk.sample,
            "samples": len(chunk.samples),
            "seconds": seconds,
            "before": chunk.before.hex(),
            "leaf": found.leaf.hex(),
            "holds": f"{len(chunk.samples)} samples from {chunk.sample} on, {seconds:g} s",
        }

    def end(self) -> tuple[list[str], list[str]]:
        """Return what is broken between items, and what else is to be known of them."""
        return list(trace.breaks(iter(self._chunks))), list(trace.unsigned(iter(self._chunks)))
