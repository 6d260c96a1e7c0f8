"""An atlas of attacks: the least margin for each duration, displacement and injected power.

CMA-ME (Fontaine and others 2020) by pyribs: several CMA-ES emitters, each ranking what it makes by
how much it improves the map, share a budget. Cells are kept here as well as in pyribs, since its
grid counts what lies outside its ranges as in its outermost cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from casemate.campaigns.search.adaptive import probes
from casemate.campaigns.search.margin import MOST, Real, generator_of, seeds_of
from casemate.campaigns.search.space import Candidate, Space, Unit
from casemate.core.errors import CampaignError, InputError

BATCH = 36
"""Candidates of an emitter at a time, as in pyribs' own examples."""
EMITTERS = 5
STEP = 0.2
"""First standard deviation, in units of the ranges."""


class Measured(Protocol):
    """Losses of candidates under seeds, and where on the map they lie."""

    def __call__(
        self, candidates: Sequence[Candidate], seeds: Sequence[int]
    ) -> tuple[npt.ArrayLike, npt.ArrayLike]:
        """Return nats (candidates, seeds), never nan, and measures (candidates, axes) in SI."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis of the map, from low to high in `cells` even steps (of the logarithm if `log`)."""

    name: str
    unit: str
    low: float
    high: float
    cells: int
    log: bool = True

    def __post_init__(self) -> None:
        if not (self.low < self.high and self.cells >= 1 and (self.low > 0.0 or not self.log)):
            raise InputError(
                f"the axis {self.name} of an atlas has no range.",
                remedy="give low < high (above 0 if logarithmic) and a cell or more.",
                key=self.name,
            )

    @property
    def edges(self) -> tuple[float, ...]:
        """Return the edges of its cells, cells + 1."""
        if self.log:
            inner = np.geomspace(self.low, self.high, self.cells + 1)
        else:
            inner = np.linspace(self.low, self.high, self.cells + 1)
        return (self.low, *inner[1:-1].tolist(), self.high)

    def shown(self, value: float) -> float:
        """Return a measure as pyribs sees it; 0 of a logarithmic axis lies far below it."""
        return math.log(max(value, 1e-300)) if self.log else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The best candidate of a cell. at: its index on each axis."""

    at: tuple[int, ...]
    candidate: Candidate
    loss: float
    measures: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas:
    """What was found. curve: (trials, coverage, cells below 0) after each generation.

    outside: candidates whose measures lay on no cell.
    """

    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]
    trials: int
    outside: int
    curve: tuple[tuple[int, float, int], ...]

    @property
    def coverage(self) -> float:
        """Return the share of cells that hold an attack."""
        return len(self.cells) / math.prod(axis.cells for axis in self.axes)

    def margins(self) -> Real:
        """Return the least loss of each cell, (cells of axis 1, ...), nan where none was found."""
        found = np.full([axis.cells for axis in self.axes], np.nan)
        for cell in self.cells:
            found[cell.at] = cell.loss
        return found


def atlas(
    measured: Measured,
    space: Space,
    axes: tuple[Axis, ...],
    *,
    seed: int,
    budget: int,
    seeds: int = 4,
    emitters: int = EMITTERS,
) -> Atlas:
    """Return the map of least losses. budget: trials, of which each candidate takes `seeds`.

    The same seed gives the same map. CampaignError if a loss is nan.
    """
    common = seeds_of(seed, 0, seeds)
    generation = BATCH * emitters
    rounds = budget // (generation * seeds)
    if rounds < 1 or not axes:
        raise InputError(
            "the budget of an atlas does not pay for one generation.",
            remedy=f"give at least {generation * seeds} trials, or fewer seeds or emitters.",
            key="budget",
            value=budget,
        )
    scheduler = _scheduler(space, axes, seed, emitters)
    ledger = _Map(axes=axes)
    for _ in range(rounds):
        candidates = [space.decoded(folded(point)) for point in scheduler.ask()]
        losses, measures = _measured(measured, candidates, common, len(axes))
        inside = ledger.add(candidates, losses, measures, len(common))
        shown = [[axis.shown(m) for axis, m in zip(axes, row, strict=True)] for row in measures]
        # what lies outside the map must not hold a cell at its rim against a true attack
        scheduler.tell(np.where(inside, -losses, -2.0 * MOST), np.array(shown))
    return ledger.drawn()


def folded(point: Unit) -> Unit:
    """Return a point of all space as one of the unit cube, folded at its sides without a break.

    pyribs itself would draw again until a point lies inside, which near a corner may never end.
    """
    return 1.0 - np.abs(np.mod(point, 2.0) - 1.0)


def _scheduler(space: Space, axes: tuple[Axis, ...], seed: int, emitters: int) -> Any:
    """Return CMA-ME: new cells first, then gains; parents are what got in; start anew if none."""
    import numba

    config: Any = numba.config

    # its kernels are small: compiling them, anew in each process, costs more than running them
    compiled = config.DISABLE_JIT
    config.DISABLE_JIT = True
    try:
        from ribs.archives import GridArchive
        from ribs.emitters import EvolutionStrategyEmitter
        from ribs.schedulers import Scheduler
    finally:
        config.DISABLE_JIT = compiled

    archive = GridArchive(
        solution_dim=space.size,
        dims=[axis.cells for axis in axes],
        ranges=[(axis.shown(axis.low), axis.shown(axis.high)) for axis in axes],
        seed=seeds_of(seed, 5, 1)[0],
    )
    return Scheduler(
        archive,
        [
            EvolutionStrategyEmitter(
                archive,
                x0=probes(space, 2, generator_of(seed, 6, number))[number % 2],
                sigma0=STEP,
                ranker="2imp",
                selection_rule="filter",
                restart_rule="no_improvement",
                batch_size=BATCH,
                seed=seeds_of(seed, 7 + number, 1)[0],
            )
            for number in range(emitters)
        ],
    )


def _measured(
    measured: Measured, candidates: Sequence[Candidate], seeds: Sequence[int], axes: int
) -> tuple[Real, Real]:
    given, placed = measured(candidates, seeds)
    losses, measures = np.asarray(given, dtype=float), np.asarray(placed, dtype=float)
    wanted = (len(candidates), len(seeds)), (len(candidates), axes)
    if (losses.shape, measures.shape) != wanted:
        raise CampaignError(
            f"losses and measures have the shapes {losses.shape} and {measures.shape}.",
            remedy=f"return {wanted[0]} and {wanted[1]}.",
        )
    if np.isnan(losses).any() or np.isnan(measures).any():
        raise CampaignError(
            "a loss or measure of the atlas is not a number.",
            remedy="let a trial that cannot be judged raise, or count it as detected.",
        )
    return np.clip(losses, -MOST, MOST).mean(axis=1), measures


@dataclass(slots=True, kw_only=True)
class _Map:
    """The owner of the cells."""

    axes: tuple[Axis, ...]
    cells: dict[tuple[int, ...], Cell] = field(default_factory=dict)
    trials: int = 0
    outside: int = 0
    curve: list[tuple[int, float, int]] = field(default_factory=list)

    def add(
        self, candidates: Sequence[Candidate], losses: Real, measures: Real, seeds: int
    ) -> npt.NDArray[np.bool_]:
        """Keep what betters its cell; return which candidates lie on the map."""
        inside = np.zeros(len(candidates), dtype=bool)
        for k, candidate in enumerate(candidates):
            at = self._at(measures[k])
            if at is None:
                self.outside += 1
                continue
            inside[k] = True
            if at not in self.cells or losses[k] < self.cells[at].loss:
                self.cells[at] = Cell(
                    at=at,
                    candidate=candidate,
                    loss=float(losses[k]),
                    measures=tuple(measures[k].tolist()),
                )
        self.trials += len(candidates) * seeds
        won = sum(cell.loss < 0.0 for cell in self.cells.values())
        share = len(self.cells) / math.prod(axis.cells for axis in self.axes)
        self.curve.append((self.trials, share, won))
        return inside

    def _at(self, measures: Unit) -> tuple[int, ...] | None:
        found = []
        for axis, value in zip(self.axes, measures.tolist(), strict=True):
            if not axis.low <= value <= axis.high:
                return None
            at = int(np.searchsorted(axis.edges, value, side="right")) - 1
            found.append(min(at, axis.cells - 1))
        return tuple(found)

    def drawn(self) -> Atlas:
        """Return the map as it stands, cells in order."""
        return Atlas(
            axes=self.axes,
            cells=tuple(self.cells[at] for at in sorted(self.cells)),
            trials=self.trials,
            outside=self.outside,
            curve=tuple(self.curve),
        )
