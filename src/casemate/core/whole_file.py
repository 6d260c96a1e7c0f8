"""Single files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from casemate.core.errors import OutputError


def write_whole(path: Path, text: str) -> None:
    """Write `text` beside `path`, then rename it into place; an existing file is replaced.

    OutputError if it cannot be written; the old file then stands as it was.
    """
    with replaced_file(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield an empty file beside `path`; on success it takes its place by rename.

    OutputError if it cannot be written; the old file then stands as it was.
    """
    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise OutputError(f"{path} is a folder.", remedy="name a file.")
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        yield Path(name)
        Path(name).chmod(0o644)
        os.replace(name, path)
        name = ""
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}; nothing was changed.",
            remedy="free space, or name a file that you may write.",
        ) from error
    finally:
        if name:
            with suppress(OSError):
                os.unlink(name)
