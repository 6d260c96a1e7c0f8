"""Files of a small tile, byte for byte. CASEMATE_REGENERATE=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import synthetic_boards as boards

from casemate.fabricate import write_tile

GOLDEN = Path(__file__).parents[2] / "golden" / "fabricate"
NAMES = (
    "gerber/front.0-F_Cu.gbr",
    "gerber/front.0-B_Mask.gbr",
    "gerber/front.0-Edge_Cuts.gbr",
    "gerber/front.0-job.gbrjob",
    "drill/front.0-L1-L2.drl",
    "netlist.ipc",
    "fabrication.json",
    "front.0.kicad_pcb",
    "front.0.kicad_pro",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("golden")
    tile = boards.tile(height_m=0.004, stackup=boards.TWO_LAYERS, hole=False)
    write_tile(target, tile, boards.mesh(tile, turns=6), kicad=True, compress=False)
    return target


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_as_before(folder: Path, name: str) -> None:
    stored = GOLDEN / name
    if os.environ.get("CASEMATE_REGENERATE") == "1":
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes((folder / name).read_bytes())
    assert (folder / name).read_bytes() == stored.read_bytes(), (
        f"{name} changed; if that is meant, run CASEMATE_REGENERATE=1 pytest on this file"
    )
