"""For how long what is signed in batches waits."""

from __future__ import annotations

PAYLOAD_AHEAD_S = 2.0
"""Of the batch of heartbeats; a period of frames must not reach over it (planning value)."""


FIRST_S = 10.0
"""Of the first batch after a start; each that follows may wait twice as long (planning value)."""


def growing_s(number: int, most_s: float) -> float:
    """Return for how long batch `number` since a start may wait, 0 the first: `most_s` in the end.

    So that something is proven soon, and a day is still told in few tokens.
    """
    return most_s if number > 30 else min(FIRST_S * 2.0**number, most_s)


def payload_batch_s(batch_s: float) -> float:
    """Return for how long payload may wait for its token, if heartbeats wait `batch_s`.

    A little less, so that both are written at once and one checkpoint serves both.
    """
    return max(batch_s - PAYLOAD_AHEAD_S, 1.0)
