"""The guide's snippet runs on a case and tells what the case tells."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from case_samples import full, small

from casemate.case import case_document
from casemate.core.canonical import pretty_json

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "read-a-security-case.md"


def told(tmp_path: Path, text: str) -> list[str]:
    (code,) = re.findall(r"<<'EOF'\n(.*?)\nEOF\n", GUIDE.read_text(encoding="utf-8"), re.S)
    folder = tmp_path / "out" / "camera"
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")


def test_it_names_what_carries_most_first(tmp_path: Path) -> None:
    lines = told(tmp_path, pretty_json(case_document(full())))
    assert lines[0] == "not met" and lines[1].startswith("twin ") and "reaction" in lines[1]


def test_it_names_what_flips_the_whole(tmp_path: Path) -> None:
    lines = told(tmp_path, pretty_json(case_document(small())))
    assert lines[:2] == ["met", "twin flips the whole drill, radio_noise"]
