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


class _Search:
    """The searches of one certificate. bound, found, worst: by name; boxes: of all of them."""

    def __init__(
        self,
        *,
        pitch_m: float,
        trace_m: float,
        offsets: tuple[tuple[float, float], ...],
        depths_m: tuple[float, ...],
        open_squares: bool,
        tolerance_m: float,
    ) -> None:
        self.bound: dict[str, float] = {}
        self.found: dict[str, float] = {}
        self.worst: dict[str, Place] = {}
        self.boxes = 0
        mean = 0.5 * (min(depths_m) + max(depths_m))
        self._pitch_m, self._tolerance_m = pitch_m, tolerance_m
        self._depths = np.array([(z - mean) / pitch_m for z in depths_m])
        self._shifts = np.array(offsets, dtype=np.float64)
        self._half = 0.5 * trace_m / pitch_m
        self._fold, self._open_squares = symmetry_fold(offsets), open_squares

    def run(self, name: str, which: slice, theta: float, touch: bool) -> None:
        """Search the layers `which` for the largest drill tilted by up to theta radians."""
        from casemate.mesh.holes._lattice_kernel import search

        pitch_m = self._pitch_m
        value, where, upper, count = search(
            self._shifts[which], self._depths[which], self._half, math.tan(theta), self._fold,
            self._open_squares, touch,
            (0.5 if theta > 0.0 else 0.05) * self._tolerance_m / pitch_m, MAX_BOXES,
        )  # fmt: skip
        self.bound[name] = 2.0 * upper * pitch_m
        self.found[name] = 2.0 * value * pitch_m
        angle = math.atan(math.hypot(where[2], where[3]))
        turn = math.atan2(where[3], where[2])
        self.worst[name] = (float(where[0]) * pitch_m, float(where[1]) * pitch_m, angle, turn)
        self.boxes += count

    def repeat(self, source: str, target: str) -> None:
        """Copy entries: one layer, or no tilt, has its worst case at the perpendicular."""
        self.bound[target] = self.bound[source]
        self.found[target] = self.found[source]
        self.worst[target] = self.worst[source]


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
    search = _Search(
        pitch_m=pitch_m, trace_m=trace_m, offsets=offsets, depths_m=depths_m,
        open_squares=open_squares, tolerance_m=tolerance_m,
    )  # fmt: skip
    search.run("per_layer", slice(0, 1), 0.0, False)
    for prefix, touch in (("", False), ("empty_", True)):
        search.run(prefix + "perpendicular", slice(None), 0.0, touch)
        if len(offsets) == 1 or theta_max_rad == 0.0:
            search.repeat(prefix + "perpendicular", prefix + "any_direction")
        else:
            search.run(prefix + "any_direction", slice(None), theta_max_rad, touch)
    bound = search.bound
    return LatticeCertificate(
        perpendicular_m=bound["perpendicular"],
        any_direction_m=max(bound["any_direction"], bound["perpendicular"]),
        per_layer_m=(bound["per_layer"],) * len(offsets),
        empty_perpendicular_m=bound["empty_perpendicular"],
        empty_any_direction_m=max(bound["empty_any_direction"], bound["empty_perpendicular"]),
        found_m=search.found,
        worst=search.worst,
        boxes=search.boxes,
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
