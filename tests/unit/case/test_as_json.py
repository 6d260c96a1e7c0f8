"""case.json against its schema, its digest, its page and its promises."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import rfc8785
from case_samples import far, full, move, small, target

from casemate.case.as_json import case_document, case_schema
from casemate.core.canonical import pretty_json
from casemate.core.errors import InputError

PAGE = Path(__file__).parents[3] / "docs" / "formats" / "case.md"


def valid(document: Any) -> None:
    jsonschema.Draft202012Validator(case_schema()).validate(document)


@pytest.mark.parametrize("results", [full(), small(), small(targets=(), moves=(), far=())])
def test_it_is_valid_under_the_shipped_schema(results: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(case_schema())
    valid(json.loads(pretty_json(case_document(results))))


def test_every_object_of_the_schema_is_closed_and_complete() -> None:
    """A key that the code adds or drops has to change the schema."""

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "properties" in value:
                assert value["additionalProperties"] is False
                assert set(value["required"]) == set(value["properties"])
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(case_schema())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "fine"),
        (("targets", 0, "kind"), "believed"),
        (("targets", 0, "interval"), [1.0]),
        (("moves", 0, "pod_low"), 1.2),
        (("moves", 0, "rerun"), " "),
        (("far", 0, "upper"), "low"),
        (("digest",), "xyz"),
        (("gsn", "nodes", 0, "kind"), "Claim"),
    ],
)
def test_the_schema_refuses_what_is_wrong(path: tuple[Any, ...], value: Any) -> None:
    document = case_document(full())
    here = document
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        valid(document)


def test_the_keys_that_were_promised() -> None:
    document = case_document(full())
    assert set(document["targets"][0]) >= {
        "id", "required", "achieved", "interval", "kind", "verdict", "rerun",
    }  # fmt: skip
    assert set(document["moves"][0]) >= {
        "id", "goal", "trials", "pod", "pod_low", "delay_s_p50", "delay_s_p99", "weakest",
        "seen_by",
    }  # fmt: skip
    assert set(document["moves"][0]["weakest"]) >= {"tile", "x_m", "y_m", "parameters"}
    assert set(document["far"][0]) >= {"cause", "per_enclosure_year", "upper", "kind"}
    assert document["doubts"] and document["assumptions"]


def test_what_is_no_number_is_null() -> None:
    document = case_document(full())
    text = pretty_json(document)
    assert "NaN" not in text and "Infinity" not in text
    assert next(f for f in document["far"] if f["cause"] == "connector ageing")["upper"] is None
    quiet = next(m for m in document["moves"] if m["id"] == "radio_noise")
    assert quiet["pod"] is None and quiet["search"] is None
    assert next(t for t in document["targets"] if t["id"] == "pod.slow")["interval"] is None


def test_the_digest_is_of_the_rest_and_changes_with_it() -> None:
    document = case_document(full())
    rest = {key: value for key, value in document.items() if key != "digest"}
    assert document["digest"] == hashlib.sha256(rfc8785.dumps(rest)).hexdigest()
    assert case_document(full()) == document
    assert case_document(replace(full(), seed=8))["digest"] != document["digest"]


def test_a_seed_of_any_size_is_kept_whole() -> None:
    assert case_document(small(seed=2**63 + 1))["seed"] == "9223372036854775809"


def test_numbers_of_numpy_are_numbers() -> None:
    counted = replace(
        move(), trials=np.int64(400), pod=np.float64(1.0),
        weakest=replace(full().maps[0].trials[0], detected=np.bool_(True)),
    )  # fmt: skip
    plain = replace(move(), pod=1.0, weakest=replace(full().maps[0].trials[0], detected=True))
    assert case_document(small(moves=(counted,))) == case_document(small(moves=(plain,)))
    json.dumps(case_document(small(moves=(counted,))), allow_nan=False)


def test_the_order_of_versions_and_parameters_does_not_matter() -> None:
    turned = small(versions={"numpy": "2.4.6", "casemate": "0.1.0"})
    assert case_document(turned) == case_document(small())


def test_results_that_cannot_be_argued_from_are_refused() -> None:
    for bad in (
        small(targets=(target(achieved=math.nan),)),
        small(far=(far(rests_on=("luck",)),)),
        small(moves=(move(rerun=""),)),
    ):
        with pytest.raises(InputError):
            case_document(bad)


def test_the_page_names_every_key() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_0-9]+)(?:\[\])?`", page))
    schema = case_schema()
    keys = set(schema["properties"])
    for part in ("target", "move", "far", "assumption", "doubt", "node", "plot", "atlas", "map"):
        keys |= set(schema["$defs"][part]["properties"])
    assert keys <= named, sorted(keys - named)
