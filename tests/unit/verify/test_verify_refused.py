"""What is not known is refused, and no part of the trust can be left out."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from verify_samples import ids, judge, maintained

import casemate.verify
from casemate.attest.reference import Reference
from casemate.attest.token import SensorHealth
from casemate.core.errors import CasemateError, InputError
from casemate.core.suites import ML_DSA_44
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import show, story
from casemate.translog.policy import parse as parse_policy
from casemate.translog.signers import witness_key
from casemate.verify import ear

BASE = honest.reference()
UNIT = BASE.units[0]


def test_another_enclosure_or_serial_is_refused_with_a_reason() -> None:
    shown = show(story())
    for reference in (
        replace(BASE, enclosure="safe"),
        replace(BASE, units=(replace(UNIT, serial="UNIT-0002"),)),
    ):
        with pytest.raises(InputError) as caught:
            judge(shown, reference=reference)
        assert caught.value.remedy and caught.value.file == "reference.json"


@pytest.mark.parametrize("kept", [b"", b"no note", "foreign"])
def test_kept_checkpoint_of_another_log_is_refused(kept: bytes | str) -> None:
    told = story()
    if isinstance(kept, str):
        kept = told.copy().seal(signers=honest.keys("host"))
    with pytest.raises(CasemateError):
        judge(show(told, since=(kept,)))
    other = replace(told.stated(), origin="example.org/other")
    with pytest.raises(CasemateError):
        judge(show(told, since=(told.copy().seal(stated=other),)))


REMOVED: dict[str, tuple[Callable[[], Reference], str]] = {
    "software": (lambda: replace(BASE, software=BASE.software[1:]), "software.unknown"),
    "a part's software": (lambda: replace(BASE, software=BASE.software[:1]), "software.unknown"),
    "the part's name": (
        lambda: replace(BASE, software=(BASE.software[0], replace(BASE.software[1], name="other"))),
        "software.unknown",
    ),
    "anchors": (
        lambda: replace(BASE, units=(replace(UNIT, anchors=UNIT.anchors[1:]),)),
        "anchor.unknown",
    ),
    "the new anchor": (
        lambda: replace(BASE, units=(replace(UNIT, anchors=UNIT.anchors[:1]),)),
        "anchor.unknown",
    ),
    "modules": (lambda: replace(BASE, units=(replace(UNIT, modules=()),)), "module.unknown"),
    "rules": (lambda: replace(BASE, rules=()), "permit.invalid"),
    "a party": (lambda: replace(BASE, parties=BASE.parties[:1]), "permit.invalid"),
    "suites": (
        lambda: replace(BASE, suites=(replace(BASE.suites[0], until_s=honest.START_S),)),
        "suite.downgraded",
    ),
    "the origin": (
        lambda: replace(BASE, units=(replace(UNIT, origin="example.org/x"),)),
        "log.origin",
    ),
    "the beginning of keys": (
        lambda: replace(
            BASE, units=(replace(UNIT, enrolments=(replace(UNIT.enrolments[0], sequence=3),)),)
        ),
        "signature.key",
    ),
}


@pytest.mark.parametrize("name", REMOVED)
def test_nothing_is_affirmed_without(name: str) -> None:
    told, _ = maintained()
    reference, kind = REMOVED[name]
    result = judge(show(told), reference=reference())
    assert kind in ids(result)
    assert result.exit_code == 1
    assert ear.claims(result)["submods"]["camera"]["ear.status"] in ("contraindicated", "warning")


@pytest.mark.parametrize("quorum", ["none", "q"])
def test_policy_without_witnesses_proves_nothing(quorum: str) -> None:
    rows = honest.policy_text().decode().splitlines()
    logs = [row for row in rows if row.startswith("log ")]
    if quorum == "q":  # witnesses whom nobody knows
        key = honest.Key(ML_DSA_44, "stranger")
        logs += [f"witness s {witness_key('s', key.public).vkey()}", "group q 1 s"]
    policy = parse_policy("\n".join([*logs, f"quorum {quorum}", ""]).encode())
    result = judge(show(story()), policy=policy)
    assert ids(result) == {"log.cosignatures"}
    assert (result.exit_code, result.state, result.proven) == (3, "UNKNOWN", 0)
    assert not [each for each in result.intervals if each.kind == "proven"]


def test_claims_of_the_result() -> None:
    told = story()
    good = ear.claims(judge(show(told)))["submods"]["camera"]
    assert good["ear.status"] == "affirming"
    assert set(good["ear.trustworthiness-vector"].values()) == {2}
    told.watch(signers=told.evidence[:1])
    told.software = honest.READER
    told.watch(health=SensorHealth(channels=8, healthy=7, flags=1))
    told.seal()
    bad = ear.claims(judge(show(told)))["submods"]["camera"]
    assert bad["ear.status"] == "contraindicated"
    assert bad["ear.trustworthiness-vector"] == {
        "instance-identity": 99,
        "configuration": 0,
        "executables": 96,
        "hardware": 32,
        "sourced-data": 96,
    }
    stale = ear.claims(judge(show(story(), later_s=5000)))["submods"]["camera"]
    assert stale["ear.status"] == "none"
    assert set(stale["ear.trustworthiness-vector"].values()) == {0}


def test_it_is_small_and_sees_formats_alone() -> None:
    """Under 1,500 lines, blank ones and texts too; imports that an inspector can count."""
    allowed = {
        "core": {"cbor", "suites", "errors"},
        "attest": {"cose", "token", "claims", "permit", "reference", "beats", "starts"},
        "translog": {
            "note",
            "merkle",
            "checkpoint",
            "cosignature",
            "policy",
            "bundle",
            "signers",
            "errors",
        },
    }
    lines = 0
    for path in Path(casemate.verify.__file__).parent.glob("*.py"):
        text = path.read_text()
        lines += len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{each.name}" for each in node.names]
            for name in names:
                parts = name.split(".")
                if parts[0] == "casemate" and parts[1] not in ("verify", "__version__"):
                    assert parts[2] in allowed[parts[1]], name
                elif parts[0] != "casemate":
                    assert parts[0] in (
                        "__future__", "bisect", "collections", "contextlib", "dataclasses",
                        "datetime", "heapq", "importlib", "math", "tomllib", "typing",
                    ), name  # fmt: skip
    assert 1000 < lines < 1500
