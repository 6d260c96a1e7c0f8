"""`casemate twin SPEC`: a scene shown, its files, its exit codes, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from casemate.attacks.catalogue import MOVES
from casemate.cli import main


@pytest.fixture(scope="module")
def home(small_case: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a secret and the boards that were drawn for the small case."""
    folder = tmp_path_factory.mktemp("twin")
    shutil.copy(small_case / "secret", folder)
    shutil.copytree(small_case / "out" / ".work" / "boards", folder / "out" / "boards")
    return folder


def twin(spec: Path, home: Path, *rest: str) -> int:
    """Run the command in `home`."""
    place = ["-o", str(home / "out"), "--secret-file", str(home / "secret")]
    return main(["twin", str(spec), *place, *rest])


def never(*_: object) -> None:
    """Stand where nobody comes."""
    raise AssertionError


def document(home: Path) -> dict[str, object]:
    """Return twin.json."""
    held: dict[str, object] = json.loads((home / "out" / "twin.json").read_text())
    return held


def test_a_drill_is_shown_before_during_and_after(
    small_spec: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert twin(small_spec, home, "--attack", "drill", "--set", "diameter_m=0.6 mm") == 0
    shown = capsys.readouterr().out
    assert "simulated" in shown and "attack potential" in shown
    assert re.search(r"loop_resistance +[\d.]+ ohm +open +open", shown)
    held = document(home)
    assert held["evidence"] == "simulation" and held["noticed"] is True
    rows = {row["modality"]: row for row in held["seen"]}  # type: ignore[index, attr-defined]
    assert set(rows) == {"loop_resistance", "mesh_capacitance", "tdr", "rf_cavity", "environment"}
    assert rows["loop_resistance"]["sight"] == "sees" and not rows["tdr"]["in_design"]
    phases = [part["phase"] for part in rows["loop_resistance"]["phases"]]
    assert phases == ["before", "during", "after"]
    assert rows["loop_resistance"]["phases"][0]["residual_over_noise"] < 6.0
    page = (home / "out" / "twin.html").read_text()
    assert "Simulated" in page and "<svg" in page and "http" not in page


def test_the_same_seed_gives_the_same_bytes(small_spec: Path, home: Path) -> None:
    both = []
    for _ in range(2):
        twin(small_spec, home, "--attack", "laser", "--seed", "5")
        both.append([(home / "out" / name).read_bytes() for name in ("twin.json", "twin.html")])
    assert both[0] == both[1]
    twin(small_spec, home, "--attack", "laser", "--seed", "6")
    assert (home / "out" / "twin.json").read_bytes() != both[0][0]


def test_nothing_done_is_not_an_alarm(
    small_spec: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it asked why each module was chosen, which takes seconds."""
    monkeypatch.setattr("casemate.design.explain.reasons", never)
    monkeypatch.setattr("casemate.design.explain.alternatives", never)
    assert twin(small_spec, home) == 0
    held = document(home)
    assert held["effects"] == 0
    for row in held["seen"]:  # type: ignore[attr-defined]
        assert row["sight"] == "blind"


def test_what_nothing_notices_has_exit_code_one(small_spec: Path, home: Path) -> None:
    assert twin(small_spec, home, "--attack", "xray") == 1
    assert document(home)["noticed"] is False


def test_a_plan_has_its_own_places(
    small_spec: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert twin(small_spec, home, "--attack", "jam-then-drill", "--json") == 0
    held = json.loads(capsys.readouterr().out)
    sights = {row["modality"]: row["sight"] for row in held["seen"]}
    assert sights["rf_cavity"] == "interference" and sights["loop_resistance"] == "sees"
    assert twin(small_spec, home, "--attack", "jam-then-drill", "--tile", "front-1-1") == 2


def test_the_list_of_moves_needs_no_design(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["twin", "--moves"]) == 0
    shown = capsys.readouterr().out
    assert all(each.id in shown for each in MOVES)
    assert main(["twin", "--moves", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["moves"]) == len(MOVES)


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (["--attack", "dril"], "did you mean drill"),
        (["--attack", "drill", "--set", "diameter_m=5"], "range"),
        (["--attack", "drill", "--set", "size=5"], "size"),
        (["--attack", "drill", "--set", "diameter_m"], "NAME=VALUE"),
        (["--attack", "drill", "--set", "diameter_m=0.3 kg"], "diameter_m"),
        (["--attack", "drill", "--set", "diameter_m=nan"], "diameter_m"),
        (["--attack", "drill", "--tile", "front-9-9"], "front-9-9"),
        (["--attack", "drill", "--tile", "front-1-1", "--at", "9 m,9 m"], "not on the board"),
        (["--attack", "drill", "--tile", "front-1-1", "--at", "9"], "--at"),
        (["--attack", "drill", "--at", "9 mm,9 mm"], "--tile"),
        (["--attack", "drill", "--near", "moon"], "--near"),
        (["--attack", "none.toml"], "none.toml"),
        (["--set", "a=1"], "--attack"),
        (["--site", "moon"], "sites"),
        (["--seed", "-1"], "--seed"),
        (["--places", "0"], "--places"),
    ],
)
def test_bad_input_names_itself_and_the_remedy(
    rest: list[str], words: str, small_spec: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert twin(small_spec, home, *rest) == 2
    said = capsys.readouterr().err
    assert words in said and "Remedy" in said and "Traceback" not in said


def test_a_spec_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["twin", "--attack", "drill"]) == 2
    assert "SPEC" in capsys.readouterr().err


def test_a_damaged_board_is_drawn_again(small_spec: Path, home: Path) -> None:
    twin(small_spec, home, "--attack", "probe")
    whole = (home / "out" / "twin.json").read_bytes()
    board = next(iter(sorted((home / "out" / "boards").iterdir())))
    (board / "board.npz").write_bytes(b"not a board")
    twin(small_spec, home, "--attack", "probe")
    assert (home / "out" / "twin.json").read_bytes() == whole
