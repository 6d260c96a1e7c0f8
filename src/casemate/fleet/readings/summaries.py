"""Summaries of finished days of readings, so that a year can be looked at: a file a month.

They are made from the readings when somebody asks, before readings go, and anew if some came late.
They outlive the readings. Who calls holds the enclosure's lock.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from casemate.core.private_folder import private_folder
from casemate.fleet.readings import looks
from casemate.fleet.readings.looks import Rows

DAY_MS = 86_400_000
STEPS_S = (600, 3600, 21_600, 86_400)
"""Lengths that a row may stand for: the first of which a day has at most MOST_ROWS rows."""
MOST_ROWS = 100_000
MOST_BYTES = 100_000_000
"""Of an enclosure; the oldest months go (planning values)."""
MONTHS = 13
"""Kept: what is older is in no window."""


def add(folder: Path, day: str, table: Any) -> None:
    """Write a day's readings down in short. table: channel, unit, at_ms, value."""
    import pyarrow as pa

    names, channel, at_s, value = columns(table)
    told = units(table)
    begin_s = day_ms(day) / 1000
    step_s = next((s for s in STEPS_S if len(names) * 86_400 // s <= MOST_ROWS), STEPS_S[-1])
    rows = looks.plain(channel, at_s, value)
    found = looks.thinned(rows, len(names), begin_s, step_s)
    new: dict[str, list[Any]] = {
        "channel": [], "unit": [], "at_ms": [], "count": [], "least": [], "mean": [], "most": []
    }  # fmt: skip
    for name, points in zip(names, found, strict=True):
        for each in points:
            row = (name, told[name], int(1000 * each.at_s), each.count, each.least, each.mean,
                   each.most)  # fmt: skip
            for key, one in zip(new, row, strict=True):
                new[key].append(one)
    held = drop(folder, day)
    made = pa.table(new)
    _put(folder, day, made if held is None else pa.concat_tables([held, made.cast(held.schema)]))


def drop(folder: Path, day: str) -> Any:
    """Forget a day; return what its month has else, None if nothing."""
    import pyarrow.parquet as pq

    path = _path(folder, day)
    if not path.exists():
        return None
    held, begin_ms = pq.read_table(path), day_ms(day)
    at_ms = held["at_ms"].to_numpy()
    inside = (at_ms >= begin_ms) & (at_ms < begin_ms + DAY_MS)
    if inside.any():
        held = held.filter(~inside)
        _put(folder, day, held)
    return held if held.num_rows else None


def days(folder: Path) -> set[str]:
    """Return the days that are written down."""
    import pyarrow.parquet as pq

    out: set[int] = set()
    for path in _files(folder):
        out.update((pq.read_table(path, columns=["at_ms"])["at_ms"].to_numpy() // DAY_MS).tolist())
    return {str(np.datetime64(each, "D")) for each in out}


def read(folder: Path, names: list[str], begin_ms: int, end_ms: int) -> tuple[Rows, dict[str, str]]:
    """Return rows of channels in begin_ms <= t < end_ms, and their units."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    asked = [("channel", "in", names), ("at_ms", ">=", begin_ms), ("at_ms", "<", end_ms)]
    first, last = (str(np.datetime64(each, "ms"))[:7] for each in (begin_ms, end_ms))
    tables = [
        pq.read_table(path, filters=asked) for path in _files(folder) if first <= path.stem <= last
    ]
    tables = [each for each in tables if each.num_rows]
    if not tables:
        return looks.nothing(), {}
    whole = pa.concat_tables(tables)
    number = {name: at for at, name in enumerate(names)}
    channel = np.array([number[each] for each in whole["channel"].to_pylist()], dtype=np.int64)
    count = whole["count"].to_numpy()
    rows = Rows(
        channel=channel, at_s=whole["at_ms"].to_numpy() / 1000, count=count,
        total=whole["mean"].to_numpy() * count, least=whole["least"].to_numpy(),
        most=whole["most"].to_numpy(),
    )  # fmt: skip
    return rows, units(whole)


def columns(table: Any) -> tuple[list[str], Any, Any, Any]:
    """Return names of channels, and for each reading index of its channel, Unix s, value."""
    names, index = _coded(table, "channel")
    return names, index, table["at_ms"].to_numpy() / 1000, table["value"].to_numpy()


def units(table: Any) -> dict[str, str]:
    """Return the unit of each channel: the last that was told."""
    names, index = _coded(table, "channel")
    shown, unit = _coded(table, "unit")
    last = np.zeros(len(names), dtype=np.int64)
    last[index] = unit  # of several, the last one stays
    return {name: shown[each] for name, each in zip(names, last.tolist(), strict=True)}


def day_ms(day: str) -> int:
    """Return when a day, YYYY-MM-DD, begins, Unix ms."""
    return int(np.datetime64(day, "ms").astype(np.int64))


def _coded(table: Any, column: str) -> tuple[list[str], Any]:
    """Return the texts of a column, and for each row which one it is."""
    parts = table[column]
    coded = parts if hasattr(parts.type, "index_type") else parts.dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    index = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return coded.dictionary.to_pylist(), index


def _path(folder: Path, day: str) -> Path:
    return folder / f"{day[:7]}.parquet"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def _put(folder: Path, day: str, table: Any) -> None:
    import pyarrow.parquet as pq

    private_folder(folder)
    path = _path(folder, day)
    part = path.with_suffix(".new")
    pq.write_table(table, part, compression="zstd")
    os.replace(part, path)
    held = _files(folder)
    size = sum(each.stat().st_size for each in held)
    while len(held) > 1 and (size > MOST_BYTES or len(held) > MONTHS):
        size -= held[0].stat().st_size
        held.pop(0).unlink()
