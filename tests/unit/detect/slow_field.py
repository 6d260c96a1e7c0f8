"""The cavity's bank step by step in numpy: what the compiled one is held against."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from casemate.detect._evidence_kernel import advance
from casemate.detect.anchor import FieldAnchor, Real
from casemate.detect.bank import Shown
from casemate.detect.blocks import FieldFilling
from casemate.detect.evidence import Evidence
from casemate.detect.field import (
    FADES,
    KEEP,
    LOUD,
    MEMORY_S,
    PEAK,
    Block,
    Complex,
    finite,
)
from casemate.detect.silence import quiet_nats
from casemate.detect.tracked import RESTLESS


class SlowField:
    """As `field.FieldBank`."""

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

    def add(self, block: Block) -> Shown:
        """Take in one block."""
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
            mine.r, mine.held, mine.spent, mine.tails, mine.count,
            np.ascontiguousarray(up.T), np.ascontiguousarray(energy.T), mine.rates, mine.level,
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


def slow_close(filling: FieldFilling) -> Block:
    """Return the block of a filling, which stays as it is."""
    least = filling.count.min(axis=1)
    lost = filling.blurred | (least == 0)
    loud = int(least[~lost].min()) if not lost.all() else 0
    use = filling.heard[:, :, : max(loud, 1)]
    mean = use.mean(axis=2)
    gap = use - mean[:, :, None]
    parts = (gap.real**2, gap.real * gap.imag, gap.imag**2)
    unit = filling.anchor.noise * np.sqrt(np.mean(np.abs(filling.anchor.field) ** 2, axis=1))
    quiet = filling.quiet
    power = np.divide(filling.power, quiet, out=np.zeros_like(quiet), where=quiet > 0.0) / unit**2
    return Block(
        mean=mean, scatter=np.stack([each.sum(axis=2) for each in parts], axis=-1), loud=loud,
        quiet_power=np.where(lost, 0.0, power), quiet=np.where(lost, 0.0, quiet), lost=lost,
    )  # fmt: skip


def _norm(left: Real) -> Real:
    """Return the root mean square over tones of (L, 2 T)."""
    return np.asarray(np.sqrt((left**2).sum(axis=-1) / (left.shape[-1] // 2)))
