"""Boards for the twin: drawn from design and secret, kept in a folder, drawn once only.

A kept board is used again only if design, commitment and the code that draws are the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from casemate.core.errors import InputError, OutputError
from casemate.core.randomness import commitment
from casemate.design.enclosure import Enclosure, TileDesign
from casemate.mesh.draw import draw_board
from casemate.mesh.model import TileMesh
from casemate.mesh.store import keep_mesh, load_mesh
from casemate.twin.board import Board, board_arrays, board_of_arrays, summed_up

KEPT = "board.npz"
DRAWN = "mesh.npz"
SUMMING = ("_copper_kernel.py", "board.py", "copper.py", "facing.py")
"""Files of this room on which a kept board depends."""


def boards(
    enclosure: Enclosure,
    *,
    secret: bytes,
    folder: Path,
    workers: int = 0,
    say: Callable[[str], None] = lambda _text: None,
) -> dict[str, Board]:
    """Return all boards of an enclosure, drawing those that `folder` does not hold.

    `folder` keeps layouts: it is as secret as the unit's manufacturing files. Raises OutputError if
    it cannot be written.
    """
    jobs = [(tile, secret, enclosure.serial, folder / tile.id) for tile in enclosure.tiles]
    waiting = [job for job in jobs if _kept(*job) is None]
    count = min(workers or os.cpu_count() or 1, len(waiting))
    waiting.sort(key=lambda job: -job[0].width_m * job[0].height_m)
    if count > 1:
        with ProcessPoolExecutor(max_workers=count) as pool:
            futures = {pool.submit(_draw, *job): job[0].id for job in waiting}
            try:
                for done in as_completed(futures):
                    done.result()
                    say(f"board {futures[done]} drawn")
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    else:
        for job in waiting:
            _draw(*job)
            say(f"board {job[0].id} drawn")
    found = {}
    for job in jobs:
        board = _kept(*job)
        if board is None:
            raise OutputError(
                f"the board {job[0].id} was drawn but is not in {folder}.",
                remedy="check that nothing else writes to that folder.",
            )
        found[job[0].id] = board
    return found


def _draw(tile: TileDesign, secret: bytes, serial: str, folder: Path) -> None:
    """Sum up a board: as `build` has left its mesh in the folder, else drawn here."""
    mesh = _left(folder / DRAWN, commitment(secret, f"{serial}/{tile.id}"))
    if mesh is None:
        mesh = draw_board(tile, secret=secret, serial=serial).mesh
    board = summed_up(tile, mesh, folder / DRAWN)
    keep_mesh(folder / DRAWN, mesh)
    try:
        part = folder / f".{KEPT}"
        with part.open("wb") as stream:
            rows = {"key": np.array(_key(tile, secret, serial)), **board_arrays(board)}
            np.savez_compressed(stream, allow_pickle=False, **rows)
        os.replace(part, folder / KEPT)
    except OSError as error:
        raise OutputError(
            f"the board {tile.id} cannot be kept: {error.strerror}.",
            remedy="free space, or name a folder on another disk with -o.",
        ) from error


def _left(path: Path, commitment_: str) -> TileMesh | None:
    """Return the mesh that a build has left, None if there is none or it is of another unit.

    A build leaves its meshes in a fresh folder, before any board is summed up there; beside a
    board that was summed up by other code, a mesh is of other code too.
    """
    if path.with_name(KEPT).exists() or not path.exists():
        return None
    mesh = load_mesh(path)
    return mesh if mesh.commitment == commitment_ else None


def _kept(tile: TileDesign, secret: bytes, serial: str, folder: Path) -> Board | None:
    """Return the board that the folder holds, None if there is none or it is of another design."""
    try:
        with np.load(folder / KEPT, allow_pickle=False) as held:
            rows = {name: held[name] for name in held.files}
        if str(rows.pop("key")) != _key(tile, secret, serial) or not (folder / DRAWN).exists():
            return None
        return board_of_arrays(tile, rows, folder / DRAWN)
    except (OSError, ValueError, KeyError, EOFError, InputError):
        return None


def _key(tile: TileDesign, secret: bytes, serial: str) -> str:
    text = "\n".join([_code(), commitment(secret, f"{serial}/{tile.id}"), repr(tile)])
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code() -> str:
    """Return the digest of the code that draws and sums up."""
    total = hashlib.sha256()
    drawing = sorted(resources.files("casemate.mesh").iterdir(), key=lambda item: item.name)
    for each in drawing:
        if each.name.endswith(".py"):
            total.update(each.name.encode() + each.read_bytes())
    for name in SUMMING:
        total.update(resources.files("casemate.twin").joinpath(name).read_bytes())
    return total.hexdigest()
