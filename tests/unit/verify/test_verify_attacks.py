"""Each attack leads to the finding that it must lead to, and to nothing good."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import pytest
import verify_samples
from verify_samples import GOLDEN, KIND_MARKS, MARKS, PAGE, attacked, ids, judged

from casemate.testing.malicious_host import ATTACKS
from casemate.verify import ear
from casemate.verify.findings import CLAIMS, KINDS, SEVERITIES


@lru_cache(maxsize=1)
def golden() -> Any:
    return json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_found(name: str) -> None:
    result = judged(name)
    assert ATTACKS[name].finds in ids(result)
    severity = KINDS[ATTACKS[name].finds].severity
    assert (result.exit_code == 0) is (result.worst == "note")
    assert result.exit_code != 0 or result.state in ("ARMED", "MAINTENANCE")
    tier = ear.claims(result)["submods"]["camera"]["ear.status"]
    if severity == "note":
        assert (result.exit_code, tier) == (0, "affirming")
    else:
        assert result.exit_code in (1, 3) and tier != "affirming"
    if severity == "alarm":
        assert (result.exit_code, tier) == (1, "contraindicated")
        assert result.state in ("UNKNOWN", "TAMPERED")


@pytest.mark.parametrize("name", ATTACKS)
def test_time_is_told_without_holes(name: str) -> None:
    shown = attacked(name)
    found = judged(name).intervals
    assert all(each.length_s > 0 for each in found)
    assert all(one.end_s == two.start_s for one, two in zip(found, found[1:], strict=False))
    if found:
        assert found[-1].end_s >= shown.now_s


def test_every_kind_is_led_to_by_an_attack() -> None:
    assert {each.finds for each in ATTACKS.values()} == set(KINDS)


def test_verdicts_are_as_reviewed() -> None:
    """Whole verdicts, so that a check that finds too much, or at another place, is seen as well."""
    found = json.loads(json.dumps(verify_samples.verdicts()))
    assert set(found) == set(golden())
    for name, verdict in found.items():
        assert verdict == golden()[name], name


def test_page_is_current() -> None:
    text = PAGE.read_text()
    assert MARKS[0] + verify_samples.table() + MARKS[1] in text
    assert KIND_MARKS[0] + verify_samples.kinds_table() + KIND_MARKS[1] in text


def test_kinds_are_whole() -> None:
    for kind in KINDS.values():
        assert kind.severity in SEVERITIES and kind.claim in CLAIMS
        assert kind.meaning and kind.remedy
