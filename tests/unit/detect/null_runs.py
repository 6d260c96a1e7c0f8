"""Null runs, thresholds of equal mean time to a false alarm, and delays, for tests of detectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Detector = Callable[[np.ndarray], np.ndarray]
"""Takes the next block (K, F) of unit Gaussian series, float32; returns a statistic (K, F)."""
BLOCK = 500


def threshold(make: Callable[[int], Detector], arl: int, runs: int, seed: int) -> float:
    """Return the level that a null run of length `arl` stays below with probability 1/e.

    Waiting times to a false alarm are nearly exponential, so that is the level of mean `arl`.
    """
    generator = np.random.default_rng(seed)
    detector, most = make(runs), np.full(runs, -np.inf)
    for _ in range(arl // BLOCK):
        x = generator.standard_normal((BLOCK, runs), dtype=np.float32)
        most = np.maximum(most, detector(x).max(axis=0))
    return float(np.quantile(most, np.exp(-1.0)))


def delay(
    make: Callable[[int], Detector], level: float, shift: float, runs: int, seed: int, before: int
) -> float:
    """Return the mean samples from a shift, after `before` quiet ones, to the alarm."""
    generator = np.random.default_rng(seed)
    detector = make(runs)
    quiet = detector(generator.standard_normal((before, runs), dtype=np.float32))
    fresh = np.ones(runs, bool) if before == 0 else quiet.max(axis=0) < level
    waited = np.zeros(runs)
    going = fresh.copy()
    block = max(8, min(BLOCK, int(8.0 / shift**2)))
    while np.any(going):
        x = generator.standard_normal((block, runs), dtype=np.float32) + np.float32(shift)
        over = detector(x) >= level
        first = np.where(over.any(axis=0), over.argmax(axis=0) + 1, block)
        waited += np.where(going, first, 0)
        going &= ~over.any(axis=0)
    return float(waited[fresh].mean())
