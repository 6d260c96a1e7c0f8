"""An atlas over a surface that is known in every cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.attacks.move import Parameter
from casemate.campaigns.search.atlas import Atlas, Axis, Measured, atlas, folded
from casemate.campaigns.search.margin import Real
from casemate.campaigns.search.space import Candidate, Space
from casemate.core.errors import CampaignError, InputError

RANGES = (("seconds", 1.0, 1e6), ("metres", 1e-5, 1e-2), ("watt", 1e-3, 1e3))
SPACE = Space(
    parameters=(
        *(Parameter(name=name, low=low, high=high, default=low, unit="", about="", scale="log")
          for name, low, high in RANGES),
        Parameter(name="skill", low=-1.0, high=1.0, default=0.0, unit="", about=""),
    )
)  # fmt: skip
AXES = tuple(
    Axis(name=name, unit="", low=low, high=high, cells=cells)
    for (name, low, high), cells in zip(RANGES, (6, 3, 3), strict=True)
)


def surface(seconds: float, metres: float, watt: float) -> float:
    """Return what the best skill reaches: less with time and power, more with displacement."""
    return math.log(metres / 1e-3) - 0.5 * math.log(seconds / 1e3) - 0.25 * math.log(watt)


def known(candidates: Sequence[Candidate], seeds: Sequence[int]) -> tuple[Real, Real]:
    losses, measures = [], []
    for each in candidates:
        *at, skill = each.values.values()
        noise = [0.01 * np.random.default_rng(seed).standard_normal() for seed in seeds]
        losses.append(surface(*at) + 8.0 * (skill - 0.3) ** 2 + np.array(noise))
        measures.append(at)
    return np.array(losses), np.array(measures)


def least(at: tuple[int, ...]) -> float:
    """Return the least of the surface in a cell: it is monotone along each axis."""
    seconds, metres, watt = (axis.edges for axis in AXES)
    return surface(seconds[at[0] + 1], metres[at[1]], watt[at[2] + 1])


@pytest.fixture(scope="module", autouse=True)
def uncompiled() -> Iterator[None]:
    """Run pyribs' own kernels as the Python that they are: to compile them takes longer."""
    from ribs.emitters.opt import CMAEvolutionStrategy

    with pytest.MonkeyPatch.context() as patch:
        for name, value in vars(CMAEvolutionStrategy).items():
            inner = getattr(value, "__func__", value)
            if hasattr(inner, "py_func"):
                patch.setattr(CMAEvolutionStrategy, name, staticmethod(inner.py_func))
        yield


@pytest.fixture(scope="module")
def drawn(uncompiled: None) -> Atlas:
    return atlas(known, SPACE, AXES, seed=1, budget=8000, seeds=1)


def test_cells_hold_the_surface(drawn: Atlas) -> None:
    over = [cell.loss - least(cell.at) for cell in drawn.cells]
    assert drawn.coverage > 0.95 and drawn.trials <= 8000
    assert min(over) > -0.05  # the noise of the one seed
    assert np.median(over) < 0.9  # a cell spans 3.6 to 5 nats
    assert all(
        axis.edges[k] <= value <= axis.edges[k + 1]
        for cell in drawn.cells
        for axis, k, value in zip(AXES, cell.at, cell.measures, strict=True)
    )


def test_margins_are_laid_out_by_cell_and_the_curve_rises(drawn: Atlas) -> None:
    grid = drawn.margins()
    assert grid.shape == (6, 3, 3)
    assert np.isfinite(grid).sum() == len(drawn.cells)
    for cell in drawn.cells:
        assert grid[cell.at] == cell.loss
    trials, shares, won = zip(*drawn.curve, strict=True)
    assert list(shares) == sorted(shares) and list(won) == sorted(won)
    assert trials[-1] == drawn.trials and shares[-1] == drawn.coverage
    assert won[-1] == sum(cell.loss < 0.0 for cell in drawn.cells)


def test_it_maps_better_than_drawing_alone(drawn: Atlas) -> None:
    generator = np.random.default_rng(1)
    candidates = [SPACE.decoded(unit) for unit in SPACE.drawn(drawn.trials, generator)]
    losses, measures = known(candidates, [1])
    best = np.full((6, 3, 3), np.nan)
    for loss, row in zip(losses[:, 0], measures, strict=True):
        at = tuple(
            min(int(np.searchsorted(axis.edges, value, side="right")) - 1, axis.cells - 1)
            for axis, value in zip(AXES, row, strict=True)
        )
        best[at] = np.fmin(best[at], loss)
    gain = best - drawn.margins()
    assert np.nanmedian(gain) > 0.0


def test_the_same_seed_gives_the_same_map() -> None:
    one, two = (atlas(known, SPACE, AXES, seed=4, budget=1500, seeds=2) for _ in range(2))
    assert one == two and one != atlas(known, SPACE, AXES, seed=5, budget=1500, seeds=2)


def test_what_lies_outside_is_counted_and_holds_no_cell() -> None:
    """The least losses lie beyond the map; taken into its rim they would be called too low."""
    short = (Axis(name="seconds", unit="s", low=1.0, high=1e3, cells=3), *AXES[1:])
    found = atlas(known, SPACE, short, seed=1, budget=4000, seeds=1)
    assert found.outside > 100
    edges = short[0].edges
    for cell in found.cells:
        best = surface(
            edges[cell.at[0] + 1], AXES[1].edges[cell.at[1]], AXES[2].edges[cell.at[2] + 1]
        )
        assert cell.loss > best - 0.05 and cell.measures[0] <= 1e3
    assert found.coverage > 0.9


@given(st.lists(st.floats(-9.0, 9.0), min_size=1, max_size=4))
def test_folding_stays_inside_leaves_the_cube_alone_and_has_no_break(point: list[float]) -> None:
    at = np.array(point)
    assert ((folded(at) >= 0.0) & (folded(at) <= 1.0)).all()
    assert folded(folded(at)) == pytest.approx(folded(at), abs=1e-12)
    assert folded(at + 1e-6) == pytest.approx(folded(at), abs=1.1e-6)


def test_linear_axes_and_values_at_edges() -> None:
    axis = Axis(name="x", unit="", low=0.0, high=1.0, cells=4, log=False)
    assert axis.edges == (0.0, 0.25, 0.5, 0.75, 1.0)

    def measured(candidates: Sequence[Candidate], seeds: Sequence[int]) -> tuple[Real, Real]:
        x = np.array([[round(4 * each.values["skill"]) / 4] for each in candidates])
        return np.zeros((len(candidates), 1)), x

    found = atlas(measured, SPACE, (axis,), seed=0, budget=400, seeds=1)
    assert {cell.at: cell.measures for cell in found.cells} == {
        (0,): (0.0,), (1,): (0.25,), (2,): (0.5,), (3,): (0.75,),
    }  # fmt: skip


def _nan(measured: Measured) -> Measured:
    def worse(candidates: Sequence[Candidate], seeds: Sequence[int]) -> tuple[Real, Real]:
        losses, measures = measured(candidates, seeds)
        return np.where(np.arange(len(candidates))[:, None] == 3, np.nan, losses), np.array(
            measures
        )

    return worse


def _short(measured: Measured) -> Measured:
    return lambda candidates, seeds: (measured(candidates, seeds)[0], np.zeros((3, 3)))


@pytest.mark.parametrize(("spoilt", "words"), [(_nan, "number"), (_short, "shapes")])
def test_spoilt_figures_are_refused(spoilt: Callable[[Measured], Measured], words: str) -> None:
    with pytest.raises(CampaignError, match=words):
        atlas(spoilt(known), SPACE, AXES, seed=0, budget=400, seeds=1)


def test_axes_and_budgets_without_sense_are_refused() -> None:
    with pytest.raises(InputError):
        atlas(known, SPACE, AXES, seed=0, budget=100)
    for low, high, log in ((1.0, 1.0, False), (0.0, 1.0, True)):
        with pytest.raises(InputError):
            Axis(name="x", unit="", low=low, high=high, cells=3, log=log)
