"""What runs in the controller, measured: the package, the interpreter, the libraries it loads.

Files are read and hashed, not what a RECORD says of them; a RECORD names which files there are. Not
measured: compiled caches (`__pycache__`), libraries of the system, the kernel. docs/decisions/0027
says what that leaves open.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from importlib import metadata, resources
from pathlib import Path

DISTRIBUTIONS = (
    "cbor2", "cffi", "charset-normalizer", "colorama", "cryptography", "llvmlite", "numba", "numpy",
    "PyYAML", "scipy", "setuptools", "tpm2-pytss",
)  # fmt: skip
"""Libraries that the controller's process loads; a test holds this against a process that runs.

numba loads colorama where it is installed, though nothing here asks for it.
"""
_NOT_STDLIB = frozenset({"__pycache__", "site-packages", "test", "tests", "idlelib", "turtledemo"})
_CODE = (".py", ".so")

Component = tuple[str, bytes]


@cache
def components(distributions: tuple[str, ...] = DISTRIBUTIONS) -> tuple[Component, ...]:
    """Return name and SHA-256 of each part that is there, sorted by name.

    "casemate" is all of the package, "python" the interpreter with its standard library; the others
    are named as on the package index, with their version. Measured once in the life of a process:
    what it has loaded stays.
    """
    package = Path(str(resources.files("casemate")))
    found = [
        ("casemate", digest("casemate", "", _below(package, package, {"__pycache__"}, ()))),
        ("python", digest("python", platform.python_version(), _interpreter())),
    ]
    for name in distributions:
        try:
            held = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        files = [
            (str(each), Path(str(each.locate())))
            for each in held.files or ()
            if each.suffix != ".pyc" and "__pycache__" not in each.parts and each.name != "RECORD"
        ]
        found.append((f"{name} {held.version}", digest(name, held.version, files)))
    return tuple(sorted(found))


def total(parts: Iterable[Component], hash_name: str = "sha256") -> bytes:
    """Return the digest over components, in order, by a suite's hash: what tokens name."""
    sum_ = hashlib.new(hash_name, b"casemate software\n")
    for name, found in parts:
        _add(sum_, name.encode(), found)
    return sum_.digest()


def digest(name: str, version: str, files: Iterable[tuple[str, Path]]) -> bytes:
    """Return SHA-256 over name, version, and the sorted names and digests of files.

    A file that is not there counts as missing, so that taking one away shows too.
    """
    sum_ = hashlib.sha256()
    _add(sum_, name.encode(), version.encode())
    for label, path in sorted(files):
        _add(sum_, label.encode(), _of_file(path))
    return sum_.digest()


def _of_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def _interpreter() -> list[tuple[str, Path]]:
    """Return the interpreter's program, its library, and the standard library."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    found = [("python", Path(sys.executable).resolve())]
    library = sysconfig.get_config_var("INSTSONAME") or sysconfig.get_config_var("LDLIBRARY")
    if library:
        shared = Path(str(sysconfig.get_config_var("LIBDIR") or "")) / str(library)
        found.append(("libpython", shared.resolve()))
    return [*found, *_below(stdlib, stdlib, _NOT_STDLIB, _CODE)]


def _below(
    root: Path, folder: Path, without: Iterable[str], kinds: tuple[str, ...]
) -> list[tuple[str, Path]]:
    """Return files under a folder with their names from `root`; kinds: all if empty."""
    found: list[tuple[str, Path]] = []
    for each in folder.iterdir():
        if each.is_dir():
            if each.name not in without:
                found += _below(root, each, without, kinds)
        elif not kinds or each.suffix in kinds:
            found.append((each.relative_to(root).as_posix(), each))
    return found


def _add(sum_: hashlib._Hash, *parts: bytes) -> None:
    for part in parts:
        sum_.update(len(part).to_bytes(8, "big") + part)
