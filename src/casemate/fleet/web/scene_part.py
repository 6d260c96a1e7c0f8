"""The picture of an enclosure for its page: from a corner that the address names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casemate.attest import permit as permits
from casemate.core.errors import CasemateError
from casemate.fleet import scene
from casemate.fleet.checklist import open_permit
from casemate.fleet.permit_files import Filed
from casemate.fleet.told import Event

_RECENT = 20
"""Events in which a place is looked for, from the last one back (planning value)."""


def picture(
    design: Mapping[str, Any] | None, view: str, told: Sequence[Event], filed: Sequence[Filed],
    state: str,
) -> dict[str, Any] | None:  # fmt: skip
    """Return what is drawn, None without a design. state: of the whole, as the page shows it."""
    if design is None:
        return None
    start = next((each for each in reversed(told) if each.kind == "start"), None)
    marked = scene.marks(
        design,
        said=place_texts(told),
        unwatched=start.unwatched if start else (),
        permitted=_permitted(told, filed),
    )
    shapes = scene.draw(design, view, marked)
    worst = [each for each in scene.MARKS if each in set(marked.values())]
    unseen = scene.hidden(design, shapes)
    return {
        "view": view,
        "views": list(scene.VIEWS),
        "state": state,
        "width": scene.WIDTH,
        "height": scene.HEIGHT,
        "shapes": [
            {"tile": each.tile, "face": each.face, "mark": each.mark, "x": each.centre[0],
             "y": each.centre[1], "line": len(each.points) == 2,
             "points": " ".join(f"{x},{y}" for x, y in each.points)}
            for each in sorted(shapes, key=lambda s: (len(s.points) == 2, -_rank(s.mark)))
        ],
        "marked": {
            kind: [tile for tile, mark in marked.items() if mark == kind]
            for kind in worst if kind != "plain"
        },
        "unseen": {kind: [t for t in unseen if marked[t] == kind] for kind in worst
                   if kind != "plain" and any(marked[t] == kind for t in unseen)},
        "tiles": len(marked),
    }  # fmt: skip


def place_texts(told: Sequence[Event]) -> list[str]:
    """Return the enclosure's own words about what befell it since it was last armed."""
    out: list[str] = []
    for each in reversed(told[-_RECENT:]):
        if each.kind == "change" and each.act in ("ARMED", "COMMISSIONING"):
            break
        if each.kind == "last word" or (each.kind == "change" and each.act == "UNKNOWN"):
            out.append(each.text)
    return out


def _rank(mark: str) -> int:
    return scene.MARKS.index(mark)


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
