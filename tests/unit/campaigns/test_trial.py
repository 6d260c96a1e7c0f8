"""Trials: what ends in TAMPER and what does not, and what each planted weakness lets pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.attacks.catalogue import MOVES
from casemate.attacks.move import Move, Plan
from casemate.attacks.places import plan_drawn
from casemate.campaigns import trial as module
from casemate.campaigns.quiet import quiet
from casemate.campaigns.ready import Ready, ready
from casemate.campaigns.scope import asked, boards_of, least_tool, values_for
from casemate.campaigns.trial import Outcome, trial
from casemate.detect.anchor import Anchor
from casemate.detect.response import ALERT, LATCH, SEAL
from casemate.detect.verdict import Verdict
from casemate.twin.assembly import Twin
from casemate.twin.effects import BusFault, Contact, Pocket, Scene, Shaken, Spot, Timed
from on_boards import along

TOOL_M = 6e-4
FAR = 0.012


@pytest.fixture(scope="session")
def dpa_ready(dpa_twin: Twin) -> Ready:
    """The dpa twin with its detectors."""
    return ready(dpa_twin, far_per_year=FAR)


def move(name: str) -> Move:
    """Return a move of the catalogue."""
    return next(each for each in MOVES if each.id == name)


def drawn(found: Ready, name: str, seed: int, how: str = "claim") -> tuple[Plan, Scene]:
    """Return a plan and a scene of a move."""
    generator = np.random.default_rng([seed, 5])
    plan = plan_drawn(found.twin.enclosure, generator)
    return plan, move(name).scene(plan, values_for(move(name), how, TOOL_M, generator))


def ended(found: Ready, name: str, seed: int = 0, **options: bool) -> Outcome:
    """Return how a trial ends."""
    plan, scene = drawn(found, name, seed)
    return trial(found, scene, boards_of(scene, plan), seed=(seed, 9), **options)


def test_nothing_done_is_normal(dpa_ready: Ready) -> None:
    for seed in range(4):
        tile = dpa_ready.twin.enclosure.tiles[seed].id
        found = trial(dpa_ready, (), (tile,), seed=(seed,))
        assert found.verdict is Verdict.NORMAL and not found.detected
        assert found.margin < -15.0 and math.isnan(found.delay_s) and found.seen_by == ()


def test_quiet_minutes_seal_nothing(dpa_ready: Ready) -> None:
    found = quiet(dpa_ready, seconds=60.0, boards=3, seed=4)
    assert found.runs == 3 and found.sealed == 0 and found.margin < -10.0
    assert 0.0 < found.enclosure_s < 180.0


@pytest.mark.parametrize("name", ["drill", "edge", "remove-tile", "emulator", "replay", "jumper"])
def test_what_meets_copper_or_readers_is_tamper(dpa_ready: Ready, name: str) -> None:
    for seed in range(3):
        found = ended(dpa_ready, name, seed)
        assert found.verdict is Verdict.TAMPER and found.level >= SEAL
        assert found.margin > 0.0 and 0.0 < found.delay_s < 1e4
        assert found.seen_by


def test_a_drill_is_noticed_where_it_is_by_two_modalities(dpa_ready: Ready) -> None:
    plan, _ = drawn(dpa_ready, "drill", 1)
    found = ended(dpa_ready, "drill", 1)
    assert found.judged.tile == plan.tile.id
    assert {"loop_resistance", "mesh_capacitance"} & set(found.seen_by)
    assert found.judged.causes and found.judged.items


def test_play_goes_on_after_sealing_until_a_second_modality_notices(
    dpa_ready: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial that ends with the stretch that seals says only how quick the first one was."""
    drills = [ended(dpa_ready, "drill", seed) for seed in range(8)]
    assert all(len(each.soon) >= 2 for each in drills)
    assert all(set(each.soon) <= set(each.seen_by) for each in drills)
    monkeypatch.setattr(module, "SECOND_S", 0.0)
    cut_off = [ended(dpa_ready, "drill", seed) for seed in range(8)]
    assert any(len(each.soon) < 2 for each in cut_off)
    for whole, cut in zip(drills, cut_off, strict=True):
        assert (whole.level, whole.margin, whole.delay_s) == (cut.level, cut.margin, cut.delay_s)


@pytest.mark.parametrize("name", ["radio-noise", "heating", "humidity", "load", "shake", "fans"])
def test_noise_reaches_sealing_at_most(dpa_ready: Ready, name: str) -> None:
    for seed in range(3):
        found = ended(dpa_ready, name, seed, until_detected=False)
        assert found.verdict is not Verdict.TAMPER
        assert found.level < LATCH


@pytest.mark.parametrize("name", ["sound", "shake"])
def test_what_shakes_is_seen_by_the_sensors_and_convicts_nobody(
    dpa_ready: Ready, name: str
) -> None:
    found = ended(dpa_ready, name, 0, until_detected=False)
    assert found.seen_by == ("environment",) and found.level == ALERT
    assert found.verdict is Verdict.NORMAL


def test_a_tenth_more_vibration_alerts_within_seconds(dpa_ready: Ready) -> None:
    """1.6 spreads, a fifth of the limit that was; as much less than slack says nothing."""
    fitted = next(each.fitted for each in dpa_ready.volume if each.fitted.id == "environment")
    k = next(k for k, each in enumerate(fitted.channels) if "acceleration" in each.id)
    still = float(np.real(fitted.nominal[k]))
    for more, seen in ((1.1, ("environment",)), (1.005, ())):
        shaken = Shaken(kind="noise", m_s2=still * math.sqrt(more**2 - 1.0), hertz=1e3)
        scene = (Timed(effect=shaken, start_s=1.0, stop_s=30.0),)
        found = trial(dpa_ready, scene, (dpa_ready.twin.enclosure.tiles[0].id,), seed=(6,))
        assert found.seen_by == seen and found.verdict is Verdict.NORMAL


def test_the_same_seed_gives_the_same_outcome(dpa_ready: Ready) -> None:
    one, two = ended(dpa_ready, "pocket", 2), ended(dpa_ready, "pocket", 2)
    assert one == two
    assert one.margin != ended(dpa_ready, "pocket", 3).margin


def test_a_leaked_challenge_lets_everything_pass(dpa_ready: Ready) -> None:
    for name in ("drill", "emulator", "remove-tile"):
        found = ended(dpa_ready, name, leaked=True)
        assert not found.detected and found.verdict is not Verdict.TAMPER


def test_a_detector_that_learns_lets_a_slow_load_pass(dpa_ready: Ready) -> None:
    """A load that grows below every tolerance a step, to twice what surroundings may ever do."""
    tile = dpa_ready.twin.enclosure.tiles[0]
    caps = next(e for e in dpa_ready.sensed((tile.id,)) if e.fitted.id == "mesh_capacitance")
    assert isinstance(caps.anchor, Anchor)
    at = along(dpa_ready.twin.board(tile.id), 3, 0.4)
    net = dpa_ready.twin.board(tile.id).nets[3]
    own = next(k for k, name in enumerate(caps.anchor.names) if name.endswith(f"/{net}"))
    whole = float(caps.anchor.nominal[own])
    size, bound = 0.3 * caps.anchor.step[own] * whole, caps.anchor.bound[own] * whole
    count = math.ceil(2.0 * bound / size)
    scene = tuple(
        Timed(
            effect=Contact(at=at, farad=size * (k + 1), reach_m=1e-3),
            start_s=1.0 + 600.0 * k,
            stop_s=1.0 + 600.0 * (k + 1) if k + 1 < count else math.inf,
        )
        for k in range(count)
    )
    bounded = trial(dpa_ready, scene, (tile.id,), seed=(1,))
    learning = trial(dpa_ready, scene, (tile.id,), seed=(1,), learns=True)
    assert bounded.detected and bounded.seen_by == ("mesh_capacitance",)
    # it is caught once the load has passed the bound, not before a part of it
    assert 0.2 * count * 600.0 < bounded.delay_s < count * 600.0
    assert not learning.detected


def test_without_the_mesh_a_drill_passes(dpa_twin: Twin) -> None:
    blind = ready(dpa_twin, far_per_year=FAR, without=("loop_resistance", "mesh_capacitance"))
    assert blind.names == ("rf_cavity", "environment")
    assert not all(ended(blind, "edge", seed).detected for seed in range(4))


def test_a_reader_that_is_cut_off_is_denied_then_sealed(dpa_ready: Ready) -> None:
    tile = dpa_ready.twin.enclosure.tiles[0].id
    fault = BusFault(modality="loop_resistance", kind="cut", seconds=0.0, share=0.0)
    long = trial(dpa_ready, (Timed(effect=fault, start_s=1.0, stop_s=60.0),), (tile,), seed=(2,))
    assert long.denied and long.detected and long.level == SEAL
    assert long.verdict is Verdict.DENIED
    assert dpa_ready.policy.blind_s <= long.delay_s <= dpa_ready.policy.blind_s + 1.0
    short = trial(dpa_ready, (Timed(effect=fault, start_s=1.0, stop_s=3.0),), (tile,), seed=(2,))
    assert short.denied and not short.detected


def test_evidence_counts_all_features_of_the_enclosure(dpa_twin: Twin, dpa_ready: Ready) -> None:
    keyed = sum(n for name, n in dpa_ready.counts.items() if name != "environment")
    assert dpa_ready.policy.features == keyed
    # half of the budget of false alarms asks ln 2 more
    half = ready(dpa_twin, far_per_year=0.5 * FAR).policy.nats[SEAL]
    assert half - dpa_ready.policy.nats[SEAL] == pytest.approx(math.log(2.0))


def test_pockets_over_copper_are_steps_beyond_the_bound(dpa_ready: Ready) -> None:
    tile = dpa_ready.twin.enclosure.tiles[0]
    at = Spot(tile=tile.id, layer=tile.stackup.mesh[0], x_m=0.5 * tile.width_m,
              y_m=0.5 * tile.height_m)  # fmt: skip
    scene = (Timed(effect=Pocket(at=at, diameter_m=3e-3), start_s=1.0),)
    found = trial(dpa_ready, scene, (tile.id,), seed=(3,))
    assert found.detected and "mesh_capacitance" in found.seen_by


def test_the_spec_asks_for_tools_from_its_own_size_up() -> None:
    generator = np.random.default_rng(1)
    rule = least_tool(move("drill"), TOOL_M)
    assert rule is not None and rule[1] == TOOL_M
    for _ in range(20):
        assert values_for(move("drill"), "claim", TOOL_M, generator)["diameter_m"] >= TOOL_M
    assert asked(move("drill"), TOOL_M) and asked(move("door"), TOOL_M)
    # a laser of the catalogue cannot be that large: it is played, and nothing is claimed of it
    assert not asked(move("laser"), TOOL_M) and not asked(move("heating"), TOOL_M)
