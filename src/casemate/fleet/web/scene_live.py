"""What is told live at the places of a drawing: channels by tile, their labels, and numbers.

A channel belongs to the tile that a part of its name names, such as loop/left-1-1/In1.Cu-3; one
that names a face alone, to the first tile of it. Readings are unsigned: they colour nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casemate.fleet.clockface import ago
from casemate.fleet.drawing.scene import Drawing, Shape
from casemate.fleet.readings.series import Latest
from casemate.fleet.web import channel_draw
from casemate.fleet.web.channel_rows import OLD_S
from casemate.fleet.web.filters import unit
from casemate.fleet.web.scene_room import BADGE, Room

MOST_LABELS = 12
"""In a drawing; the table has the others (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """What is told at a tile. first: its first channel. silent: how many of `count` are."""

    tile: str
    first: Latest
    count: int
    silent: int

    def row(self, now_s: int) -> dict[str, Any]:
        """Return it as a page shows it."""
        return {
            "channel": self.first.channel, "value": channel_draw.figure(self.first.value),
            "unit": self.first.unit, "ago": ago(int(self.first.at_s), now_s),
            "channels": self.count, "silent": self.silent,
        }  # fmt: skip


def zones(
    design: Mapping[str, Any], latest: Iterable[Latest], now_s: int
) -> tuple[dict[str, Zone], int]:
    """Return what is told by tile, and how many channels belong to no tile."""
    tiles = {each["id"] for each in design["tiles"]}
    firsts: dict[str, str] = {}
    for each in design["tiles"]:
        if each["bend"] is None:
            firsts.setdefault(each["face"], each["id"])
    held: dict[str, list[Latest]] = {}
    whole = 0
    for one in sorted(latest, key=lambda each: each.channel):
        parts = one.channel.split("/")
        tile = next((each for each in parts if each in tiles), "")
        tile = tile or next((firsts[each] for each in parts if each in firsts), "")
        if tile:
            held.setdefault(tile, []).append(one)
        else:
            whole += 1
    out = {
        tile: Zone(tile=tile, first=found[0], count=len(found),
                   silent=sum(now_s - each.at_s > OLD_S for each in found))
        for tile, found in held.items()
    }  # fmt: skip
    return out, whole


def badges(drawn: Drawing, places: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the numbers of places, each once on each of its faces that is seen.

    A place that is a face has its number on the tile nearest to the middle of what is seen of it.
    """
    out: list[dict[str, Any]] = []
    for place in places:
        tiles = set(place["tiles"])
        faces: dict[str, list[Shape]] = {}
        for each in drawn.shapes:
            if each.tile in tiles:
                faces.setdefault(each.face, []).append(each)
        for face, found in faces.items():
            middle = [sum(each.centre[axis] for each in found) / len(found) for axis in (0, 1)]
            near = min(found, key=lambda each: _apart(each.centre, middle))
            taken = sum(1 for one in out if _apart((one["x"], one["y"]), near.centre) < 4.0)
            out.append({"number": place["number"], "face": face, "tile": near.tile,
                        "x": round(near.centre[0] + 2 * BADGE * taken, 1),
                        "y": near.centre[1]})  # fmt: skip
    return out


def labels(
    drawn: Drawing, found: Mapping[str, Zone], room: Room, now_s: int
) -> list[dict[str, Any]]:
    """Return labels of what is told, where they cover nothing that is there already."""
    out: list[dict[str, Any]] = []
    shapes = {each.tile: each for each in drawn.shapes if each.tile in found}
    for tile in sorted(shapes, key=lambda name: (not found[name].silent, name)):
        if len(out) == MOST_LABELS:
            break
        zone, row = found[tile], found[tile].row(now_s)
        lines = [f"{row['value']} {unit(row['unit'])}".rstrip(), _second(row)]
        label = room.put(shapes[tile].centre, lines)
        if label is not None:
            out.append({**label, "tile": tile, "channel": row["channel"], "old": zone.silent > 0})
    return out


def _second(row: Mapping[str, Any]) -> str:
    if row["silent"]:
        return "silent, " + row["ago"] if row["channels"] == 1 else (
            f"{row['silent']} of {row['channels']} silent"
        )  # fmt: skip
    return str(row["ago"]) if row["channels"] == 1 else f"{row['ago']}, 1 of {row['channels']}"


def _apart(a: Sequence[float], b: Sequence[float]) -> float:
    return math.dist(a, b)
