"""Compiled recursions of a course: heat of nodes, water of a film, and weights of radii."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def stepped(keep: Any, driven: Any, which: Any, state: Any, out: Any) -> None:
    """Fill out (K, N): state (N,) after each step, keep[which[k]] state + driven[k].

    keep (D, N, N), driven (K, N), which (K,). `state` is left as it is after the last.
    """
    count = state.size
    for k in range(out.shape[0]):
        form = keep[which[k]]
        for i in range(count):
            one = driven[k, i]
            for j in range(count):
                one += form[i, j] * state[j]
            out[k, i] = one
        for i in range(count):
            state[i] = out[k, i]


@njit(cache=True)
def soaked(keep: Any, share: Any, rest: float, surface: Any, state: Any, found: Any) -> None:
    """Fill found (T,): modes' `state` (M,) weighed by `share`, and `rest` of surface (T,) at once.

    keep (M,): what a mode keeps of its distance from the surface in a step.
    """
    for k in range(surface.size):
        value, total = surface[k], 0.0
        for m in range(state.size):
            total += share[m] * state[m]
            state[m] = value + (state[m] - value) * keep[m]
        found[k] = total + rest * value


@njit(cache=True)
def weighed(
    places: Any, net: Any, x_m: float, y_m: float, first: float, step: float, left: Any, right: Any
) -> None:
    """Add each place's (K, 2) share to both radii (N, R) beside it: evenly spaced logarithms.

    first: logarithm of the least radius. step: between two.
    """
    most = left.shape[1]
    for k in range(net.size):
        x, y = places[k, 0] - x_m, places[k, 1] - y_m
        square = x * x + y * y
        at = (0.5 * math.log(square if square > 1e-24 else 1e-24) - first) / step
        at = min(max(at, 0.0), most - 1.0)
        cell = min(np.int64(at), most - 2)
        share = at - cell
        left[net[k], cell] += 1.0 - share
        right[net[k], cell + 1] += share
