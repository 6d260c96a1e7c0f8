"""A small enclosure's anchors with plain figures, for tests of abstract attacks."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from casemate.campaigns.abstract import Target
from casemate.detect.anchor import NONE, Anchor
from casemate.detect.response import policy

NOISE = 1e-3


def anchor(
    modality: str = "mesh_capacitance",
    *,
    features: int = 4,
    bound: float = 4.0 * NOISE,
    step: float = NOISE,
    rate: float = 5e-5,
    must: float = 40.0 * NOISE,
    common: float = 100.0 * NOISE,
    grouped: bool = True,
    tile: str = "t",
) -> Anchor:
    """Return an anchor whose features are all alike, one common mode if `grouped`."""
    many = np.full(features, 1.0)
    modes = np.full(1 if grouped else 0, 1.0)
    return Anchor(
        modality=modality,
        chip_s=1e-3,
        visits=1.0,
        channels=tuple(f"c{k}" for k in range(features)),
        tiles=(tile,) * features,
        names=tuple(f"{tile}/f{k}" for k in range(features)),
        nominal=many.copy(),
        first=np.arange(features),
        second=np.full(features, NONE),
        weight=np.stack([many, 0.0 * many], axis=1),
        group=np.full(features, 0 if grouped else NONE),
        noise=NOISE * many,
        bound=bound * many,
        step=step * many,
        must=must * many,
        rate=rate * many,
        common=common * modes,
        common_rate=1e-5 * modes,
    )


def target(*, far_per_year: float = 1e-2, **figures: Any) -> Target:
    """Return a target of two modalities, the second of which is attacked."""
    anchors = (anchor("loop_resistance", features=2), anchor(**figures))
    return Target(
        tile="t",
        anchors=anchors,
        which=1,
        feature=0,
        policy=policy(far_per_year=far_per_year, features=100, window_s=0.1),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Boards:
    """What of `ready.Ready` the figures need: boards, their anchors, the policy."""

    boards: dict[str, tuple[Anchor, ...]]
    names: tuple[str, ...] = ("loop_resistance", "mesh_capacitance")

    @property
    def twin(self) -> Any:
        return SimpleNamespace(boards=dict.fromkeys(self.boards))

    @property
    def policy(self) -> Any:
        return policy(far_per_year=1e-2, features=100, window_s=0.1)

    def sensed(self, tiles: tuple[str, ...]) -> tuple[Any, ...]:
        return tuple(SimpleNamespace(anchor=each) for each in self.boards[tiles[0]])
