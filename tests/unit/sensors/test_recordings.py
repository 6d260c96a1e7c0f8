"""Recordings come back as they were, and whatever is wrong with a file has a name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from casemate.core.challenge import Challenge, chips
from casemate.core.errors import InputError
from casemate.core.samples import Block, Channel, Health
from casemate.core.touchstone import touchstone_text
from casemate.core.watch import Limits, watched
from casemate.sensors.recordings.driver import replay, touchstone_replay
from casemate.sensors.recordings.files import read_recording, write_recording
from casemate.sensors.recordings.recording import Recording, recorded, table_of

pytestmark = pytest.mark.timeout(60)

CHALLENGE = Challenge(key=bytes(range(32)), modality="loop_resistance", epoch=2, chip_s=1e-3)
CHANNELS = tuple(
    Channel(id=f"loop/a-{k}/In1.Cu", modality="loop_resistance", unit="ohm", tile="a", low=0.0,
            high=900.0)
    for k in range(2)
)  # fmt: skip
FREE = tuple(replace(channel, low=-np.inf, high=np.inf) for channel in CHANNELS)


def blocks(count: int = 600, *, complex_: bool = False) -> list[Block]:
    generator = np.random.default_rng(1)
    drive = chips(CHALLENGE, 0, count).drive.real[:, None]
    values: Any = drive * [100.0, 200.0] + generator.normal(0.0, 0.1, (count, 2))
    if complex_:
        values = values + 1j * generator.normal(0.0, 0.1, (count, 2))
    whole = Block(
        t_s=np.arange(count) * 1e-3, chip=np.arange(count), values=values,
        health=np.zeros((count, 2), dtype=np.uint16),
    )  # fmt: skip
    return [whole]


def recording(**kw: Any) -> Recording:
    return recorded(blocks(**kw), CHANNELS, CHALLENGE)


@pytest.fixture(params=[".parquet", ".h5"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"run{request.param}"


@pytest.mark.parametrize("complex_", [False, True])
def test_a_stream_comes_back_behind_the_same_interface(path: Path, complex_: bool) -> None:
    made = recording(complex_=complex_)
    write_recording(path, made)
    reader = replay(path, channels=CHANNELS)
    out = list(watched(reader.configure(CHALLENGE), reader.channels, CHALLENGE))
    assert reader.channels == CHANNELS
    np.testing.assert_array_equal(np.concatenate([b.values for b in out]), made.values)
    np.testing.assert_array_equal(np.concatenate([b.chip for b in out]), made.chip)
    assert not np.concatenate([b.health for b in out]).any()


@pytest.mark.parametrize("ending", [".parquet", ".h5"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrays=hnp.arrays(np.float64, (5, 2), elements=st.floats()),
    imag=st.none() | hnp.arrays(np.float64, (5, 2), elements=st.floats()),
    health=hnp.arrays(np.uint16, (5, 2)),
    chip=hnp.arrays(np.int64, 5),
)
def test_any_arrays_come_back_bit_for_bit(
    tmp_path: Path, ending: str, arrays: np.ndarray, imag: np.ndarray | None, health: np.ndarray,
    chip: np.ndarray,
) -> None:  # fmt: skip
    values: Any = arrays
    if imag is not None:
        values = np.empty((5, 2), dtype=np.complex128)
        values.real, values.imag = arrays, imag
    block = Block(t_s=arrays[:, 0], chip=chip, values=values, health=health)
    made = recorded([block], FREE, CHALLENGE)
    write_recording(tmp_path / f"x{ending}", made)
    got = read_recording(tmp_path / f"x{ending}")
    assert (got.origin, got.channels) == (made.origin, made.channels)
    for one, two in ((got.values, made.values), (got.t_s, made.t_s), (got.chip, made.chip)):
        assert one.dtype == two.dtype and one.tobytes() == two.tobytes()
    np.testing.assert_array_equal(got.health, made.health)


def test_a_number_that_is_none_comes_out_flagged(path: Path) -> None:
    made = recording()
    made.values[7, 1] = np.nan
    made.health[9, 0] = Health.CLIPPED
    write_recording(path, made)
    out = next(replay(path).configure(CHALLENGE))
    assert out.health[7, 1] == Health.NOT_A_NUMBER and out.health[9, 0] == Health.CLIPPED
    assert np.isnan(out.values[9, 0]) and np.count_nonzero(out.health) == 2


def test_it_answers_no_other_challenge(path: Path) -> None:
    write_recording(path, recording())
    for other in (replace(CHALLENGE, key=bytes(32)), replace(CHALLENGE, epoch=3)):
        with pytest.raises(InputError, match="another challenge"):
            replay(path).configure(other)


def test_the_key_is_not_in_the_file(path: Path) -> None:
    write_recording(path, recording())
    raw = path.read_bytes()
    assert CHALLENGE.key not in raw and CHALLENGE.key.hex().encode() not in raw


def test_a_file_that_is_cut_off_or_spoilt_is_named_or_unharmed(path: Path) -> None:
    made = recording()
    write_recording(path, made)
    raw = path.read_bytes()
    generator = np.random.default_rng(0)
    for cut in (0, 1, 7, len(raw) // 3, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:cut])
        with pytest.raises(InputError) as caught:
            read_recording(path)
        assert path.name in str(caught.value) and caught.value.remedy
    for _ in range(150):
        spoilt = bytearray(raw)
        spoilt[generator.integers(len(raw))] ^= 1 << int(generator.integers(8))
        path.write_bytes(spoilt)
        try:
            got = read_recording(path)
        except InputError:
            continue
        assert got.channels == made.channels and got.origin == made.origin
        assert got.values.tobytes() == made.values.tobytes()
        assert got.t_s.tobytes() == made.t_s.tobytes()


def rewritten_parquet(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.read_table(path)), path)


def without(name: str) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.drop_columns([name])


def with_table(change: Callable[[dict[str, Any]], None]) -> Callable[[pa.Table], pa.Table]:
    def changed(table: pa.Table) -> pa.Table:
        told = json.loads(table.schema.metadata[b"casemate.recording"])
        told.pop("sha256")
        change(told)
        return table.replace_schema_metadata({"casemate.recording": json.dumps(told)})

    return changed


def as_text(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("chip")
    return table.set_column(at, "chip", table["chip"].cast(pa.string()))


def with_hole(table: pa.Table) -> pa.Table:
    at = table.schema.get_field_index("t_s")
    return table.set_column(at, "t_s", pa.array([None, *table["t_s"].to_pylist()[1:]]))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (without("t_s"), "t_s"),
        (without("health:loop/a-1/In1.Cu"), "health:loop/a-1/In1.Cu"),
        (without("value:loop/a-0/In1.Cu"), "value:loop/a-0/In1.Cu"),
        (lambda table: table.replace_schema_metadata({}), "casemate.recording"),
        (with_table(lambda t: t["channels"][0].update(unit="mohm")), "channels.loop/a-0"),
        (with_table(lambda t: t["channels"][0].update(id="loop/a-1/In1.Cu")), "two of one name"),
        (with_table(lambda t: t["channels"][0].pop("modality")), "no channel table"),
        (with_table(lambda t: t["channels"][0].update(low="x")), "no channel table"),
        (with_table(lambda t: t.update(format=2)), "another format"),
        (with_table(lambda t: t["origin"].update(chip_s=0)), "no sound channel table"),
        (with_table(lambda t: t["origin"].update(chip_s="x")), "no sound channel table"),
        (with_table(lambda t: t.pop("origin")), "no channel table"),
        (as_text, "chip"),
        (with_hole, "empty cells"),
    ],
)
def test_what_is_wrong_with_a_parquet_file_is_named(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table], key: str
) -> None:
    path = tmp_path / "run.parquet"
    write_recording(path, recording())
    rewritten_parquet(path, change)
    with pytest.raises(InputError, match=key) as caught:
        read_recording(path)
    assert "run.parquet" in str(caught.value)


def test_what_is_wrong_with_an_hdf5_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"

    def spoilt(change: Callable[[h5py.File], None], says: str) -> None:
        write_recording(path, recording())
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(InputError, match=says) as caught:
            read_recording(path)
        assert "run.h5" in str(caught.value)

    def shorter(file: h5py.File) -> None:
        del file["t_s"]
        file["t_s"] = np.zeros(3)

    def elsewhere(file: h5py.File) -> None:
        del file["values"]
        file["values"] = h5py.ExternalLink("other.h5", "/values")

    def other_type(file: h5py.File) -> None:
        del file["values"]
        file["values"] = np.zeros((600, 2), dtype=complex)

    def group(file: h5py.File) -> None:
        del file["chip"]
        file.create_group("chip")

    def flags(file: h5py.File) -> None:
        del file["health"]
        file["health"] = np.full((600, 2), 70_000)

    spoilt(lambda file: file.__delitem__("health"), "health")
    spoilt(shorter, "another shape|chip")
    spoilt(elsewhere, "no data set")
    spoilt(other_type, "wrong type")
    spoilt(group, "no data set")
    spoilt(flags, "flags that do not exist")
    spoilt(lambda file: file.attrs.__delitem__("casemate.recording"), "no channel table")
    spoilt(lambda file: file["values"].__setitem__((3, 1), 5.0), "damaged")


def test_other_channels_than_the_designs_are_refused(path: Path) -> None:
    write_recording(path, recording())
    with pytest.raises(InputError, match="is expected"):
        replay(path, channels=(replace(CHANNELS[0], unit="F"), CHANNELS[1]))
    with pytest.raises(InputError, match="holds 2 where 1"):
        replay(path, channels=CHANNELS[:1])


def test_names_that_are_none_of_ours_and_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ends neither"):
        read_recording(tmp_path / "run.csv")
    with pytest.raises(InputError, match="no such file"):
        read_recording(tmp_path / "run.h5")


def test_a_failed_write_leaves_the_old_file(path: Path) -> None:
    write_recording(path, recording())
    before = path.read_bytes()
    broken = replace(recording(), t_s=np.zeros(3))
    with pytest.raises(Exception):  # noqa: B017 - whatever the library says of such arrays
        write_recording(path if path.suffix == ".parquet" else path.with_suffix(".parquet"), broken)
    if path.suffix == ".parquet":
        assert path.read_bytes() == before
    assert not list(path.parent.glob(".*"))


def test_a_recording_has_to_hold_something() -> None:
    with pytest.raises(InputError, match="nothing to record"):
        recorded([], CHANNELS, CHALLENGE)
    assert "key" not in json.loads(table_of(recording()))["origin"]


def test_a_touchstone_file_answers_at_each_chips_tone(tmp_path: Path) -> None:
    f_hz = np.linspace(1e9, 2e9, 8)
    s = np.zeros((8, 2, 2), dtype=complex)
    s[:, 1, 0] = 0.5 * np.exp(-1j * f_hz / 1e9)
    path = tmp_path / "cavity.s2p"
    path.write_text(touchstone_text(f_hz, s))
    channel = Channel(id="rf/s21", modality="rf_cavity", unit="1", low=-1.0, high=1.0)
    keyed = replace(CHALLENGE, modality="rf_cavity", order=8, constellation="phase", symbols=8)
    reader = touchstone_replay(path, (channel,), parameters=("S21",))
    stream = reader.configure(keyed)
    out = next(watched(stream, (channel,), keyed, limits=Limits(stalled_samples=0)))
    drawn = chips(keyed, 0, out.chip.size)
    np.testing.assert_allclose(out.values[:, 0], s[drawn.place, 1, 0] * drawn.drive, atol=1e-8)
    assert not out.health.any()
    reader.close()
    assert list(stream) == []
    with pytest.raises(InputError, match="order = 8"):
        reader.configure(replace(keyed, order=4))
    with pytest.raises(InputError, match="S12"):
        touchstone_replay(path, (channel,), parameters=("S31",))
