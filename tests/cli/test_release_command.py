"""Release roots from end to end: keys, pins, signatures, and what `verify` makes of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from casemate.attest import release as releases
from casemate.attest.reference_write import as_json
from casemate.cli.main import main
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import story
from outside_programs import package

package("pqcrypto")

NOW = "2027-01-15T08:06:50Z"
SMALL = ("--set", "SLH-DSA-SHA2-128s")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence, and a folder of trust whose two roots have signed."""
    root = tmp_path_factory.mktemp("site")
    honest.write_bundle(story().bundle(), root / "evidence")
    (root / "trust").mkdir()
    (root / "trust/policy").write_bytes(honest.policy_text())
    (root / "trust/reference.json").write_text(as_json(honest.reference()))
    for name in ("north", "south"):
        assert done("key", root / name, "--name", name, *SMALL) == 0
    assert done("pin", root / "trust", root / "north.pub", root / "south.pub") == 0
    for name in ("north", "south"):
        assert done("sign", root / "trust", "--key", root / name) == 0
    return root


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    """That, to be altered."""
    shutil.copytree(site, tmp_path / "copy")
    return tmp_path / "copy"


def done(*arguments: object) -> int:
    return main(["release", *(str(each) for each in arguments)])


def verify(site: Path, *arguments: str) -> int:
    return main(
        ["verify", str(site / "evidence"), "--trust", str(site / "trust"), "--now", NOW, *arguments]
    )


def test_released_values_are_taken_and_the_roots_named(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(site) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[2].startswith("reference values of version ") and rows[2].endswith("north, south")
    assert rows[-1] == "no finding"
    assert verify(site, "--json") == 0
    assert json.loads(capsys.readouterr().out)["release"]["roots"] == ["north", "south"]
    assert (site / "north").stat().st_mode & 0o077 == 0


def altered_values(home: Path) -> None:
    path = home / "trust/reference.json"
    path.write_text(path.read_text().replace('"late_ms": ', '"late_ms": 1'))


def unsigned(home: Path) -> None:
    (home / "trust" / releases.RELEASE_FILE).unlink()


def signed_by_one(home: Path) -> None:
    unsigned(home)
    assert done("sign", home / "trust", "--key", home / "north") == 0


def damaged(home: Path) -> None:
    path = home / "trust" / releases.RELEASE_FILE
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def signed_by_another(home: Path) -> None:
    unsigned(home)
    assert done("key", home / "thief", "--name", "north", *SMALL) == 0
    for name in ("thief", "south"):
        assert done("sign", home / "trust", "--key", home / name) == 0


def older_than_pinned(home: Path) -> None:
    roots = (home / "north.pub", home / "south.pub")
    assert done("pin", home / "trust", *roots, "--oldest", 1000) == 0


def beside_other_values(home: Path) -> None:
    """The signed file stays, and the one that is read is another."""
    altered_values(home)
    shutil.copy(home / "trust/reference.json", home / "trust/reference.cbor")


def test_link_that_leads_nowhere_does_not_unpin(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = copy / "trust" / releases.ROOTS_FILE
    roots.unlink()
    roots.symlink_to(copy / "gone")
    assert verify(copy) == 2
    roots.unlink()
    capsys.readouterr()
    assert verify(copy) == 0
    assert "release.cbor is not checked: no release roots are pinned" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (altered_values, "signed other reference values"),
        (unsigned, "there is no release.cbor"),
        (signed_by_one, "south did not"),
        (damaged, "does not fit"),
        (signed_by_another, "north did not"),
        (older_than_pinned, "older than 1000"),
        (beside_other_values, "signed other reference values"),
    ],
)
def test_bad_or_missing_release_refuses_with_the_reason(
    copy: Path, capsys: pytest.CaptureFixture[str], harm: object, why: str
) -> None:
    assert callable(harm)
    harm(copy)
    capsys.readouterr()
    code = verify(copy)
    said = capsys.readouterr()
    assert code == 1 and why in said.err and "Remedy" in said.err and said.out == ""


def test_new_values_begin_a_new_release(copy: Path) -> None:
    altered_values(copy)
    assert done("sign", copy / "trust", "--key", copy / "north") == 0
    assert len(releases.parse((copy / "trust" / releases.RELEASE_FILE).read_bytes())[2]) == 1
    assert done("sign", copy / "trust", "--key", copy / "south") == 0
    assert verify(copy) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "north", "--name", "again"),
        ("pin", "trust", "nowhere.pub"),
        ("pin", "trust", "north"),
        ("pin", "trust", "north.pub", "north.pub"),
        ("pin", "trust", "north.pub", "--least", "2"),
        ("sign", "trust", "--key", "north.pub"),
        ("sign", ".", "--key", "north"),
        ("sign", "trust"),
    ],
)
def test_wrong_arguments_are_refused(
    copy: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(copy)
    try:
        code = done(*arguments)
    except Exception as error:
        pytest.fail(f"{error!r}")
    assert code == 2 and "Remedy" in capsys.readouterr().err
