"""What a nick or a drilled hole adds to a trace, in squares of the trace's own sheet resistance.

Slit and step are exact (the conformal maps of the capacitive window and step, N. Marcuvitz,
Waveguide Handbook, 1951, 5.1 and 5.26, at low frequency); the rest joins them and is held against
finite elements in tests.
"""

from __future__ import annotations

import math

import numpy as np

from casemate.core.errors import InputError
from casemate.twin.line_materials import Real

_NODES: Real
_WEIGHTS: Real
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def _neck_m(width_m: float, depth_m: float) -> float:
    if not 0.0 <= depth_m < width_m:
        raise InputError(
            "a nick is deeper than its trace is wide, or of negative depth.",
            remedy="treat a trace that is cut through as an open (network.py).",
            value=(depth_m, width_m),
        )
    return width_m - depth_m


def slit_squares(width_m: float, depth_m: float) -> float:
    """Return what a slit of no length and of `depth_m` from one edge adds: (4/pi) ln csc(pi b/2w).

    b is the copper left.
    """
    neck = _neck_m(width_m, depth_m)
    return -4.0 / math.pi * math.log(math.sin(0.5 * math.pi * neck / width_m))


def step_squares(width_m: float, depth_m: float) -> float:
    """Return what the spreading at one step of width, along one straight edge, adds."""
    a = _neck_m(width_m, depth_m) / width_m
    if a > 1.0 - 1e-9:
        return 0.0
    first = (a * a + 1.0) / a * math.log((1.0 + a) / (1.0 - a))
    return (first - 2.0 * math.log(4.0 * a / (1.0 - a * a))) / math.pi


def notch_squares(width_m: float, depth_m: float, length_m: float) -> float:
    """Return what a rectangular nick adds.

    l (1/b - 1/w) in the neck, and at its two ends spreading that runs from that of the slit to
    that of two steps as l grows: exp(-3.7 (l/b)^0.73), fitted on finite elements within 0.6 % of
    the whole for depths of 0.2 to 0.8 w.
    """
    neck = _neck_m(width_m, depth_m)
    ends = 2.0 * step_squares(width_m, depth_m)
    slit = slit_squares(width_m, depth_m)
    near = math.exp(-3.7 * (length_m / neck) ** 0.73)
    return length_m * (1.0 / neck - 1.0 / width_m) + ends + (slit - ends) * near


def bite_squares(width_m: float, depth_m: float, diameter_m: float) -> float:
    """Return what a drill of `diameter_m` adds that bites `depth_m` into one edge.

    The slices' integral of 1/b(x) - 1/w, which is below the truth for equal potential across each
    slice, plus slit/(1 + (D/w)^0.8/2) for the spreading, fitted on finite elements within 5 %.
    """
    neck = _neck_m(width_m, depth_m)
    if depth_m <= 0.0 or diameter_m <= 0.0:
        return 0.0
    radius = 0.5 * diameter_m
    deep = depth_m >= radius
    half = radius if deep else math.sqrt(depth_m * (diameter_m - depth_m))
    t = 0.5 * math.pi * _NODES
    x = half * np.sin(t)
    left = neck + radius - np.sqrt(np.maximum(radius**2 - x**2, 0.0))
    inverse: Real = np.asarray(1.0 / np.minimum(left, width_m) - 1.0 / width_m)
    slices = float(np.sum(_WEIGHTS * inverse * np.cos(t))) * 0.5 * math.pi * half
    spread = slit_squares(width_m, depth_m) / (1.0 + 0.5 * (diameter_m / width_m) ** 0.8)
    return float(slices + spread)


def hole_squares(width_m: float, diameter_m: float, from_edge_m: float) -> float:
    """Return what a hole wholly inside the trace adds, its centre `from_edge_m` from an edge.

    The line through its centre parts the trace in two, each with a bite of half the diameter; they
    act in parallel over D + w. Exact in form for a hole in the middle; small holes approach the
    dilute limit 2 pi r^2/w^2.
    """
    sides = (from_edge_m, width_m - from_edge_m)
    if min(sides) <= 0.5 * diameter_m:
        raise InputError(
            "a hole reaches the edge of its trace.",
            remedy="use bite_squares for a drill that opens an edge.",
            value=(diameter_m, from_edge_m, width_m),
        )
    window = diameter_m + width_m
    both = sum(
        1.0 / (window / side + bite_squares(side, 0.5 * diameter_m, diameter_m)) for side in sides
    )
    return float(1.0 / both - window / width_m)
