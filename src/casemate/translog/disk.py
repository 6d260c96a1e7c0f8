"""The file layer of a log and of a witness: few operations, each with one meaning at a power cut.

Paths are relative, with slashes. `UnsafeDisk` of casemate.testing has the same interface and
loses, reorders and tears what was not synced.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from casemate.core.errors import FormatError
from casemate.translog.errors import LogError

MOST_FILE_BYTES = 1 << 30
"""Largest file read: four of the largest batches (planning value)."""

_ODD = (errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENXIO, errno.ENODEV)


class Appender(Protocol):
    """A file open for appending. The handle stays open, so that no error of it is lost."""

    def write(self, data: bytes) -> None:
        """Append `data`; not durable before `sync`."""
        ...

    def sync(self) -> None:
        """Make all that was written durable. OSError if that is not sure."""
        ...

    def close(self) -> None:
        """Close the handle."""
        ...


class Readable(Protocol):
    """Files under one folder, to be read. What fails raises OSError."""

    def read(self, path: str) -> bytes:
        """Return the bytes of a file."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none where it does not exist."""
        ...


class Disk(Readable, Protocol):
    """Files under one folder. What fails raises OSError."""

    def put(self, path: str, data: bytes) -> None:
        """Write a whole file and sync its bytes; its name is durable after `sync_folder`."""
        ...

    def appender(self, path: str) -> Appender:
        """Open a new file for appending."""
        ...

    def move(self, source: str, target: str) -> None:
        """Rename; `target` is replaced. Durable after `sync_folder`."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file if it is there. Durable after `sync_folder`."""
        ...

    def remove_folder(self, folder: str) -> None:
        """Remove a folder if it is there and empty."""
        ...

    def make_folder(self, folder: str) -> None:
        """Make a folder and those above it, durably."""
        ...

    def sync_folder(self, folder: str) -> None:
        """Make the names in a folder durable."""
        ...

    def lock(self) -> None:
        """Take the folder for this process alone. LogError if another has it."""
        ...

    def unlock(self) -> None:
        """Give the folder free."""
        ...


class FolderDisk:
    """Files of the operating system under `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock: int | None = None
        self._sure: set[str] = set()

    def read(self, path: str, *, most: int = MOST_FILE_BYTES) -> bytes:
        """Return the bytes of a file.

        FormatError if it is no plain file, leads elsewhere, or has more than `most` bytes, by
        default as many as the largest file of a log: the folder may come from an adversary.
        """
        try:
            with _opened(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK) as handle:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode) or found.st_size > most:
                    raise odd(path)
                with os.fdopen(os.dup(handle), "rb") as stream:
                    return stream.read(most)
        except OSError as error:
            if error.errno in _ODD:
                raise odd(path) from None
            raise

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted. FormatError if it is no folder."""
        try:
            return sorted(os.listdir(self.root / folder))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise odd(folder) from None

    def put(self, path: str, data: bytes) -> None:
        """Write a whole file and sync it through the handle that wrote it."""
        with _opened(self.root / path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as handle:
            _write_all(handle, data)
            os.fsync(handle)

    def appender(self, path: str) -> Appender:
        """Open a new file for appending."""
        return _FileAppender(self.root / path)

    def move(self, source: str, target: str) -> None:
        """Rename within the root."""
        os.replace(self.root / source, self.root / target)

    def remove(self, path: str) -> None:
        """Remove a file if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self.root / path)

    def remove_folder(self, folder: str) -> None:
        """Remove a folder if it is there and empty."""
        self._sure.discard(folder)
        with suppress(OSError):
            os.rmdir(self.root / folder)

    def make_folder(self, folder: str) -> None:
        """Make a folder and those above it, and sync each name once in the life of this object.

        One that stands already may be there unsynced: its maker may have been killed in between.
        """
        parts = folder.split("/")
        for count in range(1, len(parts) + 1):
            name = "/".join(parts[:count])
            if name not in self._sure:
                path = self.root / name
                path.mkdir(exist_ok=True)
                _sync_folder(path.parent)
                self._sure.add(name)

    def sync_folder(self, folder: str) -> None:
        """Sync the names in a folder."""
        _sync_folder(self.root / folder)

    def lock(self) -> None:
        """Take the folder; the lock ends with the process."""
        handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise LogError(
                f"{self.root} is in use by another process.", remedy="end that process first."
            ) from None
        self._lock = handle

    def unlock(self) -> None:
        """Give the folder free."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class _FileAppender:
    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o644)

    def write(self, data: bytes) -> None:
        _write_all(self._handle, data)

    def sync(self) -> None:
        os.fdatasync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


def odd(path: str) -> FormatError:
    """Return the error about a file that is none of a log."""
    return FormatError(
        f"{path} is not a plain file or folder of a log, or is too long.",
        remedy="get the folder again from its source.",
    )


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    handle = os.open(path, flags, 0o644)
    try:
        yield handle
    finally:
        os.close(handle)


def _sync_folder(path: Path) -> None:
    with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as handle:
        os.fsync(handle)


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
