"""Files of an enclosure's readings: a folder a day, Parquet, small ones becoming one.

Values are not packed: a bound of bytes is one of readings, however well these could be packed. Who
calls holds the enclosure's lock.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from casemate.core.private_folder import private_folder
from casemate.fleet.readings import summaries

SUMMARY = "summary"
TOGETHER = 32
"""Files of a day, before the small ones become one."""
SMALL_ROWS, MERGED_ROWS = 100_000, 1_000_000
"""Readings up to which a file is small, and of what becomes one: it is all in memory then."""
GROUP = 65_536
"""Rows of a file that are read together: what was told last is found without the rest."""
_PACKED = {"channel": "zstd", "unit": "zstd", "at_ms": "zstd", "value": "none"}


def summary(folder: Path) -> Path:
    """Return the folder of the summaries of an enclosure, whose readings are in `folder`."""
    return folder.parent / SUMMARY / folder.name


def files(folder: Path) -> list[Path]:
    """Return the files of readings in an enclosure's folder, oldest day first."""
    return sorted(folder.glob("[0-9]*/*.parquet"))


def size(found: Iterable[Path]) -> int:
    """Return how many bytes files have."""
    return sum(each.stat().st_size for each in found)


def whole_size(folder: Path) -> int:
    """Return how many bytes an enclosure has, summaries too."""
    return size(files(folder)) + size(summary(folder).glob("*.parquet"))


def add(folder: Path, day: str, table: Any) -> None:
    """Write readings of a day. table: channel, unit, at_ms, value."""
    here = folder / day
    private_folder(here)
    if any(each.name > day for each in folder.glob("[0-9]*")):  # it had been finished
        summaries.drop(summary(folder), day)
    held = sorted(here.glob("*.parquet"))
    number = int(held[-1].stem) + 1 if held else 0
    _put(table, here, number)
    if (len(held) + 1) % TOGETHER == 0:
        _become_one([*held, here / f"{number:08d}.parquet"], number + 1)


def trim(folder: Path, most: int) -> None:
    """Drop the oldest days beyond a bound in bytes, each into its summary; the latest day stays."""
    found = files(folder)
    left = size(found)
    days = sorted({each.parent for each in found})
    for day in days[:-1]:
        if left <= most:
            return
        sum_up(folder, [day.name])
        left -= size(each for each in found if each.parent == day)
        shutil.rmtree(day)


def sum_up(folder: Path, days: Sequence[str]) -> None:
    """Write down in short what days have that have not been."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for day in sorted(set(days) - summaries.days(summary(folder))):
        tables = [pq.read_table(each) for each in sorted((folder / day).glob("*.parquet"))]
        summaries.add(summary(folder), day, pa.concat_tables(tables))


def _put(table: Any, folder: Path, number: int) -> None:
    import pyarrow.parquet as pq

    part = folder / f"{number:08d}.new"
    pq.write_table(
        table.sort_by("at_ms"), part, compression=_PACKED, use_dictionary=["channel", "unit"],
        row_group_size=GROUP,
    )  # fmt: skip
    os.replace(part, folder / f"{number:08d}.parquet")


def _become_one(found: Sequence[Path], number: int) -> None:
    """Make one file of small ones, of as many readings as memory is meant for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    taken: list[Path] = []
    rows = 0
    for each in found:
        count = pq.read_metadata(each).num_rows
        if count <= SMALL_ROWS and rows + count <= MERGED_ROWS:
            taken, rows = [*taken, each], rows + count
    if len(taken) > 1:
        _put(pa.concat_tables(map(pq.read_table, taken)), found[0].parent, number)
        for each in taken:
            each.unlink()
