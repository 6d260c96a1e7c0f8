"""What is wrong with a scene: figures that no tool can have, places that no board has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields

import shapely

from casemate.attacks.board import board_of
from casemate.attacks.places import MODALITY_OF, OFF_BOARD_M
from casemate.attacks.shifting import last_s
from casemate.design.enclosure import FACES, Enclosure, TileDesign
from casemate.twin.effects import Effect, Place, Scatterer, Scene, Spot

ENDLESS = frozenset({("Contact", "ohm"), ("Scatterer", "epsilon_r")})
"""Fields that may be infinite: no leak, metal."""
POSITIVE = frozenset(
    {"diameter_m", "length_m", "width_m", "radius_m", "reach_m", "ohm", "duty", "epsilon_r"}
)
NOT_NEGATIVE = frozenset(
    {
        "left_m", "left", "farad", "henry", "gap_m", "strain", "mismatch", "delay_s", "switch_hz",
        "newton", "hertz", "band_hz", "m_s2", "lux", "volt_m", "volt", "tesla", "share", "seconds",
        "gray_s", "watt",
    }
)  # fmt: skip
SIGNED = frozenset({("HeatSpot", "watt")})
"""Fields of NOT_NEGATIVE that may be below 0: cold."""
UP_TO_ONE = frozenset({"duty", "left", "strain", "mismatch"})


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
        found += [f"{name}: {flaw}" for flaw in _figures(row.effect)]
        found += [f"{name}: {flaw}" for flaw in _places(row.effect, boards)]
        found += [f"{name}: {flaw}" for flaw in _names(row.effect, boards)]
        if isinstance(row.effect, Scatterer):
            ends = zip((row.effect.x_m, row.effect.y_m, row.effect.z_m), enclosure.size_m,
                       strict=True)  # fmt: skip
            if not all(0.0 <= value <= size for value, size in ends):
                found.append(f"{name}: it stands outside the box")
    return found


def _figures(effect: Effect) -> Iterator[str]:
    kind = type(effect).__name__
    for field in fields(effect):
        value = getattr(effect, field.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        endless = (kind, field.name) in ENDLESS and value == math.inf
        signed = (kind, field.name) in SIGNED
        if not math.isfinite(value) and not endless:
            yield f"{field.name} is not finite"
        if field.name in POSITIVE and not value > 0.0:
            yield f"{field.name} is not above 0"
        if field.name in NOT_NEGATIVE and not signed and not value >= 0.0:
            yield f"{field.name} is below 0"
        if field.name in UP_TO_ONE and not value <= 1.0:
            yield f"{field.name} is above 1"


def _places(effect: Effect, boards: dict[str, TileDesign]) -> Iterator[str]:
    for field in fields(effect):
        value = getattr(effect, field.name)
        if not isinstance(value, Place | Spot):
            continue
        if value.tile not in boards:
            yield f"there is no board {value.tile}"
            continue
        board = boards[value.tile]
        if isinstance(value, Spot) and value.layer not in board.stackup.mesh:
            yield f"{value.tile} has no mesh on {value.layer}"
        at = shapely.Point(value.x_m, value.y_m)
        if not shapely.distance(board_of(board.outline), at) <= OFF_BOARD_M:
            yield f"({value.x_m}, {value.y_m}) is not on {value.tile}"


def _names(effect: Effect, boards: dict[str, TileDesign]) -> Iterator[str]:
    for name, known in (
        ("tile", {"", *boards}),
        ("face", set(FACES)),
        ("modality", {"", *MODALITY_OF.values()}),
    ):
        value = getattr(effect, name, "")
        if value and value not in known:
            yield f"there is no {name} {value!r}"
