"""What items of a stream say of themselves, held against their proofs and against one another."""

from __future__ import annotations

from typing import Any

from casemate.control.adapters import chain, chunk, snapshot
from casemate.control.adapters.payload import Vouched
from casemate.core.errors import SignatureError


class Contents:
    """Takes items that were vouched for, in the order in which they are shown."""

    def __init__(self) -> None:
        self._chunks: list[tuple[chunk.Chunk, bytes]] = []
        self._snapshots: list[tuple[int, bytes, bytes]] = []
        self._unsigned: list[str] = []

    def take(self, data: bytes, found: Vouched) -> dict[str, Any]:
        """Return what is to be told of an item, as JSON values.

        FormatError if it is malformed; SignatureError if it says another number than its proof.
        """
        if found.stream == chunk.STREAM:
            return self._chunk(data, found)
        if found.stream == snapshot.STREAM:
            return self._snapshot(data, found)
        return {}

    def _snapshot(self, data: bytes, found: Vouched) -> dict[str, Any]:
        row = snapshot.decode(data)
        if row["number"] != found.number:
            raise _other("snapshot", row["number"], found.number)
        self._snapshots.append((row["number"], bytes.fromhex(row["before"]), found.leaf))
        held = row.get("reference", "")
        if held and held not in {each.hex() for each in found.inventories}:
            self._unsigned.append(
                f"snapshot {row['number']} is held against an inventory that the parties did not "
                "sign"
            )
        wrong = [f"{each['id']} {each['component']}: {each['what']}" for each in row["findings"]]
        many = (
            f"{len(row.get('components', []))} components, {len(row.get('integrity', []))} measured"
        )
        return {
            "components": len(row.get("components", [])),
            "findings": row["findings"],
            "holds": "; ".join([many, *wrong]),
        }

    def _chunk(self, data: bytes, found: Vouched) -> dict[str, Any]:
        made = chunk.decode(data)
        if made.number != found.number:
            raise _other("chunk", made.number, found.number)
        self._chunks.append((made, found.leaf))
        seconds = made.size / made.meter.rate_hz
        return {
            "sample": made.sample,
            "samples": made.size,
            "seconds": seconds,
            "before": made.before.hex(),
            "leaf": found.leaf.hex(),
            "holds": f"{made.size} samples from {made.sample} on, {seconds:g} s",
        }

    def end(self) -> tuple[list[str], list[str]]:
        """Return what is broken between items, and what else is to be known of them."""
        chunks = [(each.number, each.before, leaf) for each, leaf in self._chunks]
        broken = [
            *chain.breaks("chunk", chunks), *chunk.twice(self._chunks),
            *chain.breaks("snapshot", self._snapshots), *self._unsigned,
        ]  # fmt: skip
        return broken, list(chunk.unsigned(self._chunks))


def _other(what: str, says: int, proof: int) -> SignatureError:
    return SignatureError(
        f"{what} {says} lies under the proof of {what} {proof}.",
        remedy="treat it as swapped; obtain it again with its proof.",
    )
