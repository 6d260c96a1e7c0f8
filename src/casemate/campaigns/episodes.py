"""Many drill episodes at once: what the channels that a tool touches read, chip by chip.

An episode is one tool at a random place, and the reader's window after it. Channels that it does
not touch keep the quiet law, so only touched ones are made; the rest is what `streams` makes. Drawn
in chunks, each from its own counter of one seed: any split over processes gives the same episodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from casemate.core.challenge import Challenge, chips
from casemate.sensors.loop_resistance.physics import LoopResistance, sheet_ohm
from casemate.sensors.loop_resistance.physics import fit as fit_loop
from casemate.sensors.mesh_capacitance.local import own_loss_f
from casemate.sensors.mesh_capacitance.physics import LOST_F, MeshCapacitance
from casemate.sensors.mesh_capacitance.physics import fit as fit_capacitance
from casemate.sensors.rf_cavity.physics import RfCavity
from casemate.sensors.rf_cavity.physics import fit as fit_rf
from casemate.twin.assembly import Twin
from casemate.twin.board import Board
from casemate.twin.cavity_needle import Needle, needle_m2
from casemate.twin.copper import Meetings, meet
from casemate.twin.line_materials import Complex, Real
from casemate.twin.nick_table import added

Index = npt.NDArray[np.int64]
CHUNK = 256
"""Episodes of one generator; the unit in which work is split."""
CHIPS = 100
"""A window of 0.1 s at 1 kHz."""
DIAMETER_M = (5e-5, 3e-3)
BEYOND_M = (1e-3, 3e-2)
"""Ranges of tools, both drawn evenly in the logarithm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """E tools: `board` (E,) numbers of boards, `place_m` (E, 2), `diameter_m`, `beyond_m` (E,)."""

    board: npt.NDArray[np.int64]
    place_m: Real
    diameter_m: Real
    beyond_m: Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Windows of one modality: row r is `channel` (R,) of `episode` (R,), `values` (R, CHIPS).

    Each channel of an episode has one row.
    `truth` (R,): the quantity after the attack.
    """

    episode: npt.NDArray[np.int64]
    channel: npt.NDArray[np.int64]
    truth: Real
    values: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Episodes `first` .. `first + E - 1`. `drive` (E, CHIPS): chips, 0 where silent.

    `rf`: (E, CHIPS, links a chip), complex, tones and antennas in the order of `rf_place`
    (E, CHIPS).
    """

    first: int
    tools: Tools
    drive: npt.NDArray[np.float32]
    loop: Windows
    capacitance: Windows
    rf: npt.NDArray[np.complex64]
    rf_place: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A twin made ready for episodes."""

    twin: Twin
    boards: tuple[Board, ...]
    weights: Real
    loop: LoopResistance
    capacitance: MeshCapacitance
    rf: RfCavity
    own_f: npt.NDArray[np.int64]
    """Channel of each net's own capacitance, by loop channel."""


def ready(twin: Twin) -> Range:
    """Return a twin made ready: modalities fitted, boards weighted by area."""
    loop, capacitance = fit_loop(twin), fit_capacitance(twin)
    boards = tuple(twin.boards.values())
    own = []
    for tile, plates in capacitance.plates.items():
        first = capacitance.rows[tile].start
        own += [first + k for k in np.flatnonzero(plates.kind == 0).tolist()]
    area = np.array([shapely.Polygon(b.tile.outline.exterior).area for b in boards])
    return Range(
        twin=twin,
        boards=boards,
        weights=area / area.sum(),
        loop=loop,
        capacitance=capacitance,
        rf=fit_rf(twin),
        own_f=np.array(own),
    )


def chunk(range_: Range, *, seed: int, number: int) -> Chunk:
    """Return chunk `number`: episodes number x CHUNK and on."""
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, number]))
    tools = _tools(range_, generator)
    challenge = Challenge(
        key=np.random.Philox(key=seed).random_raw(4).tobytes(),
        modality="episodes",
        epoch=number,
        chip_s=range_.loop.chip_s,
        order=len(range_.rf.f_hz) * int(range_.rf.card["antennas"]),
    )
    drawn = chips(challenge, 0, CHUNK * CHIPS)
    drive = drawn.drive.real.reshape(CHUNK, CHIPS).astype(np.float32)
    loop, capacitance = _skin(range_, tools, drive, generator)
    place = drawn.place.reshape(CHUNK, CHIPS)
    return Chunk(
        first=number * CHUNK,
        tools=tools,
        drive=drive,
        loop=loop,
        capacitance=capacitance,
        rf=_rf(range_.rf, tools, drive, place, generator),
        rf_place=place,
    )


def _tools(range_: Range, generator: np.random.Generator) -> Tools:
    board = generator.choice(len(range_.boards), size=CHUNK, p=range_.weights)
    sizes = np.array([[b.tile.width_m, b.tile.height_m] for b in range_.boards])
    place = generator.random((CHUNK, 2)) * sizes[board]
    for number, each in enumerate(range_.boards):
        if each.tile.outline.holes:
            _out_of_openings(each, np.flatnonzero(board == number), place, sizes[number], generator)
    size = np.log(np.array([DIAMETER_M, BEYOND_M]))
    drawn = np.exp(size[:, :1] + generator.random((2, CHUNK)) * np.diff(size, axis=1))
    return Tools(board=board, place_m=place, diameter_m=drawn[0], beyond_m=drawn[1])


def _out_of_openings(
    board: Board,
    mine: npt.NDArray[np.int64],
    place: Real,
    size: Real,
    generator: np.random.Generator,
) -> None:
    solid = shapely.Polygon(board.tile.outline.exterior, board.tile.outline.holes)
    shapely.prepare(solid)
    while mine.size:
        mine = mine[~shapely.contains_xy(solid, place[mine, 0], place[mine, 1])]
        place[mine] = generator.random((mine.size, 2)) * size


def _skin(
    range_: Range, tools: Tools, drive: npt.NDArray[np.float32], generator: np.random.Generator
) -> tuple[Windows, Windows]:
    """Return the windows of loops and of nets' own capacitances that tools touch."""
    rows: list[tuple[Index, Index, Real, Real, Real]] = []
    for number in np.unique(tools.board).tolist():
        board = range_.boards[number]
        mine = np.flatnonzero(tools.board == number)
        for layer in board.tile.stackup.mesh:
            met = meet(board.copper(), layer, tools.place_m[mine], tools.diameter_m[mine])
            rows.append(_changed(range_, board, met, mine, tools.diameter_m[mine]))
    episode, channel, ohm, farad = _once(range_, rows)
    loop = range_.loop
    truth = np.minimum(ohm, loop.card["full_scale"])
    return (
        _windows(episode, channel, truth, loop.noise[channel], drive, generator),
        _windows(
            episode, range_.own_f[channel], farad,
            range_.capacitance.noise[range_.own_f[channel]], drive, generator,
        ),
    )  # fmt: skip


def _once(
    range_: Range, rows: list[tuple[Index, Index, Real, Real, Real]]
) -> tuple[Index, Index, Real, Real]:
    """Return (episode, loop channel, ohm, farad), each channel of an episode once.

    A net is often met at several places: squares and losses add up, the first cut says what is
    left, as in `altered` and in what capacitance reads.
    """
    episode, channel, ohm, less, left = (np.concatenate(part) for part in zip(*rows, strict=True))
    if not episode.size:
        return episode, channel, ohm, less
    order = np.lexsort((channel, episode))
    episode, channel = episode[order], channel[order]
    new = (np.diff(episode, prepend=-1) != 0) | (np.diff(channel, prepend=-1) != 0)
    at = np.flatnonzero(new)
    own = range_.capacitance.nominal[range_.own_f[channel[at]]]
    return (
        episode[at],
        channel[at],
        range_.loop.nominal[channel[at]] + np.add.reduceat(ohm[order], at),
        np.maximum(
            own * np.minimum.reduceat(left[order], at) - np.add.reduceat(less[order], at), LOST_F
        ),
    )


def _changed(
    range_: Range, board: Board, met: Meetings, mine: Index, diameter_m: Real
) -> tuple[Index, Index, Real, Real, Real]:
    """Return (episode, loop channel, ohm more, farad less, share left) of every meeting.

    More is inf where a net is cut; left is 1 where it is not.
    """
    width_m = board.tile.mesh.trace_m
    channel = range_.loop.rows[board.tile.id].start + met.net
    sheet = sheet_ohm(board)[met.net]
    squares = added(width_m, diameter_m[met.tool], np.minimum(met.bite_m, 0.999 * width_m))
    ohm = np.where(met.cut, np.inf, squares * sheet)
    plates = range_.capacitance.plates[board.tile.id].sheet
    layer = board.layer_of[int(met.net[0])] if len(met) else board.tile.stackup.mesh[0]
    less = own_loss_f(
        plates, layer, width_m, off_m=met.off_m, bite_m=met.bite_m, diameter_m=diameter_m[met.tool]
    )
    left = np.where(met.cut, met.squares / board.squares[met.net], 1.0)
    return mine[met.tool], channel, ohm, less, left


def _windows(
    episode: npt.NDArray[np.int64],
    channel: npt.NDArray[np.int64],
    truth: Real,
    noise: Real,
    drive: npt.NDArray[np.float32],
    generator: np.random.Generator,
) -> Windows:
    normals = generator.standard_normal((episode.size, CHIPS), dtype=np.float32)
    values = normals * noise.astype(np.float32)[:, None]
    values += truth.astype(np.float32)[:, None] * drive[episode]
    return Windows(episode=episode, channel=channel, truth=truth, values=values)


def _rf(
    rf: RfCavity,
    tools: Tools,
    drive: npt.NDArray[np.float32],
    place: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> npt.NDArray[np.complex64]:
    """Return what receivers read while tools stand in the volume, (E, CHIPS, antennas - 1).

    At a random place the antennas' fields are independent circular normals (tones lie further
    apart than the bandwidth f/Q): the ensemble's law, not this unit's own field.
    """
    antennas, tones = int(rf.card["antennas"]), rf.f_hz.size
    count = tools.beyond_m.size
    shape = (count, antennas, tones)
    parts = generator.standard_normal((2, *shape), dtype=np.float32)
    field = (parts[0] + 1j * parts[1]) * np.float32(np.sqrt(0.5))
    size = _rod_size(rf, tools).astype(np.float32)
    episode = np.arange(count)[:, None]
    tone, sender = place // antennas, place % antennas
    table, links = _tables(rf, antennas)
    sent = field[episode, sender, tone] * size[episode, tone]
    out = np.empty((count, CHIPS, antennas - 1), dtype=np.complex64)
    noise = np.float32(rf.noise.mean())
    for slot in range(antennas - 1):
        receiver = (sender + 1 + slot) % antennas
        still = table[links[sender, receiver], tone]
        normals = generator.standard_normal((2, count, CHIPS), dtype=np.float32) * noise
        out[:, :, slot] = drive * (still + sent * field[episode, receiver, tone])
        out[:, :, slot] += normals[0] + 1j * normals[1]
    return out


def _rod_size(rf: RfCavity, tools: Tools) -> Real:
    """Return level x sqrt(sigma/A) of each tool at each tone, (E, F)."""
    size = np.empty((tools.beyond_m.size, rf.f_hz.size))
    slim = np.minimum(tools.diameter_m, tools.beyond_m / 6.0)
    for k, (depth_m, diameter_m) in enumerate(zip(tools.beyond_m, slim, strict=True)):
        needle = Needle(depth_m=float(depth_m), diameter_m=float(diameter_m))
        size[k] = rf.level * np.sqrt(needle_m2(needle, rf.f_hz) / rf.absorption_m2)
    return size


def _tables(rf: RfCavity, antennas: int) -> tuple[Complex, npt.NDArray[np.int64]]:
    links = np.zeros((antennas, antennas), dtype=np.int64)
    for number, (a, b) in enumerate(rf.links):
        links[a, b] = links[b, a] = number
    return rf.nominal.reshape(len(rf.links), -1).astype(np.complex64), links
