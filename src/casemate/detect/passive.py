"""Sensors without a challenge: frozen whitening, batches, clipping, and the pyramid on the rest.

Two tests a sensor. One of innovations, what the factory's autoregression cannot foretell from the
windows before: sharp for whatever comes faster than surroundings do. One of what lies beyond the
bound of a whole life: for what comes slowly. Neither learns. No key vouches for them: whoever can
shake, light or heat a sensor makes it speak, so it corroborates and alerts, and convicts nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from casemate.core.samples import to_read
from casemate.detect import _passive_kernel as kernel
from casemate.detect import pyramid, whiten
from casemate.detect.anchor import PassiveAnchor, Real

LEVELS = 29
"""Of windows of 0.1 s: the longest sum is 2^28 of them, 311 days."""
FULL = 64.0
"""Nats at which a sensor's evidence begins anew, beyond any threshold: what is over clears soon."""
STANDS = 100
"""Windows for which an alarm stands after that, unless it comes again (planning value)."""
SETTLES = 2
"""Times the memory of a whitening filter: sound windows from which it takes its state at the start
and after a gap as long as the memory; until then the bound alone is tested (planning value)."""
CLIP = 4.0
"""Of innovations, in standard deviations (`whiten.whiten_soundly`)."""
SPEAKS = 0.8
"""Sigma of a reading without noise from which 64 windows bring an alarm's evidence."""
FURTHEST = 1e6
"""Spreads that a reading may be off; more says no more."""
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassiveShown:
    """What C sensors without a challenge show, (C,) each.

    z: in spreads of their site. lost. nats: the pyramid's score, the larger of both tests, or that
    of an alarm that stands; to be held against thresholds of the policy.
    """

    modality: str
    names: tuple[str, ...]
    tiles: tuple[str, ...]
    kind: tuple[str, ...]
    z: Real
    lost: Bool
    nats: Real


@dataclass(slots=True, kw_only=True)
class _Filter:
    """Sensors `at` (F,) of one autoregression, and the windows from which its state is taken."""

    at: npt.NDArray[np.int64]
    factory: whiten.Factory
    state: whiten.WhitenState
    gone: npt.NDArray[np.int64]
    heard: npt.NDArray[np.int64]
    total: Real
    sure: bool = False
    """Whether all states are known and nothing has been missing since."""

    def copy(self) -> _Filter:
        return _Filter(
            at=self.at, factory=self.factory, state=self.state.copy(), gone=self.gone.copy(),
            heard=self.heard.copy(), total=self.total.copy(), sure=self.sure,
        )  # fmt: skip

    @property
    def memory(self) -> int:
        return len(self.factory.coefficients)

    def stand(self, x: Real, which: Bool) -> None:
        """Let channels `which` be as if x (F,) had stood there."""
        whiten.stand(self.factory, self.state, x, which)
        self.gone[which], self.heard[which], self.total[which] = 0, SETTLES * self.memory, 0.0
        self.sure = False

    def innovations(self, x: Real, bound: Real) -> Real:
        """Return innovations (K, F) of x (K, F), nan while the state is not known."""
        ready = self.heard >= SETTLES * self.memory
        if self.memory == 0 or (ready.all() and np.isfinite(x).all()):
            self.gone[:] = 0
            return whiten.whiten_soundly(self.factory, self.state, x, CLIP)
        return np.concatenate([self._one(row, bound) for row in x])

    def quick(self, x: Real, z: Real) -> bool:
        """Fill z[at] with innovations of one window x (C,); False if that takes the long way."""
        if not self.sure:
            self.sure = bool((self.heard >= SETTLES * self.memory).all()) and not self.gone.any()
        if not self.sure or self.memory == 0:
            return False
        memory = self.state.memory
        made = np.empty_like(memory)
        if not kernel.innovations(x, self.at, self.factory.taps, memory, made, CLIP, z):
            return False
        self.state.memory = made
        return True

    def _one(self, x: Real, bound: Real) -> Real:
        self.sure = False
        need, sound = SETTLES * self.memory, np.isfinite(x)
        self.gone = np.where(sound, 0, self.gone + 1)
        anew = self.gone >= self.memory
        self.heard[anew], self.total[anew] = 0, 0.0
        waits = (self.heard < need) & sound
        self.heard[waits] += 1
        self.total[waits] += x[waits]
        done = waits & (self.heard >= need)
        if done.any():
            self.stand(np.clip(self.total / need, -bound, bound), done)
        known = (self.heard >= need) & ~done
        seen = np.where(known, x, np.nan)[None]
        found = whiten.whiten_soundly(self.factory, self.state, seen, CLIP)
        return np.where(known, found, np.nan)


class PassiveBank:
    """Detectors of C sensors that answer no challenge; its state is its own and copyable."""

    def __init__(self, anchor: PassiveAnchor) -> None:
        self.anchor = anchor
        self.filters = _filters(anchor)
        held = [kind if of else "" for kind, of in zip(anchor.kind, anchor.contrast, strict=True)]
        self.alike = [
            np.flatnonzero([each == kind for each in held]) for kind in sorted({*held} - {""})
        ]
        self.kind = np.full(len(held), -1, dtype=np.int64)
        for number, mine in enumerate(self.alike):
            self.kind[mine] = number
        self._begin()

    def _begin(self) -> None:
        count = len(self.anchor.names)
        self.batches = whiten.start_batches(self.anchor.batch, 4 * count)
        self.heard = whiten.start_batches(self.anchor.batch, 4 * count)
        self.state = pyramid.start(2 * count, LEVELS, sided=True)
        self.score = np.full(2 * count, pyramid.NO_SCORE)
        self.stands = np.zeros(count, dtype=np.int64)
        self.peak = np.zeros(count)

    def copy(self) -> PassiveBank:
        """Return a copy that goes its own way."""
        found = PassiveBank.__new__(PassiveBank)
        found.anchor, found.alike, found.kind = self.anchor, self.alike, self.kind
        found.filters = tuple(each.copy() for each in self.filters)
        found.batches, found.heard = self.batches.copy(), self.heard.copy()
        found.state, found.score = self.state.copy(), self.score.copy()
        found.stands, found.peak = self.stands.copy(), self.peak.copy()
        return found

    def afresh(self) -> None:
        """Drop evidence, keep the filters' states."""
        self._begin()

    def forget(self, which: Bool) -> None:
        """Drop the evidence of sensors (C,), keep their filters' states."""
        sides = np.tile(which, 2)
        pyramid.wipe(self.state, sides)
        self.score = np.where(sides, pyramid.NO_SCORE, self.score)
        self.stands = np.where(which, 0, self.stands)
        self.peak = np.where(which, 0.0, self.peak)

    def off(self, values: Real, lost: Bool) -> Real:
        """Return how far values (K, C) are off in spreads; nan where lost or no number."""
        anchor, x = self.anchor, np.empty(values.shape)
        if all(
            kernel.off(
                to_read(one), gone, anchor.nominal, anchor.spread, anchor.log, self.kind,
                len(self.alike), FURTHEST, into,
            )
            for one, gone, into in zip(values, lost, x, strict=True)
        ):  # fmt: skip
            return x
        read = np.where(lost | ~np.isfinite(values), np.nan, values)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ratio = np.maximum(read, 1e-9) / np.abs(anchor.nominal)
            read = np.where(anchor.log, np.log(ratio), read)
            centre = np.broadcast_to(np.where(anchor.log, 0.0, anchor.nominal), read.shape).copy()
            for mine in self.alike:
                centre[:, mine] = _median(read[:, mine])[:, None]
            return np.asarray(np.clip((read - centre) / anchor.spread, -FURTHEST, FURTHEST))

    def stand(self, values: Real, lost: Bool) -> None:
        """Let the filters be as if values (C,) had stood there, as far as the bound lets them."""
        x = self.off(values[None], lost[None])[0]
        x = np.clip(x, -self.anchor.bound, self.anchor.bound)
        for each in self.filters:
            each.stand(x[each.at], np.isfinite(x[each.at]))

    def speaks(self, values: Real, lost: Bool) -> bool:
        """Return whether readings (C,) without noise would be evidence of their own."""
        kept = self.filters
        self.filters = tuple(each.copy() for each in kept)
        rows = self._tests(self.off(values[None], lost[None]))
        self.filters = kept
        return bool((rows > SPEAKS).any())

    def add(self, values: Real, lost: Bool) -> PassiveShown:
        """Take in K windows on end, values and lost (K, C); return what stands after the last."""
        if values.shape[0] == 1 and self.anchor.batch == 1:
            return self._one(values, lost)
        x = self.off(values, lost)
        self._take(self._batched(self._tests(x)))
        count = len(self.anchor.names)
        now = np.maximum(self.score[:count], self.score[count:])
        return self._shown(x[-1], np.where(self.stands > 0, np.maximum(now, self.peak), now))

    def _shown(self, x: Real, nats: Real) -> PassiveShown:
        lost = np.isnan(x)
        return PassiveShown(
            modality=self.anchor.modality,
            names=self.anchor.names,
            tiles=self.anchor.tiles,
            kind=self.anchor.kind,
            z=np.where(lost, 0.0, x),
            lost=lost,
            nats=nats,
        )

    def _one(self, values: Real, lost: Bool) -> PassiveShown:
        """Do what `add` does for one window, values and lost (1, C), in fewer steps."""
        anchor, count = self.anchor, len(self.anchor.names)
        x, z = np.empty(count), np.full(count, np.nan)
        if not kernel.off(
            to_read(values[0]), lost[0], anchor.nominal, anchor.spread, anchor.log, self.kind,
            len(self.alike), FURTHEST, x,
        ):  # fmt: skip
            x = self.off(values, lost)[0]
        for each in self.filters:
            if not each.quick(x, z):
                z[each.at] = each.innovations(x[each.at][None], anchor.bound[each.at])[0]
        up, down = np.empty((2, 1, 2 * count), dtype=np.float32)
        kernel.sides(x, z, anchor.slack, anchor.bound, anchor.noise, up[0], down[0])
        return self._shown(x, self._stand(pyramid.advance(self.state, up, down)[0]))

    def _stand(self, score: npt.NDArray[np.float32]) -> Real:
        """Take in one window's scores (2 C,); return what is shown of them, (C,)."""
        count = self.stands.size
        full, nats = np.empty(count, dtype=np.bool_), np.empty(count)
        self.score = score.astype(np.float64)
        if kernel.standing(score, self.stands, self.peak, FULL, STANDS, full, nats):
            both = np.tile(full, 2)
            pyramid.wipe(self.state, both)
            self.score = np.where(both, pyramid.NO_SCORE, self.score)
        return nats

    def _tests(self, x: Real) -> Real:
        """Return (K, 4 C): upper side of innovations and of what is beyond, then the lower one."""
        anchor = self.anchor
        z = np.full_like(x, np.nan)
        for each in self.filters:
            z[:, each.at] = each.innovations(x[:, each.at], anchor.bound[each.at])
        up, down = ((side * x - anchor.bound) / anchor.noise for side in (1.0, -1.0))
        return np.concatenate([z - anchor.slack, up, -z - anchor.slack, down], axis=1)

    def _batched(self, sides: Real) -> npt.NDArray[np.float32]:
        """Return full batches (n, 4 C) of rows (K, 4 C); nan where all of one is missing."""
        heard = np.isfinite(sides)
        if self.anchor.batch > 1:
            sums = whiten.batch(self.batches, np.where(heard, sides, 0.0))
            parts = whiten.batch(self.heard, heard.astype(np.float64))
            sides = np.where(parts > 0.0, sums, np.nan)
        return sides.astype(np.float32)

    def _take(self, sides: npt.NDArray[np.float32]) -> None:
        """Take batches (n, 4 C) into the pyramid; evidence that is FULL begins anew."""
        if not len(sides):
            return
        up, down = (np.ascontiguousarray(each) for each in np.hsplit(sides, 2))
        if len(sides) > 1:
            before = self.state.copy()
            score = pyramid.advance(self.state, up, down)
            if score.max() < FULL:
                self.score = score[-1].astype(np.float64)
                self.stands = np.maximum(self.stands - len(sides), 0)
                self.peak = np.where(self.stands > 0, self.peak, 0.0)
                return
            self.state = before
        for k in range(len(sides)):
            self._stand(pyramid.advance(self.state, up[k : k + 1], down[k : k + 1])[0])


def _median(read: Real) -> Real:
    """Return the median of each row of (K, C) over what is there, (K,); nan where nothing is."""
    if np.isfinite(read).all():
        return np.asarray(np.median(read, axis=1))
    found = np.full(read.shape[0], np.nan)
    for k, row in enumerate(read):
        there = row[~np.isnan(row)]
        if np.isfinite(there).any():
            found[k] = np.median(there)
    return found


@lru_cache(maxsize=64)
def _factory(coefficients: tuple[float, ...], innovation: float) -> whiten.Factory:
    """Return the factory, its roots looked at once: those of 256 coefficients take a while."""
    return whiten.Factory(coefficients=coefficients, innovation=innovation)


def _filters(anchor: PassiveAnchor) -> tuple[_Filter, ...]:
    """Return a filter for each autoregression that sensors share. InputError if one is unstable."""
    rows: dict[tuple[float, ...], list[int]] = {}
    for k, row in enumerate(anchor.coefficients):
        last = np.flatnonzero(row)
        kept = row[: last[-1] + 1] if last.size else row[:0]
        rows.setdefault((float(anchor.innovation[k]), *kept.tolist()), []).append(k)
    found = []
    for (innovation, *kept), at in rows.items():
        factory = _factory(tuple(kept), innovation)
        zero = np.zeros(len(at), dtype=np.int64)
        found.append(
            _Filter(
                at=np.array(at),
                factory=factory,
                state=whiten.start_whitening(factory, len(at)),
                gone=zero.copy(),
                heard=zero.copy(),
                total=np.zeros(len(at)),
            )
        )  # fmt: skip
    return tuple(found)
