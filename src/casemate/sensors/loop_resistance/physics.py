"""What loop resistance reads on a twin.

R = squares x sheet(T), nets altered by what met their copper (`twin.altered`). Two lanes of a zone
run side by side: the difference of their relative changes cancels temperature; the zone's mean
against its board's other zones leaves gradients only, and catches what alters both lanes alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Channel, Health, Values
from casemate.sensors.card import ModalityCard, load_card
from casemate.sensors.contrast import middle
from casemate.sensors.modality import Reading, Residuals
from casemate.twin.altered import END_OHM, Altered, altered, loop_ohm
from casemate.twin.assembly import Twin
from casemate.twin.board import Board
from casemate.twin.conditions import Conditions, anchor_of
from casemate.twin.converters import thermal_v
from casemate.twin.effects import Lifted
from casemate.twin.heat_spot import net_rise_k, net_share
from casemate.twin.injection import Band, net_volt
from casemate.twin.line_materials import Real
from casemate.twin.resistance import IACS_ALPHA_1_K, IACS_OHM_M
from casemate.twin.walks import ou

GAUGE_FACTOR = 2.0
"""Relative change of copper's resistance over strain: 1 + 2 nu and little else (handbooks)."""
DIVERGED = 1e3
"""Residual of a net that cannot be read, in noises: an open is as sure as can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopResistance:
    """The modality fitted to a twin; `boards` in the order of channels."""

    id: str
    excited: bool
    card: ModalityCard
    twin: Twin
    channels: tuple[Channel, ...]
    nominal: Real
    noise: Real
    chip_s: float
    visits: float
    anchor_k: float
    rows: dict[str, slice]
    """Channels of each board."""

    def read(self, conditions: Conditions) -> Reading:
        """Return the loops' resistances, clipped at full scale."""
        quantity = np.empty(len(self.channels))
        additive = np.zeros(len(self.channels))
        drive, full = self.card["drive"], self.card["full_scale"]
        band = Band(low_hz=0.0, high_hz=0.5 / self.chip_s)
        for tile, row in self.rows.items():
            board = self.twin.board(tile)
            change = altered(board, conditions.active)
            quantity[row] = self._board_ohm(board, change, conditions)
            volt = net_volt(self.twin.enclosure, conditions.active, band, board.loop_m2)
            additive[row] = volt / drive
        clipped = quantity >= full
        health = np.where(clipped, Health.CLIPPED, 0).astype(np.uint16)
        return Reading(quantity=np.minimum(quantity, full), additive=additive, health=health)

    def _board_ohm(self, board: Board, change: Altered, conditions: Conditions) -> Real:
        rise = conditions.skin_k - self.anchor_k + _spots_k(board, conditions)
        strained = 1.0 + GAUGE_FACTOR * _strain(board, conditions)
        return loop_ohm(change, sheet_ohm(board) * (1.0 + IACS_ALPHA_1_K * rise) * strained)

    def nuisance(self, times_s: Real, generator: np.random.Generator) -> Real:
        """Return gradients across boards, by zone: alpha times the card's spread, (K, C)."""
        found = np.zeros((times_s.size, len(self.channels)))
        spread = IACS_ALPHA_1_K * self.card["gradient"]
        for tile, row in self.rows.items():
            pairs = zone_pairs(self.twin.board(tile), row.start)
            walk = ou(self.card["gradient_memory"], times_s, generator, len(pairs))
            for k, pair in enumerate(pairs):
                found[:, list(pair)] = spread * np.outer(walk[:, k], self.nominal[list(pair)])
        return found

    def residuals(
        self, values: Values, health: npt.NDArray[np.uint16], chips: int, louder: Real
    ) -> Residuals:
        """Return, for each zone, how far its lanes part, and its mean against the board's median.

        Of relative changes R/R0, in units of noise; the second's noise holds gradients too. No
        logarithm: under interference as large as a loop itself its tails would look like changes.
        """
        share = np.real(values) / self.nominal
        own = louder * self.noise / self.nominal / np.sqrt(chips)
        open_ = (health & Health.CLIPPED) != 0
        names: list[str] = []
        tiles: list[str] = []
        columns: list[Real] = []
        gradient = IACS_ALPHA_1_K * self.card["gradient"]
        for tile, row in self.rows.items():
            pairs = zone_pairs(self.twin.board(tile), row.start)
            means = np.stack([share[:, list(pair)].mean(axis=1) for pair in pairs], axis=1)
            each = [np.sqrt(np.mean(own[:, list(pair)] ** 2 / len(pair), axis=1)) for pair in pairs]
            noise = np.hypot(np.stack(each, axis=1), gradient)
            zones = middle(means, noise)
            for k, pair in enumerate(pairs):
                lost = open_[:, list(pair)].any(axis=1)
                first, last = pair[0], pair[-1]
                spread = np.hypot(own[:, first], own[:, last])
                ratio = (share[:, first] - share[:, last]) / spread
                common = (means[:, k] - zones) / noise[:, k]
                zone = self.channels[first].id.rsplit("/", 1)[-1]
                columns += [np.where(lost, DIVERGED, ratio), np.where(lost, DIVERGED, common)]
                names += [f"{tile}/{zone} ratio", f"{tile}/{zone} mean"]
                tiles += [tile, tile]
        return Residuals(names=tuple(names), tiles=tuple(tiles), z=np.stack(columns, axis=1))


def _strain(board: Board, conditions: Conditions) -> Real:
    """Return the mean strain of each net's copper by what bends its board, (N,)."""
    total = np.zeros(len(board.nets))
    for each in conditions.active:
        if isinstance(each, Lifted) and each.at.tile == board.tile.id:
            total += each.strain * net_share(board, each.at, each.radius_m)
    return total


def _spots_k(board: Board, conditions: Conditions) -> Real:
    total = np.zeros(len(board.nets))
    for spot, age_s in conditions.spots(board.tile.id):
        total += net_rise_k(board, spot, age_s)
    return total


def sheet_ohm(board: Board) -> Real:
    """Return ohms a square of every net at the anchor's temperature, (N,)."""
    return np.full(len(board.nets), IACS_OHM_M / board.tile.stackup.copper_m)


def zone_pairs(board: Board, first: int) -> list[tuple[int, ...]]:
    """Return the channels of each zone of each layer, lanes in order."""
    found: dict[tuple[str, int], list[int]] = {}
    for k, (layer, zone) in enumerate(zip(board.layer_of, board.zone.tolist(), strict=True)):
        found.setdefault((layer, zone), []).append(first + k)
    return [tuple(each) for each in found.values()]


def fit(twin: Twin) -> LoopResistance:
    """Return loop resistance on a twin: one channel a net."""
    card = load_card("loop_resistance")
    channels: list[Channel] = []
    nominal: list[float] = []
    rows = {}
    for tile, board in twin.boards.items():
        rows[tile] = slice(len(channels), len(channels) + len(board.nets))
        nominal += (board.squares * sheet_ohm(board) + END_OHM).tolist()
        channels += [
            Channel(
                id=f"loop/{tile}/{net}", modality=card.id, unit="ohm", tile=tile, low=0.0,
                high=card["full_scale"],
            )
            for net in board.nets
        ]  # fmt: skip
    ohm = np.array(nominal)
    return LoopResistance(
        id=card.id,
        excited=True,
        card=card,
        twin=twin,
        channels=tuple(channels),
        nominal=ohm,
        noise=chip_noise_ohm(card, ohm),
        visits=1.0,
        chip_s=card["chip"],
        anchor_k=anchor_of(twin).skin_k,
        rows=rows,
    )


def chip_noise_ohm(card: ModalityCard, ohm: Real, kelvin: float = 300.0) -> Real:
    """Return the noise of one chip, (C,): thermal, amplifier, and a converter's uniform step."""
    band_hz = 0.5 / card["chip"]
    thermal = thermal_v(r_ohm=1.0, temperature_k=kelvin, bandwidth_hz=band_hz) ** 2 * ohm
    amplifier = card["amplifier"] ** 2 * band_hz
    step = 2.0 * card["full_scale"] * card["drive"] / 2.0 ** card["bits"]
    return np.asarray(np.sqrt(thermal + amplifier + step**2 / 12.0) / card["drive"])
