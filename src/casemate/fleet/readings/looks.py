"""Readings of many channels, thinned for a drawing: how many, least, mean, most. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LONGEST_STEP = 2.5
"""Steps without a reading after which there is a gap (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Readings of some time, Unix seconds: how many there are, the least, the mean, the most."""

    at_s: float
    count: int
    least: float
    mean: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Readings or summaries of them, one a row: arrays of equal length (N,).

    channel: index of a list of names. at_s: Unix seconds. total: sum of `count` readings.
    """

    channel: NDArray[np.int64]
    at_s: Array
    count: NDArray[np.int64]
    total: Array
    least: Array
    most: Array


def plain(channel: NDArray[np.int64], at_s: Array, value: Array) -> Rows:
    """Return readings as rows, one each."""
    ones = np.ones(len(value), dtype=np.int64)
    return Rows(channel=channel, at_s=at_s, count=ones, total=value, least=value, most=value)


def nothing() -> Rows:
    """Return no rows."""
    empty = np.zeros(0)
    return plain(np.zeros(0, dtype=np.int64), empty, empty)


def joined(parts: Sequence[Rows]) -> Rows:
    """Return all rows; there has to be a part."""
    names = ("channel", "at_s", "count", "total", "least", "most")
    one = {name: np.concatenate([getattr(each, name) for each in parts]) for name in names}
    return Rows(**one)


def thinned(rows: Rows, channels: int, begin_s: float, width_s: float) -> list[list[Point]]:
    """Return for each of the channels its points, one for each `width_s` in which there is any."""
    out: list[list[Point]] = [[] for _ in range(channels)]
    if not len(rows.at_s):
        return out
    step = ((rows.at_s - begin_s) // width_s).astype(np.int64)
    order = np.argsort(rows.at_s, kind="stable")
    key = rows.channel * (int(step.max()) + 1) + step
    order = order[np.argsort(key[order], kind="stable")]
    channel, step = rows.channel[order], step[order]
    starts = np.flatnonzero(
        (np.diff(channel, prepend=-1) != 0) | (np.diff(step, prepend=step[0] - 1) != 0)
    )
    count = np.add.reduceat(rows.count[order], starts)
    mean = np.add.reduceat(rows.total[order], starts) / count
    least = np.minimum.reduceat(rows.least[order], starts)
    most = np.maximum.reduceat(rows.most[order], starts)
    at_s = rows.at_s[order][starts]
    for index, *each in zip(
        channel[starts].tolist(), at_s.tolist(), count.tolist(), least.tolist(),
        np.clip(mean, least, most).tolist(), most.tolist(), strict=True,
    ):  # fmt: skip
        at, n, low, middle, high = each
        out[index].append(Point(at_s=at, count=n, least=low, mean=middle, most=high))
    return out


def coarser(points: Sequence[Point], begin_s: float, width_s: float) -> list[Point]:
    """Return points thinned once more."""
    if not points:
        return []
    column = {name: np.array([getattr(each, name) for each in points])
              for name in ("at_s", "count", "mean", "least", "most")}  # fmt: skip
    rows = Rows(
        channel=np.zeros(len(points), dtype=np.int64), at_s=column["at_s"],
        count=column["count"], total=column["mean"] * column["count"],
        least=column["least"], most=column["most"],
    )  # fmt: skip
    return thinned(rows, 1, begin_s, width_s)[0]


def runs(points: Sequence[Point], width_s: float) -> list[list[Point]]:
    """Return points in stretches without a gap; what lies between two of them was not told.

    A gap is longer than LONGEST_STEP steps; a step is as long as most are, `width_s` at least.
    """
    if not points:
        return []
    steps = np.diff([each.at_s for each in points])
    usual = max(float(np.median(steps)) if len(steps) else 0.0, width_s)
    out = [[points[0]]]
    for each, step in zip(points[1:], steps.tolist(), strict=True):
        if step > LONGEST_STEP * usual:
            out.append([])
        out[-1].append(each)
    return out
