"""Curves and maps carry the figures over unchanged."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.campaigns.search.as_results import as_map, convergence, over_means
from casemate.campaigns.search.atlas import Atlas, Axis, Cell
from casemate.campaigns.search.margin import Evaluation, Found
from casemate.campaigns.search.space import Candidate
from casemate.campaigns.search.sweep import Ladder, Level, Swept
from casemate.core.errors import InputError

ONE = Candidate(values={"a": 1.0})


def found(losses: tuple[float, ...], fresh: tuple[float, ...]) -> Found:
    rows = tuple(
        Evaluation(candidate=ONE, loss=loss, by_seed=(loss,), trials=k + 1, restart=0)
        for k, loss in enumerate(losses)
    )
    return Found(
        best=ONE, loss=min(losses), fresh=fresh, trials=len(losses), evaluations=rows, restarts=()
    )


def test_convergence_keeps_gains_and_the_end() -> None:
    series = convergence(found((3.0, 4.0, 1.0, 2.0), (1.0,)), "drill")
    assert (series.name, series.x, series.y) == ("drill", (1.0, 3.0, 4.0), (3.0, 1.0, 1.0))


def test_band_over_means_is_that_of_the_normal_law() -> None:
    fresh = tuple(np.random.default_rng(1).normal(2.0, 3.0, 400).tolist())
    row = Level(value=10.0, found=found((1.0,), fresh), random=None)
    swept = Swept(
        ladder=Ladder(means="power", unit="W", levels=(10.0,)), levels=(row,), ended="open",
        at=10.0, corner=ONE,
    )  # fmt: skip
    series = over_means(swept, "power")
    mean, error = np.mean(fresh), np.std(fresh, ddof=1) / 20.0
    assert (series.x, series.y) == ((10.0,), (pytest.approx(mean),))
    assert series.low == (pytest.approx(mean - 1.96 * error, abs=1e-4),)
    assert series.high == (pytest.approx(mean + 1.96 * error, abs=1e-4),)
    single = Swept(
        ladder=swept.ladder, levels=(Level(value=10.0, found=found((1.0,), (1.0,)), random=None),),
        ended="open", at=10.0, corner=ONE,
    )  # fmt: skip
    assert over_means(single, "power").low == ()


def test_map_has_none_where_no_attack_was_found() -> None:
    axes = tuple(
        Axis(name=name, unit=unit, low=1.0, high=100.0, cells=2)
        for name, unit in (("duration", "s"), ("displacement", "m"), ("power", "W"))
    )
    cell = Cell(at=(1, 0, 1), candidate=ONE, loss=-2.5, measures=(50.0, 2.0, 50.0))
    drawn = Atlas(axes=axes, cells=(cell,), trials=4, outside=0, curve=())
    shown = as_map(drawn, about="a", rerun="r")
    assert shown.x_name == "duration (s)" and shown.z == (1.0, pytest.approx(10.0), 100.0)
    assert shown.margin == (((None, None), (None, None)), ((None, -2.5), (None, None)))
    with pytest.raises(InputError):
        as_map(Atlas(axes=axes[:2], cells=(), trials=4, outside=0, curve=()), about="", rerun="")
