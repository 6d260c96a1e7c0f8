"""Every property of a drawn tile that proof.json states, each with its figure and its method."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from casemate.core.proof import Property, at_least, at_most
from casemate.design.enclosure import TileDesign
from casemate.mesh.decode import Decoded, bypass, decode
from casemate.mesh.generate import Drawing, LayerDrawing
from casemate.mesh.hole_proof import HoleFigures, hole_figures, layer_strips
from casemate.mesh.holes.strips import Pieces
from casemate.mesh.model import Net, Terminal, TileMesh
from casemate.mesh.patch import patch_property
from casemate.mesh.region import NM
from casemate.mesh.spacing import Spacing, free_spacing
from casemate.mesh.terminals import copper_span


@dataclass(frozen=True, slots=True, kw_only=True)
class TileProof:
    """All properties of one tile. coverage: the map of the report (see hole_proof)."""

    tile: str
    nets: int
    fine_cells: int
    properties: tuple[Property, ...]
    coverage: dict[str, Any]
    commitment: str

    def as_json(self) -> dict[str, Any]:
        """Return the tile's entry of proof.json."""
        return {
            "id": self.tile,
            "nets": self.nets,
            "fine_cells": self.fine_cells,
            "commitment": self.commitment,
            "properties": [row.as_json() for row in self.properties],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _LayerFacts:
    drawing: LayerDrawing
    nets: list[Net]
    decoded: Decoded
    spacing: Spacing


def prove_tile(tile: TileDesign, drawing: Drawing) -> TileProof:
    """Prove a drawn tile. Nothing is assumed of the generator but the lattices' positions."""
    rows: list[Property] = []

    def timed(make: Callable[[], list[Property]]) -> None:
        begin = time.perf_counter()
        made = make()
        spent = (time.perf_counter() - begin) / max(1, len(made))
        rows.extend(replace(row, seconds=round(spent, 4)) for row in made)

    mesh = drawing.mesh
    facts: list[_LayerFacts] = []
    timed(lambda: [_single_path(mesh)])

    def contacts() -> list[Property]:
        facts.extend(_layer_facts(tile, mesh, layer) for layer in drawing.layers)
        return [_no_contact(facts), _width(tile, mesh), _space(tile, mesh, facts)]

    timed(contacts)
    figures: list[HoleFigures] = []
    strips: list[Pieces] = []

    def holes() -> list[Property]:
        strips.extend(layer_strips(tile, drawing))
        figures.append(hole_figures(tile, drawing, [fact.decoded for fact in facts], strips))
        return _holes(tile, figures[0])

    timed(holes)
    timed(lambda: [patch_property(tile, drawing, [fact.decoded for fact in facts], strips)])
    timed(lambda: _bridges(tile, mesh, facts))
    timed(lambda: [_exposed(tile, mesh), _mismatch(tile, mesh, facts)])
    return TileProof(
        tile=tile.id,
        nets=len(mesh.nets),
        fine_cells=mesh.fine_cells,
        properties=tuple(rows),
        coverage=figures[0].coverage,
        commitment=mesh.commitment,
    )


def _layer_facts(tile: TileDesign, mesh: TileMesh, layer: LayerDrawing) -> _LayerFacts:
    nets = [net for net in mesh.nets if net.layer == layer.layer]
    decoded = decode(nets, layer.lattice, swap=layer.swap)
    pads = [t for t in mesh.terminals if layer.layer in copper_span(tile, t)]
    spacing = free_spacing(nets, decoded.free, pads, trace_nm=mesh.trace_nm, pitch_nm=mesh.pitch_nm)
    return _LayerFacts(drawing=layer, nets=nets, decoded=decoded, spacing=spacing)


def _single_path(mesh: TileMesh) -> Property:
    ends = {(t.net, t.end): (t.x_nm, t.y_nm) for t in mesh.terminals}
    broken = []
    for net in mesh.nets:
        first, last = (tuple(int(v) for v in net.vertices[k]) for k in (0, -1))
        still = (np.diff(net.vertices, axis=0) == 0).all(axis=1).any()
        if ends.get((net.name, "start")) != first or ends.get((net.name, "end")) != last or still:
            broken.append(net.name)
    doubled = len(mesh.nets) - len({net.name for net in mesh.nets})
    strays = len(mesh.terminals) - 2 * len(mesh.nets)
    return at_most(
        "net.single_path",
        float(len(broken) + doubled + abs(strays)),
        0.0,
        "nets",
        "each net is one polyline whose first and last vertex are its two terminals; counts nets "
        "that are not, names used twice and terminals without a net",
        broken=broken[:10],
    )


def _no_contact(facts: list[_LayerFacts]) -> Property:
    twice = sum(fact.decoded.twice for fact in facts)
    touching = sum(fact.spacing.contacts for fact in facts)
    return at_most(
        "net.no_contact",
        float(twice + touching),
        0.0,
        "contacts",
        "each lattice node is passed once at most, so lattice copper keeps pitch - trace; exact "
        "distance of every segment and pad off the lattice to all copper near it",
        nodes_passed_twice=twice,
        contacts_off_lattice=touching,
    )


def _width(tile: TileDesign, mesh: TileMesh) -> Property:
    width = mesh.trace_nm / NM
    return at_least(
        "fab.width",
        width,
        tile.fab.trace_min_m,
        "m",
        "one aperture draws all nets; etched width = drawn x (1 -/+ tolerance)",
        etched_min_m=width * (1 - tile.fab.width_tolerance),
        etched_max_m=width * (1 + tile.fab.width_tolerance),
    )


def _space(tile: TileDesign, mesh: TileMesh, facts: list[_LayerFacts]) -> Property:
    lattice_nm = mesh.pitch_nm - mesh.trace_nm
    smallest = min(facts, key=lambda fact: fact.spacing.space_nm).spacing
    space = min(float(lattice_nm), smallest.space_nm) / NM
    return at_least(
        "fab.space",
        space,
        tile.fab.space_min_m,
        "m",
        "pitch - trace on the lattice, exact distances off it; etched space = drawn - trace x "
        "tolerance",
        etched_min_m=space - tile.fab.width_tolerance * mesh.trace_nm / NM,
        off_lattice_m=smallest.space_nm / NM if np.isfinite(smallest.space_nm) else None,
        off_lattice_at_m=[smallest.x_nm / NM, smallest.y_nm / NM],
    )


def _holes(tile: TileDesign, figures: HoleFigures) -> list[Property]:
    asked = tile.mesh.hole_max_m
    lattice = "inside the pattern: lattice certificate over every tour"
    rim = "at rims, openings and terminals: branch and bound on the drawn copper"
    doc = "docs/formats/hole-certificate.md"
    return [
        at_most(
            "hole.severing.perpendicular", figures.perpendicular_m, asked, "m",
            f"{lattice}; {rim} ({doc})", **figures.detail["perpendicular"],
        ),
        at_most(
            "hole.severing.any_direction", figures.any_direction_m, asked, "m",
            f"{lattice}, all directions to {np.degrees(tile.mesh.theta_max_rad):.0f} degrees; {rim}"
            f" ({doc})", **figures.detail["any_direction"],
        ),
        at_most(
            "hole.severing.per_layer", figures.per_layer_m, None, "m",
            f"largest hole that severs nothing in one layer alone, the worst layer; {rim} ({doc})",
            **figures.detail["per_layer"],
        ),
        at_most(
            "hole.empty.any_direction", figures.empty_m, None, "m",
            f"largest hole that touches no copper of any layer; {rim} ({doc})",
            **figures.detail["empty"],
        ),
        at_most(
            "rim.severing", figures.rim_m, asked, "m",
            f"{rim}, drill wholly inside the board's edge ({doc})", **figures.detail["rim"],
        ),
    ]  # fmt: skip


def _bridges(tile: TileDesign, mesh: TileMesh, facts: list[_LayerFacts]) -> list[Property]:
    gaps = same = over = 0
    worst, place = 0.0, (0.0, 0.0)
    for fact in facts:
        lattice = fact.drawing.lattice
        found = bypass(
            fact.decoded.owner, fact.decoded.arc_um, fact.decoded.length_um, mesh.pitch_nm / 1e3
        )
        gaps, same, over = gaps + int(found[0]), same + int(found[1]), over + int(found[2])
        if found[3] > worst:
            worst = float(found[3])
            x = (lattice.x_nm + int(found[5]) * lattice.pitch_nm) / NM
            y = (lattice.y_nm + int(found[4]) * lattice.pitch_nm) / NM
            place = (y, x) if fact.drawing.swap else (x, y)
        if fact.spacing.bridge_share > worst:
            worst = fact.spacing.bridge_share
            place = (fact.spacing.bridge_x_nm / NM, fact.spacing.bridge_y_nm / NM)
    rules = tile.mesh
    return [
        at_most(
            "adjacency.same_net_share", same / max(1, gaps), rules.same_net_share_max, "share",
            "all gaps between neighbouring lattice nodes, read back from the polylines",
            gaps=gaps, same_net=same,
        ),
        at_most(
            "bypass.worst_share", worst, rules.bypass_worst_max, "share",
            "length cut out of a net by a bridge over any one gap, over the net's length; from "
            "copper off the lattice over up to 1.5 pitches",
            at_m=list(place),
        ),
        at_most(
            "bypass.over_one_percent_share", over / max(1, gaps),
            rules.bypass_over_one_percent_max, "share",
            "gaps whose bridge cuts out over 1 % of a net, over all gaps",
            over=over, gaps=gaps, share_of_same_net_gaps=over / max(1, same),
        ),
    ]  # fmt: skip


def _exposed(tile: TileDesign, mesh: TileMesh) -> Property:
    """Count terminals whose via shows on the outer surface where no neighbour covers it."""
    outer = tile.stackup.copper[0]
    exposed = [
        f"{t.net}/{t.end}"
        for t in mesh.terminals
        if outer in copper_span(tile, t) and not _under_lap(tile, t)
    ]
    return at_most(
        "terminal.exposed",
        float(len(exposed)),
        0.0,
        "terminals",
        "terminals whose via reaches the outermost copper outside the lap of a neighbour",
        exposed=exposed[:10],
    )


def _under_lap(tile: TileDesign, terminal: Terminal) -> bool:
    x_min, y_min, x_max, y_max = tile.outline.bounds
    x, y = terminal.x_nm / NM, terminal.y_nm / NM
    depth = {
        "left": x - x_min, "right": x_max - x, "bottom": y - y_min, "top": y_max - y,
    }.get(tile.terminal_edge)  # fmt: skip
    return depth is not None and depth + terminal.pad_nm / 2 / NM <= tile.lap_m


def _mismatch(tile: TileDesign, mesh: TileMesh, facts: list[_LayerFacts]) -> Property:
    """Compare the lengths of nets that run side by side: equal width, so equal resistance share."""
    worst, where = 0.0, ""
    longest = 0.0
    for fact in facts:
        zones: dict[int, list[float]] = {}
        for net, length in zip(fact.nets, fact.decoded.length_um, strict=True):
            zones.setdefault(net.zone, []).append(float(length))
            longest = max(longest, float(length) / 1e6)
        for zone, lengths in zones.items():
            share = (max(lengths) - min(lengths)) / (sum(lengths) / len(lengths))
            if share > worst:
                worst, where = share, f"{fact.drawing.layer} zone {zone}"
    return at_most(
        "pair.resistance_mismatch",
        worst,
        tile.mesh.resistance_mismatch_max,
        "share",
        "(longest - shortest) / mean length of the nets of a zone side; one width, so also their "
        "resistance",
        zone=where,
        longest_net_m=longest,
        net_length_max_m=tile.mesh.net_length_max_m,
    )
