"""docs/matrix.md is in step with the catalogue: every move and modality, blind spots named."""

from __future__ import annotations

from pathlib import Path

from casemate.attacks.catalogue import MOVES
from casemate.sensors.modalities import MODALITIES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "matrix.md").read_text(encoding="utf-8")


def test_every_move_and_modality_is_there_for_every_design() -> None:
    parts = PAGE.split("\n## ")[1:]
    assert {part.splitlines()[0] for part in parts} == {"camera", "dpa", "nvl72"}
    for part in parts:
        rows = [line for line in part.splitlines() if line.startswith("| ")]
        assert all(each.id in rows[0] for each in MODALITIES)
        assert [row.split("|")[1].strip() for row in rows[1:]] == [each.id for each in MOVES]
        assert "Moves to go in that no carried modality saw at every place" in part


def test_it_says_that_it_is_simulated() -> None:
    assert "Simulated throughout" in PAGE and "no detectors" in PAGE
