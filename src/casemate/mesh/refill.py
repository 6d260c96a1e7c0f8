"""Refilling: where a drill passes, take back the detours round the place and lay others.

The detours of `tours.bump_fill` are laid in one order for the whole layer. Round a curved opening,
a corner or a terminal another order often leaves less bare. So each bad place gets a window, in
which many orders are tried, drawn from the layer's keystream; the one that stops drills best stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from casemate.mesh.region import Lattice
from casemate.mesh.rim import Fingers, push_fingers_within
from casemate.mesh.tours import bump_fill, contract

HALF = 6
"""Nodes from a window's middle to its rim: what may be laid anew."""
MARGIN = 5
"""Nodes round the window that are looked at and stay."""
JITTER = (1, 3, 8, 26)
"""Largest disturbance of the order, in nodes of free way ahead; each is used for every fourth."""


@dataclass(slots=True)
class Filling:
    """One layer while it is filled: links and fingers may change where `own` is True.

    own: nodes that detours won. barrels: vias with copper here,
    rows (x, y, radius of the drill), in nm of the working frame.
    """

    lattice: Lattice
    links: npt.NDArray[np.uint8]
    covered: npt.NDArray[np.bool_]
    usable: npt.NDArray[np.bool_]
    own: npt.NDArray[np.bool_]
    fingers: dict[int, int]
    noise: npt.NDArray[np.uint8]
    barrels: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))

    @property
    def codes(self) -> Fingers:
        """Return the fingers as ascending codes and heights."""
        codes = np.array(sorted(self.fingers), dtype=np.int64)
        heights = np.array([self.fingers[int(code)] for code in codes], dtype=np.int64)
        return codes, heights


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What a window is judged by: aim (radius, nm), half trace width, pad radius, and how
    many orders are tried.

    edges: of the board near the window, rows x0, y0, x1, y1. gaps: what centrelines keep from
    traces, from vias' centres and from edges.
    """

    aim: float
    half: float
    pad: float
    orders: int
    edges: npt.NDArray[np.float64]
    gaps: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Place:
    """A window: `whole` with its margin, `inner` without, as rows and columns of the layer."""

    whole: tuple[slice, slice]
    inner: tuple[slice, slice]


def window_at(filling: Filling, x: float, y: float) -> Place:
    """Return the window about a place."""
    lattice = filling.lattice
    middle = (
        round((y - lattice.y_nm) / lattice.pitch_nm),
        round((x - lattice.x_nm) / lattice.pitch_nm),
    )

    def about(reach: int) -> tuple[slice, slice]:
        rows, columns = (
            slice(max(0, at - reach), min(size, at + reach + 1))
            for at, size in zip(middle, filling.links.shape, strict=True)
        )
        return rows, columns

    return Place(about(HALF + MARGIN), about(HALF))


def window_points(filling: Filling, place: Place, samples: int) -> npt.NDArray[np.float64]:
    """Return the places at which a window is judged: its inside and two nodes beyond.

    samples: along a pitch.
    """
    lattice, (rows, columns) = filling.lattice, place.inner
    axes = []
    for span, origin in ((columns, lattice.x_nm), (rows, lattice.y_nm)):
        count = (span.stop + 3 - span.start) * samples + 1
        axes.append(origin + np.linspace(span.start - 2, span.stop + 1, count) * lattice.pitch_nm)
    x, y = np.meshgrid(*axes)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def refill(
    filling: Filling,
    place: Place,
    points: npt.NDArray[np.float64],
    other: npt.NDArray[np.float64],
    judge: Judge,
) -> bool:
    """Lay the window anew if that stops drills better; return whether it did.

    points, other: where drills are tried, and the radius at which all else stops them there.
    """
    part = _Window(filling, place, judge)
    bad = other > judge.aim
    best = part.score(points[bad], other[bad], part.links, part.fingers, np.inf)
    if best <= 0.0:
        return False
    chosen = None
    for order in range(judge.orders):
        links, covered, fingers = part.laid_anew(order)
        score = part.score(points[bad], other[bad], links, fingers, best)
        if score < 0.99 * best:
            best, chosen = score, (links, covered, fingers)
        if best <= 0.0:
            break
    if chosen is None:
        return False
    part.keep(*chosen)
    return True


class _Window:
    """Copies of a filling's arrays round one place."""

    def __init__(self, filling: Filling, place: Place, judge: Judge) -> None:
        window = place.whole
        self.filling, self.window, self.judge = filling, window, judge
        rows, columns = window
        base = filling.lattice
        self.links = filling.links[window].copy()
        self.shape = self.links.shape
        self.lattice = Lattice(
            x_nm=base.x_nm + columns.start * base.pitch_nm,
            y_nm=base.y_nm + rows.start * base.pitch_nm,
            pitch_nm=base.pitch_nm, lanes=base.lanes, columns=0, rows=0,
        )  # fmt: skip
        self.links[:, -1] &= 2  # links that leave the window
        self.links[-1, :] &= 1
        self.covered = filling.covered[window].copy()
        self.inner = np.zeros(self.shape, dtype=np.bool_)
        self.inner[
            place.inner[0].start - rows.start : place.inner[0].stop - rows.start,
            place.inner[1].start - columns.start : place.inner[1].stop - columns.start,
        ] = True
        self.fingers = self._fingers()
        self.fixed = self._fixed()
        self.own = filling.own[window] & self.inner
        shut = np.zeros((*self.shape, 2), dtype=np.bool_)
        usable = filling.usable[window] & self.inner
        for code in self.fixed[0]:
            row, column = divmod(int(code) // 2, self.shape[1])
            shut[row, column, int(code) % 2] = True
            usable[max(0, row - 1) : row + 3, max(0, column - 1) : column + 3] = False
        self.usable, self.shut = usable, shut
        near = filling.barrels
        x0, y0 = self.lattice.x_nm - 1e6, self.lattice.y_nm - 1e6
        x1, y1 = x0 + 2e6 + self.shape[1] * base.pitch_nm, y0 + 2e6 + self.shape[0] * base.pitch_nm
        self.feet: tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]] | None = None
        self.barrels = near[
            (near[:, 0] > x0) & (near[:, 0] < x1) & (near[:, 1] > y0) & (near[:, 1] < y1)
        ]

    def _fingers(self) -> Fingers:
        """Return the fingers of the window in its own codes."""
        rows, columns = self.window
        total = self.filling.links.shape[1]
        codes, heights = [], []
        for row in range(rows.start, rows.stop - 1):
            for code in range(
                (row * total + columns.start) * 2, (row * total + columns.stop - 1) * 2
            ):
                if code in self.filling.fingers:
                    at = (row - rows.start) * self.shape[1] + code // 2 % total - columns.start
                    codes.append(at * 2 + code % 2)
                    heights.append(self.filling.fingers[code])
        return np.array(codes, dtype=np.int64), np.array(heights, dtype=np.int64)

    def _fixed(self) -> Fingers:
        codes, heights = self.fingers
        rows, columns = np.divmod(codes // 2, self.shape[1])
        last = np.array(self.shape) - 1  # a link that ends beyond the window is not in it
        far = np.minimum(rows + codes % 2, last[0]), np.minimum(columns + 1 - codes % 2, last[1])
        free = self.inner[rows, columns] & self.inner[far]
        return codes[~free], heights[~free]

    def laid_anew(self, order: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], Fingers]:
        """Return links, covered nodes and fingers of one order."""
        if self.feet is None:
            self.feet = self.links.copy(), self.covered.copy()
            contract(*self.feet, self.own, self.shut)
        links, covered = self.feet[0].copy(), self.feet[1].copy()
        size = 2 * self.links.size
        begin = order * 97 % max(1, len(self.filling.noise) - size)
        noise = self.filling.noise[begin : begin + size].reshape(2 * self.shape[0], self.shape[1])
        jitter = noise.astype(np.int64) * JITTER[order % len(JITTER)] // 256
        bump_fill(links, self.usable, covered, jitter)
        judge = self.judge
        fingers = push_fingers_within(
            self.lattice, links, covered, self.inner, self.fixed,
            (self.barrels, judge.edges, judge.gaps),
        )  # fmt: skip
        return links, covered, fingers

    def score(
        self,
        points: npt.NDArray[np.float64],
        other: npt.NDArray[np.float64],
        links: npt.NDArray[np.uint8],
        fingers: Fingers,
        least: float,
    ) -> float:
        """Return how much passes; 0 if nothing above the aim does."""
        from casemate.mesh._refill_kernel import window_score, window_strips

        lattice, judge = self.lattice, self.judge
        strips = window_strips(
            links, *fingers, float(lattice.x_nm), float(lattice.y_nm), float(lattice.pitch_nm),
            judge.half, judge.pad,
        )  # fmt: skip
        return float(
            window_score(points, other, strips, self.barrels, judge.aim, judge.half, least)
        )

    def keep(
        self, links: npt.NDArray[np.uint8], covered: npt.NDArray[np.bool_], fingers: Fingers
    ) -> None:
        """Write a filling back."""
        filling, (rows, columns) = self.filling, self.window
        whole = filling.links[self.window]
        leaving = whole.copy()
        whole[:] = links
        whole[:, -1] |= leaving[:, -1] & 1
        whole[-1, :] |= leaving[-1, :] & 2
        grown = covered & ~filling.covered[self.window]
        filling.own[self.window] |= grown
        filling.covered[self.window] = covered
        total = filling.links.shape[1]

        def outside(code: int) -> int:
            row, column = divmod(code // 2, self.shape[1])
            return int(((row + rows.start) * total + column + columns.start) * 2 + code % 2)

        for code in self.fingers[0]:
            del filling.fingers[outside(int(code))]
        for code, height in zip(*fingers, strict=True):
            filling.fingers[outside(int(code))] = int(height)
