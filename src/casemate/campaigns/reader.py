"""A twin behind the interface of hardware: chip by chip what its readers deliver through a scene.

Channels are those of hardware: a link between antennas is one channel whose chips ask for a tone
each (`challenge.order` tones), nets and sensors are one channel each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from casemate.campaigns import _reader_kernel as kernel
from casemate.core.challenge import Challenge, Chips, chips, points
from casemate.core.errors import InputError
from casemate.core.samples import Block, Channel, Health, Values
from casemate.sensors.modality import Fitted, Reading
from casemate.sensors.rf_cavity.physics import RfCavity
from casemate.sensors.standing_in import delivered
from casemate.twin.assembly import Twin
from casemate.twin.conditions import WINDOW_S, Conditions, course
from casemate.twin.effects import BusFault, Scene
from casemate.twin.line_materials import Real

Windows = Iterator[tuple[Conditions, Values]]
"""Conditions of each window, and what a quiet enclosure adds by itself to the quantities, (C,)."""
UNHEARD = Health.MISSING | Health.LATE | Health.RESET | Health.CLIPPED


class TwinReader:
    """A modality of a twin as a `core.samples.Reader`: its stream lasts `duration_s`.

    The same seed and challenge give the same stream. A reader that is stuck repeats itself bit for
    bit and says nothing: that is for `core.watch` to see.
    """

    def __init__(
        self, twin: Twin, fitted: Fitted, scene: Scene, *, seed: int, duration_s: float
    ) -> None:
        if not duration_s >= 2.0 * WINDOW_S:
            raise InputError(
                "a stream is shorter than two windows.",
                remedy=f"give a duration of at least {2.0 * WINDOW_S:g} s.",
                key="duration_s",
                value=duration_s,
            )
        times_s: Real = np.arange(int(duration_s / WINDOW_S), dtype=np.float64) * WINDOW_S

        def played(generator: np.random.Generator) -> Windows:
            run = course(twin, scene, times_s, np.random.default_rng([seed, 0]))
            yield from zip(run.steps, fitted.nuisance(times_s, generator), strict=True)

        self._begin(twin, fitted, played, seed)

    @classmethod
    def fed(
        cls,
        twin: Twin,
        fitted: Fitted,
        windows: Callable[[np.random.Generator], Windows],
        *,
        seed: int,
    ) -> TwinReader:
        """Return a reader of conditions that are asked for window by window (`live.py`)."""
        reader = cls.__new__(cls)
        reader._begin(twin, fitted, windows, seed)
        reader._draws = 2 if np.iscomplexobj(fitted.nominal) else 1
        return reader

    def _begin(
        self,
        twin: Twin,
        fitted: Fitted,
        windows: Callable[[np.random.Generator], Windows],
        seed: int,
    ) -> None:
        self._twin, self._fitted, self._windows, self._seed = twin, fitted, windows, seed
        self._places = fitted.f_hz.size if isinstance(fitted, RfCavity) else 1
        self._channels = _channels(fitted)
        self._ends: Real = np.array([each.high for each in self._channels])
        self._epoch = 0
        self._open = True
        self._draws = 2  # also where one is used: campaigns repeat to the bit

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, in the order of the blocks' columns."""
        return self._channels

    @property
    def order(self) -> int:
        """Return the places that a challenge has to ask for in turn: tones, or 1."""
        return self._places

    def configure(self, challenge: Challenge) -> Iterator[Block]:
        """Return the stream that answers `challenge` from its chip 0; the one before ends.

        Raises InputError for a challenge of another number of places or chip time.
        """
        chip_s = self._fitted.chip_s
        if challenge.order != self._places or abs(challenge.chip_s / chip_s - 1.0) > 1e-9:
            raise InputError(
                "the challenge does not fit the reader.",
                remedy=f"ask for {self._places} places in chips of {chip_s:g} s.",
                value=(challenge.order, challenge.chip_s),
            )
        if challenge.constellation == "phase" and not np.iscomplexobj(self._fitted.nominal):
            raise InputError(
                "the reader drives real amplitudes and cannot turn a phase.",
                remedy="ask for signs or amplitudes.",
                value=challenge.constellation,
            )
        self._epoch += 1
        return self._stream(challenge, self._epoch)

    def close(self) -> None:
        """End the stream."""
        self._open = False

    def _stream(self, challenge: Challenge, epoch: int) -> Iterator[Block]:
        fitted = self._fitted
        generator = np.random.default_rng([self._seed, 1, epoch])
        count = max(1, round(WINDOW_S / fitted.chip_s))
        last: Values | None = None
        for k, (now, slow) in enumerate(self._windows(generator)):
            if not self._open or epoch != self._epoch:
                return
            reading = delivered(fitted, fitted.read(now), now, self._twin.seed)
            drawn = chips(challenge, k * count, count)
            values = self._values(reading, slow, drawn, generator)
            stuck = any(
                isinstance(each, BusFault)
                and each.kind == "stuck"
                and each.modality in ("", fitted.id)
                for each in now.active
            )
            if stuck and last is not None:
                values = last[[-1] * count]
            last = values
            levels = np.abs(points(challenge.constellation, challenge.symbols))
            ends = self._ends * float(levels.max())
            yield self._block(k, count, values, ends, reading, generator, now.active)

    def _values(
        self, reading: Reading, slow: Values, drawn: Chips, generator: np.random.Generator
    ) -> Values:
        """Return drive x quantity + interference + noise, (K, C)."""
        fitted, count = self._fitted, drawn.drive.size
        shape = (len(self._channels), self._places)
        if self._places == 1 and not np.iscomplexobj(fitted.nominal):
            drive_k = np.real(drawn.drive).copy() if fitted.excited else np.ones(count)
            values: Real = generator.standard_normal((self._draws, count, shape[0]))[0]
            spread = np.hypot(fitted.noise, reading.additive)
            kernel.answer(drive_k, np.real(reading.quantity + slow).ravel(), spread.ravel(), values)
            return values
        at = drawn.place if self._places > 1 else np.zeros(count, dtype=np.int64)
        quantity = (reading.quantity + slow).reshape(shape)[:, at].T
        spread = np.hypot(fitted.noise, reading.additive).reshape(shape)[:, at].T
        normal = generator.standard_normal((self._draws, *quantity.shape))
        drive = drawn.drive[:, None] if fitted.excited else np.ones((count, 1))
        if np.iscomplexobj(fitted.nominal):
            noise = spread * (normal[0] + 1j * normal[1])
            return np.asarray(drive * quantity + noise, dtype=np.complex128)
        driven = np.real(drive) * np.real(quantity)
        return np.asarray(driven + spread * normal[0], dtype=np.float64)

    def _block(
        self,
        k: int,
        count: int,
        values: Values,
        ends: Real,
        reading: Reading,
        generator: np.random.Generator,
        active: tuple[object, ...],
    ) -> Block:
        flags = reading.health.reshape(len(self._channels), self._places)
        each = np.bitwise_or.reduce(flags, axis=1) & np.uint16(UNHEARD)
        health: npt.NDArray[np.uint16] = np.zeros((count, each.size), dtype=np.uint16)
        sound = not each.any()
        if not sound:
            health[:] = each
        for effect in active:
            mine = isinstance(effect, BusFault) and effect.modality in ("", self._fitted.id)
            if mine and isinstance(effect, BusFault) and effect.kind == "loss":
                came = generator.random(count) >= effect.share
                health[came] &= ~np.uint16(Health.MISSING)
        number = k * count + np.arange(count, dtype=np.int64)
        return Block(
            t_s=np.asarray(number * self._fitted.chip_s, dtype=np.float64),
            chip=number if self._fitted.excited else np.full(count, -1, dtype=np.int64),
            values=values if sound else _kept(values, health, ends),
            health=health,
        )


def _kept(values: Values, health: npt.NDArray[np.uint16], ends: Real) -> Values:
    """Return values with nan where flagged; clipped ones stand at the range's end of their sign."""
    clipped = health == int(Health.CLIPPED)
    if not np.iscomplexobj(values):
        values = np.where(clipped, np.clip(np.real(values), -ends, ends), np.real(values))
    return np.where((health != 0) & ~clipped, np.nan, values)


def _channels(fitted: Fitted) -> tuple[Channel, ...]:
    if not isinstance(fitted, RfCavity):
        return fitted.channels
    return tuple(Channel(id=f"rf/{a}-{b}", modality=fitted.id, unit="1") for a, b in fitted.links)
