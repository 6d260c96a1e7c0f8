"""What the environment's sensors read on a twin; a channel for each module that the design has.

Temperature of one board a face, humidity and pressure of the air, light inside, rms acceleration
of one panel a face over a window. Residuals are against the anchor's bounds, never against a
baseline that learns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Channel, Health, Values
from casemate.sensors.card import ModalityCard, load_card
from casemate.sensors.modality import Reading, Residuals
from casemate.twin.assembly import Twin
from casemate.twin.conditions import Conditions, anchor_of, spread_of
from casemate.twin.effects import Fans, Force, Gas, Shaken, Sound
from casemate.twin.environment_forces import Accelerometer
from casemate.twin.heat_spot import rise_k
from casemate.twin.line_materials import Real
from casemate.twin.shaking import force_rms_m_s2, quiet_rms_m_s2, sound_rms_m_s2
from casemate.twin.walks import ou

CONTRAST_MEMORY_S = 600.0
"""Of the difference between boards of a quiet enclosure (planning value)."""
HELIUM_STOPS = 0.02
"""Share of helium in air that stops MEMS resonators within minutes (iFixit, October 2018: a few
percent near a leaking magnet)."""
KINDS = {
    "aux-temperature": "temperature",
    "aux-humidity": "humidity",
    "aux-pressure": "pressure",
    "aux-light": "light",
    "aux-acceleration": "acceleration",
}
UNITS = {
    "temperature": "K", "humidity": "1", "pressure": "Pa", "light": "lux", "acceleration": "m/s2",
}  # fmt: skip
BOUNDS = {
    "temperature": (150.0, 450.0), "humidity": (0.0, 1.0), "pressure": (1e3, 2e5),
    "light": (0.0, 2e5), "acceleration": (0.0, 2e3),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The modality fitted to a twin. `kind` (C,) and `tiles` (C,) of each channel."""

    id: str
    excited: bool
    card: ModalityCard
    twin: Twin
    channels: tuple[Channel, ...]
    nominal: Real
    noise: Real
    chip_s: float
    visits: float
    kind: tuple[str, ...]

    def read(self, conditions: Conditions) -> Reading:
        """Return what every sensor stands in."""
        values = [
            self._value(kind, channel.tile, conditions)
            for kind, channel in zip(self.kind, self.channels, strict=True)
        ]
        helium = any(
            isinstance(each, Gas) and each.kind == "helium" and each.share > HELIUM_STOPS
            for each in conditions.active
        )
        health = [
            Health.STALLED if helium and kind == "acceleration" else Health.GOOD
            for kind in self.kind
        ]
        return Reading(
            quantity=np.array(values),
            additive=np.zeros(len(values)),
            health=np.array(health, dtype=np.uint16),
        )

    def _value(self, kind: str, tile: str, conditions: Conditions) -> float:
        if kind == "temperature":
            return conditions.skin_k + self._spots_k(tile, conditions)
        if kind == "acceleration":
            return self._acceleration(tile, conditions)
        return {
            "humidity": conditions.humidity,
            "pressure": conditions.pressure_pa,
            "light": conditions.lux,
        }[kind]

    def _acceleration(self, tile: str, conditions: Conditions) -> float:
        """Return the rms of a panel's own vibration and of all that shakes it."""
        fans = math.prod(each.share for each in conditions.active if isinstance(each, Fans))
        own = max(quiet_rms_m_s2(self.twin.site.name) * fans**2, 1e-12)
        parts = [own, _sensor_rms()]
        for each in conditions.active:
            if isinstance(each, Force):
                parts.append(self._shaken(each, tile))
            elif isinstance(each, Shaken):
                parts.append(each.m_s2 * (1.0 if each.kind == "noise" else math.sqrt(0.5)))
            elif isinstance(each, Sound):
                parts.append(sound_rms_m_s2(self.twin.site.name, each.pascal, each.hertz))
        return math.sqrt(sum(part * part for part in parts))

    def _spots_k(self, tile: str, conditions: Conditions) -> float:
        board, total = self.twin.board(tile), 0.0
        middle = np.array([0.5 * board.tile.width_m, 0.5 * board.tile.height_m])
        for spot, age_s in conditions.spots(tile):
            off = np.hypot(*(middle - np.array([spot.at.x_m, spot.at.y_m])))
            rise = rise_k(
                np.array([off]), board=board, watt=spot.watt, radius_m=spot.radius_m, age_s=age_s
            )
            total += float(rise[0])
        return total

    def _shaken(self, force: Force, tile: str) -> float:
        near = self.twin.board(force.at.tile).tile
        here = self.twin.board(tile).tile
        share = (force.at.x_m / near.width_m, force.at.y_m / near.height_m)
        passed = 1.0 if near.face == here.face else self.card["far_side"]
        return passed * _force_rms(
            self.twin.site.name, force.kind, force.newton, force.hertz, share
        )

    def nuisance(self, times_s: Real, generator: np.random.Generator) -> Real:
        """Return contrast between boards and the spread of vibration from window to window."""
        found = np.zeros((times_s.size, len(self.channels)))
        for k, kind in enumerate(self.kind):
            if kind == "temperature":
                walk = ou(CONTRAST_MEMORY_S, times_s, generator)[:, 0]
                found[:, k] = self.card["contrast"] * walk
        return found

    def residuals(
        self, values: Values, health: npt.NDArray[np.uint16], chips: int, louder: Real
    ) -> Residuals:
        """Return each sensor's distance from its anchor in units of what its site does by itself.

        Temperature: contrast of a board against the others' median, and the median against the
        site's own spread. Acceleration: ln of the ratio of levels.
        """
        read = np.real(values)
        columns: list[Real] = []
        for k, kind in enumerate(self.kind):
            mine = [j for j, other in enumerate(self.kind) if other == kind]
            columns.append(self._residual(kind, read[:, k], read[:, mine], self.nominal[k]))
        names = tuple(channel.id for channel in self.channels)
        tiles = tuple(channel.tile for channel in self.channels)
        warm = [j for j, kind in enumerate(self.kind) if kind == "temperature"]
        if warm:
            middle = np.median(read[:, warm], axis=1)
            columns.append((middle - self.nominal[warm[0]]) / spread_of(self.twin).skin_k)
            names, tiles = (*names, "environment/temperature median"), (*tiles, "")
        return Residuals(names=names, tiles=tiles, z=np.stack(columns, axis=1))

    def _residual(self, kind: str, read: Real, alike: Real, nominal: float) -> Real:
        if kind == "temperature":
            spread = np.hypot(self.card["temperature_noise"], self.card["contrast"])
            return np.asarray((read - np.median(alike, axis=1)) / spread)
        if kind == "acceleration":
            return np.asarray(np.log(np.maximum(read, 1e-9) / nominal) / self.card["level_spread"])
        if kind == "humidity":
            spread = np.hypot(self.card["humidity_noise"], spread_of(self.twin).humidity)
            return np.asarray((read - nominal) / spread)
        if kind == "pressure":
            weather = self.twin.site.weather_pa.value
            return np.asarray((read - nominal) / np.hypot(self.card["pressure_spread"], weather))
        return np.asarray((read - nominal) / self.card["light_noise"])


@lru_cache(maxsize=256)
def _force_rms(
    site: str, kind: str, newton: float, hertz: float, share: tuple[float, float]
) -> float:
    return force_rms_m_s2(site, kind, newton, hertz, share)


def _channels(twin: Twin, modality: str) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """Return the channels of the design's modules and the kind of each."""
    chosen = {row.id for row in twin.enclosure.modules}
    faces: dict[str, str] = {}
    for tile in twin.enclosure.tiles:
        if tile.bend is None:
            faces.setdefault(tile.face, tile.id)
    channels: list[Channel] = []
    kinds: list[str] = []
    for module, kind in KINDS.items():
        if module not in chosen:
            continue
        places = list(faces.items()) if kind in ("temperature", "acceleration") else [("", "")]
        low, high = BOUNDS[kind]
        for face, board in places:
            name = f"environment/{kind}" + (f"/{face}" if face else "")
            channels.append(
                Channel(
                    id=name, modality=modality, unit=UNITS[kind], tile=board, low=low, high=high,
                    excited=False,
                )
            )  # fmt: skip
            kinds.append(kind)
    return tuple(channels), tuple(kinds)


def fit(twin: Twin) -> Environment:
    """Return the environment's sensors on a twin, as the design's modules say."""
    card = load_card("environment")
    channels, kinds = _channels(twin, card.id)
    anchor = anchor_of(twin)
    still = float(np.hypot(quiet_rms_m_s2(twin.site.name), _sensor_rms()))
    values = {
        "temperature": anchor.skin_k,
        "humidity": anchor.humidity,
        "pressure": anchor.pressure_pa,
        "light": 0.0,
        "acceleration": still,
    }
    noises = {
        "temperature": card["temperature_noise"],
        "humidity": card["humidity_noise"],
        "pressure": card["pressure_noise"],
        "light": card["light_noise"],
        "acceleration": card["level_spread"] * still,
    }
    return Environment(
        id=card.id,
        excited=False,
        card=card,
        twin=twin,
        channels=channels,
        nominal=np.array([values[kind] for kind in kinds]),
        noise=np.array([noises[kind] for kind in kinds]),
        visits=1.0,
        chip_s=card["window"],
        kind=kinds,
    )


def _sensor_rms() -> float:
    sensor = Accelerometer()
    return float(sensor.density_m_s2_rthz * np.sqrt(4_000.0))
