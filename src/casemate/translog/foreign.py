"""A folder that may come from an adversary, read file by file within bounds.

No file outside it is read, none that is not plain, and none longer than its kind can be; a sparse
file of a terabyte takes a line in an archive. What is read in all is bounded too.
"""

from __future__ import annotations

from pathlib import Path

from casemate.translog import note, plain_json, tiles
from casemate.translog.disk import MOST_FILE_BYTES, FolderDisk, odd

MOST_TOTAL_BYTES = 1 << 31
"""Of all files of a bundle: a year at 5 MB a day (planning value)."""
_MOST = {
    "bundle.json": plain_json.MOST_BYTES,
    "checkpoint": note.MOST_BYTES,
    "witnessed": note.MOST_BYTES,
    "tile": tiles.WIDTH * (2 + tiles.MOST_ENTRY_BYTES),
    "pending": MOST_FILE_BYTES,
}
"""Bytes of a file, by the first part of its path."""


class ForeignFolder:
    """The files below `root`, to be read once each."""

    def __init__(self, root: Path) -> None:
        self._root, self._disk = root, FolderDisk(root)
        self._left = MOST_TOTAL_BYTES
        self._plain: set[str] = set()

    def read(self, path: str) -> bytes:
        """Return the bytes of a file; FormatError if it leads elsewhere or is too long."""
        first, _, _ = path.partition("/")
        self._check_folders(path)
        data = self._disk.read(path, most=min(_MOST[first], self._left))
        self._left -= len(data)
        return data

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, sorted; none where it does not exist."""
        self._check_folders(f"{folder}/")
        return self._disk.names(folder)

    def _check_folders(self, path: str) -> None:
        """Raise FormatError if a folder on the way is a link."""
        at = path.find("/")
        while at != -1:
            folder = path[:at]
            if folder not in self._plain:
                if (self._root / folder).is_symlink():
                    raise odd(folder)
                self._plain.add(folder)
            at = path.find("/", at + 1)
