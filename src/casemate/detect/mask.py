"""What detection shows, with what a permit names left out and nothing else.

A feature that is left out brings no evidence; the fused mean stays over all features, so the bound
on false alarms holds, and the rest needs as much evidence as ever.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from casemate.detect.bank import Shown
from casemate.detect.passive import PassiveShown


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """Boards of faces that may be open, and modalities of modules that may be replaced."""

    tiles: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Return whether it leaves anything out."""
        return bool(self.tiles or self.modalities)


NO_MASK = Mask()
_Shown = tuple[Shown, ...]
_Passive = tuple[PassiveShown, ...]


def left_out(
    shown: _Shown,
    passive: _Passive,
    *,
    tiles: Collection[str],
    modalities: Collection[str],
) -> tuple[_Shown, _Passive]:
    """Return what is shown without features on `tiles` and without whole `modalities`.

    A feature that names no tile stays: what sees the volume is left out by its modality alone.
    """
    if not tiles and not modalities:
        return shown, passive
    return (
        tuple(_kept(each, tiles) for each in shown if each.modality not in modalities),
        tuple(_kept(each, tiles) for each in passive if each.modality not in modalities),
    )


def _kept(each: Any, tiles: Collection[str]) -> Any:
    keep = np.array([tile == "" or tile not in tiles for tile in each.tiles], bool)
    if keep.all():
        return each
    changes: dict[str, Any] = {}
    for field in fields(each):
        if not field.init:
            continue
        value = getattr(each, field.name)
        if isinstance(value, np.ndarray):
            changes[field.name] = value[keep]
        elif isinstance(value, tuple):
            changes[field.name] = tuple(v for v, k in zip(value, keep, strict=True) if k)
    return replace(each, **changes)
