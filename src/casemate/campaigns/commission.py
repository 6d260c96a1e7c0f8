"""Commissioning on a twin: the anchors that its detectors are held against.

Bounds follow from the cards' figures: BOUND standard deviations of what surroundings do by
themselves, which a normal quantity passes once in 8e14 readings. A patient adversary can stay
unseen below them, so they are requirements on the hardware.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from casemate.campaigns.passive import passive_anchor
from casemate.detect import blocks
from casemate.detect.anchor import NONE, Anchor, AnyAnchor, FieldAnchor
from casemate.detect.bank import chips_of
from casemate.detect.field import MEMORY_S as FIELD_MEMORY_S
from casemate.detect.tracked import COMMON_MEMORY_S, MEMORY_S, RESTLESS
from casemate.sensors.environment.physics import Environment
from casemate.sensors.loop_resistance.physics import LoopResistance, zone_pairs
from casemate.sensors.mesh_capacitance.physics import EPOXY, MeshCapacitance
from casemate.sensors.modality import Fitted
from casemate.sensors.rf_cavity.physics import RfCavity
from casemate.sensors.tdr.fitted import MEMORY_S as TDR_MEMORY_S
from casemate.sensors.tdr.fitted import FittedTdr
from casemate.twin.assembly import Twin
from casemate.twin.conditions import SKIN_NODE, WINDOW_S
from casemate.twin.environment_sites import Site
from casemate.twin.environment_thermal import settled_k, temperatures_k
from casemate.twin.line_materials import Real
from casemate.twin.moisture import Film
from casemate.twin.resistance import IACS_ALPHA_1_K

BOUND = 8.5
"""Spreads that surroundings may go to. A normal quantity passes 8.5 of them in 1e-17 of readings:
1e5 features, twice tested at 10 windows a second, do so in all once in 800 years."""
LANES_SHARE = 0.02
"""Of a board's gradient that two lanes of one zone see of each other (planning value)."""
LIMIT_K = 60.0
"""Either way from the anchor: beyond it temperature itself is an alarm (planning value)."""
CUT = 0.5
"""Relative change of a loop that must be caught: a cut net is open, a jumped one shorter."""
LESS = 0.01
"""Relative change of a capacitance that must be caught: what a tool of the spec's size takes from
a net is more (planning value)."""
DEPART = 0.05
"""Relative change of a pair's departure that must be caught (planning value)."""
FIELD = 0.5
"""Relative change of a link that must be caught: an opened door's is 0.7 (planning value)."""
BINS_OF_A_FAULT = 16
"""Time bins of a capture over which one fault's response spreads (planning value)."""
SOAKED = 0.01
"""Change of humidity that reaches a board within a second by itself (planning value)."""
FLOODED = 0.82
"""The same if somebody brings it about: from 8 to 90 % (data centres, physics.md 4)."""


def commissioned(twin: Twin, fitted: Fitted) -> AnyAnchor:
    """Return the anchor of one modality of a twin."""
    if isinstance(fitted, LoopResistance):
        return _loops(twin, fitted)
    if isinstance(fitted, MeshCapacitance):
        return _capacitances(twin, fitted)
    if isinstance(fitted, FittedTdr):
        return _pairs(fitted)
    if isinstance(fitted, RfCavity):
        return _cavity(fitted)
    if isinstance(fitted, Environment):
        return passive_anchor(twin, fitted)
    raise TypeError(f"no anchor is known for {fitted.id}")


def lag(memory_s: float, followed_s: float = MEMORY_S) -> float:
    """Return the standard deviation of what a first-order follower leaves of a walk, relative.

    Ornstein-Uhlenbeck of memory T followed with memory t: variance t/(t + T).
    """
    return math.sqrt(followed_s / (followed_s + memory_s))


def usual_k_s(twin: Twin) -> float:
    """Return the steepest rise of the skin's temperature that a site makes by itself, K/s.

    Idle to full load, full sun, and its surroundings' sawtooth and door, all at once.
    """
    site = twin.site
    return _steepest_k_s(site, site.door_k.value + 2.0 * site.hvac_k.value)


def steepest_k_s(twin: Twin) -> float:
    """Return the steepest rise of the skin's temperature that surroundings can bring about, K/s.

    Idle to full load and full sun, in air that goes from one limit to the other at once: whoever
    blows hot air at an enclosure is no faster, since its skin has to take up the heat.
    """
    return _steepest_k_s(twin.site, LIMIT_K)


def _steepest_k_s(site: Site, warmer_k: float) -> float:
    count = 600
    start = settled_k(site.network, np.array([site.idle_w.value, 0.0, 0.0]), site.mean_k.value)
    power = np.tile([site.full_w.value, 0.0, site.sun_w.value], (count, 1))
    ambient = np.full(count, site.mean_k.value + warmer_k)
    run = temperatures_k(site.network, start, power, ambient, 1.0)[:, SKIN_NODE]
    return float(np.abs(np.diff(np.concatenate([[start[SKIN_NODE]], run]))).max())


def _groups(tiles: list[str], kinds: list[object]) -> npt.NDArray[np.int64]:
    known: dict[tuple[str, object], int] = {}
    return np.array([known.setdefault(key, len(known)) for key in zip(tiles, kinds, strict=True)],
                    dtype=np.int64)  # fmt: skip


def _loops(twin: Twin, fitted: LoopResistance) -> Anchor:
    first: list[int] = []
    second: list[int] = []
    weight: list[tuple[float, float]] = []
    tiles: list[str] = []
    names: list[str] = []
    for tile, row in fitted.rows.items():
        for pair in zone_pairs(twin.board(tile), row.start):
            for k in range(0, len(pair), 2):
                a, b = pair[k], pair[k + 1] if k + 1 < len(pair) else NONE
                name = fitted.channels[a].id.rsplit("/", 1)[-1]
                forms = [("mean", (0.5, 0.5)), ("ratio", (1.0, -1.0))]
                for what, parts in forms if b != NONE else [("alone", (1.0, 0.0))]:
                    first.append(a)
                    second.append(b)
                    weight.append(parts)
                    tiles.append(tile)
                    names.append(f"{tile}/{name} {what}")
    share = fitted.noise / fitted.nominal
    weights, one, two = np.array(weight), np.array(first), np.array(second)
    noise = np.hypot(weights[:, 0] * share[one], weights[:, 1] * share[two])
    ratio = weights.sum(axis=1) == 0.0
    spread = np.where(ratio, LANES_SHARE, 1.0) * IACS_ALPHA_1_K * fitted.card["gradient"]
    group = _groups(tiles, [0] * len(tiles))
    common = np.full(int(group.max()) + 1, IACS_ALPHA_1_K * LIMIT_K)
    return anchor_of(
        fitted,
        names=tuple(names),
        tiles=tuple(tiles),
        pairs=(one, two, weights),
        group=np.where(ratio, NONE, group),
        noise=noise,
        spread=spread,
        memory_s=fitted.card["gradient_memory"],
        must=CUT,
        common=common,
        usual=IACS_ALPHA_1_K * usual_k_s(twin),
        common_rate=np.full(common.size, IACS_ALPHA_1_K * steepest_k_s(twin)),
        visits=fitted.visits,
    )


def _capacitances(twin: Twin, fitted: MeshCapacitance) -> Anchor:
    count = len(fitted.channels)
    kinds: list[object] = [None] * count
    for tile, plates in fitted.plates.items():
        start = fitted.rows[tile].start
        for k, (kind, net) in enumerate(zip(plates.kind.tolist(), plates.i.tolist(), strict=True)):
            kinds[start + k] = (kind, plates.board.layer_of[net])
    tiles = [each.tile for each in fitted.channels]
    group = _groups(tiles, kinds)
    film: Film = EPOXY
    # mean water of a film whose air changes at once grows by 2/h sqrt(D t/pi): of the first second
    taken_up = 2.0 / film.thickness_m * math.sqrt(film.diffusivity_m2_s / math.pi)
    water = film.per_water * film.water_at_full
    common = np.full(int(group.max()) + 1, film.temperature_1_k * LIMIT_K + water)
    usual = film.temperature_1_k * usual_k_s(twin) + water * SOAKED * taken_up
    rate = film.temperature_1_k * steepest_k_s(twin) + water * FLOODED * taken_up
    return anchor_of(
        fitted,
        names=tuple(each.id.split("/", 1)[1] for each in fitted.channels),
        tiles=tuple(tiles),
        pairs=_single(count),
        group=group,
        noise=fitted.noise / fitted.nominal,
        spread=np.full(count, fitted.card["contrast"]),
        memory_s=fitted.card["contrast_memory"],
        must=LESS,
        common=common,
        usual=usual,
        common_rate=np.full(common.size, rate),
        visits=fitted.visits,
    )


def _pairs(fitted: FittedTdr) -> Anchor:
    count = len(fitted.channels)
    return anchor_of(
        fitted,
        names=tuple(each.id.split("/", 1)[1] for each in fitted.channels),
        tiles=tuple(each.tile for each in fitted.channels),
        pairs=_single(count),
        group=np.full(count, NONE, dtype=np.int64),
        noise=fitted.noise / fitted.nominal * math.sqrt(BINS_OF_A_FAULT),
        spread=fitted.card["left"] / fitted.nominal,
        memory_s=TDR_MEMORY_S,
        must=DEPART,
        common=np.empty(0),
        usual=0.0,
        common_rate=np.empty(0),
        visits=fitted.visits * BINS_OF_A_FAULT,
    )


def _single(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Real]:
    weight = np.zeros((count, 2))
    weight[:, 0] = 1.0
    return np.arange(count), np.full(count, NONE, dtype=np.int64), weight


def anchor_of(
    fitted: Fitted,
    *,
    names: tuple[str, ...],
    tiles: tuple[str, ...],
    pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Real],
    group: npt.NDArray[np.int64],
    noise: Real,
    spread: Real,
    memory_s: float,
    must: float,
    common: Real,
    usual: float,
    common_rate: Real,
    visits: float,
) -> Anchor:
    """Return the anchor of F features that move by themselves as Ornstein-Uhlenbeck processes.

    spread (F,), memory_s: of those, relative; noise (F,): of a chip; pairs: first, second, weight;
    common, common_rate (G,): what common modes may do, and how fast at most; usual: how fast they
    do by themselves, 1/s. Tolerances: BOUND standard deviations of the spread, of what the tracked
    state leaves of it, and of noise in the states; faster than usual, doubt opens them.
    """
    first, second, weight = pairs
    behind = np.hypot(lag(memory_s) * spread, _state_noise(fitted.chip_s, visits, noise, group))
    # common modes lag behind their usual rise by their memory
    late = np.where(group == NONE, 0.0, usual) * COMMON_MEMORY_S
    step = BOUND * behind + late
    return Anchor(
        modality=fitted.id,
        chip_s=fitted.chip_s,
        visits=visits,
        channels=tuple(each.id for each in fitted.channels),
        tiles=tiles,
        names=names,
        nominal=np.asarray(np.real(fitted.nominal), dtype=np.float64),
        first=np.asarray(first, dtype=np.int64),
        second=np.asarray(second, dtype=np.int64),
        weight=weight,
        group=group,
        noise=noise,
        bound=BOUND * np.hypot(spread, behind) + late,
        step=step,
        must=np.full(len(names), must),
        rate=step / MEMORY_S,
        common=common,
        common_rate=common_rate,
    )


def _state_noise(chip_s: float, visits: float, noise: Real, group: npt.NDArray[np.int64]) -> Real:
    """Return what noise up to RESTLESS does to the states that a feature is held against, (F,).

    Its own state is a first-order mean over MEMORY_S; its common mode the median of one window,
    whose standard deviation is sqrt(pi/2) times that of the mean.
    """
    window_s = window_of(chip_s, visits)
    loud, _ = chips_of(chip_s, visits, window_s)
    window = math.sqrt(RESTLESS) * noise / math.sqrt(loud)
    common = np.zeros_like(noise)
    for each in range(int(group.max()) + 1 if group.size else 0):
        mine = group == each
        common[mine] = math.sqrt(0.5 * math.pi / mine.sum()) * float(np.median(window[mine]))
    return np.asarray(np.hypot(window * math.sqrt(0.5 * window_s / MEMORY_S), common))


def window_of(chip_s: float, visits: float) -> float:
    """Return the window of a modality: WINDOW_S, or as many of them as bring a dozen chips."""
    return blocks.window_of(chip_s, visits, WINDOW_S)


def _cavity(fitted: RfCavity) -> FieldAnchor:
    links, tones = len(fitted.links), fitted.f_hz.size
    field = fitted.nominal.reshape(links, tones)
    size = np.sqrt(np.mean(np.abs(field) ** 2, axis=1))
    # 2 x shapes normal walks share the drift's power: the level that they pass as rarely as BOUND
    from scipy.stats import chi2, norm

    walks = 2 * round(fitted.card["drift_shapes"])
    worst = float(chi2.isf(2.0 * norm.sf(BOUND), walks)) / walks
    spread = math.sqrt(fitted.card["drift"] * worst)
    behind = lag(fitted.card["drift_memory"], FIELD_MEMORY_S)
    return FieldAnchor(
        modality=fitted.id,
        chip_s=fitted.chip_s,
        visits=fitted.visits,
        names=tuple(f"link {a}-{b}" for a, b in fitted.links),
        field=field,
        shapes=_shapes(fitted, field),
        noise=fitted.noise.reshape(links, tones).mean(axis=1) / size,
        bound=np.full(links, spread),
        step=np.full(links, SHAKEN * behind * spread),
        must=np.full(links, FIELD),
    )


SHAKEN = 1.5
"""Of a cavity's tolerance between blocks, for what pulses do to the tracked field."""


def _shapes(fitted: RfCavity, field: npt.NDArray[np.complex128]) -> Real:
    """Return orthonormal rows (L, 3, 2 T): gain, phase and stretch of each link."""
    step = 1e-5
    moved = fitted.links_at(fitted.f_hz * (1.0 + step)) - field
    found = []
    for link in range(field.shape[0]):
        rows = [field[link], 1j * field[link], moved[link] / step]
        flat = np.stack([np.concatenate([each.real, each.imag]) for each in rows], axis=1)
        found.append(np.linalg.qr(flat)[0].T)
    return np.stack(found)
