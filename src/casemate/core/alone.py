"""One process at a time in a folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casemate.core.errors import InputError, OutputError

LOCK = ".alone"


@contextmanager
def alone(folder: Path, *, what: str, remedy: str) -> Iterator[None]:
    """Hold `folder`, which exists, until the block ends or this process does.

    Children do not inherit it. Raises InputError, with `what` is held and the remedy, if another
    process holds it; OutputError if no file can be made there.
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror}.",
            remedy="free space, or name a folder that you may write to.",
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(what, remedy=remedy, file=str(folder)) from None
        yield
    finally:
        os.close(handle)
