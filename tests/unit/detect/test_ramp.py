"""The patient adversary: ramps of any slope are caught at the bound, not followed for ever."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from surroundings import small_anchor

from casemate.detect.anchor import Anchor
from casemate.detect.bank import Bank, chips_of
from casemate.detect.evidence import Sums
from casemate.detect.tracked import Tracked

NATS = 24.0
WINDOW_S = 0.1


def issue_anchor() -> Anchor:
    """Return one feature with bound 0.2 of its chips' noise, which is the sigma of the issue."""
    anchor, _, _ = small_anchor("few chips", alone=1)
    one = np.ones(1)
    return replace(
        anchor, chip_s=1e-3, noise=1e-3 * one, bound=2e-4 * one, step=1.5e-4 * one,
        rate=1.5e-5 * one,
    )  # fmt: skip


def alarm_at(anchor: Anchor, slope: float, seed: int) -> float:
    """Return the displacement, in chips' noise, at which a ramp of `slope` a chip is convicted.

    Long ones are played from 60 % of the bound on, where the tracked state has followed them to.
    """
    generator = np.random.default_rng(seed)
    bank = Bank(anchor, window_s=WINDOW_S, levels=26)
    bank.tracked = Tracked.settled(anchor)
    loud, quiet = chips_of(anchor.chip_s, 1.0, WINDOW_S)
    noise = float(anchor.noise[0])
    rise = slope * noise * WINDOW_S / anchor.chip_s
    off = 0.0
    if 0.6 * anchor.bound[0] > 2000.0 * rise:
        off = 0.6 * float(anchor.bound[0])
        lags = rise * 10.0 / WINDOW_S
        bank.tracked.own[:] = off - min(lags, float(anchor.step[0]))
    count = max(1, min(1000, int(0.05 * noise / rise)))
    while bank.anchored.nats()[0] < NATS and bank.step.nats()[0] < NATS and off < 20.0 * noise:
        d = off + rise * (np.arange(count) + 0.5)[:, None]
        g, q = generator.standard_normal((count, 1)), generator.chisquare(loud - 1, (count, 1))
        s1 = loud * d + noise * math.sqrt(loud) * g
        s2 = loud * d**2 + 2.0 * d * noise * math.sqrt(loud) * g + noise**2 * (g**2 + q)
        no = np.zeros((count, 1), bool)
        full = np.ones((count, 1))
        bank.add(
            Sums(s1=s1, s2=s2, loud=loud * full, quiet_power=full, quiet=quiet * full,
                 open_=no, lost=no)
        )  # fmt: skip
        off += rise * count
    return off / noise


@pytest.mark.parametrize("slope", [1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
def test_a_ramp_is_caught_below_one_spread_where_surroundings_are_small(slope: float) -> None:
    """The issue's case: U_env is 0.2 of a chip's noise. The steepest moves 0.1 a window."""
    for seed in range(1, 7 if slope > 1e-6 else 2):
        assert 0.1 < alarm_at(issue_anchor(), slope, seed) < 1.0


@pytest.mark.parametrize("slope", [1e-3, 1e-4, 1e-5, 1e-6])
def test_a_ramp_is_caught_one_spread_above_any_bound(slope: float) -> None:
    anchor, _, _ = small_anchor("loops", alone=1)
    only = replace(anchor, noise=anchor.noise, common_rate=0.0 * anchor.common_rate)
    alone = only_last(only)
    bound = float(alone.bound[0] / alone.noise[0])
    assert alarm_at(alone, slope, 2) < bound + 1.0


def only_last(anchor: Anchor) -> Anchor:
    """Return the anchor of its last feature alone, which has no common mode."""
    names = ("first", "second", "weight", "group", "noise", "bound", "step", "must", "rate")
    parts = {name: getattr(anchor, name)[-1:] for name in names}
    return replace(
        anchor, names=anchor.names[-1:], tiles=anchor.tiles[-1:], common=np.empty(0),
        common_rate=np.empty(0), **parts,
    )  # fmt: skip


@pytest.mark.parametrize(("slope", "caught"), [(1e-3, True), (1e-5, False), (1e-7, False)])
def test_an_adaptive_baseline_is_walked_away(slope: float, caught: bool) -> None:
    """The control: a CUSUM of drift 0.5 on the residual of an EWMA over 10 000 chips.

    Exact without noise: a ramp lags by slope / share; below k it never alarms.
    """
    share, k, h = 1e-4, 0.5, 35.9
    lag = slope / share * (1.0 - np.exp(-share * np.arange(1, 400_000)))
    sums = np.maximum(np.cumsum(lag - k) - np.minimum.accumulate(np.cumsum(lag - k)), 0.0)
    assert bool(sums.max() > h) is caught
    if not caught:
        # 200 spreads of displacement, and the residual still stands below the drift
        assert slope / share < k
