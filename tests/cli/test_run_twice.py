"""`casemate run` on a folder that runs already: told at once, and nothing of it is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.cli import main, run
from casemate.core.alone import LOCK, alone


def test_a_second_run_is_refused_before_it_touches_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "_project", lambda _args: None)  # anything after it would fail
    (tmp_path / "proof.json").write_text("{}")
    (tmp_path / "run").mkdir()
    with alone(tmp_path / "run", what="held.", remedy="wait."):
        assert main(["run", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "runs already" in said and "Remedy: end that `casemate run`" in said
    assert sorted(each.name for each in (tmp_path / "run").iterdir()) == [LOCK]
    with pytest.raises(AttributeError):  # free again: it goes on to the project
        main(["run", str(tmp_path)])
