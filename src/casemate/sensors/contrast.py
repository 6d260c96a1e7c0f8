"""The middle of a board's channels, which each of them is held against."""

from __future__ import annotations

import numpy as np

from casemate.twin.line_materials import Real


def middle(values: Real, noise: Real) -> Real:
    """Return the weighted median of each row of `values` (K, N), weights 1/noise (K, N): (K,).

    A channel that interference makes loud does not pull it, and a few that an attack moves pull it
    little. A channel's distance from it then scatters by no more than its own noise: by
    s^2 - (2 - pi/2) V, V = 1/sum(1/s^2) (asymptotic variance of the minimum of sum |x - m|/s).
    Between two channels it lies linearly, so that two alike ones give their mean.
    """
    order = np.argsort(values, axis=1)
    ranked = np.take_along_axis(values, order, axis=1)
    weight = np.take_along_axis(1.0 / noise, order, axis=1)
    at = (np.cumsum(weight, axis=1) - 0.5 * weight) / weight.sum(axis=1, keepdims=True)
    last = values.shape[1] - 1
    right = np.clip((at < 0.5).sum(axis=1), 1, last) if last else np.zeros(len(at), dtype=np.int64)
    left = np.maximum(right - 1, 0)
    rows = np.arange(len(at))
    gap = np.maximum(at[rows, right] - at[rows, left], 1e-12)
    share = np.clip((0.5 - at[rows, left]) / gap, 0.0, 1.0)
    found = ranked[rows, left] + share * (ranked[rows, right] - ranked[rows, left])
    return np.asarray(found)
