"""`casemate frame` on chunks of a trace: alone, as a chain, and with faults planted."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from alone_steps import alone

from casemate.attest import reference_write
from casemate.cli import main
from casemate.control.adapters import trace
from outside_programs import package

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


def test_a_chunk_of_an_enclosure_that_is_watched_in_part(
    signed: tuple[list[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, trust = signed
    values = json.loads((trust / "reference.json").read_text())
    values["units"][0]["anchors"][0]["unwatched"] = ["left", "rear"]
    (tmp_path / "reference.json").write_text(json.dumps(values))
    assert main(["frame", str(paths[1]), "--trust", str(tmp_path)]) == 0
    assert "in state ARMED, not watched: left, rear, number 1" in capsys.readouterr().out
    assert main(["frame", str(paths[1]), "--trust", str(trust)]) == 0
    assert "not watched" not in capsys.readouterr().out


def test_who_checks_needs_no_more_than_an_inspector(signed: tuple[list[Path], Path]) -> None:
    paths, trust = signed
    done = alone("frame", *map(str, paths), "--trust", str(trust))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("50 samples from") == 3
    done = alone("frame", str(paths[0]), str(paths[2]), "--trust", str(trust))
    assert done.returncode == 1 and "BROKEN between chunks 0 and 2" in done.stdout


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


def test_a_frame_with_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package("c2pa")
    av = package("av")
    from rtsp_server import video

    from casemate.control.adapters.c2pa_manifest import Maker
    from casemate.control.adapters.stream import named

    video(tmp_path / "film.avi", "mjpeg", 1)
    with av.open(str(tmp_path / "film.avi")) as film:
        data = next(bytes(each) for each in film.demux(video=0) if each.size)
    enclosure, maker = Enclosure(), Maker("camera", "UNIT-0001")
    try:
        given = Given([named("0.jpg", data)])
        (path,) = signs(enclosure, given, tmp_path / "camera", 1, name="camera")
        proof = json.loads(path.with_name(path.name + trace.PROOF).read_bytes())
        (tmp_path / "copy.jpg").write_bytes(maker.made(data, proof))
        (tmp_path / "issuers.pem").write_text(maker.root)
    finally:
        maker.close()
    (tmp_path / "reference.json").write_text(reference_write.as_json(enclosure.reference))
    asked = ["--trust", str(tmp_path), "--c2pa", str(tmp_path / "issuers.pem")]
    assert main(["frame", str(tmp_path / "copy.jpg"), *asked]) == 0
    assert "number 0 of camera" in capsys.readouterr().out
    whole = (tmp_path / "copy.jpg").read_bytes()
    (tmp_path / "copy.jpg").write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    assert main(["frame", str(tmp_path / "copy.jpg"), *asked]) == 1
    assert "not accepted" in capsys.readouterr().err
