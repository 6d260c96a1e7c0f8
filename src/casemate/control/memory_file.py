"""The machine's memory (`memory.py`) in a file that is replaced whole, with the log's length then.

A file that does not read is no memory: the machine then knows nothing.
"""

from __future__ import annotations

from pathlib import Path

from casemate.control import memory
from casemate.control.states import Machine
from casemate.core import cbor
from casemate.core.errors import FormatError
from casemate.translog.disk import Disk, FolderDisk

FORMAT = "casemate-machine/2"


def keep(path: Path, now: Machine, *, entries: int, disk: Disk | None = None) -> None:
    """Write the memory, durable before the old one goes. entries: in the log then. OSError.

    disk: of the file's folder, that of the operating system by default.
    """
    disk = disk or FolderDisk(path.parent)
    disk.put(f"{path.name}.new", cbor.encode([FORMAT, entries, memory.dump(now)]))
    disk.move(f"{path.name}.new", path.name)
    disk.sync_folder("")


def recall(path: Path, new: Machine, *, disk: Disk | None = None) -> tuple[Machine | None, int]:
    """Return the machine of the run before and the log's entries then; None, 0 if it is lost."""
    try:
        row = cbor.decode((disk or FolderDisk(path.parent)).read(path.name))
        if type(row) is not list or len(row) != 3 or row[0] != FORMAT or type(row[1]) is not int:
            return None, 0
        found = memory.load(row[2])
    except (OSError, FormatError, TypeError):
        return None, 0
    if (found.enclosure, found.serial) != (new.enclosure, new.serial):
        return None, 0
    return found, row[1]
