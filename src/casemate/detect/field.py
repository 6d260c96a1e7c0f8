"""Keyed evidence of a change in a cavity: energy over tones against decoy challenges.

In a block every link and tone is asked by several secret chips. With the true chips the residual
reads d + x; with those of a decoy, drawn alike under another key and never sent, rho d + x', rho
being the correlation of both. Interference that knows neither gives x and x' one joint law in
which they may be exchanged. If the norm of d over tones is at most eps, (|a| - eps)+^2 never
exceeds that of x, and (|a'| + eps max|rho|)^2 is never below that of x'. The figure
M exp(u s)/(sum over all M of exp(u s')) rises with the first and falls with the second, so its mean
is at most 1 (docs/decisions/0011). It is at most M: a block of 256 brings 5.5 nats. Gain and stretch
are left out of |a|; in |a'| they count as far as they lie within the bound too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casemate.detect.anchor import FieldAnchor, Real
from casemate.detect.bank import Shown
from casemate.detect.silence import quiet_nats

RATES = (0.1, 0.3, 1.0)
"""Of exp, on energies in units of a block's noise."""
MEMORY_BLOCKS = 2.0
"""Of the tracked field: drift of 100 s memory moves by a fifth of itself meanwhile."""
MOST = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of L links and T tones. `true` (L, T): mean of conj(c) y over `loud` visits.

    decoys (M - 1, L, T): the residual about the anchor under chips that were not sent; rho (M - 1,
    1 or L, T): mean of conj(decoy) c. quiet_power (L,), quiet (L,): as for `evidence.Sums`.
    """

    true: npt.NDArray[np.complex128]
    decoys: npt.NDArray[np.complex128]
    rho: npt.NDArray[np.complex128]
    loud: int
    quiet_power: Real
    quiet: Real
    lost: npt.NDArray[np.bool_]


class FieldBank:
    """Detectors of a cavity; its state is its own and copyable."""

    def __init__(self, anchor: FieldAnchor, *, block_s: float) -> None:
        self.anchor = anchor
        self.block_s = block_s
        links = len(anchor.names)
        self.state = np.zeros((links, 2 * anchor.field.shape[1]))
        self.r = np.zeros((2, links, len(RATES)))

    def copy(self) -> FieldBank:
        """Return a copy that goes its own way."""
        found = FieldBank(self.anchor, block_s=self.block_s)
        found.state, found.r = self.state.copy(), self.r.copy()
        return found

    def add(self, block: Block) -> Shown:
        """Take in one block; the field that it is held against comes from earlier blocks alone."""
        anchor = self.anchor
        links, tones = anchor.field.shape
        size = np.sqrt(np.mean(np.abs(anchor.field) ** 2, axis=1))
        left = self._projected((block.true - anchor.field) / size[:, None])
        decoys = self._projected(block.decoys / size[:, None])
        rho = np.abs(block.rho).max(axis=2)
        unit = 2.0 * anchor.noise**2 / max(block.loud, 1) / tones
        nats = np.empty((2, links))
        for test, (about, slack) in enumerate(
            ((0.0 * self.state, anchor.bound), (self.state, anchor.step))
        ):
            true = np.maximum(_norm(left - about) - slack, 0.0) ** 2 / unit
            known = slack if test == 0 else slack + _norm(about)
            others = (_norm(decoys) + known * rho) ** 2 / unit
            self._grow(test, true, others, ~block.lost & (block.loud > 0))
            mean = self.r[test].mean(axis=1)
            nats[test] = np.log(np.maximum(mean, 1e-300))
        sound = ~block.lost
        self._follow(left, sound)
        return Shown(
            modality=anchor.modality,
            names=anchor.names,
            tiles=anchor.tiles,
            anchored=nats[0],
            step=nats[1],
            interference=quiet_nats(block.quiet_power, block.quiet),
            information=self._information(block),
            healthy=np.full(links, math.log(block.decoys.shape[0] + 1)),
            window_s=self.block_s,
            open_=np.zeros(links, dtype=np.bool_),
            lost=block.lost,
            off=np.where(sound, _norm(left), np.nan),
            at_bound=_norm(self.state) >= anchor.bound,
        )

    def settle(self, field: npt.NDArray[np.complex128]) -> None:
        """Let the tracked field stand at a quiet one, (L x T,), within its bound."""
        left = self._left(field)
        shrink = np.minimum(1.0, self.anchor.bound / np.maximum(_norm(left), 1e-300))
        self.state = left * shrink[:, None]

    def follow(self, field: npt.NDArray[np.complex128], seconds: float) -> None:
        """Let the tracked field follow one (L x T,) that stands for a time."""
        share = 1.0 - (1.0 - 1.0 / MEMORY_BLOCKS) ** (seconds / self.block_s)
        self._follow(self._left(field), np.ones(len(self.anchor.names), dtype=np.bool_), share)

    def beyond(self, field: npt.NDArray[np.complex128]) -> bool:
        """Return whether a field (L x T,) lies beyond what either test allows, noise apart."""
        left = self._left(field)
        far = _norm(left) > self.anchor.bound
        return bool((far | (_norm(left - self.state) > self.anchor.step)).any())

    def _left(self, field: npt.NDArray[np.complex128]) -> Real:
        anchor = self.anchor
        size = np.sqrt(np.mean(np.abs(anchor.field) ** 2, axis=1))
        return self._projected((field.reshape(anchor.field.shape) - anchor.field) / size[:, None])

    def _grow(self, test: int, true: Real, others: Real, sound: npt.NDArray[np.bool_]) -> None:
        many = others.shape[0] + 1
        for j, rate in enumerate(RATES):
            energy = np.concatenate([true[None, :], others]) * rate
            top = energy.max(axis=0)
            total = np.log(np.exp(energy - top).sum(axis=0)) + top
            e = many * np.exp(rate * true - total)
            grown = np.minimum((1.0 + self.r[test, :, j]) * e, MOST)
            self.r[test, :, j] = np.where(sound, grown, self.r[test, :, j])

    def _projected(self, field: npt.NDArray[np.complex128]) -> Real:
        """Return (..., L, 2 T) without what gain and stretch alone do."""
        flat = np.concatenate([field.real, field.imag], axis=-1)
        along = np.einsum("...lt,lst->...ls", flat, self.anchor.shapes)
        return np.asarray(flat - np.einsum("...ls,lst->...lt", along, self.anchor.shapes))

    def _follow(
        self, left: Real, sound: npt.NDArray[np.bool_], share: float = 1.0 / MEMORY_BLOCKS
    ) -> None:
        """Move the tracked field by a share of what is left, within the bound."""
        moved = self.state + share * (left - self.state)
        size = _norm(moved)
        shrink = np.minimum(1.0, self.anchor.bound / np.maximum(size, 1e-300))
        self.state = np.where(sound[:, None], moved * shrink[:, None], self.state)

    def _information(self, block: Block) -> Real:
        """Return nats that the block could bring, (L,): at most ln M."""
        anchor = self.anchor
        beyond = np.maximum(anchor.must - anchor.bound, 0.0) ** 2
        louder = np.maximum(block.quiet_power, 1.0)
        tones = anchor.field.shape[1]
        full = beyond * tones * block.loud / (2.0 * anchor.noise**2 * louder)
        most = math.log(block.decoys.shape[0] + 1)
        return np.asarray(np.where(block.lost, 0.0, np.minimum(full, most)))


def _norm(left: Real) -> Real:
    """Return the root mean square over tones of (..., 2 T)."""
    tones = left.shape[-1] // 2
    return np.asarray(np.sqrt((left**2).sum(axis=-1) / tones))
