"""A secret that is made once: whole and durable under its name, or not there at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_once(path: Path, data: bytes) -> None:
    """Write `data` under a name that nothing has yet, readable by its owner alone. OSError.

    What stands there already stays. A power cut leaves no half of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.new")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(part, path)
    part.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
