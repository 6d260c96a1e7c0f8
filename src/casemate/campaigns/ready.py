"""A twin made ready for trials: modalities fitted board by board, anchored, with one policy.

Only the boards that something is done to are simulated: the others stay quiet, and quiet features
add nothing to the fused evidence but their weight, which is kept. So evidence is a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from casemate.campaigns.commission import commissioned
from casemate.campaigns.passive import computed
from casemate.detect.anchor import AnyAnchor, PassiveAnchor
from casemate.detect.response import Policy, policy
from casemate.sensors.modalities import fitted_to, modality
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.conditions import WINDOW_S

BY_BOARD = ("loop_resistance", "mesh_capacitance", "tdr")
"""Modalities whose channels belong to boards; others belong to the volume."""
KEPT = 32
"""Sets of boards that are kept fitted; a rack's board takes some 10 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensed:
    """A modality fitted to some boards and its anchor."""

    fitted: Fitted
    anchor: AnyAnchor


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A twin with its detectors' frozen part. `names`: modalities that take part."""

    twin: Twin
    names: tuple[str, ...]
    policy: Policy
    counts: dict[str, int]
    """Features of each modality of the whole enclosure."""
    volume: tuple[Sensed, ...]
    kept: dict[tuple[str, ...], tuple[Sensed, ...]] = field(default_factory=dict)

    def sensed(self, tiles: tuple[str, ...]) -> tuple[Sensed, ...]:
        """Return all modalities, those of boards fitted to `tiles` alone."""
        key = tuple(sorted(set(tiles)))
        if key not in self.kept:
            if len(self.kept) >= KEPT:
                self.kept.pop(next(iter(self.kept)))
            self.kept[key] = _sensed(_only(self.twin, key), self._of(BY_BOARD))
        return (*self.kept[key], *self.volume)

    def _of(self, kinds: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in self.names if name in kinds)


def _only(twin: Twin, tiles: tuple[str, ...]) -> Twin:
    return replace(twin, boards={tile: twin.board(tile) for tile in tiles})


def _sensed(twin: Twin, names: tuple[str, ...]) -> tuple[Sensed, ...]:
    found = []
    for name in names:
        fitted = modality(name).fit(twin)
        found.append(Sensed(fitted=fitted, anchor=commissioned(twin, fitted)))
    return tuple(found)


def ready(twin: Twin, *, far_per_year: float, without: tuple[str, ...] = ()) -> Ready:
    """Return a twin made ready; `without`: modalities of the design that are switched off."""
    names = tuple(name for name in fitted_to(twin) if name not in without)
    volume = _sensed(twin, tuple(name for name in names if name not in BY_BOARD))
    counts = {name: 0 for name in names}
    boards = tuple(name for name in names if name in BY_BOARD)
    for tile in twin.boards:
        for each in _sensed(_only(twin, (tile,)), boards):
            counts[each.fitted.id] += _features(each.anchor)
    for each in volume:
        counts[each.fitted.id] = _features(each.anchor)
    keyed = sum(
        count
        for name, count in counts.items()
        if not any(s.fitted.id == name and isinstance(s.anchor, PassiveAnchor) for s in volume)
    )
    mine = policy(far_per_year=far_per_year, features=max(keyed, 1), window_s=WINDOW_S)
    return Ready(
        twin=twin,
        names=names,
        policy=computed(mine, tuple(each.anchor for each in volume)),
        counts=counts,
        volume=volume,
    )


def _features(anchor: AnyAnchor) -> int:
    return len(anchor.names)
