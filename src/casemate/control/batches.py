"""For how long what is signed in batches waits."""

from __future__ import annotations

PAYLOAD_AHEAD_S = 2.0
"""Of the batch of heartbeats; a period of frames must not reach over it (planning value)."""


def payload_batch_s(batch_s: float) -> float:
    """Return for how long payload may wait for its token, if heartbeats wait `batch_s`.

    A little less, so that both are written at once and one checkpoint serves both.
    """
    return max(batch_s - PAYLOAD_AHEAD_S, 1.0)
