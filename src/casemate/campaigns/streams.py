"""What a quiet enclosure gives for hours: every channel, chip by chip, in bounded memory.

Slow change is a walk between independent normals at evenly spaced knots, each from its own counter
of the seed, so that any stretch of time can be made by itself: blocks come out the same on one or
many processes, in any order. Weights cos and sin keep the walk's spread at 1 between knots.
Modalities of one seed share the site's walk and nothing else.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block, Channel
from casemate.sensors.loop_resistance.physics import LoopResistance, zone_pairs
from casemate.sensors.mesh_capacitance.physics import EPOXY, MeshCapacitance
from casemate.twin.environment_sites import Site
from casemate.twin.line_materials import Real
from casemate.twin.resistance import IACS_ALPHA_1_K

BLOCK = 256
"""Chips of one block: 4096 channels of it take 8 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """C channels' quiet law. Relative slow change is `own_spread` (C,) of each group's own walk

    (`group` (C,)) every `own_s`, plus `common_1_k` (C,) times the site's temperature walk of
    `common_k` every `common_s`.
    """

    channels: tuple[Channel, ...]
    nominal: Real
    noise: Real
    chip_s: float
    group: npt.NDArray[np.int64]
    own_spread: Real
    own_s: float
    common_1_k: float
    common_k: float
    common_s: float


def quiet_loops(fitted: LoopResistance) -> Quiet:
    """Return the quiet law of loop resistance: gradients by zone, copper in common."""
    group = np.zeros(len(fitted.channels), dtype=np.int64)
    number = 0
    for tile, row in fitted.rows.items():
        for pair in zone_pairs(fitted.twin.board(tile), row.start):
            group[list(pair)] = number
            number += 1
    spread = IACS_ALPHA_1_K * fitted.card["gradient"]
    return _quiet(fitted, group, spread, fitted.card["gradient_memory"], IACS_ALPHA_1_K)


def quiet_capacitances(fitted: MeshCapacitance) -> Quiet:
    """Return the quiet law of mesh capacitance: uneven water by channel, the film's coefficient."""
    group = np.arange(len(fitted.channels), dtype=np.int64)
    memory = fitted.card["contrast_memory"]
    return _quiet(fitted, group, fitted.card["contrast"], memory, EPOXY.temperature_1_k)


def _quiet(
    fitted: LoopResistance | MeshCapacitance,
    group: npt.NDArray[np.int64],
    spread: float,
    memory_s: float,
    common_1_k: float,
) -> Quiet:
    site: Site = fitted.twin.site
    walk = math.hypot(site.fast_k.value, site.hvac_k.value)
    return Quiet(
        channels=fitted.channels,
        nominal=fitted.nominal,
        noise=fitted.noise,
        chip_s=fitted.chip_s,
        group=group,
        own_spread=np.full(len(fitted.channels), spread),
        own_s=memory_s,
        common_1_k=common_1_k,
        common_k=walk,
        common_s=site.fast_memory_s.value,
    )


def blocks(
    quiet: Quiet, challenge: Challenge, *, seed: int, first: int = 0, count: int = 0
) -> Iterator[Block]:
    """Yield blocks `first` .. `first + count - 1` (for ever if count is 0) of BLOCK chips each."""
    number = first
    while count == 0 or number < first + count:
        yield block(quiet, challenge, seed=seed, number=number)
        number += 1


def block(quiet: Quiet, challenge: Challenge, *, seed: int, number: int) -> Block:
    """Return block `number`: chips number x BLOCK and on, all channels, float64 (BLOCK, C)."""
    drawn = chips(challenge, number * BLOCK, BLOCK)
    drive = np.ascontiguousarray(drawn.drive.real)
    t_s: Real = np.asarray((number * BLOCK + np.arange(BLOCK)) * quiet.chip_s, dtype=np.float64)
    ends = (float(t_s[0]), float(t_s[-1]))
    groups = int(quiet.group.max()) + 1
    mine = zlib.crc32(quiet.channels[0].modality.encode())
    own = [_walk((seed, mine), 1, groups, quiet.own_s, end)[quiet.group] for end in ends]
    common = [float(_walk((seed, 0), 2, 1, quiet.common_s, end)[0]) for end in ends]
    start, stop = (
        1.0 + quiet.own_spread * each + quiet.common_1_k * quiet.common_k * both
        for each, both in zip(own, common, strict=True)
    )
    generator = _generator((seed, mine), 3, number)
    values = generator.standard_normal((BLOCK, quiet.nominal.size))
    _fill(values, drive, quiet.nominal * start, quiet.nominal * stop, quiet.noise)
    return Block(
        t_s=t_s,
        chip=number * BLOCK + np.arange(BLOCK, dtype=np.int64),
        values=values,
        health=np.zeros(values.shape, dtype=np.uint16),
    )


@njit(cache=True)
def _fill(values: Real, drive: Real, start: Real, stop: Real, noise: Real) -> None:
    """Turn normals (K, C) into drive x quantity + noise; the quantity goes evenly on."""
    count = values.shape[0]
    for k in range(count):
        share = k / (count - 1.0)
        for c in range(values.shape[1]):
            quantity = start[c] + share * (stop[c] - start[c])
            values[k, c] = drive[k] * quantity + noise[c] * values[k, c]


def _generator(key: tuple[int, int], kind: int, number: int) -> np.random.Generator:
    """Return the generator of one block or knot; key: the seed, and what tells modalities apart."""
    bits = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=[0, 0, kind, number])
    return np.random.Generator(bits)


def _walk(key: tuple[int, int], kind: int, size: int, memory_s: float, now_s: float) -> Real:
    """Return unit walks (size,) at a time: between the normals of the knots on either side."""
    knot, share = divmod(now_s / memory_s, 1.0)
    left, right = (
        _generator(key, 16 + kind, int(knot) + side).standard_normal(size) for side in (0, 1)
    )
    angle = 0.5 * math.pi * share
    return np.asarray(math.cos(angle) * left + math.sin(angle) * right)


class QuietReader:
    """A reader of a quiet enclosure behind the interface of hardware (`core.samples.Reader`)."""

    def __init__(self, quiet: Quiet, *, seed: int) -> None:
        self._quiet = quiet
        self._seed = seed
        self._epoch = 0
        self._open = True

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._quiet.channels

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return the stream that answers `challenge` from its chip 0; the one before ends."""
        self._epoch += 1
        return self._stream(challenge, self._epoch)

    def _stream(self, challenge: Challenge, epoch: int) -> Iterator[Block]:
        for each in blocks(self._quiet, challenge, seed=self._seed):
            if not self._open or epoch != self._epoch:
                return
            yield each

    def close(self) -> None:
        """End the stream."""
        self._open = False
