"""The STEP assembly, read back with build123d (OCCT)."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from assembly_samples import THICKNESS_M, box, camera

from casemate.fabricate.shapes import parts
from casemate.fabricate.step import assembly, normalised, write_step


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("step") / "enclosure.step"
    write_step(found, camera())
    return found


@pytest.fixture(scope="module")
def read(path: Path) -> Any:
    import build123d

    return build123d.import_step(str(path))


def test_bounding_box_is_the_enclosure(read: Any) -> None:
    size = read.bounding_box().size
    assert (size.X, size.Y, size.Z) == pytest.approx((60.0, 200.0, 80.0), rel=1e-6)
    assert read.is_valid


def test_volume_is_the_analytic_one(read: Any) -> None:
    w, d, h = 60.0, 200.0, 80.0
    holes = math.pi * (20.0**2 + 4.0**2) + 60.0 * 30.0
    expected = (2 * (w * d + d * h + w * h) - holes) * THICKNESS_M * 1e3
    tiles = [leaf for leaf in read.leaves if str(leaf.label).startswith("tile_")]
    assert len(tiles) == 6
    assert sum(tile.volume for tile in tiles) == pytest.approx(expected, rel=1e-6)


def test_vent_cells_are_copies_of_one_solid(path: Path) -> None:
    cells = len(next(part for part in parts(camera()) if part.kind == "vent").instances)
    text = path.read_text()
    assert cells > 100
    assert text.count("MANIFOLD_SOLID_BREP(") == 6 + 3  # tiles; window, sleeve, one cell
    assert text.count("NEXT_ASSEMBLY_USAGE_OCCURRENCE(") >= cells


def test_round_holes_are_true_cylinders(path: Path) -> None:
    assert "CYLINDRICAL_SURFACE" in path.read_text()


def test_bytes_are_deterministic_within_a_process(path: Path, tmp_path: Path) -> None:
    write_step(tmp_path / "again.step", camera())
    assert (tmp_path / "again.step").read_bytes() == path.read_bytes()


def test_bytes_are_deterministic_across_processes(path: Path, tmp_path: Path) -> None:
    code = (
        "from assembly_samples import camera; from casemate.fabricate.step import write_step;"
        f"write_step({str(tmp_path / 'other.step')!r}, camera())"
    )
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=here, timeout=120)
    assert (tmp_path / "other.step").read_bytes() == path.read_bytes()


def test_header_says_nothing_about_the_run(path: Path) -> None:
    header = path.read_text().split("DATA;")[0]
    assert "1970-01-01T00:00:00" in header
    assert "'casemate'" in header


def test_normalised_keeps_the_tree() -> None:
    text = (
        "FILE_NAME('x','2026',('me'),(''),'a','b','');\n"
        "#1 = NEXT_ASSEMBLY_USAGE_OCCURRENCE('41','p','',#5,#47,\n  $);\n"
        "#2 = NEXT_ASSEMBLY_USAGE_OCCURRENCE('7','q','',#5,#47,$);\n"
    )
    found = normalised(text, "it's")
    assert "2026" not in found and "me'" not in found
    assert "#1 = NEXT_ASSEMBLY_USAGE_OCCURRENCE('1','p','',#5,#47,$);" in found
    assert "#2 = NEXT_ASSEMBLY_USAGE_OCCURRENCE('2','q'" in found


def test_too_many_cells_are_a_slab_named_so() -> None:
    big = box(
        name="big",
        size=(0.6, 1.0, 2.0),
        vent=("rear", (0.3, 1.0), (0.5, 1.8)),
        cell_m=0.0032,
    )
    labels = [str(leaf.label) for leaf in assembly(big).leaves]
    assert any("honeycomb region as a slab" in label for label in labels)
    assert len(labels) == 7


def test_import_of_the_module_does_not_import_build123d() -> None:
    code = "import sys, casemate.fabricate.step; sys.exit('build123d' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
