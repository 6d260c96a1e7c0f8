"""The files of a backup beside its database: which there are, and their digests."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from casemate.core.progress import Work
from casemate.fleet.appraisal import walks
from casemate.fleet.service import home
from casemate.fleet.service.home import Home

MOST_BYTES = 1_000_000
"""Of a file that an outlet names: a certificate or a secret (planning value)."""

_PART = 1 << 20


def copy(place: Home, out: Path) -> None:
    """Copy settings, certificates, the key of walks, and what the outlets name in the folder."""
    shutil.copytree(place.tls, out / home.TLS)
    for name in (home.SETTINGS, walks.KEY_FILE):
        if (place.folder / name).exists():
            shutil.copy2(place.folder / name, out / name)
    for each in named(place):
        to = out / each
        if not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy2(place.folder / each, to)


def named(place: Home) -> Iterator[PurePosixPath]:
    """Yield the files in the service's folder that its outlets name; none that lies elsewhere."""
    rows = place.outlets if isinstance(place.outlets, list) else []
    for row in rows:
        for value in row.values() if isinstance(row, dict) else ():
            if isinstance(value, str) and _is_here(place.folder, value):
                yield PurePosixPath(value)


def _is_here(folder: Path, value: str) -> bool:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or len(value) > 255:
        return False
    aim = folder / path
    return aim.is_file() and not aim.is_symlink() and aim.stat().st_size <= MOST_BYTES


def digests(folder: Path, but: str, work: Work) -> dict[str, str]:
    """Return the SHA-256 of each file under a folder by its path, but for one. OSError.

    ValueError if there is something that is no plain file: a link would lead out of the backup.
    """
    out = {}
    paths = sorted(folder.rglob("*"))
    work.stage("digests of files", sum(x.lstat().st_size for x in paths if x.is_file()), "bytes")
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise ValueError(f"{name} is no plain file")
        if path.is_file() and name != but:
            whole = hashlib.sha256()
            with path.open("rb") as stream:
                while part := stream.read(_PART):
                    whole.update(part)
                    work.step(len(part))
            out[name] = whole.hexdigest()
    return out


def differing(told: dict[str, str], found: dict[str, str]) -> str:
    """Return what is wrong with the files of a backup, "" if nothing."""
    for name in sorted(told.keys() | found.keys()):
        if name not in found:
            return f"{name} is missing"
        if name not in told:
            return f"{name} was added"
        if told[name] != found[name]:
            return f"{name} was changed"
    return ""
