"""docs/accessibility.md is what the tests of pages write, and has every page of the service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casemate.fleet.service.routes import ROUTES
from judged_pages import AXE, BAD, COUNTS, LOOKS, NU, PAGE, Row, bad, lacking, page, read

PATHS = [each.path for each in ROUTES if each.template and each.method == "GET"]


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> str:
    """The page; skip in the run that is about to replace it."""
    if request.config.getoption("--accessibility-table"):
        pytest.skip("the page is being made anew")
    return PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_tool_writes(kept: str) -> None:
    rows, when = read(kept)
    assert page(rows, when) == kept
    assert sum(each.counts["passed"] for each in rows if each.judge == AXE) > 1000


def test_every_page_is_there_and_nothing_grave(kept: str) -> None:
    """A page that was added or taken away needs `make validate`."""
    rows, _ = read(kept)
    assert lacking(rows, PATHS) == []
    assert {each.path for each in rows} == set(PATHS)
    assert {each.look for each in rows if each.judge == AXE} == set(LOOKS)
    assert bad(rows) == []


def row(judge: str = AXE, **more: int) -> Row:
    counts = dict.fromkeys(COUNTS[judge], 0) | more
    look = "light" if judge == AXE else ""
    return Row(judge=judge, version="4.1", path="/a", look=look, at=2, counts=counts)


@pytest.mark.parametrize(("judge", "name"), [(x, name) for x in COUNTS for name in BAD[x]])
def test_what_must_not_be_is_told(judge: str, name: str) -> None:
    assert bad([row(judge)]) == []
    assert bad([row(judge, **{name: 1})])[0].endswith(f"1 {name}")


def test_a_page_or_look_that_lacks_is_told() -> None:
    whole = [row(), replace(row(), look="dark"), row(NU)]
    assert lacking(whole, ["/a"]) == []
    for at in range(3):
        assert len(lacking(whole[:at] + whole[at + 1 :], ["/a"])) == 1


def test_a_figure_that_was_edited_does_not_fit_the_sums(kept: str) -> None:
    rows, when = read(kept)
    first = rows[0]
    other = replace(first, counts={**first.counts, "passed": first.counts["passed"] + 1})
    edited = kept.replace(first.line(), other.line())
    assert edited != kept
    assert page(*read(edited)) != edited
    assert page(rows, when) == kept
