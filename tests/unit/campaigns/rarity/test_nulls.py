"""Nulls: made ones whose law is known, then the recordings (CASEMATE_DATA)."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from casemate.campaigns.rarity.exact import Cusum, threshold_for
from casemate.campaigns.rarity.nulls import (
    block_permuted,
    correlation_time,
    count_alarms,
    effective_channels,
    freeze,
    shuffled,
)
from casemate.campaigns.rarity.recordings import (
    Readings,
    temperature_readings,
    uwb_readings,
    wifi_readings,
)
from casemate.campaigns.rarity.tails import fit_tail, rarity
from casemate.core.errors import InputError
from outside_programs import needs
from truths import recorded

CUSUM = Cusum(k=0.5, h=threshold_for(1e3, 0.5, sides=2), sides=2)


def ar1(rho: float, n: int, channels: int, seed: int) -> np.ndarray:
    e = np.random.default_rng(seed).standard_normal((n, channels))
    x = np.empty_like(e)
    x[0] = e[0]
    for t in range(1, n):
        x[t] = rho * x[t - 1] + math.sqrt(1 - rho**2) * e[t]
    return x


def test_independent_normals_alarm_as_predicted() -> None:
    x = np.random.default_rng(1).standard_normal((60_000, 10))
    for order in ("recorded", "shuffled", "blocks"):
        found = count_alarms(x, CUSUM, np.random.default_rng(2), order=order, block=100)  # type: ignore[arg-type]
        assert found.low < found.predicted < found.high and abs(found.decades) < 0.06
        assert found.exposure == pytest.approx(600_000, rel=1e-2)


def test_memory_shows_in_order_and_in_blocks_and_not_in_a_shuffle() -> None:
    x = ar1(0.5, 20_000, 4, seed=3)
    found = {
        order: count_alarms(x, CUSUM, np.random.default_rng(4), order=order, block=200)  # type: ignore[arg-type]
        for order in ("recorded", "blocks", "shuffled")
    }
    assert found["recorded"].decades > 0.9 and found["blocks"].decades > 0.9
    assert abs(found["shuffled"].decades) < 0.2
    # coefficients of the first part take the memory away
    frozen = freeze(x[:5000], order=1)
    assert frozen.memory == pytest.approx(0.5, abs=0.05)
    white = count_alarms(frozen.residuals(x[5000:]), CUSUM, np.random.default_rng(5))
    assert abs(white.decades) < 0.2


def test_blocks_shorter_than_the_memory_hide_it() -> None:
    """Planted: blocks of 2 on a memory of 19 samples look far better than what was recorded."""
    x = ar1(0.9, 20_000, 2, seed=6)
    short, long = (
        count_alarms(x, CUSUM, np.random.default_rng(7), order="blocks", block=block)
        for block in (2, 400)
    )
    assert short.decades < long.decades - 0.5


def test_heavy_tails_show_in_a_shuffle_and_are_clipped_away() -> None:
    x = np.random.default_rng(8).standard_t(3, size=(60_000, 4)) / math.sqrt(3)
    plain = freeze(x[:10_000]).residuals(x[10_000:])
    cut = freeze(x[:10_000], clip=3.0).residuals(x[10_000:])
    rare = [
        Cusum(k=0.5, h=threshold_for(1e4, 0.5, clip, 2), clip=clip, sides=2)
        for clip in (math.inf, 3.0)
    ]
    raw = count_alarms(plain, rare[0], np.random.default_rng(9), order="shuffled")
    clipped = count_alarms(cut, rare[1], np.random.default_rng(9), order="shuffled")
    assert raw.decades > 0.6 and clipped.decades < 0.1


def test_coefficients_see_the_first_part_only() -> None:
    x = np.random.default_rng(10).standard_normal((4000, 3))
    moved = x.copy()
    moved[1000:] += 1.0
    frozen = freeze(x[:1000], order=2)
    assert np.array_equal(frozen.memory, freeze(moved[:1000], order=2).memory)
    # and what drifts later is not taken away with it
    found = count_alarms(frozen.residuals(moved[1000:]), CUSUM, np.random.default_rng(1))
    assert found.decades > 1.0


def test_orders_keep_every_reading_and_rows_together() -> None:
    x = np.arange(600.0).reshape(200, 3)
    for made in (shuffled(x, np.random.default_rng(1)),
                 block_permuted(x, 30, np.random.default_rng(1))):  # fmt: skip
        assert np.array_equal(np.sort(made, axis=0), x) and not np.array_equal(made, x)
        assert (np.diff(made, axis=1) == 1.0).all()
    joins = np.diff(block_permuted(x, 30, np.random.default_rng(1))[:, 0]) != 3.0
    assert joins.sum() <= 8  # seven blocks and the circle's seam


def test_the_correlation_time_of_an_ar1_is_known() -> None:
    for rho in (0.0, 0.5, 0.9):
        assert correlation_time(ar1(rho, 60_000, 3, 11)) == pytest.approx(
            (1 + rho) / (1 - rho), rel=0.12
        )


def test_effective_channels_of_copies_and_of_strangers() -> None:
    x = np.random.default_rng(12).standard_normal((20_000, 8))
    assert effective_channels(x) == pytest.approx(8.0, rel=0.01)
    assert effective_channels(np.repeat(x[:, :1], 8, axis=1)) == pytest.approx(1.0)
    assert effective_channels(np.repeat(x[:, :4], 2, axis=1)) == pytest.approx(4.0, rel=0.01)


def test_batches_are_sums_in_their_own_noise() -> None:
    x = np.random.default_rng(13).standard_normal((8003, 2))
    out = freeze(x[:4000], batch=8).residuals(x)
    assert out.shape == (1000, 2) and np.std(out) == pytest.approx(1.0, abs=0.1)
    assert np.corrcoef(out[:, 0], x[:8000, 0].reshape(1000, 8).sum(axis=1))[0, 1] > 1 - 1e-9


def test_any_detector_can_be_counted_and_nothing_seen_bounds_the_rate() -> None:
    x = np.random.default_rng(14).standard_normal((5000, 2))
    seen = count_alarms(x, lambda y: int((np.abs(y) > 3).sum()), np.random.default_rng(1))
    assert seen.alarms == int((np.abs(x) > 3).sum()) and math.isnan(seen.predicted)
    none = count_alarms(x, lambda y: 0, np.random.default_rng(1), repeats=50, order="shuffled")
    # fifty orders of the same readings are no new exposure
    assert none.samples == 500_000 and none.high == pytest.approx(3.689 / 10_000, rel=0.02)


def test_what_is_no_null_is_refused() -> None:
    x = np.random.default_rng(15).standard_normal((100, 2))
    for wrong in (lambda: freeze(x[:10]), lambda: freeze(np.zeros((99, 2))),
                  lambda: freeze(np.full((99, 2), math.nan)),
                  lambda: block_permuted(x, 60, np.random.default_rng(1))):  # fmt: skip
        with pytest.raises(InputError):
            wrong()


# recordings


def wifi(name: str, antenna: int) -> Readings:
    needs("csiread")
    return _wifi(recorded("wifi_csi") / f"d98_background0{name}.dat", antenna)


_wifi = cache(wifi_readings)


def uwb(name: str) -> Readings:
    return uwb_readings(recorded("uwb_cir") / f"{name}.log")


def temperature(name: str) -> Readings:
    return temperature_readings(recorded("temperature") / f"{name}_temperature_system_failure.csv")


def decades(readings: Readings, order: int, clip: float, target: float = 1e4) -> dict[str, float]:
    """Return decades off by order, blocks of ten correlation times."""
    x = freeze(readings.first, order=order, clip=clip).residuals(readings.later)
    cusum = Cusum(k=0.5, h=threshold_for(target, 0.5, clip, 2), clip=clip, sides=2)
    block = min(max(20, int(10 * correlation_time(x))), x.shape[0] // 4)
    return {
        each: count_alarms(x, cusum, np.random.default_rng(1), order=each, block=block,  # type: ignore[arg-type]
                           repeats=1 if each == "recorded" else 5).decades
        for each in ("recorded", "blocks", "shuffled")
    }  # fmt: skip


def test_recorded_links_are_decades_from_independent_normals() -> None:
    """As they come, at a limit for one alarm in 1e4: 50 to 700 times as many."""
    for readings in (wifi("1", 0), wifi("2", 0), wifi("3", 2), uwb("2"), uwb("16")):
        assert 1.6 < decades(readings, 0, math.inf)["recorded"] < 3.0


def test_whitening_and_clipping_repair_the_shuffle_and_not_the_recording() -> None:
    """A frozen AR(5) and a clip at 3: tails are repaired, changing variance and drift are not."""
    for readings in (wifi("1", 0), wifi("2", 0), wifi("3", 2), temperature("machine"),
                     temperature("ambient")):  # fmt: skip
        before, after = decades(readings, 0, math.inf), decades(readings, 5, 3.0)
        assert after["recorded"] < before["recorded"] - 0.5
        assert after["shuffled"] < 0.7 < before["shuffled"]
        assert after["recorded"] > after["shuffled"] + 0.4 and after["recorded"] > 0.5
        assert abs(after["blocks"] - after["recorded"]) < 0.3


def test_a_short_first_part_is_no_anchor_for_a_moving_link() -> None:
    """UWB geometry 16 moves by 0.8 noises after its first minute: no coefficients repair that."""
    assert decades(uwb("16"), 2, 3.0)["recorded"] > 2.5


def test_residuals_of_recordings_have_heavy_tails() -> None:
    """Generalised Pareto shapes: a first difference of temperature and a Wi-Fi link jump."""
    for readings in (wifi("1", 0), wifi("3", 2), temperature("machine")):
        x = np.abs(freeze(readings.first, order=5).residuals(readings.later)[:, 0])
        tail = fit_tail(x, float(np.quantile(x, 0.95)))
        assert tail.shape > 0.2
        # a limit of 8.3 noises once in 2.5e16 normals: not once in 1e5 here
        assert rarity(tail, 8.3).high > 1e-5


def test_the_limit_of_a_rare_alarm_is_passed_in_minutes() -> None:
    """At the limit for an ARL of 2.5e16, unclipped or clipped, whitened: alarms in 2e5 samples."""
    for clip in (math.inf, 4.0):
        assert decades(wifi("3", 2), 5, clip, target=2.5e16)["recorded"] > 11.0


def test_recordings_are_read_as_they_are() -> None:
    readings = temperature("machine")
    assert readings.rate_hz == pytest.approx(1 / 300) and readings.later.shape == (15_879, 1)
    assert 20.0 < np.ptp(readings.later) < 60.0  # kelvin, faults included
    link = wifi("1", 0)
    assert link.first.shape[1] == 60 and 5.0 < link.rate_hz < 7.0
    # the anchor is the first part's: what is left is small against the channel (mean square 1)
    assert np.median(np.mean(link.first**2, axis=1)) < 0.1
