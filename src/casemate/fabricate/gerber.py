"""Gerber X2: one file per copper layer, solder mask and profile (Ucamco Gerber format 2024.05)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from casemate import __version__
from casemate.core._rows_kernel import as_int
from casemate.fabricate.board import MASK_MARGIN_NM, Board, Pad, Plane, Ring
from casemate.fabricate.sink import Row, Sink, open_sink
from casemate.fabricate.text import Bytes, kernel, millimetres, put_signed

CHUNK = 1 << 18
"""Vertices formatted at a time; with the worst case of 29 bytes each the buffer is 7.6 MB."""

_WORST_BYTES = 29  # "X-2147483648Y-2147483648D01*\n"
_PROFILE_NM = 50_000  # width of the drawn edge; the edge is its centre line


@kernel
def format_strokes(
    vertices: npt.NDArray[np.int32], start: int, stop: int, closed: bool, buffer: Bytes
) -> int:
    """Write vertices[start:stop] as Gerber operations; return the number of bytes.

    Vertex 0 is a move (D02), all others draw (D01); a coordinate equal to the one before is left
    out, as the format allows. closed: after the last vertex draw back to the first.
    """
    position = 0
    total = vertices.shape[0]
    for index in range(start, stop):
        x = as_int(vertices[index, 0])
        y = as_int(vertices[index, 1])
        first = index == 0
        if first or x != vertices[index - 1, 0]:
            buffer[position] = 88
            position = put_signed(buffer, position + 1, x)
        if first or y != vertices[index - 1, 1]:
            buffer[position] = 89
            position = put_signed(buffer, position + 1, y)
        buffer[position] = 68
        buffer[position + 1] = 48
        buffer[position + 2] = 50 if first else 49
        buffer[position + 3] = 42
        buffer[position + 4] = 10
        position += 5
    if closed and stop == total:
        buffer[position] = 88
        position = put_signed(buffer, position + 1, as_int(vertices[0, 0]))
        buffer[position] = 89
        position = put_signed(buffer, position + 1, as_int(vertices[0, 1]))
        for byte in (68, 48, 49, 42, 10):
            buffer[position] = byte
            position += 1
    return position


class Pen:
    """Draws polylines into a sink through one buffer that is used again and again."""

    def __init__(self) -> None:
        self._buffer: Bytes = np.empty((CHUNK + 1) * _WORST_BYTES, dtype=np.uint8)

    def draw(self, sink: Sink, vertices: npt.NDArray[np.int32], *, closed: bool = False) -> None:
        """Draw a polyline (n, 2) in nanometres from its first vertex to its last (or back)."""
        points = np.ascontiguousarray(vertices, dtype=np.int32)
        view = memoryview(self._buffer.data)
        for start in range(0, len(points), CHUNK):
            stop = min(start + CHUNK, len(points))
            sink.raw(view[: format_strokes(points, start, stop, closed, self._buffer)])
        sink.segments += len(points) if closed else max(0, len(points) - 1)

    def region(self, sink: Sink, ring: Ring) -> None:
        """Fill the inside of a ring."""
        strokes = sink.segments
        sink.text("G36*")
        self.draw(sink, ring.astype(np.int32), closed=True)
        sink.text("G37*")
        sink.segments = strokes


class _Files:
    """Opens the files of gerber/ and keeps the list for the job file."""

    def __init__(self, folder: Path, board: Board, rows: list[Row], compress: bool) -> None:
        self._folder, self._board, self._rows = folder, board, rows
        self._compress = compress
        self.listed: list[Row] = []

    @contextmanager
    def open(self, layer: str, function: str, polarity: str) -> Iterator[Sink]:
        name = f"{self._board.name}-{layer.replace('.', '_')}.gbr"
        with open_sink(self._folder, f"gerber/{name}", self._rows, compress=self._compress) as sink:
            sink.text(*_header(self._board, function, polarity))
            yield sink
            sink.text("M02*")
        stored = name + (".gz" if self._compress else "")
        self.listed.append({"path": stored, "function": function, "polarity": polarity})


def write_gerbers(folder: Path, board: Board, rows: list[Row], *, compress: bool) -> list[Row]:
    """Write gerber/NAME-LAYER.gbr for copper, masks and profile; return what the job file lists.

    Each returned row is {path, function, polarity} with the path relative to gerber/.
    """
    pen = Pen()
    files = _Files(folder, board, rows, compress)
    for number, layer in enumerate(board.layers, start=1):
        with files.open(layer, copper_function(board, number), "Positive") as sink:
            _copper(sink, pen, board, layer)
    with files.open("F.Mask", "Soldermask,Top", "Negative"):
        pass  # nothing on the outer face is free of mask
    with files.open("B.Mask", "Soldermask,Bot", "Negative") as sink:
        _flashes(sink, board.openings, first_code=10, margin_nm=2 * MASK_MARGIN_NM)
    with files.open("Edge.Cuts", "Profile,NP", "Positive") as sink:
        sink.text(
            "%TA.AperFunction,Profile*%",
            f"%ADD10C,{millimetres(_PROFILE_NM)}*%",
            "D10*",
            "G01*",
        )
        for ring in board.rings:
            pen.draw(sink, ring.astype(np.int32), closed=True)
    return files.listed


def copper_function(board: Board, number: int) -> str:
    """Return the X2 file function of copper layer `number` (1-based)."""
    count = len(board.layers)
    side = "Top" if number == 1 else ("Bot" if number == count else "Inr")
    return f"Copper,L{number},{side}"


def _header(board: Board, function: str, polarity: str) -> tuple[str, ...]:
    return (
        f"%TF.GenerationSoftware,Casemate,casemate,{__version__}*%",
        f"%TF.ProjectId,{board.name},{board.guid},{__version__}*%",
        f"%TF.SameCoordinates,{board.name}*%",
        "%TF.Part,Single*%",
        f"%TF.FileFunction,{function}*%",
        f"%TF.FilePolarity,{polarity}*%",
        "%FSLAX46Y46*%",
        "%MOMM*%",
        "%LPD*%",
    )


def _copper(sink: Sink, pen: Pen, board: Board, layer: str) -> None:
    """Draw planes first, for their openings erase all beneath; then traces, then pads."""
    planes = [plane for plane in board.planes if plane.layer == layer]
    sink.text("G01*")
    for plane in planes:
        _plane(sink, pen, plane)
    sink.text(
        "%TA.AperFunction,Conductor*%",
        f"%ADD10C,{millimetres(board.mesh.trace_nm)}*%",
        "%TD*%",
    )
    for net in board.mesh.nets:
        if net.layer == layer:
            sink.text(f"%TO.N,{net.name}*%", "D10*")
            pen.draw(sink, net.vertices)
            sink.text("%TD*%")
    _flashes(sink, [pad for pad in board.pads if pad.layer == layer], first_code=11)


def _plane(sink: Sink, pen: Pen, plane: Plane) -> None:
    sink.text("%TA.AperFunction,Conductor*%", f"%TO.N,{plane.net}*%")
    pen.region(sink, plane.exterior)
    sink.text("%TD*%")
    if plane.openings:
        sink.text("%TA.AperFunction,CutOut*%", "%LPC*%")
        for ring in plane.openings:
            pen.region(sink, ring)
        sink.text("%LPD*%", "%TD*%")


def _flashes(sink: Sink, pads: Sequence[Pad], *, first_code: int, margin_nm: int = 0) -> None:
    """Flash round pads, one aperture for each function and size, with net and pin attributes."""
    groups: dict[tuple[bool, int], list[Pad]] = {}
    for pad in pads:
        key = (bool(pad.reference), pad.diameter_nm + margin_nm)
        groups.setdefault(key, []).append(pad)
    for code, ((terminal, diameter), members) in enumerate(groups.items(), start=first_code):
        if not margin_nm:
            function = "SMDPad,CuDef" if terminal else "ViaPad"
            sink.text(f"%TA.AperFunction,{function}*%")
        sink.text(f"%ADD{code}C,{millimetres(diameter)}*%", "%TD*%", f"D{code}*")
        for pad in members:
            if not margin_nm:
                sink.text(f"%TO.N,{pad.net}*%")
                if terminal:
                    sink.text(f"%TO.P,{pad.reference},1*%")
            sink.text(f"X{pad.x_nm}Y{pad.y_nm}D03*")
            if not margin_nm:
                sink.text("%TD*%")
