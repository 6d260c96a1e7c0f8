"""docs/formats/enclosure.md holds every key as the code has it."""

from __future__ import annotations

from pathlib import Path

from casemate.spec.fab import load_fab_profiles
from casemate.spec.schema import json_schema, reference_table

PAGE = (Path(__file__).parents[3] / "docs" / "formats" / "enclosure.md").read_text("utf-8")


def test_page_holds_the_reference_table() -> None:
    table = PAGE.partition("<!-- keys:")[2].partition("-->\n")[2].partition("\n<!-- end of keys")[0]
    assert table == reference_table()


def test_every_key_says_what_it_means() -> None:
    for row in reference_table().splitlines()[2:]:
        assert row.split("|")[-2].strip(), row


def test_page_names_every_fab_profile() -> None:
    for card in load_fab_profiles().values():
        assert f"| `{card.id}` |" in PAGE
        assert f"{card.tool_min_m() * 1e3:.3f}" in PAGE


def test_defaults_in_the_schema_are_written_as_a_user_would() -> None:
    properties = json_schema()["$defs"]["AdversaryTable"]["properties"]
    assert properties["budget"]["default"] == "1000 MUSD"
    assert properties["duration"]["default"] == "3 year"
