"""Compiled half of `verdict`: what the features of a modality come to, in one pass over them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

LN2 = math.log(2.0)


@njit(cache=True, error_model="numpy")
def told(anchored: Any, step: Any, chips: Any, weight: float, both: Any, nats: Any) -> None:
    """Fill both (F,) with ln of a test's evidence and `weight` times that of chips, and nats (F,).

    nats: ln of the mean of both tests. anchored, step (F,): ln of evidence, within -701 .. 700, so
    that no evidence overflows.
    """
    for f in range(nats.size):
        one = math.exp(anchored[f]) + weight * chips[f]
        both[f] = math.log(one)
        nats[f] = math.log(one + math.exp(step[f])) - LN2


@njit(cache=True, error_model="numpy")
def glance(
    nats: Any, interference: Any, information: Any, healthy: Any, open_: Any, lost: Any,
    need: float, noise: float, speaks: float, shrink: float,
) -> Any:  # fmt: skip
    """Return what F features come to.

    ln of the sum of evidence; sum of nats above `shrink`; how many tell too little, and how many of
    these nothing; whether any is loud, stands open, is lost; whether nothing is to be explained;
    whether none passes `shrink`.
    """
    most, over, dark, mute = -700.0, 0.0, 0, 0
    loud, cut, gone, quiet, low = False, False, False, True, True
    for f in range(nats.size):
        one = nats[f]
        most = one if one > most else most
        if not one <= shrink:
            low = False
            over += one - shrink if one > shrink else 0.0
        loud = loud or not interference[f] < noise
        cut, gone = cut or open_[f], gone or lost[f]
        quiet = quiet and not (one >= speaks or interference[f] >= speaks or open_[f] or lost[f])
        half = 0.5 * healthy[f]
        enough = need if need <= half or need != need else half
        if one != one or not (information[f] >= enough or (open_[f] and one >= speaks)):
            dark += 1
            mute += int(lost[f])
    total = np.inf
    if most < np.inf:
        total = math.exp(-700.0 - most)
        for f in range(nats.size):
            if nats[f] == nats[f]:
                total += math.exp(nats[f] - most)
        total = most + math.log(total)
    return total, over, dark, mute, loud, cut, gone, quiet, low
