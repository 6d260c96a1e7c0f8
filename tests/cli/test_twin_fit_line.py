"""casemate twin fit-line, end to end on made lines; errors name file and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from casemate.cli import main
from casemate.core.touchstone import read_touchstone, touchstone_text
from casemate.twin.line_board import BoardModel, Segment, two_port
from casemate.twin.line_fit import board_of
from casemate.twin.line_launch import IDEAL

LAYOUT = """
[board]
height = "1.5 mm"
copper = "50 um"
epsilon_r = 4.5
standard_width = "3 mm"

[[segments]]
width = "3 mm"
length = "50 mm"

[[segments]]
width = "1 mm"
length = "30 mm"

[[segments]]
width = "3 mm"
length = "50 mm"
"""
TRUTH = BoardModel(
    board=board_of(height_m=1.5e-3, copper_m=50e-6, epsilon_r=4.4, tan_delta=0.018), launch=IDEAL
)
F_HZ = np.linspace(1e7, 1e10, 100)


def made(path: Path, *segments: tuple[float, float], noise: float = 1e-3) -> Path:
    """Write a made measurement of a line."""
    line = tuple(Segment(width_m=width_m, length_m=length_m) for width_m, length_m in segments)
    s = two_port(TRUTH, line, F_HZ)
    s = s + noise * np.random.default_rng(1).standard_normal(s.shape)
    path.write_text(touchstone_text(F_HZ, s))
    return path


@pytest.fixture
def bench(tmp_path: Path) -> list[str]:
    """Two thrus and a layout; the arguments of a good call."""
    made(tmp_path / "thru_100.s2p", (3e-3, 0.1))
    made(tmp_path / "thru_200.s2p", (3e-3, 0.2))
    (tmp_path / "layout.toml").write_text(LAYOUT)
    return [
        "twin", "fit-line", str(tmp_path / "thru_100.s2p"), str(tmp_path / "thru_200.s2p"),
        "--predict", str(tmp_path / "layout.toml"), "-o", str(tmp_path / "out" / "p.s2p"),
    ]  # fmt: skip


def test_a_known_board_is_found_and_a_stepped_line_predicted(
    bench: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = made(tmp_path / "thru_150.s2p", (3e-3, 0.15))
    page = tmp_path / "page.html"
    assert main([*bench, "--hold-out", str(held), "--picture", str(page), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    figures = {each["name"]: each for each in told["parameters"]}
    assert figures["epsilon_r"]["value"] == pytest.approx(4.4, abs=0.02)
    assert figures["tan_delta"]["value"] == pytest.approx(0.018, abs=1e-3)
    assert told["good"] and told["doubts"] == [] and told["passivity_excess"] < 1e-3
    judged = {each["file"]: each for each in told["files"]}
    assert not judged["thru_150.s2p"]["fitted"]
    assert judged["thru_150.s2p"]["deviations"][2]["linear"] < 0.01
    found = read_touchstone(tmp_path / "out" / "p.s2p")
    line = (Segment(width_m=3e-3, length_m=0.05), Segment(width_m=1e-3, length_m=0.03),
            Segment(width_m=3e-3, length_m=0.05))  # fmt: skip
    truth = two_port(TRUTH, line, F_HZ)
    assert np.sqrt(np.mean(np.abs(found.s - truth) ** 2)) < 0.01
    assert "<svg" in page.read_text() and "http" not in page.read_text()


def test_people_are_told_figures_and_doubts(
    bench: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*bench[:2], bench[2], *bench[4:]]) == 0
    out = capsys.readouterr().out
    assert out.startswith("DOUBT: all thrus have one length") and "epsilon_r" in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('"1.5 mm"', '"1.5"'), "board.height"),
        (lambda text: text.replace("copper", "coper"), "coper"),
        (lambda text: text.replace('width = "1 mm"', 'width = "1 kg"'), "segments[1].width"),
        (lambda _text: "[board", "not TOML"),
        (lambda text: text.split("[[segments]]")[0], "segments"),
        (
            lambda text: text + '[sweep]\nf_min = "1 GHz"\nf_max = "20 GHz"\npoints = 11\n',
            "not fitted at this frequency",
        ),
    ],
)
def test_a_wrong_layout_is_named_before_anything_is_fitted(
    change: object, said: str, bench: list[str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("casemate.twin.line_predict.fit_board", None)
    (tmp_path / "layout.toml").write_text(change(LAYOUT))  # type: ignore[operator]
    assert main(bench) == 2
    error = capsys.readouterr().err
    assert said in error and "Remedy: " in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("thru_100.s2p", "not a measurement", "Touchstone"),
        ("thru_100.s2p", "", "Touchstone"),
        ("what.s2p", None, "says what this file is"),
        ("open_50.s2p", None, "does not have 2 ports"),
        ("thru_100.csv", None, "does not end in"),
        ("none_50.s2p", "absent", "no such file"),
    ],
)
def test_a_wrong_file_is_named(
    name: str, text: str | None, said: str, bench: list[str], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / name
    if text is None:
        path.write_text((tmp_path / "thru_200.s2p").read_text())
    elif text != "absent":
        path.write_text(text)
    assert main([*bench[:2], str(path), *bench[3:]]) == 2
    error = capsys.readouterr().err
    assert said in error and name in error and "Remedy: " in error


def test_no_thru_and_wrong_output_are_refused(
    bench: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_end = tmp_path / "open_50.s1p"
    open_end.write_text("# HZ S RI R 50\n" + "".join(f"{f:.0f} 1 0\n" for f in F_HZ))
    assert main([*bench[:2], str(open_end), *bench[4:]]) == 2
    assert "no thru is among the files" in capsys.readouterr().err
    assert main([*bench[:-1], str(tmp_path / "p.txt")]) == 2
    assert "does not end in .s2p" in capsys.readouterr().err
    assert main(["twin"]) == 2


def test_a_line_that_is_not_explained_is_a_finding(bench: list[str], tmp_path: Path) -> None:
    made(tmp_path / "thru_200.s2p", (0.5e-3, 0.17))
    assert main(bench) == 1


def test_an_old_output_survives_a_failure(
    bench: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    place = tmp_path / "out" / "p.s2p"
    place.parent.mkdir()
    place.write_text("old")

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert main(bench) == 2
    assert place.read_text() == "old" and list(place.parent.iterdir()) == [place]
