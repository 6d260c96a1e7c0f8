"""What a played scene shows, in words and figures: before, during and after, by modality.

Thresholds are for showing what a modality can see at all. They are no detectors: those keep a
proven rate of false alarms and lie in the room of detection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from casemate.campaigns.play import Played
from casemate.core.samples import Health, Values
from casemate.twin.effects import Scene
from casemate.twin.line_materials import Real

SEES = 8.0
"""Noises: a Shewhart limit of 8.3 gives one false alarm in 100 enclosure-years over 4096 channels
at 1 kHz (reference/detect.md 1), if noises are normal."""
HINTS = 5.0
"""Noises: above what quiet runs reach (5.3 for skewed residuals)."""
LOUD = 2.0
"""Silent chips this far above their noise: something is there that the challenge did not put."""

Sight = Literal["sees", "hints", "interference", "unheard", "blind"]
"""unheard: the reader's samples do not come, or come late or stuck; its health says so."""
PHASES = ("before", "during", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase of a scene in one modality.

    z: largest residual in noises, and whose it is. reading: median of the shown channel, clipped:
    whether it stood at the end of its range for most of the phase. silent: the largest rms of
    silent chips over noise. lost: share of readings that never came or cannot be trusted.
    """

    name: str
    instants: int
    z: float
    residual: str
    reading: complex
    clipped: bool
    silent: float
    lost: float
    health: tuple[str, ...]
    sight: Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one modality showed. `channel`, `unit`: the one that moved most; `seen_s`: when its

    residual first passed SEES after the start of the scene's first effect, nan if never.
    """

    modality: str
    in_design: bool
    channel: str
    unit: str
    nominal: complex
    seen_s: float
    phases: tuple[Phase, ...]

    def phase(self, name: str) -> Phase | None:
        """Return a phase by name, None if the scene has none."""
        return next((each for each in self.phases if each.name == name), None)

    @property
    def sight(self) -> Sight:
        """Return the best sight of during and after."""
        found = [each.sight for each in self.phases if each.name != "before"]
        order: tuple[Sight, ...] = ("sees", "unheard", "interference", "hints", "blind")
        return min(found, key=order.index, default="blind")


def phases_of(scene: Scene, times_s: Real) -> npt.NDArray[np.str_]:
    """Return the phase of each time: before the first effect, after the last one that ends.

    Where none ends, after is the last third of what follows the last onset.
    """
    if not scene:
        return np.full(times_s.size, "before")
    first = min(each.start_s for each in scene)
    ends = [each.stop_s for each in scene if math.isfinite(each.stop_s)]
    onset = max(each.start_s + each.rise_s for each in scene)
    last = max([*ends, onset]) if ends else onset + 0.67 * (float(times_s[-1]) - onset)
    named = np.where(times_s < first, "before", np.where(times_s <= last, "during", "after"))
    return np.asarray(named)


def judge(played: Played, scene: Scene) -> Judgement:
    """Return what a modality showed of a scene."""
    phase = phases_of(scene, played.times_s)
    size = np.nan_to_num(np.abs(played.residuals.z), nan=0.0)
    acting = phase != "before"
    worst = int(size[acting].max(axis=0).argmax()) if acting.any() else int(size.max(0).argmax())
    channel = _channel(played, worst, acting)
    rows = [_phase(played, size, phase == name, name, channel) for name in PHASES]
    passed = np.flatnonzero(acting & (size.max(axis=1) >= SEES))
    start = min((each.start_s for each in scene), default=0.0)
    shown = played.fitted.channels[channel]
    return Judgement(
        modality=played.modality,
        in_design=played.in_design,
        channel=shown.id,
        unit=shown.unit,
        nominal=complex(played.fitted.nominal[channel]),
        seen_s=float(played.times_s[passed[0]]) - start if passed.size else math.nan,
        phases=tuple(row for row in rows if row is not None),
    )


def _channel(played: Played, residual: int, acting: npt.NDArray[np.bool_]) -> int:
    """Return the channel to show for a residual: the one of its board that moved most."""
    fitted, tile = played.fitted, played.residuals.tiles[residual]
    mine = [k for k, each in enumerate(fitted.channels) if not tile or each.tile == tile]
    named = [k for k in mine if fitted.channels[k].id.endswith(played.residuals.names[residual])]
    mine = named or mine
    if not acting.any():
        return mine[0]
    values = played.values[acting][:, mine]
    moved = np.abs(values - fitted.nominal[mine]) / fitted.noise[mine]
    return mine[int(np.nan_to_num(moved, nan=0.0).max(axis=0).argmax())]


def _phase(
    played: Played, size: Real, mine: npt.NDArray[np.bool_], name: str, channel: int
) -> Phase | None:
    if not mine.any():
        return None
    part = size[mine]
    k, which = np.unravel_index(int(part.argmax()), part.shape)
    silent = float(played.silent[mine].max()) if played.fitted.excited else 1.0
    flags = played.health[mine]
    lost = float(np.mean((flags & ~np.uint16(Health.CLIPPED)) != 0))
    readings = played.values[mine, channel]
    readings = readings[np.isfinite(readings)]
    clipped = np.median(flags[:, channel] & np.uint16(Health.CLIPPED)) > 0
    z = float(part[k, which])
    steady = float(np.sqrt(np.mean(played.silent[mine] ** 2, axis=0)).max())
    return Phase(
        name=name,
        instants=int(mine.sum()),
        z=z,
        residual=played.residuals.names[int(which)],
        reading=_middle(readings),
        clipped=bool(clipped),
        silent=silent,
        lost=lost,
        health=tuple(
            flag.name or "" for flag in Health if flag and bool((flags & np.uint16(flag)).any())
        ),
        sight=_sight(z, lost, steady, int(mine.sum())),
    )


def _middle(readings: Values) -> complex:
    """Return the median of real and imaginary parts, nan if there is none."""
    if readings.size == 0:
        return complex(math.nan)
    return complex(np.median(np.real(readings)), np.median(np.imag(readings)))


def _sight(z: float, lost: float, silent: float, instants: int) -> Sight:
    if z >= SEES:
        return "sees"
    if lost > 0.0:
        return "unheard"
    if silent >= LOUD:
        return "interference"
    return "hints" if z >= HINTS + 0.5 * math.log(max(instants, 1) / 100.0 + 1.0) else "blind"
