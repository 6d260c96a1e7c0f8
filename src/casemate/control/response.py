"""Graded response: from a verdict of detection to what is done with the keys, and in which order.

The levels are those of `casemate.detect.response`. What a level does to keys comes before anything
that takes time; signing comes after, and never with keys that have to be gone.
"""

from __future__ import annotations

from casemate.control.actions import Seal, Zeroise
from casemate.control.events import Judgement
from casemate.control.scope import NOTHING, Scope
from casemate.detect.response import ALERT, LATCH, LOG, SEAL, ZEROISE
from casemate.detect.verdict import Judged

LEVELS = (LOG, ALERT, SEAL, LATCH, ZEROISE)
LOCAL_NATS = 20.0
"""Of one feature by itself: reason to ask more chips (reference/detect.md 2)."""


def on_keys(level: int) -> Seal | Zeroise | None:
    """Return what a level does to live keys. Latching seals: what noise can reach is reversible.

    A level beyond those known is the highest one; below them, there is nothing to do.
    """
    if level >= ZEROISE:
        return Zeroise()
    return Seal() if level >= SEAL else None


def judgement(judged: Judged, *, masked: Scope = NOTHING) -> Judgement:
    """Return the machine's event of a verdict that was reached with `masked` left out."""
    return Judgement(
        level=judged.level,
        verdict=judged.verdict.value,
        masked=masked,
        wants_chips=judged.verdict.value != "NORMAL"
        or any(item.nats > LOCAL_NATS for item in judged.items),
    )
