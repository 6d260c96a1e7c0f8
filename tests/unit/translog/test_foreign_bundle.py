"""Bundles: what is malformed, leads elsewhere or would fill a machine is refused."""

from __future__ import annotations

import contextlib
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG_KEY, LOG_KEYS, NOW_S, ORIGIN

from casemate.core.errors import CasemateError, FormatError, InputError
from casemate.translog import bundle, foreign
from casemate.translog import fsck as fscks
from casemate.translog.disk import FolderDisk
from casemate.translog.foreign import ForeignFolder
from casemate.translog.log import Log


def new_log(folder, signer=LOG_KEY) -> Log:
    return Log(folder, ORIGIN, signer, clock=lambda: NOW_S)


@pytest.mark.parametrize(
    "change",
    [{"format": "casemate-evidence-2"}, {"serial": 7}, {"more": "x"}, {"origin": None}],
)
def test_a_bundle_with_a_wrong_manifest_is_refused(tmp_path, change):
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FormatError, match="bundle"):
        bundle.read_bundle(tmp_path)


def _as_fifo(path):
    path.unlink()
    os.mkfifo(path)


def _as_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _as_folder(path):
    path.unlink()
    path.mkdir()


def _as_huge(path):
    os.truncate(path, 1 << 40)


@pytest.mark.parametrize("change", [_as_fifo, _as_link, _as_folder, _as_huge])
@pytest.mark.parametrize(
    "name", ["bundle.json", "checkpoint", "tile/entries/000.p/3", "pending/" + f"{3:020d}"]
)
def test_a_bundle_holds_plain_files_alone(tmp_path, change, name):
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    log = new_log(tmp_path)
    log.append([b"a"] * 3)
    log.checkpoint()
    log.append([b"b"])
    log.close()
    change(tmp_path / name)
    with pytest.raises(CasemateError):
        bundle.read_bundle(tmp_path)


@pytest.mark.parametrize("name", ["witnessed", "tile", "tile/entries", "pending"])
def test_a_bundle_holds_no_folder_that_leads_elsewhere(tmp_path, name):
    """A link to the folder itself would serve endless entries from one file."""
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    log = new_log(tmp_path)
    log.append([b"a"] * 3)
    log.checkpoint()
    log.append([b"b"])
    log.close()
    folder = tmp_path / name
    if folder.exists():
        folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path if name == "witnessed" else tmp_path / "elsewhere")
    with pytest.raises(FormatError, match="plain"):
        bundle.read_bundle(tmp_path)


@pytest.mark.parametrize(
    "name, most",
    [
        ("checkpoint", 1_000_000),
        (f"witnessed/{3:020d}", 1_000_000),
        ("tile/entries/000.p/3", 256 * 65_537),
        ("bundle.json", 4_000_000),
    ],
)
def test_a_sparse_file_is_not_read(tmp_path, monkeypatch, name, most):
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    log = new_log(tmp_path)
    log.append([b"a"] * 3)
    log.checkpoint()
    log.close()
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    os.truncate(path, most + 1)
    monkeypatch.setattr(os, "fdopen", None)  # nothing of it is read
    with pytest.raises((FormatError, TypeError)) as caught:
        ForeignFolder(tmp_path).read(name)
    assert caught.type is FormatError
    os.truncate(path, most)
    monkeypatch.undo()
    assert len(ForeignFolder(tmp_path).read(name)) == most


def test_what_is_read_in_all_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign, "MOST_TOTAL_BYTES", 1500)
    (tmp_path / "witnessed").mkdir()
    for each in "ab":
        (tmp_path / "witnessed" / each).write_bytes(bytes(1000))
    folder = ForeignFolder(tmp_path)
    folder.read("witnessed/a")
    with pytest.raises(FormatError, match="too long"):
        folder.read("witnessed/b")


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    (tmp_path / "pending").write_text("")
    with pytest.raises(FormatError):
        bundle.read_bundle(tmp_path)


def test_a_key_that_stands_twice_is_refused(tmp_path):
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    path = tmp_path / "bundle.json"
    path.write_text(path.read_text().replace('"serial": "1"', '"serial": "1", "serial": "2"'))
    with pytest.raises(FormatError, match="once"):
        bundle.read_bundle(tmp_path)


def test_what_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(InputError, match="no bundle"):
        bundle.read_bundle(tmp_path / "nothing")
    (tmp_path / "bundle.json").write_bytes(b"[" * 60_000)
    with pytest.raises(FormatError):
        bundle.read_bundle(tmp_path)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_only_our_errors_come_out_of_a_damaged_bundle(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bundle")
    bundle.write_manifest(folder, enclosure="c", serial="1", origin=ORIGIN)
    log = new_log(folder)
    log.append([b"a"] * 5)
    log.checkpoint()
    log.append([b"b"] * 2)
    log.close()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    path = data.draw(st.sampled_from(files))
    bad = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(bad)))
    bad[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    if data.draw(st.booleans()):
        path.write_bytes(bytes(bad))
    else:
        path.unlink()
    with contextlib.suppress(CasemateError):
        bundle.read_bundle(folder)
    with contextlib.suppress(CasemateError):
        fscks.fsck(FolderDisk(folder), ORIGIN, LOG_KEYS)


def test_a_segment_that_goes_while_the_bundle_is_read_is_read_again(tmp_path, monkeypatch):
    """The checkpoint is there already, and the segment that it made needless still listed."""
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    log = new_log(tmp_path)
    log.append([b"a"])
    log.checkpoint()
    real, calls = FolderDisk.names, []

    def names(self, folder: str) -> list[str]:
        calls.append(folder)
        late = folder == "pending" and calls.count(folder) < 3
        return [f"{0:020d}"] if late else real(self, folder)

    monkeypatch.setattr(FolderDisk, "names", names)
    assert bundle.read_bundle(tmp_path).entries == (b"a",)
    monkeypatch.setattr(FolderDisk, "names", lambda self, folder: [f"{9:020d}"])
    with pytest.raises(FormatError, match="faster"):
        bundle.read_bundle(tmp_path)
