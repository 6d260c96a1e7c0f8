"""The closure of box edges and vertices as entries of proof.json, from the tiles' own proofs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from casemate.core.proof import Property, at_most
from casemate.design.enclosure import FACES, Doubt, Enclosure, Target
from casemate.mesh.closure import PatchFigure, edge_bound, section_of
from casemate.mesh.patch import PROPERTY
from casemate.mesh.vertex import VertexSolid, vertex_bound, vertex_of, vertices

EDGE = "edge.severing.any_direction"
VERTEX = "vertex.severing.any_direction"
DOC = "docs/formats/edge-closure.md"


def closure_rows(enclosure: Enclosure, proofs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return an entry for every box edge and vertex; proofs: the tiles' entries of proof.json.

    Edges of one cross-section, and vertices of one shape, are proved once.
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
    solids = {
        faces: vertex_of(faces, enclosure.edges, patches) for faces in vertices(enclosure.edges)
    }
    unlike = list(dict.fromkeys(solids.values()))
    with ThreadPoolExecutor(max_workers=2) as pool:  # the search leaves the interpreter alone
        proved = pool.map(partial(_vertex_property, enclosure), unlike)
        known.update(zip(unlike, proved, strict=True))
    for faces, solid in solids.items():
        name = "~".join(sorted(faces, key=FACES.index))
        rows.append(_row(f"vertex:{name}", "vertex", _at_vertex(enclosure, faces), [known[solid]]))
    return rows


def _at_vertex(enclosure: Enclosure, faces: tuple[str, str, str]) -> list[str]:
    """Return the strips that end at a vertex and the boards that their edges share there."""
    names: list[str] = []
    for edge in enclosure.edges:
        if {edge.over.face, edge.under.face} <= set(faces):
            third = next(f for f in faces if f not in (edge.over.face, edge.under.face))
            last = third in ("right", "rear", "top")
            names.append(edge.strips[-1 if last else 0])
    return names


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


def _vertex_property(enclosure: Enclosure, solid: VertexSolid) -> Property:
    begin = time.perf_counter()
    found = vertex_bound(solid)
    tool = tool_m(enclosure)
    row = at_most(
        VERTEX,
        found.bound_m,
        tool if found.bound_m <= tool else None,
        "m",
        "largest straight tool, any direction, that passes the vertex and severs nothing: branch"
        " and bound over all lines in space, least figure + 2 x distance of three boards and three"
        f" strips ({DOC}); asked nothing where the spec's tool passes, see the doubts",
        seen_m=found.found_m,
        slack_m=found.bound_m - found.found_m,
        line={
            "pole": int(found.line[0]),
            "at_m": list(found.line[1:3]),
            "angles_rad": list(found.line[3:]),
        },
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


def closure_doubts(rows: Iterable[Mapping[str, Any]], tool: float) -> list[Doubt]:
    """Return what the closure leaves open: vertices that a tool of the spec's size passes."""
    found = [
        (row["id"], proved["figure"], proved["detail"]["seen_m"])
        for row in rows
        for proved in row["properties"]
        if proved["id"] == VERTEX and proved["figure"] > tool
    ]
    if not found:
        return []
    name, figure, seen = max(found, key=lambda row: row[1])
    return [
        Doubt(
            id="layout.vertices",
            claim=f"the corners of the box notice a tool of {tool * 1e3:g} mm",
            why=f"{len(found)} of the eight vertices are proved only for tools of"
            f" {figure * 1e3:.2f} mm and more (worst {name}; a line was found that a tool of"
            f" {seen * 1e3:.2f} mm may take): the strips' meshes end short of the vertex",
            closes_with="a cap of mesh over each vertex, where the outermost strip ends",
            severity="high",
        )
    ]
