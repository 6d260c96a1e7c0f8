"""Excellon drill files, one for each pair of layers that holes join; X2 attributes as comments.

Cut-outs are routed from the profile; a tile has no round holes without plating.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from casemate import __version__
from casemate.fabricate.board import Board, Hole
from casemate.fabricate.sink import Row, Sink, open_sink
from casemate.fabricate.text import millimetres


def write_drills(folder: Path, board: Board, rows: list[Row]) -> None:
    """Write drill/NAME-L<first>-L<last>.drl for each span."""
    for (first, last), holes in spans(board).items():
        with open_sink(folder, f"drill/{drill_name(board, first, last)}", rows) as sink:
            _drill_file(sink, board, first, last, holes)


def spans(board: Board) -> dict[tuple[int, int], list[Hole]]:
    """Return the holes by (first, last) copper layer, in order."""
    groups: dict[tuple[int, int], list[Hole]] = {}
    for hole in board.holes:
        groups.setdefault((hole.first, hole.last), []).append(hole)
    return dict(sorted(groups.items()))


def drill_name(board: Board, first: int, last: int) -> str:
    """Return the file name of a span's drill file."""
    return f"{board.name}-L{first}-L{last}.drl"


def span_kind(board: Board, first: int, last: int) -> str:
    """Return "PTH", "Blind" or "Buried"."""
    touched = (first == 1) + (last == len(board.layers))
    return ("Buried", "Blind", "PTH")[touched]


def _drill_file(sink: Sink, board: Board, first: int, last: int, holes: Sequence[Hole]) -> None:
    kind = span_kind(board, first, last)
    tools = {size: number for number, size in enumerate(sorted({h.drill_nm for h in holes}), 1)}
    sink.text(
        "M48",
        f"; #@! TF.GenerationSoftware,Casemate,casemate,{__version__}",
        f"; #@! TF.FileFunction,Plated,{first},{last},{kind}",
        "FMAT,2",
        "METRIC",
    )
    for size, number in tools.items():
        sink.text(
            f"; #@! TA.AperFunction,Plated,{kind},ViaDrill",
            f"T{number}C{millimetres(size)}",
        )
    sink.text("%", "G90", "G05")
    for size, number in tools.items():
        sink.text(
            f"T{number}",
            *(
                f"X{_decimal(hole.x_nm)}Y{_decimal(hole.y_nm)}"
                for hole in holes
                if hole.drill_nm == size
            ),
        )
    sink.text("T0", "M30")


def _decimal(value_nm: int) -> str:
    """Return millimetres that always show a decimal point, so that no zero rule is needed."""
    text = millimetres(value_nm)
    return text if "." in text else text + ".0"
