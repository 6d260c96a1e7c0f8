"""What we write is what the published grammars say, and what they refuse we refuse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from attest_samples import EVIDENCE, PAYLOADS, pair, tokens
from reference_samples import as_file, document
from test_permit import HOST, NORTH, PERMIT, SOUTH, keys

from casemate.attest import claims, permit, reference, token
from casemate.attest.permit import ACTIONS
from casemate.attest.reference_write import as_cbor
from casemate.core import cbor
from casemate.core.errors import FormatError
from outside_programs import package

pycddl = package("pycddl")
FORMATS = Path(__file__).parents[3] / "docs" / "formats"


def schema(name: str, root: str = "") -> Any:
    """Return a grammar; `root`: the rule to begin with, else the first."""
    text = (FORMATS / f"{name}.cddl").read_text()
    return pycddl.Schema(f"start = {root}\n{text}" if root else text)


def holds(grammar: Any, data: bytes) -> bool:
    try:
        grammar.validate_cbor(data)
    except pycddl.ValidationError:
        return False
    except BaseException as error:  # pycddl 0.6.4 panics on some values that do not hold
        if type(error).__name__ != "PanicException":
            raise
        return False
    return True


def item_holds(name: str, data: bytes, payload: str) -> bool:
    """Whether an item holds, and what its byte strings hold."""
    outer, _, inside, signatures = cbor.decode(data[2:])
    return (
        holds(schema(name), data)
        and holds(schema(name, "outer-header"), outer)
        and holds(schema(name, payload), inside)
        and all(holds(schema(name, "signature-header"), each[0]) for each in signatures)
    )


def test_tokens_of_every_kind_hold() -> None:
    for each in tokens():
        for signers in (EVIDENCE, pair(3, "cnsa2")):
            data = token.sign(each, signers)
            assert item_holds("evidence", data, f"{each.kind}-claims"), each.kind


def test_permits_and_reference_values_hold() -> None:
    data = permit.build(PERMIT, keys(HOST, NORTH, SOUTH))
    assert item_holds("permit", data, "scope")
    assert not item_holds("permit", token.sign(tokens()[0], EVIDENCE), "scope")
    found = reference.load(as_file(document()))
    assert holds(schema("reference-values"), as_cbor(found))
    with_tpm = document()
    with_tpm["units"][0]["enrolments"][0]["tpm"] = {"attestation": "00", "endorsement": "00"}
    assert holds(schema("reference-values"), cbor.encode(with_tpm))
    in_part = document()
    in_part["units"][0]["anchors"][0]["unwatched"] = ["left", "rear"]
    assert holds(schema("reference-values"), cbor.encode(in_part))
    without = {**document(), "timing": {}}
    assert not holds(schema("reference-values"), cbor.encode(without))


def test_every_claim_that_the_grammar_refuses_we_refuse() -> None:
    """Change one value at a time: what does not hold must not decode."""
    refused = 0
    for payload in PAYLOADS:
        good = cbor.decode(payload)
        grammar = schema("evidence", f"{good[claims.KIND]}-claims")
        assert holds(grammar, payload)
        for place in good:
            for value in (None, -1, 5, "", "x", b"", bytes(32), [], {}, [1], {1: 2}):
                changed = cbor.encode({**good, place: value})
                if not holds(grammar, changed):
                    refused += 1
                    with pytest.raises(FormatError):
                        token.decode(changed)
    assert refused > 500


def test_grammars_name_what_the_code_names() -> None:
    text = (FORMATS / "evidence.cddl").read_text()
    named = {int(each) for each in re.findall(r"^  (?:\? |body)?.*?(-700\d\d) =>", text, re.M)}
    assert named >= set(range(claims.BODY, claims.ENCLOSURE + 1)) - {claims.KIND, claims.BODY}
    for each in (*claims.STATES, *claims.VERDICTS, *claims.ACTS, claims.PROFILE, token.TYPE):
        assert f'"{each}"' in text
    for name in ("permit", "reference-values"):
        text = (FORMATS / f"{name}.cddl").read_text()
        assert all(f'"{each}"' in text for each in ACTIONS)
