"""Watching an enclosure in part, or slowly: for a computer too slow for the twin of all of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.control.readers import Far
    from casemate.design.enclosure import Enclosure

SLOW_S, MOST_LATE_S = 3.0, 120.0
"""As in `control.setting`, which is not imported for --help; and the most that is allowed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the argument."""
    parser.add_argument("--faces", metavar="NAMES", default="",
                        help="watch these alone, and let the evidence say so")  # fmt: skip
    parser.add_argument("--late", metavar="S", type=float, default=SLOW_S,
                        help="let simulated readers be late by S (default 3)")  # fmt: skip


def tiles(enclosure: Enclosure, asked: str) -> tuple[str, ...]:
    """Return the boards to be read: all, or those of the faces asked for and of their edges."""
    faces = _faces(enclosure, asked)
    return tuple(
        each.id
        for each in enclosure.tiles
        if each.face in faces or (each.bend is not None and set(each.bend.faces) & faces)
    )


def unwatched(enclosure: Enclosure, asked: str) -> tuple[str, ...]:
    """Return the faces of which boards are not read, sorted; () if all are."""
    return tuple(sorted({each.name for each in enclosure.faces} - _faces(enclosure, asked)))


def caveat(enclosure: Enclosure, asked: str, late_s: float) -> str:
    """Return what evidence says of both; "" if all is watched, and no slower than usual."""
    found, left = [], unwatched(enclosure, asked)
    if left:
        count = len(tiles(enclosure, asked))
        found.append(
            f"watched in part: {count} of {len(enclosure.tiles)} boards, not {', '.join(left)}"
        )
    if late_s > SLOW_S:
        found.append(f"simulated readers may be late by {late_s:g} s")
    return "; ".join(found)


def refuse(args: argparse.Namespace) -> None:
    """Refuse a patience that cannot be: InputError."""
    if not SLOW_S <= args.late <= MOST_LATE_S:
        raise InputError(
            "--late is out of range.", remedy=f"give {SLOW_S:g} to {MOST_LATE_S:g} s.",
            key="--late", value=args.late,
        )  # fmt: skip


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
