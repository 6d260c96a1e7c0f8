"""Play one scene on a twin: what every modality reads before, during and after, with its noise.

Each instant is a window of keyed chips: loud ones give the quantity, silent ones what is there
without drive. A channel's reading is the mean over its loud chips, so interference that does not
follow the chips falls with their root, and the silent chips tell how strong it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Health, Values
from casemate.sensors.modalities import MODALITIES, fitted_to, modality
from casemate.sensors.modality import Fitted, Reading, Residuals
from casemate.sensors.standing_in import delivered
from casemate.twin.assembly import Twin
from casemate.twin.conditions import WINDOW_S, Course, course
from casemate.twin.effects import Scene
from casemate.twin.line_materials import Real

LOUD = 2.5
"""Rms of a dozen silent chips over their noise that quiet chips reach once in 10^8 windows."""
MARGIN = 1.5
"""With it, noise that a dozen chips tell passes 8 of itself once in 10^7 (Student, 12 degrees)."""
SURE = 5.0
"""Standard deviations of a board's pooled rms in quiet; it is passed once in 10^6 windows."""
INSTANTS = 160
KEYS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One modality through a scene at K instants.

    `values` (K, C): means over loud chips, drive divided out; nan where nothing sound arrived.
    `silent` (K, C): rms of silent chips over the channel's own noise, 1 when nothing is there.
    `health` (K, C). `residuals`: z in quiet noises, nan where the reader gave nothing.
    """

    modality: str
    fitted: Fitted
    in_design: bool
    times_s: Real
    values: Values
    silent: Real
    health: npt.NDArray[np.uint16]
    residuals: Residuals

    def worst(self) -> tuple[Real, npt.NDArray[np.int64]]:
        """Return the largest |z| at each instant, (K,), and which residual it is, (K,)."""
        size = np.nan_to_num(np.abs(self.residuals.z), nan=0.0)
        which = size.argmax(axis=1)
        return size[np.arange(len(size)), which], which


def instants(scene: Scene, *, count: int = INSTANTS) -> Real:
    """Return rising times from 0 past the last change of a scene, a third of it again.

    Evenly spaced, and where effects begin, have grown, are about to end and have ended, so that
    none falls between; of more than KEYS such times an even choice.
    """
    keys: list[float] = []
    for each in scene:
        keys += [each.start_s, each.start_s + each.rise_s + WINDOW_S]
        if math.isfinite(each.stop_s):
            keys += [max(each.stop_s - WINDOW_S, each.start_s), each.stop_s + WINDOW_S]
    last = max(keys, default=1.0)
    known = np.unique(np.array(keys))
    chosen = (
        known[np.linspace(0, known.size - 1, min(known.size, KEYS)).astype(int)] if keys else known
    )
    return np.union1d(np.linspace(0.0, max(1.3 * last, 1.0), count), chosen)


def play(
    twin: Twin,
    scene: Scene,
    *,
    seed: int,
    times_s: Real | None = None,
    ready: tuple[Fitted, ...] = (),
    only: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda _text: None,
) -> tuple[Played, ...]:
    """Return what each modality reads through a scene; same seed, same result.

    `only`: modalities to play, all of the table if empty; those that the design does not carry are
    played too and marked. `ready`: modalities fitted before, to be used again.
    """
    at = instants(scene) if times_s is None else times_s
    run = course(twin, scene, at, np.random.default_rng([seed, 0]))
    carried = fitted_to(twin)
    names = only or tuple(each.id for each in MODALITIES)
    found = []
    held = {each.id: each for each in ready}
    for number, name in enumerate(names):
        say(f"playing {name}")
        fitted = held.get(name) or modality(name).fit(twin)
        key = np.random.default_rng([seed, 1, number])
        found.append(_played(twin, fitted, run, key, name in carried))
    return tuple(found)


def _played(
    twin: Twin, fitted: Fitted, run: Course, generator: np.random.Generator, in_design: bool
) -> Played:
    count = max(1, round(WINDOW_S / fitted.chip_s))
    challenge = Challenge(
        key=generator.bytes(32), modality=fitted.id, epoch=0, chip_s=fitted.chip_s
    )
    size = (run.times_s.size, len(fitted.channels))
    values = fitted.nuisance(run.times_s, generator)
    silent, health = np.ones(size), np.zeros(size, dtype=np.uint16)
    for k, now in enumerate(run.steps):
        reading = delivered(fitted, fitted.read(now), now, twin.seed)
        drawn = chips(challenge, k * count, count)
        loud = int((~drawn.silent).sum()) if fitted.excited else count
        quiet = count - loud
        health[k] = reading.health
        values[k] += _mean(fitted, reading, max(1, round(loud * fitted.visits)), generator)
        if fitted.excited and quiet:
            level = np.hypot(reading.additive / fitted.noise, 1.0)
            silent[k] = level * np.sqrt(generator.chisquare(quiet, size[1]) / quiet)
    each = max(1, round(0.875 * count * fitted.visits))
    louder = _louder(fitted, silent, max(1, count // 8)) if fitted.excited else silent
    residuals = fitted.residuals(values, health, each, louder)
    lost = (health & (Health.MISSING | Health.STALLED)) != 0
    values[lost] = np.nan
    return Played(
        modality=fitted.id,
        fitted=fitted,
        in_design=in_design,
        times_s=run.times_s,
        values=values,
        silent=silent,
        health=health,
        residuals=_blanked(fitted, residuals, lost),
    )


def _louder(fitted: Fitted, silent: Real, chips: int) -> Real:
    """Return how far the noise is up, (K, C), at least 1, from the rms of silent chips.

    A dozen chips of one channel scatter by a fifth, so a channel by itself is taken as loud only
    above LOUD. All channels of a board together say far sooner that something is there; then each
    is taken as MARGIN louder than it sounds, and no less than the board as a whole.
    """
    tiles: npt.NDArray[np.str_] = np.array([each.tile for each in fitted.channels])
    found = np.where(silent > LOUD, MARGIN * silent, 1.0)
    for tile in np.unique(tiles):
        mine = tiles == tile
        pooled = np.sqrt(np.mean(silent[:, mine] ** 2, axis=1))[:, None]
        heard = pooled > 1.0 + SURE / math.sqrt(2.0 * chips * int(mine.sum()))
        level = np.maximum(np.maximum(MARGIN * silent[:, mine], pooled), 1.0)
        found[:, mine] = np.where(heard, level, found[:, mine])
    return found


def _mean(fitted: Fitted, reading: Reading, loud: int, generator: np.random.Generator) -> Values:
    """Return the mean of `loud` chips: noise and what does not follow the drive fall by root n."""
    size = fitted.nominal.size
    spread = np.hypot(fitted.noise, reading.additive) / math.sqrt(max(loud, 1))
    noise = generator.standard_normal(size)
    if np.iscomplexobj(fitted.nominal):
        noise = noise + 1j * generator.standard_normal(size)
    return reading.quantity + spread * noise


def _blanked(fitted: Fitted, residuals: Residuals, lost: npt.NDArray[np.bool_]) -> Residuals:
    """Return residuals with nan where a board's, or all, channels gave nothing."""
    if not lost.any():
        return residuals
    z = residuals.z.copy()
    tiles, columns = (
        np.array(names) for names in ([each.tile for each in fitted.channels], residuals.tiles)
    )
    for tile in np.unique(columns):
        mine = tiles == tile if tile else np.ones(tiles.size, dtype=bool)
        z[np.ix_(lost[:, mine].any(axis=1), columns == tile)] = np.nan
    return Residuals(names=residuals.names, tiles=residuals.tiles, z=z)
