"""From an enclosure to the folder that `build` writes: tiles drawn, proved and exported one by one.

Tiles are independent, so they go to worker processes; a worker keeps one tile in memory at a time
and streams its files, so a rack needs no more memory than its largest tile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.core.canonical import pretty_json
from casemate.core.errors import OutputError
from casemate.core.progress import Progress
from casemate.core.proof import at_least, at_most
from casemate.design.enclosure import Doubt, Enclosure, Target, TileDesign

if TYPE_CHECKING:
    pass

KICAD_SEGMENTS = 1_000_000
"""Boards with more segments get a KiCad file on request: KiCad takes about 20 s to load 10^6."""
PLAIN_CELLS = 4_000_000
"""Fine cells above which a tile's Gerber layers are written compressed."""
POOL_CELLS = 2_000_000
"""Fine cells above which worker processes pay for their start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOptions:
    """What the caller decides. kicad: auto, all or none. workers: processes, 0 for all cores.

    meshes: folder in which drawn meshes are kept for the twin, TILE/mesh.npz; none if None.
    """

    serial: str
    secret: bytes
    kicad: str = "auto"
    workers: int = 0
    meshes: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What was written: the enclosure with the mesh's targets, proof.json, rows of files."""

    enclosure: Enclosure
    proof: dict[str, Any]
    files: list[dict[str, Any]]

    @property
    def good(self) -> bool:
        """Return whether every target is met and every property holds."""
        return all(target.met for target in self.enclosure.targets) and not unproved(self.proof)


def write_bundle(
    folder: Path, enclosure: Enclosure, options: BundleOptions, progress: Progress
) -> Bundle:
    """Draw, prove and write everything of an enclosure into an existing empty folder."""
    from casemate.design import design_json
    from casemate.fabricate.bom import write_bom
    from casemate.fabricate.gltf import write_gltf
    from casemate.fabricate.report import write_report
    from casemate.fabricate.step import write_step
    from casemate.mesh.closure_proof import closure_rows

    progress.total = len(enclosure.tiles) + 4
    results = {}
    for result in _tiles(folder, enclosure, options):
        results[result["id"]] = result
        progress.step(f"tile {result['id']} drawn, proved and written")
    ordered = [results[tile.id] for tile in enclosure.tiles]
    proof = {
        "format": "casemate/proof/1",
        "name": enclosure.name,
        "serial": enclosure.serial,
        "spec_digest": enclosure.spec_digest,
        "tiles": [row["proof"] for row in ordered],
        "seams": [seam_proof(enclosure, number) for number in range(len(enclosure.seams))],
        "crossings": crossing_proofs(enclosure, {row["id"]: row["proof"] for row in ordered}),
    }
    progress.step("edges and vertices proved", by=0)
    proof["seams"] = [*proof["seams"], *closure_rows(enclosure, proof["tiles"])]
    enclosure = judged(enclosure, proof)
    (folder / "design.json").write_text(pretty_json(design_json(enclosure)), encoding="utf-8")
    (folder / "proof.json").write_text(pretty_json(proof), encoding="utf-8")
    assembly = folder / "assembly"
    assembly.mkdir()
    progress.step("assembly: glTF")
    write_gltf(assembly / "enclosure.glb", enclosure)
    progress.step("assembly: STEP")
    write_step(assembly / "enclosure.step", enclosure)
    progress.step("bill of materials")
    write_bom(folder, enclosure)
    files = [file for row in ordered for file in row["files"]]
    progress.step("report")
    coverage = {row["id"]: row["coverage"] for row in ordered}
    write_report(folder / "report.html", enclosure, proof, files, coverage)
    return Bundle(enclosure=enclosure, proof=proof, files=files)


def _tiles(folder: Path, enclosure: Enclosure, options: BundleOptions) -> Iterator[dict[str, Any]]:
    cells = sum(_cells(tile) for tile in enclosure.tiles)
    workers = min(options.workers or os.cpu_count() or 1, len(enclosure.tiles))
    jobs = [(folder / "tiles" / tile.id, tile, options) for tile in enclosure.tiles]
    if workers == 1 or cells < POOL_CELLS:
        yield from (make_tile(*job) for job in jobs)
        return
    jobs.sort(key=lambda job: -_cells(job[1]))
    with ProcessPoolExecutor(max_workers=workers) as pool:
        waiting = [pool.submit(make_tile, *job) for job in jobs]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _cells(tile: TileDesign) -> float:
    area = tile.width_m * tile.height_m
    return area / tile.mesh.pitch_m**2 * len(tile.stackup.mesh)


def make_tile(folder: Path, tile: TileDesign, options: BundleOptions) -> dict[str, Any]:
    """Draw, prove and write one tile; return its proof, coverage map and files as plain data."""
    from casemate.fabricate import write_tile
    from casemate.mesh.draw import draw_board
    from casemate.mesh.prove import prove_tile
    from casemate.mesh.store import keep_mesh

    drawing = draw_board(tile, secret=options.secret, serial=options.serial)
    proof = prove_tile(tile, drawing)
    mesh = drawing.mesh
    if options.meshes is not None:
        keep_mesh(options.meshes / tile.id / "mesh.npz", mesh)
    del drawing
    few = mesh.segments <= KICAD_SEGMENTS
    kicad = options.kicad == "all" or (options.kicad == "auto" and few)
    try:
        folder.mkdir(parents=True)
        rows = write_tile(folder, tile, mesh, kicad=kicad, compress=_cells(tile) > PLAIN_CELLS)
    except OSError as error:
        raise OutputError(
            f"tile {tile.id} cannot be written: {error.strerror}.",
            remedy="free space on the disk, or name a folder on another one with -o.",
        ) from error
    files = [{**row, "path": f"tiles/{tile.id}/{row['path']}"} for row in rows]
    return {
        "id": tile.id,
        "proof": proof.as_json(),
        "coverage": proof.coverage,
        "files": files,
    }


def seam_proof(enclosure: Enclosure, number: int) -> dict[str, Any]:
    """Return the proof of one seam: the overlap beats every angle up to the spec's."""
    seam = enclosure.seams[number]
    row = at_least(
        "seam.overlap",
        seam.overlap_m,
        seam.required_m,
        "m",
        "meshed overlap >= tool + gap x tan(theta_max) + registration: a straight tool that misses "
        "one mesh in the gap must meet the other",
        gap_m=seam.gap_m,
        kind=seam.kind,
        length_m=seam.length_m,
    )
    return {
        "id": seam.id,
        "kind": seam.kind,
        "tiles": list(seam.tiles),
        "properties": [row.as_json()],
    }


def crossing_proofs(enclosure: Enclosure, tiles: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the proof of each crossing: the mesh rings its opening as its tile's rims."""
    rows = []
    for crossing in enclosure.crossings:
        properties: list[dict[str, Any]] = []
        tile = tiles.get(crossing.tile)
        if tile is not None and crossing.opening is not None:
            rim = next(row for row in tile["properties"] if row["id"] == "rim.severing")
            ring = at_most(
                "crossing.rim_severing", rim["figure"], rim["bound"], "m",
                f"the rim bound of tile {crossing.tile}, which covers all rims, this one too",
            )  # fmt: skip
            properties.append(ring.as_json())
        rows.append(
            {
                "id": crossing.id,
                "kind": crossing.kind,
                "tile": crossing.tile,
                "module": crossing.module,
                "properties": properties,
            }
        )
    return rows


def unproved(proof: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return (owner, property) of every property of proof.json that does not hold."""
    return [
        (owner["id"], row)
        for part in ("tiles", "seams", "crossings")
        for owner in proof[part]
        for row in owner["properties"]
        if not row["holds"]
    ]


PROVED_TARGETS = (
    ("tool", "hole.severing.any_direction"),
    ("mesh.same_net_share", "adjacency.same_net_share"),
    ("mesh.bypass_worst_share", "bypass.worst_share"),
    ("mesh.bypass_over_one_percent_share", "bypass.over_one_percent_share"),
    ("mesh.resistance_mismatch", "pair.resistance_mismatch"),
    ("mesh.terminals_exposed", "terminal.exposed"),
)
"""Targets of the spec that a property of the tiles' proof answers."""


def judged(enclosure: Enclosure, proof: dict[str, Any]) -> Enclosure:
    """Return the enclosure with targets and doubts that follow from the proof."""
    from casemate.mesh.closure_proof import closure_doubts, closure_targets, tool_m

    targets = list(enclosure.targets)
    for name, property_id in PROVED_TARGETS:
        rows = [
            (tile["id"], row)
            for tile in proof["tiles"]
            for row in tile["properties"]
            if row["id"] == property_id and row["bound"] is not None
        ]
        if not rows:
            continue
        worst = max(rows, key=lambda pair: pair[1]["figure"])
        bound = min(row["bound"] for _, row in rows)
        targets.append(
            Target(
                id=name,
                required=bound,
                achieved=worst[1]["figure"],
                unit=worst[1]["unit"],
                met=all(row["holds"] for _, row in rows),
                evidence=f"proof: {property_id}, worst tile {worst[0]}",
                sense="max",
            )
        )
    targets += closure_targets(proof["seams"])
    targets += _reach(proof)
    doubts = [_broken(owner, row) for owner, row in unproved(proof)]
    doubts += [
        _unmet(target) for target in targets if not target.met and not _listed(target, doubts)
    ]
    doubts += closure_doubts(proof["seams"], tool_m(enclosure))
    doubts += _fab_doubts(enclosure)
    kept = [doubt for doubt in enclosure.doubts if doubt.id not in {new.id for new in doubts}]
    return replace(enclosure, targets=tuple(targets), doubts=(*doubts, *kept))


def _fab_doubts(enclosure: Enclosure) -> list[Doubt]:
    """Return a doubt for each fab profile whose figures no fab has confirmed."""
    profiles = {tile.fab.id: tile.fab for tile in enclosure.tiles}
    return [
        Doubt(
            id=f"fab.{name}",
            claim=f"a fab makes boards of profile {name}",
            why="the profile holds planning values, see its source in fabrication.json",
            closes_with="a quotation that confirms width, space, vias and board size",
            severity="high",
        )
        for name, profile in sorted(profiles.items())
        if "planning value" in profile.source.lower()
    ]


def _reach(proof: dict[str, Any]) -> list[Target]:
    """Return the target that no net is longer than the reader reaches, for the worst tile."""
    rows = []
    for tile in proof["tiles"]:
        detail = next(
            row["detail"] for row in tile["properties"] if row["id"] == "pair.resistance_mismatch"
        )
        rows.append((detail["longest_net_m"], detail["net_length_max_m"], tile["id"]))
    if not rows:
        return []
    longest, asked, tile_id = max(rows, key=lambda row: row[0] / row[1])
    return [
        Target(
            id="mesh.net_length",
            required=asked,
            achieved=longest,
            unit="m",
            met=longest <= asked,
            evidence=f"longest net, tile {tile_id}; the reader's card says how long a net it reads",
            sense="max",
        )
    ]


def _listed(target: Target, doubts: list[Doubt]) -> bool:
    """Return whether a property that answers this target is among the doubts already."""
    from casemate.mesh.closure_proof import EDGE

    answered_by = {**dict(PROVED_TARGETS), "tool.edges": EDGE}.get(target.id)
    return answered_by is not None and any(row.id.endswith(f".{answered_by}") for row in doubts)


def _broken(owner: str, row: dict[str, Any]) -> Doubt:
    return Doubt(
        id=f"{owner}.{row['id']}",
        claim=f"{owner}: {row['id']} within {row['bound']:g} {row['unit']}",
        why=f"the proof finds {row['figure']:g} {row['unit']}",
        closes_with="another layout, fab profile or bound in the spec",
        severity="error",
    )


def _unmet(target: Target) -> Doubt:
    return Doubt(
        id=f"target.{target.id}",
        claim=f"{target.id} {'at most' if target.sense == 'max' else 'at least'} "
        f"{target.required:g} {target.unit}",
        why=f"the design reaches {target.achieved:g} {target.unit} ({target.evidence})",
        closes_with="a better module or a relaxed target; see the alternatives",
        severity="error",
    )
