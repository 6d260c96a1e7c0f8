"""What detection shows, with a permit's scope left out and nothing else.

A feature that is left out brings no evidence; the fused mean stays over all features, so the bound
on false alarms holds, and the rest needs as much evidence as ever.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

import numpy as np

from casemate.detect.bank import PassiveShown, Shown

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

    tiles: of the faces that may be open; modalities: of the modules that may be replaced. A feature
    that names no tile stays.
    """
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
        value = getattr(each, field.name)
        if isinstance(value, np.ndarray):
            changes[field.name] = value[keep]
        elif isinstance(value, tuple):
            changes[field.name] = tuple(v for v, k in zip(value, keep, strict=True) if k)
    return replace(each, **changes)
