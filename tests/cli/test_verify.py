"""`casemate verify` on folders, as an inspector runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from casemate.attest.reference_write import as_cbor, as_json
from casemate.cli.main import main
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import ATTACKS, story

NOW = "2027-01-15T08:06:50Z"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site")
    honest.write_bundle(story().bundle(), root / "out/evidence")
    for folder in ("inspector", "out/trust"):
        (root / folder).mkdir()
        (root / folder / "policy").write_bytes(honest.policy_text())
    (root / "inspector/reference.json").write_text(as_json(honest.reference()))
    (root / "out/trust/reference.cbor").write_bytes(as_cbor(honest.reference()))
    (root / "kept").write_bytes(story().notes[3])
    return root


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["verify", *map(str, arguments)])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_good(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, site / "out/evidence", "--trust", site / "inspector", "--now", NOW,
        "--since", site / "kept", "--since", site / "out/evidence",
    )  # fmt: skip
    assert code == 0
    rows = out.splitlines()
    assert rows[0] == "ARMED, proven since 2027-01-15T08:00:30Z, seen 2027-01-15T08:06:30Z"
    assert "  2027-01-15T08:00:30Z 2027-01-15T08:06:30Z PROVEN" in rows
    assert rows[-1] == "no finding"


def test_trust_that_travels_is_never_enough(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, site / "out/evidence", "--now", NOW)
    assert code == 1
    assert "by trust that came with it" in out.splitlines()[0]
    assert "WARNING trust.travels" in out and "--trust DIR" in out
    code, out, _ = run(capsys, site / "out/evidence", "--now", NOW, "--json")
    assert json.loads(out)["ear"]["submods"]["camera"]["ear.status"] == "warning"


def test_no_trust_is_refused_with_the_remedy(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    honest.write_bundle(story().bundle(), tmp_path / "evidence")
    code, _, err = run(capsys, tmp_path / "evidence", "--now", NOW)
    assert code == 2 and "reference.json" in err and "--trust DIR" in err
    (tmp_path / "empty").mkdir()
    code, _, err = run(capsys, site / "out/evidence", "--trust", tmp_path / "empty")
    assert code == 2 and "no reference values" in err
    (tmp_path / "empty/reference.json").write_text(as_json(honest.reference()))
    code, _, err = run(capsys, site / "out/evidence", "--trust", tmp_path / "empty")
    assert code == 2 and "no policy" in err
    (tmp_path / "empty/policy").write_bytes(b"quorum x\n")
    code, _, err = run(capsys, site / "out/evidence", "--trust", tmp_path / "empty")
    assert code == 2 and "line 1" in err
    (tmp_path / "empty/reference.json").write_text("{}")
    assert run(capsys, site / "out/evidence", "--trust", tmp_path / "empty")[0] == 2


def test_json_says_all(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (site / "out/evidence", "--trust", site / "inspector", "--json")
    code, out, _ = run(capsys, *arguments, "--now", 1_800_005_000)
    found = json.loads(out)
    assert code == found["exit_code"] == 3
    assert found["format"] == "casemate-verdict-1"
    assert [each["id"] for each in found["findings"]] == ["time.stale"]
    assert found["state"] == "UNKNOWN" and found["since"] == "2027-01-15T08:06:30Z"
    assert found["gaps"][-1]["seconds"] == 1_800_005_000 - story().now_s
    code, out, _ = run(capsys, *arguments, "--now", 1_800_005_000, "--stale", 10_000)
    assert code == 0


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("open-it", 1, "TAMPERED since 2027-01-15T08:06:30Z, token 14: tampering was detected"),
        ("freeze", 3, "UNKNOWN since 2027-01-15T08:06:30Z"),
        ("take-the-name", 1, "EVIDENCE DOES NOT HOLD at 2027-01-15T08:06:30Z, token 14"),
        ("restart", 1, "ARMED, proven since 2027-01-15T08:07:10Z"),
        ("withhold-the-last-word", 1, "TAMPERED since"),
    ],
)
def test_first_line_says_what_happened_and_since_when(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int, text: str
) -> None:
    shown = ATTACKS[name].run()
    honest.write_bundle(shown.bundle, tmp_path / "evidence")
    found, out, _ = run(
        capsys, tmp_path / "evidence", "--trust", site / "inspector", "--now", shown.now_s
    )
    assert found == code
    assert out.startswith(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--now", "yesterday"),
        ("--now", "-5"),
        ("--stale", "-1"),
        ("--stale", "x"),
        ("--since", "nowhere"),
        ("--trust", "nowhere"),
    ],
)
def test_wrong_arguments(
    site: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str]
) -> None:
    code, _, err = run(capsys, site / "out/evidence", "--trust", site / "inspector", *arguments)
    assert (code == 2 and "Remedy" in err) or "remedy" in err.lower()


def test_no_bundle(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "nothing", tmp_path, site / "kept"):
        code, _, err = run(capsys, path, "--trust", site / "inspector")
        assert code == 2 and err


def test_verifier_runs_without_the_rest(site: Path) -> None:
    """No numpy, no network: whoever verifies loads formats, cbor2 and cryptography alone."""
    script = (
        "import sys; from casemate.cli.main import main; "
        f"code = main(['verify', {str(site / 'out/evidence')!r}, '--trust', "
        f"{str(site / 'inspector')!r}, '--now', {NOW!r}]); "
        "heavy = {'numpy', 'numba', 'pydantic', 'socket', 'ssl', 'http.client', 'pqcrypto'}; "
        "heavy |= {'casemate.twin', 'casemate.detect', 'casemate.control', 'casemate.spec'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
