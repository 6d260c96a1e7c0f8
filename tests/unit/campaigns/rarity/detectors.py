"""Detectors as a user would write them: plain objects, copyable, driven by their own null."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np


@dataclass(slots=True)
class PlainCusum:
    """One side, N(0, 1) or AR(1) of unit variance."""

    k: float = 0.5
    rho: float = 0.0
    s: float = 0.0
    x: float = math.nan

    def step(self, generator: np.random.Generator) -> float:
        e = generator.standard_normal()
        fresh = math.isnan(self.x)
        self.x = e if fresh else self.rho * self.x + math.sqrt(1 - self.rho**2) * e
        self.s = max(0.0, self.s + self.x - self.k)
        return self.s

    def copy(self) -> PlainCusum:
        return replace(self)


class Pyramid:
    """Sums of 1, 2, 4 samples, each with a CUSUM of k = 0.5; the largest of them is watched."""

    def __init__(self) -> None:
        self.time = 0
        self.sums = [0.0, 0.0, 0.0]
        self.cusums = [0.0, 0.0, 0.0]

    def step(self, generator: np.random.Generator) -> float:
        x = generator.standard_normal()
        self.time += 1
        for level in range(3):
            self.sums[level] += x
            if self.time % (1 << level) == 0:
                y = self.sums[level] / math.sqrt(1 << level)
                self.cusums[level] = max(0.0, self.cusums[level] + y - 0.5)
                self.sums[level] = 0.0
        return max(self.cusums)

    def copy(self) -> Pyramid:
        other = Pyramid()
        other.time, other.sums, other.cusums = self.time, self.sums.copy(), self.cusums.copy()
        return other


def counted(detector_of, limit: float, runs: int, seed: int) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """Return the mean run length by counting, and its standard error."""
    generator = np.random.default_rng(seed)
    lengths = []
    for _ in range(runs):
        detector, n = detector_of(generator), 1
        while detector.step(generator) <= limit:
            n += 1
        lengths.append(n)
    return float(np.mean(lengths)), float(np.std(lengths) / math.sqrt(runs))


def counted_ar(rho: float, limit: float, runs: int, seed: int) -> tuple[float, float]:
    """The same for `PlainCusum(rho=rho)`, all runs side by side."""
    generator = np.random.default_rng(seed)
    x, s = generator.standard_normal(runs), np.zeros(runs)
    ended, n = np.zeros(runs, dtype=int), 0
    while (ended == 0).any():
        n += 1
        s = np.maximum(0.0, s + x - 0.5)
        ended[(s > limit) & (ended == 0)] = n
        x = rho * x + math.sqrt(1 - rho**2) * generator.standard_normal(runs)
    return float(ended.mean()), float(ended.std() / math.sqrt(runs))
