"""Outcomes on disk: one file a batch under its address, whole or not at all.

A file is a head line (format, address, count, SHA-256 of the rest) and one line of JSON an outcome.
What does not fit its head, or its name, is as if it were not there: torn, foreign or edited files
are done again. Numbers come back bit for bit; `NaN` and `Infinity` are written so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.campaigns.engines.jobs import FORMAT, Batch, Outcome
from casemate.core.errors import CampaignError
from casemate.core.whole_file import replaced_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder of outcomes. context: digest of code, design and commitment that they hold for."""

    folder: Path
    context: str

    def path(self, batch: Batch) -> Path:
        """Return where a batch's outcomes lie."""
        return self.folder / batch.address[:2] / f"{batch.address}.jsonl"

    def put(self, batch: Batch, lines: bytes) -> None:
        """Store the `lines` of a batch (from `encoded`); OutputError if it cannot be written."""
        head = {
            "address": batch.address,
            "count": len(batch.jobs),
            "format": FORMAT,
            "sha256": hashlib.sha256(lines).hexdigest(),
        }
        with replaced_file(self.path(batch)) as beside:
            beside.write_bytes(_line(head) + lines)

    def get(self, batch: Batch) -> tuple[Outcome, ...] | None:
        """Return the outcomes of a batch in the order of its jobs; None if there are none."""
        lines = self._lines(batch)
        if lines is None:
            return None
        try:
            found = tuple(json.loads(line) for line in lines.splitlines())
        except ValueError:
            return None
        return found if len(found) == len(batch.jobs) else None

    def has(self, batch: Batch) -> bool:
        """Return whether sound outcomes of a batch are there."""
        return self._lines(batch) is not None

    def _lines(self, batch: Batch) -> bytes | None:
        try:
            head, _, lines = self.path(batch).read_bytes().partition(b"\n")
            told = json.loads(head)
        except (OSError, ValueError, RecursionError):
            return None
        wanted = {
            "address": batch.address,
            "count": len(batch.jobs),
            "format": FORMAT,
            "sha256": hashlib.sha256(lines).hexdigest(),
        }
        return lines if told == wanted else None


def encoded(outcomes: Sequence[Outcome], batch_size: int) -> bytes:
    """Return outcomes as lines of JSON; CampaignError if they are not one plain table a job."""
    if len(outcomes) != batch_size:
        raise CampaignError(
            f"{batch_size} jobs gave {len(outcomes)} outcomes.",
            remedy="let `work` return one outcome a job, in the order of the jobs.",
        )
    try:
        return b"".join(_line(dict(outcome)) for outcome in outcomes)
    except (TypeError, ValueError) as error:
        raise CampaignError(
            f"an outcome is not plain data: {error}.",
            remedy="use text, numbers of Python, lists and tables.",
        ) from error


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii") + b"\n"
