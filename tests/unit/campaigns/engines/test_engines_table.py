"""campaign.parquet: same rows, same bytes; read back as they were; other files are refused."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.campaigns.engines.table import (
    FORMAT,
    Row,
    as_outcome,
    as_row,
    parameters_text,
    read_table,
    write_table,
)
from casemate.core.errors import InputError

ROW = Row(
    move="drill", goal="evade", trial=3, seed=(1 << 64) - 1, tile="front-1-1", x_m=0.01, y_m=0.02,
    parameters=parameters_text({"tilt_rad": 0.1, "diameter_m": 3e-4}), detected=False, level=1,
    verdict="INTERFERENCE", margin=-2.5, delay_s=math.nan, seen_by=("rf", "loop"),
    interference=True, denied=False, statistics={"nats": 1.5, "ess": math.inf},
)  # fmt: skip

numbers = st.floats(allow_nan=True, allow_infinity=True)
rows = st.builds(
    Row,
    move=st.text(), goal=st.sampled_from(["evade", "discredit", "blind"]),
    trial=st.integers(0, 1 << 40), seed=st.integers(0, (1 << 64) - 1), tile=st.text(),
    x_m=numbers, y_m=numbers, parameters=st.text(), detected=st.booleans(),
    level=st.integers(0, 5), verdict=st.text(), margin=numbers, delay_s=numbers,
    seen_by=st.lists(st.text(), max_size=3).map(tuple), interference=st.booleans(),
    denied=st.booleans(), statistics=st.dictionaries(st.text(), numbers, max_size=3),
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(rows, max_size=5))
def test_rows_come_back_and_bytes_repeat(tmp_path_factory: pytest.TempPathFactory, given) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("table")
    write_table(folder / "a.parquet", given, context="c")
    found, context = read_table(folder / "a.parquet")
    ordered = [
        dataclasses.replace(row, statistics=dict(sorted(row.statistics.items()))) for row in given
    ]
    assert repr(list(found)) == repr(ordered) and context == "c"
    write_table(folder / "b.parquet", found, context="c")
    assert (folder / "a.parquet").read_bytes() == (folder / "b.parquet").read_bytes()


def test_another_reader_finds_typed_columns_and_the_context(tmp_path: Path) -> None:
    write_table(tmp_path / "campaign.parquet", [ROW], context="digest")
    table = pq.read_table(tmp_path / "campaign.parquet")
    assert table.schema.metadata[b"context"] == b"digest"
    assert table.schema.field("margin").type == pa.float64()
    assert table.schema.field("seed").type == pa.uint64()
    assert table.column("parameters").to_pylist() == ['{"diameter_m":0.0003,"tilt_rad":0.1}']
    assert pq.ParquetFile(tmp_path / "campaign.parquet").schema_arrow.equals(table.schema)


def test_rows_travel_as_outcomes() -> None:
    assert repr(as_row(as_outcome(ROW))) == repr(ROW)
    with pytest.raises(InputError, match="margin"):
        as_row({name: value for name, value in as_outcome(ROW).items() if name != "margin"})


@pytest.mark.parametrize(
    ("field", "value"), [("seed", -1), ("margin", "much"), ("seen_by", 3), ("level", 1.5)]
)
def test_rows_of_wrong_types_are_refused(tmp_path: Path, field: str, value: object) -> None:
    wrong = dataclasses.replace(ROW, **{field: value})  # type: ignore[arg-type]
    with pytest.raises(InputError):
        write_table(tmp_path / "a.parquet", [wrong], context="c")
    assert not list(tmp_path.iterdir())


def test_torn_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_table(path, [ROW] * 50, context="c")
    whole = path.read_bytes()
    for text in (b"", whole[:-9], whole[:200] + b"\x00\x01" + whole[202:], b"PAR1"):
        path.write_bytes(text)
        with pytest.raises(InputError, match="no table"):
            read_table(path)
    pq.write_table(pa.table({"move": ["drill"]}), path)
    with pytest.raises(InputError, match="schema"):
        read_table(path)
    with pytest.raises(InputError):
        read_table(tmp_path / "none.parquet")


def test_the_page_of_the_format_names_every_column() -> None:
    page = (Path(__file__).parents[4] / "docs" / "formats" / "campaign.md").read_text("utf-8")
    rows = page.split("| column |")[1].split("\n\n")[0].splitlines()[2:]
    told = [name.strip(" `") for row in rows for name in row.split("|")[1].split(",")]
    assert told == [each.name for each in dataclasses.fields(Row)]
    assert f"`{FORMAT}`" in page
