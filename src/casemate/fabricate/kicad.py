"""KiCad 6 board (format 20211014) and project, so that its DRC is a second opinion.

KiCad's y grows downward: x' = x - x_min + margin, y' = y_max + margin - y.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.core._rows_kernel import as_int
from casemate.fabricate.board import Board, Hole, Pad, Plane, uuid_of
from casemate.fabricate.keyhole import keyhole
from casemate.fabricate.sink import Row, Sink, open_sink
from casemate.fabricate.text import (
    Bytes,
    kernel,
    millimetres,
    put_bytes,
    put_hex,
    put_millimetres,
    to_nm,
)

CHUNK = 1 << 16
"""Segments formatted at a time: a buffer of about 13 MB."""

_WORST_BYTES = 200
_MARGIN_NM = 10_000_000
_SPREAD = 0x9E3779B1  # odd, so that counting times it visits each 32-bit stamp once

_USER_LAYERS = (
    (32, "B.Adhes", "B.Adhesive"),
    (33, "F.Adhes", "F.Adhesive"),
    (34, "B.Paste", ""),
    (35, "F.Paste", ""),
    (36, "B.SilkS", "B.Silkscreen"),
    (37, "F.SilkS", "F.Silkscreen"),
    (38, "B.Mask", ""),
    (39, "F.Mask", ""),
    (40, "Dwgs.User", "User.Drawings"),
    (44, "Edge.Cuts", ""),
    (46, "B.CrtYd", "B.Courtyard"),
    (47, "F.CrtYd", "F.Courtyard"),
    (48, "B.Fab", ""),
    (49, "F.Fab", ""),
)


@kernel
def format_segments(
    vertices: npt.NDArray[np.int32],
    start: int,
    stop: int,
    origin: npt.NDArray[np.int64],
    head: Bytes,
    middle: Bytes,
    tail: Bytes,
    stamp: int,
    buffer: Bytes,
) -> int:
    """Write segments start..stop of a polyline; return the number of bytes.

    origin: (x, y) such that x' = x - origin[0], y' = origin[1] - y. stamp: number of the first
    segment on the board, which becomes a legacy 32-bit stamp that no other segment has.
    """
    position: int = as_int(0)
    for index in range(start, stop):
        position = put_bytes(buffer, position, head)
        for step in range(2):
            x = np.int64(vertices[index + step, 0]) - origin[0]
            y = origin[1] - np.int64(vertices[index + step, 1])
            position = put_millimetres(buffer, position, x)
            buffer[position] = 32
            position = put_millimetres(buffer, position + 1, y)
            position = put_bytes(buffer, position, middle if step == 0 else tail)
        mixed = ((stamp + index - start + 1) * _SPREAD) & 0xFFFFFFFF
        position = put_hex(buffer, position, mixed)
        buffer[position] = 41
        buffer[position + 1] = 41
        buffer[position + 2] = 10
        position += 3
    return position


class _Writer:
    """Writes the items of one board; knows its layer names, net numbers and origin."""

    def __init__(self, sink: Sink, board: Board) -> None:
        self._sink, self._board = sink, board
        x_min, _, _, y_max = board.bounds
        self._origin = np.array([x_min - _MARGIN_NM, y_max + _MARGIN_NM], dtype=np.int64)
        names = [net.name for net in board.mesh.nets]
        names += [terminal.net for terminal in board.mesh.terminals]
        names += [plane.net for plane in board.planes]
        self.nets = {name: number for number, name in enumerate(dict.fromkeys(names), start=1)}
        self.layers = layer_names(board.layers)

    def at(self, x_nm: int, y_nm: int) -> str:
        """Return a point of the tile's plane in KiCad's frame."""
        x, y = int(x_nm) - int(self._origin[0]), int(self._origin[1]) - int(y_nm)
        return f"{millimetres(x)} {millimetres(y)}"

    def head(self) -> None:
        """Write everything before the items."""
        board, stack = self._board, self._board.tile.stackup
        last = len(board.layers) - 1
        self._sink.text(
            "(kicad_pcb (version 20211014) (generator casemate)",
            "  (general",
            f"    (thickness {millimetres(to_nm(stack.thickness_m))})",
            "  )",
            '  (paper "User" '
            + " ".join(
                millimetres(span + 2 * _MARGIN_NM)
                for span in (
                    board.bounds[2] - board.bounds[0],
                    board.bounds[3] - board.bounds[1],
                )
            )
            + ")",
            "  (layers",
            *(
                f'    ({31 if index == last else index} "{self.layers[name]}" signal)'
                for index, name in enumerate(board.layers)
            ),
            *(
                f'    ({number} "{name}" user{f" {chr(34)}{alias}{chr(34)}" if alias else ""})'
                for number, name, alias in _USER_LAYERS
            ),
            "  )",
            "  (setup",
            "    (pad_to_mask_clearance 0.05)",
            "  )",
            '  (net 0 "")',
            *(f'  (net {number} "{name}")' for name, number in self.nets.items()),
        )

    def edge(self) -> None:
        """Write the board edge and its cut-outs as closed polygons."""
        for number, ring in enumerate(self._board.rings):
            self._sink.text(
                "  (gr_poly",
                "    (pts",
                *self._points(ring, "      "),
                '    ) (layer "Edge.Cuts") (width 0.05) (fill none) '
                f"(tstamp {uuid_of(self._board.guid, 'edge', number)}))",
            )

    def terminal(self, pad: Pad, number: int) -> None:
        """Write a terminal as a one-pad footprint, so that the net's end is a real pad."""
        layer = self.layers[pad.layer]
        side = layer if layer in ("F.Cu", "B.Cu") else "B.Cu"
        mask = f' "{side[0]}.Mask"' if self._board.is_open(pad) else ""
        stamp = [uuid_of(self._board.guid, "terminal", number, part) for part in range(4)]
        texts = (("reference", pad.reference, stamp[1]), ("value", pad.net, stamp[2]))
        self._sink.text(
            f'  (footprint "casemate:terminal" (layer "{side}")',
            f"    (tstamp {stamp[0]})",
            f"    (at {self.at(pad.x_nm, pad.y_nm)})",
            "    (attr exclude_from_pos_files exclude_from_bom)",
            *(
                f'    (fp_text {kind} "{text}" (at 0 0) (layer "{side[0]}.Fab") hide\n'
                f"      (effects (font (size 0.5 0.5) (thickness 0.1)) (justify mirror))\n"
                f"      (tstamp {one})\n    )"
                for kind, text, one in texts
            ),
            f'    (pad "1" smd circle (at 0 0) (size {self._square(pad.diameter_nm)}) '
            f'(layers "{layer}"{mask}) (net {self.nets[pad.net]} "{pad.net}") (tstamp {stamp[3]}))',
            "  )",
        )

    def via(self, hole: Hole, number: int) -> None:
        """Write a plated hole; blind and buried ones name their layers."""
        count = len(self._board.layers)
        through = (hole.first, hole.last) == (1, count)
        ends = [self.layers[self._board.layers[index - 1]] for index in (hole.first, hole.last)]
        self._sink.text(
            f"  (via{'' if through else ' blind'} (at {self.at(hole.x_nm, hole.y_nm)}) "
            f"(size {millimetres(hole.pad_nm)}) (drill {millimetres(hole.drill_nm)}) "
            f'(layers "{ends[0]}" "{ends[1]}") (net {self.nets[hole.net]}) '
            f"(tstamp {uuid_of(self._board.guid, 'via', number)}))"
        )

    def segments(self) -> None:
        """Write all traces."""
        buffer: Bytes = np.empty(CHUNK * _WORST_BYTES, dtype=np.uint8)
        view = memoryview(buffer.data)
        width = millimetres(self._board.mesh.trace_nm)
        head, middle = _bytes("  (segment (start "), _bytes(") (end ")
        done = 0
        for net in self._board.mesh.nets:
            tail = _bytes(
                f') (width {width}) (layer "{self.layers[net.layer]}") '
                f"(net {self.nets[net.name]}) (tstamp "
            )
            points = np.ascontiguousarray(net.vertices, dtype=np.int32)
            for start in range(0, len(points) - 1, CHUNK):
                stop = min(start + CHUNK, len(points) - 1)
                used = format_segments(
                    points, start, stop, self._origin, head, middle, tail, done, buffer
                )
                self._sink.raw(view[:used])
                done += stop - start
        self._sink.segments += done

    def plane(self, plane: Plane, number: int) -> None:
        """Write a plane as a zone with its fill, the openings joined to the edge by slits."""
        fab = self._board.tile.fab
        gap = millimetres(to_nm(max(fab.space_min_m, fab.registration_m)))
        layer = self.layers[plane.layer]
        self._sink.text(
            f'  (zone (net {self.nets[plane.net]}) (net_name "{plane.net}") (layer "{layer}") '
            f"(tstamp {uuid_of(self._board.guid, 'plane', number)}) (hatch edge 0.508)",
            f"    (connect_pads yes (clearance {gap}))",
            f"    (min_thickness {millimetres(to_nm(fab.trace_min_m))})"
            " (filled_areas_thickness no)",
            "    (fill yes (thermal_gap 0.5) (thermal_bridge_width 0.5))",
            "    (polygon",
            "      (pts",
            *self._points(plane.exterior, "        "),
            "      )",
            "    )",
            "    (filled_polygon",
            f'      (layer "{layer}")',
            "      (pts",
            *self._points(keyhole(plane.exterior, plane.openings), "        "),
            "      )",
            "    )",
            "  )",
        )

    def _points(self, ring: npt.NDArray[np.int64], indent: str) -> Iterable[str]:
        return (f"{indent}(xy {self.at(x, y)})" for x, y in ring.tolist())

    @staticmethod
    def _square(side_nm: int) -> str:
        return f"{millimetres(side_nm)} {millimetres(side_nm)}"


def layer_names(copper: tuple[str, ...]) -> dict[str, str]:
    """Return KiCad's name for each copper layer, outer first: F.Cu, In1.Cu, ..., B.Cu."""
    last = len(copper) - 1
    return {
        name: "F.Cu" if index == 0 else ("B.Cu" if index == last else f"In{index}.Cu")
        for index, name in enumerate(copper)
    }


def write_kicad(folder: Path, board: Board, rows: list[Row]) -> None:
    """Write NAME.kicad_pcb and NAME.kicad_pro."""
    with open_sink(folder, f"{board.name}.kicad_pcb", rows) as sink:
        writer = _Writer(sink, board)
        writer.head()
        writer.edge()
        for number, pad in enumerate(pad for pad in board.pads if pad.reference):
            writer.terminal(pad, number)
        for number, hole in enumerate(board.holes):
            writer.via(hole, number)
        writer.segments()
        for number, plane in enumerate(board.planes):
            writer.plane(plane, number)
        sink.text(")")
    with open_sink(folder, f"{board.name}.kicad_pro", rows) as sink:
        sink.text(json.dumps(project(board), indent=2))


def project(board: Board) -> dict[str, Any]:
    """Return the KiCad project: the fab's rules, every copper check an error."""
    fab, trace = board.tile.fab, board.mesh.trace_nm
    drill, pad, space = to_nm(fab.via_drill_m), to_nm(fab.via_pad_m), to_nm(fab.space_min_m)
    rules = {
        "allow_blind_buried_vias": True,
        "allow_microvias": False,
        "max_error": 0.005,
        "min_clearance": space / 1e6,
        "min_copper_edge_clearance": to_nm(fab.edge_clearance_m) / 1e6,
        "min_hole_clearance": space / 1e6,
        "min_hole_to_hole": space / 1e6,
        "min_through_hole_diameter": drill / 1e6,
        "min_track_width": to_nm(fab.trace_min_m) / 1e6,
        "min_via_annular_width": (pad - drill) // 2 / 1e6,
        "min_via_diameter": pad / 1e6,
    }
    return {
        "board": {
            "design_settings": {
                "meta": {"version": 2},
                "rule_severities": SEVERITIES,
                "rules": rules,
            }
        },
        "meta": {"filename": f"{board.name}.kicad_pro", "version": 1},
        "net_settings": {
            "classes": [
                {
                    "name": "Default",
                    "clearance": space / 1e6,
                    "track_width": trace / 1e6,
                    "via_diameter": pad / 1e6,
                    "via_drill": drill / 1e6,
                }
            ],
            "meta": {"version": 2},
        },
    }


SEVERITIES = dict.fromkeys(
    (
        "annular_width",
        "clearance",
        "copper_edge_clearance",
        "drill_out_of_range",
        "hole_clearance",
        "hole_near_hole",
        "invalid_outline",
        "item_on_disabled_layer",
        "items_not_allowed",
        "padstack",
        "shorting_items",
        "track_dangling",
        "track_width",
        "tracks_crossing",
        "unconnected_items",
        "via_dangling",
        "zones_intersect",
    ),
    "error",
) | {"zone_has_empty_net": "ignore"}
"""Every check of copper is an error. Ignored is one: that a plane's net has no pad, which is true.

A shield plane is contacted at assembly, not by a terminal; fabrication.json says so too.
"""


def _bytes(text: str) -> Bytes:
    return np.frombuffer(text.encode(), dtype=np.uint8).copy()
