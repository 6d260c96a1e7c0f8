"""Gerber text against a plain Python formatter, and the same bytes each time."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic_boards as boards
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core.errors import InputError
from casemate.fabricate import gerber, write_tile
from casemate.fabricate.gerber import Pen, format_strokes
from casemate.fabricate.sink import Sink

INT32 = st.integers(-(2**31), 2**31 - 1)
POINTS = st.lists(st.tuples(INT32, INT32), min_size=1, max_size=40)


def plain(points: list[tuple[int, int]], *, closed: bool) -> str:
    """Return the operations as the Gerber format defines them, one at a time."""
    lines: list[str] = []
    last: tuple[int | None, int | None] = (None, None)
    for number, (x, y) in enumerate(points):
        text = (f"X{x}" if x != last[0] else "") + (f"Y{y}" if y != last[1] else "")
        lines.append(text + ("D02*" if number == 0 else "D01*"))
        last = (x, y)
    if closed:
        lines.append("X{}Y{}D01*".format(*points[0]))
    return "".join(line + "\n" for line in lines)


class Collected:
    """A target that keeps what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes | memoryview) -> None:
        self.data += bytes(data)


@settings(deadline=None)
@given(points=POINTS, closed=st.booleans())
def test_kernel_writes_what_plain_python_writes(
    points: list[tuple[int, int]], closed: bool
) -> None:
    vertices = np.array(points, dtype=np.int32)
    buffer = np.empty(29 * (len(points) + 1), dtype=np.uint8)
    used = format_strokes(vertices, 0, len(points), closed, buffer)
    assert buffer[:used].tobytes().decode() == plain(points, closed=closed)


@pytest.mark.parametrize("closed", [False, True])
def test_chunks_join_without_a_trace(monkeypatch: pytest.MonkeyPatch, closed: bool) -> None:
    vertices = np.random.default_rng(5).integers(-(2**31), 2**31, (50, 2)).astype(np.int32)
    target = Collected()
    pen = Pen()
    monkeypatch.setattr(gerber, "CHUNK", 7)
    pen.draw(Sink(target), vertices, closed=closed)
    assert target.data.decode() == plain([tuple(p) for p in vertices.tolist()], closed=closed)


def rows_of(folder: Path, *, compress: bool) -> list[dict[str, Any]]:
    tile = boards.tile()
    return write_tile(folder, tile, boards.mesh(tile), kicad=True, compress=compress)


def test_rows_tell_the_truth(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, compress=False)
    on_disk = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {row["path"] for row in rows} == on_disk
    for row in rows:
        data = (tmp_path / row["path"]).read_bytes()
        assert row["bytes"] == len(data)
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
    mesh = boards.mesh(boards.tile())
    strokes = sum(row["segments"] for row in rows if row["path"].endswith("_Cu.gbr"))
    assert strokes == mesh.segments


def test_same_input_same_bytes_also_in_threads(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(
            lambda name: rows_of(tmp_path / name, compress=True), ("first", "second")
        )
    assert one == two


def test_compressed_layers_hold_the_same_text(tmp_path: Path) -> None:
    rows_of(tmp_path / "plain", compress=False)
    rows_of(tmp_path / "packed", compress=True)
    packed = sorted((tmp_path / "packed/gerber").glob("*.gbr.gz"))
    assert len(packed) == 7
    for path in packed:
        data = path.read_bytes()
        assert data[3] == 0 and data[4:8] == bytes(4)  # no name and no time in the header
        text = gzip.decompress(data)
        assert text == (tmp_path / "plain/gerber" / path.name.removesuffix(".gz")).read_bytes()


def test_attributes_name_function_net_and_pin(tmp_path: Path) -> None:
    rows_of(tmp_path, compress=False)
    text = (tmp_path / "gerber/front.0-B_Cu.gbr").read_text()
    assert "%TF.FileFunction,Copper,L4,Bot*%" in text
    assert "%TF.FilePolarity,Positive*%" in text
    assert "%TO.N,Z0.In2.Cu.1*%" in text
    assert "%TO.P,TP8,1*%" in text
    inner = (tmp_path / "gerber/front.0-In1_Cu.gbr").read_text()
    assert "%TF.FileFunction,Copper,L2,Inr*%" in inner
    assert inner.count("%TA.AperFunction,Conductor*%") == 1
    assert not [line for line in text.splitlines() if "Date" in line]


def test_no_pad_and_no_opening_on_the_outer_face(tmp_path: Path) -> None:
    rows_of(tmp_path, compress=False)
    assert "D03*" not in (tmp_path / "gerber/front.0-F_Cu.gbr").read_text()
    assert "D03*" not in (tmp_path / "gerber/front.0-F_Mask.gbr").read_text()
    assert (tmp_path / "gerber/front.0-B_Mask.gbr").read_text().count("D03*") == 8


def test_job_file_lists_every_layer(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, compress=True)
    job = json.loads((tmp_path / "gerber/front.0-job.gbrjob").read_text())
    listed = {f"gerber/{row['Path']}" for row in job["FilesAttributes"]}
    assert listed == {row["path"] for row in rows if ".gbr" in row["path"]} - {
        "gerber/front.0-job.gbrjob"
    }
    assert job["GeneralSpecs"]["Size"] == {"X": 20.0, "Y": 12.0}
    stack = job["MaterialStackup"]
    total = sum(row.get("Thickness", 0.0) for row in stack)
    assert total == pytest.approx(job["GeneralSpecs"]["BoardThickness"])
    names = [row["Name"] for row in stack if row["Type"] == "Copper"]
    depth = sum(row.get("Thickness", 0.0) for row in stack[: stack.index(_named(stack, names[1]))])
    assert depth == pytest.approx(0.2)


def _named(stack: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(row for row in stack if row["Name"] == name)


def test_importing_the_package_is_light() -> None:
    script = "import sys, casemate.fabricate; print({'numba', 'shapely'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_a_layer_that_the_tile_lacks_is_an_error(tmp_path: Path) -> None:
    tile = boards.tile()
    mesh = boards.mesh(tile)
    bad = replace(mesh, nets=(replace(mesh.nets[0], layer="In7.Cu"), *mesh.nets[1:]))
    with pytest.raises(InputError, match=r"In7\.Cu"):
        write_tile(tmp_path, tile, bad, kicad=False, compress=False)
    assert not list(tmp_path.iterdir())
