"""What active effects have done to the nets of a board: cuts, bites, wires and touches, by net.

Effects act where their geometry meets copper (`copper.meet`). The result is what the modalities'
physics need: squares added, where a net is cut, which nets are joined, what hangs on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError
from casemate.twin.board import Board
from casemate.twin.copper import Meetings, meet, nearest
from casemate.twin.effects import (
    Bridge,
    Contact,
    Detached,
    Effect,
    Hole,
    Pocket,
    Spot,
    Thinned,
)
from casemate.twin.line_materials import Real
from casemate.twin.network import GROUND, Changes
from casemate.twin.network_paths import path_nets, paths_what_if_ohm
from casemate.twin.resistance_nicks import bite_squares, hole_squares

TOUCH_M = 3e-4
"""Reach of a foot of a jumper: it is soldered to the nearest copper within this."""
GAP_SQUARES = 1.0
"""Squares between the two nodes of a cut: enough that its removal is exact to rounding."""
END_OHM = 1e-3
"""From a net's far end to ground: via and plane (planning value)."""
INSIDE = 0.499
"""Of a width, from the middle: a tool that ends within it opens no edge."""
LEAST_SHARE = 1e-3
"""Of a trace's width that a bite must leave; less counts as a cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something at a place along a net. kind: cut, bite, bridge or touch.

    `squares`, `arc_m`: where, from the net's start. bite: `added` squares, `chord_m` of edge lost
    and `bite_m` deep. bridge: `other`, the event's number at its other foot, `ohm`. touch: `ohm`
    and `farad` to ground.
    """

    kind: str
    net: int
    squares: float
    arc_m: float
    added: float = 0.0
    chord_m: float = 0.0
    bite_m: float = 0.0
    other: int = -1
    ohm: float = np.inf
    henry: float = 0.0
    farad: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Altered:
    """All events on a board; `pockets`: (layer, place, diameter, film left) of missing dielectric.

    `holes`: (layer, place, diameter), for the dielectric that they take with them. `gone`: the
    board is unplugged.
    """

    board: Board
    events: tuple[Event, ...] = ()
    holes: tuple[Hole, ...] = ()
    pockets: tuple[Pocket, ...] = ()
    gone: bool = False
    cuts: dict[int, float] = field(default_factory=dict)
    """First cut of each cut net: share of its squares from the start that is still connected."""


def altered(board: Board, effects: tuple[Effect, ...]) -> Altered:
    """Return what effects, all at full size, have done to a board; those of others are ignored."""
    mine = tuple(each for each in effects if _tile(each) == board.tile.id)
    events: list[Event] = []
    for each in mine:
        if isinstance(each, Hole):
            events += _hole_events(board, each)
        elif isinstance(each, Bridge):
            events += _bridge_events(board, each, len(events))
        elif isinstance(each, Contact):
            events += _contact_events(board, each)
        elif isinstance(each, Thinned):
            events += _thinned_events(board, each)
    cuts: dict[int, float] = {}
    for event in events:
        if event.kind == "cut":
            share = event.squares / float(board.squares[event.net])
            cuts[event.net] = min(cuts.get(event.net, 1.0), share)
    return Altered(
        board=board,
        events=tuple(events),
        holes=tuple(each for each in mine if isinstance(each, Hole)),
        pockets=tuple(each for each in mine if isinstance(each, Pocket)),
        gone=any(isinstance(each, Detached) for each in mine),
        cuts=cuts,
    )


def reached(change: Altered) -> tuple[Real, npt.NDArray[np.int64]]:
    """Return what of each net hangs on its start: its share (N,), and which nets are one (N,).

    Cuts part a net, wires join its parts again or two nets; the second names, for each net, the
    lowest net whose start its own start is joined to. Parts of a net that hang on another's start
    only are left out.
    """
    board = change.board
    squares = {net: [0.0] for net in change.cuts}
    for event in change.events:
        if event.kind == "cut":
            squares[event.net].append(event.squares)
    starts = {net: np.sort(np.array(at)) for net, at in squares.items()}
    joined: dict[tuple[int, int], tuple[int, int]] = {}

    def top(part: tuple[int, int]) -> tuple[int, int]:
        while part in joined:
            part = joined[part]
        return part

    for k, event in enumerate(change.events):
        if event.kind == "bridge" and event.other > k:
            feet = [
                top((foot.net, _part(starts, foot))) for foot in (event, change.events[event.other])
            ]
            if feet[0] != feet[1]:
                joined[max(feet)] = min(feet)
    share = np.ones(len(board.nets))
    for net, at in starts.items():
        long = np.diff(np.append(at, float(board.squares[net])))
        mine = [top((net, part)) == top((net, 0)) for part in range(at.size)]
        share[net] = float(long[mine].sum()) / float(board.squares[net])
    body = np.arange(len(board.nets))
    tops = [top((net, 0)) for net in range(len(board.nets))]
    for net, name in enumerate(tops):
        body[net] = tops.index(name)
    return share, body


def _part(starts: dict[int, Real], event: Event) -> int:
    """Return the number of the part of its net that an event lies on, counted by cuts."""
    at = starts.get(event.net)
    return 0 if at is None else max(int(np.searchsorted(at, event.squares)) - 1, 0)


def _tile(effect: Effect) -> str:
    if isinstance(effect, Hole | Pocket | Thinned | Bridge | Contact):
        return effect.at.tile
    return effect.tile if isinstance(effect, Detached) else ""


def _hole_events(board: Board, hole: Hole) -> list[Event]:
    if hole.at.layer not in board.tile.stackup.mesh:
        raise InputError(
            f"board {board.tile.id} has no mesh on layer {hole.at.layer}.",
            remedy=f"mesh layers: {', '.join(board.tile.stackup.mesh)}.",
            key="layer",
        )
    place = np.array([[hole.at.x_m, hole.at.y_m]])
    met = meet(board.copper(), hole.at.layer, place, np.array([hole.diameter_m]))
    return [_of_meeting(board, met, k, hole.diameter_m) for k in range(len(met))]


def _of_meeting(board: Board, met: Meetings, k: int, diameter_m: float) -> Event:
    width_m = board.copper().trace_m
    bite_m, off_m = float(met.bite_m[k]), float(met.off_m[k])
    radius_m = 0.5 * diameter_m
    chord_m = 2.0 * float(np.sqrt(max(radius_m**2 - max(off_m - 0.5 * width_m, 0.0) ** 2, 0.0)))
    cut = bool(met.cut[k]) or width_m - bite_m < LEAST_SHARE * width_m
    return Event(
        kind="cut" if cut else "bite",
        net=int(met.net[k]),
        squares=float(met.squares[k]),
        arc_m=float(met.arc_m[k]),
        added=0.0 if cut else added_squares(width_m, diameter_m, off_m),
        chord_m=chord_m,
        bite_m=width_m if cut else bite_m,
    )


def added_squares(width_m: float, diameter_m: float, off_m: float) -> float:
    """Return the squares that a round tool adds whose centre is `off_m` from the centreline."""
    if off_m + 0.5 * diameter_m < INSIDE * width_m:
        return hole_squares(width_m, diameter_m, 0.5 * width_m - off_m)
    bite_m = min(0.5 * (diameter_m + width_m) - off_m, (1.0 - LEAST_SHARE) * width_m)
    return bite_squares(width_m, bite_m, diameter_m)


def _foot(board: Board, spot: Spot, reach_m: float) -> Meetings:
    return nearest(board.copper(), spot.layer, (spot.x_m, spot.y_m), reach_m)


def _bridge_events(board: Board, bridge: Bridge, number: int) -> list[Event]:
    feet = [_foot(board, spot, TOUCH_M) for spot in (bridge.at, bridge.to)]
    if any(len(foot) == 0 for foot in feet):
        return []
    return [
        Event(
            kind="bridge",
            net=int(foot.net[0]),
            squares=float(foot.squares[0]),
            arc_m=float(foot.arc_m[0]),
            other=number + 1 - k,
            ohm=bridge.ohm,
            henry=bridge.henry,
        )
        for k, foot in enumerate(feet)
    ]


def _contact_events(board: Board, contact: Contact) -> list[Event]:
    foot = _foot(board, contact.at, contact.reach_m)
    if len(foot) == 0:
        return []
    return [
        Event(
            kind="touch",
            net=int(foot.net[0]),
            squares=float(foot.squares[0]),
            arc_m=float(foot.arc_m[0]),
            ohm=contact.ohm,
            farad=contact.farad,
        )
    ]


def _thinned_events(board: Board, thin: Thinned) -> list[Event]:
    """Return what thinner copper adds where it lies within the circle: squares/left of its length.

    Nothing left is a cut.
    """
    place = np.array([[thin.at.x_m, thin.at.y_m]])
    met = meet(board.copper(), thin.at.layer, place, np.array([thin.diameter_m]))
    half = np.sqrt(np.maximum((0.5 * thin.diameter_m) ** 2 - met.off_m**2, 0.0))
    left = max(thin.left, LEAST_SHARE)
    width_m = board.tile.mesh.trace_m
    return [
        Event(
            kind="cut" if thin.left <= LEAST_SHARE else "bite",
            net=int(met.net[k]),
            squares=float(met.squares[k]),
            arc_m=float(met.arc_m[k]),
            added=2.0 * float(half[k]) / width_m * (1.0 / left - 1.0),
        )
        for k in range(len(met))
        if half[k] > 0.0
    ]


def loop_ohm(change: Altered, sheet_ohm: Real) -> Real:
    """Return every net's resistance (N,) from its start to ground at its end; inf if open.

    `sheet_ohm` (N,): ohms a square of each net at its temperature. Nets without events keep
    squares x sheet.
    """
    board = change.board
    whole = board.squares * sheet_ohm
    if change.gone:
        return np.full(whole.size, np.inf)
    if not change.events:
        return np.asarray(whole + END_OHM)
    touched = sorted({event.net for event in change.events})
    found = whole + END_OHM
    found[touched] = _network_ohm(change, sheet_ohm, touched)
    return np.asarray(found)


def _network_ohm(change: Altered, sheet_ohm: Real, touched: list[int]) -> Real:
    """Return the resistances of the nets that something happened to, joined as they are."""
    arcs, nodes, added = [], {}, np.zeros(len(change.events))
    first = 0
    for net in touched:
        mine = [k for k, event in enumerate(change.events) if event.net == net]
        mine.sort(key=lambda k: change.events[k].squares)
        at, extra = [0.0], 0.0
        for k in mine:
            event = change.events[k]
            place = max(event.squares + extra, at[-1])
            if event.kind == "bite":
                extra += event.added
                continue
            nodes[k] = first + len(at)
            at += [place, place + GAP_SQUARES] if event.kind == "cut" else [place]
            extra += GAP_SQUARES if event.kind == "cut" else 0.0
        at.append(max(float(change.board.squares[net]) + extra, at[-1]))
        arcs.append(np.array(at) * sheet_ohm[net])
        added[mine] = sheet_ohm[net]
        first += len(at)
    paths = path_nets(tuple(arcs), np.full(len(arcs), END_OHM))
    rows = _changes(change, nodes, added)
    if not rows:
        return paths.loop_ohm
    a, b, siemens = (np.array(column) for column in zip(*rows, strict=True))
    changes = Changes(a=a.astype(np.int64), b=b.astype(np.int64), siemens=siemens)
    return np.asarray(np.diag(paths_what_if_ohm(paths, changes)))


def _changes(
    change: Altered, nodes: dict[int, int], sheet_ohm: Real
) -> list[tuple[int, int, float]]:
    rows: list[tuple[int, int, float]] = []
    for k, event in enumerate(change.events):
        if event.kind == "cut":
            rows.append((nodes[k], nodes[k] + 1, -1.0 / (GAP_SQUARES * float(sheet_ohm[k]))))
        elif event.kind == "touch" and np.isfinite(event.ohm):
            rows.append((nodes[k], GROUND, 1.0 / event.ohm))
        elif event.kind == "bridge" and k < event.other:
            rows.append((nodes[k], nodes[event.other], 1.0 / event.ohm))
    return rows
