"""What holds when something is said, for the header of a token."""

from __future__ import annotations

import time

from casemate.attest.token import Judgement, SensorHealth
from casemate.control.evidence import Moment
from casemate.control.watching import Seen, Watching


def moment_of(
    watching: Watching, seen: Seen | None, state: str, at_ms: int, anchor: bytes
) -> Moment:
    """Return what holds now, in `state`. anchor: if the machine has none yet."""
    judged, now = watching.judged, watching.machine
    return Moment(
        state=state,
        anchor=now.anchor or anchor,
        uptime_ms=at_ms,
        time_s=int(time.time()),
        permit=now.work.terms.permit if now.work is not None and now.in_use else b"",
        verdict=None if judged is None or seen is None else Judgement(
            verdict=judged.verdict.value,
            level=judged.level,
            millinats=max(int(1e3 * judged.nats), 0),
            information_millinats=max(int(1e3 * seen.information), 0),
        ),
        health=None if seen is None else SensorHealth(
            channels=seen.channels, healthy=seen.healthy, flags=seen.flags
        ),
    )  # fmt: skip
