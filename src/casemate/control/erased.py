"""When keys are gone after a verdict, and when it has been looked whether they are."""

from __future__ import annotations

from casemate.attest.keys.protocol import Erasure


def times(erasure: Erasure, began_s: float) -> tuple[float, float]:
    """Return when keys were unusable and when all was verified, s after the verdict.

    began_s: from the verdict until the holder was told. Keys that are not known to be unusable
    count as gone no sooner than all was verified.
    """
    verified_s = began_s + erasure.verified_s
    return (began_s + erasure.unusable_s if erasure.unusable else verified_s), verified_s


def in_words(erasure: Erasure, began_s: float) -> str:
    """Return both as a line for people."""
    gone_s, verified_s = times(erasure, began_s)
    done = "gone" if erasure.complete and erasure.unusable else "NOT all gone"
    return (
        f"keys are {done}, {1e3 * gone_s:.2f} ms after the verdict; "
        f"verified after {1e3 * verified_s:.2f} ms"
    )
