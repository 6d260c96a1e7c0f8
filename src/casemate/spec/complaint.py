"""What a cross-check finds, and the box geometry that the checks share."""

from __future__ import annotations

from dataclasses import dataclass

FACE_AXES = {
    "front": (0, 2),
    "rear": (0, 2),
    "left": (1, 2),
    "right": (1, 2),
    "top": (0, 1),
    "bottom": (0, 1),
}
"""Which edges of (width, depth, height) are the width and height of a face seen from outside."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What contradicts what: dotted key, message, remedy and the value given."""

    key: str
    message: str
    remedy: str
    value: object = None


def face_size_m(size_m: tuple[float, float, float], face: str) -> tuple[float, float]:
    """Return (width, height) in metres of a face of a box seen from outside."""
    across, up = FACE_AXES[face]
    return size_m[across], size_m[up]


def mm(length_m: float) -> str:
    """Return a length for people, in millimetres."""
    return f"{length_m * 1e3:.4g} mm"
