"""What is wrong with a scene: figures that no tool can have, places that no board has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields

import shapely

from casemate.attacks.board import board_of
from casemate.attacks.places import OFF_BOARD_M
from casemate.attacks.shifting import last_s
from casemate.design.enclosure import Enclosure, TileDesign
from casemate.twin.effects import Effect, Place, Scatterer, Scene, Spot
from casemate.twin.modules import MODALITY_OF
from casemate.twin.scene_checks import figure_flaws, name_flaws


def flaws(scene: Scene, enclosure: Enclosure) -> list[str]:
    """Return all that is wrong with a scene on a design; empty if it is sound."""
    found = [] if scene else ["nothing happens"]
    starts = [row.start_s for row in scene]
    if starts != sorted(starts):
        found.append("effects are not in the order in which they start")
    if not math.isfinite(last_s(scene)):
        found.append("it never ends")
    boards = {tile.id: tile for tile in enclosure.tiles}
    for row in scene:
        name = type(row.effect).__name__
        if not (math.isfinite(row.start_s) and math.isfinite(row.rise_s)):
            found.append(f"{name}: it starts or rises at no finite time")
        found += [f"{name}: {flaw}" for flaw in figure_flaws(row.effect)]
        found += [f"{name}: {flaw}" for flaw in _places(row.effect, boards)]
        found += [f"{name}: {flaw}" for flaw in name_flaws(row.effect, boards)]
        found += [f"{name}: {flaw}" for flaw in _modality(row.effect)]
        if isinstance(row.effect, Scatterer):
            ends = zip((row.effect.x_m, row.effect.y_m, row.effect.z_m), enclosure.size_m,
                       strict=True)  # fmt: skip
            if not all(0.0 <= value <= size for value, size in ends):
                found.append(f"{name}: it stands outside the box")
    return found


def _places(effect: Effect, boards: dict[str, TileDesign]) -> Iterator[str]:
    for field in fields(effect):
        value = getattr(effect, field.name)
        if not isinstance(value, Place | Spot):
            continue
        if value.tile not in boards:
            continue
        board = boards[value.tile]
        at = shapely.Point(value.x_m, value.y_m)
        if not shapely.distance(board_of(board.outline), at) <= OFF_BOARD_M:
            yield f"({value.x_m}, {value.y_m}) is not on {value.tile}"


def _modality(effect: Effect) -> Iterator[str]:
    value = getattr(effect, "modality", "")
    if value and value not in MODALITY_OF.values():
        yield f"there is no modality {value!r}"
