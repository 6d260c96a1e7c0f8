"""A polygon with openings as one ring: each opening is joined to the outside by a slit of no width.

KiCad stores filled copper only as rings without openings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ring = npt.NDArray[np.int64]


def keyhole(exterior: Ring, openings: Sequence[Ring]) -> Ring:
    """Return one ring (n, 2) that covers the exterior less its openings.

    From the leftmost vertex of each opening, leftmost opening first, a horizontal slit runs to the
    nearest edge on its left. The slit's foot is rounded to whole units, which moves the area by
    less than a unit times the length of that edge. Openings must lie inside and not meet.
    """
    ring = exterior
    order = sorted(openings, key=lambda one: tuple(one[_leftmost(one)]))
    for opening in order:
        turned = np.roll(opening, -_leftmost(opening), axis=0)
        ring = _join(ring, turned)
    return ring


def _leftmost(ring: Ring) -> int:
    return int(np.lexsort((ring[:, 1], ring[:, 0]))[0])


def _join(ring: Ring, opening: Ring) -> Ring:
    """Insert `opening`, which starts at its leftmost vertex, into `ring`."""
    x, y = opening[0]
    start, end = ring, np.roll(ring, -1, axis=0)
    low = np.minimum(start[:, 1], end[:, 1])
    high = np.maximum(start[:, 1], end[:, 1])
    candidates = np.flatnonzero((low <= y) & (y <= high) & (low < high))
    rise = (end[candidates, 1] - start[candidates, 1]).astype(np.float64)
    share = (y - start[candidates, 1]) / rise
    foot = start[candidates, 0] + share * (end[candidates, 0] - start[candidates, 0])
    foot = np.where(foot <= x, foot, -np.inf)
    best = int(np.argmax(foot))
    edge = int(candidates[best])
    landing = np.array([[round(float(foot[best])), y]], dtype=np.int64)
    return np.concatenate(
        [ring[: edge + 1], landing, opening, opening[:1], landing, ring[edge + 1 :]]
    )
