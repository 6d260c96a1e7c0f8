"""Keyed evidence of a change in a cavity: along the direction that earlier blocks point in.

In a block every tone of a link is asked by several secret chips. A direction v over tones, which
earlier blocks alone have chosen, at right angles to all that gain and stretch do, makes one real
x = c Re(conj(v) r) of every chip, and the law of `evidence` holds. With norms as root mean squares
over tones, |v| <= 1: the sum over n chips of what surroundings do, eps at most, is at most n eps
(Cauchy), and gain and stretch drop out of it. In the root of the sum of squares they do not; there
they are held against their tracked part, so that what is left of all drift is eta at most, and its
root at most sqrt(n) eta max|v|. A change that stays shows its direction in one block and convicts
in the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.detect import _field_kernel as kernel
from casemate.detect.anchor import FieldAnchor, Real
from casemate.detect.bank import Shown
from casemate.detect.evidence import Evidence
from casemate.detect.silence import quiet_nats
from casemate.detect.tracked import RESTLESS

Complex = npt.NDArray[np.complex128]
MEMORY_S = 4.0
"""Of the tracked field: drift of 100 s memory moves by a fifth of itself meanwhile (planning)."""
PEAK = 2.7
"""About the most of |v| at one tone, of its root mean square: bounds what one tone can do."""
LOUD = 2.0 * math.sqrt(2.0)
"""Of a block's mean over a part's noise and root of chips: norm of both parts, and as much again,
which 96 parts never reach."""
FADES = 0.5
"""What a block keeps of the loudest one before it: chips of one tone are few, and may agree."""
KEEP = 0.5
"""Share of a direction that the next one keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of L links and T tones, `loud` chips each.

    mean (L, T): mean of conj(c) y. scatter (L, T, 3): sums over the chips of squares of the real
    part about its mean, of both parts' product, and of the imaginary part's square. quiet_power
    (L,): mean square of silent chips over the noise's, quiet (L,): how many parts that are.
    """

    mean: Complex
    scatter: Real
    loud: int
    quiet_power: Real
    quiet: Real
    lost: npt.NDArray[np.bool_]


def finite(block: Block) -> Block:
    """Return a block in which links that are not finite are lost."""
    parts = (block.mean, block.scatter.sum(axis=2))
    sound = np.isfinite(block.quiet_power) & np.isfinite(block.quiet)
    for each in parts:
        sound &= np.isfinite(each).all(axis=1)
    if sound.all():
        return block
    return Block(
        mean=np.where(sound[:, None], block.mean, 0.0),
        scatter=np.where(sound[:, None, None], block.scatter, 0.0),
        loud=block.loud,
        quiet_power=np.where(sound, block.quiet_power, 0.0),
        quiet=np.where(sound, block.quiet, 0.0),
        lost=block.lost | ~sound,
    )


class FieldBank:
    """Detectors of a cavity; its state is its own and copyable."""

    def __init__(self, anchor: FieldAnchor, *, block_s: float, levels: int = 20) -> None:
        self.anchor = anchor
        self.block_s = block_s
        links, tones = anchor.field.shape
        self.size = np.sqrt(np.mean(np.abs(anchor.field) ** 2, axis=1))
        self.shapes = np.ascontiguousarray(anchor.shapes)  # one layout, compiled once
        self.state = np.zeros((links, 2 * tones))
        self.shift = np.zeros((links, 2 * tones))
        self.along = np.zeros((2, links, 2 * tones))
        self.doubt = anchor.bound.copy()
        self.heard = np.zeros(links)
        self.evidence = (Evidence.start(links, levels), Evidence.start(links, levels))

    def copy(self) -> FieldBank:
        """Return a copy that goes its own way."""
        found = FieldBank.__new__(FieldBank)
        found.anchor, found.block_s, found.size = self.anchor, self.block_s, self.size
        found.shapes = self.shapes
        found.take_states(self)
        found.along = self.along.copy()
        found.evidence = (self.evidence[0].copy(), self.evidence[1].copy())
        return found

    def take_states(self, other: FieldBank) -> None:
        """Start from another bank's tracked states and doubts, without its evidence."""
        self.state, self.shift = other.state.copy(), other.shift.copy()
        self.doubt, self.heard = other.doubt.copy(), other.heard.copy()

    def add(self, block: Block, healthy: Real | None = None) -> Shown:
        """Take in one block, held against a state and a direction of earlier blocks alone.

        healthy (L,): of `Shown`; what this block would bring in quiet if None.
        """
        anchor, links = self.anchor, len(self.anchor.names)
        if not kernel.is_finite(block.mean, block.scatter, block.quiet_power, block.quiet):
            block = finite(block)
        rows, at_bound = np.empty((kernel.ROWS, links)), np.empty(links, dtype=np.bool_)
        one, two = self.evidence
        kernel.turn(
            block.mean, block.scatter, block.loud, block.quiet_power, block.quiet, block.lost,
            anchor.field, self.shapes, self.size, anchor.noise, anchor.bound, anchor.step,
            self.state, self.shift, self.along, self.doubt, self.heard, math.sqrt(RESTLESS), LOUD,
            FADES, KEEP, PEAK, _share(self.block_s), _natural(self.block_s), one.count, one.rates,
            one.level, one.r, one.held, one.spent, one.tails, two.r, two.held, two.spent,
            two.tails, rows, at_bound,
        )  # fmt: skip
        one.count += 1
        two.count += 1
        power, count, off = rows
        none = np.zeros(links, dtype=np.bool_)
        if healthy is None:
            healthy = self._information(block.loud, np.ones(links), none)
        return Shown(
            modality=anchor.modality,
            names=anchor.names,
            tiles=anchor.tiles,
            anchored=one.nats(),
            step=two.nats(),
            interference=quiet_nats(power, count),
            information=self._information(block.loud, power, block.lost),
            healthy=healthy,
            window_s=self.block_s,
            open_=none,
            lost=block.lost,
            off=off,
            at_bound=at_bound,
            shared=none,
        )

    def settle(self, field: Complex) -> None:
        """Let the tracked field stand at a quiet one, (L x T,), within its bound."""
        self.follow(field, math.inf)

    def follow(self, field: Complex, seconds: float) -> None:
        """Let the tracked field follow one (L x T,) that stands for a time, without noise."""
        left, shapes = self._parts(field)
        share, natural = _share(seconds), _natural(seconds)
        kernel.follow_all(
            left, shapes, share, natural, self.anchor.step, self.anchor.bound, self.state,
            self.shift, self.doubt,
        )  # fmt: skip

    def beyond(self, field: Complex) -> bool:
        """Return whether a field (L x T,) lies beyond what either test allows, noise apart."""
        left, _ = self._parts(field)
        far = _norm(left) > self.anchor.bound
        return bool((far | (_norm(left - self.state) > self.anchor.step + self.doubt)).any())

    def _parts(self, field: Complex) -> tuple[Real, Real]:
        """Return (L, 2 T), relative: what is left, and what gain and stretch alone do."""
        anchor = self.anchor
        off = (field.reshape(anchor.field.shape) - anchor.field) / self.size[:, None]
        flat = np.concatenate([off.real, off.imag], axis=-1)
        shapes = self._along_shapes(flat)
        return np.asarray(flat - shapes), shapes

    def _along_shapes(self, flat: Real) -> Real:
        along = np.einsum("lt,lst->ls", flat, self.anchor.shapes)
        return np.asarray(np.einsum("ls,lst->lt", along, self.anchor.shapes))

    def _information(self, loud: int, power: Real, lost: npt.NDArray[np.bool_]) -> Real:
        """Return nats that a block could bring, (L,)."""
        anchor = self.anchor
        chips = loud * anchor.field.shape[1]
        beyond = np.maximum(anchor.must - anchor.bound, 0.0) ** 2
        full = 0.5 * chips * beyond / (anchor.noise**2 * np.maximum(power, 1.0))
        return np.asarray(np.where(lost, 0.0, np.minimum(full, math.log(2.0) * chips)))


def _share(seconds: float) -> float:
    """Return the share of what is shown that a tracked field takes in a time."""
    return 1.0 - math.exp(-seconds / MEMORY_S)


def _natural(seconds: float) -> float:
    """Return the share of `step` that a tracked field may move in a time."""
    return min(seconds / MEMORY_S, 1e9)


def _norm(left: Real) -> Real:
    """Return the root mean square over tones of (L, 2 T)."""
    return np.asarray(np.sqrt((left**2).sum(axis=-1) / (left.shape[-1] // 2)))
