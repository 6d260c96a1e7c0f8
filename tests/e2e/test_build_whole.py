"""`casemate build` on real input: the folder that PRODUCT.md promises, whole and repeatable."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from shared_builds import SECRET_HEX, Built

TILE_PROPERTIES = {
    "net.single_path", "net.no_contact", "fab.width", "fab.space", "hole.severing.perpendicular",
    "hole.severing.any_direction", "hole.severing.per_layer", "hole.empty.any_direction",
    "adjacency.same_net_share", "bypass.worst_share", "bypass.over_one_percent_share",
    "rim.severing", "patch.severing.any_direction", "terminal.exposed", "pair.resistance_mismatch",
}  # fmt: skip
ROW = {"id", "figure", "bound", "unit", "holds", "method", "seconds"}


@pytest.fixture(scope="module", params=["small", pytest.param("dpa", marks=pytest.mark.slow)])
def whole_build(request: pytest.FixtureRequest) -> Built:
    """A build alone in its folder: of the small spec, and of the example itself."""
    found: Built = request.getfixturevalue(f"{request.param}_build")
    return found


def read(build: Built, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((build.folder / name).read_text())
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_folder_is_laid_out_as_promised(whole_build: Built) -> None:
    folder = whole_build.folder
    for name in ("design.json", "proof.json", "bom.csv", "report.html",
                 "assembly/enclosure.step", "assembly/enclosure.glb"):  # fmt: skip
        assert (folder / name).stat().st_size > 100, name
    tiles = [tile["id"] for tile in read(whole_build, "design.json")["tiles"]]
    assert sorted(tiles) == sorted(path.name for path in (folder / "tiles").iterdir())
    for tile in tiles:
        home = folder / "tiles" / tile
        held = {path.name for path in home.iterdir()}
        assert "drill" in held or tile.startswith("edge-")  # strips have lands and no holes
        assert {"gerber", f"{tile}.kicad_pcb", "netlist.ipc", "fabrication.json"} <= held
        assert list((home / "gerber").glob("*.gbrjob"))
        assert "drill" not in held or list((home / "drill").iterdir())


def test_nothing_else_is_left_beside_it(whole_build: Built) -> None:
    beside = {path.name for path in whole_build.folder.parent.iterdir()}
    assert beside == {"out", "unit.secret", ".out.casemate-source"}  # for `run`


def test_proof_has_every_property_of_every_tile(whole_build: Built) -> None:
    proof, design = read(whole_build, "proof.json"), read(whole_build, "design.json")
    assert [tile["id"] for tile in proof["tiles"]] == [tile["id"] for tile in design["tiles"]]
    for tile in proof["tiles"]:
        ids = [row["id"] for row in tile["properties"]]
        assert set(ids) == TILE_PROPERTIES and len(ids) == len(TILE_PROPERTIES)
        assert tile["nets"] > 0 and tile["fine_cells"] > 5_000 and len(tile["commitment"]) == 64
    rows = [row for part in ("tiles", "seams", "crossings") for owner in proof[part]
            for row in owner["properties"]]  # fmt: skip
    for row in rows:
        assert set(row) - {"detail"} == ROW
        bound = row["bound"]
        if bound is not None:
            low = row["id"] in ("fab.width", "fab.space", "seam.overlap")
            holds = row["figure"] >= bound - 1e-12 if low else row["figure"] <= bound + 1e-12
            assert row["holds"] == holds, row["id"]
    assert len(proof["seams"]) >= 12 and proof["crossings"]


def test_slack_of_the_rims_is_within_ten_micrometres(whole_build: Built) -> None:
    for tile in read(whole_build, "proof.json")["tiles"]:
        for row in tile["properties"]:
            if row["id"] in ("rim.severing", "hole.severing.perpendicular"):
                assert 0 <= row["detail"]["slack_m"] <= 10e-6


def test_the_copper_of_every_tile_is_sound(whole_build: Built) -> None:
    for tile in read(whole_build, "proof.json")["tiles"]:
        rows = {row["id"]: row for row in tile["properties"]}
        for name in ("net.single_path", "net.no_contact", "fab.width", "fab.space",
                     "terminal.exposed"):  # fmt: skip
            assert rows[name]["holds"], f"{tile['id']}: {name} {rows[name]['figure']}"
        assert rows["hole.severing.any_direction"]["figure"] < 0.7e-3


def test_exit_code_and_doubts_say_what_is_not_met(whole_build: Built) -> None:
    design, proof = read(whole_build, "design.json"), read(whole_build, "proof.json")
    unmet = [target["id"] for target in design["targets"] if not target["met"]]
    broken = [f"{tile['id']}.{row['id']}" for tile in proof["tiles"]
              for row in tile["properties"] if not row["holds"]]  # fmt: skip
    assert whole_build.code == (1 if unmet or broken else 0)
    doubts = {doubt["id"] for doubt in design["doubts"]}
    assert set(broken) <= doubts
    page = (whole_build.folder / "report.html").read_text()
    assert all(name in page for name in unmet)


def test_report_is_one_offline_file(whole_build: Built) -> None:
    page = (whole_build.folder / "report.html").read_text()
    assert 'src="http' not in page and "src='http" not in page
    assert '<link rel="stylesheet" href="http' not in page


def test_bom_is_a_table(whole_build: Built) -> None:
    with (whole_build.folder / "bom.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 5


def test_the_secret_is_in_no_file(whole_build: Built) -> None:
    secret = bytes.fromhex(SECRET_HEX)
    from casemate.core.randomness import opening

    kept = [secret] + [opening(secret, f"UNIT-0001/{tile['id']}")
                       for tile in read(whole_build, "design.json")["tiles"]]  # fmt: skip
    for name, data in files(whole_build.folder).items():
        data = gzip.decompress(data) if name.endswith(".gz") else data
        low = data.lower()
        for piece in kept:
            assert piece not in data, name
            assert piece.hex().encode() not in low, name
            assert piece[:16].hex().encode() not in low, name


def without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_seconds(row) for key, row in value.items() if key != "seconds"}
    return [without_seconds(row) for row in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_a_rebuild_is_the_same_to_the_byte(small_builds: tuple[Built, Built]) -> None:
    """Only the run times of proof.json may differ."""
    one, two = (files(build.folder) for build in small_builds)
    assert one.keys() == two.keys()
    assert {name for name in one if one[name] != two[name]} <= {"proof.json"}
    proofs = [without_seconds(json.loads(row["proof.json"])) for row in (one, two)]
    assert proofs[0] == proofs[1]


@pytest.mark.slow
def test_json_names_the_result(small_builds: tuple[Built, Built]) -> None:
    build = small_builds[1]
    row = json.loads(build.printed)
    assert row["good"] == (build.code == 0) == (not row["unmet"] and not row["not_holding"])
    assert row["tiles"] >= 6 and row["nets"] >= 4 * row["tiles"] and row["fine_cells"] > 1e5
    assert Path(row["report"]) == build.folder / "report.html"


@pytest.mark.parametrize("name", ["design.json", "proof.json"])
def test_no_machine_path_is_in_the_output(whole_build: Built, name: str) -> None:
    text = (whole_build.folder / name).read_text()
    assert str(whole_build.folder.parent) not in text and str(Path.home()) + "/" not in text
