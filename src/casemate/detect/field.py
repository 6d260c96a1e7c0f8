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

from casemate.detect._evidence_kernel import advance
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
        found.take_states(self)
        found.along = self.along.copy()
        found.evidence = (self.evidence[0].copy(), self.evidence[1].copy())
        return found

    def take_states(self, other: FieldBank) -> None:
        """Start from another bank's tracked states and doubts, without its evidence."""
        self.state, self.shift = other.state.copy(), other.shift.copy()
        self.doubt, self.heard = other.doubt.copy(), other.heard.copy()

    def add(self, block: Block) -> Shown:
        """Take in one block, held against a state and a direction of earlier blocks alone."""
        anchor = self.anchor
        links = len(anchor.names)
        block = finite(block)
        left, shapes = self._parts(block.mean)
        sound = ~block.lost & (block.loud > 0)
        power, count = self._beside(block)
        sudden = anchor.step + self.doubt
        turned = shapes - self.shift
        for test, (about, slack, eta) in enumerate(
            (
                (np.zeros_like(self.state), anchor.bound, np.hypot(anchor.bound, sudden)),
                (self.state, sudden, sudden),
            )
        ):
            self._weigh(test, left - about, turned, block, slack, eta, sound)
            self._turn(test, left - about, sound)
        over = np.sqrt(power) - math.sqrt(RESTLESS)
        now = LOUD * anchor.noise * np.maximum(over, 0.0) / math.sqrt(max(block.loud, 1))
        self.heard = np.where(sound, np.maximum(now, FADES * self.heard), self.heard)
        self._follow(left, shapes, sound, self.block_s, self.heard)
        tones = anchor.field.shape[1]
        return Shown(
            modality=anchor.modality,
            names=anchor.names,
            tiles=anchor.tiles,
            anchored=self.evidence[0].nats(),
            step=self.evidence[1].nats(),
            interference=quiet_nats(power, count),
            information=self._information(block.loud, power, block.lost),
            healthy=self._information(block.loud, np.ones(links), np.zeros(links, dtype=np.bool_)),
            window_s=self.block_s,
            open_=np.zeros(links, dtype=np.bool_),
            lost=block.lost,
            off=np.where(sound, np.sqrt((left**2).sum(axis=1) / tones), np.nan),
            at_bound=_norm(self.state) >= anchor.bound,
            shared=np.zeros(links, dtype=np.bool_),
        )

    def _beside(self, block: Block) -> tuple[Real, Real]:
        """Return power beside the challenge over noise, (L,), and its degrees of freedom."""
        tones = self.anchor.field.shape[1]
        spread = block.scatter[..., 0] + block.scatter[..., 2]
        unit = (self.anchor.noise * self.size) ** 2
        free = 2.0 * max(block.loud - 1, 0) * tones
        total = spread.sum(axis=1) / unit + block.quiet_power * block.quiet
        count = np.where(block.lost, 0.0, free + block.quiet)
        return np.divide(total, count, out=np.zeros_like(total), where=count > 0.0), count

    def _weigh(
        self,
        test: int,
        left: Real,
        turned: Real,
        block: Block,
        slack: Real,
        eta: Real,
        sound: npt.NDArray[np.bool_],
    ) -> None:
        """Add the block to one test's evidence. turned (L, 2 T): gain and stretch since tracked."""
        tones = self.anchor.field.shape[1]
        v, chips = self.along[test], block.loud * tones
        real, imag = v[:, :tones], v[:, tones:]
        whole = left + turned
        part = real * whole[:, :tones] + imag * whole[:, tones:]
        spread = block.scatter / self.size[:, None, None] ** 2
        square = block.loud * (part**2).sum(axis=1) + (
            real**2 * spread[..., 0] + 2.0 * real * imag * spread[..., 1]
            + imag**2 * spread[..., 2]
        ).sum(axis=1)  # fmt: skip
        root, total = np.sqrt(np.maximum(square, 0.0)), block.loud * (v * left).sum(axis=1)
        heard = sound & ((v**2).sum(axis=1) > 0.0)
        scale = self.anchor.noise * math.sqrt(max(chips, 1))
        peak = np.hypot(real, imag).max(axis=1)
        wide = (root + math.sqrt(chips) * peak * eta) / scale
        energy = np.repeat(np.where(heard, wide**2, 0.0)[:, None], 2, axis=1)
        sides = np.stack([total, -total], axis=1) - (chips * slack)[:, None]
        up = np.where(heard[:, None], sides / scale[:, None], 0.0)
        mine = self.evidence[test]
        advance(
            mine.r, mine.held, mine.spent, mine.tails, mine.count, up, energy, mine.rates,
            mine.level,
        )  # fmt: skip
        mine.count += 1

    def _turn(self, test: int, left: Real, sound: npt.NDArray[np.bool_]) -> None:
        """Choose the direction for the next block: norm 1 at most, hardly a tone above PEAK."""
        turned = KEEP * self.along[test] * _norm(left)[:, None] + left
        for _ in range(3):
            turned = turned / np.maximum(_norm(turned), 1e-300)[:, None]
            tones = turned.shape[1] // 2
            tall = np.hypot(turned[:, :tones], turned[:, tones:])
            cut = np.minimum(1.0, PEAK / np.maximum(tall, 1e-300))
            turned = turned * np.concatenate([cut, cut], axis=1)
        straight = turned - self._along_shapes(turned)
        self.along[test] = np.where(sound[:, None], straight, self.along[test])

    def settle(self, field: Complex) -> None:
        """Let the tracked field stand at a quiet one, (L x T,), within its bound."""
        self.follow(field, math.inf)

    def follow(self, field: Complex, seconds: float) -> None:
        """Let the tracked field follow one (L x T,) that stands for a time, without noise."""
        left, shapes = self._parts(field)
        links = len(self.anchor.names)
        self._follow(left, shapes, np.ones(links, dtype=np.bool_), seconds, np.zeros(links))

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

    def _follow(
        self,
        left: Real,
        shapes: Real,
        sound: npt.NDArray[np.bool_],
        seconds: float,
        error: Real,
    ) -> None:
        """Move the tracked field, and what gain and stretch do, towards what a block shows.

        error (L,): by how much more than in quiet its mean may be off. Doubt as in `tracked`.
        """
        anchor = self.anchor
        share = 1.0 - math.exp(-seconds / MEMORY_S)
        natural = anchor.step * min(seconds / MEMORY_S, 1e9)
        calm = error <= self.doubt
        most = natural + np.where(calm, share * self.doubt, 0.0)
        step = share * np.stack([left - self.state, shapes - self.shift])
        size = np.sqrt((_norm(step) ** 2).sum(axis=0))
        step = step * np.minimum(1.0, most / np.maximum(size, 1e-300))[:, None]
        moved = self.state + step[0]
        shrink = np.minimum(1.0, anchor.bound / np.maximum(_norm(moved), 1e-300))
        self.state = np.where(sound[:, None], moved * shrink[:, None], self.state)
        self.shift = np.where(sound[:, None], self.shift + step[1], self.shift)
        goes = np.minimum((1.0 - share) * self.doubt + share * error, self.doubt + 2.0 * natural)
        goes = np.where(sound, goes, self.doubt + natural)
        self.doubt = np.minimum(goes, 2.0 * anchor.bound)

    def _information(self, loud: int, power: Real, lost: npt.NDArray[np.bool_]) -> Real:
        """Return nats that a block could bring, (L,)."""
        anchor = self.anchor
        chips = loud * anchor.field.shape[1]
        beyond = np.maximum(anchor.must - anchor.bound, 0.0) ** 2
        full = 0.5 * chips * beyond / (anchor.noise**2 * np.maximum(power, 1.0))
        return np.asarray(np.where(lost, 0.0, np.minimum(full, math.log(2.0) * chips)))


def _norm(left: Real) -> Real:
    """Return the root mean square over tones of (L, 2 T)."""
    return np.asarray(np.sqrt((left**2).sum(axis=-1) / (left.shape[-1] // 2)))
