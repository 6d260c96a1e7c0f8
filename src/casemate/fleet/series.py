"""Readings of channels, as a controller tells them: unsigned, shown as that, and no verdict's base.

Kept in Parquet, a folder an enclosure and a day; what is more than a bound goes, oldest days first.
Nobody's database or evidence grows by it.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
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
    """All readings, in a folder of the service. most_bytes: of an enclosure."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._folder, self._most = folder, most_bytes
        self._locks = [threading.Lock() for _ in range(64)]

    def write(self, enclosure_id: int, blocks: Sequence[Block]) -> int:
        """Keep readings; return how many. OutputError if they cannot be written."""
        import pyarrow as pa

        days: dict[str, dict[str, list[Any]]] = {}
        for each in blocks:
            for at, value in enumerate(each.values):
                at_ms = each.first_ms + at * each.step_ms
                day = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
                held = days.setdefault(day, {"channel": [], "unit": [], "at_ms": [], "value": []})
                for name, one in zip(held, (each.channel, each.unit, at_ms, value), strict=True):
                    held[name].append(one)
        with self._locks[enclosure_id % len(self._locks)]:
            try:
                for day, columns in sorted(days.items()):
                    self._add(enclosure_id, day, pa.table(columns))
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
        import numpy as np

        found = [
            _chosen(path, channel, begin_s, end_s)
            for path in self._files(enclosure_id)
            if _day_of(begin_s) <= path.parent.name <= _day_of(end_s)
        ]
        found = [each for each in found if each.num_rows]
        if not found:
            return "", ()
        at_s = np.concatenate([each["at_ms"].to_numpy() for each in found]) / 1000
        value = np.concatenate([each["value"].to_numpy() for each in found])
        order = np.argsort(at_s, kind="stable")
        at_s, value = at_s[order], value[order]
        width = max((end_s - begin_s) / points, 1e-3)
        edges = np.flatnonzero(np.diff(((at_s - begin_s) // width).astype(np.int64), prepend=-1))
        ends = [*edges[1:], len(at_s)]
        shown = tuple(
            Point(
                at_s=float(at_s[a]), count=int(b - a), least=float(value[a:b].min()),
                mean=float(value[a:b].mean()), most=float(value[a:b].max()),
            )
            for a, b in zip(edges, ends, strict=True)
        )  # fmt: skip
        return str(found[-1]["unit"][-1]), shown

    def channels(self, enclosure_id: int) -> tuple[str, ...]:
        """Return the names of the channels of the latest day."""
        import pyarrow.parquet as pq

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
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = self._folder / str(enclosure_id) / day
        private_folder(folder)
        held = sorted(folder.glob("*.parquet"))
        number = int(held[-1].stem) + 1 if held else 0
        if len(held) >= TOGETHER:
            table = pa.concat_tables([*map(pq.read_table, held), table])
        part = folder / f"{number:08d}.new"
        pq.write_table(table, part, compression="zstd")
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
            size -= sum(each.stat().st_size for each in files if each.parent == day)
            shutil.rmtree(day)


def _chosen(path: Path, channel: str, begin_s: int, end_s: int) -> Any:
    import pyarrow.parquet as pq

    asked = [
        ("channel", "==", channel), ("at_ms", ">=", 1000 * begin_s), ("at_ms", "<", 1000 * end_s)
    ]  # fmt: skip
    return pq.read_table(path, filters=asked)


def _day_of(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d")
