"""Scenes in time: shifted, joined, and when the last thing that ends has ended."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from casemate.twin.effects import Scene


def shifted(scene: Scene, by_s: float) -> Scene:
    """Return a scene that begins later; InputError (of Timed) if it would begin before 0."""
    return tuple(
        replace(row, start_s=row.start_s + by_s, stop_s=row.stop_s + by_s) for row in scene
    )


def joined(scenes: Iterable[Scene]) -> Scene:
    """Return all scenes as one, in the order in which effects start; ties keep their order."""
    return tuple(sorted((row for scene in scenes for row in scene), key=lambda row: row.start_s))


def last_s(scene: Scene) -> float:
    """Return when the last change of a scene is over: an end, or the start of what stays."""
    return max(
        (row.stop_s if math.isfinite(row.stop_s) else row.start_s + row.rise_s for row in scene),
        default=0.0,
    )
