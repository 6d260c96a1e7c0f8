"""Where crossings pass a face: openings placed so that none straddles a fold, lap or neighbour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from casemate.core.errors import DesignError
from casemate.core.geometry import Point, circle_ring, rectangle_ring
from casemate.design.tiling import SMALLEST_VISIBLE_M, Rect

RING_M = 3e-3
"""Meshed ring kept round every opening: 15 turns at 0.2 mm pitch, so that no tool fits beside it
(engineering choice; the mesh proof shows what the ring reaches)."""

WEB_M = 18e-3
"""Mesh between two large holes of one crossing, where the face has room: a zone of its own fits,
with its terminals, and nets need not be squeezed through (mesh/strips.py)."""
LARGE_HOLE_M = 20e-3
"""A hole from which on the web beside it is worth a zone."""

_STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPlan:
    """What one crossing cuts out of a face. size_m: one hole (width, height), sleeve included.

    round: circle of diameter size_m[0]. count: equal holes side by side. position_m: centre of
    the group on the face seen from outside; None lets the layout choose. fill: take as much of
    the face as the other crossings leave (a vent without a size). depth_m: reach inward.
    surface: a vent, whose module covers the region; tiles may stand round it. web_m: between its
    holes.
    """

    id: str
    kind: str
    face: str
    module: str
    size_m: Point
    round: bool
    count: int = 1
    position_m: Point | None = None
    fill: bool = False
    depth_m: float = 0.0
    surface: bool = False
    web_m: float = RING_M


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOpening:
    """A crossing with its holes in the face's plane. bounds: of the whole group."""

    plan: OpeningPlan
    bounds: Rect
    holes: tuple[Rect, ...]


def group_size(plan: OpeningPlan) -> Point:
    """Return width and height of the group of equal holes, rings between them included."""
    columns, rows = _grid_of(plan.count)
    width = columns * plan.size_m[0] + (columns - 1) * plan.web_m
    height = rows * plan.size_m[1] + (rows - 1) * plan.web_m
    return width, height


def place(
    plans: Sequence[OpeningPlan],
    *,
    face: str,
    size_m: Point,
    margins: tuple[float, ...],
    clear_m: float = 2 * RING_M,
    along_x: bool = True,
) -> tuple[PlacedOpening, ...]:
    """Place every opening of one face. margins: free rim left, right, bottom, top (metres).
    clear_m: free mesh between two crossings. along_x: the face is folded at its left and right.

    Fixed positions first, then the largest free ones; a filling vent takes what is left.
    DesignError names the crossing that does not fit.
    """
    room = Rect(margins[0], margins[2], size_m[0] - margins[1], size_m[1] - margins[3])
    filling = [plan for plan in plans if plan.fill]
    if len(filling) > 1:
        raise DesignError(
            f"face {face} has {len(filling)} vents without a size.",
            remedy="give all but one air crossing of that face a size and position.",
        )
    fixed = [plan for plan in plans if plan.position_m is not None and not plan.fill]
    free = sorted(
        (plan for plan in plans if plan.position_m is None and not plan.fill),
        key=lambda plan: (-group_size(plan)[0] * group_size(plan)[1], plan.id),
    )
    placed: list[PlacedOpening] = []
    for wanted in (*fixed, *free):
        for plan in _webs(wanted):
            bounds = _position(
                plan, room, placed, low=bool(filling), clear_m=clear_m, along_x=along_x
            )
            if bounds is not None:
                break
        else:
            raise _does_not_fit(wanted, size_m, margins)
        placed.append(PlacedOpening(plan=plan, bounds=bounds, holes=_holes(plan, bounds)))
    for plan in filling:
        bounds = _largest_free(size_m, margins, placed, clear_m, along_x)
        if bounds is None:
            raise _does_not_fit(plan, size_m, margins)
        placed.append(PlacedOpening(plan=plan, bounds=bounds, holes=(bounds,)))
    return tuple(placed)


def open_area(placed: Iterable[PlacedOpening], id: str) -> float:
    """Return the area in square metres of all holes of one crossing."""
    return sum(
        hole.width * hole.height * (math.pi / 4 if opening.plan.round else 1.0)
        for opening in placed
        if opening.plan.id == id
        for hole in opening.holes
    )


def ring_of(plan: OpeningPlan, hole: Rect) -> tuple[Point, ...]:
    """Return the ring that is cut out of the board for one hole, clockwise, face coordinates."""
    if plan.round:
        return circle_ring(hole.centre, hole.width / 2, clockwise=True)
    ring = rectangle_ring(hole.width, hole.height, x_m=hole.x0, y_m=hole.y0)
    return tuple(reversed(ring))


def _webs(plan: OpeningPlan) -> tuple[OpeningPlan, ...]:
    """Return the plan with the widest webs first."""
    if plan.count > 1 and min(plan.size_m) >= LARGE_HOLE_M:
        return replace(plan, web_m=WEB_M), plan
    return (plan,)


def _grid_of(count: int) -> tuple[int, int]:
    columns = count if count <= 4 else math.ceil(math.sqrt(2 * count))
    return columns, math.ceil(count / columns)


def _holes(plan: OpeningPlan, bounds: Rect) -> tuple[Rect, ...]:
    columns, _ = _grid_of(plan.count)
    width, height = plan.size_m
    rows = []
    for index in range(plan.count):
        row, column = divmod(index, columns)
        x = bounds.x0 + column * (width + plan.web_m)
        y = bounds.y0 + row * (height + plan.web_m)
        rows.append(Rect(x, y, x + width, y + height))
    return tuple(rows)


def _position(
    plan: OpeningPlan,
    room: Rect,
    placed: Sequence[PlacedOpening],
    *,
    low: bool,
    clear_m: float,
    along_x: bool,
) -> Rect | None:
    width, height = group_size(plan)
    if plan.position_m is not None:
        x, y = plan.position_m
        candidates = [Rect(x - width / 2, y - height / 2, x + width / 2, y + height / 2)]
    else:
        if along_x:
            candidates = _candidates(width, height, room, low=low)
        else:
            turned = _candidates(height, width, room.flipped(), low=low)
            candidates = [rect.flipped() for rect in turned]
    for rect in candidates:
        clear = all(not rect.grown(clear_m).meets(other.bounds) for other in placed)
        if clear and room.holds(rect):
            return rect
    return None


def _candidates(width: float, height: float, room: Rect, *, low: bool) -> list[Rect]:
    """Return places to try: the middle first (unless a vent wants it), then up from below."""
    free_x, free_y = room.width - width, room.height - height
    if free_x < -1e-9 or free_y < -1e-9:
        return []
    places: list[Rect] = []
    if not low:
        x, y = room.x0 + free_x / 2, room.y0 + free_y / 2
        places.append(Rect(x, y, x + width, y + height))
    order = sorted(range(_STEPS + 1), key=lambda step: (abs(2 * step - _STEPS), step))
    for up in range(_STEPS + 1):
        for across in order:
            x = room.x0 + free_x * across / _STEPS
            y = room.y0 + free_y * up / _STEPS
            places.append(Rect(x, y, x + width, y + height))
    return places


def _largest_free(
    size_m: Point,
    margins: tuple[float, ...],
    placed: Sequence[PlacedOpening],
    clear_m: float,
    along_x: bool,
) -> Rect | None:
    """Return the largest rectangle whose four frame strips hold every placed opening whole."""
    rim = [max(margin, SMALLEST_VISIBLE_M) for margin in margins]
    room = Rect(rim[0], rim[2], size_m[0] - rim[1], size_m[1] - rim[3])
    taken = [other.bounds.grown(clear_m) for other in placed]
    xs = sorted({room.x0, room.x1, *(x for rect in taken for x in (rect.x0, rect.x1))})
    ys = sorted({room.y0, room.y1, *(y for rect in taken for y in (rect.y0, rect.y1))})
    best: Rect | None = None
    for x0 in xs:
        for x1 in xs:
            for y0 in ys:
                for y1 in ys:
                    rect = Rect(x0, y0, x1, y1)
                    if x1 - x0 < SMALLEST_VISIBLE_M or y1 - y0 < SMALLEST_VISIBLE_M:
                        continue
                    if not room.holds(rect) or any(
                        not _apart(rect, other, along_x) for other in taken
                    ):
                        continue
                    if best is None or _area(rect) > _area(best) + 1e-12:
                        best = rect
    return best


def _apart(vent: Rect, other: Rect, along_x: bool) -> bool:
    """Return whether `other` lies in one frame strip of `vent`.

    The strips beyond the vent's ends across the fold run the whole face; those beside it do not.
    """
    if not along_x:
        vent, other = vent.flipped(), other.flipped()
    if other.y1 <= vent.y0 + 1e-9 or other.y0 >= vent.y1 - 1e-9:
        return True
    beside = other.x1 <= vent.x0 + 1e-9 or other.x0 >= vent.x1 - 1e-9
    return beside and other.y0 >= vent.y0 - 1e-9 and other.y1 <= vent.y1 + 1e-9


def _area(rect: Rect) -> float:
    return rect.width * rect.height


def _does_not_fit(plan: OpeningPlan, size_m: Point, margins: tuple[float, ...]) -> DesignError:
    width, height = group_size(plan)
    where = (
        ""
        if plan.position_m is None
        else (f" at ({plan.position_m[0] * 1e3:.1f}, {plan.position_m[1] * 1e3:.1f}) mm")
    )
    size = (
        "with what else is there"
        if plan.fill
        else (f"{width * 1e3:.1f} x {height * 1e3:.1f} mm with its sleeve")
    )
    rims = ", ".join(f"{margin * 1e3:.1f}" for margin in margins)
    return DesignError(
        f"crossing {plan.id} ({size}){where}"
        f" does not fit on face {plan.face} of {size_m[0] * 1e3:.1f} x {size_m[1] * 1e3:.1f} mm,"
        f" whose rims of {rims} mm (left, right, bottom, top) the seams need.",
        remedy="move the crossing, make it smaller, put it on another face, or choose a flatter"
        " seam module.",
        conflict=(f"crossings.{plan.id}", f"targets.tool (face {plan.face})"),
    )
