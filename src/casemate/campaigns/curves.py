"""Curves of the detectors of one feature: delay against size, ROC, and what patience hides.

Many attacks run side by side in one bank (`copies`). Evidence starts from none at the change, which
is the worst past. What is not detected within the time of a curve is left out of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.campaigns.abstract import Attack, Target, stretches
from casemate.campaigns.copies import SOUND, Copies, Weakness, part_of
from casemate.campaigns.rarity.intervals import clopper_pearson
from casemate.case.results import Plot, Series
from casemate.core.units import YEAR_S
from casemate.detect.anchor import NONE, Anchor, Real
from casemate.detect.evidence import least_nats
from casemate.detect.response import SEAL

LAST = 100
"""Windows for which a change is waited for, 10 s."""
LOOKS = tuple(range(1, 21)) + tuple(range(22, 41, 2)) + tuple(range(44, LAST + 1, 4))
DELAYED, JAMS, SIZES = 100, (1.0, 10.0, 100.0), 12
ROC_COPIES = 200
ROC_RATES = tuple(10.0**power for power in range(-8, 9))
"""False alarms a year at which the ROC is drawn."""
NEAR = (1.0, 1.25, 1.6)
"""Sizes of the ROC over the least that is surely detected in 10 s."""
GRID = 24
"""Sizes tried side by side, twice: over the whole range, then between two of them."""
PATIENCE_S = (1.0, 10.0, 60.0, 600.0, 3600.0, 86_400.0, YEAR_S, 10.0 * YEAR_S)
REPLICAS, TRIED = 3, 16
"""Copies of a size, and sizes, when the largest unseen one is looked for, twice: half unseen is."""
HELD_S = 10.0
"""For which the displacement must stay unseen once it is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Fused nats of N copies at looks: `windows` (L,), `nats` (L, N)."""

    windows: Real
    nats: Real

    def delays_s(self, threshold: float, window_s: float) -> Real:
        """Return each copy's time to the first look at or over the threshold, inf if none, (N,)."""
        over = self.nats >= threshold
        first = np.argmax(over, axis=0)
        return np.where(over.any(axis=0), self.windows[first] * window_s, math.inf)

    def most(self, windows: int) -> Real:
        """Return each copy's most evidence within so many windows, (N,)."""
        return np.asarray(self.nats[self.windows <= windows].max(axis=0))


def cut_down(target: Target, whole: bool = False) -> tuple[Anchor, Real]:
    """Return the attacked feature's anchor with a few peers alone, and what a displacement does."""
    kept = np.array(target.peers, dtype=np.int64)
    return part_of(target.anchor, kept), target.shift(whole)[kept]


def watched(
    target: Target,
    sizes: Real,
    *,
    louder: float = 1.0,
    seed: tuple[int, ...],
    weakness: Weakness = SOUND,
    looks: tuple[int, ...] = LOOKS,
    until: float = math.inf,
) -> Watched:
    """Return the evidence after jumps of `sizes` (N,), all copies with noise `louder`.

    until: stop once every copy has brought so many nats.
    """
    anchor, shift = cut_down(target)
    many = Copies(anchor, shift, sizes.size, np.random.default_rng(seed), weakness)
    rows, at, most = [], 0, np.full(sizes.size, -math.inf)
    for look in looks:
        shown = many.watch(
            np.broadcast_to(sizes, (look - at, sizes.size)), np.full(look - at, louder)
        )
        rows.append(many.fused(shown, target.policy.features))
        most, at = np.maximum(most, rows[-1]), look
        if (most >= until).all():
            break
    return Watched(windows=np.array(looks[: len(rows)], dtype=np.float64), nats=np.array(rows))


def delay_curves(target: Target, *, seed: int, rerun: str) -> Plot:
    """Return delay of TAMPER against relative change, in quiet and in two jams."""
    policy = target.policy
    sizes = np.geomspace(0.5 * target.step, 100.0 * target.bound, SIZES)
    series = []
    for k, louder in enumerate(JAMS):
        middle, late = [], []
        for number, size in enumerate(sizes.tolist()):
            run = watched(
                target, np.full(DELAYED, size), louder=louder, seed=(seed, 1, k, number),
                until=policy.nats[SEAL],
            )  # fmt: skip
            delays = np.sort(run.delays_s(policy.nats[SEAL], policy.window_s))
            middle.append((size, float(delays[DELAYED // 2])))
            late.append((size, float(delays[math.ceil(0.99 * DELAYED) - 1])))
        name = "quiet" if louder == 1.0 else f"jam of {louder:.0f} times the noise"
        series += [_finite(f"{name}, median", middle), _finite(f"{name}, 99 %", late)]
    return Plot(
        id=f"delay-size-{target.anchor.modality}",
        title=f"Delay against size of a change, {_plain(target)}",
        x="relative change of the feature",
        y="delay to TAMPER (s)",
        x_log=True,
        y_log=True,
        series=tuple(series),
        about=f"{_where(target)} A jump at 0 s, {DELAYED} trials a point, {LAST} windows at most; "
        "points that are missing were not detected in that time. Noise is injected from 0 s on.",
        rerun=rerun,
    )


def least_seen(target: Target, *, seed: tuple[int, ...], weakness: Weakness = SOUND) -> float:
    """Return the least jump from which on all of a grid are detected within 10 s in quiet."""
    low, high = 0.3 * target.step, 30.0 * target.bound
    for part in range(2):
        sizes = np.geomspace(low, high, GRID)
        run = watched(target, sizes, seed=(*seed, part), weakness=weakness,
                      until=target.policy.nats[SEAL])  # fmt: skip
        low, high = _edge(sizes, run.most(LAST) >= target.policy.nats[SEAL])
    return high


def roc(target: Target, *, seed: int, rerun: str) -> Plot:
    """Return the probability of detection within 1 s and 10 s against false alarms a year.

    Rates are what the theorem allows at a threshold; it holds for every injection, so true rates
    are lower.
    """
    policy = target.policy
    edge = least_seen(target, seed=(seed, 2))
    thresholds = [least_nats(rate, policy.window_s, 1) for rate in ROC_RATES]
    series = []
    for k, share in enumerate(NEAR):
        size = share * edge
        run = watched(target, np.full(ROC_COPIES, size), seed=(seed, 3, k), until=thresholds[0])
        for windows in (10, LAST):
            most = run.most(windows)
            hits = [int((most >= each).sum()) for each in thresholds]
            bands = [clopper_pearson(each, ROC_COPIES) for each in hits]
            series.append(
                Series(
                    name=f"change of {size:.2g}, within {windows * policy.window_s:.0f} s",
                    x=ROC_RATES,
                    y=tuple(each / ROC_COPIES for each in hits),
                    low=tuple(low for low, _ in bands),
                    high=tuple(high for _, high in bands),
                )
            )
    return Plot(
        id=f"roc-{target.anchor.modality}",
        title=f"Detection against false alarms, {_plain(target)}",
        x="false alarms a year and enclosure, by the theorem",
        y="probability of detection",
        x_log=True,
        y_log=False,
        series=tuple(series),
        about=f"{_where(target)} Jumps of {', '.join(f'{each:g}' for each in NEAR)} times the "
        f"least that a grid of sizes shows to be detected in 10 s; {ROC_COPIES} trials, bands of "
        "95 %. Larger jumps are detected at any of these rates.",
        rerun=rerun,
    )


def hidden(
    target: Target,
    takes_s: float,
    *,
    seed: tuple[int, ...],
    whole: bool = False,
    weakness: Weakness = SOUND,
    most: float = 1.0,
) -> float:
    """Return the largest displacement that stays unseen if it takes `takes_s` to come.

    It rises evenly and is held for HELD_S. Between looks states are followed without noise.
    most: at which the search ends, a relative change of 1.
    """
    low, high = 0.3 * target.step, most
    for part in range(2):
        sizes = np.geomspace(low, high, TRIED)
        rows = np.repeat(sizes, REPLICAS)
        unseen = _followed(target, rows, takes_s, (*seed, part), whole, weakness)
        # as many sizes as stay unseen: surroundings make some smaller ones seen, some larger not
        k = int((unseen.reshape(TRIED, REPLICAS).mean(axis=1) > 0.5).sum())
        low, high = float(sizes[max(k - 1, 0)]), float(sizes[min(k, TRIED - 1)])
    return low


def _followed(
    target: Target,
    sizes: Real,
    takes_s: float,
    seed: tuple[int, ...],
    whole: bool,
    weakness: Weakness,
) -> npt.NDArray[np.bool_]:
    """Return which of N displacements stay unseen, (N,)."""
    anchor, shift = cut_down(target, whole)
    many = Copies(anchor, shift, sizes.size, np.random.default_rng(seed), weakness)
    window_s, most = target.policy.window_s, np.full(sizes.size, -math.inf)
    unit, ended = Attack(size=1.0, rise_s=takes_s, hold_s=HELD_S), None
    standing = round(HELD_S / window_s)
    for first, count, looks in stretches(unit, window_s, standing=standing):
        if ended is not None and first > ended:
            many.follow(lambda t: sizes * unit.moved(t), ended * window_s, first * window_s)
            many.afresh()
        at = first
        for look in looks:
            if look > at:
                share = np.array([unit.moved((k + 0.5) * window_s) for k in range(at, look)])
                shown = many.watch(share[:, None] * sizes, np.ones(look - at))
                most = np.maximum(most, many.fused(shown, target.policy.features))
                at = look
        ended = first + count
    return np.asarray(most < target.policy.nats[SEAL], dtype=np.bool_)


ONE = "one feature"
"""Name of the series of `patience` that a claim rests on."""


def patience(target: Target, *, seed: int, rerun: str, weakness: Weakness = SOUND) -> Plot:
    """Return the largest unseen displacement against the time it takes, beside a control."""
    group = target.anchor.group[target.feature] != NONE
    rows = [(ONE, False, weakness)]
    rows += [("all features of its common mode alike", True, weakness)] if group else []
    rows += [("control: a baseline that learns", False, Weakness(learns=True))]
    series = []
    for k, (name, whole, weakness) in enumerate(rows):
        found = [
            hidden(target, each, seed=(seed, 4, k, number), whole=whole, weakness=weakness)
            for number, each in enumerate(PATIENCE_S)
        ]
        series.append(Series(name=name, x=PATIENCE_S, y=tuple(found)))
    ends = (PATIENCE_S[0], PATIENCE_S[-1])
    series.append(Series(name="bound on surroundings, U_env", x=ends, y=(target.bound,) * 2))
    return Plot(
        id=f"patience-{target.anchor.modality}",
        title=f"What patience hides, {_plain(target)}",
        x="time that the displacement takes (s)",
        y="largest relative change not detected",
        x_log=True,
        y_log=True,
        series=tuple(series),
        about=f"{_where(target)} An even ramp, then {HELD_S:.0f} s of standing still; time between "
        "looks is passed over without noise. Changes above 1 are not tried. A common mode is the "
        "median of its features, so one of two that share it moves it by half of its own change, "
        "and all of them together move it as temperature would. The control is not "
        "part of the product: its states have no bounds, so it hides whatever comes slowly.",
        rerun=rerun,
    )


def _edge(sizes: Real, seen: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the sizes on either side of the last that is not seen."""
    missed = np.flatnonzero(~seen)
    k = int(missed[-1]) if missed.size else 0
    return float(sizes[k]), float(sizes[min(k + 1, sizes.size - 1)])


def _finite(name: str, rows: list[tuple[float, float]]) -> Series:
    kept = [row for row in rows if math.isfinite(row[1])]
    return Series(name=name, x=tuple(x for x, _ in kept), y=tuple(y for _, y in kept))


def _plain(target: Target) -> str:
    return target.anchor.modality.replace("_", " ")


def _where(target: Target) -> str:
    return (
        f"{target.anchor.names[target.feature]}, bound {target.bound:.2g}, step {target.step:.2g}."
    )
