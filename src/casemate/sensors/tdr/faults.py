"""From what was done to a board to the faults of its pairs, and what a pair then answers.

`twin.altered` says what met which net, and where. Here each event on a lane becomes a row of
`twin.pair_faults`; events at one place become one row. Rows at several places are superposed: the
changes of each alone add up, up to the first cut; what lies beyond is left out, though of the lane
that a cut leaves whole a little could still be seen. Exact for one place, and first order for small
faults at several.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casemate.sensors.tdr.physics import PairChannel, Tdr, place_m, responses
from casemate.twin import pair_faults
from casemate.twin.altered import Altered, Event
from casemate.twin.line_materials import Real
from casemate.twin.pair_faults import AT, INSULATED_OHM, SERIES_OHM
from casemate.twin.pair_line import odd_ohm
from casemate.twin.pair_ripple import Ripple
from casemate.twin.resistance import IACS_OHM_M

SAME_PLACE_M = 1e-3
"""Faults closer than this are at one place: a tenth of what 200 ps resolve."""
BESIDE_M = 5e-3
"""Of two lanes' places, within which a wire between them bridges the pair."""
HALF = 0.5
"""A wire to another line sees both its directions: half of a lane's impedance."""


def faults_of(of: PairChannel, change: Altered) -> Real:
    """Return the faults, (E, COLUMNS), rising in place, that a board's events make on a pair."""
    if change.gone:
        return pair_faults.cut(0.0, pair_faults.BOTH)
    lanes = {change.board.number(net.name): lane for lane, net in enumerate(of.lanes.nets)}
    rows: list[Real] = []
    spanned: list[tuple[int, float, float]] = []
    for event in change.events:
        if event.net in lanes and event.kind == "bridge":
            row, span = _wire(of, change, event, lanes)
            rows += row
            spanned += span
    for event in change.events:
        if event.net in lanes and event.kind != "bridge":
            lane = lanes[event.net]
            at_m = place_m(of, lane, event.arc_m)
            if not any(lane == one and low < at_m < high for one, low, high in spanned):
                rows.append(_single(change, event, at_m, lane))
    if not rows:
        return np.empty((0, pair_faults.COLUMNS))
    return _joined(np.concatenate(rows))


def _single(change: Altered, event: Event, at_m: float, lane: int) -> Real:
    """Return the row of a cut, a bite or a touch; a bite of no depth is thinned copper, all R."""
    tile = change.board.tile
    if event.kind == "cut":
        return pair_faults.cut(at_m, lane)
    if event.kind == "touch":
        return pair_faults.probe(at_m, lane, farad=event.farad, leak_ohm=event.ohm)
    width_m = tile.mesh.trace_m
    deep_m = min(event.bite_m, 0.999 * width_m)
    henry = (
        0.0
        if deep_m <= 0.0
        else pair_faults.nick_henry(squares=event.added, width_m=width_m, depth_m=deep_m)
    )
    ohm = event.added * IACS_OHM_M / tile.stackup.copper_m
    return pair_faults.nick(at_m, lane, ohm=ohm, henry=henry)


def _wire(
    of: PairChannel, change: Altered, event: Event, lanes: dict[int, int]
) -> tuple[list[Real], list[tuple[int, float, float]]]:
    """Return the rows of one foot of a wire, and the span (lane, from, to) that it replaces.

    Both feet on one lane: a jumper, made once, at the foot nearer to the reader; what it spans is
    taken as cut out, for most of a fast edge takes the short way. On both lanes side by side: a
    bridge. Else each foot leaks through the wire into another line.
    """
    lane, other = lanes[event.net], change.events[event.other]
    at_m = place_m(of, lane, event.arc_m)
    far_lane = lanes.get(other.net, -1)
    far_m = place_m(of, far_lane, other.arc_m) if far_lane >= 0 else 0.0
    first = at_m < far_m or (at_m == far_m and event.arc_m < other.arc_m)
    if far_lane == lane:
        if not first:
            return [], []
        row = pair_faults.jumper(at_m, lane, span_m=far_m - at_m, ohm=event.ohm, henry=event.henry)
        return [row], [(lane, at_m, far_m)]
    if far_lane >= 0 and abs(far_m - at_m) < BESIDE_M:
        middle_m = 0.5 * (at_m + far_m)
        row = pair_faults.bridge(middle_m, ohm=max(event.ohm, 1e-6), henry=event.henry)
        return ([row] if lane == 0 else []), []
    ohm = event.ohm + HALF * odd_ohm(of.pair, 1e9)
    return [pair_faults.probe(at_m, lane, farad=0.0, leak_ohm=ohm, henry=event.henry)], []


def _joined(table: Real) -> Real:
    """Return rows in order of place, those of one place summed up."""
    table = table[np.argsort(table[:, AT], kind="stable")]
    apart = np.diff(table[:, AT]) > SAME_PLACE_M
    begins: npt.NDArray[np.int64] = np.concatenate([[0], np.flatnonzero(apart) + 1])
    summed = np.add.reduceat(table, begins, axis=0)
    summed[:, AT] = table[begins, AT]
    return np.asarray(summed, dtype=np.float64)


def altered_response(tdr: Tdr, of: PairChannel, faults: Real, prepared: Ripple) -> Real:
    """Return the response, (B,), of a pair with all of `faults` (E, COLUMNS), rising in place."""
    cut = np.flatnonzero((faults[:, SERIES_OHM : SERIES_OHM + 2] >= INSULATED_OHM).any(axis=1))
    kept = faults[: cut[0] + 1] if cut.size else faults
    shown = responses(
        tdr, of, np.concatenate([pair_faults.sound(0.0), kept]), prepared
    )  # fmt: skip
    sound = shown[0]
    if not cut.size:
        return np.asarray(sound + (shown[1:] - sound).sum(axis=0), dtype=np.float64)
    before = (shown[1:-1] - sound).sum(axis=0)
    return np.asarray(shown[-1] + before, dtype=np.float64)
