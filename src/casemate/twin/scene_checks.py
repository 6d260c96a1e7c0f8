"""What makes a scene impossible: figures that no tool can have, boards and layers that are not.

A twin refuses such a scene before it is played: an effect on a board of another name would
otherwise do nothing and look harmless.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields

from casemate.core.errors import InputError
from casemate.design.enclosure import FACES, Enclosure, TileDesign
from casemate.twin.effects import Bridge, Effect, Place, Scene, Spot

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


def checked(scene: Scene, enclosure: Enclosure) -> None:
    """Raise InputError, naming effect and field, if a scene is impossible on a design."""
    boards = {tile.id: tile for tile in enclosure.tiles}
    for row in scene:
        for flaw in (*figure_flaws(row.effect), *name_flaws(row.effect, boards)):
            raise InputError(
                f"{type(row.effect).__name__}: {flaw}.",
                remedy="correct the effect; design.json has boards, their layers and sizes.",
            )


def figure_flaws(effect: Effect) -> Iterator[str]:
    """Yield what is wrong with an effect's figures, places included."""
    kind = type(effect).__name__
    for field in fields(effect):
        value = getattr(effect, field.name)
        if isinstance(value, Place | Spot) and not math.isfinite(value.x_m + value.y_m):
            yield f"{field.name} is at no finite place"
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


def name_flaws(effect: Effect, boards: dict[str, TileDesign]) -> Iterator[str]:
    """Yield boards, layers and faces of an effect that the design does not have."""
    for field in fields(effect):
        value = getattr(effect, field.name)
        if not isinstance(value, Place | Spot):
            continue
        if value.tile not in boards:
            yield f"there is no board {value.tile!r}; boards: {', '.join(boards)}"
        elif isinstance(value, Spot) and value.layer not in boards[value.tile].stackup.mesh:
            mesh = ", ".join(boards[value.tile].stackup.mesh)
            yield f"{value.tile} has no mesh on {value.layer!r}; mesh layers: {mesh}"
    if isinstance(effect, Bridge) and effect.at.tile != effect.to.tile:
        yield "its feet are on two boards"
    for name, known in (("tile", {"", *boards}), ("face", set(FACES))):
        value = getattr(effect, name, "")
        if value not in known and value:
            yield f"there is no {name} {value!r}"
