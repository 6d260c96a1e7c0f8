"""The bundle: seams, crossings, targets and doubts that follow from the proof; whole tiles."""

from __future__ import annotations

import copy
import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casemate.core.errors import OutputError
from casemate.design.enclosure import Enclosure, TileDesign
from casemate.fabricate import bundle
from casemate.fabricate.bundle import BundleOptions, crossing_proofs, judged, seam_proof, unproved
from casemate.mesh.draw import draw_board
from casemate.mesh.generate import Drawing
from casemate.mesh.prove import TileProof, prove_tile

OPTIONS = BundleOptions(serial="UNIT-7", secret=bytes(range(32)), workers=1)


@pytest.fixture(scope="module")
def enclosure(small_spec: Path) -> Enclosure:
    from casemate.design import design_enclosure
    from casemate.spec import load_spec

    return design_enclosure(load_spec(small_spec), serial="UNIT-7", explained=False)


@pytest.fixture(scope="module")
def smallest(enclosure: Enclosure) -> TileDesign:
    return min(
        (t for t in enclosure.tiles if t.bend is None),
        key=lambda tile: tile.width_m * tile.height_m,
    )


@pytest.fixture(scope="module")
def known(smallest: TileDesign) -> tuple[Drawing, TileProof]:
    drawing = draw_board(smallest, secret=OPTIONS.secret, serial=OPTIONS.serial)
    return drawing, prove_tile(smallest, drawing)


@pytest.fixture
def drawn_once(known: tuple[Drawing, TileProof], monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing and proof have tests of their own; here they are made once."""
    monkeypatch.setattr("casemate.mesh.draw.draw_board", lambda *_, **__: known[0])
    monkeypatch.setattr("casemate.mesh.prove.prove_tile", lambda *_: known[1])


def row(name: str, figure: float, bound: float | None, *, holds: bool) -> dict[str, Any]:
    return {"id": name, "figure": figure, "bound": bound, "unit": "m", "holds": holds,
            "method": "by hand", "seconds": 0.0}  # fmt: skip


def reach(longest_m: float) -> dict[str, Any]:
    found = row("pair.resistance_mismatch", 0.1, None, holds=True)
    return {**found, "detail": {"longest_net_m": longest_m, "net_length_max_m": 3.0}}


def proof_of(enclosure: Enclosure, figure: float = 0.5e-3) -> dict[str, Any]:
    tiles = [
        {"id": tile.id, "properties": [
            row("rim.severing", figure, 0.6e-3, holds=figure <= 0.6e-3),
            row("hole.severing.any_direction", figure, 0.6e-3, holds=figure <= 0.6e-3),
            reach(2.9),
        ]} for tile in enclosure.tiles
    ]  # fmt: skip
    return {"tiles": tiles, "seams": [], "crossings": []}


def test_a_seam_holds_when_its_overlap_reaches_what_is_required(enclosure: Enclosure) -> None:
    for number, seam in enumerate(enclosure.seams):
        entry = seam_proof(enclosure, number)
        found = entry["properties"][0]
        assert entry["id"] == seam.id and entry["tiles"] == list(seam.tiles)
        assert found["holds"] == (seam.overlap_m >= seam.required_m)
    short = replace(enclosure.seams[0], overlap_m=enclosure.seams[0].required_m - 1e-6)
    worse = replace(enclosure, seams=(short, *enclosure.seams[1:]))
    assert not seam_proof(worse, 0)["properties"][0]["holds"]


def test_a_cut_crossing_takes_the_rim_of_its_tile(enclosure: Enclosure) -> None:
    tiles = {tile["id"]: tile for tile in proof_of(enclosure)["tiles"]}
    entries = crossing_proofs(enclosure, tiles)
    assert [entry["id"] for entry in entries] == [row.id for row in enclosure.crossings]
    cut = [entry for entry, crossing in zip(entries, enclosure.crossings, strict=True)
           if crossing.opening is not None and crossing.tile in tiles]  # fmt: skip
    assert cut
    assert all(entry["properties"][0]["figure"] == 0.5e-3 for entry in cut)


def test_a_good_proof_meets_its_target_and_raises_no_doubt(enclosure: Enclosure) -> None:
    result = judged(enclosure, proof_of(enclosure))
    tool = [target for target in result.targets if target.id == "tool"]
    assert len(tool) == 1 and tool[0].met
    assert tool[0].achieved == 0.5e-3 and tool[0].required == 0.6e-3
    assert {doubt.id for doubt in enclosure.doubts} <= {doubt.id for doubt in result.doubts}


def test_one_bad_tile_breaks_the_target_and_comes_first_among_the_doubts(
    enclosure: Enclosure,
) -> None:
    proof = proof_of(enclosure)
    tile = enclosure.tiles[2].id
    proof["tiles"][2]["properties"][1] = row(
        "hole.severing.any_direction", 0.7e-3, 0.6e-3, holds=False
    )
    result = judged(enclosure, proof)
    target = next(target for target in result.targets if target.id == "tool")
    assert not target.met and target.achieved == 0.7e-3 and tile in target.evidence
    first = result.doubts[0]
    assert first.id == f"{tile}.hole.severing.any_direction" and first.severity == "error"
    assert "0.0007" in first.why
    assert [name for name, _ in unproved(proof)] == [tile]
    assert not bundle.Bundle(enclosure=result, proof=proof, files=[]).good


def test_a_net_beyond_the_readers_reach_is_an_unmet_target(enclosure: Enclosure) -> None:
    proof = proof_of(enclosure)
    assert next(t for t in judged(enclosure, proof).targets if t.id == "mesh.net_length").met
    proof["tiles"][1]["properties"][-1] = reach(3.1)
    result = judged(enclosure, proof)
    target = next(target for target in result.targets if target.id == "mesh.net_length")
    assert not target.met and target.achieved == 3.1 and enclosure.tiles[1].id in target.evidence
    assert "target.mesh.net_length" in {doubt.id for doubt in result.doubts}


@pytest.mark.parametrize("part", ["tiles", "seams", "crossings"])
def test_a_broken_property_anywhere_is_not_good(enclosure: Enclosure, part: str) -> None:
    met = replace(
        enclosure, targets=tuple(replace(target, met=True) for target in enclosure.targets)
    )
    proof = proof_of(enclosure)
    assert bundle.Bundle(enclosure=met, proof=proof, files=[]).good
    proof[part].append({"id": "x", "properties": [row("any", 2.0, 1.0, holds=False)]})
    assert not bundle.Bundle(enclosure=met, proof=proof, files=[]).good


def without_seconds(entry: dict[str, Any]) -> dict[str, Any]:
    entry = copy.deepcopy(entry)
    for found in entry["proof"]["properties"]:
        del found["seconds"]
    return entry


def test_a_tile_is_made_the_same_twice_and_lists_its_files(
    smallest: TileDesign, tmp_path: Path
) -> None:
    made = [bundle.make_tile(tmp_path / name, smallest, OPTIONS) for name in ("a", "b")]
    assert without_seconds(made[0]) == without_seconds(made[1])
    written = sorted(p.relative_to(tmp_path / "a").as_posix()
                     for p in (tmp_path / "a").rglob("*") if p.is_file())  # fmt: skip
    listed = sorted(file["path"].removeprefix(f"tiles/{smallest.id}/") for file in made[0]["files"])
    assert set(listed) <= set(written)
    assert {Path(name).suffix for name in written} >= {".gbr", ".gbrjob", ".drl", ".kicad_pcb",
                                                       ".ipc", ".json"}  # fmt: skip
    for name in written:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.usefixtures("drawn_once")
def test_kicad_files_are_left_out_on_request(smallest: TileDesign, tmp_path: Path) -> None:
    bundle.make_tile(tmp_path / "t", smallest, replace(OPTIONS, kicad="none"))
    assert not list((tmp_path / "t").rglob("*.kicad_*"))


@pytest.mark.usefixtures("drawn_once")
def test_large_boards_get_kicad_files_only_on_request(
    smallest: TileDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "KICAD_SEGMENTS", 100)
    asked: list[bool] = []

    def note(*_: Any, kicad: bool, compress: bool) -> list[Any]:
        assert not compress
        asked.append(kicad)
        return []

    monkeypatch.setattr("casemate.fabricate.write_tile", note)
    for k, choice in enumerate(("auto", "all", "none")):
        bundle.make_tile(tmp_path / str(k), smallest, replace(OPTIONS, kicad=choice))
    assert asked == [False, True, False]


@pytest.mark.usefixtures("drawn_once")
def test_a_full_disk_names_the_tile(
    smallest: TileDesign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("casemate.fabricate.write_tile", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        bundle.make_tile(tmp_path / "t", smallest, OPTIONS)
    assert smallest.id in str(caught.value) and caught.value.exit_code == 2
