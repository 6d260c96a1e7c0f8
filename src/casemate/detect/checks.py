"""Is what answers copper? Linearity, reciprocity and second harmonic, on keyed sums.

A net or a cavity is linear and reciprocal; a jumper's contact, a relay, an emulator or an
overloaded receiver need not be. Each check brings one sum a window, a bound on what honest drift
adds to it, and an energy that pays for all interference that does not know the chip, so the bound
on false alarms is that of `evidence`: for chips c = s|c| with fair sign s, E exp(l s w - l^2 w^2/2)
<= 1, and for a key b of mean 0 and range R, E exp(l b w - l^2 w^2 R^2/8) <= 1 (Hoeffding), whatever
was heard before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.detect._evidence_kernel import advance
from casemate.detect.evidence import Evidence

Real = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
LEVELS = 8
"""Windows, pairs of them, up to 128 at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A window of a check, (F,) each: its sum, most that honest drift adds to it, its energy."""

    total: Real
    slack: Real
    energy: Real


class Check:
    """Running evidence of one check over F features; its state is its own and copyable.

    scale (F,): of a quiet window's energy, its root; sets the grid, never the bound.
    """

    def __init__(self, scale: npt.ArrayLike) -> None:
        self.scale = np.atleast_1d(np.asarray(scale, dtype=np.float64))
        if not np.all(np.isfinite(self.scale) & (self.scale > 0.0)):
            raise InputError("a check needs a scale above 0.", remedy="give noise x root of chips.")
        self.evidence = Evidence.start(self.scale.size, LEVELS)

    def copy(self) -> Check:
        """Return a copy that goes its own way."""
        found = Check(self.scale)
        found.evidence = self.evidence.copy()
        return found

    def add(self, window: Weighed) -> Real:
        """Take in a window; return nats (F,). A window that is no number counts as none."""
        up = np.stack([window.total - window.slack, -window.total - window.slack])
        up, energy = up / self.scale, window.energy / self.scale**2
        sound = np.isfinite(up).all(axis=0) & np.isfinite(energy)
        up, energy = np.where(sound, up, 0.0), np.where(sound, energy, 0.0)
        it, both = self.evidence, np.stack([energy, energy])
        advance(it.r, it.held, it.spent, it.tails, it.count, up, both, it.rates, it.level)
        it.count += 1
        return it.nats()


def linearity(drive: Real, share: Real, at: Real, tolerance: Real) -> Weighed:
    """Return whether the response over drive depends on the secret level.

    drive (K,): levels of either sign, 0 where silent. share (K, F): response over nominal. at (F,):
    response over drive, from earlier windows; tolerance (F,): how far it may be off by now. A share
    that is nan was lost for its time and is left out. What is
    weighed is a (share / c - at), a from -1 at the lowest to 1 at the highest of |c|^2. InputError
    if all levels are one, as with signs.
    """
    loud = drive != 0.0
    c, x = drive[loud][:, None], share[loud]
    power = np.abs(c) ** 2
    low, high = (float(each) for each in (power.min(initial=np.inf), power.max(initial=0.0)))
    if not high > low * (1.0 + 1e-9):
        raise InputError(
            "linearity cannot be told from chips of one level.",
            remedy="ask for a constellation of amplitudes with 4 or more levels.",
            value=(low, high),
        )
    sound = ~np.isnan(x)
    a = np.where(sound, 2.0 * (power - low) / (high - low) - 1.0, 0.0)
    y = np.where(sound, a * (x / c - at), 0.0)
    return Weighed(
        total=y.sum(axis=0),
        slack=np.abs(a).sum(axis=0) * tolerance,
        energy=(np.sqrt((y**2).sum(axis=0)) + np.sqrt((a**2).sum(axis=0)) * tolerance) ** 2,
    )


def second_harmonic(
    drive: Real, harmonic: Real, floor: Real, *, mean_power: float, range_power: float
) -> Weighed:
    """Return whether twice the carrier follows the power of the drive.

    harmonic (K, F): amplitude at twice the carrier, over nominal. The key is b = |c|^2 -
    `mean_power`, for the challenge's mean of |c|^2, silent chips included, and `range_power`,
    largest less least |c|^2. Signs do: silence keys them. floor (F,): harmonic over |c|^2 that the
    reader makes by itself. No level may be told by the past.
    """
    power = np.abs(drive[:, None]) ** 2
    key = power - mean_power
    most = np.abs(key * power).sum()
    free = (np.sqrt((harmonic**2).sum(axis=0)) + np.sqrt((power**2).sum()) * floor) ** 2
    return Weighed(
        total=(key * harmonic).sum(axis=0),
        slack=most * floor,
        energy=free * range_power**2 / 4.0,
    )


def reciprocity(
    forth: tuple[Real, Real], back: tuple[Real, Real], at: Real, floor: Real, step: Real
) -> Weighed:
    """Return whether both directions of a link differ, H_ij from H_ji.

    forth, back: drive (K,) and response over the link's level (K, F), real: give both quadratures
    as features. As many loud chips of both are taken as the one that has fewer. at (F,): response
    over drive, from earlier windows; step (F,): how far it may be off by now. floor (F,): honest
    difference at the same instant, 3e-3 to 1e-2 of a link (reference/physics.md).
    """
    one, two = (_over(*each, at) for each in (forth, back))
    count = min(len(one), len(two))
    one, two = one[:count], two[:count]
    square = (one**2).sum(axis=0) + (two**2).sum(axis=0)
    return Weighed(
        total=one.sum(axis=0) - two.sum(axis=0),
        slack=count * floor,
        energy=(np.sqrt(square) + np.sqrt(2.0 * count) * step) ** 2,
    )


def _over(drive: Real, share: Real, at: Real) -> Real:
    loud = drive != 0.0
    return np.asarray(share[loud] / drive[loud][:, None] - at)
