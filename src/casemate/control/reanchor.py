"""What may change when a module is replaced: what its channels read, and nothing else.

Bounds, noise and the least change that must be caught stay those of commissioning, and no reading
may move as far as a change that must be caught: re-anchoring can hide none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from casemate.core.errors import InputError
from casemate.detect.anchor import Anchor, AnyAnchor, FieldAnchor, PassiveAnchor, Real, anchor_bytes

_READS = {Anchor: "nominal", FieldAnchor: "field", PassiveAnchor: "nominal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How far one modality's readings move, relative: worst (1 is a change that must be caught)."""

    modality: str
    features: int
    largest: float
    share: float


def moved(
    before: tuple[AnyAnchor, ...], after: tuple[AnyAnchor, ...], modules: Collection[str]
) -> tuple[Moved, ...]:
    """Return what new anchors change in the modalities of `modules`, in their order.

    largest: of a feature, relative to what it reads. share: of the least change that must be
    caught, at the worst feature. InputError if anything else changes, or if a share reaches 1.
    """
    if [each.modality for each in before] != [each.modality for each in after]:
        raise _refused("they are of other modalities")
    found = []
    for one, other in zip(before, after, strict=True):
        if anchor_bytes((one,)) == anchor_bytes((other,)):
            continue
        if one.modality not in modules:
            raise _refused(f"{one.modality} changes, and was not replaced")
        found.append(_moved(one, other))
    return tuple(found)


def _moved(one: AnyAnchor, other: AnyAnchor) -> Moved:
    if type(other) is not type(one) or not _alike(one, other):
        raise _refused(f"more changes in {one.modality} than what it reads")
    change, most = _change(one, other)
    share = change / np.maximum(most, 1e-300)
    if not bool((share < 1.0).all()):
        raise _refused(
            f"{one.modality} reads another enclosure: {int((~(share < 1.0)).sum())} features move "
            "as far as a change that must be caught"
        )
    return Moved(
        modality=one.modality,
        features=int((change > 0.0).sum()),
        largest=float(change.max()),
        share=float(share.max()),
    )


def _alike(one: AnyAnchor, other: AnyAnchor) -> bool:
    """Return whether two anchors are the same but for what they read."""
    reads = _READS[type(one)]
    changes: dict[str, Any] = {reads: getattr(one, reads)}
    return anchor_bytes((replace(other, **changes),)) == anchor_bytes((one,))


def _change(one: AnyAnchor, other: AnyAnchor) -> tuple[Real, Real]:
    """Return by how much each feature's reading moves, and what it may not reach, relative."""
    match one, other:
        case Anchor(), Anchor():
            ratio = other.nominal / one.nominal - 1.0
            second = np.where(one.second < 0, 0.0, ratio[one.second])
            by = one.weight[:, 0] * ratio[one.first] + one.weight[:, 1] * second
            return np.abs(by), one.must
        case FieldAnchor(), FieldAnchor():
            size = np.sqrt(np.mean(np.abs(one.field) ** 2, axis=1))
            away = np.sqrt(np.mean(np.abs(other.field - one.field) ** 2, axis=1))
            return np.asarray(away / size), one.must
        case PassiveAnchor(), PassiveAnchor():
            with np.errstate(invalid="ignore", divide="ignore"):
                ratio = np.log(np.abs(other.nominal / one.nominal))
            by = np.where(one.log, ratio, other.nominal - one.nominal)
            return np.abs(by) / one.spread, one.bound
        case _:
            raise _refused("another kind of anchor")


def _refused(why: str) -> InputError:
    return InputError(
        f"these anchors may not take the place of those before: {why}.",
        remedy="put in a sound module, or commission the enclosure anew.",
    )
