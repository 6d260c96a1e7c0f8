"""The log on real files: order, batching, reopening, key holders, and the bundle it is."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from log_samples import LOG_KEY, LOG_KEYS, NOW_S, ORIGIN, TestKey, Tree, cosigned, entry, signed

from casemate.core.errors import CasemateError, FormatError, InputError, SignatureError
from casemate.core.suites import ML_DSA_44, ML_DSA_65
from casemate.translog import bundle, cosignature, merkle, monitor, policy, proof
from casemate.translog import checkpoint as checkpoints
from casemate.translog import fsck as fscks
from casemate.translog import note as notes
from casemate.translog.disk import FolderDisk
from casemate.translog.errors import LogError
from casemate.translog.log import Log
from casemate.translog.signers import log_key, signers_of, witness_key
from casemate.translog.tiles import tiles_of


def new_log(folder, signer=LOG_KEY) -> Log:
    return Log(folder, ORIGIN, signer, clock=lambda: NOW_S)


def test_entries_come_back_in_order_under_the_root(tmp_path):
    bundle.write_manifest(tmp_path, enclosure="camera", serial="7", origin=ORIGIN)
    log = new_log(tmp_path)
    written = [entry(each) for each in range(700)]
    for at in range(0, 700, 50):
        assert log.append(written[at : at + 50]) == at
        if at % 150 == 0:
            log.checkpoint()
    found = bundle.read_bundle(tmp_path)
    assert [*found.entries, *found.pending] == written and found.torn_bytes == 0
    stated, note = checkpoints.parse(found.checkpoint)
    assert stated.size == len(found.entries) == 650
    assert merkle.root_of(map(merkle.leaf_hash, found.entries)) == stated.root
    cosignature.require(note, LOG_KEYS)
    assert (found.enclosure, found.serial, found.origin) == ("camera", "7", ORIGIN)
    log.close()
    again = new_log(tmp_path)
    assert (again.size, again.next_index, again.recovered.pending_entries) == (650, 700, 50)
    assert again.append([b"more"]) == 700
    again.checkpoint()
    assert again.fsck() == 701


def test_proofs_of_the_log_hold(tmp_path):
    log = new_log(tmp_path)
    log.append([entry(each) for each in range(600)])
    data = log.checkpoint()
    trusted = policy.parse(f"log {LOG_KEYS[0].vkey()}\nquorum none\n".encode())
    for index in (0, 255, 256, 599):
        made = proof.LogProof(index=index, hashes=log.inclusion_proof(index), checkpoint=data)
        with pytest.raises(CasemateError, match="no witness"):
            proof.verify(made, entry(index), trusted)
        stated = checkpoints.parse(data)[0]
        merkle.check_inclusion(merkle.leaf_hash(entry(index)), index, 600, made.hashes, stated.root)
    before = log.signed
    log.append([b"x"] * 300)
    log.checkpoint()
    merkle.check_consistency(600, 900, log.consistency_proof(600), before.root, log.signed.root)


def test_threads_share_syncs_and_lose_nothing(tmp_path, monkeypatch):
    syncs = []
    real = os.fdatasync
    begun, together = [], threading.Barrier(16)

    def slow(handle):
        """Last until all 16 have come: to this sync, or to wait for the next."""
        syncs.append(handle)
        until_s = time.monotonic() + 5.0
        while len(begun) % 16 and time.monotonic() < until_s:
            time.sleep(0.0005)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", slow)
    log = new_log(tmp_path)
    places: dict[bytes, int] = {}

    def write(writer: int) -> None:
        for number in range(20):
            text = b"%d %d" % (writer, number)
            begun.append(writer)
            places[text] = log.append([text])
            together.wait()

    threads = [threading.Thread(target=write, args=(each,)) for each in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places.values()) == list(range(320))
    assert len(syncs) < 100, "two a round, one more where a thread is late"
    log.checkpoint()
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    entries = bundle.read_bundle(tmp_path).entries
    assert all(entries[place] == text for text, place in places.items())


def test_a_bundle_is_read_while_its_log_goes_on(tmp_path):
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    log = new_log(tmp_path)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            log.append([entry(log.next_index)])
            if log.next_index % 3 == 0:
                log.checkpoint()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        last = 0
        for _ in range(25):
            found = bundle.read_bundle(tmp_path)
            whole = [*found.entries, *found.pending]
            assert whole == [entry(each) for each in range(len(whole))]
            assert len(whole) >= last
            last = len(whole)
    finally:
        stop.set()
        thread.join()


def test_only_the_tiles_of_the_last_two_checkpoints_stay(tmp_path):
    log = new_log(tmp_path)
    for number in range(20):
        log.append([entry(number)] * 33)
        log.checkpoint()
    partial = [path for path in tmp_path.rglob("*.p/*") if path.is_file()]
    now = {tile.path for size in (log.size, log.size - 33) for tile in tiles_of(size)}
    assert {str(path.relative_to(tmp_path)) for path in partial} <= now
    log.fsck()


def test_a_checkpoint_without_new_entries_is_the_last_one(tmp_path):
    log = new_log(tmp_path)
    empty = log.checkpoint()
    assert checkpoints.parse(empty)[0].root == merkle.EMPTY_ROOT
    log.append([b"a"])
    one = log.checkpoint()
    assert log.checkpoint() == one != empty
    assert log.append([]) == 1


def test_a_log_is_written_by_one_process_and_belongs_to_one_origin(tmp_path):
    log = new_log(tmp_path)
    log.append([b"a"])
    log.checkpoint()
    with pytest.raises(LogError, match="in use"):
        new_log(tmp_path)
    log.close()
    with pytest.raises(LogError, match="closed"):
        log.append([b"b"])
    with pytest.raises(LogError, match="holds the log"):
        Log(tmp_path, "other.example/log", LOG_KEY)
    with pytest.raises(InputError):
        Log(tmp_path, ORIGIN, (LOG_KEY, LOG_KEY))
    with pytest.raises(FormatError):
        Log(tmp_path, "an origin", LOG_KEY)
    with pytest.raises(FormatError):
        log_too_long = new_log(tmp_path)
        log_too_long.append([b"a" * 65_536])


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from log_samples import LOG_KEY, ORIGIN
from casemate.translog.log import Log
log = Log(Path(sys.argv[1]), ORIGIN, LOG_KEY)
while True:
    first = log.next_index
    log.append([b"%d" % each for each in range(first, first + 5)])
    print(first + 5, flush=True)
    if first % 3 == 0:
        log.checkpoint()
        print(-log.size, flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    rng = random.Random(3)
    acknowledged = signed_size = 0
    for _ in range(4):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(Path(__file__).parent)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(rng.randrange(3, 40)):
            said = int(process.stdout.readline())
            acknowledged, signed_size = max(acknowledged, said), max(signed_size, -said)
        process.kill()
        rest = process.communicate()[0].split()
        acknowledged = max([acknowledged, *map(int, rest)])
        signed_size = max([signed_size, *(-int(each) for each in rest)])
        log = new_log(tmp_path)
        assert log.next_index >= acknowledged and log.size >= signed_size
        log.checkpoint()
        log.fsck()
        log.close()
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    entries = bundle.read_bundle(tmp_path).entries
    assert list(entries) == [b"%d" % each for each in range(len(entries))]


def test_a_log_goes_on_under_new_keys(tmp_path):
    """Keys are new after each boot; the checkpoint of the old ones is still continued."""
    log = new_log(tmp_path)
    log.append([b"a"] * 3)
    first = checkpoints.parse(log.checkpoint())[0]
    log.close()
    other = TestKey("next boot", ML_DSA_65)
    log = new_log(tmp_path, other)
    log.append([b"b"])
    second, note = checkpoints.parse(log.checkpoint())
    cosignature.require(note, (log_key(ORIGIN, other.public),))
    merkle.check_consistency(3, 4, log.consistency_proof(3), first.root, second.root)


class Holder:
    """A key holder of two keys; counts how often it signs."""

    def __init__(self) -> None:
        self.keys = (TestKey("h"), TestKey("h", ML_DSA_65))
        self.calls = 0

    def public(self):
        return tuple(each.public for each in self.keys)

    def sign(self, message):
        self.calls += 1
        return tuple(each.sign(message) for each in self.keys)


def test_a_key_holder_signs_once_for_both_keys(tmp_path):
    holder = Holder()
    log = new_log(tmp_path, signers_of(holder))
    log.append([b"a"])
    note = notes.parse(log.checkpoint())
    assert holder.calls == 1
    keys = tuple(log_key(ORIGIN, each) for each in holder.public())
    assert len(cosignature.require(note, keys)) == 2


def test_a_signer_that_signs_wrongly_gives_no_checkpoint(tmp_path):
    bad = TestKey("bad", ML_DSA_44)
    good = bad.sign
    log = new_log(tmp_path, bad)
    log.append([entry(each) for each in range(300)])
    bad.sign = lambda message: flipped(good(message))
    with pytest.raises(SignatureError):
        log.checkpoint()
    assert not (tmp_path / "checkpoint").exists()
    bad.sign = good
    log.checkpoint()
    assert log.fsck() == 300


def flipped(signature: bytes) -> bytes:
    return bytes((signature[0] ^ 1,)) + signature[1:]


def test_cosigned_checkpoints_are_kept_and_checked(tmp_path):
    witness = TestKey("w")
    log = new_log(tmp_path)
    for size in (2, 5):
        log.append([b"a"] * (size - log.size))
        note = cosigned(notes.parse(log.checkpoint()), ("w.example", witness))
        log.add_cosignatures(note)
    log.append([b"b"])
    log.checkpoint()
    bundle.write_manifest(tmp_path, enclosure="c", serial="1", origin=ORIGIN)
    found = bundle.read_bundle(tmp_path)
    assert [checkpoints.parse(each)[0].size for each in found.witnessed] == [2, 5]
    key = witness_key("w.example", witness.public)
    assert all(cosignature.require(notes.parse(each), (key,)) for each in found.witnessed)
    log.close()
    path = tmp_path / "witnessed" / f"{2:020d}"
    path.write_bytes(path.read_bytes().replace(b"\n2\n", b"\n3\n"))
    with pytest.raises(LogError, match="witnessed"):
        fscks.fsck(FolderDisk(tmp_path), ORIGIN)


def test_lines_for_an_older_checkpoint_go_to_that_one(tmp_path):
    """A witness may answer after the next checkpoint was signed."""
    one, two = (("w1.example", TestKey("1")), ("w2.example", TestKey("2")))
    log = new_log(tmp_path)
    log.append([b"a"] * 3)
    old = notes.parse(log.checkpoint())
    log.append([b"b"])
    new = log.checkpoint()
    log.add_cosignatures(cosigned(old, one))
    whole = notes.parse(log.add_cosignatures(cosigned(old, two)))
    assert (tmp_path / "checkpoint").read_bytes() == new
    assert [line.name for line in whole.lines] == [ORIGIN, "w1.example", "w2.example"]
    assert (tmp_path / "witnessed" / f"{3:020d}").read_bytes() == whole.encode()
    fork = new_log(tmp_path / "fork")
    fork.append([b"c"] * 3)
    more = new_log(tmp_path / "more")
    more.append([b"a"] * 9)
    for other in (fork, more):
        with pytest.raises(LogError, match="not of this log"):
            log.add_cosignatures(notes.parse(other.checkpoint()))
    log.close()
    new_log(tmp_path).fsck()


def test_a_digest_names_a_note_with_the_lines_it_had_then(tmp_path):
    note = notes.parse(_with_lines(tmp_path, 3))
    for count in (1, 2, 3):
        part = notes.Note(text=note.text, lines=note.lines[:count])
        assert note.prefix(part.digest) == part
    with pytest.raises(FormatError, match="digest"):
        note.prefix(b"\0" * 32)


def _with_lines(folder, count: int) -> bytes:
    log = new_log(folder)
    log.append([b"a"])
    note = notes.parse(log.checkpoint())
    witnesses = [(f"w{each}.example", TestKey(str(each))) for each in range(count - 1)]
    return log.add_cosignatures(cosigned(note, *witnesses))


def test_a_folder_that_stands_already_is_synced_all_the_same(tmp_path, monkeypatch):
    """Who made it may have been killed before its name was durable."""
    (tmp_path / "tile" / "0").mkdir(parents=True)
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd))
    )
    disk = FolderDisk(tmp_path)
    disk.make_folder("tile/0")
    assert synced == [str(tmp_path), str(tmp_path / "tile")]
    disk.make_folder("tile/0")
    assert len(synced) == 2


WITNESS = TestKey("w", ML_DSA_44)
POLICY = policy.parse(
    f"log {LOG_KEYS[0].vkey()}\n"
    f"witness w {witness_key('w.example', WITNESS.public).vkey()}\nquorum w\n".encode()
)


def test_a_state_sees_rollback_split_views_and_silence(tmp_path):
    log, fork = new_log(tmp_path / "a"), new_log(tmp_path / "b")
    for each in (log, fork):
        each.append([b"common"] * 4)

    def step(which: Log, *, at_s: int = NOW_S) -> bytes:
        note = notes.parse(which.checkpoint())
        return cosigned(note, ("w.example", WITNESS), at_s=at_s).encode()

    def ids(alarms) -> list[str]:
        return [each.id for each in alarms]

    seen = monitor.Seen(started_s=NOW_S)
    first = step(log)
    seen, alarms = monitor.observe(seen, first, POLICY, now_s=NOW_S)
    assert not alarms
    log.append([b"of the log"])
    second = step(log, at_s=NOW_S + 60)
    assert ids(monitor.observe(seen, second, POLICY, now_s=NOW_S)[1]) == ["log.split-view"]
    hashes = log.consistency_proof(4)
    seen, alarms = monitor.observe(seen, second, POLICY, now_s=NOW_S + 60, hashes=hashes)
    assert not alarms and seen.stated.size == 5
    after, alarms = monitor.observe(seen, first, POLICY, now_s=NOW_S + 61)
    assert ids(alarms) == ["log.rollback"] and after == seen
    fork.append([b"of the fork"])
    (alarm,) = monitor.observe(seen, step(fork), POLICY, now_s=NOW_S + 61)[1]
    assert alarm.id == "log.split-view" and alarm.guilt is not None
    bare = log.checkpoint()
    assert ids(monitor.observe(seen, bare, POLICY, now_s=NOW_S)[1]) == ["log.refused"]
    older = step(log, at_s=NOW_S + 30)
    assert ids(monitor.observe(seen, older, POLICY, now_s=NOW_S)[1]) == ["log.rollback"]
    other = log_key("other.example/log", LOG_KEY.public)
    two = replace(POLICY, logs=(*LOG_KEYS, other))
    note = signed(Tree(9, origin=other.name).stated())
    note = cosigned(note, ("w.example", WITNESS), at_s=NOW_S + 90)
    assert ids(monitor.observe(seen, note.encode(), two, now_s=NOW_S)[1]) == ["log.origin"]
    assert not monitor.overdue(seen, now_s=NOW_S + 160, deadline_s=100)
    assert ids(monitor.overdue(seen, now_s=NOW_S + 161, deadline_s=100)) == ["log.frozen"]
    unfed = monitor.Seen(started_s=NOW_S)
    assert ids(monitor.overdue(unfed, now_s=NOW_S + 101, deadline_s=100)) == ["log.frozen"]
