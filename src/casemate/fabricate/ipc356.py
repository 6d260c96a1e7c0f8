"""IPC-D-356A netlist for bare-board test: terminals and plated holes with their nets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from casemate.fabricate.board import Board
from casemate.fabricate.sink import Row, open_sink

_NAME_COLUMNS = 14
_METRIC_REACH_NM = 999_999_000  # six digits of micrometres


def write_netlist(folder: Path, board: Board, rows: list[Row]) -> None:
    """Write netlist.ipc; net names over 14 characters get an alias, as the format provides."""
    reach = max(abs(value) for value in board.bounds)
    metric = reach <= _METRIC_REACH_NM
    unit_nm = 1_000 if metric else 2_540
    names = dict.fromkeys(terminal.net for terminal in board.mesh.terminals)
    long = [name for name in names if len(name) > _NAME_COLUMNS]
    alias = {name: f"NNAME{number}" for number, name in enumerate(long, start=1)}
    with open_sink(folder, "netlist.ipc", rows) as sink:
        sink.text(
            "C  IPC-D-356A bare-board netlist",
            f"P  JOB {board.name}",
            f"P  UNITS CUST {1 if metric else 0}",
            "P  VER IPC-D-356A",
            *(f"P  {short} {name}" for name, short in alias.items()),
            *_records(board, alias, unit_nm),
            "999",
        )


def _records(board: Board, alias: dict[str, str], unit_nm: int) -> Iterable[str]:
    count = len(board.layers)
    for pad in board.pads:
        if pad.reference:
            open_pad = board.is_open(pad)
            yield _line(
                alias.get(pad.net, pad.net),
                reference=pad.reference,
                hole_nm=None,
                access=board.layers.index(pad.layer) + 1,
                place_nm=(pad.x_nm, pad.y_nm),
                size_nm=pad.diameter_nm,
                mask=0 if open_pad else 3,
                unit_nm=unit_nm,
            )
    for hole in board.holes:
        through = (hole.first, hole.last) == (1, count)
        if not through and hole.first > 1 and hole.last < count:
            continue  # buried: no probe reaches it
        access = 0 if through else (1 if hole.first == 1 else count)
        yield _line(
            alias.get(hole.net, hole.net),
            reference="VIA",
            hole_nm=hole.drill_nm,
            access=access,
            place_nm=(hole.x_nm, hole.y_nm),
            size_nm=hole.pad_nm,
            mask=1,
            unit_nm=unit_nm,
        )


def _line(
    net: str,
    *,
    reference: str,
    hole_nm: int | None,
    access: int,
    place_nm: tuple[int, int],
    size_nm: int,
    mask: int,
    unit_nm: int,
) -> str:
    """Return one 80-column test record: 327 for a surface pad, 317 for a plated hole.

    access: copper layer that a probe reaches, 0 for both faces. mask: 0 none, 1 outer face, 3 both.
    """
    x, y = (_units(value, unit_nm) for value in place_nm)
    size = min(9_999, _units(size_nm, unit_nm))
    hole = " " * 6 if hole_nm is None else f"D{min(9_999, _units(hole_nm, unit_nm)):04d}P"
    pin = "-1   " if hole_nm is None else "     "
    return (
        f"{'327' if hole_nm is None else '317'}{net:<14.14}   {reference:<6.6}{pin} {hole}"
        f"A{access:02d}X{x:+07d}Y{y:+07d}X{size:04d}Y0000R000 S{mask}"
    )


def _units(value_nm: int, unit_nm: int) -> int:
    return round(value_nm / unit_nm)
