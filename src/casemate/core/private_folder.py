"""Folders that hold secrets: this user's own, closed to all others."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from casemate.core.errors import OutputError


def private_folder(path: Path) -> Path:
    """Make a folder that this user alone may use, or close one that is there; return its path.

    OutputError if it is a link or somebody else's: they could put other files into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(folder).st_uid != os.geteuid():
                raise OutputError(
                    f"{path} belongs to another user.",
                    remedy="run as its owner, or let somebody you trust give it to this user.",
                )
            if stat.S_IMODE(os.fstat(folder).st_mode) & 0o077:
                os.fchmod(folder, 0o700)
        finally:
            os.close(folder)
    except OSError as error:
        raise OutputError(
            f"{path} is no folder for secrets: {error.strerror}.",
            remedy="put a folder of this user there, not a link.",
        ) from None
    return path
