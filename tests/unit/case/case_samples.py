"""Made-up results of a rack's enclosure, of the shape and size that a campaign gives."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

from scipy.stats import beta

from casemate.case.results import (
    Assumption,
    Atlas,
    Doubt,
    FarResult,
    MoveResult,
    Part,
    Plot,
    Results,
    Series,
    Target,
    TileMap,
    Trial,
)

RERUN = "casemate prove examples/nvl72/enclosure.toml -o out --seed 7"
TILES = ("front-0-0", "front-0-1", "left-0-0")
OUTLINE = ((0.0, 0.0), (0.56, 0.0), (0.56, 0.41), (0.30, 0.41), (0.30, 0.36), (0.0, 0.36))
HOLE = ((0.10, 0.10), (0.22, 0.10), (0.22, 0.19), (0.10, 0.19))


def exact(detected: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval (equal tails)."""
    tail = 0.5 * (1.0 - confidence)
    low = float(beta.ppf(tail, detected, trials - detected + 1)) if detected else 0.0
    high = (
        float(beta.ppf(1.0 - tail, detected + 1, trials - detected)) if detected < trials else 1.0
    )
    return low, high


def target(id: str = "pod", **changes: Any) -> Target:
    """Return a target that is met, with changes."""
    base = Target(
        id=id, text="Probability of detection of every move to go in", group="detection",
        required=0.95, achieved=0.991, low=0.972, high=0.998, confidence=0.95, unit="share",
        sense="at_least", kind="simulated", evidence="campaign, weakest move", rests_on=(),
        rerun=RERUN,
    )  # fmt: skip
    return replace(base, **changes)


def trial(generator: random.Random, tile: str, missed: bool) -> Trial:
    """Return an attack at a random place of the tile's copper."""
    while True:
        x, y = generator.uniform(0.005, 0.555), generator.uniform(0.005, 0.405)
        in_notch = x < 0.30 and y > 0.355
        in_hole = 0.095 < x < 0.225 and 0.095 < y < 0.195
        if not (in_notch or in_hole):
            break
    size = generator.uniform(1.5e-4, 4e-4) if missed else generator.uniform(3e-4, 3e-3)
    return Trial(
        tile=tile, x_m=x, y_m=y, parameters={"diameter_m": size, "angle_rad": 0.2},
        margin=-generator.uniform(0.1, 9.0) if missed else generator.uniform(0.5, 80.0),
        detected=not missed, delay_s=math.nan if missed else generator.uniform(0.003, 0.4),
    )  # fmt: skip


def move(id: str = "drill", **changes: Any) -> MoveResult:
    """Return a move to go in that was tried 400 times and never missed, with changes."""
    trials, detected = changes.pop("trials", 400), changes.pop("detected", 400)
    low, high = exact(detected, trials)
    generator = random.Random(id)
    sample = tuple(trial(generator, TILES[k % 3], k >= detected) for k in range(min(trials, 40)))
    base = MoveResult(
        id=id, name=changes.pop("name", "Drill a hole"), goal="intrude", trials=trials,
        detected=detected, pod=detected / trials, pod_low=low, pod_high=high, confidence=0.95,
        delay_s_p50=0.012, delay_s_p99=0.31, weakest=trial(generator, TILES[0], detected < trials),
        seen_by=("loop_resistance", "mesh_capacitance"), tamper=detected, interference=0,
        denied=0, level=4, points=19, potential_level="moderate", cost_usd=4000.0, persons=1,
        by_tile=(Part(what="front-0-0", low=0.0, high=0.0, unit="", trials=trials,
                      detected=detected, pod_low=low, pod_high=high),),
        by_parameter=(Part(what="diameter_m", low=1.5e-4, high=3e-4, unit="m", trials=trials,
                           detected=detected, pod_low=low, pod_high=high),),
        sample=sample, adaptive=0.8, budget=2000, rerun=f"{RERUN} --move {id}", required=0.95,
        rests_on=("twin",),
    )  # fmt: skip
    return replace(base, **changes)


def noise(id: str = "radio_noise", **changes: Any) -> MoveResult:
    """Return a move to discredit that never ended in TAMPER, with changes."""
    base = move(
        id, name="Radio noise at 30 V/m", goal="discredit", required=None, pod=math.nan,
        pod_low=math.nan, pod_high=math.nan, delay_s_p50=math.nan, delay_s_p99=math.nan,
        tamper=0, interference=388, denied=12, level=2, adaptive=math.nan, budget=0, seen_by=(),
        points=7, potential_level="basic", weakest=None,
    )  # fmt: skip
    return replace(base, **changes)


def far(cause: str = "quiet noise", **changes: Any) -> FarResult:
    """Return a bounded cause of false alarms, with changes."""
    base = FarResult(
        cause=cause, about="keyed detectors on a quiet enclosure", per_enclosure_year=3e-4,
        lower=0.0, upper=1e-3, kind="theorem", level=3, rests_on=("key",), rerun=RERUN,
    )  # fmt: skip
    return replace(base, **changes)


def assumption(id: str, text: str, **changes: Any) -> Assumption:
    """Return an assumption, with changes."""
    base = Assumption(
        id=id, text=text, source="threat model", checked="red team, on hardware",
        covers="a second modality on another principle",
    )  # fmt: skip
    return replace(base, **changes)


def small(**changes: Any) -> Results:
    """Return results of which every part is met, with changes."""
    base = Results(
        enclosure="rack", kind="nvl72", serial="R-001", spec_digest="ab" * 32, seed=7,
        date="2026-03-04T05:06:07Z", adversary="A state: experts, months, access to the supplier",
        versions={"casemate": "0.1.0", "numpy": "2.4.6"}, targets=(target(),), moves=(move(),
        noise()), far=(far(),),
        assumptions=(assumption("twin", "The twin moves as boards do"),
                     assumption("key", "The key of the chips stays secret")),
        doubts=(), plots=(), atlas=None, maps=(),
    )  # fmt: skip
    return replace(base, **changes)


def full() -> Results:
    """Return results with every part filled, good and bad."""
    return small(
        targets=_targets(), moves=_moves(), far=_far(), assumptions=_assumptions(),
        doubts=_doubts(), plots=_plots(), atlas=_atlas(), maps=_maps(),
    )  # fmt: skip


def _targets() -> tuple[Target, ...]:
    hole = {"sense": "at_most", "unit": "m", "group": "coverage", "kind": "proof"}
    return (
        target("hole.severing", text="Largest drill that severs nothing", required=300e-6,
               achieved=271e-6, low=271e-6, high=271e-6, evidence="proof.json, worst tile",
               confidence=1.0, **hole),
        target("edge.severing", text="Largest tool that passes an edge", required=300e-6,
               achieved=412e-6, low=412e-6, high=412e-6, evidence="proof.json, edge front~left",
               confidence=1.0, **hole),
        target("pod", rests_on=("twin",), achieved=0.962, low=0.939, high=0.979),
        target("pod.slow", text="PoD of moves that last days", rests_on=("twin", "u_env"),
               required=0.9, achieved=None, low=None, high=None, evidence="not run"),
        target("far", text="False alarms a year", group="false alarms", required=0.01,
               achieved=4.1e-4, low=0.0, high=1.4e-3, unit="1/year", sense="at_most",
               kind="theorem", evidence="keyed e-detector", rests_on=("key", "spectrum")),
        target("reaction", text="Delay to the verdict, 99 of 100", group="reaction", required=1.0,
               achieved=0.31, low=0.27, high=0.36, unit="s", sense="at_most",
               evidence="campaign", rests_on=("twin",)),
        target("dual", text="Independent detections on every path", group="independence",
               required=2, achieved=2, low=2, high=2, unit="count", kind="computed",
               evidence="matrix of modality by move", rests_on=("supply",), confidence=1.0),
        target("attenuation.uhf", text="Attenuation, 0.3 to 3 GHz", group="shielding",
               required=60.0, achieved=66.0, low=57.0, high=71.0, unit="dB", kind="computed",
               evidence="budget of slots and vents", rests_on=("seam",)),
    )  # fmt: skip


def _moves() -> tuple[MoveResult, ...]:
    return (
        move("drill"),
        move("etch", name="Etch copper away", detected=386, trials=400, adaptive=-3.2,
             delay_s_p50=41.0, delay_s_p99=600.0, points=27, potential_level="beyond high",
             cost_usd=60_000.0, persons=3),
        move("slow_walk", name="Walk the anchor away", detected=300, trials=400, adaptive=-11.0,
             delay_s_p50=80_000.0, delay_s_p99=1.2e6, points=31, potential_level="beyond high",
             cost_usd=250_000.0, persons=4, seen_by=("environment",)),
        move("jumper", name="Bridge a gap", adaptive=-0.4, points=22, potential_level="high"),
        move("emulator", name="Emulate a reader", trials=60, detected=60, required=0.95,
             seen_by=("cadence",), points=33, potential_level="beyond high"),
        move("xray", name="X-ray the electronics", required=None, detected=12, trials=400,
             seen_by=()),
        noise(),
        noise("rhythm", name="Fans in the rhythm of the chips", tamper=1, level=4),
        noise("shake", name="Shake the rack", interference=120, denied=0, level=1),
    )  # fmt: skip


def _far() -> tuple[FarResult, ...]:
    return (
        far(),
        far("radio noise", about="any waveform that does not know the key", per_enclosure_year=1e-5,
            upper=1e-3, level=4),
        far("heat wave", about="anchored drift over U_env", kind="simulated", level=3,
            per_enclosure_year=0.004, lower=0.001, upper=0.02, rests_on=("u_env",)),
        far("connector ageing", about="no source gives a rate", kind="assumed", level=2,
            per_enclosure_year=0.2, upper=math.inf, rests_on=()),
        far("links lost", about="readers that stop sending", kind="computed", level=1,
            per_enclosure_year=3.0, lower=1.4, upper=6.2, rests_on=("supply",)),
    )  # fmt: skip


def _assumptions() -> tuple[Assumption, ...]:
    return (
        assumption("twin", "The twin moves as boards do, within its stated errors",
                   source="docs/validation.md", checked="coupons on a bench"),
        assumption("key", "The key of the chips stays secret", covers="nothing"),
        assumption("u_env", "Unexplained environment stays under U_env for life",
                   source="planning value", checked="a year of recordings"),
        assumption("spectrum", "Noise between chips has the recorded spectrum"),
        assumption("supply", "Readers have supplies that fail apart"),
        assumption("seam", "Contacts keep their transfer impedance over door cycles"),
        assumption("guards", "Inspectors come within a month of an alarm"),
    )  # fmt: skip


def _doubts() -> tuple[Doubt, ...]:
    return (
        Doubt(id="hardware", text="No board was measured: detection is of the twin alone",
              targets=("pod", "reaction")),
        Doubt(id="catalogue", text="Moves that the catalogue lacks were not tried", targets=()),
    )  # fmt: skip


def _plots() -> tuple[Plot, ...]:
    false = tuple(10.0 ** (k / 2) for k in range(-16, 1))
    roc = tuple(
        Series(name=name, x=false, y=tuple(1 - (1 - p**0.08) * s for p in false),
               low=tuple(max(0.0, 1 - (1 - p**0.08) * s - 0.05) for p in false),
               high=tuple(min(1.0, 1 - (1 - p**0.08) * s + 0.04) for p in false))
        for name, s in (("drill", 0.2), ("etch", 0.6), ("slow walk", 1.0))
    )  # fmt: skip
    sizes = tuple(1e-4 * 1.35**k for k in range(12))
    delay = (
        Series(name="loop resistance", x=sizes, y=tuple(0.02 * (5e-4 / d) ** 2 for d in sizes)),
        Series(name="capacitance", x=sizes, y=tuple(0.4 * (5e-4 / d) ** 1.2 for d in sizes)),
        Series(name="first of both", x=sizes[:3] + sizes[5:],
               y=(*(0.1 for _ in sizes[:3]), *(0.01 for _ in sizes[5:]))),
    )  # fmt: skip
    return (
        Plot(id="roc", title="ROC of moves to go in", x="false alarms a second", y="PoD",
             x_log=True, y_log=False, series=roc, about="At each threshold, over all tiles.",
             rerun=RERUN),
        Plot(id="delay", title="Delay against size of the hole", x="diameter (m)", y="delay (s)",
             x_log=True, y_log=True, series=delay, about="Median over places.", rerun=RERUN),
    )  # fmt: skip


def _atlas() -> Atlas:
    def margin(i: int, j: int, k: int) -> float | None:
        return None if (i + j + k) % 7 == 6 else 14.0 - 3.1 * i - 1.7 * j + 2.0 * k

    return Atlas(
        x_name="duration (s)", y_name="gain moved", z_name="power injected (W)",
        x=(1.0, 10.0, 100.0, 1e3, 1e4), y=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5), z=(0.0, 0.1, 1.0, 10.0),
        margin=tuple(
            tuple(tuple(margin(i, j, k) for k in range(3)) for j in range(5)) for i in range(4)
        ),
        about="Least margin that the search found in each cell.", rerun=RERUN,
    )  # fmt: skip


def _maps() -> tuple[TileMap, ...]:
    generator = random.Random(3)
    return tuple(
        TileMap(
            tile=tile,
            face=tile.split("-")[0],
            outline=OUTLINE,
            holes=(HOLE,) if k == 0 else (),
            trials=tuple(trial(generator, tile, generator.random() < 0.06) for _ in range(150)),
        )
        for k, tile in enumerate(TILES)
    )
