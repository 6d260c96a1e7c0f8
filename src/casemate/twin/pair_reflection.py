"""What a reader sees of a pair with a fault: all 2x2 algebra in closed form, compiled.

From the end to the reader: the tail's reflection in waves, diag(d) G diag(d); its admittance in
waves y = (1 - G)/(1 + G), in lanes W y W^T, W = V^-T; then the fault in lanes. An admittance u u^T
adds. An impedance z in series with lane i takes z Y u u^T Y / (1 + z Y_ii), which holds for an open
too (Sherman and Morrison). A piece of one lane alone is a pi of admittances, its inner node
eliminated. Then back to waves, through the head, and into the reader's reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real
from casemate.twin.pair_faults import (
    AFTER_F,
    AT,
    BRIDGE_H,
    BRIDGE_S,
    DUMMY_DELAY,
    DUMMY_LOSS,
    DUMMY_Z,
    JUMP_M,
    SERIES_F,
    SERIES_H,
    SERIES_OHM,
    SHUNT_F,
    SHUNT_H,
    SHUNT_S,
    checked,
)
from casemate.twin.pair_line import (
    Pair,
    Termination,
    amperes,
    end_admittance,
    positive,
)
from casemate.twin.pair_ripple import Ripple, no_ripple


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Reflections of a unit difference wave, both of shape (E, F), in the reader's reference.

    difference: what comes back as a difference; common: as a common wave, 0 for like lanes.
    """

    difference: Complex
    common: Complex


def reflected(
    pair: Pair,
    termination: Termination,
    faults: Real,
    *,
    z_ref_ohm: float,
    ripple: Ripple | None = None,
) -> Seen:
    """Return what a reader of `z_ref_ohm` a lane sees of each of `faults`, (E, COLUMNS)."""
    positive(z_ref_ohm=z_ref_ohm)
    table = checked(faults, pair.length_m)
    bank = no_ripple(pair) if ripple is None else ripple
    if bank.tails.shape[1:] != pair.gamma_1_m.shape:
        raise InputError(
            "the ripple belongs to a pair with other frequencies.",
            remedy="make it with casemate.twin.pair_ripple.ripple for this pair.",
            value=bank.tails.shape,
        )
    seen = np.empty((2, len(table), pair.laplace_1_s.size), dtype=np.complex128)
    _reflect(
        pair.laplace_1_s,
        pair.slow_s_m,
        pair.gamma_1_m,
        np.ascontiguousarray(pair.volts.transpose((0, 2, 1))),
        amperes(pair),
        end_admittance(pair, termination),
        pair.alone.gamma_1_m,
        pair.alone.z_ohm,
        pair.length_m,
        bank.at_m,
        bank.tails,
        bank.heads,
        bank.behind,
        bank.ends,
        table,
        z_ref_ohm,
        seen,
    )
    return Seen(difference=seen[0], common=seen[1])


@njit(cache=True, error_model="numpy")
def _turned(a, b, d):  # type: ignore[no-untyped-def]
    """Return (1 - y)/(1 + y) of a symmetric matrix; its own inverse."""
    p, q, bb = 1.0 + a, 1.0 + d, b * b
    inverse = 1.0 / (p * q - bb)
    return ((1.0 - a) * q + bb) * inverse, -2.0 * b * inverse, (p * (1.0 - d) + bb) * inverse


@njit(cache=True, error_model="numpy")
def _congruent(w, a, b, d):  # type: ignore[no-untyped-def]
    """Return w y w^T of a symmetric y (a, b; b, d) and any w (2, 2)."""
    p, q, r, s = w[0, 0], w[0, 1], w[1, 0], w[1, 1]
    pa, pb = p * a + q * b, p * b + q * d
    ra, rb = r * a + s * b, r * b + s * d
    return pa * p + pb * q, pa * r + pb * s, ra * r + rb * s


@njit(cache=True, error_model="numpy")
def _alone(g, z, length, a, b, d):  # type: ignore[no-untyped-def]
    """Return lanes (a, b; b, d) seen through `length` of the second lane, the first joined."""
    decay = np.exp(-g * length)
    below = 1.0 / (z * (1.0 - decay * decay))
    own, mutual = (1.0 + decay * decay) * below, -2.0 * decay * below
    inner = 1.0 / (d + own)
    return a - b * b * inner, -b * mutual * inner, own - mutual * mutual * inner


@njit(cache=True, error_model="numpy")
def _met(a, b, d, w):  # type: ignore[no-untyped-def]
    """Return a reflection that meets small ones, diag(w), on its way back: G + G w G."""
    return (
        a + a * a * w[0] + b * b * w[1],
        b + b * (a * w[0] + d * w[1]),
        (d + b * b * w[0] + d * d * w[1]),
    )


@njit(cache=True, error_model="numpy")
def _tail(s, slow, g, end, row, rest, late, met):  # type: ignore[no-untyped-def]
    """Return the admittance in waves at the near end of what follows the fault."""
    scale, g0, g1 = 1.0, g[0], g[1]
    if row[DUMMY_Z] > 0.0:
        scale = row[DUMMY_Z]
        # Delay and loss are told apart by the delay at the top of the band, so both stay causal.
        g0 = row[DUMMY_LOSS] * (g0 - s * slow[0]) + row[DUMMY_DELAY] * s * slow[0]
        g1 = row[DUMMY_LOSS] * (g1 - s * slow[1]) + row[DUMMY_DELAY] * s * slow[1]
    a, b, d = _turned(scale * end[0], scale * end[1], scale * end[2])
    a, b, d = _met(a, b, d, met)
    d0, d1 = np.exp(-g0 * rest), np.exp(-g1 * rest)
    a, b, d = _turned(a * d0 * d0 + late[0], b * d0 * d1, d * d1 * d1 + late[1])
    return a / scale, b / scale, d / scale


@njit(cache=True, error_model="numpy")
def _fault(s, row, a, b, d):  # type: ignore[no-untyped-def]
    """Return lanes' admittance with the fault's lumped parts in front, from right to left."""
    a, d = a + s * row[AFTER_F], d + s * row[AFTER_F + 1]
    z = row[SERIES_OHM] + s * row[SERIES_H]
    if z != 0.0:
        z = z / (1.0 + s * row[SERIES_F] * z)
        below = 1.0 / (1.0 + z * a)
        a, b, d = a * below, b * below, d - z * b * b * below
    z = row[SERIES_OHM + 1] + s * row[SERIES_H + 1]
    if z != 0.0:
        z = z / (1.0 + s * row[SERIES_F + 1] * z)
        below = 1.0 / (1.0 + z * d)
        a, b, d = a - z * b * b * below, b * below, d * below
    y = row[SHUNT_S] + s * row[SHUNT_F]
    if y != 0.0:
        a = a + y / (1.0 + s * row[SHUNT_H] * y)
    y = row[SHUNT_S + 1] + s * row[SHUNT_F + 1]
    if y != 0.0:
        d = d + y / (1.0 + s * row[SHUNT_H + 1] * y)
    if row[BRIDGE_S] > 0.0:
        y = row[BRIDGE_S] / (1.0 + s * row[BRIDGE_H] * row[BRIDGE_S])
        a, b, d = a + y, b - y, d + y
    return a, b, d


@njit(cache=True, error_model="numpy")
def _places(row, length, marks):  # type: ignore[no-untyped-def]
    """Return where the fault begins and ends, the surplus of each lane, and four marks.

    Marks: the next from the fault's begin and from its end, the last before each.
    """
    at = row[AT]
    jump = min(row[JUMP_M], row[JUMP_M + 1])
    surplus = row[JUMP_M] - jump, row[JUMP_M + 1] - jump
    far = min(at + jump + surplus[0] + surplus[1], length)
    top = marks.size - 1
    following = min(np.searchsorted(marks, at), top), min(np.searchsorted(marks, far), top)
    last = max(np.searchsorted(marks, at, side="right") - 1, 0)
    last_far = max(np.searchsorted(marks, far, side="right") - 1, 0)
    return at, far, surplus, following, (last, last_far)


@njit(cache=True, error_model="numpy")
def _moved(g, way, small):  # type: ignore[no-untyped-def]
    """Return two small reflections seen from `way` nearer."""
    return np.exp(-2.0 * g[0] * way) * small[0], np.exp(-2.0 * g[1] * way) * small[1]


@njit(cache=True, error_model="numpy")
def _reflect(  # type: ignore[no-untyped-def]
    s, slow, gamma, back, amps, end, own_g, own_z, length, marks, tails, heads, behind, ends,
    table, z_ref, seen,
):  # fmt: skip
    size = gamma.shape[1]
    for e in range(table.shape[0]):
        row = table[e]
        at, far, surplus, following, last = _places(row, length, marks)
        plain = marks.size <= 2
        for f in range(size):
            g, no = (gamma[0, f], gamma[1, f]), (0.0j, 0.0j)
            late, met = no, no
            if not plain and row[DUMMY_Z] == 0.0:
                late = _moved(g, marks[following[1]] - far, tails[following[1], :, f])
                met = ends[last[1], 0, f], ends[last[1], 1, f]
            a, b, d = _tail(s[f], slow, g, end[:, f], row, length - far, late, met)
            a, b, d = _congruent(amps[f], a, b, d)
            if surplus[0] > 0.0:
                a, b, d = _alone(own_g[f], own_z[f], surplus[0], a, b, d)
            if surplus[1] > 0.0:
                d, b, a = _alone(own_g[f], own_z[f], surplus[1], d, b, a)
            a, b, d = _fault(s[f], row, a, b, d)
            a, b, d = _congruent(back[f], a, b, d)
            a, b, d = _turned(a, b, d)
            if not plain:
                a, b, d = _met(a, b, d, _moved(g, at - marks[last[0]], behind[last[0], :, f]))
            d0, d1 = np.exp(-g[0] * at), np.exp(-g[1] * at)
            a = a * d0 * d0 + heads[following[0], 0, f]
            d = d * d1 * d1 + heads[following[0], 1, f]
            a, b, d = _turned(a, b * d0 * d1, d)
            a, b, d = _congruent(amps[f], a, b, d)
            a, b, d = _turned(z_ref * a, z_ref * b, z_ref * d)
            seen[0, e, f] = 0.5 * (a + d) - b
            seen[1, e, f] = 0.5 * (a - d)
