"""What is done to a pair at one place: a table of faults, one row an episode.

Seen from the reader a fault is, in this order: shunts of each lane to ground and a bridge between
the lanes, an impedance in series with each lane, capacitances of each lane to ground, a piece of
one lane that the other has been robbed of (jumper), and what follows: the rest of the pair, or a
dummy. Lanes: 0, 1, or BOTH. All makers broadcast their arguments to (E,).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.twin.line_materials import MU0_H_M, Real

Values = npt.ArrayLike
BOTH = 2
AT, BRIDGE_S, BRIDGE_H, DUMMY_Z, DUMMY_LOSS, DUMMY_DELAY = 0, 1, 2, 3, 4, 5
SHUNT_F, SHUNT_S, SHUNT_H, SERIES_OHM, SERIES_H, SERIES_F, AFTER_F, JUMP_M = range(6, 22, 2)
COLUMNS = 22
"""From SHUNT_F on, a column for lane 0 is followed by that for lane 1.

at (m from the reader, of the mean length), bridge (S, H in series with it), dummy (its impedance,
loss and delay over those of the pair; impedance 0: no dummy), shunt (F beside S, H in series),
series (ohm and H in series, F across them), after (F), jump (m)."""
INSULATED_OHM = 1e12
"""Across a cut."""


def sound(at_m: Values) -> Real:
    """Return faults, shape (E, COLUMNS), that change nothing."""
    at = np.atleast_1d(np.asarray(at_m, dtype=np.float64))
    table = np.zeros((at.size, COLUMNS))
    table[:, AT] = at
    return table


def _rows(at_m: Values, *others: Values) -> tuple[Real, list[Real]]:
    shaped = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=float)) for x in others))
    at, *rest = np.broadcast_arrays(np.atleast_1d(np.asarray(at_m, dtype=float)), *shaped)
    return sound(at), [np.asarray(each, dtype=np.float64) for each in rest]


def _put(table: Real, column: int, lane: Real, value: Real) -> None:
    known = (lane == 0) | (lane == 1) | (lane == BOTH)
    if not known.all():
        raise InputError(
            "a fault is on a lane that a pair does not have.", remedy="name lane 0, 1 or BOTH (2)."
        )
    table[:, column] = np.where(lane != 1, value, 0.0)
    table[:, column + 1] = np.where(lane != 0, value, 0.0)


def nick(at_m: Values, lane: Values, *, ohm: Values, henry: Values) -> Real:
    """Return faults of copper taken from a trace: series R and L."""
    table, (on, r, l_h) = _rows(at_m, lane, ohm, henry)
    _put(table, SERIES_OHM, on, r)
    _put(table, SERIES_H, on, l_h)
    return table


def probe(
    at_m: Values, lane: Values, *, farad: Values, leak_ohm: Values = np.inf, henry: Values = 0.0
) -> Real:
    """Return faults of a probe or a grounded bit: C and leak to ground, behind a tip's L."""
    table, (on, c_f, leak, l_h) = _rows(at_m, lane, farad, leak_ohm, henry)
    _put(table, SHUNT_F, on, c_f)
    with np.errstate(divide="ignore"):
        _put(table, SHUNT_S, on, 1.0 / leak)
    _put(table, SHUNT_H, on, l_h)
    return table


def bridge(at_m: Values, *, ohm: Values, henry: Values = 0.0) -> Real:
    """Return faults of a wire or a smear of metal between the lanes."""
    table, (r, l_h) = _rows(at_m, ohm, henry)
    with np.errstate(divide="ignore"):  # 0 ohm is refused as infinite by `checked`
        table[:, BRIDGE_S], table[:, BRIDGE_H] = 1.0 / r, l_h
    return table


def cut(at_m: Values, lane: Values, *, gap_f: Values = 5e-15, fringe_f: Values = 5e-15) -> Real:
    """Return faults of a lane cut through: C across the gap, and that of each end to ground.

    5 fF each by default, the order of an open end of a 0.1 mm strip 0.15 mm over its plane.
    """
    table, (on, gap, fringe) = _rows(at_m, lane, gap_f, fringe_f)
    _put(table, SERIES_OHM, on, np.full(len(table), INSULATED_OHM))
    _put(table, SERIES_F, on, gap)
    _put(table, SHUNT_F, on, fringe)
    _put(table, AFTER_F, on, fringe)
    return table


def jumper(at_m: Values, lane: Values, *, span_m: Values, ohm: Values, henry: Values) -> Real:
    """Return faults of a wire over `span_m` of a lane, cut out under it; `span_m` of the pair.

    On both lanes the tail moves near by the span. On one the other lane goes on alone beside it:
    its coupling to the wire is left out.
    """
    table = nick(at_m, lane, ohm=ohm, henry=henry)
    _, (on, span) = _rows(at_m, lane, span_m)
    _put(table, JUMP_M, on, span)
    return table


def dummy(at_m: Values, *, z: Values, loss: Values = 1.0, delay: Values = 1.0) -> Real:
    """Return faults of a plug pulled and another line put in from here to the end.

    z, loss, delay: of the dummy over those of the rest of the pair, which it replaces with the same
    termination.
    """
    table, (impedance, lossy, late) = _rows(at_m, z, loss, delay)
    table[:, DUMMY_Z], table[:, DUMMY_LOSS], table[:, DUMMY_DELAY] = impedance, lossy, late
    return table


def checked(table: Real, length_m: float) -> Real:
    """Return `table` as it is; InputError if it is no table of faults on a pair of `length_m`."""
    if table.ndim != 2 or table.shape[1] != COLUMNS or not np.isfinite(table).all():
        raise InputError(
            "faults hold nan or infinity, or have another shape than (E, COLUMNS).",
            remedy="make them with the functions of casemate.twin.pair_faults, of finite figures.",
            value=table.shape,
        )
    if len(table) and table.min() < 0.0:
        raise InputError(
            "a place, a length, R, L or C of a fault is below 0.",
            remedy="give figures of 0 or above.",
            value=float(table.min()),
        )
    ends = table[:, AT] + table[:, JUMP_M : JUMP_M + 2].max(axis=1)
    if len(table) and ends.max() > length_m * (1.0 + 1e-12):
        raise InputError(
            "a fault lies beyond the end of its pair.",
            remedy="give places in metres from the reader, within the pair's mean length.",
            value=(float(ends.max()), length_m),
        )
    return np.ascontiguousarray(table)


def nick_henry(*, squares: Values, width_m: float, depth_m: Values) -> Real:
    """Return the inductance that goes with a nick's `squares` of resistance, shape broadcast.

    A narrow strip over a plane has (mu0/2pi) ln(8 h/w) a metre, so narrowing it from w to the neck
    b costs (mu0/2pi) ln(w/b) where it costs 1/b - 1/w squares: mu0/2pi ln(w/b)/(1/b - 1/w) a
    square. Derived; 28 pH for 0.2 mm at half of 0.1 mm (reference physics 5.4: 30 pH).
    """
    neck = width_m - np.asarray(depth_m, dtype=np.float64)
    if not (neck > 0.0).all() or not (neck <= width_m).all():
        raise InputError(
            "a nick is deeper than its trace is wide, or of negative depth.",
            remedy="treat a trace that is cut through with cut.",
        )
    per_m = 1.0 / neck - 1.0 / width_m
    shallow = per_m * width_m < 1e-9
    mean = np.where(shallow, width_m, np.log(width_m / neck) / np.where(shallow, 1.0, per_m))
    return np.asarray(np.asarray(squares) * MU0_H_M / (2.0 * np.pi) * mean, dtype=np.float64)
