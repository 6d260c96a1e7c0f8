"""Keyed evidence of a change in a cavity: along the direction that earlier blocks point in.

In a block every tone of a link is asked by several secret chips. What is left of it after gain and
stretch is projected on a direction u that earlier blocks alone have chosen, so that every chip
gives one real x = c Re(conj(u) r), and the law of `evidence` holds: the sum of what surroundings
do, of norm eps at most, is at most n eps (Cauchy), the root of its squares at most
sqrt(n) eps max|u|. A change that stays shows its direction in one block and convicts in the next.
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
PEAK = 3.0
"""Most of |u| at one tone, of its root mean square: bounds what one tone can do."""
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


class FieldBank:
    """Detectors of a cavity; its state is its own and copyable."""

    def __init__(self, anchor: FieldAnchor, *, block_s: float, levels: int = 20) -> None:
        self.anchor = anchor
        self.block_s = block_s
        links, tones = anchor.field.shape
        self.size = np.sqrt(np.mean(np.abs(anchor.field) ** 2, axis=1))
        self.state = np.zeros((links, 2 * tones))
        self.along = np.zeros((2, links, 2 * tones))
        self.doubt = np.zeros(links)
        self.evidence = (Evidence.start(links, levels), Evidence.start(links, levels))

    def copy(self) -> FieldBank:
        """Return a copy that goes its own way."""
        found = FieldBank.__new__(FieldBank)
        found.anchor, found.block_s, found.size = self.anchor, self.block_s, self.size
        found.state, found.along = self.state.copy(), self.along.copy()
        found.doubt = self.doubt.copy()
        found.evidence = (self.evidence[0].copy(), self.evidence[1].copy())
        return found

    def add(self, block: Block) -> Shown:
        """Take in one block, held against a state and a direction of earlier blocks alone."""
        anchor = self.anchor
        links = len(anchor.names)
        left = self._left(block.mean)
        sound = ~block.lost & (block.loud > 0)
        power, count = self._beside(block)
        calm = sound & (power <= RESTLESS)
        self.doubt = np.where(calm, self.doubt * math.exp(-self.block_s / (3.0 * MEMORY_S)), 1.0)
        open_to = anchor.step + 2.0 * anchor.bound * self.doubt
        for test, (about, slack) in enumerate(
            ((np.zeros_like(self.state), anchor.bound), (self.state, open_to))
        ):
            self._weigh(test, left - about, block, slack, sound)
            self._turn(test, left - about, sound)
        self._follow(left, sound, self.block_s)
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
        self, test: int, left: Real, block: Block, slack: Real, sound: npt.NDArray[np.bool_]
    ) -> None:
        """Add the block to one test's evidence."""
        tones = self.anchor.field.shape[1]
        u, chips = self.along[test], block.loud * tones
        real, imag = u[:, :tones], u[:, tones:]
        part = real * left[:, :tones] + imag * left[:, tones:]
        spread = block.scatter / self.size[:, None, None] ** 2
        square = block.loud * (part**2).sum(axis=1) + (
            real**2 * spread[..., 0] + 2.0 * real * imag * spread[..., 1]
            + imag**2 * spread[..., 2]
        ).sum(axis=1)  # fmt: skip
        root, total = np.sqrt(np.maximum(square, 0.0)), block.loud * part.sum(axis=1)
        heard = sound & ((u**2).sum(axis=1) > 0.0)
        scale = self.anchor.noise * math.sqrt(max(chips, 1))
        wide = (root + math.sqrt(chips) * PEAK * slack) / scale
        energy = np.where(heard, wide**2, 0.0)
        sides = np.stack([total, -total], axis=1) - (chips * slack)[:, None]
        up = np.where(heard[:, None], sides / scale[:, None], 0.0)
        mine = self.evidence[test]
        advance(mine.r, mine.held, mine.spent, mine.count, up, energy, mine.rates, mine.level)
        mine.count += 1

    def _turn(self, test: int, left: Real, sound: npt.NDArray[np.bool_]) -> None:
        """Choose the direction for the next block: mean |u|^2 over tones 1, none above PEAK."""
        turned = KEEP * self.along[test] * _norm(left)[:, None] + left
        for _ in range(3):
            turned = turned / np.maximum(_norm(turned), 1e-300)[:, None]
            tones = turned.shape[1] // 2
            tall = np.hypot(turned[:, :tones], turned[:, tones:])
            cut = np.minimum(1.0, 0.9 * PEAK / np.maximum(tall, 1e-300))
            turned = turned * np.concatenate([cut, cut], axis=1)
        self.along[test] = np.where(sound[:, None], turned, self.along[test])

    def settle(self, field: Complex) -> None:
        """Let the tracked field stand at a quiet one, (L x T,), within its bound."""
        self._follow(self._left(field), np.ones(len(self.anchor.names), dtype=np.bool_), math.inf)

    def follow(self, field: Complex, seconds: float) -> None:
        """Let the tracked field follow one (L x T,) that stands for a time."""
        self._follow(self._left(field), np.ones(len(self.anchor.names), dtype=np.bool_), seconds)

    def beyond(self, field: Complex) -> bool:
        """Return whether a field (L x T,) lies beyond what either test allows, noise apart."""
        left = self._left(field)
        far = _norm(left) > self.anchor.bound
        return bool((far | (_norm(left - self.state) > self.anchor.step)).any())

    def _left(self, field: Complex) -> Real:
        """Return (L, 2 T), relative, without what gain and stretch alone do."""
        anchor = self.anchor
        off = (field.reshape(anchor.field.shape) - anchor.field) / self.size[:, None]
        flat = np.concatenate([off.real, off.imag], axis=-1)
        along = np.einsum("lt,lst->ls", flat, anchor.shapes)
        return np.asarray(flat - np.einsum("ls,lst->lt", along, anchor.shapes))

    def _follow(self, left: Real, sound: npt.NDArray[np.bool_], seconds: float) -> None:
        """Move the tracked field towards what is left, within the bound."""
        share = 1.0 - math.exp(-seconds / MEMORY_S)
        step = share * (left - self.state)
        most = self.anchor.step * min(seconds / MEMORY_S, 1e9)
        step *= np.minimum(1.0, most / np.maximum(_norm(step), 1e-300))[:, None]
        moved = self.state + step
        shrink = np.minimum(1.0, self.anchor.bound / np.maximum(_norm(moved), 1e-300))
        self.state = np.where(sound[:, None], moved * shrink[:, None], self.state)

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
