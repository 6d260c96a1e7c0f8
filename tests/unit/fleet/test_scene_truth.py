"""Places on the drawing are those of the assembly that is built: held against its glTF file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casemate.design import design_json
from casemate.design.assemble import assemble
from casemate.design.choice import choose
from casemate.design.enclosure import Enclosure
from casemate.fabricate.gltf import write_gltf
from casemate.fleet.drawing import layout, scene
from casemate.fleet.permits import papers
from casemate.modules import load_catalogue
from casemate.spec import load_spec

EXAMPLES = Path(__file__).parents[3] / "examples"
EXACT_M, DEEP_M = 2e-4, 5e-3
"""Along a face places are those of the solids; boards lie a little below the outer plane."""


def solids(path: Path) -> dict[str, tuple[Any, Any]]:
    """Return the extents (least, most), m, of each solid of a glTF file, z up, by its name."""
    import trimesh

    read: Any = trimesh.load(path)
    out = {}
    for node in read.graph.nodes_geometry:
        matrix, geometry = read.graph[node]
        points = trimesh.transform_points(read.geometry[geometry].vertices, matrix)
        upright = points[:, [0, 2, 1]] * (1.0, -1.0, 1.0)  # the file has y up
        out[str(node)] = (upright.min(axis=0), upright.max(axis=0))
    return out


def extents(box: layout.Size, face: str, rect: layout.Rect) -> tuple[Any, Any]:
    corners = layout.on_face(face, box, rect)
    return corners.min(axis=0), corners.max(axis=0)


def misplaced(design: Mapping[str, Any], built: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """Return the tiles that the drawing has elsewhere than the assembly."""
    box, wrong = layout.size(design), []
    for each in layout.flat(design):
        least, most = extents(box, each.face, each.board)
        slack = np.where(most - least < 1e-9, DEEP_M, EXACT_M)
        low, high = built[f"tile {each.name}"]
        if (np.abs(least - low) > slack).any() or (np.abs(most - high) > slack).any():
            wrong.append(each.name)
    for each in layout.strips(design):
        least, most = extents(box, each.face, each.rect)
        low, high = built[f"strip {each.name}"]
        deep = most - least < 1e-9
        # its outer surface lies a little deeper than the edge; of the other leg nothing is asked
        low_slack = np.where(np.isclose(least, 0.0), DEEP_M, EXACT_M)
        high_slack = np.where(np.isclose(most, box), DEEP_M, EXACT_M)
        off = (np.abs(least - low) > low_slack) | (np.abs(most - high) > high_slack)
        if (off & ~deep).any():
            wrong.append(each.name)
    return wrong


def made_of(name: str) -> Enclosure:
    """Return the design of an example, without reasons."""
    spec = load_spec(EXAMPLES / name / "enclosure.toml")
    return assemble(spec, choose(spec, load_catalogue(), alternatives=False), serial="T1")


def holds(made: Enclosure, folder: Path) -> None:
    design = papers._check("design", json.dumps(design_json(made)).encode())
    write_gltf(folder / "enclosure.glb", made)
    built = solids(folder / "enclosure.glb")
    assert len(design["tiles"]) == len(made.tiles) > 10
    assert misplaced(design, built) == []
    for each in layout.crossings(design):
        low, high = extents(layout.size(design), each.face, each.rect)
        found = [ends for name, ends in built.items() if name.split(" ")[1] == each.name]
        inner = np.min([ends[0] for ends in found], axis=0), np.max([e[1] for e in found], axis=0)
        middle = (low + high) / 2
        near = np.abs(middle - (inner[0] + inner[1]) / 2) < EXACT_M
        assert near.sum() >= 2, (each.name, middle, inner)  # in the plane of its face
    # a tile that is moved, or taken for its neighbour, is found
    first = next(each for each in design["tiles"] if each["bend"] is None)
    last = design["tiles"][-1]
    for each in (first, last):
        each["frame"]["origin_m"] = [value + 1e-3 for value in each["frame"]["origin_m"]]
    assert set(misplaced(design, built)) == {first["id"], last["id"]}


@pytest.mark.parametrize("name", ("camera", "dpa", "nvl72"))
def test_the_drawing_of_each_example_is_its_assembly(name: str, tmp_path: Path) -> None:
    holds(made_of(name), tmp_path)


def test_what_is_seen_of_boards_of_a_face_does_not_overlap() -> None:
    """The rack's boards are laid like shingles: of a tucked side nothing is seen."""
    design = design_json(made_of("nvl72"))
    assert sum(bool(each["laps"]) for each in design["tiles"] if each["bend"] is None) > 10
    for face in scene.FACES:
        rects = [each.rect for each in layout.flat(design) if each.face == face]
        for at, a in enumerate(rects):
            for b in rects[at + 1 :]:
                apart = a[2] <= b[0] + 1e-6 or b[2] <= a[0] + 1e-6
                assert apart or a[3] <= b[1] + 1e-6 or b[3] <= a[1] + 1e-6
