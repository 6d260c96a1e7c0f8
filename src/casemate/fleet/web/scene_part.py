"""The picture of an enclosure for its pages: from a side that the address names, with its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from casemate.attest import permit as permits
from casemate.core.errors import CasemateError
from casemate.fleet.clockface import clock
from casemate.fleet.drawing import layout, scene
from casemate.fleet.drawing.layout import metres
from casemate.fleet.drawing.scene import Drawing
from casemate.fleet.errors import RefusedError
from casemate.fleet.permits.checklist import open_permit
from casemate.fleet.permits.files import Filed
from casemate.fleet.readings.series import Latest
from casemate.fleet.story.told import Event
from casemate.fleet.web import scene_live, scene_room
from casemate.fleet.web.asked import Asked

MOST_PLACES = 40
"""Rows of the table beside the drawing, what is marked first (planning value)."""
_RECENT = 20
"""Events in which a place is looked for, from the last one back (planning value)."""
_KEPT = ("zoom", "at", "tile")
"""Of the address, that a turn of the drawing leaves as they are."""
_TOLD = 6
"""Tiles of a place of which it is said where they lie; the table has all (planning value)."""


def picture(
    asked: Asked, design: Mapping[str, Any] | None, said: Sequence[Event], told: Sequence[Event],
    filed: Sequence[Filed], state: str, latest: Iterable[Latest], now_s: int,
) -> dict[str, Any] | None:  # fmt: skip
    """Return what is drawn, None without a design that says where its tiles lie.

    said: events that may name a place. state: of the whole, as the page shows it. latest: what was
    told last of each channel. Without a view in the address, from where most of it is seen.
    """
    named = asked.choice("view", scene.VIEWS)
    if design is None or not layout.has_places(design):
        return None
    sought = _sought(asked, design)
    start = next((each for each in reversed(told) if each.kind == "start"), None)
    marked = scene.marks(
        design,
        said=[each.text for each in said],
        unwatched=start.unwatched if start else (),
        permitted=_permitted(told, filed),
    )
    view = named or scene.best(design, {sought: "event"} if sought else marked)
    drawn = scene.drawing(design, view, marked)
    tiles = _tiles(design)
    places = _places(design, said, drawn, tiles)
    zones, whole = scene_live.zones(design, latest, now_s)
    rows = _rows(design, marked, places, zones, drawn, now_s)
    for each in rows:
        each |= tiles[each["tile"]]
    return {
        "view": view, "chosen": bool(named), "described": scene.described(view),
        "views": list(scene.VIEWS), "turns": scene.turned(view), "state": state,
        "kept": "".join(f"&{urlencode({key: asked.query[key]})}" for key in _KEPT
                        if asked.query.get(key)),
        "held": {key: asked.query[key] for key in ("zoom", "at") if asked.query.get(key)},
        "width": scene.WIDTH, "height": scene.HEIGHT,
        "size": " × ".join(map(metres, layout.size(design))),
        "doors": [each["name"] for each in design["faces"] if each["door"]],
        "names": [each["id"] for each in design["tiles"]],
        "sought": {"tile": sought, **tiles[sought]} if sought else None,
        **_drawn(drawn, design, zones, places, sought, now_s),
        "places": places,
        **_listed(design, marked, drawn),
        "tiles": len(marked),
        "rows": rows[:MOST_PLACES], "more_rows": max(len(rows) - MOST_PLACES, 0),
        "of_no_tile": whole,
    }  # fmt: skip


def _sought(asked: Asked, design: Mapping[str, Any]) -> str:
    """Return the tile that the address asks for, "" without one; RefusedError if it is none."""
    name = asked.query.get("tile", "")
    if name and not any(each["id"] == name for each in design["tiles"]):
        raise RefusedError("the design has no such tile.", remedy="choose one of the page's list.")
    return name


def _tiles(design: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return of each tile where it lies, its size and its module, in words."""
    laid = layout.all_places(design)
    return {
        each["id"]: {
            "where": [layout.where(place) for place in laid[each["id"]]],
            "board": f"{metres(each['width_m'])} × {metres(each['height_m'])}",
            "module": each["module"],
        }
        for each in design["tiles"]
    }


def _drawn(
    drawn: Drawing, design: Mapping[str, Any], zones: Mapping[str, scene_live.Zone],
    places: Sequence[Mapping[str, Any]], sought: str, now_s: int,
) -> dict[str, Any]:  # fmt: skip
    """Return what is put on the drawing, in the order in which it takes room."""
    numbers = scene_live.badges(drawn, places)
    room = scene_room.Room(drawn, numbers)
    found = [each for each in drawn.shapes if each.tile == sought]
    names = scene_room.named(drawn, room, sought)
    labels = scene_live.labels(drawn, zones, room, now_s)
    passing = scene_room.crossings(drawn, room)
    return {
        "faces": [{"name": scene_room.face_name(each.name, each.door), "inside": each.inside,
                   "points": _text(each.points), "x": each.at[0], "y": each.at[1]}
                  for each in drawn.faces],
        "shapes": _shapes(drawn),
        "numbers": numbers,
        "labels": labels,
        "crossings": [{**each, "points": _text(each["points"])} for each in passing],
        "sought_shapes": [_text(each.points) for each in found],
        "tile_names": [*names, *scene_room.tile_names(drawn, room)],
        "passing": [
            {"name": each["id"], "kind": each["kind"], "module": each["module"],
             "where": layout.where(place)}
            for each, place in zip(
                design["crossings"], layout.crossings(design), strict=True
            )
        ],
    }  # fmt: skip


def place_events(told: Sequence[Event]) -> list[Event]:
    """Return what befell the enclosure since it was last armed, in its own words, as it came."""
    out: list[Event] = []
    for each in reversed(told[-_RECENT:]):
        if each.kind == "change" and each.act in ("ARMED", "COMMISSIONING"):
            break
        if each.kind == "last word" or (each.kind == "change" and each.act == "UNKNOWN"):
            out.append(each)
    return out[::-1]


def _places(
    design: Mapping[str, Any], said: Sequence[Event], drawn: Drawing,
    laid: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the places that the evidence names, numbered in the order in which they were named."""
    seen = {each.tile for each in drawn.shapes}
    out: list[dict[str, Any]] = []
    known: set[str] = set()
    for each in said:
        tiles = scene.named(design, each.text)
        if not tiles or each.text in known:
            continue
        known.add(each.text)
        out.append({
            "number": len(out) + 1, "text": each.text, "at": clock(each.at_s),
            "token": each.number, "tiles": tiles, "seen": bool(seen & set(tiles)),
            "found": [{"tile": tile, **laid[tile]} for tile in tiles[:_TOLD]],
        })  # fmt: skip
    return out


def _shapes(drawn: Drawing) -> list[dict[str, Any]]:
    ordered = sorted(drawn.shapes, key=lambda s: (s.strip, -_rank(s.mark)))
    return [
        {"tile": each.tile, "face": each.face, "mark": each.mark, "x": each.centre[0],
         "y": each.centre[1], "strip": each.strip, "points": _text(each.points),
         "path": _path(each.points, *each.openings) if each.openings else ""}
        for each in ordered
    ]  # fmt: skip


def _listed(
    design: Mapping[str, Any], marked: Mapping[str, str], drawn: Drawing
) -> dict[str, dict[str, list[str]]]:
    """Return the tiles by mark, and those of them that are not seen from here."""
    unseen = scene.hidden(design, drawn.shapes)
    kinds = [each for each in scene.MARKS[:-1] if each in set(marked.values())]
    return {
        "marked": {kind: [tile for tile, mark in marked.items() if mark == kind] for kind in kinds},
        "unseen": {
            kind: found for kind in kinds if (found := [t for t in unseen if marked[t] == kind])
        },
    }


def _rows(
    design: Mapping[str, Any], marked: Mapping[str, str], places: Sequence[Mapping[str, Any]],
    zones: Mapping[str, scene_live.Zone], drawn: Drawing, now_s: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return tiles that are marked or of which something is told: what is marked comes first."""
    seen = {each.tile for each in drawn.shapes}
    faces = {each["id"]: each["face"] for each in design["tiles"]}
    here = [tile for tile, mark in marked.items() if mark != "plain" or tile in zones]
    silent = {tile: zone.silent for tile, zone in zones.items()}
    return [
        {
            "tile": tile,
            "face": faces[tile],
            "mark": marked[tile],
            "seen": tile in seen,
            "numbers": [each["number"] for each in places if tile in each["tiles"]],
            "told": zones[tile].row(now_s) if tile in zones else None,
        }
        for tile in sorted(here, key=lambda t: (_rank(marked[t]), not silent.get(t, 0), t))
    ]


def _rank(mark: str) -> int:
    return scene.MARKS.index(mark)


def _text(points: scene.Points) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _path(*rings: scene.Points) -> str:
    return "".join(f"M{_text(each)}Z" for each in rings)


def _permitted(told: Sequence[Event], filed: Sequence[Filed]) -> list[str]:
    """Return the places at which work under the permit in use may be."""
    begun = open_permit(told)
    if begun is None:
        return []
    for each in filed:
        if each.digest == begun.permit:
            try:
                return list(permits.decode(each.payload).faces)
            except CasemateError:  # the store was changed: nothing is claimed of it
                return [begun.place]
    return [begun.place]
