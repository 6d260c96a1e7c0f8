"""A sound tile and the folder of its files, for all that read them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "fabricate"))

import synthetic_boards as boards
from outside_readers import written

from casemate.design.enclosure import TileDesign
from casemate.mesh.model import TileMesh


@pytest.fixture(scope="module")
def sound() -> tuple[TileDesign, TileMesh]:
    tile = boards.tile()
    return tile, boards.mesh(tile)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sound: tuple[TileDesign, TileMesh]) -> Path:
    return written(tmp_path_factory.mktemp("tile"), *sound)
