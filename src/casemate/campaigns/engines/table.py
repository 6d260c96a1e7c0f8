"""Trials of a campaign as rows, and as campaign.parquet: the same rows give the same bytes.

The schema is fixed. Its metadata hold the format and the context, a digest of what the trials were
made from. Bytes also depend on the version of pyarrow, which the file names.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.campaigns.engines.jobs import Outcome
from casemate.core.errors import InputError
from casemate.core.whole_file import replaced_file

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = "casemate/campaign/1"
GROUP = 1 << 16
"""Rows of a row group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trial and how it ended.

    x_m, y_m: in the tile's plane. parameters: JSON, names in order (`parameters_text`). level: of
    response reached. margin: nats over the alarm's threshold. delay_s: from onset, nan if it was
    not detected. interference, denied: whether that verdict was given. statistics: figures by name.
    """

    move: str
    goal: str
    trial: int
    seed: int
    tile: str
    x_m: float
    y_m: float
    parameters: str
    detected: bool
    level: int
    verdict: str
    margin: float
    delay_s: float
    seen_by: tuple[str, ...]
    interference: bool
    denied: bool
    statistics: Mapping[str, float] = field(default_factory=dict)


def parameters_text(values: Mapping[str, float]) -> str:
    """Return values as JSON, names in order, floats with the digits that give them back."""
    return json.dumps(dict(values), sort_keys=True, separators=(",", ":"), allow_nan=False)


def as_outcome(row: Row) -> Outcome:
    """Return a row as what `work` returns."""
    told = {each.name: getattr(row, each.name) for each in fields(Row)}
    return {**told, "seen_by": list(row.seen_by), "statistics": dict(row.statistics)}


def as_row(outcome: Outcome) -> Row:
    """Return the row of `as_outcome`; InputError if a field is missing or unknown."""
    names = {each.name for each in fields(Row)}
    if set(outcome) != names:
        odd = sorted(names ^ set(outcome))
        raise InputError(
            "an outcome is not a row of a campaign.",
            remedy="make it with `as_outcome`.",
            key=", ".join(odd),
        )
    return Row(**{**outcome, "seen_by": tuple(outcome["seen_by"])})


def write_table(path: Path, rows: Iterable[Row], *, context: str) -> None:
    """Write rows in their order; the file appears whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    listed = list(rows)
    columns: dict[str, list[Any]] = {
        each.name: [getattr(row, each.name) for row in listed] for each in fields(Row)
    }
    columns["statistics"] = [sorted(row.statistics.items()) for row in listed]
    told = {"format": FORMAT, "context": context}
    try:
        for name in ("trial", "seed", "level"):  # pyarrow would cut 1.5 down to 1
            columns[name] = [operator.index(value) for value in columns[name]]
        table = pa.table(columns, schema=_schema().with_metadata(told))
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise InputError(
            f"a row does not fit the campaign's table: {error}.", remedy="correct its types."
        ) from error
    with replaced_file(path) as beside:
        pq.write_table(
            table, beside, compression="zstd", row_group_size=GROUP, write_page_checksum=True
        )


def read_table(path: Path) -> tuple[tuple[Row, ...], str]:
    """Return rows and context of a campaign.parquet; InputError if it is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as source:
            told = source.schema_arrow.metadata or {}
            if told.get(b"format") != FORMAT.encode() or not source.schema_arrow.equals(_schema()):
                raise _foreign(path, "its schema is another")
            table = source.read()
    except (pa.ArrowException, OSError) as error:
        raise _foreign(path, str(error)) from error
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    _whole(path, columns)
    columns["seen_by"] = [tuple(each) for each in columns["seen_by"]]
    columns["statistics"] = [dict(each) for each in columns["statistics"]]
    rows = zip(*columns.values(), strict=True)
    return (
        tuple(Row(**dict(zip(columns, row, strict=True))) for row in rows),
        told.get(b"context", b"").decode(),
    )


def _whole(path: Path, columns: Mapping[str, list[Any]]) -> None:
    for name, column in columns.items():
        if any(each is None for each in column):
            raise _foreign(path, f"{name} has empty cells")


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number, truth = pa.string(), pa.float64(), pa.bool_()
    return pa.schema(
        [
            ("move", text),
            ("goal", text),
            ("trial", pa.int64()),
            ("seed", pa.uint64()),
            ("tile", text),
            ("x_m", number),
            ("y_m", number),
            ("parameters", text),
            ("detected", truth),
            ("level", pa.int64()),
            ("verdict", text),
            ("margin", number),
            ("delay_s", number),
            ("seen_by", pa.list_(text)),
            ("interference", truth),
            ("denied", truth),
            ("statistics", pa.map_(text, number)),
        ]
    )


def _foreign(path: Path, why: str) -> InputError:
    return InputError(
        f"this is no table of a campaign: {why}.",
        remedy="name a campaign.parquet that casemate wrote.",
        file=str(path),
    )
