"""The pages keep their word: links lead somewhere, commands parse, decisions are listed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest

from casemate.cli.main import parsed
from casemate.core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
DECISIONS = ROOT / "docs" / "decisions"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FOREIGN = re.compile(r"^[a-z][a-z0-9+.-]*:")


def broken_links(page: Path, text: str) -> list[str]:
    """Return relative links of a page that lead nowhere, headings included."""
    found = []
    for target in LINK.findall(FENCE.sub("", text)):
        if FOREIGN.match(target):
            continue
        path, _, heading = unquote(target).partition("#")
        aim = (page.parent / path).resolve() if path else page
        lost = not aim.exists() or not aim.is_relative_to(ROOT)
        if lost or (heading and heading not in headings(aim)):
            found.append(target)
    return found


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings as hosts of Markdown form them."""
    lines = re.findall(r"^#+ +(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-") for line in lines}


def commands(text: str) -> list[str]:
    """Return every `casemate …` command in the fences of a page, comments taken off."""
    shells = [body for kind, body in FENCE.findall(text) if kind == "sh"]
    shown = [line.strip() for body in shells for line in body.split("\n")]
    return [line for line in shown if line.startswith("casemate ")]


def complaint(command: str) -> str:
    """Return what the real parser has against a command; "" if nothing."""
    try:
        args = parsed(shlex.split(command, comments=True)[1:])
    except InputError as error:
        return str(error)
    return "" if hasattr(args, "run") else "it names no command."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_parse(page: Path) -> None:
    found = commands(page.read_text(encoding="utf-8"))
    assert {command: complaint(command) for command in found if complaint(command)} == {}


def test_readme_shows_every_command_of_the_parser() -> None:
    from casemate.cli.main import COMMANDS

    shown = {shlex.split(line, comments=True)[1] for line in commands(readme())}
    assert shown == {command.name for command in COMMANDS}


def test_specs_named_in_commands_exist_or_are_made_by_one_before() -> None:
    for page in PAGES:
        made: set[str] = set()
        for command in commands(page.read_text(encoding="utf-8")):
            args = parsed(shlex.split(command, comments=True)[1:])
            if args.command == "new":
                made.add(str(args.folder / "enclosure.toml"))
            elif getattr(args, "spec", None) is not None:
                assert str(args.spec) in made or (ROOT / args.spec).exists(), command


def test_readme_first_screen_has_picture_two_commands_and_result() -> None:
    first = readme().split("\n## ")[0]
    assert "![" in first and "docs/img/camera.svg" in first
    assert re.search(r"^make demo\b", first, re.MULTILINE)
    assert re.search(r"^make test\b", first, re.MULTILINE)
    result = next(body for kind, body in FENCE.findall(first) if kind == "text")
    assert result.startswith("camera (UNIT-0001): ")
    assert len(result.splitlines()) <= 10
    for words in ("largest hole that severs nothing", "properties proved", "targets met"):
        assert words in result


def test_picture_and_its_caption_show_the_example_as_designed() -> None:
    from casemate.design import design_enclosure
    from casemate.spec import load_spec

    spec = load_spec(ROOT / "examples" / "camera" / "enclosure.toml")
    made = design_enclosure(spec, serial="UNIT-0001", explained=False)
    size = [edge * 1e3 for edge in made.size_m]
    picture = (ROOT / "docs" / "img" / "camera.svg").read_text(encoding="utf-8")
    label = re.search(r'aria-label="[^"]*: ([\d.]+) x ([\d.]+) x ([\d.]+) mm"', picture)
    assert label is not None
    assert [float(edge) for edge in label.groups()] == pytest.approx(size, abs=0.06)
    assert " x ".join(f"{edge:.0f}" for edge in size) + " mm" in readme()


def test_make_targets_named_in_pages_exist() -> None:
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:^|`)make ([a-z]+)\b(?! sure)", text, re.MULTILINE))
        assert named <= rules, page


def test_every_decision_is_in_the_index_once() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    listed = [unquote(target) for target in LINK.findall(index)]
    files = {path.name for path in DECISIONS.glob("*.md")} - {"README.md"}
    assert sorted(listed) == sorted(files)


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("0*.md")), ids=lambda page: page.stem)
def test_numbered_decision_has_its_four_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parts = ("Context", "Options", "Decision", "Consequences")
    places = [text.find(f"**{part}.**") for part in parts]
    assert -1 not in places and places == sorted(places)
    assert text.startswith(f"# {int(page.name[:4])}. ")


def test_every_dependency_is_in_its_decision() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    text = (DECISIONS / "0001-dependencies.md").read_text(encoding="utf-8")
    names = {re.split(r"[<>=!~\[ ]", row, maxsplit=1)[0] for row in rows}
    assert {name for name in names if name not in text} == set()


def test_property_ids_of_proof_page_are_those_of_the_program() -> None:
    page = (ROOT / "docs" / "formats" / "proof.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z]+\.[a-z_.]+)` \|", page, re.MULTILINE))
    source = "".join(
        (ROOT / "src" / "casemate" / name).read_text(encoding="utf-8")
        for name in ("mesh/prove.py", "mesh/patch.py", "fabricate/bundle.py")
    )
    written = set(re.findall(r"at_(?:most|least)\(\s*\"([a-z]+\.[a-z_.]+)\"", source))
    assert listed == {name for name in written if not name.startswith(("seam.", "crossing."))}
    assert all(f"`{name}`" in page for name in written)


def test_pages_name_no_path_of_a_machine() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(?:home|work|tmp|root|Users)/", text), page


def test_the_checks_find_planted_faults() -> None:
    page = ROOT / "README.md"
    assert broken_links(page, "[a](docs/none.md) [b](README.md#no-such-part)") == [
        "docs/none.md",
        "README.md#no-such-part",
    ]
    assert broken_links(page, "[c](../outside.md) [d](https://example.org) [e](LICENSE)") == [
        "../outside.md"
    ]
    assert commands("```sh\ncasemate biuld x  # no\n```\n") == ["casemate biuld x  # no"]
    assert "biuld" in complaint("casemate biuld x")
    assert complaint("casemate build x") and complaint("casemate build x -o y --swift")
    assert complaint("casemate build x -o y --serial A  # fine") == ""


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")
