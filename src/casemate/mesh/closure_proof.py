"""The closure of box edges and vertices as entries of proof.json, from the tiles' own proofs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from casemate.core.proof import Property, at_most
from casemate.design.enclosure import Doubt, Enclosure, Target
from casemate.mesh.closure import PatchFigure, edge_bound, section_of
from casemate.mesh.patch import PROPERTY

EDGE = "edge.severing.any_direction"
DOC = "docs/formats/edge-closure.md"


def closure_rows(enclosure: Enclosure, proofs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return an entry for every box edge; proofs: the tiles' entries of proof.json.

    Edges of one cross-section are proved once.
    """
    patches = patch_figures(enclosure, proofs)
    known: dict[Any, Property] = {}
    rows = []
    for edge in enclosure.edges:
        section = section_of(edge, patches)
        if section not in known:
            known[section] = _edge_property(enclosure, section)
        tiles = [*edge.over.tiles, *edge.under.tiles, *edge.strips]
        rows.append(_row(f"edge:{edge.id}", "edge", tiles, [known[section]]))
    return rows


def patch_figures(
    enclosure: Enclosure, proofs: Iterable[Mapping[str, Any]]
) -> dict[str, PatchFigure]:
    """Return for each tile what its proof says of its patch."""
    tiles = {tile.id: tile for tile in enclosure.tiles}
    found = {}
    for proof in proofs:
        row = next((row for row in proof["properties"] if row["id"] == PROPERTY), None)
        if row is None or proof["id"] not in tiles:
            continue
        stackup = tiles[proof["id"]].stackup
        depth = dict(zip(stackup.mesh, stackup.depth_m, strict=True))[row["detail"]["layer"]]
        found[proof["id"]] = PatchFigure(
            figure_m=row["figure"], inset_m=row["detail"]["inset_m"], depth_m=depth
        )
    return found


def _edge_property(enclosure: Enclosure, section: Any) -> Property:
    begin = time.perf_counter()
    found = edge_bound(section)
    row = at_most(
        EDGE,
        found.bound_m,
        tool_m(enclosure),
        "m",
        "largest straight tool, any direction to 90 degrees, that passes the cross-section of the"
        " edge and severs nothing: branch and bound over all lines, least figure + 2 x distance of"
        f" boards and strip ({DOC})",
        seen_m=found.found_m,
        slack_m=found.bound_m - found.found_m,
        line={"angle_rad": found.line[0], "offset_m": found.line[1]},
        boards_m=[section.over.figure_m, section.under.figure_m],
        strip_m=section.strip_figure_m,
    )
    return replace(row, seconds=round(time.perf_counter() - begin, 4))


def _row(
    name: str, kind: str, tiles: Iterable[str], properties: Iterable[Property]
) -> dict[str, Any]:
    return {
        "id": name,
        "kind": kind,
        "tiles": list(tiles),
        "properties": [row.as_json() for row in properties],
    }


def tool_m(enclosure: Enclosure) -> float:
    """Return the smallest tool that the spec asks to notice."""
    return min((tile.mesh.hole_max_m for tile in enclosure.tiles), default=math.inf)


def closure_targets(rows: Iterable[Mapping[str, Any]]) -> list[Target]:
    """Return the target that every box edge notices the spec's tool, from the worst edge."""
    edges = [
        (row["id"], found)
        for row in rows
        for found in row["properties"]
        if found["id"] == EDGE and found["bound"] is not None
    ]
    if not edges:
        return []
    name, worst = max(edges, key=lambda pair: pair[1]["figure"])
    return [
        Target(
            id="tool.edges",
            required=worst["bound"],
            achieved=worst["figure"],
            unit="m",
            met=all(found["holds"] for _, found in edges),
            evidence=f"proof: {EDGE}, worst {name}",
            sense="max",
        )
    ]


def closure_doubts(rows: Iterable[Mapping[str, Any]]) -> list[Doubt]:
    """Return what the closure leaves open."""
    return [
        Doubt(
            id="layout.vertices",
            claim="the eight corners of the box are covered",
            why="three boards and the ends of three strips meet there; the edges' proof stops where"
            " a strip ends, and no proof treats the vertex",
            closes_with="a proof in space, or a cap over each corner",
            severity="high",
        )
    ]
