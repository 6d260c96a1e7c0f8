"""A small design and a small security case, as `casemate build` and `casemate prove` write them."""

from __future__ import annotations

from typing import Any

from casemate.core.canonical import digest
from casemate.design.frames import face_frame
from casemate.fleet.drawing import layout
from casemate.testing import honest_enclosure as honest

BOX_M = (0.6, 1.2, 2.0)


def tile(
    name: str, face: str, rect: tuple[float, float, float, float], **changes: Any
) -> dict[str, Any]:
    """A board that lies on a face: left, low, width, height, m, as one stands before it."""
    held = face_frame(face, BOX_M)
    left, low, wide, high = rect
    at = [o + left * x + low * y for o, x, y in zip(held.origin_m, held.x_axis, held.y_axis,
                                                    strict=True)]  # fmt: skip
    frame = {"origin_m": at, "x_axis": list(held.x_axis), "y_axis": list(held.y_axis),
             "inward": list(held.inward)}  # fmt: skip
    made = {"id": name, "face": face, "module": "skin-rigid-4l", "width_m": wide, "height_m": high,
            "bend": None, "frame": frame, "laps": {}}  # fmt: skip
    return made | changes


def strip(number: int, low: float, laps: dict[str, float]) -> dict[str, Any]:
    """A metre of the edge between front and left, of which 40 mm lie on each."""
    bend = {"faces": ["front", "left"], "edge": "front~left", "ends_m": [0.04, 0.04]}
    frame = {"origin_m": [0.04, 0.0, low], "x_axis": [0, 0, 1], "y_axis": [-1, 0, 0],
             "inward": [0, 1, 0]}  # fmt: skip
    made = tile(f"edge-front-left-{number}", "front", (0.0, low, 1.0, 0.08), bend=bend, laps=laps)
    return made | {"frame": frame, "module": "seam-folded-flex"}


def box() -> dict[str, Any]:
    """A box 0.6 x 1.2 x 2.0 m: a front with a vent, sides of two by two, strips on one edge."""
    flat = [
        tile("front-low-1-1", "front", (0.0, 0.0, 0.6, 0.3)),
        tile("front-high-1-1", "front", (0.0, 1.7, 0.6, 0.3)),
        tile("front-near-1-1", "front", (0.0, 0.3, 0.1, 1.4)),
        tile("front-far-1-1", "front", (0.5, 0.3, 0.1, 1.4)),
        tile("rear-1-1", "rear", (0.0, 0.0, 0.6, 2.0)),
        tile("bottom-1-1", "bottom", (0.0, 0.0, 0.6, 1.2)),
        tile("top-1-1", "top", (0.0, 0.0, 0.6, 0.6)), tile("top-1-2", "top", (0.0, 0.6, 0.6, 0.6)),
    ]  # fmt: skip
    for face in ("left", "right"):
        flat += [
            tile(f"{face}-{x}-{y}", face, (0.6 * (x - 1), y - 1.0, 0.6, 1.0))
            for x in (1, 2)
            for y in (1, 2)
        ]
    return {
        "size_m": list(BOX_M),
        "tiles": [*flat, strip(1, 0.0, {"right": 0.1}), strip(2, 1.0, {})],
        "faces": [{"name": each, "door": each == "front"} for each in layout.FACES],
        "crossings": [
            {"id": "air-in", "kind": "air", "face": "front", "tile": "front-far-1-1",
             "module": "vent-honeycomb-3.2", "centre_m": [-0.2, 0.7], "size_m": [0.4, 1.4]},
            {"id": "feed", "kind": "power", "face": "rear", "tile": "rear-1-1",
             "module": "power-busbar-absorber", "centre_m": [0.1, 0.2], "size_m": [0.1, 0.05]},
        ],
    }  # fmt: skip


def node(name: str, kind: str, text: str, **more: Any) -> dict[str, Any]:
    given = {"what": "", "about": "", "undeveloped": False, "verdict": None, "evidence": None}
    return {"id": name, "kind": kind, "text": text, **given, **more}


def case(**changes: Any) -> dict[str, Any]:
    """A case of one target, one piece of evidence and one doubt that challenges it."""
    again = "casemate build enclosure.toml -o out"
    proof = {"kind": "proof", "figure": "0.9 mm", "interval": "exact", "rerun": again,
             "date": "2026-11-29T00:00:00Z"}  # fmt: skip
    target = {"id": "coverage.tool", "text": "tool that gets through", "required": 1e-3,
              "achieved": 9e-4, "unit": "m", "kind": "proof", "verdict": "met", "why": "it is less",
              "rerun": again}  # fmt: skip
    nodes = [
        node("G1", "Goal", "the camera notices", verdict="in doubt"),
        node("S1", "Strategy", "argue by group"),
        node("G2", "Goal", "no tool gets through", what="target", about="coverage.tool",
             verdict="met"),
        node("Sn1", "Solution", "proof of the mesh", evidence=proof),
        node("CG1", "CounterGoal", "no enclosure was attacked", what="doubt", about="simulated"),
        node("A1", "Assumption", "keys are secret"),
    ]  # fmt: skip
    ways = (("SupportedBy", "G1", "S1"), ("SupportedBy", "S1", "G2"), ("SupportedBy", "G2", "Sn1"),
            ("Challenges", "CG1", "G2"), ("InContextOf", "G1", "A1"))  # fmt: skip
    made: dict[str, Any] = {
        "format": "casemate/case/1", "enclosure": honest.ENCLOSURE, "serial": honest.SERIAL,
        "verdict": "in doubt", "targets": [target], "moves": [], "far": [], "assumptions": [],
        "simulated_only": ["coverage.tool"],
        "doubts": [{"id": "simulated", "text": "no enclosure was attacked",
                    "targets": ["coverage.tool"]}],
        "gsn": {"root": "G1", "nodes": nodes,
                "links": [{"kind": k, "source": a, "target": b} for k, a, b in ways]},
    }  # fmt: skip
    made |= changes
    return {**made, "digest": digest(made)}
