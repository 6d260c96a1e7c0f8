"""The patient adversary: where a ramp is convicted, and an adaptive baseline that never convicts.

Sigma is one chip's noise. The anchored bank has a bound of 0.2 of it, windows of 100 chips and 24
nats to reach; the control is a CUSUM of drift 0.5 on what an EWMA over 10,000 chips leaves, without
noise. Displacements, so the load of the machine does not matter.
"""

from __future__ import annotations

from typing import Any

from benchmarks.frame import Figure

SLOPES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
"""Sigma a chip, of issue 4."""
SEEDS = 5
NATS = 24.0
WINDOW_S = 0.1
CHIP_S = 1e-3
NOISE = 1e-3
BOUND = 0.2
"""Of the noise: what surroundings may do for the whole life."""
FAR = 200.0
"""Sigma after which the control is taken never to alarm."""
SHARE, DRIFT, LIMIT = 1e-4, 0.5, 35.9
"""Of the control: its baseline's, its CUSUM's, and the limit of an ARL of 2.5e16."""


def run() -> list[Figure]:
    """Return the largest displacement at conviction of some runs, and the control's."""
    rows = []
    for slope in SLOPES:
        seeds = SEEDS if slope > 1e-6 else 1
        most = max(_convicted(slope, seed) for seed in range(seeds))
        rows.append(Figure(benchmark="ramp", name=f"{slope:.0e} a chip, anchored", value=most,
                           unit="sigma", target=1.0, note=f"the largest of {seeds}"))  # fmt: skip
    for slope in SLOPES:
        at = _adaptive(slope)
        rows.append(Figure(benchmark="ramp", name=f"{slope:.0e} a chip, adaptive", value=at,
                           unit="sigma", note="" if at < FAR else "never"))  # fmt: skip
    return rows


def _anchor() -> Any:
    import numpy as np

    from casemate.detect.anchor import NONE, Anchor

    one, none = np.ones(1), np.full(1, NONE)
    return Anchor(
        modality="nets", chip_s=CHIP_S, visits=1.0, channels=("0",), tiles=("",), names=("0",),
        nominal=one, first=np.zeros(1, dtype=np.int64), second=none,
        weight=np.array([[1.0, 0.0]]), group=none, noise=NOISE * one, bound=BOUND * NOISE * one,
        step=0.75 * BOUND * NOISE * one, must=NOISE * one, rate=0.015 * NOISE * one,
        common=np.empty(0), common_rate=np.empty(0),
    )  # fmt: skip


def _convicted(slope: float, seed: int) -> float:
    """Return the displacement at the end of the window that convicts, in sigma.

    What takes over 2,000 windows to the bound is played from 60 % of it on, its state following.
    """
    import numpy as np

    from casemate.detect.bank import Bank, chips_of
    from casemate.detect.evidence import Sums
    from casemate.detect.tracked import Tracked

    anchor, generator = _anchor(), np.random.default_rng(seed)
    bank = Bank(anchor, window_s=WINDOW_S)
    bank.tracked = Tracked.settled(anchor)
    loud, quiet = chips_of(CHIP_S, 1.0, WINDOW_S)
    rise, off, bound = slope * NOISE * WINDOW_S / CHIP_S, 0.0, float(anchor.bound[0])
    if 0.6 * bound > 2000.0 * rise:
        off = 0.6 * bound
        bank.tracked.own[:] = off - min(rise * 10.0 / WINDOW_S, float(anchor.step[0]))
    count = max(1, min(1000, int(0.05 * NOISE / rise)))
    full, no = np.ones((count, 1)), np.zeros((count, 1), dtype=np.bool_)
    while max(bank.anchored.nats()[0], bank.step.nats()[0]) < NATS and off < FAR * NOISE:
        d = off + rise * (np.arange(count) + 0.5)[:, None]
        g, q = generator.standard_normal((count, 1)), generator.chisquare(loud - 1, (count, 1))
        root = NOISE * np.sqrt(loud)
        bank.add(Sums(
            s1=loud * d + root * g, s2=loud * d**2 + 2.0 * d * root * g + NOISE**2 * (g**2 + q),
            loud=loud * full, quiet_power=full, quiet=quiet * full, open_=no, lost=no,
        ))  # fmt: skip
        off += rise * count
    return off / NOISE


def _adaptive(slope: float) -> float:
    """Return the displacement at which the control alarms, at most FAR."""
    lag, score, off = 0.0, 0.0, 0.0
    if slope / SHARE <= DRIFT:
        return FAR  # what the baseline lags behind never passes the drift
    while score < LIMIT and off < FAR:
        off += slope
        lag += slope - SHARE * lag
        score = max(0.0, score + lag - DRIFT)
    return off
