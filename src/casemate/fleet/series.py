"""Readings of channels, as a controller tells them: unsigned, shown as that, and no verdict's base.

Kept in Parquet, a folder an enclosure and a day; what is more than a bound goes, oldest days first,
and leaves a summary. Nobody's database or evidence grows by it.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from casemate.core import cbor
from casemate.core.errors import FormatError, OutputError
from casemate.core.private_folder import private_folder
from casemate.fleet import series_look, series_summary
from casemate.fleet.errors import RefusedError
from casemate.fleet.series_look import Point, Rows

MOST_BYTES = 2_000_000
MOST_BLOCKS, MOST_VALUES, MOST_TEXT = 4096, 200_000, 64
"""Of what is brought at once (planning values)."""
OLDEST_S, AHEAD_S = 7 * 86_400, 60
"""Readings that are older, or from a time to come, are not taken (planning values)."""
MOST_KEPT_BYTES = 200_000_000
"""Of an enclosure; a day alone may not have more either (planning value)."""
MOST_CHANNELS = 4096
"""Of an enclosure, since this process began (planning value)."""
MOST_KNOWN = 500_000
"""Channels of all enclosures whose latest readings are in memory; others are read anew when they
are asked for (planning value)."""
MOST_ROWS, LOOKED_AT_BYTES = 5_000_000, 1_000_000
"""Readings of an enclosure on one day (58 a second all day), which are counted once its files are
larger than this: what does not vary compresses well (planning values)."""
GROUP = 65_536
"""Rows of a file that are read together: what was told last is found without the rest."""
WIDE_S = 3 * 86_400
"""A longer time is looked at by the summaries of its finished days."""
SUMMARY = "summary"
TOGETHER = 32
"""Files of a day, before they become one."""
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
    """All readings, in a folder of the service. most_bytes: of an enclosure; of one day of it."""

    def __init__(
        self, folder: Path, *, most_bytes: int = MOST_KEPT_BYTES,
        most_day_bytes: int = MOST_KEPT_BYTES,
    ) -> None:  # fmt: skip
        self._folder, self._most, self._most_day = folder, most_bytes, most_day_bytes
        self._locks = [threading.Lock() for _ in range(64)]
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._knowing = threading.Lock()

    def write(self, enclosure_id: int, blocks: Sequence[Block]) -> int:
        """Keep readings; return how many. OutputError if they cannot be written.

        RefusedError for a channel or a day too many, or a day whose readings have gone.
        """
        import pyarrow as pa

        days: dict[str, list[Any]] = {}
        for each in blocks:
            at_ms = each.first_ms + each.step_ms * np.arange(len(each.values), dtype=np.int64)
            values = np.array(each.values, dtype=np.float64)
            for number in np.unique(at_ms // series_summary.DAY_MS).tolist():
                here = at_ms // series_summary.DAY_MS == number
                columns = {
                    "channel": pa.repeat(each.channel, int(here.sum())),
                    "unit": pa.repeat(each.unit, int(here.sum())),
                    "at_ms": at_ms[here], "value": values[here],
                }  # fmt: skip
                day = str(np.datetime64(number, "D"))
                days.setdefault(day, []).append(pa.table(columns))
        with self._lock(enclosure_id):
            try:
                self._take_in(enclosure_id, blocks, days)
                for day, tables in sorted(days.items()):
                    self._add(enclosure_id, day, pa.concat_tables(tables))
                self._trim(enclosure_id)
            except (OSError, pa.ArrowException) as error:
                raise OutputError(
                    f"readings cannot be written: {error}.", remedy="see that its disk has room."
                ) from None
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
        found = series_look.thinned(rows, len(names), begin_s, width_s)
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

    def _lock(self, enclosure_id: int) -> threading.Lock:
        return self._locks[enclosure_id % len(self._locks)]

    def _summary(self, enclosure_id: int) -> Path:
        return self._folder / SUMMARY / str(enclosure_id)

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

        files = self._files(enclosure_id)
        out: dict[str, Latest] = {}
        for path in files:
            if path.parent != files[-1].parent:
                continue
            table = pq.read_table(path)
            names, channel, at_s, value = series_summary.columns(table)
            last = dict(zip(channel[order := at_s.argsort()].tolist(), order.tolist(), strict=True))
            for index, row in last.items():
                made = Latest(channel=names[index], unit=str(table["unit"][row]),
                              at_s=float(at_s[row]), value=float(value[row]))  # fmt: skip
                _newer(out, made)
        return out

    def _take_in(self, enclosure_id: int, blocks: Sequence[Block], days: Iterable[str]) -> None:
        """Refuse what is too much; else remember what was told last. No readings are read."""
        held = self._of(enclosure_id).latest
        if len(held.keys() | {each.channel for each in blocks}) > MOST_CHANNELS:
            _refuse("there are too many channels")
        folder = self._folder / str(enclosure_id)
        for day in days:
            files = list((folder / day).glob("*.parquet"))
            size = sum(each.stat().st_size for each in files)
            if size > self._most_day or (size > LOOKED_AT_BYTES and _rows_in(files) > MOST_ROWS):
                _refuse("there are too many readings of that day")
            if not files and day in series_summary.days(self._summary(enclosure_id)):
                _refuse("the readings of that day have gone")
        for each in blocks:
            at_s = (each.first_ms + (len(each.values) - 1) * each.step_ms) / 1000
            _newer(held, Latest(channel=each.channel, unit=each.unit, at_s=at_s,
                                value=each.values[-1]))  # fmt: skip

    def _rows(
        self, enclosure_id: int, names: list[str], begin_s: int, end_s: int, *, wide: bool
    ) -> tuple[Rows, dict[str, str]]:
        """Return rows of channels, and units: of finished days by summary, where it is wide."""
        folder = self._summary(enclosure_id)
        raw_s, parts, units = begin_s, [], dict[str, str]()
        days = sorted({each.parent.name for each in self._files(enclosure_id)})
        if wide and end_s - begin_s > WIDE_S:
            self._sum_up(enclosure_id, days[:-1])
            raw_s = max(series_summary.day_ms(days[-1]) // 1000, begin_s) if days else end_s
            rows, units = series_summary.read(folder, names, 1000 * begin_s, 1000 * raw_s)
            parts.append(rows)
        for path in self._files(enclosure_id):
            if _day_of(raw_s) <= path.parent.name <= _day_of(end_s):
                rows, told = _chosen(path, names, raw_s, end_s)
                parts.append(rows)
                units |= told
        return series_look.joined([*parts, series_look.nothing()]), units

    def _sum_up(self, enclosure_id: int, days: Sequence[str]) -> None:
        """Write down in short what days have that have not been."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = self._folder / str(enclosure_id)
        for day in sorted(set(days) - series_summary.days(self._summary(enclosure_id))):
            tables = [pq.read_table(each) for each in sorted((folder / day).glob("*.parquet"))]
            series_summary.add(self._summary(enclosure_id), day, pa.concat_tables(tables))

    def _files(self, enclosure_id: int) -> list[Path]:
        return sorted((self._folder / str(enclosure_id)).glob("[0-9]*/*.parquet"))

    def _add(self, enclosure_id: int, day: str, table: Any) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = self._folder / str(enclosure_id) / day
        private_folder(folder)
        held = sorted(folder.glob("*.parquet"))
        number = int(held[-1].stem) + 1 if held else 0
        if len(held) >= TOGETHER:
            table = pa.concat_tables([*map(pq.read_table, held), table])
        if any(each.name > day for each in folder.parent.glob("[0-9]*")):  # it had been finished
            series_summary.drop(self._summary(enclosure_id), day)
        part = folder / f"{number:08d}.new"
        pq.write_table(table.sort_by("at_ms"), part, compression="zstd", row_group_size=GROUP)
        os.replace(part, folder / f"{number:08d}.parquet")
        for each in held if len(held) >= TOGETHER else ():
            each.unlink()

    def _trim(self, enclosure_id: int) -> None:
        """Drop the oldest days beyond the bound; the latest day stays."""
        files = self._files(enclosure_id)
        size = sum(each.stat().st_size for each in files)
        days = sorted({each.parent for each in files})
        for day in days[:-1]:
            if size <= self._most:
                return
            self._sum_up(enclosure_id, [day.name])
            size -= sum(each.stat().st_size for each in files if each.parent == day)
            shutil.rmtree(day)


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
    found, index, at_s, value = series_summary.columns(held)
    number = {name: at for at, name in enumerate(names)}
    mine = np.array([number.get(each, -1) for each in found], dtype=np.int64)
    if not held.num_rows or mine.max() < 0:
        return series_look.nothing(), {}
    told = {name: unit for name, unit in series_summary.units(held).items() if name in number}
    kept = mine[index] >= 0
    return series_look.plain(mine[index][kept], at_s[kept], value[kept]), told


def _day_of(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d")
