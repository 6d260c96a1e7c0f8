"""The attenuation of the whole enclosure against frequency, and how it stands to its targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casemate.design import shielding as em
from casemate.design.cavity import lowest_resonance_hz
from casemate.design.enclosure import Doubt, Target
from casemate.design.layout import Layout
from casemate.design.paths import LeakPath, leak_paths
from casemate.modules.model import Card
from casemate.spec.model import AttenuationTarget, EnclosureSpec

F_MIN_HZ, F_MAX_HZ = 1e4, 18e9
"""Range of the curves: 10 kHz to 18 GHz (issue 2, section 4)."""

POINTS_PER_DECADE = 20

METHOD = (
    "Analytic, plane wave, parallel leakage paths (reference/cad_em.md 2.1): power sum of the"
    " paths, and the sum in phase as the worst case. Openings of one kind count 10 log N in the"
    " power sum and 20 log N in phase. Box resonances are not subtracted; the lowest is stated."
)


def frequency_grid(targets: Sequence[AttenuationTarget]) -> list[float]:
    """Return a logarithmic grid in hertz that holds every band edge of the targets."""
    decades = math.log10(F_MAX_HZ / F_MIN_HZ)
    count = math.ceil(decades * POINTS_PER_DECADE)
    grid = {F_MIN_HZ * 10 ** (decades * step / count) for step in range(count + 1)}
    for target in targets:
        grid |= {target.f_min_hz, target.f_max_hz}
    return sorted(f for f in grid if f > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldingResult:
    """Curves for the chart, targets compared, and what stays in doubt."""

    shielding: dict[str, Any]
    targets: tuple[Target, ...]
    doubts: tuple[Doubt, ...]
    by_path: dict[str, dict[str, float]]


def shielding_of(
    spec: EnclosureSpec, layout: Layout, picked: Mapping[str, Card]
) -> ShieldingResult:
    """Return the attenuation of the whole enclosure against frequency and its targets."""
    bands = spec.targets.attenuation
    grid = frequency_grid(bands)
    paths = leak_paths(spec, layout, picked)
    curves = {path.id: [path.curve(f) for f in grid] for path in paths}
    power = _combined(curves, coherent=False)
    phase = _combined(curves, coherent=True)
    targets, doubts = [], []
    by_path: dict[str, dict[str, float]] = {path.id: {} for path in paths}
    for band in bands:
        inside = [k for k, f in enumerate(grid) if band.f_min_hz <= f <= band.f_max_hz]
        for path in paths:
            by_path[path.id][band.id] = min(curves[path.id][k][0] for k in inside)
        worst = min(power[k] for k in inside)
        floor = min(phase[k] for k in inside)
        targets.append(_target(band, worst, floor))
        doubts.extend(_band_doubts(band, paths, by_path, worst, floor))
    doubts.extend(_standing_doubts(spec, paths))
    size = layout.size_m
    result: dict[str, Any] = {
        "method": METHOD,
        "scope": scope_of(size),
        "frequency_hz": [_round(f, 6) for f in grid],
        "total_db": [_round(value, 5) for value in power],
        "in_phase_db": [_round(value, 5) for value in phase],
        "lowest_resonance_hz": _round(lowest_resonance_hz(size), 6),
        "paths": {path.id: [_round(row[0], 5) for row in curves[path.id]] for path in paths},
        "terms": [_term(path) for path in paths],
        "targets": [
            {
                "id": band.id,
                "f_min_hz": band.f_min_hz,
                "f_max_hz": band.f_max_hz,
                "attenuation_db": band.attenuation_db,
            }
            for band in bands
        ],
    }
    return ShieldingResult(
        shielding=result, targets=tuple(targets), doubts=tuple(doubts), by_path=by_path
    )


def _term(path: LeakPath) -> dict[str, str]:
    return {
        "id": path.id,
        "module": path.module,
        "equation": path.equation,
        "source": path.source,
    }


def scope_of(size_m: tuple[float, float, float]) -> str:
    """Return which published method's scope the box falls in, in words."""
    if min(size_m) >= 2.0:
        return "tailored method; every edge is 2 m or more, the size range of IEEE 299-2006"
    if min(size_m) >= 0.1 and max(size_m) <= 2.0:
        return "tailored method; every edge is 0.1 to 2 m, the size range of IEEE 299.1-2013"
    return (
        "tailored method; IEEE 299-2006 asks every edge to be 2 m or more and IEEE 299.1-2013"
        " every edge 0.1 to 2 m: this box is in neither scope"
    )


def _combined(
    curves: Mapping[str, Sequence[tuple[float, float]]], *, coherent: bool
) -> list[float]:
    """Return the attenuation of all paths together at each frequency, at least 0 dB."""
    side = 1 if coherent else 0
    columns = zip(*curves.values(), strict=True)
    return [
        max(0.0, em.combined_db([row[side] for row in column], coherent=coherent))
        for column in columns
    ]


def _round(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _target(band: AttenuationTarget, worst: float, floor: float) -> Target:
    return Target(
        id=f"attenuation.{band.id}",
        required=band.attenuation_db,
        achieved=_round(worst, 4),
        unit="dB",
        met=worst >= band.attenuation_db,
        evidence=f"analytic, power sum of all paths, worst in the band; {floor:.1f} dB if all leak"
        " in phase; no measurement",
        sense="min",
    )


def _band_doubts(
    band: AttenuationTarget,
    paths: Sequence[LeakPath],
    by_path: Mapping[str, Mapping[str, float]],
    worst: float,
    floor: float,
) -> list[Doubt]:
    rows = []
    for path in paths:
        alone = by_path[path.id][band.id]
        if alone < band.attenuation_db:
            rows.append(
                Doubt(
                    id=f"shielding.{path.id}.{band.id}",
                    claim=f"{path.id} ({path.module}) keeps {band.attenuation_db:.0f} dB in"
                    f" {band.id}",
                    why=f"by {path.equation} it cannot reach that alone, however good the rest"
                    f" is (it keeps {alone:.0f} dB at its worst)",
                    closes_with="another module on this path, or a target it can reach",
                    severity="error",
                )
            )
    if worst >= band.attenuation_db > floor:
        rows.append(
            Doubt(
                id=f"shielding.in-phase.{band.id}",
                claim=f"{worst:.0f} dB in {band.id}",
                why=f"if every opening leaks in phase only {floor:.0f} dB are left; practitioners"
                " disagree on 10 log N against 20 log N (reference/cad_em.md 2.1.4)",
                closes_with="a measurement of the vent in its frame",
                severity="medium",
            )
        )
    return rows


def _standing_doubts(spec: EnclosureSpec, paths: Sequence[LeakPath]) -> list[Doubt]:
    if not spec.targets.attenuation:
        return []
    judged = ", ".join(path.id for path in paths if path.judged)
    rows = [
        Doubt(
            id="shielding.unmeasured",
            claim="the attenuation curves",
            why="analytic only: nothing was measured, box resonances are not subtracted and"
            " low-frequency magnetic fields are not covered",
            closes_with="a tailored measurement on a first article",
            severity="medium",
        )
    ]
    if judged:
        rows.append(
            Doubt(
                id="shielding.judged",
                claim=f"transfer impedance or insertion loss of {judged}",
                why="the cards' figures are planning values; products spread by more than 110 dB"
                " (reference/cad_em.md 2.3)",
                closes_with="Zt(f) of the chosen product to SAE ARP-1705",
                severity="medium",
            )
        )
    return rows
