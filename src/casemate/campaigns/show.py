"""A judged scene as lines for a terminal and as JSON."""

from __future__ import annotations

import math
from typing import Any

from casemate.attacks.potential import Potential
from casemate.campaigns.judge import PHASES, Judgement, Phase

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"),
            (1e-12, "p"), (1e-15, "f"))  # fmt: skip
PREFIXED = ("ohm", "F", "m/s2", "lux", "Pa")
"""Units that take prefixes in print."""


def quantity(value: complex, unit: str) -> str:
    """Return a reading for people: with prefixes; transfer in decibels."""
    if unit == "1" and value.imag != 0.0:
        return f"{20.0 * math.log10(max(abs(value), 1e-12)):.2f} dB"
    real = value.real
    if math.isnan(real):
        return "nothing"
    if unit not in PREFIXED or real == 0.0:
        return f"{real:.5g} {unit}".removesuffix(" 1")
    size = next(((scale, name) for scale, name in PREFIXES if abs(real) >= scale), PREFIXES[-1])
    return f"{real / size[0]:.5g} {size[1]}{unit}"


def reading(phase: Phase | None, unit: str) -> str:
    """Return what the shown channel read in a phase: a clipped loop is open, a board is gone."""
    if phase is None:
        return "-"
    if phase.clipped:
        return "open" if unit == "ohm" else "out of range"
    return quantity(phase.reading, unit)


def residual(phase: Phase | None) -> str:
    """Return what a phase's residual was, in noises, or why there is none."""
    if phase is None:
        return "-"
    if phase.sight == "unheard" and phase.z == 0.0:
        return ", ".join(phase.health).lower().replace("_", " ")
    text = f"{phase.z:.1f}" if phase.z < 100.0 else f"{phase.z:.0f}"
    return text if phase.z < 1e3 else ">= 1000"


def lines(judged: tuple[Judgement, ...]) -> list[str]:
    """Return a table: of each modality the channel that moved most, and its residuals."""
    rows = [["", *PHASES, "seen after", "verdict of the figures"]]
    for each in judged:
        name = each.modality if each.in_design else f"({each.modality})"
        readings = [reading(each.phase(phase), each.unit) for phase in PHASES]
        seen = "never" if math.isnan(each.seen_s) else f"{each.seen_s:.3g} s"
        rows.append([name, *readings, seen, each.sight])
        levels = [residual(each.phase(phase)) for phase in PHASES]
        rows.append(["  residual/noise", *levels, "", each.channel])
        silent = [part.silent for part in each.phases]
        if silent and max(silent) > 2.5:
            rows.append(["  silent chips/noise", *(f"{level:.1f}" for level in silent), "", ""])
    widths = [max(len(row[k]) for row in rows if k < len(row)) for k in range(6)]
    return ["  ".join(cell.ljust(widths[k]) for k, cell in enumerate(row)).rstrip() for row in rows]


def as_json(judged: tuple[Judgement, ...]) -> list[dict[str, Any]]:
    """Return the same as JSON; complex transfers as their level in dB and phase in rad."""
    return [
        {
            "modality": each.modality,
            "in_design": each.in_design,
            "sight": each.sight,
            "channel": each.channel,
            "unit": each.unit,
            "nominal": _number(each.nominal),
            "seen_after_s": None if math.isnan(each.seen_s) else each.seen_s,
            "phases": [
                {
                    "phase": part.name,
                    "windows": part.instants,
                    "residual_over_noise": part.z,
                    "residual": part.residual,
                    "reading": _number(part.reading),
                    "clipped": part.clipped,
                    "silent_over_noise": part.silent,
                    "lost": part.lost,
                    "health": list(part.health),
                    "sight": part.sight,
                }
                for part in each.phases
            ],
        }
        for each in judged
    ]


def _number(value: complex) -> Any:
    if math.isnan(value.real):
        return None
    if value.imag == 0.0:
        return value.real
    level = 20.0 * math.log10(max(abs(value), 1e-30))
    return {"db": level, "rad": math.atan2(value.imag, value.real)}


def potential_line(potential: Potential) -> str:
    """Return an attack potential in a line."""
    return (
        f"attack potential {potential.points} ({potential.level}): {potential.persons} persons, "
        f"{potential.cost_usd:,.0f} USD, {potential.elapsed_s / 86_400.0:.3g} days to prepare, "
        f"{potential.on_site_s / 60.0:.3g} min on site (planning values)"
    )
