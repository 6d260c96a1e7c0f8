"""Split a face into regions (whole, or four strips round a large vent) and those into boards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    flaps: tuple[tuple[str, float], ...]
    laps: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle to be cut, in (u, v): u runs along the face's folded direction.

    low_fold, high_fold, low_tuck, high_tuck: whether the u ends are folded over a box edge and
    the v ends are tucked under another region. flipped: u is the face's y.
    """

    label: str
    u: Axis
    v: Axis
    low_fold: bool
    high_fold: bool
    low_tuck: bool
    high_tuck: bool
    board_m: Point
    openings: tuple[Rect, ...]
    flipped: bool
    name: str


def regions_of(
    extent: Point,
    *,
    along_x: bool,
    folds_m: Point,
    lap_m: float,
    board_m: Point,
    placed: Sequence[PlacedOpening],
    name: str,
) -> list[Region]:
    """Return the regions of one face. folds_m: overlap of the low and the high folded side.

    A vent (or another rectangular opening) that fits into one board with its ring is a hole in it;
    a larger one gets four strips, and so does the largest if no cut leaves every opening whole.
    """
    u_size, v_size = extent if along_x else extent[::-1]
    holes = [hole if along_x else hole.flipped() for o in placed for hole in o.holes]
    vents = [
        hole if along_x else hole.flipped()
        for o in placed
        if not o.plan.round and (o.plan.surface or len(o.holes) == 1)
        for hole in o.holes
    ]
    whole = Rect(0.0, 0.0, u_size, v_size)

    def region(label: str, rect: Rect, fold: tuple[bool, bool], tuck: tuple[bool, bool]) -> Region:
        inside = tuple(hole.grown(RING_M) for hole in holes if rect.holds(hole))
        return Region(
            label=label,
            u=Axis(
                start_m=rect.x0,
                end_m=rect.x1,
                low_m=folds_m[0] if fold[0] else 0.0,
                high_m=folds_m[1] if fold[1] else 0.0,
                lap_m=lap_m,
                forward=fold[1],
            ),
            v=Axis(
                start_m=rect.y0,
                end_m=rect.y1,
                low_m=lap_m if tuck[0] else 0.0,
                high_m=lap_m if tuck[1] else 0.0,
                lap_m=lap_m,
            ),
            low_fold=fold[0],
            high_fold=fold[1],
            low_tuck=tuck[0],
            high_tuck=tuck[1],
            board_m=board_m,
            openings=inside,
            flipped=not along_x,
            name=name,
        )

    undivided = region("", whole, (True, True), (False, False))
    spare = (lap_m, sum(folds_m))
    large = [rect for rect in vents if not _fits(rect, board_m, spare, whole)]
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
        region("low", Rect(0.0, 0.0, u_size, vent.y0), (True, True), (False, False)),
        region("near", Rect(0.0, vent.y0, vent.x0, vent.y1), (True, False), (True, True)),
        region("far", Rect(vent.x1, vent.y0, u_size, vent.y1), (False, True), (True, True)),
        region("high", Rect(0.0, vent.y1, u_size, v_size), (True, True), (False, False)),
    ]


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
            found.append(_board(region, column, row, i, j, len(columns)))
    return found


def _board(region: Region, column: Piece, row: Piece, i: int, j: int, columns: int) -> Board:
    first, last = i == 0, i == columns - 1
    flaps, laps = [], []
    if first and region.low_fold:
        flaps.append(("left", region.u.low_m))
    if last and region.high_fold:
        flaps.append(("right", region.u.high_m))
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
        flaps = [(_FLIP[side], width) for side, width in flaps]
        laps = [(_FLIP[side], width) for side, width in laps]
    return Board(
        label=label,
        visible=visible,
        board=board,
        terminal=terminal,
        flaps=tuple(flaps),
        laps=tuple(laps),
    )


def _can_be_cut(region: Region) -> bool:
    try:
        grid(region.u, region.v, board_m=region.board_m, openings=region.openings, name=region.name)
    except DesignError:
        return False
    return True


def _fits(rect: Rect, board_m: Point, spare_m: Point, whole: Rect) -> bool:
    """Return whether a vent leaves room for its ring, laps and folds on one board."""
    lap_m, folds_m = spare_m
    spare = 2 * RING_M + 2 * max(lap_m, folds_m / 2) + 2e-3
    short, long = sorted(board_m)
    low, high = sorted((rect.width + spare, rect.height + spare))
    rim = min(rect.x0, rect.y0, whole.x1 - rect.x1, whole.y1 - rect.y1)
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
