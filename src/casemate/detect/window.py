"""The self-normalised keyed statistic of a window: sub-Gaussian under any injection.

x = c r of n loud chips sums to N = sum(x - eps). Its own root sum of squares, moved by what the
tolerance can hide, normalises it:

    z = N / (|x| + eps sqrt(n))            where N > 0
    z = N / max(|x| - eps sqrt(n), 0)      else, but never below -sqrt(n)

If |drift| <= eps at every chip and the interference knows no chip of this window before the window
is over, E exp(l z - l^2 / 2) <= 1 for every l >= 0, and the same for -x. Proof, and what happens
where the interference reacts within a window: docs/decisions/0011-detectors-with-guarantees.md,
section 2. Two sums per window are all that a reader has to send.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError

Real = npt.NDArray[np.float64]
LARGEST_BET = 7.0
"""Twice the largest drift of `pyramid`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a window keeps of its chips, each of one shape (F,) or (K, F).

    total: sum of x. squares: sum of x^2. loud: how many chips, as floats.
    """

    total: Real
    squares: Real
    loud: Real


def sums(x: npt.NDArray[np.floating], limit: float = np.inf) -> Sums:
    """Return the sums of one window of chips x (n, F); NaN does not count.

    limit: end of the reader's linear range in the unit of x; what lies beyond counts as the limit.

    Raises InputError if an infinity is left.
    """
    there = ~np.isnan(x)
    clipped = np.where(there, np.clip(x.astype(np.float64), -limit, limit), 0.0)
    if not np.all(np.isfinite(clipped)):
        raise InputError(
            "a chip of a window is infinite.",
            remedy="give the limit of the reader's linear range.",
        )
    return Sums(
        total=np.asarray(clipped.sum(axis=0)),
        squares=np.asarray((clipped**2).sum(axis=0)),
        loud=there.sum(axis=0).astype(np.float64),
    )


def statistic(window: Sums, tolerance: npt.ArrayLike) -> tuple[Real, Real]:
    """Return z upwards and downwards, of the window's shape; NaN where no chip was loud.

    tolerance: largest |drift| allowed, in the unit of x, broadcast over the window's shape.
    """
    eps = np.asarray(tolerance, dtype=np.float64)
    norm = np.sqrt(window.squares)
    root = np.sqrt(window.loud)
    return (
        _one_side(window.total, norm, root, eps),
        _one_side(-window.total, norm, root, eps),
    )


def reaction_proof(
    window: Sums, tolerance: npt.ArrayLike, scale: npt.ArrayLike, largest: float = LARGEST_BET
) -> tuple[Real, Real]:
    """Return z upwards and downwards that hold against injections which react within the window.

    scale: norm of x that is expected, from earlier windows or the anchor alone, > 0. With
    q = max(((|x| + eps sqrt(n)) / scale)^2, 1), z = N / scale - largest (q - 1) / 2, and
    E exp(l z - l^2 / 2) <= 1 for 0 <= l <= largest. Louder windows than the scale lose evidence.
    """
    eps, norm = np.asarray(tolerance, dtype=np.float64), np.sqrt(window.squares)
    root, known = np.sqrt(window.loud), np.asarray(scale, dtype=np.float64)
    excess = np.maximum(((norm + eps * root) / known) ** 2 - 1.0, 0.0)
    paid = np.where(root > 0.0, largest * excess / 2.0, np.nan)
    allowed = window.loud * eps
    return (
        np.asarray((window.total - allowed) / known - paid),
        np.asarray((-window.total - allowed) / known - paid),
    )


def drawn_window(
    offset: npt.ArrayLike,
    noise: npt.ArrayLike,
    loud: npt.ArrayLike,
    tolerance: npt.ArrayLike,
    generator: np.random.Generator,
) -> tuple[Real, Real]:
    """Draw z upwards and downwards from their exact law, without making chips.

    offset, noise, loud, tolerance broadcast to the shape of the result, for instance (K, F): mean
    of x, standard deviation of its Gaussian noise, number of loud chips, allowed drift. With g
    normal and q chi-squared of loud - 1, the sum is n d + s sqrt(n) g and the sum of squares
    n d^2 + 2 d s sqrt(n) g + s^2 (g^2 + q).
    """
    d, s, n = np.broadcast_arrays(
        np.asarray(offset, dtype=np.float64),
        np.asarray(noise, dtype=np.float64),
        np.asarray(loud, dtype=np.float64),
        np.broadcast_to(0.0, np.shape(tolerance)),
    )[:3]
    g = generator.standard_normal(d.shape)
    q = 2.0 * generator.standard_gamma(np.maximum(n - 1.0, 0.0) / 2.0)
    mean = d * np.sqrt(n) + s * g
    there = n > 0.0
    window = Sums(
        total=np.where(there, np.sqrt(n) * mean, 0.0),
        squares=np.where(there, mean**2 + s**2 * q, 0.0),
        loud=n,
    )
    return statistic(window, tolerance)


def _one_side(total: Real, norm: Real, root: Real, eps: Real) -> Real:
    excess = total - root**2 * eps
    rises = excess > 0.0
    below = np.where(rises, norm + eps * root, np.maximum(norm - eps * root, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = excess / below
    z = np.where(excess == 0.0, 0.0, np.maximum(z, -root))
    return np.asarray(np.where(root > 0.0, z, np.nan))
