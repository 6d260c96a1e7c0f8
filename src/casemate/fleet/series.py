"""Readings of channels, as a controller tells them: unsigned, shown as that, and no verdict's base.

Kept in Parquet, a folder an enclosure and a day; what is more than a bound goes, oldest days first.
Nobody's database or evidence grows by it: what all enclosures have together is bounded, and some of
the disk stays free. Room is made by who has most, so that one who brings much pushes out nobody
but itself; where that has but one day left, more of it is refused.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from casemate.core import cbor
from casemate.core.errors import FormatError, OutputError
from casemate.core.private_folder import private_folder
from casemate.fleet.errors import RefusedError

MOST_BYTES = 2_000_000
MOST_BLOCKS, MOST_VALUES, MOST_TEXT = 4096, 200_000, 64
"""Of what is brought at once (planning values)."""
OLDEST_S, AHEAD_S = 7 * 86_400, 60
"""Readings that are older, or from a time to come, are not taken (planning values)."""
MOST_KEPT_BYTES = 200_000_000
"""Of an enclosure (planning value)."""
MOST_ALL_BYTES = 50_000_000_000
"""Of all enclosures together (planning value)."""
FREE_BYTES = 2_000_000_000
"""That stays free on the disk: evidence and the audit log come first (planning value)."""
TOGETHER = 32
"""Files of a day, before the small ones become one."""
SMALL_ROWS, MERGED_ROWS = 100_000, 1_000_000
"""Readings up to which a file is small, and of what becomes one: it is all in memory then."""
_PACKED = {"channel": "zstd", "unit": "zstd", "at_ms": "zstd", "value": "none"}
"""Values are not: a bound of bytes is one of readings, however well these could be packed."""
_MOST_TRIMMED = 64
"""Enclosures whose days go to make room for one write (planning value)."""
SHOWN = 2000
"""Points of a channel that a page gets at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Readings of a channel, at even times. first_ms: Unix time. values: in `unit`."""

    channel: str
    unit: str
    first_ms: int
    step_ms: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Readings of some time, Unix seconds: how many there are, the least, the mean, the most."""

    at_s: float
    count: int
    least: float
    mean: float
    most: float


def encode(rows: Sequence[tuple[str, str, int, int, int, Sequence[int]]]) -> bytes:
    """Return readings as CBOR. A row: channel, unit, exponent of ten, first and step in ms, values.

    A value is an integer times ten to the exponent.
    """
    return cbor.encode([[*each[:5], list(each[5])] for each in rows])


def decode(data: bytes, now_s: int) -> tuple[Block, ...]:
    """Return the readings in CBOR bytes; RefusedError if they are none, too many, or too old."""
    try:
        rows = cbor.decode(data, most=MOST_BYTES, depth=3)
    except FormatError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_BLOCKS:
        _refuse("these are no readings")
    found = tuple(_block(each, now_s) for each in rows)
    if sum(len(each.values) for each in found) > MOST_VALUES:
        _refuse("there are too many readings")
    return found


def _block(row: Any, now_s: int) -> Block:
    match row:
        case [str(channel), str(unit), int(exponent), int(first_ms), int(step_ms), list(values)]:
            pass
        case _:
            _refuse("a row is no readings")
    plain = all(each.isprintable() and len(each.encode()) <= MOST_TEXT for each in (channel, unit))
    whole = all(type(each) is int and abs(each) < 1 << 53 for each in values)
    if not (plain and channel and whole and values and -18 <= exponent <= 6):
        _refuse("a row is out of bounds")
    last_ms = first_ms + (len(values) - 1) * step_ms
    within = 1000 * (now_s - OLDEST_S) <= first_ms <= last_ms <= 1000 * (now_s + AHEAD_S)
    if not (within and 0 < step_ms <= 86_400_000):
        _refuse("readings are too old, or of a time to come")
    return Block(
        channel=channel, unit=unit, first_ms=first_ms, step_ms=step_ms,
        values=tuple(each * 10.0**exponent for each in values),
    )  # fmt: skip


def _refuse(why: str) -> NoReturn:
    raise RefusedError(f"{why}.", remedy="see docs/formats/fleet.md.")


class Series:
    """All readings, in a folder of the service. Of one process.

    most_bytes: of an enclosure. all_bytes: of all. free_bytes: of the disk, that stay free.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int = MOST_KEPT_BYTES, all_bytes: int = MOST_ALL_BYTES,
        free_bytes: int = FREE_BYTES, free: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._most, self._all, self._kept = folder, most_bytes, all_bytes, free_bytes
        self._free = free or (lambda: shutil.disk_usage(folder).free)
        self._locks = [threading.Lock() for _ in range(64)]
        self._sizes: dict[int, int] | None = None
        self._sizing = threading.Lock()

    def write(self, enclosure_id: int, blocks: Sequence[Block]) -> int:
        """Keep readings; return how many. OutputError if they cannot be written.

        RefusedError if there is no room for more of this enclosure.
        """
        import pyarrow as pa

        days: dict[str, dict[str, list[Any]]] = {}
        for each in blocks:
            for at, value in enumerate(each.values):
                at_ms = each.first_ms + at * each.step_ms
                day = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
                held = days.setdefault(day, {"channel": [], "unit": [], "at_ms": [], "value": []})
                for name, one in zip(held, (each.channel, each.unit, at_ms, value), strict=True):
                    held[name].append(one)
        self._make_room(enclosure_id, max(days))
        with self._lock(enclosure_id):
            try:
                for day, columns in sorted(days.items()):
                    self._add(enclosure_id, day, pa.table(columns))
                self._trim(enclosure_id, self._most)
            except (OSError, pa.ArrowException) as error:
                raise OutputError(
                    f"readings cannot be written: {error}.", remedy="see that its disk has room."
                ) from None
            finally:
                self._measure(enclosure_id)
        return sum(len(each.values) for each in blocks)

    def _lock(self, enclosure_id: int) -> threading.Lock:
        return self._locks[enclosure_id % len(self._locks)]

    def _make_room(self, enclosure_id: int, newest: str) -> None:
        """Drop the oldest days of who has most, until there is room. RefusedError if there is none.

        Who has no more than its share, of what all may have, loses nothing to others.
        Of one that has its latest day alone, and that beyond its bound, no more of that day is
        taken: a day as full as that holds up no other one.
        """
        try:
            private_folder(self._folder)
            sizes = dict(self._sized())
            over = max(sum(sizes.values()) - self._all, self._kept - self._free())
            share = max(sum(sizes.values()) - over, 0) / max(len(sizes), 1)
            largest = sorted(sizes, key=lambda x: -sizes[x]) if over > 0 else []
            for each in largest[:_MOST_TRIMMED]:
                if over <= 0 or sizes[each] <= share:
                    break
                with self._lock(each):
                    self._trim(each, max(sizes[each] - over, 0))
                    over -= sizes[each] - self._measure(each)
            mine = self._sized().get(enclosure_id, 0)
            days = sorted((self._folder / str(enclosure_id)).glob("*"))
            full = mine > self._most and days and newest <= days[-1].name
            greedy = over > 0 and mine > share
            scarce = self._free() < self._kept // 2
        except OSError as error:
            raise OutputError(
                f"readings cannot be kept: {error}.", remedy="see that its disk has room."
            ) from None
        if full or greedy or scarce:
            raise RefusedError(
                "there is no room for more readings of it.", remedy="bring fewer a day."
            )

    def _sized(self) -> dict[int, int]:
        """Return how many bytes each enclosure has; what is on the disk counts, at first."""
        with self._sizing:
            if self._sizes is None:
                found = (each.name for each in self._folder.iterdir() if each.name.isdigit())
                self._sizes = {int(each): self._size(int(each)) for each in found}
            return self._sizes

    def _size(self, enclosure_id: int) -> int:
        return sum(each.stat().st_size for each in self._files(enclosure_id))

    def _measure(self, enclosure_id: int) -> int:
        size = self._size(enclosure_id)
        sizes = self._sized()
        with self._sizing:
            sizes[enclosure_id] = size
        return size

    def read(
        self, enclosure_id: int, channel: str, begin_s: int, end_s: int, points: int = SHOWN
    ) -> tuple[str, tuple[Point, ...]]:
        """Return unit and readings of a channel in begin_s <= t < end_s, in `points` at most."""
        import numpy as np

        width = max((end_s - begin_s) / points, 1e-3)
        found: dict[int, Point] = {}
        unit, latest_s = "", -np.inf
        with self._lock(enclosure_id):  # no file becomes part of another meanwhile
            for path in self._files(enclosure_id):
                if not _day_of(begin_s) <= path.parent.name <= _day_of(end_s):
                    continue
                table = _chosen(path, channel, begin_s, end_s)
                if not table.num_rows:
                    continue
                at_s, value = table["at_ms"].to_numpy() / 1000, table["value"].to_numpy()
                if at_s.max() >= latest_s:
                    latest_s, unit = at_s.max(), str(table["unit"][int(at_s.argmax())])
                order = np.argsort(at_s, kind="stable")
                bins = ((at_s[order] - begin_s) // width).astype(np.int64)
                edges = [*np.flatnonzero(np.diff(bins, prepend=-1)), len(bins)]
                for a, b in zip(edges, edges[1:], strict=False):
                    here = order[a:b]
                    part = _point(at_s[here], value[here])
                    held = found.get(int(bins[a]))
                    found[int(bins[a])] = part if held is None else _joined(held, part)
        return unit, tuple(found[each] for each in sorted(found))

    def channels(self, enclosure_id: int) -> tuple[str, ...]:
        """Return the names of the channels of the latest day."""
        import pyarrow.parquet as pq

        with self._lock(enclosure_id):
            files = self._files(enclosure_id)
            last = [each for each in files if each.parent == files[-1].parent] if files else []
            names = {
                name for path in last
                for name in pq.read_table(path, columns=["channel"])["channel"].unique().to_pylist()
            }  # fmt: skip
        return tuple(sorted(names))

    def _files(self, enclosure_id: int) -> list[Path]:
        return sorted((self._folder / str(enclosure_id)).glob("*/*.parquet"))

    def _add(self, enclosure_id: int, day: str, table: Any) -> None:
        folder = self._folder / str(enclosure_id) / day
        private_folder(folder)
        held = sorted(folder.glob("*.parquet"))
        number = int(held[-1].stem) + 1 if held else 0
        _put(table, folder, number)
        if (len(held) + 1) % TOGETHER == 0:
            _become_one([*held, folder / f"{number:08d}.parquet"], number + 1)

    def _trim(self, enclosure_id: int, most: int) -> None:
        """Drop the oldest days beyond a bound; the latest day stays."""
        files = self._files(enclosure_id)
        size = sum(each.stat().st_size for each in files)
        days = sorted({each.parent for each in files})
        for day in days[:-1]:
            if size <= most:
                return
            size -= sum(each.stat().st_size for each in files if each.parent == day)
            shutil.rmtree(day)


def _put(table: Any, folder: Path, number: int) -> None:
    import pyarrow.parquet as pq

    part = folder / f"{number:08d}.new"
    pq.write_table(table, part, compression=_PACKED, use_dictionary=["channel", "unit"])
    os.replace(part, folder / f"{number:08d}.parquet")


def _become_one(files: Sequence[Path], number: int) -> None:
    """Make one file of small ones, of as many readings as memory is meant for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    taken: list[Path] = []
    rows = 0
    for each in files:
        count = pq.read_metadata(each).num_rows
        if count <= SMALL_ROWS and rows + count <= MERGED_ROWS:
            taken, rows = [*taken, each], rows + count
    if len(taken) > 1:
        _put(pa.concat_tables(map(pq.read_table, taken)), files[0].parent, number)
        for each in taken:
            each.unlink()


def _point(at_s: Any, value: Any) -> Point:
    return Point(
        at_s=float(at_s[0]), count=len(value), least=float(value.min()), mean=float(value.mean()),
        most=float(value.max()),
    )  # fmt: skip


def _joined(one: Point, other: Point) -> Point:
    count = one.count + other.count
    return Point(
        at_s=min(one.at_s, other.at_s), count=count, least=min(one.least, other.least),
        mean=(one.mean * one.count + other.mean * other.count) / count,
        most=max(one.most, other.most),
    )  # fmt: skip


def _chosen(path: Path, channel: str, begin_s: int, end_s: int) -> Any:
    import pyarrow.parquet as pq

    asked = [
        ("channel", "==", channel), ("at_ms", ">=", 1000 * begin_s), ("at_ms", "<", 1000 * end_s)
    ]  # fmt: skip
    return pq.read_table(path, filters=asked)


def _day_of(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d")
