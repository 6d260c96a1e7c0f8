"""OSCAL: required keys of the model, ids, and that every link ends at something.

Outside truth, by hand: the documents of `full`, `small` and empty results pass the strict models of
compliance-trestle 3.4.0 (OSCAL 1.1.2) and 5.2.0 (1.2.1, with its version string put in); a wrong
target type, a malformed UUID and an unknown key fail them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from case_samples import far, full, move, small, target

from casemate.case.oscal import oscal_document
from casemate.case.oscal_parts import moment, token
from casemate.case.verdict import far_verdicts, move_verdicts, verdicts
from casemate.core.errors import InputError

REQUIRED = {
    ("assessment-results",): {"uuid", "metadata", "import-ap", "results"},
    ("metadata",): {"title", "last-modified", "version", "oscal-version"},
    ("import-ap",): {"href"},
    ("results",): {"uuid", "title", "description", "start", "reviewed-controls"},
    ("reviewed-controls",): {"control-selections"},
    ("observations",): {"uuid", "description", "methods", "collected"},
    ("risks",): {"uuid", "title", "description", "statement", "status"},
    ("findings",): {"uuid", "title", "description", "target"},
    ("target",): {"type", "target-id", "status"},
    ("status",): {"state"},
    ("relevant-evidence",): {"description"},
    ("related-observations",): {"observation-uuid"},
    ("related-risks",): {"risk-uuid"},
    ("subjects",): {"subject-uuid", "type"},
    ("actors",): {"type", "actor-uuid"},
    ("characterizations",): {"origin", "facets"},
    ("facets",): {"name", "system", "value"},
    ("props",): {"name", "value"},
    ("objectives-and-methods",): {"control-id", "parts"},
    ("parts",): {"name"},
    ("components",): {"uuid", "type", "title", "description", "status"},
    ("assessment-assets",): {"assessment-platforms"},
    ("assessment-platforms",): {"uuid"},
    ("uses-components",): {"component-uuid"},
    ("resources",): {"uuid"},
    ("rlinks",): {"href"},
}
"""Keys that the model requires of what stands under a key."""
TOKEN = re.compile(r"^[A-Za-z_][A-Za-z0-9._-]*$")
WHEN = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every object and leaf with the key that it stands under."""
    yield key, value
    if isinstance(value, dict):
        for name, each in value.items():
            yield from walk(each, name)
    elif isinstance(value, list):
        assert value, f"{key}: OSCAL has no empty lists"
        for each in value:
            yield from walk(each, key)


EMPTY = small(targets=(), moves=(), far=(), assumptions=())
ALL = [full(), small(), EMPTY]


@pytest.mark.parametrize("results", ALL)
def test_every_object_has_what_the_model_requires(results: Any) -> None:
    for key, value in walk(oscal_document(results)):
        if isinstance(value, dict):
            if key == "status":
                assert "state" in value
            lacking = REQUIRED.get((key,), set()) - set(value)
            assert not lacking, f"{key} lacks {lacking}"


@pytest.mark.parametrize("results", ALL)
def test_uuids_are_unique_and_every_reference_ends_at_one(results: Any) -> None:
    document = oscal_document(results)
    ids = [v for key, v in walk(document) if key == "uuid"]
    assert len(ids) == len(set(ids))
    assert all(uuid.UUID(each).version == 5 for each in ids)
    for key, value in walk(document):
        if key.endswith("-uuid") and isinstance(value, str):
            assert value in ids, key
        if key == "href" and value.startswith("#"):
            assert value[1:] in ids
    objectives = {
        part["id"]
        for key, o in walk(document)
        if key == "objectives-and-methods" and isinstance(o, dict)
        for part in o["parts"]
    }
    named = [v for key, v in walk(document) if key in ("target-id", "objective-id")]
    assert set(named) == objectives and all(TOKEN.match(each) for each in named)


def test_times_titles_and_tokens_have_their_types() -> None:
    for key, value in walk(oscal_document(full())):
        if key in ("start", "collected", "last-modified"):
            assert WHEN.match(value)
        if key == "title":
            assert value and "\n" not in value
        if key in ("control-id", "reason") or (key == "name" and isinstance(value, str)):
            assert TOKEN.match(value)
        if key == "value":
            assert value == value.strip() and value


def test_findings_say_what_the_verdicts_say() -> None:
    results = full()
    (result,) = oscal_document(results)["assessment-results"]["results"]
    found = {f["target"]["target-id"]: f["target"]["status"] for f in result["findings"]}
    status = {
        "met": {"state": "satisfied", "reason": "pass"},
        "not met": {"state": "not-satisfied", "reason": "fail"},
        "in doubt": {"state": "not-satisfied", "reason": "other"},
    }
    expected = {
        **{token("target", k): status[v] for k, v in verdicts(results).items()},
        **{token("move", k): status[v] for k, v in move_verdicts(results).items()},
        **{token("cause", k): status[v] for k, v in far_verdicts(results).items()},
    }
    assert found == expected
    risky = {f["target"]["target-id"] for f in result["findings"] if f.get("related-risks")}
    assert {id for id, s in found.items() if s["state"] == "not-satisfied"} <= risky


def test_the_same_results_give_the_same_bytes_and_things_keep_their_ids() -> None:
    one, later = oscal_document(full()), oscal_document(replace(full(), date="2026-04-01"))
    assert one == oscal_document(full())
    a, b = one["assessment-results"], later["assessment-results"]
    assert a["uuid"] != b["uuid"]
    ids = [[f["uuid"] for f in each["results"][0]["findings"]] for each in (a, b)]
    assert ids[0] == ids[1]
    other = oscal_document(replace(full(), serial="R-002"))["assessment-results"]
    assert not {f["uuid"] for f in other["results"][0]["findings"]} & set(ids[0])


def test_a_target_and_a_move_of_one_name_stay_apart() -> None:
    results = small(targets=(target("drill"),), moves=(move("drill"),), far=(far("drill"),))
    (result,) = oscal_document(results)["assessment-results"]["results"]
    assert len({f["target"]["target-id"] for f in result["findings"]}) == 3
    by_target = {
        f["target"]["target-id"]: [o["observation-uuid"] for o in f["related-observations"]]
        for f in result["findings"]
    }
    assert len(by_target["move.drill"]) == 2 and len(by_target["target.drill"]) == 1


def test_ids_that_a_token_cannot_hold_stay_apart() -> None:
    assert token("cause", "heat wave") != token("cause", "heat-wave")
    assert TOKEN.match(token("cause", "größe/1 ×"))
    assert token("target", "pod") == "target.pod"


def test_dates() -> None:
    assert moment("2026-03-04") == "2026-03-04T00:00:00Z"
    assert moment("2026-03-04T05:06:07+02:00") == "2026-03-04T05:06:07+02:00"
    with pytest.raises(InputError, match="ISO 8601"):
        moment("last Tuesday")
