"""Whatever a reader yields, nothing unsound comes out of its watcher unflagged."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from casemate.core.challenge import Challenge, points
from casemate.core.samples import Block, Channel, Health
from casemate.core.watch import Limits, watched

CHALLENGE = Challenge(
    key=bytes(32), modality="m", epoch=0, chip_s=0.5, constellation="amplitude", symbols=4
)
PEAK = float(np.abs(points("amplitude", 4)).max())
CHANNELS = (
    Channel(id="driven", modality="m", unit="ohm", low=0.0, high=50.0),
    Channel(id="resting", modality="m", unit="K", low=200.0, high=400.0, excited=False),
    Channel(id="free", modality="m", unit="V"),
)
ANY = st.one_of(
    st.floats(width=64),
    st.sampled_from([0.0, -0.0, 50.0, 50.0 * PEAK, 200.0, 400.0, 400.1, np.nan, np.inf, 1e308]),
)
WHOLE = st.integers(-(2**63), 2**63 - 1)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    count = draw(st.integers(0, 12))
    columns = draw(st.sampled_from([3, 3, 3, 3, 2, 0]))
    complex_ = draw(st.booleans())
    shape = (count, columns)
    values = draw(hnp.arrays(np.float64, shape, elements=ANY))
    if complex_:
        real, values = values, np.empty(shape, dtype=np.complex128)
        values.real, values.imag = real, draw(hnp.arrays(np.float64, shape, elements=ANY))
    kind = draw(st.sampled_from(["uint16", "int64", "float64"]))
    flags = st.sampled_from([0, 0, 0, 1, 4, 511]) | (
        st.integers(0, 65_535) if kind == "uint16" else st.sampled_from([-1, 65_536, 2**40])
    )
    health = draw(hnp.arrays(np.dtype(kind), shape, elements=flags, fill=st.just(0)))
    tidy = draw(st.booleans())
    first = draw(st.integers(0, 40))
    t_s = (first + np.arange(count)) * 0.5 if tidy else draw(hnp.arrays(float, count, elements=ANY))
    chip = first + np.arange(count) if tidy else draw(hnp.arrays(np.int64, count, elements=WHOLE))
    return Block(t_s=t_s, chip=chip, values=values, health=health)


@given(st.lists(blocks(), max_size=8), st.integers(0, 4))
def test_nothing_unsound_passes_unflagged(given_: list[Block], stalled: int) -> None:
    limits = Limits(stalled_samples=stalled, rate_samples=4)
    out = list(watched(iter(given_), CHANNELS, CHALLENGE, limits=limits))
    assert len(out) == len(given_)
    for before, after in zip(given_, out, strict=True):
        assert after.values.shape == (before.t_s.size, len(CHANNELS)) == after.health.shape
        assert after.health.dtype == np.uint16 and after.chip.dtype == np.int64
        good = after.good
        assert np.isfinite(after.values[good]).all()
        # what stands at an end of its range keeps its sign, or it would be lost by its sign
        railed = after.health == np.uint16(Health.CLIPPED)
        assert np.isnan(after.values[~good & ~railed]).all()
        assert (np.abs(after.values[:, 0][good[:, 0]]) <= 50.0 * PEAK).all()
        resting = after.values[:, 1][good[:, 1]]
        assert ((resting.real >= 200.0) & (resting.real <= 400.0) & (resting.imag == 0.0)).all()
        if before.values.shape == after.values.shape:
            assert (good <= (np.asarray(before.health) == 0)).all()
            np.testing.assert_array_equal(after.values[good], before.values[good])


@given(st.lists(blocks(), max_size=8))
def test_good_samples_follow_one_another(given_: list[Block]) -> None:
    out = list(watched(iter(given_), CHANNELS, CHALLENGE))
    rows = [(t, c) for b in out for t, c, g in zip(b.t_s, b.chip, b.good, strict=True) if g.any()]
    times, numbers = [t for t, _ in rows], [c for _, c in rows]
    assert numbers == sorted(set(numbers)) and all(c >= 0 for c in numbers)
    assert times == sorted(set(times))


@given(st.lists(st.one_of(st.none(), st.integers(), st.text(), blocks()), max_size=5))
def test_a_stream_of_anything_raises_nothing(given_: list[object]) -> None:
    for block in watched(iter(given_), CHANNELS, CHALLENGE):  # type: ignore[arg-type]
        assert np.isfinite(block.values[block.good]).all()


@given(
    st.lists(st.sampled_from([0.5] * 12 + [0.51, 0.7, 0.0, -3.0, 5.0, 40.0]), max_size=60),
    st.lists(st.sampled_from([1] * 12 + [0, 2, -5, 10_000]), min_size=60, max_size=60),
    st.lists(st.integers(0, 60), max_size=5),
)
def test_how_a_stream_is_cut_into_blocks_changes_nothing(
    steps_s: list[float], jumps: list[int], cuts: list[int]
) -> None:
    t_s = np.cumsum(np.array([0.0, *steps_s]))
    chip = np.cumsum(np.array([0, *jumps[: len(steps_s)]], dtype=np.int64))
    values = np.random.default_rng(0).normal(300.0, 60.0, (t_s.size, 3))
    values[:, 0] = np.round(values[:, 0] / 100.0)
    whole = Block(t_s=t_s, chip=chip, values=values, health=np.zeros(values.shape, np.uint16))
    edges = [0, *sorted(min(cut, t_s.size) for cut in cuts), t_s.size]
    parts = [
        Block(t_s=t_s[a:b], chip=chip[a:b], values=values[a:b], health=whole.health[a:b])
        for a, b in pairwise(edges)
    ]
    limits = Limits(rate_samples=8, stalled_samples=3)
    one = next(watched(iter([whole]), CHANNELS, CHALLENGE, limits=limits))
    many = list(watched(iter(parts), CHANNELS, CHALLENGE, limits=limits))
    np.testing.assert_array_equal(np.concatenate([b.health for b in many]), one.health)
