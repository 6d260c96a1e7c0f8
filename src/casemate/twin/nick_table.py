"""Squares added by round tools as tables over diameter and place, for many tools at once.

All in trace widths. Tools that open an edge: bilinear in ln(diameter) and in the share of the way
from a grazing tool to one that cuts. Tools wholly inside the trace: in the diameter and in the way
from touching an edge to the middle. Within 2 % of `altered.added_squares` (test), or 1e-3 squares.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from casemate.twin.altered import INSIDE, LEAST_SHARE
from casemate.twin.line_materials import Real
from casemate.twin.resistance_nicks import bite_squares, hole_squares

DIAMETERS = np.geomspace(0.1, 40.0, 81)
SHARES = np.concatenate(
    [
        np.linspace(0.0, 0.0125, 5)[:-1],
        np.linspace(0.0125, 0.9, 72),
        1.0 - np.geomspace(0.1, LEAST_SHARE, 40)[1:],
    ]
)
"""Of the trace's width that is bitten, finest near the cut and near a graze."""
SMALL = 1.0 - np.geomspace(0.9, 0.004, 60)
"""Diameters of holes inside a trace, finest near its width."""
INWARD = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, 40)])
"""Share of the way from an edge to the middle, finest near the edge."""
Places = tuple[npt.NDArray[np.int64], Real]


def added(width_m: float, diameter_m: Real, bite_m: Real) -> Real:
    """Return the squares added by tools that bite so deep, shape (K,); none may cut through.

    A tool smaller than the trace and wholly inside it bites more than its diameter: `bite_m` runs
    from the trace's far edge to the tool's, as `copper.Meetings` has it.
    """
    diameter, bite = diameter_m / width_m, bite_m / width_m
    edge = _bilinear(_bites(), _at(np.log(diameter), np.log(DIAMETERS)), _at(bite, SHARES))
    touching = 0.5 - INSIDE + 0.5 * diameter
    way = np.maximum(0.5 - touching, 1e-9)
    inward = (bite - 0.5 * diameter - touching) / way
    hole = _bilinear(_holes(), _at(diameter, SMALL), _at(inward, INWARD))
    return np.where(bite - diameter > 0.5 - INSIDE, hole, edge)


def _at(values: Real, grid: Real) -> Places:
    """Return the interval of a grid that each value lies in, and the share of it passed."""
    position = np.interp(values, grid, np.arange(grid.size))
    first = np.minimum(position.astype(np.int64), grid.size - 2)
    return first, np.asarray(position - first)


def _bilinear(table: Real, row: Places, column: Places) -> Real:
    (i, u), (j, v) = row, column
    low = (1.0 - v) * table[i, j] + v * table[i, j + 1]
    high = (1.0 - v) * table[i + 1, j] + v * table[i + 1, j + 1]
    return np.asarray((1.0 - u) * low + u * high)


@lru_cache(maxsize=1)
def _bites() -> Real:
    """Return squares for (diameter, bite) of tools that open an edge, (81, 115)."""
    rows = [[bite_squares(1.0, b, d) for b in SHARES.tolist()] for d in DIAMETERS.tolist()]
    return np.array(rows)


@lru_cache(maxsize=1)
def _holes() -> Real:
    """Return squares for (diameter, way inward) of tools inside a trace, (60, 41)."""
    rows = np.empty((SMALL.size, INWARD.size))
    for i, diameter in enumerate(SMALL.tolist()):
        touching = 0.5 - INSIDE + 0.5 * diameter
        for j, share in enumerate(INWARD.tolist()):
            rows[i, j] = hole_squares(1.0, diameter, touching + share * (0.5 - touching))
    return rows
