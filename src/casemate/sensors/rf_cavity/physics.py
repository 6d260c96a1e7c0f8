"""What a radio cavity reads on a twin. Simulated throughout.

Each antenna's field is a sum of random plane waves of the cavity's decay time, drawn once a unit;
links are such sums at the level of the power balance. A rod changes a link by the product of both
antennas' fields at its place, sqrt(sigma/A); an opening adds an unrelated part of its share of the
losses and takes that share of the level; warmth and moist air stretch the response in frequency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Channel, Values
from casemate.sensors.card import ModalityCard, load_card
from casemate.sensors.modality import Reading, Residuals
from casemate.twin.assembly import Twin
from casemate.twin.cavity_channel import PlaneWaves, random_waves, scattered
from casemate.twin.cavity_needle import SLIMMEST, Needle, needle_m2
from casemate.twin.cavity_opening import Opening, opening_m2
from casemate.twin.cavity_stretch import Air, stretch
from casemate.twin.conditions import Conditions, anchor_of
from casemate.twin.effects import Aperture, Gas, Relay, Scatterer
from casemate.twin.injection import Band, antenna_watt, attenuation
from casemate.twin.line_materials import C0_M_S, Complex, Real
from casemate.twin.walks import ou

REFRACTIVITY = {"air": 2.7e-4, "helium": 3.3e-5, "nitrogen": 2.7e-4}
"""n - 1 at 23 C and 1013 hPa, dry (W. Rueger, 2002, and Kaye and Laby for helium at radio)."""
TERMS = 12
MOST_STRETCH = 2e-3
"""60 K of copper-clad board, and twice as much as moist air does."""
QUIET_WINDOWS = 300
WAVES = 240
"""Well above bandwidth times decay time: 6 GHz x 10 ns = 60."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RfCavity:
    """The modality fitted to a twin. L links, F tones; channels link by link."""

    id: str
    excited: bool
    card: ModalityCard
    twin: Twin
    channels: tuple[Channel, ...]
    nominal: Complex
    noise: Real
    chip_s: float
    visits: float
    quiet: Real
    """Mean and spread of each link's residual power over its expected one, quiet, (L, 2)."""
    f_hz: Real
    links: tuple[tuple[int, int], ...]
    level: Real
    """Mean |S21| at each tone, (F,), by the power balance."""
    absorption_m2: Real
    link_waves: tuple[PlaneWaves, ...]
    antenna_waves: tuple[PlaneWaves, ...]
    anchor_air: Air
    powers: list[Complex] = field(default_factory=list)
    """What multiplies each power of a stretch, (L, F) each; made when first needed."""
    strange: dict[tuple[int, str], Complex] = field(default_factory=dict)
    """Fields (L, F) that come from elsewhere, by seed and label; made when first needed."""

    def read(self, conditions: Conditions) -> Reading:
        """Return all links' transfer, stretched, with what stands in the volume or opens it."""
        air = air_of(conditions)
        eps = stretch(self.anchor_air, air, self.card["expansion"]) + _gas(conditions)
        h = self.stretched(eps)
        additive = np.zeros(h.shape)
        for each in conditions.active:
            if isinstance(each, Scatterer):
                change = self._rod(each)
                switched = each.switch_hz > 0.0
                h = h + (0.5 if switched else 1.0) * change
                beside = math.sqrt(0.5) * 0.5 * np.abs(change)
                additive = np.hypot(additive, beside if switched else 0.0)
            elif isinstance(each, Aperture):
                h = self._opened(h, each)
            elif isinstance(each, Relay):
                h = h + self._relayed(each)
        band = Band(low_hz=float(self.f_hz[0]), high_hz=float(self.f_hz[-1]))
        watt = antenna_watt(self.twin.enclosure, conditions.active, band)
        additive = np.hypot(additive, math.sqrt(0.5 * watt / self.card["power"]))
        return Reading(
            quantity=h.reshape(-1),
            additive=additive.reshape(-1),
            health=np.zeros(h.size, dtype=np.uint16),
        )

    def links_at(self, f_hz: Real) -> Complex:
        """Return the quiet transfer of every link (L, F) at frequencies (F,)."""
        return np.stack([scattered(waves, f_hz) for waves in self.link_waves]) * self.level

    def stretched(self, eps: float) -> Complex:
        """Return every link (L, F) with all of the cavity stretched by `eps`.

        By powers of eps up to TERMS, which leave 1e-9 of the response at MOST_STRETCH; beyond it
        wave by wave.
        """
        if abs(eps) > MOST_STRETCH:
            return self.links_at(self.f_hz * (1.0 + eps))
        if not self.powers:
            self.powers.extend(_powers(self))
        return np.asarray(sum(eps**k * part for k, part in enumerate(self.powers)))

    def _rod(self, rod: Scatterer) -> Complex:
        """Return the change (L, F) by a rod; 0 for one too short to be a rod."""
        sigma = rod_m2(rod, self.f_hz)
        size = self.level * np.sqrt(sigma / self.absorption_m2)
        place = np.array([[rod.x_m, rod.y_m, rod.z_m]])
        fields = [scattered(waves, self.f_hz, place)[0] for waves in self.antenna_waves]
        return np.stack([size * fields[a] * fields[b] for a, b in self.links])

    def _opened(self, h: Complex, hole: Aperture) -> Complex:
        sigma = opening_m2(Opening(length_m=hole.length_m, width_m=hole.width_m), self.f_hz)
        share = sigma / (self.absorption_m2 + sigma)
        other = self._unrelated(f"aperture/{hole.face}")
        # the one split for which |dH|^2 and the fall of the level are both the share, as in
        # `cavity_opening.opening_change`
        return h * (1.0 - share) + self.level * np.sqrt(share * (1.0 - share)) * other

    def _relayed(self, relay: Relay) -> Complex:
        through = np.array([attenuation(self.twin.enclosure, f) for f in self.f_hz.tolist()])
        gain = 10.0 ** (relay.gain_db / 20.0) * through**2
        turn = np.exp(-2j * np.pi * self.f_hz * relay.delay_s)
        return np.asarray(self.level * gain * turn * self._unrelated("relay"))

    def _unrelated(self, label: str) -> Complex:
        """Return links (L, F) of unit power that have nothing to do with the unit's own."""
        key = self.twin.seed, label
        if key not in self.strange:
            generator = np.random.default_rng([self.twin.seed, *label.encode()])
            decay = float(self.twin.volume.losses(self.f_hz).decay_s.mean())
            waves = [random_waves(WAVES, decay, generator) for _ in self.links]
            self.strange[key] = np.stack([scattered(each, self.f_hz) for each in waves])
        return self.strange[key]

    def nuisance(self, times_s: Real, generator: np.random.Generator) -> Complex:
        """Return slow change of every link along a few smooth shapes over the band, (K, C)."""
        shapes, tones = round(self.card["drift_shapes"]), self.f_hz.size
        found = np.empty((times_s.size, len(self.links), tones), dtype=np.complex128)
        for link in range(len(self.links)):
            size = np.sqrt(np.mean(np.abs(self.nominal.reshape(-1, tones)[link]) ** 2))
            delay = generator.uniform(0.0, 2e-9, (shapes, 1))
            phase = generator.uniform(0.0, 2.0 * np.pi, (shapes, 1))
            directions = np.exp(1j * (phase + 2.0 * np.pi * self.f_hz * delay))
            walks = ou(self.card["drift_memory"], times_s, generator, 2 * shapes)
            moved = (walks[:, :shapes] + 1j * walks[:, shapes:]) @ directions
            found[:, link] = size * np.sqrt(self.card["drift"] / (2.0 * shapes)) * moved
        return found.reshape(times_s.size, -1)

    def residuals(
        self, values: Values, health: npt.NDArray[np.uint16], chips: int, louder: Real
    ) -> Residuals:
        """Return, for each link, how far what gain and stretch leave lies above noise and drift.

        |H - g H0(f (1 + e))|^2 over the power of noise and drift, less its mean in a quiet
        enclosure, over its spread there (both by simulation, for drift has few shapes).
        """
        ratio = self._ratios(values, chips, louder)
        names = tuple(f"link {a}-{b}" for a, b in self.links)
        z = (ratio - self.quiet[:, 0]) / self.quiet[:, 1]
        return Residuals(names=names, tiles=("",) * len(names), z=z)

    def _ratios(self, values: Values, chips: int, louder: Real) -> Real:
        """Return residual power over that of noise and drift, (K, L)."""
        count, tones = len(self.links), self.f_hz.size
        mean = self.nominal.reshape(count, tones)
        step = 1e-5
        moved = (self.links_at(self.f_hz * (1.0 + step)) - mean) / step
        up = np.mean(louder.reshape(-1, count, tones) ** 2, axis=2)
        power = self.card["noise"] * up / max(chips, 1) + self.card["drift"]
        found = np.empty((values.shape[0], count))
        for k, row in enumerate(values.reshape(-1, count, tones)):
            for link in range(count):
                left = _left(row[link], mean[link], moved[link])
                found[k, link] = left / (float(np.mean(np.abs(mean[link]) ** 2)) * power[k, link])
        return found


def _left(h: Complex, mean: Complex, moved: Complex) -> float:
    """Return the mean |residual|^2 after the best complex gain and real stretch, to first order."""
    columns = np.stack([mean, 1j * mean, moved], axis=1)
    table = np.concatenate([columns.real, columns.imag])
    target = np.concatenate([h.real, h.imag])
    found, *_ = np.linalg.lstsq(table, target, rcond=None)
    return float(np.mean((target - table @ found) ** 2) * 2.0)


def _powers(rf: RfCavity) -> list[Complex]:
    """Return sum over waves of a (-2 pi i f tau)^k/k! exp(-2 pi i f tau), (L, F) for each k."""
    found: list[Complex] = []
    turns = [-2j * np.pi * np.outer(waves.delay_s, rf.f_hz) for waves in rf.link_waves]
    terms = [
        waves.amplitude[:, None] * np.exp(turn)
        for waves, turn in zip(rf.link_waves, turns, strict=True)
    ]
    for k in range(TERMS + 1):
        found.append(np.asarray(np.stack([term.sum(axis=0) for term in terms]) * rf.level, complex))
        terms = [term * turn / (k + 1) for term, turn in zip(terms, turns, strict=True)]
    return found


def rod_m2(rod: Scatterer, f_hz: Real) -> Real:
    """Return the mean scattering cross-section of a rod on the wall, (F,).

    Metal: the needle of `cavity_needle`; stouter than it holds for, as the stoutest that it does.
    Glass: k^4 ((er - 1) V)^2/(18 pi) with V of the rod and its image; fields along a slim rod are
    as outside it.
    """
    k = 2.0 * np.pi * f_hz / C0_M_S
    if math.isinf(rod.epsilon_r):
        least_m = rod.length_m * 2.0 / SLIMMEST
        needle = Needle(depth_m=rod.length_m, diameter_m=min(rod.diameter_m, least_m))
        return needle_m2(needle, f_hz)
    volume = 2.0 * rod.length_m * 0.25 * math.pi * rod.diameter_m**2
    return np.asarray(k**4 * ((rod.epsilon_r - 1.0) * volume) ** 2 / (18.0 * np.pi))


def _gas(conditions: Conditions) -> float:
    """Return the change of refractive index by other gases in the air's place."""
    return sum(
        each.share * (REFRACTIVITY[each.kind] - REFRACTIVITY["air"])
        for each in conditions.active
        if isinstance(each, Gas)
    )


def air_of(conditions: Conditions) -> Air:
    """Return the state of the air inside."""
    return Air(
        temperature_k=conditions.air_k,
        pressure_pa=conditions.pressure_pa,
        humidity=conditions.humidity,
    )


def fit(twin: Twin) -> RfCavity:
    """Return the radio cavity on a twin: a channel for each link and tone."""
    card = load_card("rf_cavity")
    f_hz = np.linspace(card["low"], card["high"], int(card["tones"]))
    antennas = int(card["antennas"])
    links = tuple((a, b) for a in range(antennas) for b in range(a + 1, antennas))
    budget = twin.volume.losses(f_hz)
    decay = float(budget.decay_s.mean())
    generator = np.random.default_rng([twin.seed, 0x5F])
    level = np.sqrt((C0_M_S / f_hz) ** 2 / (8.0 * np.pi) / budget.total_m2)
    fitted = RfCavity(
        id=card.id,
        excited=True,
        card=card,
        twin=twin,
        channels=tuple(
            Channel(id=f"rf/{a}-{b}/{f * 1e-9:.3f} GHz", modality=card.id, unit="1")
            for a, b in links
            for f in f_hz.tolist()
        ),
        nominal=np.empty(0, dtype=np.complex128),
        noise=np.empty(0),
        chip_s=card["chip"],
        visits=2.0 / (antennas * card["tones"]),
        quiet=np.empty((0, 2)),
        f_hz=f_hz,
        links=links,
        level=np.minimum(level, 1.0),
        absorption_m2=budget.total_m2,
        link_waves=tuple(random_waves(WAVES, decay, generator) for _ in links),
        antenna_waves=tuple(random_waves(WAVES, decay, generator) for _ in range(antennas)),
        anchor_air=air_of(anchor_of(twin)),
    )
    nominal = fitted.links_at(f_hz).reshape(-1)
    power = np.repeat(np.mean(np.abs(nominal.reshape(len(links), -1)) ** 2, axis=1), f_hz.size)
    fitted = replace(fitted, nominal=nominal, noise=np.sqrt(0.5 * card["noise"] * power))
    return replace(fitted, quiet=_quiet(fitted))


def _quiet(fitted: RfCavity) -> Real:
    """Return mean and spread of the residual power's ratio over quiet windows, (L, 2)."""
    generator = np.random.default_rng([fitted.twin.seed, 0x51])
    times_s = 20.0 * fitted.card["drift_memory"] * np.arange(QUIET_WINDOWS, dtype=np.float64)
    values = fitted.nominal + fitted.nuisance(times_s, generator)
    parts = generator.standard_normal((2, *values.shape))
    values = values + fitted.noise * (parts[0] + 1j * parts[1])
    ratios = fitted._ratios(values, 1, np.ones(values.shape))
    return np.stack([ratios.mean(axis=0), ratios.std(axis=0)], axis=1)
