"""Manufacturing files: one writer per format, the same board behind all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casemate.design.enclosure import TileDesign
    from casemate.mesh.model import TileMesh


def write_tile(
    folder: Path, tile: TileDesign, mesh: TileMesh, *, kicad: bool, compress: bool
) -> list[dict[str, Any]]:
    """Write all manufacturing files of one tile below `folder`; same input, same bytes.

    kicad: also write the KiCad board and project. compress: gzip the Gerber layers (.gbr.gz).
    Returns one row a file, {path, sha256, bytes, segments}, with paths relative to `folder`.
    Safe to call from several threads for different folders.
    """
    from casemate.fabricate.board import lay_out
    from casemate.fabricate.excellon import write_drills
    from casemate.fabricate.gerber import write_gerbers
    from casemate.fabricate.ipc356 import write_netlist
    from casemate.fabricate.job import write_job
    from casemate.fabricate.kicad import write_kicad
    from casemate.fabricate.notes import write_notes

    rows: list[dict[str, Any]] = []
    board = lay_out(tile, mesh)
    listed = write_gerbers(folder, board, rows, compress=compress)
    write_job(folder, board, listed, rows)
    write_drills(folder, board, rows)
    write_netlist(folder, board, rows)
    write_notes(folder, board, rows)
    if kicad:
        write_kicad(folder, board, rows)
    return rows
