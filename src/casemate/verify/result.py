"""What the verifier says: in one line, as intervals, as a ledger of gaps, as findings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from casemate.verify.continuity import Interval, gaps
from casemate.verify.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An appraisal at `now_s`. headline: what happened, and since when.

    state: what holds now; UNKNOWN if nothing recent is proven. since_s: since when, None if nobody
    can say. seen_s: when a quorum saw the log last. tokens: read; proven: of them seen by a quorum.
    """

    enclosure: str
    serial: str
    reference: str
    now_s: int
    headline: str
    state: str
    since_s: int | None
    seen_s: int | None
    tokens: int
    proven: int
    intervals: tuple[Interval, ...]
    findings: tuple[Finding, ...]

    @property
    def gaps(self) -> tuple[Interval, ...]:
        """Return the gap ledger."""
        return gaps(self.intervals)

    @property
    def worst(self) -> str:
        """Return the worst severity, "note" if there is no finding."""
        return self.findings[0].severity if self.findings else "note"

    @property
    def exit_code(self) -> int:
        """Return the exit code: an alarm comes before not knowing, and that before a warning."""
        return {"alarm": 1, "unknown": 3, "warning": 1}.get(self.worst, 0)


def clock(time_s: int | None) -> str:
    """Return Unix seconds as UTC, "" for None."""
    if time_s is None:
        return ""
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"Unix time {time_s}"
