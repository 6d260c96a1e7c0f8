"""Watching an enclosure in part: for a computer that is too slow to run the twin of all of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.control.readers import Far
    from casemate.design.enclosure import Enclosure


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the argument."""
    parser.add_argument("--faces", metavar="NAMES", default="",
                        help="watch these alone, and let the evidence say so")  # fmt: skip


def tiles(enclosure: Enclosure, asked: str) -> tuple[str, ...]:
    """Return the boards to be read: all, or those of the faces asked for and of their edges."""
    faces = _faces(enclosure, asked)
    return tuple(
        each.id
        for each in enclosure.tiles
        if each.face in faces or (each.bend is not None and set(each.bend.faces) & faces)
    )


def partly(enclosure: Enclosure, asked: str) -> str:
    """Return what the evidence says of it; "" if all is watched."""
    count = len(tiles(enclosure, asked))
    if count == len(enclosure.tiles):
        return ""
    left = sorted({each.name for each in enclosure.faces} - _faces(enclosure, asked))
    return f"watched in part: {count} of {len(enclosure.tiles)} boards, not {', '.join(left)}"


def refuse_others(folder: Path, far: Far) -> None:
    """Refuse to go on with other channels than the folder was commissioned with: InputError."""
    from casemate.control.anchor_file import anchors_of
    from casemate.detect.anchor import Anchor

    path = folder / "anchor" / "anchors.json"
    if not path.exists():
        return
    keyed = [each for each in anchors_of(path.read_bytes()) if isinstance(each, Anchor)]
    if any(len(each.channels) != len(far.readers[each.modality].channels) for each in keyed):
        raise InputError(
            "this folder was commissioned with other boards watched.",
            remedy="give --faces as then, or commission a new folder.", key="--faces",
        )  # fmt: skip


def _faces(enclosure: Enclosure, asked: str) -> set[str]:
    there = {each.name for each in enclosure.faces}
    faces = {each.strip() for each in asked.split(",")} if asked else there
    if not faces <= there:
        raise InputError(
            "there is no such face.", remedy=f"write some of {','.join(sorted(there))}.",
            key="--faces", value=asked,
        )  # fmt: skip
    return faces
