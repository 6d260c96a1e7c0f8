"""Whatever the arguments and the file, the command line answers with a code and one message."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.cli import main

ROOT = Path(__file__).parents[2]
GOOD = (ROOT / "examples" / "dpa" / "enclosure.toml").read_bytes()
SHORT = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def called(arguments: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    assert "Traceback" not in err.getvalue()
    return code, out.getvalue(), err.getvalue()


@SHORT
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=8), st.integers(0, 40))
def test_damaged_file(tmp_path: Path, at: int, junk: bytes, gone: int) -> None:
    path = tmp_path / "enclosure.toml"
    path.write_bytes(GOOD[:at] + junk + GOOD[at + gone :])
    code, out, err = called(["check", str(path), "--json"])
    answer = json.loads(out)
    if code == 0:
        assert answer["good"] is True and err == ""
    else:
        assert code == 2
        assert answer["error"]["remedy"] and answer["error"]["file"] == str(path)
        assert err.count("Remedy: ") >= 1


@SHORT
@given(st.lists(st.one_of(st.sampled_from(["check", "--json", "--schema", "-o"]), st.text())))
def test_any_arguments(arguments: list[str]) -> None:
    code, _, err = called(["check", *arguments])
    assert code in (0, 2)
    assert code == 0 or err


@SHORT
@given(st.text())
def test_any_folder_name(tmp_path: Path, name: str) -> None:
    place = tmp_path / name.replace("/", "_").replace("..", "_")
    code, _, err = called(["new", "dpa", str(place)])
    written = sorted(each.name for each in place.iterdir()) if code == 0 else []
    assert (code == 0 and "enclosure.toml" in written) or (code == 2 and "Remedy: " in err)
    assert not list(tmp_path.rglob(".enclosure.*"))
