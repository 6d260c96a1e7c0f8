"""The report: read back as HTML, as JSON and as PNG."""

from __future__ import annotations

import json
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from assembly_samples import box, camera, coverage_of, proof_of

from casemate.core.errors import OutputError
from casemate.design.enclosure import Target
from casemate.fabricate import report
from casemate.fabricate.charts import attenuation_svg, heat_png
from casemate.fabricate.report import (
    doubts_shown,
    picture_svg,
    proof_summary,
    report_html,
    verdict,
    write_report,
)
from casemate.fabricate.viewer import viewer_data

FILES = [{"path": "design.json", "bytes": 12345, "sha256": "ab" * 32}]
SECTIONS = [
    "doubts",
    "enclosure",
    "coverage",
    "proof",
    "attenuation",
    "air",
    "modules",
    "budgets",
    "targets",
    "alternatives",
    "seams",
    "files",
]


class _Reader(HTMLParser):
    """Collects tags, ids and text; `open` is empty at the end if all is closed in order."""

    void = frozenset({"meta", "input", "br", "link", "img", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def _html(**changes: Any) -> str:
    enclosure = replace(camera(), **changes)
    return report_html(enclosure, proof_of(enclosure), FILES, coverage_of(enclosure))


def test_sections_stand_in_order_and_tags_close() -> None:
    reader = _read(_html())
    headings = [a["id"] for tag, a in reader.tags if tag == "h2"]
    assert headings == SECTIONS
    assert reader.open == []


def test_nothing_is_fetched() -> None:
    html = _html()
    without_names = html.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in without_names and "https:" not in without_names
    for tag, attributes in _read(html).tags:
        source = attributes.get("src") or attributes.get("href") or ""
        assert source == "" or source.startswith(("#", "data:")), (tag, source)


def test_every_table_has_a_caption_and_ids_are_unique() -> None:
    html = _html()
    assert html.count("<table") == html.count("<caption>")
    ids = [a["id"] for _, a in _read(html).tags if a.get("id")]
    assert len(ids) == len(set(ids))


def test_text_of_the_user_is_escaped() -> None:
    html = _html(name="</script><script>alert(1)</script>")
    assert "<script>alert" not in html
    assert "ITO <b>window</b>" not in html and "ITO &lt;b&gt;window" in html


def test_gravest_doubt_comes_first() -> None:
    html = _html()
    assert html.index("ITO &lt;b&gt;") < html.index("gasket ages well")


def test_verdict_counts_and_names_what_fails() -> None:
    enclosure = camera()
    found = verdict(enclosure, proof_of(enclosure, failing="left-1-1"))
    assert (found["met"], found["targets"]) == (1, 2)
    assert found["properties"] - found["hold"] == 1
    assert found["broken"][0][0] == "left-1-1"
    assert not found["good"]
    text = _read(report_html(enclosure, proof_of(enclosure, failing="left-1-1"), FILES, {})).text
    assert "1 of 2 targets not met, 1 of 23 proved properties fail." in text
    assert "attenuation.low (41 dB instead of 60 dB)" in text


def test_one_failure_at_many_places_is_one_doubt() -> None:
    enclosure = camera()
    proof = proof_of(enclosure)
    raised = []
    for tile in proof["tiles"]:
        tile["properties"][1].update(holds=False, figure=4e-4)
        raised.append(
            replace(
                enclosure.doubts[0],
                id=f"{tile['id']}.hole.severing.any_direction",
                claim="within the bound",
                severity="error",
            )
        )
    proof["tiles"][2]["properties"][1]["figure"] = 5e-4
    enclosure = replace(enclosure, doubts=(*enclosure.doubts, *raised))
    shown = doubts_shown(enclosure, proof)
    assert len(shown) == 3
    assert "fails at 6 of 6 places" in shown[0].why and "500 µm against 300 µm" in shown[0].why
    assert proof["tiles"][2]["id"] in shown[0].why
    assert verdict(enclosure, proof)["errors"] == 0  # counted once, as properties that fail


def test_good_needs_targets_and_proof() -> None:
    met = Target(
        id="tool", required=3e-4, achieved=2e-4, unit="m", met=True, evidence="proof", sense="max"
    )
    enclosure = replace(camera(), targets=(met,))
    assert verdict(enclosure, proof_of(enclosure))["good"]
    assert not verdict(enclosure, {"tiles": []})["good"]
    assert not verdict(replace(enclosure, targets=()), proof_of(enclosure))["good"]
    assert "Nothing is proved yet." in report_html(enclosure, {"tiles": []}, [], {})


def test_an_error_of_design_is_never_good() -> None:
    met = replace(camera().targets[0], met=True)
    error = replace(camera().doubts[0], severity="error", claim="stuck between")
    enclosure = replace(camera(), targets=(met,), doubts=(*camera().doubts, error))
    found = verdict(enclosure, proof_of(enclosure))
    assert not found["good"]
    html = report_html(enclosure, proof_of(enclosure), [], {})
    assert "1 error of design." in html
    assert html.index("stuck between") < html.index("ITO &lt;b&gt;")


def test_summary_shows_the_worst_place() -> None:
    rows = {r["id"]: r for r in proof_summary(proof_of(camera(), failing="left-1-1"))}
    worst = rows["hole.severing.any_direction"]
    assert worst["place"] == "left-1-1" and worst["row"]["figure"] == 3.4e-4
    assert (worst["hold"], worst["count"]) == (5, 6)


def test_bytes_are_deterministic_and_free_of_run_time(tmp_path: Path) -> None:
    enclosure = camera()
    for name, seconds in (("a", 0.1), ("b", 9.9)):
        proof = proof_of(enclosure)
        for tile in proof["tiles"]:
            tile["properties"][0]["seconds"] = seconds
        write_report(tmp_path / name, enclosure, proof, FILES, coverage_of(enclosure))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_bare_enclosure_still_reports() -> None:
    bare = replace(
        camera(vent=False), shielding={}, air={}, seams=(), crossings=(), doubts=(), targets=(),
        alternatives=(), modules=(), totals={}, bom=(),
    )  # fmt: skip
    text = _read(report_html(bare, {}, [], {})).text
    assert "No attenuation was computed." in text and "No property was proved." in text


def _pixels(png: bytes) -> tuple[int, int, list[list[int]]]:
    """Return (width, height, rows of palette indices), checking every CRC."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        tag, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert crc == zlib.crc32(tag + body)
        if tag == b"IHDR":
            size = struct.unpack(">II", body[:8])
        data += body if tag == b"IDAT" else b""
        at += 12 + length
    raw = zlib.decompress(data)
    width, height = size
    return (
        width,
        height,
        [list(raw[r * (width + 1) + 1 : (r + 1) * (width + 1)]) for r in range(height)],
    )


def test_heat_map_marks_what_is_over_the_bound() -> None:
    width, height, rows = _pixels(heat_png([[None, 200.0], [300.0, 300.1]], 200.0, 300.0))
    assert (width, height) == (2, 2)
    assert rows == [[254, 255], [0, 1]]  # the PNG's first row is the tile's upper edge


def test_a_reduced_map_keeps_the_worst_cell() -> None:
    cells: list[list[float | None]] = [[100.0] * 1000 for _ in range(700)]
    cells[333][777] = 900.0
    width, height, rows = _pixels(heat_png(cells, 100.0, 300.0))
    assert width <= 160 and height <= 160
    assert sum(row.count(255) for row in rows) == 1


def test_viewer_triangles_cover_the_boards() -> None:
    enclosure = camera()
    data = viewer_data(enclosure, proof_of(enclosure), coverage_of(enclosure))
    json.dumps(data, allow_nan=False)
    for part in data["parts"]:
        flat = [value for ring in part["rings"] for value in ring]
        points = list(zip(flat[::2], flat[1::2], strict=True))
        corners = [points[i] for i in part["tris"]]
        area = sum(
            (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
            for a, b, c in zip(corners[::3], corners[1::3], corners[2::3], strict=True)
        )
        rings = [list(zip(r[::2], r[1::2], strict=True)) for r in part["rings"]]
        expected = sum(
            xa * yb - xb * ya
            for ring in rings
            for (xa, ya), (xb, yb) in zip(ring, ring[1:] + ring[:1], strict=True)
        )
        assert area == pytest.approx(expected, rel=1e-6) and area > 0


def test_attenuation_curve_is_where_it_belongs() -> None:
    svg = attenuation_svg(
        {
            "frequency_hz": [1e6, 1e8],
            "total_db": [0.0, 60.0],
            "targets": [{"id": "t", "f_min_hz": 1e6, "f_max_hz": 1e7, "attenuation_db": 40.0}],
        }
    )
    assert "M56.0 312.0L650.0 136.8" in svg  # 60 dB of 100
    assert "M56.0 195.2H353.0" in svg  # 40 dB of 100, half the decades
    assert attenuation_svg({}) == ""


def test_picture_is_a_well_formed_svg_with_its_crossings() -> None:
    root = ET.fromstring(picture_svg(camera()))
    titles = {node.text for node in root.iter("{http://www.w3.org/2000/svg}title")}
    assert {"window-1: window", "air-1: air", "front-1-1", "right-1-1", "top-1-1"} <= titles
    assert "copper-1: copper" not in titles  # on the rear, which cannot be seen
    assert picture_svg(camera()) == picture_svg(camera())


def test_a_rack_stays_below_the_limit() -> None:
    rack = box(
        name="rack", size=(0.6, 1.068, 2.236), columns=2, rows=4,
        vent=("front", (0.15, 0.28), (0.2, 0.4)), cell_m=0.0052,
    )  # fmt: skip
    maps = coverage_of(rack, cell_m=4e-3)
    assert len(report_html(rack, proof_of(rack), FILES * 900, maps).encode()) < 8_000_000


def test_an_oversized_report_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "MAX_BYTES", 1000)
    with pytest.raises(OutputError, match="resolution"):
        _html()


def test_script_has_no_call_to_the_network() -> None:
    script = re.findall(r"<script>(.*?)</script>", _html(), flags=re.DOTALL)[-1]
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|import\(|sendBeacon", script)
