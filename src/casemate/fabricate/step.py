"""The assembly as a STEP file (ISO 10303-21), millimetres, through build123d.

build123d costs about four seconds to import, so only `write_step` and `assembly` import it.
Repeated cells are located copies of one solid, hence stored once in the file. No colours: OCCT
writes them in the order of memory addresses, and the bytes must not depend on the run.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

from casemate.core.errors import OutputError
from casemate.core.geometry import Outline, Point
from casemate.design.enclosure import Enclosure
from casemate.fabricate.shapes import Part, as_circle, parts

TIMESTAMP = "1970-01-01T00:00:00"
"""Stands in for the time of writing: the bytes must depend on the enclosure alone."""

_MM = 1e3


def write_step(path: Path, enclosure: Enclosure) -> None:
    """Write the enclosure as STEP; the bytes depend on the enclosure alone."""
    import build123d

    try:
        build123d.export_step(assembly(enclosure), str(path), timestamp=TIMESTAMP)
    except RuntimeError as error:
        raise OutputError(
            f"{path} could not be written as STEP: {error}.",
            remedy="check that the folder is writable and the disk is not full.",
        ) from error
    raw = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(normalised(raw, enclosure.name), encoding="utf-8", newline="\n")


def assembly(enclosure: Enclosure) -> Any:
    """Return the build123d Compound: one child a panel, under it tiles and crossings (mm)."""
    import build123d

    found = parts(enclosure)
    names = dict.fromkeys([*(p.id for p in enclosure.panels), *(part.panel for part in found)])
    panels = []
    for name in names:
        shapes = [shape for part in found if part.panel == name for shape in _shapes(part)]
        if shapes:
            panels.append(build123d.Compound(label=f"panel {name}", children=shapes))
    return build123d.Compound(label=f"enclosure {enclosure.name}", children=panels)


def _shapes(part: Part) -> list[Any]:
    """Return the part as one solid, or as an assembly of located copies of one cell."""
    import build123d

    solid = _prism(part.outline, *part.z_m)
    label = f"{part.kind} {part.id}" + (f" ({part.note})" if part.note else "")
    if not part.instances:
        placed = _placed(solid, part, (0.0, 0.0))
        placed.label = label
        return [placed]
    cells = [_placed(solid, part, centre) for centre in part.instances]
    for cell in cells:
        cell.label = f"{part.id} cell"
    return [build123d.Compound(label=label, children=cells)]


def _prism(outline: Outline, bottom_m: float, top_m: float) -> Any:
    import build123d

    face = build123d.Face(_wire(outline.exterior), [_wire(hole) for hole in outline.holes])
    if face.normal_at().Z < 0:
        face = -face
    solid = build123d.Solid.extrude(face, build123d.Vector(0, 0, (top_m - bottom_m) * _MM))
    return solid.moved(build123d.Location((0, 0, bottom_m * _MM)))


def _wire(ring: tuple[Point, ...]) -> Any:
    import build123d

    circle = as_circle(ring)
    if circle is not None:
        (x, y), radius = circle
        plane = build123d.Plane((x * _MM, y * _MM, 0))
        return build123d.Wire([build123d.Edge.make_circle(radius * _MM, plane)])
    points = [(x * _MM, y * _MM, 0) for x, y in ring]
    return build123d.Wire.make_polygon(points, close=True)


def _placed(solid: Any, part: Part, centre: Point) -> Any:
    """Return a copy that shares the solid's geometry and has its own location."""
    import build123d

    frame = part.frame
    origin = tuple(
        (frame.origin_m[i] + frame.x_axis[i] * centre[0] + frame.y_axis[i] * centre[1]) * _MM
        for i in range(3)
    )
    plane = build123d.Plane(origin, frame.x_axis, tuple(0.0 - c for c in frame.inward))
    return build123d.Solid(solid.wrapped.Moved(plane.location.wrapped))


def normalised(text: str, name: str) -> str:
    """Return STEP text whose header and product counters say nothing about the writing run."""
    safe = re.sub(r"[^\w .-]", "_", name, flags=re.ASCII)
    header = f"FILE_NAME('{safe}','{TIMESTAMP}',('casemate'),(''),'Open CASCADE','build123d','');"
    text = re.sub(r"FILE_NAME\(.*?\);", lambda _: header, text, count=1, flags=re.DOTALL)
    text = re.sub(r"Open CASCADE STEP translator [\d. ]+", "Open CASCADE STEP translator", text)
    count = itertools.count(1)
    return _USAGE.sub(lambda match: _renumbered(match.group(0), next(count)), text)


_USAGE = re.compile(r"NEXT_ASSEMBLY_USAGE_OCCURRENCE\('(\d+)'.*?\);", flags=re.DOTALL)
"""OCCT numbers usages through the process and by address; here it is by place in the file."""


def _renumbered(statement: str, number: int) -> str:
    flat = re.sub(r"\n\s*", "", statement)  # its line breaks depend on the counter's length
    return re.sub(r"'\d+'", f"'{number}'", flat, count=1)
