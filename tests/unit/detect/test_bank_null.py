"""Noise alone never brings TAMPER: jams, pulses and losses amid surroundings that move.

Each scenario may by the theorem reach ln(1000 windows) once in 1000 seeds. The controls take the
account of doubt away, or move surroundings faster than the anchor says, and do reach it.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from surroundings import SMALL, Injected, World, fused

from casemate.detect.anchor import NONE
from casemate.detect.bank import Bank
from casemate.detect.evidence import Sums


def jam(on_s: float, off_s: float, times: float, share: float = 1.0, even: bool = True) -> Injected:
    """Return an injection `times` the noise of chips, on and off, on a share of the features."""

    def inject(now_s: float, world: World) -> np.ndarray | None:
        if now_s % (on_s + off_s) >= on_s:
            return None
        shape = (world.loud + world.quiet, world.own.size)
        w = np.ones(shape) if even else world.generator.standard_normal(shape)
        w[:, int(share * world.own.size) :] = 0.0
        return np.asarray(times * world.anchor.noise * w)

    return inject


def pulse(every: int, times: float) -> Injected:
    """Return one loud chip every few windows: silent ones are never hit."""

    def inject(now_s: float, world: World) -> np.ndarray | None:
        if round(now_s / world.window_s) % every:
            return None
        w = np.zeros((world.loud + world.quiet, world.own.size))
        w[world.generator.integers(world.loud)] = times * world.anchor.noise
        return w

    return inject


def watcher(far: float, most_s: float = 60.0) -> Injected:
    """Return a jam by who sees states and truth: it stops where the common mode is far off."""
    since = [0.0, -1.0]

    def inject(now_s: float, world: World) -> np.ndarray | None:
        if now_s < since[1]:
            return None
        if world.error() > far or now_s - since[0] > most_s:
            since[:] = [now_s + 4.0, now_s + 4.0]
            return None
        return jam(1.0, 0.0, 300.0)(now_s, world)

    return inject


SCENES: dict[str, Injected | None] = {
    "quiet": None,
    "mild and long": jam(90.0, 10.0, 1.2),
    "at the noise": jam(10.0, 10.0, 1.0, even=False),
    "one window": jam(0.1, 0.3, 100.0),
    "10 s": jam(10.0, 10.0, 100.0),
    "30 s, huge": jam(30.0, 10.0, 1e4),
    "part": jam(10.0, 10.0, 1e4, share=0.25),
    "most": jam(10.0, 5.0, 100.0, share=0.6, even=False),
    "a pulse a window": pulse(1, 900.0),
    "a pulse in three": pulse(3, 1e5),
    "watcher": watcher(2e-4),
    "patient watcher": watcher(1e-3, 300.0),
}


def most(world: World, scene: Injected | None, seconds: float, lost: float = 0.0) -> float:
    """Return the most fused nats of a run; the last `lost` of every 100 s go missing."""
    best = -np.inf
    for _ in range(int(seconds / world.window_s)):
        gone = world.time_s % 100.0 >= 100.0 - lost
        best = max(best, fused(world.step(scene, lost=gone)))
    return best


def limit(world: World, seconds: float) -> float:
    return math.log(1000.0 * seconds / world.window_s)


SHORT = [("loops", scene) for scene in sorted(SCENES)]
SHORT += [(k, s) for k in ("capacitances", "few chips") for s in ("10 s", "watcher", "most")]


@pytest.mark.parametrize(("kind", "scene"), SHORT)
def test_noise_alone_convicts_nobody(kind: str, scene: str) -> None:
    world = World(kind, 3)
    assert most(world, SCENES[scene], 40.0) < limit(world, 40.0)


@pytest.mark.slow
@pytest.mark.parametrize("scene", sorted(SCENES))
@pytest.mark.parametrize("kind", sorted(SMALL))
def test_noise_alone_convicts_nobody_for_long(kind: str, scene: str) -> None:
    world = World(kind, 100)
    assert most(world, SCENES[scene], 1000.0) < limit(world, 1000.0)


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_lost_readings_convict_nobody(kind: str) -> None:
    world = World(kind, 4)
    assert most(world, None, 110.0, lost=60.0) < limit(world, 110.0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["loops", "capacitances"])
def test_heat_as_fast_as_hot_air_convicts_nobody(kind: str, seed: int) -> None:
    """Common modes turn every 7 s, 20 times as fast as a site moves them by itself."""
    world = World(kind, seed, heat=20.0)
    world.turn_s = 7.0
    assert most(world, None, 40.0) < limit(world, 40.0)


@pytest.mark.parametrize("kind", ["loops", "capacitances"])
def test_heat_that_no_doubt_goes_with_convicts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: states follow as fast, and tolerances do not open by what they fall behind."""
    world = World(kind, 0, heat=20.0)
    world.turn_s = 7.0
    doubts = world.bank.tracked.common_doubt
    best = -np.inf
    for _ in range(200):
        doubts[:] = 0.0
        best = max(best, fused(world.step()))
    assert best > limit(world, 20.0)


@pytest.mark.parametrize("kind", ["loops", "capacitances"])
def test_what_moves_all_alike_faster_than_heat_can_convicts(kind: str) -> None:
    world = World(kind, 0, heat=20.0)
    most(world, None, 5.0)
    anchor = world.anchor
    jump = 3.0 * anchor.common_rate.max() * 0.4 + 3.0 * anchor.step.max()
    world.offset[:] = np.where(anchor.group == NONE, 0.0, jump)
    assert most(world, None, 1.0) > limit(world, 10.0)


@pytest.mark.parametrize("kind", ["loops", "capacitances"])
def test_hours_without_data_convict_nobody_and_are_forgotten_soon(kind: str) -> None:
    """Twenty minutes of loss at the steepest rise; a minute later nothing of it is in doubt."""
    world = World(kind, 5)
    count = 12_000
    zero = np.zeros((count, world.own.size))
    no = np.zeros(zero.shape, bool)
    world.bank.add(
        Sums(s1=zero, s2=zero, loud=zero, quiet_power=zero, quiet=zero, open_=no, lost=~no)
    )
    world.common = world.rate * count * world.window_s
    world.rate = 0.0 * world.rate
    doubted = world.bank.tracked.common_doubt.copy()
    assert doubted == pytest.approx(world.common)
    assert most(world, None, 60.0) < limit(world, 1260.0)
    assert np.all(world.bank.tracked.common_doubt < 1e-3 * doubted)
    assert abs(world.error()) < world.anchor.step[0]


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_a_start_from_nothing_convicts_nobody_and_sees_soon(kind: str) -> None:
    """A controller that starts anew finds surroundings anywhere within their bounds."""
    world = World(kind, 8)
    world.bank = Bank(world.anchor, window_s=world.window_s, levels=12)
    world.own *= 2.0
    world.common = 0.7 * world.anchor.common
    world.rate = -world.rate
    assert most(world, None, 60.0) < limit(world, 60.0)
    assert np.all(world.bank.tracked.doubt < 0.03 * world.anchor.bound)


def test_features_driven_to_their_rails_lead_no_median_astray() -> None:
    """The three features that stand highest are flagged open, 10 s of 20 s."""
    for kind in ("loops", "capacitances"):
        world = World(kind, 5)
        size = int((world.anchor.group == 0).sum())
        settled = world.bank.tracked
        world.bank = Rails(world.anchor, window_s=world.window_s, levels=12)
        world.bank.tracked = settled
        world.bank.which = np.argsort(-world.own[:size])[:3]
        assert most(world, None, 60.0) < limit(world, 60.0)


class Rails(Bank):
    """A bank to which some features are open now and then."""

    which: np.ndarray
    seen: int = 0

    def add(self, sums):  # type: ignore[no-untyped-def]
        self.seen += 1
        if self.seen % 200 >= 100:
            sums.open_[:, self.which] = True
        return super().add(sums)


class Sure(Bank):
    """The control: a bank that never doubts its states."""

    def add(self, sums):  # type: ignore[no-untyped-def]
        self.tracked.doubt[:] = 0.0
        self.tracked.common_doubt[:] = 0.0
        return super().add(sums)


@pytest.mark.parametrize(("scene", "lost"), [("30 s, huge", 0.0), ("quiet", 60.0)])
def test_without_doubt_jams_and_losses_convict(scene: str, lost: float) -> None:
    world = World("loops", 3)
    settled = world.bank.tracked
    world.bank = Sure(world.anchor, window_s=world.window_s, levels=12)
    world.bank.tracked = settled
    assert most(world, SCENES[scene], 110.0, lost=lost) > limit(world, 110.0) + 30.0


def test_a_change_is_convicted_soon_after_a_jam_and_through_a_mild_one() -> None:
    for before, during, wait_s in (("10 s", None, 3.0), ("mild and long", "mild and long", 2.0)):
        world = World("capacitances", 8)
        most(world, SCENES[before], 30.0 if during is None else 20.0)
        while world.time_s % 20.0 < 12.0 and during is None:
            world.step(SCENES[before])
        world.offset[3] = 3.0 * world.anchor.bound[3]
        assert most(world, SCENES[during] if during else None, wait_s) > 24.0


def test_states_stay_within_their_bounds_and_copies_apart() -> None:
    world = World("loops", 9)
    twin = world.bank.copy()
    before = twin.tracked.copy()
    most(world, jam(1.0, 0.0, 1e6), 20.0)
    assert np.all(np.abs(world.bank.tracked.own) <= world.anchor.bound)
    assert np.all(np.abs(world.bank.tracked.common) <= world.anchor.common)
    assert np.array_equal(twin.tracked.own, before.own)
    assert twin.step.count == 0 and not twin.step.r.any() and not twin.silence.count.any()


def test_what_is_not_finite_is_lost() -> None:
    world = World("loops", 10)
    world.step()
    world.offset[2] = np.nan
    shown = world.step()
    assert shown.lost.tolist() == [k == 2 for k in range(len(shown.names))]
    assert shown.information[2] == 0.0 and np.isnan(shown.off[2])
    assert np.all(np.isfinite(shown.nats)) and np.all(np.isfinite(shown.interference))
