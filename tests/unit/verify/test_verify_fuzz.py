"""Whatever stands in a bundle: findings come out, or errors of our own tree."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verify_samples import judge

from casemate.cli.verify import _bundle
from casemate.core.errors import CasemateError
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import Shown, show, story


@lru_cache(maxsize=1)
def good() -> Shown:
    return show(story())


ALTER = st.tuples(
    st.sampled_from(("flip", "cut", "add", "drop", "double", "swap")),
    st.integers(0, 10**6),
    st.integers(0, 255),
)


def altered(data: bytes, how: tuple[str, int, int]) -> bytes:
    what, at, value = how
    at %= max(len(data), 1)
    if what == "flip":
        return data[:at] + bytes([value]) + data[at + 1 :]
    if what == "cut":
        return data[:at]
    if what == "add":
        return data[:at] + bytes([value]) * 3 + data[at:]
    if what == "drop":
        return data[:at] + data[at + 1 + value :]
    return data[:at] + data[at : at + value] * 2 + data[at + value :]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 13), ALTER, st.booleans())
def test_altered_entries_are_never_good(index: int, how: tuple[str, int, int], later: bool) -> None:
    shown = good()
    entries = list(shown.bundle.entries)
    if how[0] == "swap":
        other = how[1] % len(entries)
        entries[index], entries[other] = entries[other], entries[index]
    else:
        entries[index] = altered(entries[index], how)
    if tuple(entries) == shown.bundle.entries:
        return
    told = story()
    told.entries = tuple(entries)
    if later:  # the host has the log's key and the witnesses saw nothing before
        told.notes = ()
        told.seal()
    result = judge(Shown(bundle=told.bundle(), now_s=shown.now_s))
    assert result.exit_code == 1
    assert result.findings[0].severity == "alarm"


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 7), ALTER)
def test_altered_checkpoints_are_never_good(index: int, how: tuple[str, int, int]) -> None:
    bundle = good().bundle
    notes = list(bundle.witnessed)
    notes[index] = altered(notes[index], how)
    if notes[index] == bundle.witnessed[index]:
        return
    told = story()
    told.notes = tuple(notes)
    try:
        result = judge(Shown(bundle=told.bundle(), now_s=good().now_s))
    except CasemateError:
        return
    # a line that was cut off or that names nobody known leaves a good checkpoint with fewer lines
    assert {each.id for each in result.findings} or notes[index].startswith(
        bundle.witnessed[index].split(b"\n\n")[0]
    )


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.binary(max_size=200), max_size=4),
    st.lists(st.binary(max_size=200), max_size=2),
    st.binary(max_size=300),
    st.integers(-(2**62), 2**62),
)
def test_arbitrary_bytes_are_findings(
    entries: list[bytes], pending: list[bytes], note: bytes, now_s: int
) -> None:
    told = story()
    bundle = told.bundle(
        entries=tuple(entries), pending=tuple(pending), checkpoint=note, witnessed=(note,)
    )
    result = judge(Shown(bundle=bundle, now_s=now_s))
    assert result.exit_code in (1, 3) and result.state == "UNKNOWN"


NAMES = st.sampled_from(
    (
        "bundle.json",
        "checkpoint",
        "witnessed/00000000000000000001",
        "witnessed/x",
        "tile/entries/000.p/14",
        "pending/00000000000000000014",
        "pending/x",
    )
)


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(NAMES, st.one_of(st.binary(max_size=300), ALTER, st.none()), st.integers(0, 10**9))
def test_arbitrary_files_are_findings_or_errors_of_ours(
    tmp_path: Path, name: str, what: bytes | tuple[str, int, int] | None, number: int
) -> None:
    folder = tmp_path / f"{number}-{len(list(tmp_path.iterdir()))}"
    bundle = story().bundle(pending=(b"torn",))
    honest.write_bundle(bundle, folder)
    path = folder / name
    if what is None:  # a folder where a file should be
        path.unlink(missing_ok=True)
        path.mkdir()
    elif isinstance(what, bytes):
        path.write_bytes(what)
    else:
        path.write_bytes(altered(path.read_bytes() if path.exists() else b"", what))
    try:
        judge(Shown(bundle=_bundle(folder), now_s=good().now_s))
    except CasemateError as error:
        assert error.remedy
