"""Capacitance of traces in one layer and of crossings between layers: closed forms.

Zero thickness of copper. Sources: conformal maps in elliptic integrals (two strips: W. R. Smythe,
Static and Dynamic Electricity; alternating strips with films: R. Igreja and C. J. Dias, Sensors
and Actuators A 112, 2004); a grating seen from afar is a plane set back by (p/2 pi) ln csc(pi w/2p)
(the field of a row of line charges, J. C. Maxwell, Treatise, 206). Tests hold all against finite
elements.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ellipj, ellipkm1

from casemate.core.errors import InputError
from casemate.twin.line_materials import EPS0_F_M, Real


def _ratio(modulus: float, complement: float) -> float:
    """Return K(k)/K(k') for k and k' = sqrt(1 - k^2), both given for accuracy at the ends."""
    return float(ellipkm1(complement**2) / ellipkm1(modulus**2))


def _positive(**lengths_m: float) -> None:
    for name, value in lengths_m.items():
        if not value > 0.0:
            raise InputError(
                "a length of a capacitance is not above 0.",
                remedy="give widths, gaps, pitches and distances in metres.",
                key=name,
                value=value,
            )


def pair_f_m(*, width_m: float, gap_m: float, epsilon_r: float) -> float:
    """Return C per metre of two coplanar strips alone in a homogeneous dielectric.

    epsilon K(k')/K(k), k = g/(g + 2w). Exact.
    """
    _positive(width_m=width_m, gap_m=gap_m)
    k = gap_m / (gap_m + 2.0 * width_m)
    return EPS0_F_M * epsilon_r * _ratio(math.sqrt(1.0 - k * k), k)


def gap_f_m(
    *,
    width_m: float,
    pitch_m: float,
    epsilon_r: float,
    film_m: float = math.inf,
    outside: float = 1.0,
) -> float:
    """Return C per metre of one gap in a layer whose traces alternate between two nets.

    A film of `epsilon_r` and `film_m` lies on both sides of the traces, `outside` beyond it.
    Exact without a boundary; with one, fields are taken as parallel to it (partial capacitance):
    1 % low at half a pitch, 5 % at a quarter, 9 % at a tenth (er 3.4 in air).
    """
    _positive(width_m=width_m, pitch_m=pitch_m, gap_m=pitch_m - width_m, film_m=film_m)
    open_side = _half_space(width_m, pitch_m, math.inf)
    film = open_side if math.isinf(film_m) else _half_space(width_m, pitch_m, film_m)
    return EPS0_F_M * (outside * open_side + (epsilon_r - outside) * film)


def layer_f_m(
    *, width_m: float, pitch_m: float, above_m: float, below_m: float, epsilon_r: float
) -> tuple[float, float]:
    """Return (C of one gap between two nets, C of one trace to the planes), per metre.

    A layer of alternating traces between grounded planes at `above_m` and `below_m`, one
    dielectric. In push-pull the walls midway between traces are at 0 V, in common mode no field
    crosses them: rectangles with the trace on one side, mapped by the elliptic sine to a coplanar
    line, 2 epsilon K(k)/K(k') a side. A quarter of the modes' difference is a gap's C. Exact for
    equal distances; for others fields are taken as normal to the layer's plane within gaps.
    """
    _positive(width_m=width_m, pitch_m=pitch_m, above_m=above_m, below_m=below_m)
    sides = [_rectangle(width_m, pitch_m, height_m) for height_m in (above_m, below_m)]
    push_pull, common = (2.0 * sum(side[k] for side in sides) for k in (0, 1))
    scale = EPS0_F_M * epsilon_r
    return scale * 0.25 * (push_pull - common), scale * common


def _rectangle(width_m: float, pitch_m: float, height_m: float) -> tuple[float, float]:
    """Return K(k)/K(k') in push-pull and in common mode of a strip midway on a rectangle's side.

    The rectangle is one pitch wide; its far side is grounded. Beyond 3 pitches the far side is
    seen as from a grating set back.
    """
    if height_m > 3.0 * pitch_m:
        back = 2.0 * set_back_m(width_m=width_m, pitch_m=pitch_m)
        return _half_space(width_m, pitch_m, math.inf), 0.5 * pitch_m / (height_m + back)
    m = _parameter(2.0 * height_m / pitch_m)
    edge = float(ellipj(float(ellipkm1(1.0 - m)) * width_m / pitch_m, m)[0])
    inner = edge * math.sqrt(m)
    return (
        _ratio(edge, math.sqrt(1.0 - edge * edge)),
        _ratio(inner, math.sqrt(1.0 - inner * inner)),
    )


def _parameter(ratio: float) -> float:
    """Return m = k^2 with K'(k)/K(k) = ratio, by theta functions of the nome exp(-pi ratio)."""
    nome = math.exp(-math.pi * ratio)
    n = np.arange(60)
    theta2 = 2.0 * float(np.sum(nome ** ((n + 0.5) ** 2)))
    theta3 = 1.0 + 2.0 * float(np.sum(nome ** (n[1:] ** 2.0)))
    return float((theta2 / theta3) ** 4)


def film_share(*, width_m: float, pitch_m: float, epsilon_r: float, film_m: float) -> float:
    """Return d ln C / d ln epsilon of the film for one gap: how far a change of it reaches C."""
    film = epsilon_r * _half_space(width_m, pitch_m, film_m) * EPS0_F_M
    return film / gap_f_m(width_m=width_m, pitch_m=pitch_m, epsilon_r=epsilon_r, film_m=film_m)


def _half_space(width_m: float, pitch_m: float, height_m: float) -> float:
    """Return K(k)/K(k') of alternating strips whose field ends at `height_m` on both sides."""
    share = width_m / pitch_m
    if math.isinf(height_m) or height_m > 5.0 * pitch_m:
        return _ratio(math.sin(0.5 * math.pi * share), math.cos(0.5 * math.pi * share))
    m = _parameter(2.0 * height_m / pitch_m)
    quarter = float(ellipkm1(1.0 - m))
    t2 = float(ellipj(quarter * share, m)[0])
    k2 = t2**2 * (1.0 - m) / (1.0 - m * t2**2)
    return _ratio(math.sqrt(k2), math.sqrt(1.0 - k2))


def set_back_m(*, width_m: float, pitch_m: float) -> float:
    """Return how far behind itself a layer of traces at one potential seems to lie as a plane."""
    _positive(width_m=width_m, pitch_m=pitch_m, gap_m=pitch_m - width_m)
    return -pitch_m / (2.0 * math.pi) * math.log(math.sin(0.5 * math.pi * width_m / pitch_m))


def crossing_f(
    *,
    widths_m: tuple[float, float],
    pitches_m: tuple[float, float],
    apart_m: float,
    epsilon_r: float,
) -> float:
    """Return C of one crossing of two layers of traces at right angles, all of a layer together.

    epsilon p1 p2 / (d + set back 1 + set back 2): with its fringes, that is all that one layer
    sees of the other, per crossing. 1 to 2 % below finite elements for d >= p/4, 7 % for d = p/8.
    """
    _positive(apart_m=apart_m)
    back = sum(
        set_back_m(width_m=width, pitch_m=pitch)
        for width, pitch in zip(widths_m, pitches_m, strict=True)
    )
    return EPS0_F_M * epsilon_r * pitches_m[0] * pitches_m[1] / (apart_m + back)


def plate_f(*, area_m2: float, apart_m: float, epsilon_r: float) -> float:
    """Return epsilon A/d, without fringes."""
    _positive(apart_m=apart_m)
    return EPS0_F_M * epsilon_r * area_m2 / apart_m


def drilled_crossing_f(*, diameter_m: float, apart_m: float, epsilon_r: float) -> float:
    """Return dC, below 0, of an open hole through the middle of a crossing.

    -(epsilon A/d) [(1 - 1/er) + (1/er) 2D/(3 pi d)]: the dielectric of the hole becomes air; the
    missing copper alone costs two apertures of polarisability D^3/12 each (H. A. Bethe, Physical
    Review 66, 1944), far less than A/d as the field bulges into a hole narrower than d. For
    holes inside the crossing; within 8 % of finite elements for D <= 1.6 d at er = 3.4.
    """
    _positive(diameter_m=diameter_m, apart_m=apart_m)
    aperture = min(2.0 * diameter_m / (3.0 * math.pi * apart_m), 1.0)
    share = 1.0 - 1.0 / epsilon_r + aperture / epsilon_r
    area = 0.25 * math.pi * diameter_m**2
    return -share * plate_f(area_m2=area, apart_m=apart_m, epsilon_r=epsilon_r)


def grounded_wire_f_m(*, radius_m: float, gap_m: float, epsilon_r: float) -> tuple[float, float]:
    """Return (dC of the pair, dC of each trace to ground) per metre of a grounded wire in a gap.

    The wire lies along the middle of the gap, radius << gap, traces wide. Seen from it the
    traces are two half planes of conformal radius g, so it holds C3 = 2 pi epsilon / ln(g/r); at
    half their potential it takes C3/4 from the pair and gives C3/2 to each.
    """
    _positive(radius_m=radius_m, gap_m=gap_m, clearance_m=0.5 * gap_m - radius_m)
    own = 2.0 * math.pi * EPS0_F_M * epsilon_r / math.log(gap_m / radius_m)
    return -0.25 * own, 0.5 * own


def bridged(c_f: Real, i: int, j: int) -> Real:
    """Return the Maxwell matrix (n - 1, n - 1) when nets `i` and `j` become one, in `i`'s place."""
    joined = np.array(c_f, dtype=np.float64)
    joined[i] += joined[j]
    joined[:, i] += joined[:, j]
    keep = np.arange(len(joined)) != j
    return np.asarray(joined[keep][:, keep], dtype=np.float64)


def floating(c_f: Real, j: int) -> Real:
    """Return the Maxwell matrix (n - 1, n - 1) seen by the others when net `j` floats."""
    keep = np.arange(len(c_f)) != j
    seen = c_f[keep][:, keep] - np.outer(c_f[keep, j], c_f[j, keep]) / c_f[j, j]
    return np.asarray(seen, dtype=np.float64)


def grounded(c_f: Real, j: int) -> Real:
    """Return the Maxwell matrix (n - 1, n - 1) seen by the others when net `j` is grounded."""
    keep = np.arange(len(c_f)) != j
    return np.asarray(c_f[keep][:, keep], dtype=np.float64)


def patch_removed_f(*, f_m: float, facing_m: float, crossings: int, crossing_f: float) -> float:
    """Return dC, below 0, when a patch is cut out: lost facing length and lost crossings."""
    return -(f_m * facing_m + crossing_f * crossings)
