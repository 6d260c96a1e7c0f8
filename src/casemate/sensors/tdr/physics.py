"""What a reflectometer reads of a tile's pairs, sound or with a fault, under a keyed challenge.

The reader drives a step of the chip's sign or amplitude between the two lanes of a pair and samples
the reflected difference in the one time bin that the chip asks for. A capture is one round: every
bin once, in an order that only the key tells. On a silent chip nothing is driven, and what is read
is noise and whatever an adversary sends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casemate.core.challenge import Challenge, Chips, chips
from casemate.core.errors import InputError
from casemate.core.samples import Block, Channel
from casemate.design.enclosure import TileDesign
from casemate.mesh.model import TileMesh
from casemate.mesh.store import load_mesh
from casemate.sensors.card import load_card
from casemate.twin.board import Board
from casemate.twin.line_materials import Complex, Real
from casemate.twin.pair_faults import sound
from casemate.twin.pair_line import Pair, Termination, laplace_of, odd_ohm, positive
from casemate.twin.pair_reflection import reflected
from casemate.twin.pair_ripple import Ripple, ripple, width_errors
from casemate.twin.pair_tile import Lanes, lanes_of, pair_on
from casemate.twin.pair_time import EARLY, band_hz, steps, times_s

MODALITY = "tdr"
SLOWEST_S_M = 1.2e-8
"""Delay that the record allows for: 9.6 ns/m of the modes, and room (tests hold the margin)."""
BEFORE_S = 5e-10
"""What is read before the edge: the base line."""
AFTER_S = 2e-9
"""What is read after the return from the end."""
TERMINATION_HZ = 1e9
"""At which the resistor between the lanes fits the odd mode."""
CHUNK_MAX = 4096
"""Captures of a chunk at most: chunk c begins with capture c times this."""
_UNIT, _EPISODES = 1, 2
"""Streams of one seed: width errors of a unit, noise of episodes."""
READERS = {"embedded": "", "analyser": "analyser_"}
"""Prefix of each reader's figures in the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reflectometer:
    """A reader. rise_s: 10 to 90 %. noise, jitter_s: rms of one sample, in units of the step and s.

    averages: samples behind each value. wander_s: rms shift of a whole averaged capture.
    capture_s: time of one capture of one pair. z_ohm: of each lane's port.
    """

    rise_s: float
    noise: float
    jitter_s: float
    averages: int
    wander_s: float
    capture_s: float
    z_ohm: float

    def __post_init__(self) -> None:
        positive(rise_s=self.rise_s, capture_s=self.capture_s, z_ohm=self.z_ohm)
        least = min(self.noise, self.jitter_s, self.wander_s)
        if not (least >= 0.0 and np.isfinite([self.noise, self.jitter_s, self.wander_s]).all()):
            raise InputError(
                "noise, jitter or wander is below 0, or no number.",
                remedy="give finite figures of 0 or above.",
                value=(self.noise, self.jitter_s, self.wander_s),
            )
        if self.averages < 1:
            raise InputError("a value is the mean of less than one sample.",
                             remedy="give 1 or more averages.", value=self.averages)  # fmt: skip

    @property
    def rise_seen_s(self) -> float:
        """Return the rise time of the average, which jitter blurs."""
        blur_s = 2.5631031310892007 * self.jitter_s if self.averages > 1 else 0.0
        return float(np.hypot(self.rise_s, blur_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairChannel:
    """One channel: two lanes, the pair they make, and the unit's width errors along it."""

    channel: Channel
    lanes: Lanes
    pair: Pair
    termination: Termination
    errors: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Tdr:
    """The modality on one tile. t_s (B,): times of the bins, 0 where the edge leaves the reader.

    first: number of the first bin in the computed record. laplace_1_s (F,): of the record.
    """

    reader: Reflectometer
    laplace_1_s: Complex
    t_s: Real
    first: int
    channels: tuple[PairChannel, ...]

    @property
    def bins(self) -> int:
        """Return the number of time bins, the `order` of a challenge."""
        return int(self.t_s.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Captures:
    """E captures of one pair in the order of their chips: values (E, B), and the chips of all."""

    values: Real
    chips: Chips


def card_reader(name: str = "embedded") -> Reflectometer:
    """Return a reader of the card, embedded or analyser; InputError for another name."""
    if name not in READERS:
        raise InputError(
            f"the card of tdr has no reader {name!r}.", remedy=f"readers: {', '.join(READERS)}."
        )
    card, prefix = load_card(MODALITY), READERS[name]
    return Reflectometer(
        rise_s=card[f"{prefix}rise"],
        noise=card[f"{prefix}noise"],
        jitter_s=card[f"{prefix}jitter"],
        averages=int(card[f"{prefix}averages"]),
        wander_s=card[f"{prefix}wander"],
        capture_s=card[f"{prefix}capture"],
        z_ohm=card[f"{prefix}impedance"],
    )


def channel_id(tile: str, lanes: Lanes) -> str:
    """Return such as tdr/front-1/In1_Cu_Z00U0+In1_Cu_Z00U1."""
    return f"{MODALITY}/{tile}/{lanes.nets[0].name}+{lanes.nets[1].name}"


def tdr_of(
    tile: TileDesign,
    mesh: TileMesh,
    reader: Reflectometer,
    *,
    unit: int,
    rise_k: float = 0.0,
    only: tuple[str, ...] = (),
) -> Tdr:
    """Return the modality on a tile. `unit`: seed of the unit's width errors. `only`: channels.

    The record is as long as the tile's longest pair asks, so all channels have the same bins.
    rise_k: temperature above that of the twin's figures; the width errors stay. The terminations
    are chosen on the nominal pair at 0 K.
    """
    every = lanes_of(mesh)
    if not every:
        raise InputError(
            "the tile's mesh has no two lanes of one zone.",
            remedy="draw the mesh with two or more lanes.",
            key=tile.id,
        )
    longest_s = 2.0 * SLOWEST_S_M * max(lanes.length_m for lanes in every)
    window_s = (longest_s + AFTER_S + 4.0 * BEFORE_S) * EARLY / (EARLY - 1)
    laplace = laplace_of(band_hz(max(window_s, EARLY * BEFORE_S), reader.rise_seen_s))
    all_s = times_s(laplace)
    read = np.flatnonzero((all_s >= -BEFORE_S) & (all_s <= longest_s + AFTER_S))
    chosen = [
        (number, lanes)
        for number, lanes in enumerate(every)
        if not only or channel_id(tile.id, lanes) in only
    ]
    channels = tuple(
        _channel(
            tile, mesh, lanes, laplace, rise_k, np.random.Philox(key=unit, counter=[0, 0, n, _UNIT])
        )
        for n, lanes in chosen
    )
    return Tdr(
        reader=reader, laplace_1_s=laplace, t_s=all_s[read], first=int(read[0]), channels=channels
    )  # fmt: skip


def tdr_of_board(
    board: Board,
    reader: Reflectometer,
    *,
    unit: int,
    rise_k: float = 0.0,
    only: tuple[str, ...] = (),
) -> Tdr:
    """Return `tdr_of` for a board of a twin; its mesh is read from disk."""
    mesh = load_mesh(board.path)
    return tdr_of(board.tile, mesh, reader, unit=unit, rise_k=rise_k, only=only)


def _channel(
    tile: TileDesign,
    mesh: TileMesh,
    lanes: Lanes,
    laplace_1_s: Complex,
    rise_k: float,
    seeded: np.random.Philox,
) -> PairChannel:
    card = load_card(MODALITY)
    pair = pair_on(tile.stackup, mesh, lanes, laplace_1_s, rise_k)
    nominal = pair_on(tile.stackup, mesh, lanes, laplace_1_s) if rise_k else pair
    return PairChannel(
        channel=Channel(
            id=channel_id(tile.id, lanes), modality=MODALITY, unit="1", tile=tile.id,
            low=-2.0, high=2.0,
        ),
        lanes=lanes,
        pair=pair,
        termination=Termination(between_ohm=2.0 * odd_ohm(nominal, TERMINATION_HZ)),
        errors=width_errors(
            lanes.length_m, spread=card["spread"], memory_m=card["spread_memory"],
            generator=np.random.Generator(seeded),
        ),
    )  # fmt: skip


def fingerprint(of: PairChannel) -> Ripple:
    """Return a channel's ripple, some 15 MB for a long pair: make it once for many responses."""
    return ripple(of.pair, of.errors)


def responses(tdr: Tdr, of: PairChannel, faults: Real, prepared: Ripple | None = None) -> Real:
    """Return what is reflected of a unit step in each bin, shape (E, B), without noise.

    `faults` (E, COLUMNS) of casemate.twin.pair_faults.
    """
    bank = fingerprint(of) if prepared is None else prepared
    seen = reflected(of.pair, of.termination, faults, z_ref_ohm=tdr.reader.z_ohm, ripple=bank)
    whole = steps(tdr.laplace_1_s, seen.difference, tdr.reader.rise_seen_s)
    return np.ascontiguousarray(whole[:, tdr.first : tdr.first + tdr.bins])


def anchor(tdr: Tdr, of: PairChannel, prepared: Ripple | None = None) -> Real:
    """Return the response of the sound pair, shape (B,)."""
    return np.asarray(responses(tdr, of, sound(0.0), prepared)[0], dtype=np.float64)


def place_m(of: PairChannel, lane: int, arc_m: float) -> float:
    """Return the place in the pair, m from the reader, of a point at `arc_m` of one lane."""
    return arc_m / of.lanes.lengths_m[lane] * of.pair.length_m


def read_out(
    reader: Reflectometer,
    t_s: Real,
    waves: Real,
    asked: Chips,
    generator: np.random.Generator,
    interference: Real | float = 0.0,
) -> Real:
    """Return what each chip reads, shape (E, K): drive x wave[place] + interference + noise.

    `waves` (E, B) at `t_s`; `asked` has E K chips, K for each row. Jitter and wander act by the
    slope, to first order; of a mean of n samples noise and jitter are down by the root of n.
    """
    count = len(waves)
    drive = asked.drive.real.reshape(count, -1)
    place = asked.place.reshape(count, -1)
    slope = np.gradient(waves, t_s[1] - t_s[0], axis=1)
    root = np.sqrt(reader.averages)
    late_s = reader.wander_s * generator.standard_normal((count, 1))
    moved = np.take_along_axis(waves + slope * late_s, place, axis=1)
    steep = np.take_along_axis(slope, place, axis=1)
    spread = np.hypot(reader.noise, reader.jitter_s * drive * steep) / root
    noise = spread * generator.standard_normal(drive.shape)
    return np.asarray(drive * moved + interference + noise, dtype=np.float64)


def captured(
    tdr: Tdr,
    waves: Real,
    challenge: Challenge,
    first: int,
    generator: np.random.Generator,
    interference: Real | float = 0.0,
) -> Captures:
    """Return captures `first` .. of one pair: one round of chips for each row of `waves` (E, B)."""
    _refuse(tdr, challenge)
    asked = chips(challenge, first * tdr.bins, len(waves) * tdr.bins)
    values = read_out(tdr.reader, tdr.t_s, waves, asked, generator, interference)
    return Captures(values=values, chips=asked)


def folded(captures: Captures) -> tuple[Real, Real]:
    """Return waves by bin (E, B), drive divided out, nan where silent; and the same where silent.

    The second holds what was read on silent chips, nan elsewhere.
    """
    count, bins = captures.values.shape
    drive = captures.chips.drive.real.reshape(count, bins)
    place = captures.chips.place.reshape(count, bins)
    silent = drive == 0.0
    waves, quiet = np.empty((count, bins)), np.empty((count, bins))
    divided = np.where(silent, np.nan, captures.values / np.where(silent, 1.0, drive))
    np.put_along_axis(waves, place, divided, axis=1)
    np.put_along_axis(quiet, place, np.where(silent, captures.values, np.nan), axis=1)
    return waves, quiet


def generator_of(seed: int, chunk: int) -> np.random.Generator:
    """Return the randomness of one chunk of episodes: the same on one process as on many."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, chunk, _EPISODES]))


def episodes(
    tdr: Tdr,
    of: PairChannel,
    faults: Real,
    challenge: Challenge,
    *,
    seed: int,
    chunk: int,
    prepared: Ripple | None = None,
) -> Captures:
    """Return one noisy, keyed capture of each of a chunk of faults, (E, COLUMNS).

    The result depends on `seed` and `chunk` alone, so chunks can be run anywhere, in any order;
    number them through over all pairs of a campaign. InputError above CHUNK_MAX.
    """
    if len(faults) > CHUNK_MAX or chunk < 0:
        raise InputError(
            f"a chunk has more than {CHUNK_MAX} episodes, or a number below 0.",
            remedy="cut the faults into smaller chunks, numbered from 0.",
            value=(len(faults), chunk),
        )
    waves = responses(tdr, of, faults, prepared)
    return captured(tdr, waves, challenge, chunk * CHUNK_MAX, generator_of(seed, chunk))


def block(
    tdr: Tdr,
    waves: Real,
    challenge: Challenge,
    first: int,
    count: int,
    generator: np.random.Generator,
    interference: Real | float = 0.0,
) -> Block:
    """Return chips `first` .. as a reader delivers them: `waves` (C, B), all pairs on each chip.

    Wander is drawn once a call and channel.
    """
    _refuse(tdr, challenge)
    asked = chips(challenge, first, count)
    size = len(waves)
    every = Chips(first=first, drive=np.tile(asked.drive, size), place=np.tile(asked.place, size))
    values = read_out(tdr.reader, tdr.t_s, waves, every, generator, interference).T
    return Block(
        t_s=challenge.chip_s * np.arange(first, first + count, dtype=np.float64),
        chip=np.arange(first, first + count, dtype=np.int64),
        values=np.ascontiguousarray(values),
        health=np.zeros(values.shape, dtype=np.uint16),
    )


def asked(tdr: Tdr, key: bytes, epoch: int, *, silent: float | None = None) -> Challenge:
    """Return the challenge of this modality: signs, silence, one place a bin, a capture a round.

    silent: share of silent chips, that of the card if None.
    """
    share = load_card(MODALITY)["silent"] if silent is None else silent
    return Challenge(
        key=key, modality=MODALITY, epoch=epoch, chip_s=tdr.reader.capture_s / tdr.bins,
        silent=share, order=tdr.bins,
    )  # fmt: skip


def _refuse(tdr: Tdr, challenge: Challenge) -> None:
    if challenge.order != tdr.bins or challenge.constellation == "phase":
        raise InputError(
            "the challenge does not ask for one time bin a chip, by signs or amplitudes.",
            remedy="make it with casemate.sensors.tdr.physics.asked.",
            value=(challenge.order, tdr.bins, challenge.constellation),
        )
