"""Split a face into regions (whole, or four strips round a large vent) and those into boards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from casemate.core.errors import DesignError
from casemate.core.geometry import Point
from casemate.design.crossings import RING_M, PlacedOpening
from casemate.design.tiling import Axis, Piece, Rect, grid, pieces

_FLIP = {"left": "bottom", "right": "top", "bottom": "left", "top": "right"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One board in its face's plane. visible: its share of the face; board: its outline."""

    label: str
    visible: Rect
    board: Rect
    terminal: str
    laps: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle to be cut, in (u, v): boards along u are shingled towards the end `forward` says.

    low_tuck, high_tuck: whether the v ends are tucked under another region. flipped: u is the
    face's y.
    """

    label: str
    u: Axis
    v: Axis
    low_tuck: bool
    high_tuck: bool
    board_m: Point
    openings: tuple[Rect, ...]
    flipped: bool
    name: str


def regions_of(
    whole: Rect,
    *,
    along_x: bool,
    lap_m: float,
    board_m: Point,
    placed: Sequence[PlacedOpening],
    name: str,
) -> list[Region]:
    """Return the regions of one face. whole: what its boards cover, in the face's plane.

    A vent (or another rectangular opening) that fits into one board with its ring is a hole in it;
    a larger one gets four strips, and so does the largest if no cut leaves every opening whole.
    """
    whole = whole if along_x else whole.flipped()
    holes = [hole if along_x else hole.flipped() for o in placed for hole in o.holes]
    vents = [
        hole if along_x else hole.flipped()
        for o in placed
        if not o.plan.round and (o.plan.surface or len(o.holes) == 1)
        for hole in o.holes
    ]

    region = partial(
        _region, lap_m=lap_m, board_m=board_m, holes=holes, flipped=not along_x, name=name
    )
    undivided = region("", whole, True, (False, False))
    large = [rect for rect in vents if not _fits(rect, board_m, lap_m, whole)]
    if not large and (_can_be_cut(undivided) or not vents):
        return [undivided]
    if len(large) > 1:
        raise DesignError(
            f"{name} has {len(large)} openings that are larger than one board.",
            remedy="join them into one, or make all but one smaller than a board.",
        )
    vent = large[0] if large else max(vents, key=lambda rect: rect.width * rect.height)
    _no_straddle(vent, holes, name)
    return [
        region("low", Rect(whole.x0, whole.y0, whole.x1, vent.y0), True, (False, False)),
        region("near", Rect(whole.x0, vent.y0, vent.x0, vent.y1), False, (True, True)),
        region("far", Rect(vent.x1, vent.y0, whole.x1, vent.y1), True, (True, True)),
        region("high", Rect(whole.x0, vent.y1, whole.x1, whole.y1), True, (False, False)),
    ]


def _region(
    label: str,
    rect: Rect,
    forward: bool,
    tuck: tuple[bool, bool],
    *,
    lap_m: float,
    board_m: Point,
    holes: Sequence[Rect],
    flipped: bool,
    name: str,
) -> Region:
    return Region(
        label=label,
        u=Axis(start_m=rect.x0, end_m=rect.x1, low_m=0.0, high_m=0.0, lap_m=lap_m, forward=forward),
        v=Axis(
            start_m=rect.y0,
            end_m=rect.y1,
            low_m=lap_m if tuck[0] else 0.0,
            high_m=lap_m if tuck[1] else 0.0,
            lap_m=lap_m,
        ),
        low_tuck=tuck[0],
        high_tuck=tuck[1],
        board_m=board_m,
        openings=tuple(hole.grown(RING_M) for hole in holes if rect.holds(hole)),
        flipped=flipped,
        name=name,
    )


def boards_of(region: Region) -> list[Board]:
    """Return the boards of a region, in rows from below, each with its covered sides."""
    cuts_u, cuts_v = grid(
        region.u, region.v, board_m=region.board_m, openings=region.openings, name=region.name
    )
    columns = pieces(region.u, cuts_u, low_lap=False, high_lap=False)
    rows = pieces(region.v, cuts_v, low_lap=region.low_tuck, high_lap=region.high_tuck)
    found = []
    for j, row in enumerate(rows):
        for i, column in enumerate(columns):
            found.append(_board(region, column, row, i, j))
    return found


def _board(region: Region, column: Piece, row: Piece, i: int, j: int) -> Board:
    laps = []
    for side, tucked in (
        ("left", column.low_lap),
        ("right", column.high_lap),
        ("bottom", row.low_lap),
        ("top", row.high_lap),
    ):
        if tucked:
            laps.append((side, region.u.lap_m))
    visible = Rect(column.visible[0], row.visible[0], column.visible[1], row.visible[1])
    board = Rect(column.board[0], row.board[0], column.board[1], row.board[1])
    terminal = "right" if region.u.forward else "left"
    label = f"{region.label}{'-' if region.label else ''}{j + 1}-{i + 1}"
    if region.flipped:
        visible, board, terminal = visible.flipped(), board.flipped(), _FLIP[terminal]
        laps = [(_FLIP[side], width) for side, width in laps]
    return Board(
        label=label,
        visible=visible,
        board=board,
        terminal=terminal,
        laps=tuple(laps),
    )


def _can_be_cut(region: Region) -> bool:
    try:
        grid(region.u, region.v, board_m=region.board_m, openings=region.openings, name=region.name)
    except DesignError:
        return False
    return True


def _fits(rect: Rect, board_m: Point, lap_m: float, whole: Rect) -> bool:
    """Return whether a vent leaves room for its ring and laps on one board."""
    spare = 2 * RING_M + 2 * lap_m + 2e-3
    short, long = sorted(board_m)
    low, high = sorted((rect.width + spare, rect.height + spare))
    rim = min(rect.x0 - whole.x0, rect.y0 - whole.y0, whole.x1 - rect.x1, whole.y1 - rect.y1)
    return low <= short and high <= long and rim >= RING_M - 1e-9


def _no_straddle(vent: Rect, holes: list[Rect], name: str) -> None:
    for hole in holes:
        if hole == vent:
            continue
        for line in (vent.y0, vent.y1):
            beside = hole.x1 <= vent.x0 or hole.x0 >= vent.x1
            if beside and hole.y0 - RING_M < line < hole.y1 + RING_M:
                raise DesignError(
                    f"a crossing of {name} straddles the frame line of its vent at"
                    f" {line * 1e3:.1f} mm.",
                    remedy="move that crossing wholly beside or wholly above or below the vent.",
                )
