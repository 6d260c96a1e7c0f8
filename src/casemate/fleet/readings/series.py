"""Readings of channels, as a controller tells them: unsigned, shown as that, and no verdict's base.

Kept in Parquet, a folder an enclosure and a day; what is more than a bound goes, oldest days first,
and leaves a summary. Nobody's database or evidence grows by it: what all enclosures have together
is bounded, and some of the disk stays free (`series_room`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from casemate.core import cbor
from casemate.core.errors import FormatError, OutputError
from casemate.fleet.errors import RefusedError
from casemate.fleet.readings import day_files, looks, summaries
from casemate.fleet.readings.looks import Point, Rows
from casemate.fleet.readings.room import FREE_BYTES, MOST_ALL_BYTES, MOST_KEPT_BYTES, Room

MOST_BYTES = 2_000_000
MOST_BLOCKS, MOST_VALUES, MOST_TEXT = 4096, 200_000, 64
"""Of what is brought at once (planning values)."""
OLDEST_S, AHEAD_S = 7 * 86_400, 60
"""Readings that are older, or from a time to come, are not taken (planning values)."""
MOST_CHANNELS = 4096
"""Of an enclosure, since this process began (planning value)."""
MOST_KNOWN = 500_000
"""Channels of all enclosures whose latest readings are in memory; others are read anew when they
are asked for (planning value)."""
MOST_ROWS, LOOKED_AT_BYTES = 5_000_000, 1_000_000
"""Readings of an enclosure on one day (58 a second all day), which are counted once its files are
larger than this (planning values)."""
_LAST_S = 253_402_300_799
"""The end of the year 9999."""
WIDE_S = 3 * 86_400
"""A longer time is looked at by the summaries of its finished days."""
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
class Latest:
    """What was told last of a channel. at_s: Unix time, by the controller's clock."""

    channel: str
    unit: str
    at_s: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A channel in some time. width_s: of a point at least."""

    unit: str
    points: tuple[Point, ...]
    width_s: float


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


@dataclass(slots=True)
class _Known:
    """What was told last of an enclosure's channels. whole: files were looked at too."""

    latest: dict[str, Latest]
    whole: bool = False


class Series:
    """All readings, in a folder of the service. Of one process.

    most_bytes: of an enclosure; most_day_bytes: of one day of it. all_bytes: of all. free_bytes: of
    the disk, that stay free.
    """

    def __init__(
        self, folder: Path, *, most_bytes: int = MOST_KEPT_BYTES,
        most_day_bytes: int = MOST_KEPT_BYTES, all_bytes: int = MOST_ALL_BYTES,
        free_bytes: int = FREE_BYTES, free: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self._folder, self._most, self._most_day = folder, most_bytes, most_day_bytes
        self._locks = [threading.Lock() for _ in range(64)]
        self._room = Room(
            folder, self._lock, most_bytes=most_bytes, all_bytes=all_bytes, free_bytes=free_bytes,
            free=free,
        )  # fmt: skip
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._knowing = threading.Lock()

    def write(self, enclosure_id: int, blocks: Sequence[Block]) -> int:
        """Keep readings; return how many. OutputError if they cannot be written.

        RefusedError for a channel or a day too many, a day whose readings have gone, or if there is
        no room for more of this enclosure.
        """
        import pyarrow as pa

        days: dict[str, list[Any]] = {}
        for each in blocks:
            at_ms = each.first_ms + each.step_ms * np.arange(len(each.values), dtype=np.int64)
            values = np.array(each.values, dtype=np.float64)
            for number in np.unique(at_ms // summaries.DAY_MS).tolist():
                here = at_ms // summaries.DAY_MS == number
                columns = {
                    "channel": pa.repeat(each.channel, int(here.sum())),
                    "unit": pa.repeat(each.unit, int(here.sum())),
                    "at_ms": at_ms[here], "value": values[here],
                }  # fmt: skip
                day = str(np.datetime64(number, "D"))
                days.setdefault(day, []).append(pa.table(columns))
        with self._lock(enclosure_id):
            self._check(enclosure_id, blocks, days)
        self._room.make(enclosure_id, max(days))
        with self._lock(enclosure_id):
            folder = self._at(enclosure_id)
            try:
                for day, tables in sorted(days.items()):
                    day_files.add(folder, day, pa.concat_tables(tables))
                day_files.trim(folder, self._most)
                self._remember(enclosure_id, blocks)
            except (OSError, pa.ArrowException) as error:
                raise OutputError(
                    f"readings cannot be written: {error}.", remedy="see that its disk has room."
                ) from None
            finally:
                self._room.measure(enclosure_id)
        return sum(len(each.values) for each in blocks)

    def read(
        self, enclosure_id: int, channel: str, begin_s: int, end_s: int, points: int = SHOWN
    ) -> tuple[str, tuple[Point, ...]]:
        """Return unit and readings of a channel in begin_s <= t < end_s, in `points` at most."""
        found = self.look(enclosure_id, [channel], begin_s, end_s, points, wide=False)[channel]
        return found.unit, found.points

    def look(
        self, enclosure_id: int, channels: Sequence[str], begin_s: int, end_s: int,
        points: int = SHOWN, *, wide: bool = True,
    ) -> dict[str, Look]:  # fmt: skip
        """Return each channel in begin_s <= t < end_s, in `points` at most.

        wide: a time longer than WIDE_S is looked at by summaries, which are less fine.
        """
        names = list(dict.fromkeys(channels))
        width_s = max((end_s - begin_s) / points, 1e-3)
        with self._lock(enclosure_id):
            rows, units = self._rows(enclosure_id, names, begin_s, end_s, wide=wide)
        found = looks.thinned(rows, len(names), begin_s, width_s)
        return {
            name: Look(unit=units.get(name, ""), points=tuple(each), width_s=width_s)
            for name, each in zip(names, found, strict=True)
        }

    def latest(self, enclosure_id: int) -> dict[str, Latest]:
        """Return what was told last of each channel of the latest day, by name."""
        with self._lock(enclosure_id):
            held = self._of(enclosure_id)
            if not held.whole:
                for each in self._last_told(enclosure_id).values():
                    _newer(held.latest, each)
                held.whole = True
            return dict(sorted(held.latest.items()))

    def channels(self, enclosure_id: int) -> tuple[str, ...]:
        """Return the names of the channels of the latest day."""
        return tuple(self.latest(enclosure_id))

    def _at(self, enclosure_id: int) -> Path:
        return self._folder / str(enclosure_id)

    def _lock(self, enclosure_id: int) -> threading.Lock:
        return self._locks[enclosure_id % len(self._locks)]

    def _of(self, enclosure_id: int) -> _Known:
        """Return what is known of an enclosure, to be changed under its lock."""
        with self._knowing:
            held = self._known.setdefault(enclosure_id, _Known({}))
            self._known.move_to_end(enclosure_id)
            size = sum(len(each.latest) for each in self._known.values()) if not held.latest else 0
            while size > MOST_KNOWN and len(self._known) > 1:
                size -= len(self._known.popitem(last=False)[1].latest)
        return held

    def _last_told(self, enclosure_id: int) -> dict[str, Latest]:
        import pyarrow.parquet as pq

        files = day_files.files(self._at(enclosure_id))
        out: dict[str, Latest] = {}
        for path in files:
            if path.parent != files[-1].parent:
                continue
            table = pq.read_table(path)
            names, channel, at_s, value = summaries.columns(table)
            last = dict(zip(channel[order := at_s.argsort()].tolist(), order.tolist(), strict=True))
            for index, row in last.items():
                made = Latest(channel=names[index], unit=str(table["unit"][row]),
                              at_s=float(at_s[row]), value=float(value[row]))  # fmt: skip
                _newer(out, made)
        return out

    def _check(self, enclosure_id: int, blocks: Sequence[Block], days: Iterable[str]) -> None:
        """Refuse what is too much. No readings are read."""
        held, folder = self._of(enclosure_id).latest, self._at(enclosure_id)
        if len(held.keys() | {each.channel for each in blocks}) > MOST_CHANNELS:
            _refuse("there are too many channels")
        for day in days:
            files = list((folder / day).glob("*.parquet"))
            size = day_files.size(files)
            if size > self._most_day or (size > LOOKED_AT_BYTES and _rows_in(files) > MOST_ROWS):
                _refuse("there are too many readings of that day")
            if not files and day in summaries.days(day_files.summary(folder)):
                _refuse("the readings of that day have gone")

    def _remember(self, enclosure_id: int, blocks: Sequence[Block]) -> None:
        held = self._of(enclosure_id).latest
        for each in blocks:
            at_s = (each.first_ms + (len(each.values) - 1) * each.step_ms) / 1000
            _newer(held, Latest(channel=each.channel, unit=each.unit, at_s=at_s,
                                value=each.values[-1]))  # fmt: skip

    def _rows(
        self, enclosure_id: int, names: list[str], begin_s: int, end_s: int, *, wide: bool
    ) -> tuple[Rows, dict[str, str]]:
        """Return rows of channels, and units: of finished days by summary, where it is wide."""
        folder = day_files.summary(self._at(enclosure_id))
        raw_s, parts, units = begin_s, [], dict[str, str]()
        days = sorted({each.parent.name for each in day_files.files(self._at(enclosure_id))})
        if wide and end_s - begin_s > WIDE_S:
            day_files.sum_up(self._at(enclosure_id), days[:-1])
            raw_s = max(summaries.day_ms(days[-1]) // 1000, begin_s) if days else end_s
            rows, units = summaries.read(folder, names, 1000 * begin_s, 1000 * raw_s)
            parts.append(rows)
        for path in day_files.files(self._at(enclosure_id)):
            if _day_of(raw_s) <= path.parent.name <= _day_of(end_s):
                rows, told = _chosen(path, names, raw_s, end_s)
                parts.append(rows)
                units |= told
        return looks.joined([*parts, looks.nothing()]), units


def _rows_in(files: Sequence[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(int(pq.read_metadata(each).num_rows) for each in files)


def _newer(held: dict[str, Latest], made: Latest) -> None:
    if made.channel not in held or held[made.channel].at_s <= made.at_s:
        held[made.channel] = made


def _chosen(
    path: Path, names: list[str], begin_s: int, end_s: int
) -> tuple[Rows, dict[str, str]]:  # fmt: skip
    import pyarrow.parquet as pq

    asked = [("at_ms", ">=", 1000 * begin_s), ("at_ms", "<", 1000 * end_s)]
    held = pq.read_table(path, filters=asked, read_dictionary=["channel", "unit"])
    found, index, at_s, value = summaries.columns(held)
    number = {name: at for at, name in enumerate(names)}
    mine = np.array([number.get(each, -1) for each in found], dtype=np.int64)
    if not held.num_rows or mine.max() < 0:
        return looks.nothing(), {}
    told = {name: unit for name, unit in summaries.units(held).items() if name in number}
    kept = mine[index] >= 0
    return looks.plain(mine[index][kept], at_s[kept], value[kept]), told


def _day_of(at_s: int) -> str:
    """Return the day of a time as folders are named; one past all that can be named is the last."""
    return datetime.fromtimestamp(min(max(at_s, 0), _LAST_S), UTC).strftime("%Y-%m-%d")
