"""`casemate frame` on chunks of a trace: alone, as a chain, and with faults planted."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from casemate.attest import reference_write
from casemate.cli import main
from casemate.control.adapters import trace

sys.path.append(str(Path(__file__).parents[1] / "unit" / "control" / "adapters"))

from item_signer import Enclosure, Given, signs

METER = trace.Meter(rate_hz=100, unit="V", count_nano=1000)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Path], Path]]:
    folder = tmp_path_factory.mktemp("frame")
    part = np.arange(50, dtype=np.int16)
    enclosure = Enclosure()
    paths = signs(
        enclosure, Given([trace.draft(b"r" * 16, 50 * k, METER, part) for k in range(3)]),
        folder / "trace", 3,
    )  # fmt: skip
    (folder / "reference.json").write_text(reference_write.as_json(enclosure.reference))
    yield paths, folder


def test_one_chunk_alone(
    signed: tuple[list[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    paths, trust = signed
    assert main(["frame", str(paths[1]), "--trust", str(trust)]) == 0
    assert "number 1 of trace" in (out := capsys.readouterr().out)
    assert "50 samples from 50 on, 0.5 s" in out


def test_a_chain_and_a_chunk_that_is_missing(
    signed: tuple[list[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    paths, trust = signed
    assert main(["frame", *map(str, paths), "--trust", str(trust), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["number"] for each in found["items"]] == [0, 1, 2] and found["broken"] == []
    assert found["items"][1]["before"] == found["items"][0]["leaf"]
    assert main(["frame", str(paths[0]), str(paths[2]), "--trust", str(trust)]) == 1
    assert "BROKEN between chunks 0 and 2: 1 are missing" in capsys.readouterr().out


def test_an_altered_chunk(
    signed: tuple[list[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, trust = signed
    for each in (paths[0], paths[0].with_name(paths[0].name + trace.PROOF)):
        shutil.copy(each, tmp_path)
    copy = tmp_path / paths[0].name
    copy.write_bytes(copy.read_bytes()[:-1] + b"\x55")
    assert main(["frame", str(copy), "--trust", str(trust)]) == 1
    assert "altered" in capsys.readouterr().err
