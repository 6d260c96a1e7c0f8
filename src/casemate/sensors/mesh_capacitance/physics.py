"""What mesh capacitance reads on a twin.

Every net's own capacitance (all else at ground), that of neighbouring nets of a layer over the gaps
that they share, and that of nets of two layers over the area that they share, from closed forms
(`twin.capacitance`). A cut leaves what still hangs on the start, for the far end floats while this
is read. A hole takes dielectric and copper with it, a pocket dielectric, a touch adds what it has
to ground, a bridge makes two nets one. Water and temperature move a whole board alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Channel, Health, Values
from casemate.sensors.card import ModalityCard, load_card
from casemate.sensors.contrast import middle
from casemate.sensors.mesh_capacitance.local import Sheet, hole_f, pocket_f, sheet_of
from casemate.sensors.modality import Reading, Residuals
from casemate.twin.altered import Altered, altered, reached
from casemate.twin.assembly import Twin
from casemate.twin.board import Board
from casemate.twin.conditions import PERMEABLE_M, Conditions, anchor_of
from casemate.twin.heat_spot import net_rise_k
from casemate.twin.injection import Band, net_volt
from casemate.twin.line_materials import Real
from casemate.twin.moisture import Film, film_factor
from casemate.twin.walks import ou

LOST_F = 1e-18
"""What is left of a capacitance that is gone."""
EPOXY = Film(
    thickness_m=PERMEABLE_M,
    diffusivity_m2_s=1e-12,
    temperature_1_k=3e-4,
    per_water=6.0,
    water_at_full=0.005,
)
"""Glass-epoxy: +200 to +400 ppm/K (physics.md 5.2), 0.5 % water at saturation (planning values)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plates:
    """The channels of a board: nets `i`, `j` (C,), j = -1 for a net against all else; `farad`.

    `kind` (C,): 0 own, 1 lanes or neighbours in a layer, 2 layers over each other.
    """

    board: Board
    sheet: Sheet
    i: npt.NDArray[np.int64]
    j: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    farad: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshCapacitance:
    """The modality fitted to a twin."""

    id: str
    excited: bool
    card: ModalityCard
    twin: Twin
    channels: tuple[Channel, ...]
    nominal: Real
    noise: Real
    chip_s: float
    visits: float
    plates: dict[str, Plates]
    rows: dict[str, slice]

    def read(self, conditions: Conditions) -> Reading:
        """Return the capacitances; an unplugged board reads nothing."""
        quantity = np.empty(len(self.channels))
        additive = np.zeros(len(self.channels))
        health = np.zeros(len(self.channels), dtype=np.uint16)
        anchor = anchor_of(self.twin)
        factor = float(
            film_factor(
                EPOXY,
                rise_k=np.asarray(conditions.skin_k - anchor.skin_k),
                water=np.asarray(conditions.water - anchor.water),
                age_s=np.asarray(0.0),
            )
        )
        carrier = self.card["carrier"]
        band = Band(low_hz=carrier - 0.5 / self.chip_s, high_hz=carrier + 0.5 / self.chip_s)
        for tile, plates in self.plates.items():
            row, board = self.rows[tile], plates.board
            change = altered(board, conditions.active)
            warm = 1.0 + EPOXY.temperature_1_k * _spots_k(plates, conditions)
            quantity[row] = factor * warm * changed_f(plates, change)
            volts = net_volt(self.twin.enclosure, conditions.active, band, board.loop_m2)
            # a voltage in series with a net drives its own capacitance, as the drive does
            additive[row] = volts[plates.i] / self.card["drive"] * plates.farad
            health[row] = np.where(change.gone, Health.CLIPPED, 0)
        return Reading(quantity=quantity, additive=additive, health=health)

    def nuisance(self, times_s: Real, generator: np.random.Generator) -> Real:
        """Return uneven water and temperature, channel by channel, (K, C)."""
        walk = ou(self.card["contrast_memory"], times_s, generator, len(self.channels))
        return np.asarray(self.card["contrast"] * walk * self.nominal)

    def residuals(
        self, values: Values, health: npt.NDArray[np.uint16], chips: int, louder: Real
    ) -> Residuals:
        """Return C/C0 less the median of the board's channels of that kind and layer.

        In units of chip noise and of what uneven water leaves.
        """
        share = np.real(values) / self.nominal
        noise = louder * self.noise / self.nominal / np.sqrt(chips)
        own = np.hypot(noise, self.card["contrast"])
        z = np.empty_like(share)
        for tile, plates in self.plates.items():
            row = self.rows[tile]
            layer = np.array(plates.board.layer_of)[plates.i]
            for group in {(k, name) for k, name in zip(plates.kind.tolist(), layer, strict=True)}:
                mine = np.flatnonzero((plates.kind == group[0]) & (layer == group[1])) + row.start
                alike = middle(share[:, mine], own[:, mine])[:, None]
                z[:, mine] = (share[:, mine] - alike) / own[:, mine]
        lost = (health & Health.CLIPPED) != 0
        return Residuals(
            names=tuple(each.id.split("/", 1)[1] for each in self.channels),
            tiles=tuple(each.tile for each in self.channels),
            z=np.where(lost, 1e3, z),
        )


def _spots_k(plates: Plates, conditions: Conditions) -> Real:
    """Return the mean rise of each channel's nets by spots of heat on their board, (C,)."""
    board = plates.board
    nets = np.zeros(len(board.nets))
    for spot, age_s in conditions.spots(board.tile.id):
        nets += net_rise_k(board, spot, age_s)
    return np.asarray(
        0.5 * (nets[plates.i] + np.where(plates.j < 0, nets[plates.i], nets[plates.j]))
    )


def changed_f(plates: Plates, change: Altered) -> Real:
    """Return the capacitances (C,) of a board's channels after what was done to it."""
    farad = plates.farad.copy()
    if change.gone:
        return np.full(farad.size, LOST_F)
    if not (change.events or change.holes or change.pockets):
        return farad
    left, body = reached(change)
    other = np.where(plates.j >= 0, left[plates.j], 1.0)
    # lanes run side by side, so what is left of both is what the shorter has; layers cross at
    # random, so the shares multiply
    kept = np.where(plates.kind == 2, left[plates.i] * other, np.minimum(left[plates.i], other))
    farad *= kept
    farad += _local_f(plates, change)
    for event in change.events:
        before = change.cuts.get(event.net, 1.0) * float(plates.board.squares[event.net])
        whole = left[event.net] == 1.0
        if event.kind == "touch" and (whole or event.squares <= before):
            farad[(plates.i == event.net) & (plates.kind == 0)] += event.farad
    return np.maximum(_bridged_f(plates, body, farad), LOST_F)


def _local_f(plates: Plates, change: Altered) -> Real:
    """Return what holes and pockets take from each channel, (C,), at most 0."""
    taken = np.zeros(plates.farad.size)
    for hole in change.holes:
        own, pairs, over = hole_f(plates.board, plates.sheet, hole)
        _spread(plates, taken, own, pairs, over)
    for pocket in change.pockets:
        own, pairs, over = pocket_f(plates.board, plates.sheet, pocket)
        _spread(plates, taken, own, pairs, over)
    return taken


def _spread(
    plates: Plates,
    taken: Real,
    own: dict[int, float],
    pairs: dict[tuple[int, int], float],
    over: dict[tuple[int, int], float],
) -> None:
    for k, (i, j, kind) in enumerate(
        zip(plates.i.tolist(), plates.j.tolist(), plates.kind.tolist(), strict=True)
    ):
        if kind == 0:
            taken[k] += own.get(i, 0.0)
        else:
            table = pairs if kind == 1 else over
            taken[k] += table.get((i, j), 0.0) + table.get((j, i), 0.0)


def _bridged_f(plates: Plates, body: npt.NDArray[np.int64], farad: Real) -> Real:
    """Return the capacitances with bridged nets as one: between them nothing is left to read.

    The own capacitance of all that is joined is the sum of theirs less, twice, what they had
    between each other.
    """
    found = farad.copy()
    within = (plates.j >= 0) & (body[plates.i] == body[plates.j])
    for each in np.unique(body[np.bincount(body, minlength=body.size)[body] > 1]).tolist():
        mine = body[plates.i] == each
        own = mine & (plates.kind == 0)
        found[own] = farad[own].sum() - 2.0 * farad[mine & within].sum()
    found[within] = LOST_F
    return found


def fit(twin: Twin) -> MeshCapacitance:
    """Return mesh capacitance on a twin."""
    card = load_card("mesh_capacitance")
    channels: list[Channel] = []
    plates = {tile: plates_of(board, card) for tile, board in twin.boards.items()}
    rows = {}
    for tile, each in plates.items():
        rows[tile] = slice(len(channels), len(channels) + each.farad.size)
        channels += [
            Channel(id=f"cap/{tile}/{name}", modality=card.id, unit="F", tile=tile, low=0.0)
            for name in _names(each)
        ]
    farad = np.concatenate([each.farad for each in plates.values()])
    return MeshCapacitance(
        id=card.id,
        excited=True,
        card=card,
        twin=twin,
        channels=tuple(channels),
        nominal=farad,
        noise=np.hypot(card["noise"], card["ratio_noise"] * farad),
        visits=1.0,
        chip_s=card["chip"],
        plates=plates,
        rows=rows,
    )


def _names(plates: Plates) -> list[str]:
    nets = plates.board.nets
    return [
        nets[i] if j < 0 else f"{nets[i]}~{nets[j]}"
        for i, j in zip(plates.i.tolist(), plates.j.tolist(), strict=True)
    ]


def plates_of(board: Board, card: ModalityCard) -> Plates:
    """Return the channels of a board and what they hold."""
    sheet = sheet_of(board, card["epsilon"])
    facing, least = board.facing, card["least_share"]
    count = len(board.nets)
    own = np.zeros(count)
    for net in range(count):
        own[net] = sheet.own_f_m[board.layer_of[net]] * board.length_m[net]
    gaps = np.array([sheet.gap_f_m[board.layer_of[i]] for i, _ in facing.pairs.tolist()])
    pair_f = gaps * facing.metres if facing.metres.size else np.empty(0)
    np.add.at(own, facing.pairs[:, 0], pair_f)
    np.add.at(own, facing.pairs[:, 1], pair_f)
    long = np.minimum(*board.length_m[facing.pairs.T]) if facing.metres.size else np.empty(0)
    beside = np.flatnonzero(facing.metres > least * long)
    area = board.length_m * board.tile.mesh.pitch_m
    small = np.minimum(*area[facing.over.T]) if facing.area_m2.size else np.empty(0)
    above = np.flatnonzero(facing.area_m2 > least * small)
    return Plates(
        board=board,
        sheet=sheet,
        i=np.concatenate([np.arange(count), facing.pairs[beside, 0], facing.over[above, 0]]),
        j=np.concatenate(
            [np.full(count, -1), facing.pairs[beside, 1], facing.over[above, 1]]
        ).astype(np.int64),
        kind=np.repeat([0, 1, 2], [count, beside.size, above.size]),
        farad=np.concatenate([own, pair_f[beside], sheet.over_f_m2 * facing.area_m2[above]]),
    )
