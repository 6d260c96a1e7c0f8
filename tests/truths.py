"""Truths from outside: tests record how far a kernel lies from one, and a page is made of that.

A test takes the fixture `truth` and calls it with the kernel, what it is held against, the error
found and the error allowed; it asserts that the one is within the other and leaves a row. With
`--validation-table=FILE` a whole run writes the rows as Markdown. Rows travel with the reports of
the tests, so they arrive under pytest-xdist too.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib
import json
import math
import os
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from outside_programs import missing

ROOT = Path(__file__).parent.parent
TWIN = ROOT / "src" / "casemate" / "twin"
PAGE = ROOT / "docs" / "validation.md"
NO_KERNELS = {
    "effects": "says what changes, computes nothing",
    "altered": "asks copper what effects meet, and networks what follows",
    "board": "sums up a drawn mesh",
    "conditions": "adds effects to the series of a site",
    "drawing": "draws meshes and keeps them",
    "modules": "names the modality of each module",
    "pair_tile": "picks pairs of nets of a drawn tile",
    "scene_checks": "refuses scenes that cannot be",
    "stage": "superposes scenes on a site's series",
    "shaking": "root mean squares of forces on a panel",
    "volume": "sizes and planning values from a design",
    "_*": "compiled halves of other modules",
    "line_layout": "reads a layout file",
    "line_picture": "draws",
    "line_predict": "joins reading, fit and pictures",
    "assembly*": "joins kernels to a design",
    "world*": "joins kernels to a design",
}
"""Modules of the twin without physics of their own, and what they do instead."""
RECORDINGS = {
    "tdr_microstrip": "*.s?p",
    "temperature": "*.csv",
    "uwb_cir": "*.log",
    "wifi_csi": "*.dat",
}
TOOLS = ("ngsolve", "scikit-rf", "scipy", "numpy")
PROPERTY = "truth"
ROUNDING = 1e-9
"""Bounds up to this ask for equality but for the rounding of floating-point numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. `unit` is "relative" (shown in percent) or the unit of both errors."""

    kernel: str
    against: str
    unit: str
    allowed: float
    found: float

    @property
    def share(self) -> float:
        """Return found over allowed; inf for what is no number."""
        if not math.isfinite(self.found):
            return math.inf
        if self.allowed == 0.0:
            return 0.0 if self.found == 0.0 else math.inf
        return self.found / self.allowed

    @property
    def holds(self) -> bool:
        return self.share <= 1.0


class Truth(Protocol):
    """Record a row and assert that it holds; errors are magnitudes in `unit`."""

    def __call__(
        self, *, kernel: str, against: str, found: float, allowed: float, unit: str = "relative"
    ) -> None: ...


def rel_error(ours: Any, theirs: Any) -> float:
    """Return the largest |ours / theirs - 1| over all values."""
    return float(np.max(np.abs(np.asarray(ours) / np.asarray(theirs) - 1.0)))


def abs_error(ours: Any, theirs: Any) -> float:
    """Return the largest |ours - theirs| over all values."""
    return float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))))


def db_error(ours: Any, theirs: Any) -> float:
    """Return the largest |10 log10(ours / theirs)| over all powers."""
    return float(np.max(np.abs(10.0 * np.log10(np.asarray(ours) / np.asarray(theirs)))))


@pytest.fixture
def truth(request: pytest.FixtureRequest) -> Truth:
    """Return the function that holds a kernel of the twin against a truth from outside."""

    def record(
        *, kernel: str, against: str, found: float, allowed: float, unit: str = "relative"
    ) -> None:
        resolve(kernel)
        row = Row(
            kernel=kernel, against=against, unit=unit, allowed=float(allowed), found=float(found)
        )
        request.node.user_properties.append((PROPERTY, json.dumps(asdict(row))))
        assert row.holds, f"{kernel} against {against}: {found:.4g} {unit}, allowed {allowed:.4g}"

    return record


def resolve(kernel: str) -> Any:
    """Return what `twin.module.name` names; AttributeError or ImportError if nothing."""
    module, name = kernel.rsplit(".", 1)
    return getattr(importlib.import_module(f"casemate.{module}"), name)


def kernel_modules(folder: Path = TWIN) -> list[str]:
    """Return the modules of the twin that must have a row."""
    names = sorted(path.stem for path in folder.glob("*.py"))
    return [
        name
        for name in names
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in NO_KERNELS)
    ]


def without_row(kernels: set[str]) -> list[str]:
    """Return the modules of the twin that none of `kernels` belongs to."""
    seen = {kernel.split(".")[1] for kernel in kernels}
    return [name for name in kernel_modules() if name not in seen]


def worst_of(rows: list[Row]) -> list[Row]:
    """Return one row for each kernel, truth and unit, the one nearest to its bound, sorted."""
    worst: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        key = (row.kernel, row.against, row.unit)
        if key not in worst or row.share > worst[key].share:
            worst[key] = row
    return [worst[key] for key in sorted(worst)]


def figure(value: float, unit: str) -> str:
    """Return a figure with its unit: three digits if that is all it has, else two, rounded up."""
    if not math.isfinite(value):
        return "no number"
    if unit == "relative":
        value, unit = 100.0 * value, "%"
    if value == 0.0:
        return f"0 {unit}"
    scale = 10.0 ** (math.floor(math.log10(value)) - 1)
    if math.isclose(value, float(f"{value:.3g}"), rel_tol=1e-9):
        text = f"{value:.3g}"
    else:
        text = f"{math.ceil(value / scale) * scale:.2g}"
    return f"{text} {unit}".replace("e-0", "e-").replace("e+0", "e")


def found_text(row: Row) -> str:
    """Return the error found; below a hundredth of what is allowed only that is said.

    Below a tenth where the bound itself is rounding noise, which then cannot turn a digit from run
    to run. A row that holds never shows more than is allowed, though errors are rounded up.
    """
    floor = 0.1 if row.allowed <= ROUNDING else 0.01
    if row.share < floor:
        return "below " + figure(floor * row.allowed, row.unit)
    told = figure(row.found, row.unit)
    allowed = figure(row.allowed, row.unit)
    return allowed if row.holds and float(told.split()[0]) > float(allowed.split()[0]) else told


def page(rows: list[Row], notes: list[str]) -> str:
    """Return the Markdown page."""
    lines = [
        "# Validation",
        "",
        "Made by `make validate` from the tests themselves; do not edit. Every kernel of the twin "
        "is held against truths from outside: closed forms, other programs, recordings. Of several "
        "comparisons of one kind the one nearest to its bound is shown; errors are rounded up to "
        "two digits. A row that does not hold fails its test.",
        "",
        *notes,
        "",
        "| kernel | outside truth | error allowed | error found | holds |",
        "|---|---|---|---|---|",
    ]
    for row in worst_of(rows):
        cells = (
            f"`{row.kernel}`",
            row.against.replace("|", "\\|"),
            figure(row.allowed, row.unit),
            found_text(row),
            "yes" if row.holds else "**no**",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def table(text: str) -> list[tuple[str, ...]]:
    """Return the rows of a page as (kernel, truth, allowed, found, holds)."""
    found = []
    for line in text.splitlines():
        if line.startswith("| `"):
            cells = line.strip("| \n").replace("\\|", "\0").split(" | ")
            found.append(tuple(cell.replace("\0", "|").strip("`") for cell in cells))
    return found


def notes(home: Path | None) -> list[str]:
    """Return what the rows were made with: recordings by digest, programs by version."""
    tools = ", ".join(f"{name} {version(name)}" for name in TOOLS)
    told = [f"Made with {tools}. Recordings (first digits of SHA-256):", ""]
    for folder, pattern in RECORDINGS.items():
        files = sorted((home / folder).glob(pattern)) if home else []
        digests = (hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in files)
        names = ", ".join(f"{p.name} {d}" for p, d in zip(files, digests, strict=True))
        told.append(f"- {folder}: {names or 'none'}")
    return told


class Collector:
    """Gathers rows from reports, and what was left out, in the process that leads the run."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rows: list[Row] = []
        self.skipped: list[str] = []
        self.said = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and "/twin/" in report.nodeid:
            self.skipped.append(report.nodeid)
        if report.when == "call":
            for name, value in report.user_properties:
                if name == PROPERTY:
                    self.rows.append(Row(**json.loads(str(value))))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        failed, passed = pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.OK
        if exitstatus not in (passed, failed) or (bare := without_row(self.kernels)):
            missing = f"no row for {', '.join(bare)}" if exitstatus in (passed, failed) else "ended"
            self.said = f"{self.file} is left as it is: the run was not whole ({missing})"
        elif self.skipped:
            self.said = (
                f"{self.file} is left as it is: {len(self.skipped)} tests of the twin were "
                f"skipped, first {self.skipped[0]}; set CASEMATE_DATA, install ngspice"
            )
        else:
            write_whole(self.file, page(self.rows, notes(recordings_home())))
            self.said = f"{self.file}: {len(worst_of(self.rows))} rows"
            return
        if exitstatus == passed:
            session.exitstatus = failed

    @property
    def kernels(self) -> set[str]:
        return {row.kernel for row in self.rows}

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section("validation")
        terminalreporter.line(self.said)
        for row in worst_of(self.rows):
            if not row.holds:
                terminalreporter.line(f"does not hold: {row.kernel} against {row.against}")


def recordings_home() -> Path | None:
    """Return the folder of recordings, None where CASEMATE_DATA is not set."""
    home = os.environ.get("CASEMATE_DATA")
    return Path(home) if home else None


def recorded(name: str) -> Path:
    """Return a folder of recordings; skip where there is none, fail where all is required."""
    home = recordings_home()
    if home is None:
        pytest.skip("CASEMATE_DATA is not set: no recordings to compare with")
    if not (home / name).is_dir():
        missing(f"the folder {name} of recordings", "is not in CASEMATE_DATA")
    return home / name


def write_whole(file: Path, text: str) -> None:
    """Write a file so that it is either the old or the new one, whole."""
    beside = file.with_name(file.name + ".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--validation-table",
        metavar="FILE",
        default=None,
        help="write the table of errors against outside truths to this Markdown file",
    )


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--validation-table")
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collector(Path(file)), "truths-collector")
