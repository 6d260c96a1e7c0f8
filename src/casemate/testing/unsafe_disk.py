"""A disk in memory that forgets: what was not synced may be lost, reordered or torn at a cut.

The same interface as `casemate.translog.disk.FolderDisk`. A step is one operation that can be cut:
a write, a sync, a change of a name. What it assumes: a write survives a cut by sectors, each on
its own; a change of a name survives on its own, whole; a failed sync forgets what it should have
written, and the next one succeeds (as Linux does). What it does not model: sectors that are torn
within, and a disk that lies about syncs.
"""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass, field

SECTOR_BYTES = 512


class PowerCut(BaseException):
    """The power went. No code under test may catch it."""


@dataclass(slots=True, eq=False)
class _File:
    """`now` is what readers see, `kept` what a cut leaves for sure, `writes` what lies between."""

    kept: bytes = b""
    now: bytes = b""
    writes: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Change:
    """A name that now leads to `file`, or to none; of a move, the old name that goes with it."""

    folder: str
    path: str
    file: _File | None
    source: str = ""


class UnsafeDisk:
    """Files in memory. `cut_at`: step at which PowerCut is raised; `fail_sync_at`: number of the
    sync that fails; `room_bytes`: bytes that can still be written before the disk is full.
    """

    def __init__(
        self,
        *,
        cut_at: int | None = None,
        fail_sync_at: int | None = None,
        room_bytes: int | None = None,
    ) -> None:
        self.cut_at, self.fail_sync_at, self.room_bytes = cut_at, fail_sync_at, room_bytes
        self.steps = self.syncs = 0
        self._names: dict[str, _File] = {}
        self._kept_names: dict[str, _File] = {}
        self._changes: list[_Change] = []
        self._folders: set[str] = {""}
        self._kept_folders: set[str] = {""}
        self._sure: set[str] = set()
        self.locked = False

    def read(self, path: str) -> bytes:
        """Return what readers see of a file."""
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        return self._names[path].now

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        head = f"{folder}/" if folder else ""
        paths = [*self._names, *self._folders]
        inside = {
            path[len(head) :].split("/")[0] for path in paths if path.startswith(head) and path
        }
        return sorted(inside - {""})

    def put(self, path: str, data: bytes) -> None:
        """Write a whole file (as a new one: the old bytes are cut off first) and sync it."""
        self._within(path)
        self._step()
        file = self._names.get(path)
        if file is None:
            file = self._link(path)
        elif file.now:
            file.writes.append((-1, b""))
            file.now = b""
        self._write(file, data)
        self._sync(file)

    def appender(self, path: str) -> UnsafeAppender:
        """Open a new file for appending."""
        self._within(path)
        if path in self._names:
            raise FileExistsError(errno.EEXIST, "file exists", path)
        self._step()
        return UnsafeAppender(self, self._link(path))

    def move(self, source: str, target: str) -> None:
        """Rename."""
        self._step()
        file = self._names.pop(source)
        self._names[target] = file
        self._changes.append(_Change(folder=_parent(target), path=target, file=file, source=source))

    def remove(self, path: str) -> None:
        """Remove a file if it is there."""
        self._step()
        if self._names.pop(path, None) is not None:
            self._changes.append(_Change(folder=_parent(path), path=path, file=None))

    def remove_folder(self, folder: str) -> None:
        """Remove a folder if it is empty."""
        self._sure.discard(folder)
        if not self.names(folder):
            self._folders.discard(folder)

    def make_folder(self, folder: str) -> None:
        """Make a folder and those above it; each is kept once its name was synced."""
        parts = folder.split("/")
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            if path not in self._sure:
                self._step()
                self._folders.add(path)
                self._step()
                self._may_fail()
                self._kept_folders.add(path)
                self._sure.add(path)

    def sync_folder(self, folder: str) -> None:
        """Keep all changes of names in a folder."""
        self._step()
        self._may_fail()
        rest: list[_Change] = []
        for change in self._changes:
            if change.folder == folder:
                _apply(self._kept_names, change)
            else:
                rest.append(change)
        self._changes = rest
        self._kept_folders = {
            each for each in self._kept_folders if _parent(each) != folder or each in self._folders
        }

    def lock(self) -> None:
        """Take the disk."""
        assert not self.locked, "two writers at once"
        self.locked = True

    def unlock(self) -> None:
        """Give the disk free."""
        self.locked = False

    def after_cut(self, rng: random.Random) -> UnsafeDisk:
        """Return the disk as a power cut leaves it; `rng` decides what survived."""
        names = dict(self._kept_names)
        chance = rng.choice((0.0, 0.3, 0.7, 1.0))
        for change in self._changes:
            if rng.random() < chance:
                _apply(names, change)
        found = UnsafeDisk()
        found._kept_folders = {"", *self._kept_folders}
        found._folders = set(found._kept_folders)
        kept: dict[int, _File] = {}
        for path, file in names.items():
            if _parent(path) in found._folders:
                if id(file) not in kept:
                    data = _survived(file, rng)
                    kept[id(file)] = _File(kept=data, now=data)
                found._names[path] = kept[id(file)]
        found._kept_names = dict(found._names)
        return found

    def after_kill(self) -> UnsafeDisk:
        """Return the disk as the end of the process leaves it: nothing is lost, nothing is safe."""
        self.cut_at = self.fail_sync_at = self.room_bytes = None
        self.locked = False
        self._sure = set()
        return self

    def flip(self, path: str, bit: int) -> None:
        """Flip one bit of a file, as a bad disk does."""
        file = self._names[path]
        data = bytearray(file.now)
        data[(bit // 8) % len(data)] ^= 1 << (bit % 8)
        file.now = file.kept = bytes(data)
        file.writes = []

    def paths(self) -> list[str]:
        """Return the paths of all files."""
        return sorted(self._names)

    def _within(self, path: str) -> None:
        if _parent(path) not in self._folders:
            raise FileNotFoundError(errno.ENOENT, "no such folder", path)

    def _link(self, path: str) -> _File:
        file = self._names[path] = _File()
        self._changes.append(_Change(folder=_parent(path), path=path, file=file))
        return file

    def _write(self, file: _File, data: bytes) -> None:
        self._step()
        room = self.room_bytes
        taken = data if room is None else data[:room]
        file.writes.append((len(file.now), taken))
        file.now += taken
        if room is not None:
            self.room_bytes = room - len(taken)
            if len(taken) < len(data):
                raise OSError(errno.ENOSPC, "no space left on device")

    def _sync(self, file: _File) -> None:
        self._step()
        try:
            self._may_fail()
        except OSError:
            file.writes = []
            raise
        file.kept, file.writes = file.now, []

    def _may_fail(self) -> None:
        self.syncs += 1
        if self.syncs == self.fail_sync_at:
            raise OSError(errno.EIO, "input/output error")

    def _step(self) -> None:
        self.steps += 1
        if self.cut_at is not None and self.steps >= self.cut_at:
            raise PowerCut


class UnsafeAppender:
    """A handle of an UnsafeDisk."""

    def __init__(self, disk: UnsafeDisk, file: _File) -> None:
        self._disk, self._file = disk, file

    def write(self, data: bytes) -> None:
        """Append."""
        self._disk._write(self._file, data)

    def sync(self) -> None:
        """Sync the file's bytes."""
        self._disk._sync(self._file)

    def close(self) -> None:
        """Close the handle."""


def _apply(names: dict[str, _File], change: _Change) -> None:
    if change.source:
        names.pop(change.source, None)
    if change.file is None:
        names.pop(change.path, None)
    else:
        names[change.path] = change.file


def _survived(file: _File, rng: random.Random) -> bytes:
    data = bytearray(file.kept)
    chance = rng.choice((0.0, 0.5, 0.9, 1.0))
    for offset, piece in file.writes:
        if offset < 0:  # cut off
            if rng.random() < chance:
                data.clear()
            continue
        for at in range(0, len(piece), SECTOR_BYTES):
            if rng.random() < chance:
                sector = piece[at : at + SECTOR_BYTES]
                if rng.random() < 0.2:
                    sector = sector[: rng.randrange(len(sector) + 1)]  # the file ends in it
                end = offset + at + len(sector)
                data.extend(bytes(max(end - len(data), 0)))
                data[offset + at : end] = sector
    return bytes(data)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
