"""What a party was handed over about an enclosure: its design and its security case, as files.

They come from the party's own hand, by a command on its machine; nothing brings them over the
network. What they say is theirs who made them: pages show it as such, and no state follows from it.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from casemate.core.errors import FormatError
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.drawing import layout
from casemate.fleet.errors import NotFoundError
from casemate.fleet.store.schema import PAPERS

KINDS = ("design", "case")
MOST_BYTES = 16_000_000
"""Of a file that is read (planning value): a rack's case has 1.1 MB."""
MOST_TILES = 5000
MOST_NAME = 100


def put(link: Connection, enclosure_id: int, kind: str, data: bytes, now_s: int) -> None:
    """Keep a design or a case in place of an older one. FormatError if it is none."""
    found = _check(kind, data)
    if kind == "design" and not layout.has_places(found):
        raise FormatError(
            "this design does not say where its tiles lie: an older version wrote it.",
            remedy="have `casemate design` or `casemate build` write it again.",
        )
    here = (PAPERS.c.enclosure_id == enclosure_id) & (PAPERS.c.kind == kind)
    link.execute(delete(PAPERS).where(here))
    row = {"enclosure_id": enclosure_id, "kind": kind, "data": data, "at_s": now_s}
    link.execute(insert(PAPERS).values(**row))


def find(link: Connection, enclosure_id: int, kind: str) -> dict[str, Any] | None:
    """Return a paper of an enclosure as JSON values, None if none was handed over."""
    here = (PAPERS.c.enclosure_id == enclosure_id) & (PAPERS.c.kind == kind)
    data = link.execute(select(PAPERS.c.data).where(here)).scalar_one_or_none()
    return None if data is None else _check(kind, bytes(data))


def there(link: Connection, enclosure_id: int) -> tuple[str, ...]:
    """Return the kinds of paper that an enclosure has."""
    asked = select(PAPERS.c.kind).where(PAPERS.c.enclosure_id == enclosure_id)
    return tuple(sorted(link.execute(asked).scalars()))


def raw(link: Connection, enclosure_id: int, kind: str) -> bytes:
    """Return a paper as it was handed over; NotFoundError if there is none."""
    here = (PAPERS.c.enclosure_id == enclosure_id) & (PAPERS.c.kind == kind)
    data = link.execute(select(PAPERS.c.data).where(here)).scalar_one_or_none()
    if data is None:
        raise NotFoundError(f"no {kind} was handed over.", remedy="enter it: casemate fleet paper.")
    return bytes(data)


def places(link: Connection, known: Enclosure) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the faces and modules of an enclosure that a permit can name, as far as known."""
    design = find(link, known.id, "design")
    faces = tuple(each["name"] for each in design["faces"]) if design else ()
    modules = sorted({each.name for each in known.reference.unit(known.serial).modules})
    return faces, tuple(modules)


def _check(kind: str, data: bytes) -> dict[str, Any]:
    """Return the JSON values of a paper. FormatError unless it has what the pages read of it."""
    try:
        if len(data) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES} bytes")
        found = json.loads(data)
        if kind == "design":
            _check_design(found)
        elif kind == "case":
            _check_case(found)
        else:
            raise ValueError("there is no such paper")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(
            f"this is no {kind}: {error or type(error).__name__}.",
            remedy=f"name the {kind}.json that `casemate build` or `casemate prove` has written.",
        ) from None
    return dict(found)


def _check_design(found: Any) -> None:
    tiles = found["tiles"]
    if not isinstance(tiles, list) or not 0 < len(tiles) <= MOST_TILES:
        raise ValueError("it has no tiles, or too many")
    for each in tiles:
        _names(each["id"], each["face"])
        for size in (each["width_m"], each["height_m"]):
            if not isinstance(size, int | float) or not 0.0 < size < 1000.0:
                raise ValueError(f"tile {each['id']} has no size")
        if each["bend"] is not None:
            _names(*each["bend"]["faces"])
        layout.openings(each)
    for each in found["faces"]:
        _names(each["name"])
    if layout.has_places(found):  # one that was entered before lacks them
        for each in found["crossings"]:
            _names(each["id"], each["kind"], each["module"])
        for each in tiles:
            _names(each["module"])
        if not all(isinstance(each["door"], bool) for each in found["faces"]):
            raise ValueError("a face does not say whether it is a door")
        layout.check(found)


def _check_case(found: Any) -> None:
    if found["format"] != "casemate/case/1":
        raise ValueError("it is of another format")
    for each in found["gsn"]["nodes"]:
        _names(each["id"], each["kind"])
    ids = {each["id"] for each in found["gsn"]["nodes"]}
    if found["gsn"]["root"] not in ids:
        raise ValueError("its argument has no root")
    for each in found["gsn"]["links"]:
        if not {each["source"], each["target"]} <= ids:
            raise ValueError("a link of its argument leads nowhere")
    for key in ("doubts", "targets", "moves", "far", "assumptions"):
        if not all(isinstance(each, dict) for each in found[key]):
            raise ValueError(f"{key} are none")


def _names(*names: Any) -> None:
    for each in names:
        if not isinstance(each, str) or not 0 < len(each) <= MOST_NAME or not each.isprintable():
            raise ValueError("a name is none")
