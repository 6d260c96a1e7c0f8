"""What tests need and the product's packages do not bring: found, skipped, or required.

The one place that looks for programs and for packages of Python that may be missing. With
CASEMATE_REQUIRE_ALL=1, as in CI, what is missing is a failure.
"""

from __future__ import annotations

import importlib
import os
import shutil
from importlib.util import find_spec
from types import ModuleType
from typing import NoReturn

import pytest

_ALSO = "/usr/sbin:/sbin:/usr/lib/postgresql/15/bin"
"""Where Debian puts programs that are on nobody's path."""


def required() -> bool:
    """Return whether every outside tool is required."""
    return os.environ.get("CASEMATE_REQUIRE_ALL") == "1"


def missing(what: str, how: str = "is not installed") -> NoReturn:
    """Skip, or fail where every outside tool is required."""
    if required():
        pytest.fail(f"{what} is required here and missing: it {how}")
    pytest.skip(f"{what} {how}", allow_module_level=True)


def found(name: str) -> str | None:
    """Return where a program is, None if it is nowhere."""
    return shutil.which(name) or shutil.which(name, path=_ALSO)


def program(name: str, of: str = "") -> str:
    """Return where a program is; skip, or fail where all are required. of: Debian's package."""
    return found(name) or missing(f"{name} (Debian: {of})" if of else name)


def lacking(*names: str) -> list[str]:
    """Return which of these packages of Python are not here; none is loaded."""
    return [each for each in names if find_spec(each) is None]


def needs(*names: str) -> None:
    """Skip if one of these packages of Python is not here, or fail where all are required."""
    for each in lacking(*names):
        missing(f"the package {each}")


def package(name: str) -> ModuleType:
    """Return a package of Python, loaded; skip, or fail where all are required."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing(f"the package {name}", f"does not load: {error}")


def tpm_there() -> bool:
    """Return whether a software TPM and its library are."""
    return found("swtpm") is not None and not lacking("tpm2_pytss")


def needs_tpm() -> None:
    """Skip if there is no software TPM or no library of it, or fail where all are required."""
    program("swtpm", "swtpm")
    needs("tpm2_pytss")


def not_collected(*names: str) -> list[str]:
    """Return what a conftest ignores: every test of its folder if a package is not here.

    ModuleNotFoundError where all are required.
    """
    if (gone := lacking(*names)) and required():
        raise ModuleNotFoundError(f"tests here need {', '.join(gone)}")
    return ["test_*.py"] if gone else []
