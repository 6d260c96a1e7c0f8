"""Recordings as Parquet and HDF5 files: docs/formats/recording.md."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.core.errors import CasemateError, InputError
from casemate.core.whole_file import replaced_file
from casemate.sensors.recordings.recording import (
    CELLS_MAX,
    TABLE,
    Recording,
    checked,
    parse_table,
    table_of,
    wrong,
)

PARQUET, HDF5 = ".parquet", ".h5"
Columns = dict[str, npt.NDArray[Any]]


def write_recording(path: Path, recording: Recording) -> None:
    """Write a .parquet or .h5 file, whole or not at all; InputError for another ending."""
    ending = _ending(path)
    with replaced_file(path) as beside:
        if ending == PARQUET:
            _write_parquet(beside, recording)
        else:
            _write_hdf5(beside, recording)


def read_recording(path: Path) -> Recording:
    """Return the recording of a file; InputError, with file and key, for whatever is wrong."""
    file, ending = str(path), _ending(path)
    if not path.is_file():
        raise InputError(
            "there is no such file.", remedy=f"name a {PARQUET} or {HDF5} file.", file=file
        )
    try:
        return _read_parquet(path) if ending == PARQUET else _read_hdf5(path)
    except CasemateError:
        raise
    except Exception as error:  # both libraries raise many unrelated types on a broken file
        logging.getLogger(__name__).debug("%s: %s", file, error)
        raise InputError(
            f"the file is broken or cut off: {type(error).__name__}.",
            remedy="record or export it again.",
            file=file,
        ) from None


def _write_parquet(path: Path, recording: Recording) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"t_s": recording.t_s, "chip": recording.chip}
    for at, channel in enumerate(recording.channels):
        column = recording.values[:, at]
        columns[f"value:{channel.id}"] = np.ascontiguousarray(column.real)
        if np.iscomplexobj(column):
            columns[f"imag:{channel.id}"] = np.ascontiguousarray(column.imag)
        columns[f"health:{channel.id}"] = np.ascontiguousarray(recording.health[:, at])
    table = pa.table(columns).replace_schema_metadata({TABLE: table_of(recording)})
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)


def _read_parquet(path: Path) -> Recording:
    import pyarrow.parquet as pq

    file = str(path)
    with pq.ParquetFile(path, page_checksum_verification=True) as source:
        meta = source.schema_arrow.metadata or {}
        told = parse_table(_table(file, meta.get(TABLE.encode())), file)
        channels, is_complex = told.channels, told.is_complex
        _bounded(file, source.metadata.num_rows, len(channels))
        held = set(source.schema_arrow.names)
        parts = ("value", "imag", "health") if is_complex else ("value", "health")
        names = [f"{part}:{channel.id}" for channel in channels for part in parts]
        for name in ("t_s", "chip", *names):
            if name not in held:
                raise wrong(file, name, "no column")
        table = source.read(columns=["t_s", "chip", *names])

    def column(name: str) -> npt.NDArray[Any]:
        given = table.column(name)
        if given.null_count:
            raise wrong(file, name, f"{given.null_count} empty cells")
        array: npt.NDArray[Any] = given.to_numpy()
        return array

    def all_of(part: str) -> npt.NDArray[Any]:
        return np.stack([column(f"{part}:{channel.id}") for channel in channels], axis=1)

    for name in names:
        kinds = "iu" if name.startswith("health:") else "f"
        if column(name).dtype.kind not in kinds:
            raise wrong(file, name, "the wrong type", value=str(column(name).dtype))
    values: npt.NDArray[Any] = all_of("value")
    if is_complex:
        parts_of = values
        values = np.empty(parts_of.shape, dtype=np.complex128)
        values.real, values.imag = parts_of, all_of("imag")
    columns = {"t_s": column("t_s"), "chip": column("chip"), "values": values,
               "health": all_of("health")}  # fmt: skip
    return checked(file, told, columns)


def _write_hdf5(path: Path, recording: Recording) -> None:
    import h5py

    with h5py.File(path, "w", track_order=True) as file:
        file.attrs[TABLE] = table_of(recording)
        for name in ("t_s", "chip", "values", "health"):
            data = getattr(recording, name)
            file.create_dataset(name, data=data, chunks=True, compression="gzip", fletcher32=True)


def _read_hdf5(path: Path) -> Recording:
    import h5py

    file = str(path)
    with h5py.File(path, "r") as source:
        text = source.attrs.get(TABLE)
        told = parse_table(_table(file, text), file)
        columns: Columns = {}
        for name in ("t_s", "chip", "values", "health"):
            link = source.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink) or not isinstance(source[name], h5py.Dataset):
                raise wrong(file, name, "no data set")
            data = source[name]
            if data.is_virtual or data.external:
                raise wrong(file, name, "a reference to another file")
            _bounded(file, data.size, 1)
            columns[name] = np.asarray(data[()])
    if (columns["values"].dtype.kind == "c") is not told.is_complex:
        raise wrong(file, "values", "the wrong type", value=str(columns["values"].dtype))
    return checked(file, told, columns)


def _table(file: str, held: object) -> str:
    if isinstance(held, bytes):
        return held.decode("utf-8", "replace")
    if not isinstance(held, str):
        raise wrong(file, TABLE, "no channel table")
    return held


def _bounded(file: str, rows: int, columns: int) -> None:
    if rows * columns > CELLS_MAX:
        raise InputError(
            f"the recording has more than {CELLS_MAX} values.",
            remedy="cut it into several.",
            file=file,
        )


def _ending(path: Path) -> str:
    if path.suffix not in (PARQUET, HDF5):
        raise InputError(
            f"the name ends neither in {PARQUET} nor in {HDF5}.",
            remedy=f"name a {PARQUET} or {HDF5} file.",
            file=str(path),
        )
    return path.suffix
