"""A controller that was killed between its memory and the record of it: no alarm of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_faults import Life, alarms
from test_runtime_tpm import needs

from casemate.attest import claims as c
from casemate.attest.token import peek
from casemate.control.evidence import Item, Say, Writer
from casemate.translog.bundle import read_bundle

__all__ = ["needs"]


@pytest.mark.slow
def test_commissioning_that_was_never_told_is_told_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory says ARMED, the log COMMISSIONING: verifiers saw a jump of state in that."""
    put = Writer.put

    def killed(self: Writer, item: Item) -> None:
        if isinstance(item, Say) and isinstance(item.body, c.Change):
            self.put = lambda _item: None  # type: ignore[method-assign]
        else:
            put(self, item)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "put", killed)
        life = Life(tmp_path, keys="tpm")
        try:
            life.reaches("ARMED")
            life.watches()
        finally:
            life.close()
    life = Life(tmp_path, keys="tpm")
    try:
        life.watches()
        assert (life.state(), life.status()["keys"]) == ("UNKNOWN", "SEALED")
        life.until(lambda: life.status()["log_entries"] >= 3, "nothing is told")
    finally:
        life.close()
    told = [peek(each)[1].state for each in read_bundle(tmp_path / "evidence").entries]
    assert told[:3] == ["COMMISSIONING", "COMMISSIONING", "UNKNOWN"]
    assert alarms(tmp_path) == set()
