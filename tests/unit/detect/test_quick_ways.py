"""Quick ways of a running detector against what they stand for: to the bit, or to 1e-12."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.detect import _court_kernel as court
from casemate.detect import _evidence_kernel, focus
from casemate.detect.anchor import PassiveAnchor
from casemate.detect.bank import Shown
from casemate.detect.evidence import Evidence
from casemate.detect.passive import FULL, PassiveBank
from casemate.detect.silence import UNHEARD, Silence, heard_nats, least_power, quiet_nats
from casemate.detect.verdict import _log_of, _log_sum

KINDS = ("temperature", "temperature", "temperature", "light", "humidity", "humidity")
COUNT = len(KINDS)


def sensors() -> PassiveAnchor:
    coefficients = np.zeros((COUNT, 3))
    coefficients[4:] = 0.5, 0.2, 0.1
    coefficients[1] = 0.4, 0.0, 0.0
    return PassiveAnchor(
        modality="environment", chip_s=0.1, names=tuple(f"s{k}" for k in range(COUNT)),
        tiles=("",) * COUNT, kind=KINDS, nominal=np.ones(COUNT), spread=np.full(COUNT, 0.1),
        log=np.array([each == "light" for each in KINDS]),
        contrast=np.array([each == "temperature" for each in KINDS]),
        coefficients=coefficients, innovation=np.full(COUNT, 0.5), slack=np.full(COUNT, 0.1),
        bound=np.full(COUNT, 8.0), noise=np.full(COUNT, 0.5),
    )  # fmt: skip


class Long(PassiveBank):
    """Sensors that take each window by the way of several."""

    def _one(self, values: np.ndarray, lost: np.ndarray) -> object:  # type: ignore[override]
        x = self.off(values, lost)
        self._take(self._batched(self._tests(x)))
        count = len(self.anchor.names)
        now = np.maximum(self.score[:count], self.score[count:])
        return self._shown(x[-1], np.where(self.stands > 0, np.maximum(now, self.peak), now))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 999), st.sampled_from(("calm", "gaps", "wild", "step", "nonsense")))
def test_one_window_of_sensors_is_what_several_would_be(seed: int, scene: str) -> None:
    generator = np.random.default_rng(seed)
    one, other = PassiveBank(sensors()), Long(sensors())
    top = 0.0
    for number in range(160):
        values = 1.0 + 0.05 * generator.standard_normal((1, COUNT))
        lost = np.zeros((1, COUNT), dtype=np.bool_)
        if scene == "gaps":
            lost[0] = generator.random(COUNT) < 0.2
        elif scene == "wild" and generator.random() < 0.1:
            values[0, generator.integers(COUNT)] = 50.0
        elif scene == "step" and number > 60:
            values[0, 4], values[0, 0] = 1.9, 1.4
        elif scene == "nonsense" and generator.random() < 0.2:
            values[0, generator.integers(COUNT)] = generator.choice([np.nan, np.inf, -1.0, 1e300])
        found, wanted = one.add(values, lost), other.add(values, lost)
        for name in ("z", "lost", "nats"):
            assert np.allclose(getattr(found, name), getattr(wanted, name), rtol=0.0, atol=1e-12)
        assert np.array_equal(one.score, other.score)
        assert np.array_equal(one.stands, other.stands) and np.array_equal(one.peak, other.peak)
        for mine, its in zip(one.filters, other.filters, strict=True):
            assert np.array_equal(mine.state.memory, its.state.memory)
            assert np.array_equal(mine.heard, its.heard) and np.array_equal(mine.gone, its.gone)
        top = max(top, float(found.nats.max()))
    assert scene != "step" or top >= FULL, "the step has to bring an alarm, or nothing was compared"


def test_nominal_of_nothing_takes_the_long_way() -> None:
    anchor = sensors()
    anchor.nominal[3] = 0.0  # a logarithm over nothing
    one, other = PassiveBank(anchor), Long(anchor)
    none = np.zeros((1, COUNT), dtype=np.bool_)
    for _ in range(3):
        found, wanted = one.add(np.ones((1, COUNT)), none), other.add(np.ones((1, COUNT)), none)
        assert np.array_equal(found.nats, wanted.nats) and np.array_equal(found.z, wanted.z)


def shown(generator: np.random.Generator, scene: str) -> Shown:
    count = 40
    bits = generator.random(count) < 0.1
    nats = 3.0 * generator.standard_normal((2, count))
    if scene == "loud":
        nats[0, :4] = 9.0, 30.0, 690.0, 12.0
    if scene == "none":
        nats[0, 2], nats[1, 5] = np.nan, -np.inf
    if scene == "sure":
        nats[0, 7] = np.inf
    return Shown(
        modality="m", names=("f",) * count, tiles=("",) * count, anchored=nats[0], step=nats[1],
        interference=np.abs(6.0 * generator.standard_normal(count)),
        information=generator.choice([0.0, 5.0, 60.0, np.nan], count), healthy=np.full(count, 60.0),
        window_s=0.1, open_=bits & (scene == "loud"), lost=bits & (scene == "none"),
        off=np.zeros(count), at_bound=bits, shared=bits,
    )  # fmt: skip


@given(st.integers(0, 999), st.sampled_from(("calm", "loud", "none", "sure")))
def test_a_glance_is_what_the_definitions_say(seed: int, scene: str) -> None:
    each = shown(np.random.default_rng(seed), scene)
    need, noise, speaks, shrink = 20.0, 14.0, 12.0, 8.0
    nats, over, dark, mute, loud, cut, lost, quiet, low = court.glance(
        each.nats, each.interference, each.information, each.healthy, each.open_, each.lost, need,
        noise, speaks, shrink,
    )  # fmt: skip
    with np.errstate(invalid="ignore"):
        most = max(float(np.fmax.reduce(each.nats, initial=-700.0)), -700.0)
        total = float(np.nansum(np.exp(each.nats - most))) + math.exp(-700.0 - most)
    assert nats == (np.inf if most == np.inf else pytest.approx(most + math.log(total), abs=1e-12))
    assert over == pytest.approx(float(np.fmax(each.nats - shrink, 0.0).sum()), abs=1e-12)
    enough = np.minimum(need, 0.5 * each.healthy)
    told = each.open_ & (each.nats >= speaks)
    blind = np.isnan(each.nats) | (~(each.information >= enough) & ~told)
    assert dark == int(blind.sum()) and mute == int((blind & each.lost).sum())
    assert loud == bool((~(each.interference < noise)).any())
    assert cut == bool(each.open_.any()) and lost == bool(each.lost.any())
    explained = (each.nats >= speaks) | (each.interference >= speaks) | each.open_ | each.lost
    assert quiet == (not explained.any()) and low == bool((each.nats <= shrink).all())


@given(st.integers(0, 999))
def test_chips_join_a_test_as_the_mean_of_evidence_says(seed: int) -> None:
    generator = np.random.default_rng(seed)
    each = shown(generator, "calm")
    each.anchored[:3], each.step[:3] = (-700.7, 690.0, -700.7), (-700.7, -700.7, 690.0)
    chips = np.exp(generator.uniform(-60.0, 65.0, 40))
    chips[3:9] = 0.0
    found = each.with_chips(chips, 2e-3, None)
    with np.errstate(divide="ignore"):
        wanted = np.logaddexp(each.anchored, np.log(2e-3 * chips))
    assert np.allclose(found.anchored, wanted, rtol=0.0, atol=1e-12)
    assert np.allclose(
        found.nats, np.logaddexp(wanted, each.step) - math.log(2.0), rtol=0, atol=1e-12
    )
    assert each.nats[4] != found.nats[9], "each has nats of its own"


@given(st.integers(0, 999), st.floats(2.0, 3000.0))
def test_interference_below_what_is_looked_at_is_told_as_none(seed: int, most: float) -> None:
    generator = np.random.default_rng(seed)
    count = np.minimum(most * generator.choice([0.0, 0.1, 0.9, 1.0], 200), most)
    mean = 1.0 + generator.standard_normal(200) * 4.0 / np.sqrt(np.maximum(count, 1.0))
    power = np.abs(mean) * count
    found = heard_nats(power, count, least_power(float(count.max())))
    over = np.divide(power, count, out=np.zeros(200), where=count > 0.0)
    wanted = quiet_nats(over, count)
    assert np.array_equal(found, np.where(wanted >= UNHEARD, wanted, 0.0))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 9999), st.floats(1.0, 1.6))
def test_a_count_rounded_up_leaves_interference_as_it_is(seed: int, loud: float) -> None:
    generator = np.random.default_rng(seed)
    found = Silence.start(np.ones(300))
    found.count[:] = generator.integers(3, 1000, 300).astype(np.float64)
    found.power[:] = found.count * loud * generator.gamma(30.0, 1.0 / 30.0, 300)
    most, top = float(found.count.max()), float((found.power / found.count).max())
    exact = heard_nats(found.power, found.count, least_power(most))
    assert np.array_equal(found.heard(most, top), exact)
    assert loud < 1.5 or exact.max() > UNHEARD, "something has to be heard"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.floats(-1e4, 700.0), st.sampled_from([np.nan, -np.inf])), max_size=6))
def test_a_few_values_sum_as_many_do(nats: list[float]) -> None:
    wanted = _log_sum(np.array([-700.0, *nats]))
    assert _log_of(tuple(nats)) == pytest.approx(wanted, abs=1e-12, rel=1e-14)


def test_a_few_values_without_end_sum_to_none() -> None:
    assert _log_of((1.0, math.inf)) == _log_sum(np.array([-700.0, 1.0, math.inf])) == math.inf


def test_more_chips_need_less_power() -> None:
    """Or else the largest count would not be the one that decides for all."""
    least = [least_power(float(n)) for n in np.geomspace(0.5, 1e6, 400)]
    assert all(later < earlier for earlier, later in zip(least, least[1:], strict=False))
    assert quiet_nats(np.array([least[200]]), np.array([np.geomspace(0.5, 1e6, 400)[200]]))[
        0
    ] == pytest.approx(UNHEARD, abs=1e-4)


def test_order_in_memory_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are compiled for one order; for the other they are taken as Python."""
    generator = np.random.default_rng(5)
    one = Evidence.start(9, 6)
    flat = {name: np.ascontiguousarray(getattr(one, name)) for name in ("r", "held", "spent")}
    flat["tails"] = one.tails.copy()
    for number in range(80):
        up = 2.0 * generator.standard_normal((2, 9))
        energy = np.abs(generator.standard_normal((2, 9)))
        _evidence_kernel.advance(
            one.r, one.held, one.spent, one.tails, number, up, energy, one.rates, one.level
        )
        with monkeypatch.context() as plain:
            for name in ("move", "sum_up", "begins", "join", "add_to", "member", "grown", "put"):
                plain.setattr(_evidence_kernel, name, getattr(_evidence_kernel, name).py_func)
            plainly = _evidence_kernel.advance.py_func
            plainly(*flat.values(), number, up, energy, one.rates, one.level)
    assert all(np.array_equal(getattr(one, name), rows) for name, rows in flat.items())
    copy = one.copy()
    assert copy.r.flags.f_contiguous and np.array_equal(copy.r, one.r)


def test_streams_that_grow_stay_in_order() -> None:
    """A convex series keeps all of its corners, so hulls grow; what they say stays."""
    state = focus.start(3)
    x = np.linspace(0.0, 3.0, 90)[:, None] * np.array([1.0, -1.0, 0.0])
    out = focus.advance(state, x)
    assert state.times.flags.f_contiguous and state.times.shape[2] > 32
    total = x.sum(axis=0)
    change = focus.change(state)
    assert change.nats[0] == pytest.approx(out[-1, 0]) and change.nats[2] == 0.0
    assert change.size[0] == -change.size[1] > 0.0 and total[0] > 0.0
