"""Reflectometry fitted to a twin: of every pair, how far its response is from the sound one.

A channel is a pair. Its quantity is the norm of the sound response over all bins of a capture plus
that of the departure from it, a common shift in time taken out; in units of the step times the root
of the number of bins that a norm sums. With the noise of one bin that is what a filter matched to
the fault's own shape reads: no detector that does not know the shape sees more. Only pairs that
something was done to are solved; they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Channel, Health, Values
from casemate.sensors.card import ModalityCard, load_card
from casemate.sensors.modality import Reading, Residuals
from casemate.sensors.tdr.faults import altered_response, faults_of
from casemate.sensors.tdr.physics import (
    PairChannel,
    Reflectometer,
    Tdr,
    anchor,
    card_reader,
    fingerprint,
    tdr_of_board,
)
from casemate.twin.altered import Altered, Event, altered
from casemate.twin.assembly import Twin
from casemate.twin.conditions import Conditions
from casemate.twin.injection import Band, net_volt
from casemate.twin.line_materials import Real
from casemate.twin.pair_ripple import Ripple
from casemate.twin.walks import ou

MOST_BINS = 0.5
"""Shift that temperature may have and a fit takes out, in bins; a larger one is a change."""
MOST_SEEN = 4096
"""Departures kept; a scene of all moves makes a few hundred."""
MOST_SOLVED = 24
"""Pairs kept, some 15 MB each."""
MEMORY_S = 600.0
"""Of what a fit of one temperature leaves (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A pair that was solved: its reader's record, its fingerprint, its sound response (B,)."""

    tdr: Tdr
    of: PairChannel
    prepared: Ripple
    sound: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTdr:
    """The modality fitted to a twin. `pairs` (C, 2): nets of each channel on its board."""

    id: str
    excited: bool
    card: ModalityCard
    twin: Twin
    reader: Reflectometer
    channels: tuple[Channel, ...]
    nominal: Real
    noise: Real
    chip_s: float
    visits: float
    pairs: npt.NDArray[np.int64]
    rows: dict[str, slice]
    solved: dict[str, Solved] = field(default_factory=dict)
    seen: dict[tuple[str, tuple[Event, ...]], float] = field(default_factory=dict)

    def read(self, conditions: Conditions) -> Reading:
        """Return each pair's departure from its sound response."""
        quantity = self.nominal.copy()
        additive = np.zeros(quantity.size)
        health = np.zeros(quantity.size, dtype=np.uint16)
        band = Band(low_hz=0.0, high_hz=0.35 / self.reader.rise_s)
        for tile, row in self.rows.items():
            board = self.twin.board(tile)
            change = altered(board, conditions.active)
            one, two = (board.loop_m2[self.pairs[row, side]] for side in (0, 1))
            volt = net_volt(self.twin.enclosure, conditions.active, band, one - two)
            additive[row] = volt / np.sqrt(self.reader.averages)
            if change.gone or change.events:
                quantity[row] += self._departures(change, row)
        return Reading(quantity=quantity, additive=additive, health=health)

    def _departures(self, change: Altered, row: slice) -> Real:
        if change.gone:
            # an open at the reader reflects the whole step: no pair has to be solved for that
            return np.full(
                row.stop - row.start, (1.0 + self.card["mismatch"]) * np.sqrt(self.card["bins"])
            )
        found = np.zeros(row.stop - row.start)
        nets = {event.net for event in change.events}
        for k in range(found.size):
            if nets & set(self.pairs[row.start + k].tolist()):
                found[k] = self._departure(change, self.channels[row.start + k].id)
        return found

    def _departure(self, change: Altered, channel: str) -> float:
        """Return the departure that events make; the last ones are kept, for scenes repeat them."""
        key = (channel, change.events)
        if key not in self.seen:
            if len(self.seen) >= MOST_SEEN:
                self.seen.clear()
            mine = self._solved(change, channel)
            faults = faults_of(mine.of, change)
            self.seen[key] = (
                departure(mine.sound, altered_response(mine.tdr, mine.of, faults, mine.prepared))
                if len(faults)
                else 0.0
            )
        return self.seen[key]

    def _solved(self, change: Altered, channel: str) -> Solved:
        if channel not in self.solved:
            if len(self.solved) >= MOST_SOLVED:
                self.solved.pop(next(iter(self.solved)))
            tdr = tdr_of_board(change.board, self.reader, unit=self.twin.seed, only=(channel,))
            of = tdr.channels[0]
            prepared = fingerprint(of)
            self.solved[channel] = Solved(
                tdr=tdr, of=of, prepared=prepared, sound=anchor(tdr, of, prepared)
            )
        return self.solved[channel]

    def nuisance(self, times_s: Real, generator: np.random.Generator) -> Real:
        """Return what a fit of one temperature leaves, pair by pair, (K, C)."""
        walk = ou(MEMORY_S, times_s, generator, len(self.channels))
        return np.asarray(self.card["left"] * walk)

    def residuals(
        self, values: Values, health: npt.NDArray[np.uint16], chips: int, louder: Real
    ) -> Residuals:
        """Return the departure of each pair over noise and what temperature leaves."""
        spread = np.hypot(louder * self.noise / np.sqrt(chips), self.card["left"])
        z = (np.real(values) - self.nominal) / spread
        lost = (health & Health.CLIPPED) != 0
        return Residuals(
            names=tuple(each.id.split("/", 1)[1] for each in self.channels),
            tiles=tuple(each.tile for each in self.channels),
            z=np.where(lost, 1e3, z),
        )


def departure(sound: Real, response: Real) -> float:
    """Return the norm over bins of a response less the sound one, a common shift taken out."""
    gap = response - sound
    slope = np.gradient(sound)
    shift = float(gap @ slope) / max(float(slope @ slope), 1e-30)
    return float(np.linalg.norm(gap - np.clip(shift, -MOST_BINS, MOST_BINS) * slope))


def fit(twin: Twin) -> FittedTdr:
    """Return reflectometry on a twin: a channel for each two lanes of a zone."""
    card, reader = load_card("tdr"), card_reader()
    channels: list[Channel] = []
    pairs: list[tuple[int, int]] = []
    rows = {}
    for tile, board in twin.boards.items():
        first = len(channels)
        for pair in lane_pairs(board.layer_of, board.zone, board.lane):
            name = f"tdr/{tile}/{board.nets[pair[0]]}+{board.nets[pair[1]]}"
            channels.append(Channel(id=name, modality=card.id, unit="1", tile=tile, low=0.0))
            pairs.append(pair)
        rows[tile] = slice(first, len(channels))
    bins = card["bins"]
    sound = card["mismatch"] * np.sqrt(bins)
    return FittedTdr(
        id=card.id,
        excited=True,
        card=card,
        twin=twin,
        reader=reader,
        channels=tuple(channels),
        nominal=np.full(len(channels), sound),
        noise=np.full(len(channels), reader.noise / np.sqrt(reader.averages)),
        chip_s=reader.capture_s / bins,
        visits=1.0 / bins,
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        rows=rows,
    )


def lane_pairs(
    layer_of: tuple[str, ...], zone: npt.NDArray[np.int64], lane: npt.NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Return the nets of lanes 0 and 1, 2 and 3, ... of each zone, as `pair_tile.lanes_of`."""
    zones: dict[tuple[str, int], dict[int, int]] = {}
    for net, (layer, number, side) in enumerate(
        zip(layer_of, zone.tolist(), lane.tolist(), strict=True)
    ):
        zones.setdefault((layer, number), {})[side] = net
    return [
        (nets[side], nets[side + 1])
        for nets in zones.values()
        for side in range(0, max(nets), 2)
        if side in nets and side + 1 in nets
    ]
