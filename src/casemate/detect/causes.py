"""What may be behind a verdict, most likely first, each with the evidence for it.

Rules on what modalities show together; shares are weights of plausibility that sum to 1, planning
values, and decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.detect.bank import Shown
from casemate.detect.passive import PassiveShown
from casemate.detect.response import Policy

SPEAKS = 12.0
"""Nats from which a feature counts as changed for the ranking."""
GONE = 0.5
"""Relative fall from which a channel no longer answers its challenge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause, its weight among those that fit, and what speaks for it."""

    name: str
    weight: float
    why: str


def causes(
    shown: tuple[Shown, ...], passive: tuple[PassiveShown, ...], policy: Policy
) -> tuple[Cause, ...]:
    """Return what fits, most likely first; empty if nothing has to be explained."""
    rows: list[tuple[str, float, str]] = []
    for each in shown:
        rows += _of_modality(each)
        if each.nonlinear is not None and (each.nonlinear >= policy.interference).any():
            count = int((each.nonlinear >= policy.interference).sum())
            why = f"{count} features of {each.modality} answer out of proportion"
            rows.append(("nonlinear contact or emulator", 5.0, why))
    for sensor in passive:
        for k in np.flatnonzero(sensor.nats >= policy.passive_alert).tolist():
            why = f"{sensor.names[k]} at {sensor.z[k]:.2g} spreads, {sensor.nats[k]:.0f} nats"
            rows.append(("surroundings", 1.0, why))
    best: dict[str, tuple[float, str]] = {}
    for name, weight, why in rows:
        if weight > best.get(name, (0.0, ""))[0]:
            best[name] = (weight, why)
    total = sum(weight for weight, _ in best.values())
    found = [Cause(name=n, weight=w / total, why=why) for n, (w, why) in best.items()]
    return tuple(sorted(found, key=lambda each: (-each.weight, each.name)))


def _of_modality(shown: Shown) -> list[tuple[str, float, str]]:
    rows: list[tuple[str, float, str]] = []
    count = len(shown.names)
    changed = shown.nats >= SPEAKS
    noisy = shown.interference >= SPEAKS
    if not (changed.any() or noisy.any() or shown.open_.any() or shown.lost.any()):
        return rows
    boards = _boards(shown, changed)
    where = f"{int(changed.sum())} of {count} features of {shown.modality}"
    if shown.open_.any():
        cut = _boards(shown, shown.open_)
        whole = all(shown.open_[f] for f in range(count) if shown.tiles[f] in cut)
        name = "board unplugged" if whole else "conductor cut"
        rows.append((name, 8.0, f"{int(shown.open_.sum())} features stand open"))
    if shown.lost.any():
        rows.append(("reader or its bus lost", 6.0, f"{int(shown.lost.sum())} features mute"))
    silent = changed & (shown.off < -GONE)
    if silent.sum() > 0.5 * count:
        rows.append(("reader replaced or replayed", 7.0, f"{int(silent.sum())} do not answer"))
    elif changed.any():
        local = len(boards) == 1 and changed.sum() <= max(4, 0.2 * count)
        name = {True: "local change of the mesh", False: "change of the whole"}[local]
        if shown.modality == "rf_cavity":
            name = "change in the volume"
        rows.append((name, 4.0, where))
    if noisy.any():
        rows.append(
            ("injected interference", 3.0, f"{int(noisy.sum())} of {count} loud in silent chips")
        )
    return rows


def _boards(shown: Shown, which: np.typing.NDArray[np.bool_]) -> set[str]:
    return {shown.tiles[f] for f in np.flatnonzero(which).tolist()}
