"""A small enclosure without a twin: anchors, and readers that answer chips about nominal values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from casemate.core.challenge import Challenge, Chips, chips, points
from casemate.core.samples import Block, Health
from casemate.detect.anchor import NONE, Anchor, FieldAnchor, PassiveAnchor
from casemate.detect.blocks import levels_noise
from casemate.detect.detector import Detector
from casemate.detect.response import policy

CHIP_S = 1e-3
TONES, LINKS = 4, 2
LEVELS = 6
CUBED = float(np.mean(points("amplitude", 4).real ** 2))
"""Of c^3 over c, in the mean over four levels: what is left of c - c^3/CUBED averages to none."""


def anchor(modality: str = "loops", channels: int = 4) -> Anchor:
    """Mean and difference of each two channels; means share a common mode."""
    pairs = channels // 2
    first = np.repeat(np.arange(0, channels, 2), 2)
    weight = np.tile([[0.5, 0.5], [1.0, -1.0]], (pairs, 1))
    features = 2 * pairs
    return Anchor(
        modality=modality,
        chip_s=CHIP_S,
        visits=1.0,
        channels=tuple(f"{modality}/{k}" for k in range(channels)),
        tiles=tuple(f"board-{f // 2}" for f in range(features)),
        names=tuple(f"{modality} {f}" for f in range(features)),
        nominal=np.linspace(10.0, 20.0, channels),
        first=first,
        second=first + 1,
        weight=weight,
        group=np.tile([0, NONE], pairs),
        noise=np.tile([1e-3 / np.sqrt(2.0), 1e-3 * np.sqrt(2.0)], pairs),
        bound=np.full(features, 5e-3),
        step=np.full(features, 1e-3),
        must=np.full(features, 0.5),
        rate=np.full(features, 1e-3),
        common=np.full(1, 0.2),
        common_rate=np.full(1, 1e-3),
    )


def field_anchor() -> FieldAnchor:
    generator = np.random.default_rng(5)
    parts = generator.standard_normal((2, LINKS, TONES))
    field = parts[0] + 1j * parts[1]
    bent = field * np.linspace(-1.0, 1.0, TONES)
    flat = [np.stack([np.concatenate([row.real, row.imag]) for row in rows], axis=1)
            for rows in zip(field, 1j * field, bent, strict=True)]  # fmt: skip
    shapes = np.stack([np.linalg.qr(each)[0].T for each in flat])
    return FieldAnchor(
        modality="cavity", chip_s=CHIP_S, visits=1.0 / TONES, names=("0-1", "0-2"),
        field=field, shapes=shapes, noise=np.full(LINKS, 0.05),
        bound=np.full(LINKS, 0.2), step=np.full(LINKS, 0.05), must=np.full(LINKS, 0.5),
    )  # fmt: skip


def passive_anchor() -> PassiveAnchor:
    return PassiveAnchor(
        modality="climate", chip_s=0.1, names=("t/0", "t/1"), tiles=("", ""),
        kind=("light", "light"), nominal=np.ones(2), spread=np.full(2, 0.1),
        log=np.zeros(2, dtype=np.bool_), contrast=np.zeros(2, dtype=np.bool_),
        coefficients=np.zeros((2, 0)), innovation=np.ones(2), slack=np.full(2, 0.1),
        bound=np.full(2, 8.0), noise=np.ones(2),
    )  # fmt: skip


@dataclass
class Box:
    """An enclosure with two modalities of nets, a cavity and sensors, and its detector."""

    generator: np.random.Generator
    now_s: float = 0.0
    epoch: int = 1
    next_chip: int = 0
    start_s: float = 0.0
    gain: dict[str, float | np.ndarray] = field(default_factory=dict)
    levels: tuple[str, ...] = ()
    """Modalities whose challenge has four levels of amplitude."""
    cubic: np.ndarray | float = 0.0
    """What each net answers too much, times drive less its cube; nothing in the mean."""

    def __post_init__(self) -> None:
        self.anchors = {
            each.modality: levels_noise(each, points("amplitude", 4))
            if each.modality in self.levels
            else each
            for each in (anchor("loops"), anchor("plates", 6), field_anchor(), passive_anchor())
        }
        count = sum(len(a.names) for a in self.anchors.values() if a.modality != "climate")
        self.policy = policy(far_per_year=0.01, features=count, window_s=0.1)
        self.detector = Detector.unsafe_unsigned(
            tuple(self.anchors.values()), self.policy, levels=LEVELS
        )

    def challenge(self, modality: str, epoch: int | None = None) -> Challenge:
        return Challenge(
            key=bytes(range(32)), modality=modality, epoch=epoch or self.epoch, chip_s=CHIP_S,
            order=TONES if modality == "cavity" else 1,
            constellation="amplitude" if modality in self.levels else "sign",
            symbols=4 if modality in self.levels else 2,
        )  # fmt: skip

    def rekey(self) -> None:
        """Ask for a new epoch, from its chip 0 on."""
        self.epoch, self.next_chip, self.start_s = self.epoch + 1, 0, self.now_s

    def asked(self, modality: str, count: int) -> Chips:
        return chips(self.challenge(modality), self.next_chip, count)

    def answer(self, modality: str, drawn: Chips) -> Block:
        """Return what a sound reader delivers for these chips, times this modality's gain."""
        it = self.anchors[modality]
        count = drawn.drive.size
        gain = self.gain.get(modality, 1.0)
        if isinstance(it, PassiveAnchor):
            rows = max(1, count // 100)
            t_s = self.now_s + (np.arange(rows) + 1.0) * count * CHIP_S / rows
            values = 1.0 + 0.1 * self.generator.standard_normal((rows, 2)) * 0.5
            return Block(t_s=t_s, chip=np.full(rows, -1, dtype=np.int64), values=values,
                         health=np.zeros((rows, 2), dtype=np.uint16))  # fmt: skip
        if isinstance(it, FieldAnchor):
            size = np.sqrt(np.mean(np.abs(it.field) ** 2, axis=1))
            normal = self.generator.standard_normal((2, count, LINKS))
            quiet = (normal[0] + 1j * normal[1]) * it.noise * size
            shape = np.broadcast_to(gain, TONES)[drawn.place]
            values = (drawn.drive * shape)[:, None] * it.field[:, drawn.place].T + quiet
        else:
            noise = 1e-3 * self.generator.standard_normal((count, it.nominal.size))
            drive = drawn.drive.real[:, None]
            bent = self.cubic * (drive - drive**3 / CUBED) if modality in self.levels else 0.0
            values = it.nominal * (gain * drive + bent + noise)
        number = drawn.first + np.arange(count, dtype=np.int64)
        return Block(t_s=self.start_s + number * CHIP_S, chip=number, values=values,
                     health=np.zeros(values.shape, dtype=np.uint16))  # fmt: skip

    def step(self, count: int, change=None, only: str = ""):
        """Let `count` chips pass and judge. change: block, chips -> block, chips or None."""
        for modality in self.anchors:
            drawn = self.asked(modality, count)
            block = self.answer(modality, drawn)
            if change is not None and only in ("", modality):
                found = change(block, drawn)
                if found is None:
                    continue
                block, drawn = found
            self.detector.add(modality, block, None if modality == "climate" else drawn)
        self.next_chip += count
        self.now_s += count * CHIP_S
        return self.detector.judge(self.now_s)


def flagged(block: Block, flag: Health, rows=slice(None), columns=slice(None)) -> Block:
    health, values = block.health.copy(), block.values.copy()
    health[rows, columns] |= np.uint16(flag)
    values[rows, columns] = np.nan
    return Block(t_s=block.t_s, chip=block.chip, values=values, health=health)
