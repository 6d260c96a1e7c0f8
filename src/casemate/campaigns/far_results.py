"""False alarms per enclosure and year, by cause, each of its own kind and with what it rests on."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import norm

from casemate.campaigns.assumptions import BOUNDS, KEY, NORMAL, RATES, SUPPLY, TWIN
from casemate.campaigns.commission import BOUND
from casemate.campaigns.passive_far import passive_far, recorded_temperatures
from casemate.campaigns.quiet import Quiet
from casemate.campaigns.rarity.exact import Cusum
from casemate.campaigns.rarity.far import null_far
from casemate.campaigns.rarity.intervals import poisson_rate
from casemate.campaigns.rarity.nulls import count_alarms, freeze
from casemate.campaigns.rarity.recordings import (
    Readings,
    temperature_readings,
    uwb_readings,
    wifi_readings,
)
from casemate.case.results import FarResult
from casemate.core.errors import CasemateError
from casemate.core.units import YEAR_S
from casemate.detect.anchor import AnyAnchor
from casemate.detect.response import ALERT, LATCH, LOG, SEAL, ZEROISE, Policy

LIMIT = 12.0
"""Of the CUSUM that recordings are run against: an ARL of 10^6 samples of normal noise."""


def far_results(
    policy: Policy,
    quiet: Quiet,
    *,
    confidence: float,
    seed: int,
    rerun: str,
    anchors: tuple[AnyAnchor, ...] = (),
) -> tuple[FarResult, ...]:
    """Return all causes: theorems, computed, simulated, and measured where recordings are there.

    anchors: those of the volume, for the sensors without a challenge among them.
    """
    data = Path(os.environ.get("CASEMATE_DATA", "") or ".nowhere")
    passive = passive_far(policy, anchors, seed=seed, confidence=confidence, rerun=rerun)
    rows = [
        *_by_theorem(policy, rerun),
        _beyond(policy, rerun),
        _interference(policy, rerun),
        # boards without a keyed modality have nothing that was watched
        *([_quiet(quiet, confidence, rerun)] if quiet.enclosure_s > 0.0 else []),
        *passive,
        *_recorded(data, seed, confidence, rerun),
    ]
    if passive:
        rows += recorded_temperatures(data, policy, seed=seed, confidence=confidence, rerun=rerun)
    return tuple(rows)


def _by_theorem(policy: Policy, rerun: str) -> list[FarResult]:
    about = {
        SEAL: "evidence of the keyed challenge alone reaches TAMPER; bound for any injection",
        LATCH: "the same at a higher threshold, and a second modality besides",
        ZEROISE: "the same, higher still, with an open net or a shock besides",
    }
    return [
        FarResult(
            cause=f"keyed evidence, level {level}",
            about=text,
            per_enclosure_year=policy.levels[level].per_year,
            lower=0.0,
            upper=policy.levels[level].per_year,
            kind="theorem",
            level=level,
            rests_on=(KEY, BOUNDS, RATES),
            rerun=rerun,
        )
        for level, text in about.items()
    ]


def _beyond(policy: Policy, rerun: str) -> FarResult:
    """Surroundings pass a bound: union over windows and features of a normal tail."""
    windows = YEAR_S / policy.window_s
    rate = windows * policy.features * 2.0 * 2.0 * float(norm.sf(BOUND))
    return FarResult(
        cause="surroundings beyond their bound",
        about=f"a quantity of normal law passes {BOUND:g} standard deviations in a window, any "
        "feature, either test",
        per_enclosure_year=rate,
        lower=0.0,
        upper=rate,
        kind="computed",
        level=SEAL,
        rests_on=(BOUNDS, NORMAL),
        rerun=rerun,
    )


def _interference(policy: Policy, rerun: str) -> FarResult:
    windows = YEAR_S / policy.window_s
    rate = windows * policy.features * math.exp(-policy.interference)
    return FarResult(
        cause="interference in quiet",
        about="silent chips and scatter pass their threshold by noise alone, any feature",
        per_enclosure_year=rate,
        lower=0.0,
        upper=rate,
        kind="computed",
        level=ALERT,
        rests_on=(NORMAL, SUPPLY),
        rerun=rerun,
    )


def _quiet(quiet: Quiet, confidence: float, rerun: str) -> FarResult:
    years = quiet.enclosure_s / YEAR_S
    low, high = poisson_rate(quiet.sealed, years, confidence)
    return FarResult(
        cause="quiet twin",
        about=f"{quiet.sealed} sealings in {quiet.enclosure_s / 3600.0:.3g} simulated hours of the "
        f"whole enclosure ({quiet.alerts} alerts); the bound is what the exposure carries",
        per_enclosure_year=quiet.sealed / years,
        lower=low,
        upper=high,
        kind="simulated",
        level=SEAL,
        rests_on=(TWIN, BOUNDS, RATES),
        rerun=rerun,
    )


def _recorded(data: Path, seed: int, confidence: float, rerun: str) -> list[FarResult]:
    """Return alarms of a CUSUM without a key on recordings: what a claim without it is worth."""
    readers: dict[str, tuple[str, Callable[[Path], Readings]]] = {
        "Wi-Fi": ("wifi_csi/*.dat", wifi_readings),
        "UWB": ("uwb_cir/*.log", uwb_readings),
        "temperature": ("temperature/*.csv", temperature_readings),
    }
    found = []
    for name, (pattern, reader) in readers.items():
        for file in sorted(data.glob(pattern))[:1]:
            try:
                readings = reader(file)
            except (CasemateError, ImportError):
                continue  # its reader is not installed here
            found.append(_counted(name, readings, seed, confidence, rerun))
    return found


def _counted(name: str, readings: Readings, seed: int, confidence: float, rerun: str) -> FarResult:
    frozen = freeze(readings.first, order=2, batch=1, clip=3.0)
    count = count_alarms(
        frozen.residuals(readings.later), Cusum(k=0.5, h=LIMIT, clip=3.0, sides=2),
        np.random.default_rng([seed, len(name)]), order="shuffled", confidence=confidence,
    )  # fmt: skip
    far = null_far(
        name, count, streams=readings.later.shape[1], sample_hz=readings.rate_hz,
        assumptions=("shuffled",),
    )  # fmt: skip
    return FarResult(
        cause=f"control: CUSUM without a key on recorded {name}",
        about=f"whitened by the first part of {readings.name}, clipped, shuffled; such a detector "
        "rests on a null that recordings refute, ours does not",
        per_enclosure_year=far.per_year,
        lower=far.low,
        upper=far.high,
        kind="measured",
        level=LOG,
        rests_on=(),
        rerun=rerun,
    )
