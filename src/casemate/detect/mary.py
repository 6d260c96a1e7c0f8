"""The M-ary keyed e-detector: the true challenge's energy among those of decoys.

Decoys are challenges of the same law under independent keys, of which nobody was told. What does
not know the true challenge correlates with all of them alike, so the true one's share of M,

    e = M exp(l s_0) / (sum over m of exp(l s_m)),

has mean 1 at most: energies need no sign, so this fits links whose phase is not held, and one
window can give up to ln M nats. Proof with tolerance, and where it fails:
docs/decisions/0011-detectors-with-guarantees.md, section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge, chips
from casemate.core.errors import InputError
from casemate.core.randomness import derive

Real = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

BETS = (0.125, 0.25, 0.5, 1.0)
"""Sizes l of bets, over the median energy of decoys (planning values).

In noise that energy is exponential, so its likelihood ratio after a shift has no single size.
"""
SHARES = (0.9, 0.3)
"""Part of the wealth that is bet: e is mixed with 1, so one window loses at most ln 10 or ln 1.43.

Without it one pulse, whose energy falls to a decoy, takes all evidence away.
"""
ROUNDING = 1e-12
"""Nats taken off each window's evidence: more than float64 sums of 65,536 terms can add."""
_STEP = 1.0 / 16.0
_CAP = 200.0


def drives(challenge: Challenge, decoys: int, first: int, count: int) -> Complex:
    """Return chips of the true challenge and of `decoys` others, shape (1 + decoys, count).

    Decoys have keys of their own, derived from the true one; they are told to no reader.
    """
    rows = [chips(challenge, first, count).drive]
    for m in range(decoys):
        key = derive(challenge.key, f"decoy/{challenge.modality}/{m}")
        rows.append(chips(replace(challenge, key=key), first, count).drive)
    return np.asarray(rows, dtype=np.complex128)


def energies(
    drive: Complex,
    residual: Complex,
    tolerance: Real,
    group: npt.NDArray[np.int64],
    *,
    steady: bool = True,
) -> Real:
    """Return energies of each challenge in each group of bins, shape (M, G).

    drive (M, n): the true one first. residual (n, F): one window, F bins (tones, links). tolerance
    (F,): largest |drift| of a bin's gain. group (F,): 0 .. G - 1. steady: drift is constant over a
    window; else it may move within the tolerance at every chip, and decoys are given more.

    The true energy is the least that drift leaves, decoys' energies the most that it makes:
    (|a_0| - eps rho_0)_+^2 and (|a_m| + eps rho_m)^2 with a = mean(conj(c) r).
    """
    size = residual.shape[0]
    if drive.shape[1] != size or drive.shape[0] < 2 or residual.shape[1] != tolerance.size:
        raise InputError(
            "challenges, residuals and tolerances of an M-ary window do not fit.",
            remedy="give drive (M, n), residual (n, F) and tolerance (F,), with M of 2 or more.",
            value=(drive.shape, residual.shape, tolerance.shape),
        )
    met = np.abs(np.conj(drive) @ residual) / size
    if steady:
        rho = np.abs(np.conj(drive) @ drive[0]) / size
    else:
        rho = np.abs(drive) @ np.abs(drive[0]) / size
    moved = rho[:, None] * tolerance
    least = np.maximum(met[0] - moved[0], 0.0)
    per_bin = np.vstack([least, met[1:] + moved[1:]]) ** 2
    out = np.zeros((drive.shape[0], int(group.max()) + 1))
    np.add.at(out.T, group, per_bin.T)
    return out


def log_e(energy: Real, bet: npt.ArrayLike) -> Real:
    """Return ln e of the first of M challenges, shape (G,), at most ln M.

    energy (M, G), finite; bet >= 0, broadcast over (G,), from earlier windows only.
    """
    scaled = energy * np.asarray(bet)
    top = scaled.max(axis=0)
    total = np.exp(scaled - top).sum(axis=0)
    return np.asarray(math.log(energy.shape[0]) + ((scaled[0] - top) - np.log(total)))


@dataclass(slots=True, kw_only=True)
class MaryState:
    """Where a detector of G groups stands.

    scale (G,): followed median energy of decoys, 0 before the first window. logs
    (shares, bets, G): ln of the Shiryaev-Roberts values, -inf at rest.
    """

    scale: Real
    logs: Real

    def copy(self) -> MaryState:
        """Return an independent copy."""
        return MaryState(scale=self.scale.copy(), logs=self.logs.copy())


def start(groups: int) -> MaryState:
    """Return a detector at rest."""
    return MaryState(
        scale=np.zeros(groups), logs=np.full((len(SHARES), len(BETS), groups), -np.inf)
    )


def advance(state: MaryState, energy: Real) -> Real:
    """Advance by one window; return ln M of evidence, shape (G,): alarm at ln A.

    energy (M, G): `energies`. NaN in a group leaves it as it was. The first window only sets the
    scale. Evidence is the log of the mean over bets and shares of R = (1 + R) e, capped at 200
    nats.
    """
    there = np.all(np.isfinite(energy), axis=0)
    typical = np.median(np.where(there, energy, 0.0)[1:], axis=0)
    known = there & (state.scale > 0.0)
    safe = np.where(known, state.scale, 1.0)
    for k, bet in enumerate(BETS):
        e = np.exp(log_e(np.where(there, energy, 0.0), bet / safe))
        for j, share in enumerate(SHARES):
            gained = np.log1p(share * (e - 1.0)) - ROUNDING
            after = np.minimum(np.logaddexp(0.0, state.logs[j, k]) + gained, _CAP)
            state.logs[j, k] = np.where(known, after, state.logs[j, k])
    moved = safe * np.where(typical > safe, 1.0 + _STEP, 1.0 / (1.0 + _STEP))
    state.scale = np.where(known, moved, np.where(there, typical, state.scale))
    top = state.logs.max(axis=(0, 1))
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(shift + np.log(np.mean(np.exp(state.logs - shift), axis=(0, 1))))
