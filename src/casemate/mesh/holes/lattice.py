"""Certified bound on the largest hole that severs nothing inside a lattice-complete pattern.

The bound holds for every tour, so it costs nothing per tile: it depends on pitch, width, layer
offsets and depths only. Theorems and proofs: docs/formats/hole-certificate.md, sections 2 to 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from casemate.core.errors import ProofError

MAX_BOXES = 20_000_000
"""Boxes after which the search stops; the bound stays valid but is looser than asked."""

Place = tuple[float, float, float, float]
"""x_m, y_m at mean depth relative to a lattice point of offset (0, 0); theta_rad, phi_rad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatticeCertificate:
    """Upper bounds on drill diameters over every tour of the lattice, in metres.

    perpendicular_m, any_direction_m: severs nothing in any layer. per_layer_m: severs nothing in
    that layer alone, whatever the direction. empty_*: touches nothing. found_m: for each bound the
    largest value that the search saw (bound minus found is the slack of the search).
    worst: where it saw it.
    """

    perpendicular_m: float
    any_direction_m: float
    per_layer_m: tuple[float, ...]
    empty_perpendicular_m: float
    empty_any_direction_m: float
    found_m: dict[str, float]
    worst: dict[str, Place]
    boxes: int
    theta_max_rad: float


def single_layer_closed_form_m(pitch_m: float, trace_m: float) -> float:
    """Return sqrt(2) (p + w): the exact bound of one layer with open squares (document, 2.4)."""
    return math.sqrt(2.0) * (pitch_m + trace_m)


def serpentine_closed_form_m(pitch_m: float, trace_m: float) -> float:
    """Return p + w: the exact bound between straight parallel runs."""
    return pitch_m + trace_m


@lru_cache(maxsize=256)
def lattice_bound(
    *,
    pitch_m: float,
    trace_m: float,
    offsets: tuple[tuple[float, float], ...],
    depths_m: tuple[float, ...],
    theta_max_rad: float = math.radians(70.0),
    open_squares: bool = True,
    tolerance_m: float = 2e-6,
) -> LatticeCertificate:
    """Return certified hole bounds for all tours of the given lattices.

    offsets: of each layer's lattice, in pitches. depths_m: of each layer along the board normal.
    trace_m: the widest copper to be reckoned with. open_squares: whether four lattice points
    around a square may all turn away from it. tolerance_m: slack of the search, in diameter
    (a tenth of it where the direction is fixed).
    """
    _check(pitch_m, trace_m, offsets, depths_m, theta_max_rad, tolerance_m)
    found: dict[str, float] = {}
    worst: dict[str, Place] = {}
    bound: dict[str, float] = {}
    boxes = 0
    mean = 0.5 * (min(depths_m) + max(depths_m))
    depths = np.array([(z - mean) / pitch_m for z in depths_m])
    shifts = np.array(offsets, dtype=np.float64)
    half = 0.5 * trace_m / pitch_m
    fold = symmetry_fold(offsets)
    from casemate.mesh.holes._lattice_kernel import search

    def run(name: str, which: slice, theta: float, touch: bool) -> None:
        nonlocal boxes
        value, where, upper, count = search(
            shifts[which], depths[which], half, math.tan(theta), fold, open_squares, touch,
            (0.5 if theta > 0.0 else 0.05) * tolerance_m / pitch_m, MAX_BOXES,
        )  # fmt: skip
        bound[name] = 2.0 * upper * pitch_m
        found[name] = 2.0 * value * pitch_m
        angle = math.atan(math.hypot(where[2], where[3]))
        turn = math.atan2(where[3], where[2])
        worst[name] = (float(where[0]) * pitch_m, float(where[1]) * pitch_m, angle, turn)
        boxes += count

    run("per_layer", slice(0, 1), 0.0, False)
    for prefix, touch in (("", False), ("empty_", True)):
        run(prefix + "perpendicular", slice(None), 0.0, touch)
        if len(offsets) == 1 or theta_max_rad == 0.0:
            _repeat(prefix + "perpendicular", prefix + "any_direction", bound, found, worst)
        else:
            run(prefix + "any_direction", slice(None), theta_max_rad, touch)
    return LatticeCertificate(
        perpendicular_m=bound["perpendicular"],
        any_direction_m=max(bound["any_direction"], bound["perpendicular"]),
        per_layer_m=(bound["per_layer"],) * len(offsets),
        empty_perpendicular_m=bound["empty_perpendicular"],
        empty_any_direction_m=max(bound["empty_any_direction"], bound["empty_perpendicular"]),
        found_m=found,
        worst=worst,
        boxes=boxes,
        theta_max_rad=theta_max_rad,
    )


def symmetry_fold(offsets: tuple[tuple[float, float], ...]) -> int:
    """Return 0, 1 (both mirrors) or 2 (also the diagonal): symmetries of the layer stack.

    A map M of the square's group is one if M d - d is a lattice vector for each layer's offset d
    relative to the first (document, 5.4).
    """

    def whole(value: float) -> bool:
        return abs(value - round(value)) < 1e-12

    relative = [(x - offsets[0][0], y - offsets[0][1]) for x, y in offsets]
    if not all(whole(2.0 * x) and whole(2.0 * y) for x, y in relative):
        return 0
    return 2 if all(whole(x - y) for x, y in relative) else 1


def _repeat(source: str, target: str, *tables: dict[str, float] | dict[str, Place]) -> None:
    """Copy entries: one layer, or no tilt, has its worst case at the perpendicular."""
    for table in tables:
        table[target] = table[source]  # type: ignore[assignment]


def _check(
    pitch_m: float,
    trace_m: float,
    offsets: tuple[tuple[float, float], ...],
    depths_m: tuple[float, ...],
    theta_max_rad: float,
    tolerance_m: float,
) -> None:
    if not 0.0 < trace_m < pitch_m:
        raise ProofError(
            f"Trace {trace_m} m is not between 0 and the pitch {pitch_m} m.",
            remedy="Give a trace narrower than the pitch.",
        )
    if not offsets or len(offsets) != len(depths_m):
        raise ProofError(
            f"{len(offsets)} layer offsets but {len(depths_m)} depths.",
            remedy="Give one offset and one depth for each layer.",
        )
    if not 0.0 <= theta_max_rad <= math.radians(80.0) or tolerance_m <= 0.0:
        raise ProofError(
            f"Angle {theta_max_rad} rad or tolerance {tolerance_m} m is out of range.",
            remedy="Give an angle between 0 and 80 degrees and a tolerance above 0.",
        )
