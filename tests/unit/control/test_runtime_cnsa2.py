"""The small enclosure by suite cnsa2, up to the last word: ML-DSA-87 and SHA-384."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from small_enclosure import SmallFar, pretty, wait_for, wanted

from casemate.attest.reference import load
from casemate.attest.token import peek
from casemate.cli.permit import SUITE_NAMES
from casemate.control.demo_parties import demo_parties
from casemate.control.runtime import Runtime
from casemate.control.setting import Setting
from casemate.core.errors import InputError
from casemate.core.suites import DEFAULT_SUITE, ML_DSA_87, SUITES
from casemate.translog.bundle import read_bundle
from casemate.translog.policy import parse
from casemate.verify import appraise

CNSA2 = SUITES["cnsa2"]


def test_command_line_names_the_suites() -> None:
    assert tuple(SUITES) == SUITE_NAMES and SUITE_NAMES[0] == DEFAULT_SUITE.name


def test_demo_keys_of_another_suite_are_refused(tmp_path: Path) -> None:
    first = demo_parties(tmp_path, CNSA2)
    assert [key.public.alg for each in first for key in each.keys] == [ML_DSA_87, ML_DSA_87]
    assert [each.party for each in demo_parties(tmp_path, CNSA2)] == [p.party for p in first]
    with pytest.raises(InputError, match="of another suite than ed25519"):
        demo_parties(tmp_path)


def live(folder: Path, far: SmallFar) -> Runtime:
    setting = Setting(wanted(folder, suite=CNSA2))
    return Runtime(setting, far, approve=False, recommission=False)  # type: ignore[arg-type]


def said_last(folder: Path) -> bool:
    return any(peek(each)[1].kind == "last" for each in read_bundle(folder / "evidence").entries)


@pytest.mark.slow
def test_from_commissioning_to_the_last_word(tmp_path: Path) -> None:
    far = SmallFar()
    runtime = live(tmp_path, far)
    try:
        runtime.start()
        status = runtime.status
        assert wait_for(lambda: status()["state"] == "ARMED"), pretty(status())
        time.sleep(2.0)
        far.cut = True
        assert wait_for(lambda: status()["state"] == "TAMPERED"), pretty(status())
        assert wait_for(lambda: said_last(tmp_path))
        assert runtime.erasure is not None and runtime.erasure.complete
    finally:
        runtime.close()
    bundle = read_bundle(tmp_path / "evidence")
    items = [peek(each) for each in bundle.entries]
    assert {each.alg for item, _ in items for each in item.signatures} == {ML_DSA_87}
    assert {len(token.previous) for _, token in items[1:]} == {48}
    reference = load((tmp_path / "trust" / "reference.json").read_bytes())
    found: Any = appraise(
        bundle, reference, parse((tmp_path / "trust" / "policy").read_bytes()),
        now_s=int(time.time()),
    )  # fmt: skip
    assert found.state == "TAMPERED"
    assert [each.id for each in found.findings if each.severity == "alarm"] == ["state.tampered"]
    assert "proven" in {each.kind for each in found.intervals}
