"""The page of validation is in step with the tests and the twin, and says that every row holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from truths import (
    NO_KERNELS,
    PAGE,
    TWIN,
    Row,
    figure,
    kernel_modules,
    page,
    resolve,
    table,
    without_row,
    worst_of,
    write_whole,
)

TESTS = Path(__file__).parent / "twin"
NAME = re.compile(r'"(twin\.\w+\.\w+)"')


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> list[tuple[str, ...]]:
    """Return the rows of the page; skip in the run that is about to replace it."""
    if request.config.getoption("--validation-table"):
        pytest.skip("the page is being made anew")
    return table(PAGE.read_text(encoding="utf-8"))


def test_every_kernel_has_a_row_and_every_row_holds(rows: list[tuple[str, ...]]) -> None:
    bare = without_row({row[0] for row in rows})
    assert not bare, f"no row, and not in NO_KERNELS of tests/truths.py: {bare}"
    assert {row[4] for row in rows} == {"yes"}
    for kernel in {row[0] for row in rows}:
        resolve(kernel)


def test_the_page_names_what_the_tests_name(rows: list[tuple[str, ...]]) -> None:
    """A row that was added or taken away needs `make validate`."""
    named = {
        name
        for path in TESTS.glob("test_*.py")
        for name in NAME.findall(path.read_text(encoding="utf-8"))
    }
    assert {row[0] for row in rows} == named


def test_a_module_without_physics_is_named_as_one() -> None:
    """A new file of the twin is a kernel unless it is listed with what else it is."""
    stems = {path.stem for path in TWIN.glob("*.py")}
    assert set(kernel_modules()) <= stems
    assert {name for name in NO_KERNELS if "*" not in name} <= stems


def row(found: float, allowed: float = 0.01, unit: str = "relative") -> Row:
    return Row(kernel="twin.a.b", against="c | d", unit=unit, allowed=allowed, found=found)


def test_the_worst_of_a_kind_is_kept_and_a_row_that_fails_says_so() -> None:
    text = page([row(0.002), row(0.02), row(float("nan"), unit="K"), row(0.004)], ["note"])
    assert table(text) == [
        ("twin.a.b", "c | d", "0.01 K", "no number", "**no**"),
        ("twin.a.b", "c | d", "1 %", "2 %", "**no**"),
    ]
    assert worst_of([row(0.002), row(0.004)])[0].found == 0.004
    assert not row(0.0101).holds and row(0.01).holds and not row(1e-9, allowed=0.0).holds


def test_errors_are_rounded_up_to_two_digits_and_noise_is_not_shown() -> None:
    assert figure(0.01234, "relative") == "1.3 %"
    assert figure(2e-4, "of S") == "0.0002 of S"
    assert figure(3.2123e-9, "K") == "3.3e-9 K"
    assert figure(10.0, "dB") == "10 dB"
    assert figure(10.5, "fF") == "10.5 fF"
    assert table(page([row(10.46, allowed=10.5, unit="fF")], []))[0][2:4] == ("10.5 fF", "10.5 fF")
    assert table(page([row(3e-15)], []))[0][3] == "below 0.01 %"


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half\udc80")
    assert file.read_text() == "old"
    write_whole(file, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"] and file.read_text() == "new"


ROWS = """
def test_good(truth):
    truth(kernel="twin.walks.ou", against="a law", found=0.01, allowed=0.02)

def test_bad(truth):
    truth(kernel="twin.walks.ou", against="another law", found=0.03, allowed=0.02)
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_row_that_does_not_hold_fails_the_run_with_and_without_workers(
    workers: str, tmp_path: Path
) -> None:
    """Rows come from worker processes too; a run that lacks kernels leaves the page alone."""
    (tmp_path / "test_rows.py").write_text(ROWS)
    out = tmp_path / "page.md"
    out.write_text("old")
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "truths", "-p", "no:cacheprovider",
         "-n", workers, "--validation-table", str(out), "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "does not hold: twin.walks.ou against another law" in done.stdout
    assert "does not hold: twin.walks.ou against a law" not in done.stdout
    assert "no row for altered" not in done.stdout and "no row for capacitance" in done.stdout
    assert out.read_text() == "old"
