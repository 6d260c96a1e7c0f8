"""What judges from outside found of the pages: axe-core and the Nu HTML checker.

A test takes the fixture `judged` and leaves a row a page and look; whether a row is good is for
the test to assert. With `--accessibility-table=FILE` a whole run writes the rows as Markdown. Rows
travel with the reports of the tests, so they arrive under pytest-xdist too.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from truths import write_whole

PAGE = Path(__file__).parent.parent / "docs" / "accessibility.md"
PROPERTY = "judged"
AXE, NU = "axe-core", "Nu HTML checker"
LOOKS = ("light", "dark", "empty")
"""What axe-core sees: a service with a bit of everything in both schemes, and one with nothing."""
COUNTS = {
    AXE: ("passed", "critical", "serious", "moderate", "minor", "unsure"),
    NU: ("errors", "warnings", "notes"),
}
"""What each judge counts. unsure: elements that axe-core leaves to a person."""
BAD = {AXE: ("critical", "serious"), NU: ("errors", "warnings")}
"""What must be 0 on the page."""
HEAD = f"""# Accessibility of the pages

Made by `make validate` from the tests in Debian's Chromium; do not edit. Rows are pages of the table of routes, each at all its addresses that the tests know ([page_places.py](../tests/unit/fleet/page_places.py)). light, dark: a service with a bit of everything; empty: one without any enclosure. passed: elements that met a rule; critical to minor: elements that break one; unsure: elements that axe-core leaves to a person (text before a drawing, whose contrast it cannot tell). {AXE}: more than 0 critical or serious fails its test. {NU}: any error or warning does.
"""  # noqa: E501


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a judge found. look: "" where there is none. at: how many addresses. version: its."""

    judge: str
    version: str
    path: str
    look: str
    at: int
    counts: dict[str, int] = field(hash=False)

    @property
    def place(self) -> tuple[str, str, str]:
        return self.judge, self.path, self.look

    def line(self) -> str:
        """Return the row of the table."""
        look = [self.look] if self.judge == AXE else []
        cells = [f"`{self.path}`", *look, self.at, *(self.counts[x] for x in COUNTS[self.judge])]
        return f"| {' | '.join(map(str, cells))} |"


class Judged(Protocol):
    """Leave a row."""

    def __call__(self, row: Row) -> None: ...


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judged:
    """Return what leaves a row for docs/accessibility.md."""

    def leave(row: Row) -> None:
        assert set(row.counts) == set(COUNTS[row.judge]), row
        request.node.user_properties.append((PROPERTY, json.dumps(asdict(row))))

    return leave


def page(rows: Iterable[Row], when: str) -> str:
    """Return the page. when: the day of the run."""
    rows, parts = sorted(rows, key=lambda x: (x.path, LOOKS.index(x.look) if x.look else 0)), []
    for judge, counts in COUNTS.items():
        mine = [each for each in rows if each.judge == judge]
        versions = ", ".join(sorted({each.version for each in mine}))
        names = ("page", *(("look",) if judge == AXE else ()), "addresses", *counts)
        total = ", ".join(f"{sum(x.counts[name] for x in mine)} {name}" for name in counts)
        lines = "\n".join(each.line() for each in mine)
        parts.append(
            f"\n## {judge} {versions}\n\n{when}: {sum(x.at for x in mine)} looks at pages: "
            f"{total}.\n\n| {' | '.join(names)} |\n{'|---' * len(names)}|\n{lines}\n"
        )
    return HEAD + "".join(parts)


def read(text: str) -> tuple[list[Row], str]:
    """Return the rows of a page and its day. ValueError or KeyError if it is none."""
    rows, when = [], ""
    for part in text.split("\n## ")[1:]:
        title, said, *_ = part.split("\n\n")
        judge = next(each for each in COUNTS if title.startswith(each))
        when = said.partition(":")[0]
        for line in (x for x in part.splitlines() if x.startswith("| `")):
            cells = [each.strip("` ") for each in line.split("|")[1:-1]]
            look = cells.pop(1) if judge == AXE else ""
            counts = dict(zip(COUNTS[judge], map(int, cells[2:]), strict=True))
            rows.append(
                Row(judge=judge, version=title.removeprefix(judge).strip(), path=cells[0],
                    look=look, at=int(cells[1]), counts=counts)
            )  # fmt: skip
    return rows, when


def bad(rows: Iterable[Row]) -> list[str]:
    """Return what of rows must not be."""
    return [
        f"{row.judge}, {row.path} {row.look}: {row.counts[name]} {name}"
        for row in rows for name in BAD[row.judge] if row.counts[name]
    ]  # fmt: skip


def lacking(rows: Iterable[Row], paths: Collection[str]) -> list[str]:
    """Return pages that a judge or a look lacks, of those that there are with things in them."""
    seen = Counter(each.place for each in rows)
    wanted = [(AXE, path, look) for path in paths for look in LOOKS[:2]]
    wanted += [(NU, path, "") for path in paths]
    return [" ".join(each).strip() for each in wanted if not seen[each]]


class Collector:
    """Gathers rows from reports in the process that leads the run."""

    def __init__(self, file: Path) -> None:
        self.file, self.said = file, ""
        self.rows: dict[tuple[str, str, str], Row] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            for name, value in report.user_properties:
                if name == PROPERTY:
                    row = Row(**json.loads(str(value)))
                    self.rows[row.place] = row

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        from casemate.fleet.service.routes import ROUTES

        rows = list(self.rows.values())
        paths = [each.path for each in ROUTES if each.template and each.method == "GET"]
        if wrong := bad(rows) or lacking(rows, paths):
            self.said = f"{self.file} is left as it is: {wrong[0]}"
            if exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            return
        write_whole(self.file, page(rows, time.strftime("%Y-%m-%d", time.gmtime())))
        self.said = f"{self.file}: {len(rows)} rows"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("pages as judges see them")
        terminalreporter.line(self.said)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accessibility-table",
        metavar="FILE",
        default=None,
        help="write what axe-core and the Nu checker find of the pages to this Markdown file",
    )


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--accessibility-table")
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collector(Path(file)), "judged-collector")
