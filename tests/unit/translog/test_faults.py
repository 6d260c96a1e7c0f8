"""Power cuts, failed syncs and full disks: what was acknowledged survives all of them."""

from __future__ import annotations

import random

import pytest
from log_samples import LOG_KEY, LOG_KEYS, NOW_S, ORIGIN, TestKey, cosigned

from casemate.core.errors import CasemateError
from casemate.testing.unsafe_disk import PowerCut, UnsafeDisk
from casemate.translog import audit, merkle, pending
from casemate.translog import checkpoint as checkpoints
from casemate.translog import fsck as fscks
from casemate.translog import note as notes
from casemate.translog.audit import read_tile
from casemate.translog.edge import Reader
from casemate.translog.errors import LogError
from casemate.translog.log import Log
from casemate.translog.tiles import ENTRIES, pack_entries, tiles_of, unpack_entries

WITNESS = TestKey("w")


class Client:
    """Writes to a log at random and remembers what was acknowledged to it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.acknowledged: list[bytes] = []
        self.tried: list[bytes] = []
        self.signed = b""
        self.witnessed: dict[int, bytes] = {}
        self.number = 0

    def run(self, disk: UnsafeDisk, rounds: int) -> None:
        log = Log(disk, ORIGIN, LOG_KEY, clock=lambda: NOW_S, mark=self.rng.randbytes)
        self.meet(log)
        for _ in range(rounds):
            if self.rng.random() < 0.3:
                self.signed = log.checkpoint()
                if self.rng.random() < 0.5:
                    note = cosigned(notes.parse(self.signed), ("w.example", WITNESS))
                    self.witnessed[log.size] = log.add_cosignatures(note)
            else:
                self.tried = [self.entry() for _ in range(self.rng.choice((1, 1, 3, 40, 130)))]
                first = log.append(self.tried)
                assert first == len(self.acknowledged)
                self.acknowledged += self.tried
                self.tried = []
        log.close()

    def meet(self, log: Log) -> None:
        """Check what opening found, and take unacknowledged entries that survived as given."""
        found = entries_of(log)
        assert found[: len(self.acknowledged)] == self.acknowledged
        extra = found[len(self.acknowledged) :]
        assert extra in ([], self.tried)
        self.acknowledged, self.tried = found, []
        for size, note in self.witnessed.items():
            path = f"witnessed/{size:020d}"
            assert path in log._disk.paths() and log._disk.read(path) == note
        if self.signed:
            stated, _ = checkpoints.parse(self.signed)
            assert log.size >= stated.size
            leaves = [merkle.leaf_hash(each) for each in found[: stated.size]]
            assert merkle.root_of(leaves) == stated.root

    def entry(self) -> bytes:
        self.number += 1
        return f"{self.number} ".encode() + self.rng.randbytes(self.rng.choice((0, 20, 600)))


def entries_of(log: Log) -> list[bytes]:
    """All entries: those under the checkpoint from their tiles, the others from pending/."""
    disk = log._disk
    found: list[bytes] = []
    for tile in tiles_of(log.size):
        if tile.level == ENTRIES:
            found += unpack_entries(read_tile(disk, tile))[: tile.width]
    return found + log.pending_entries()


def cut_often(seed: int, disk: UnsafeDisk) -> tuple[int, int]:
    """Cut the power a few times; return cuts and torn tails. Fails if anything is lost."""
    rng = random.Random(seed)
    client = Client(seed)
    cuts = torn = 0
    for _ in range(3):
        disk.cut_at = disk.steps + rng.randrange(1, 110)
        try:
            client.run(disk, 12)
        except PowerCut:
            cuts += 1
        disk = disk.after_cut(rng) if rng.random() < 0.8 else disk.after_kill()
        torn += any(name.startswith("torn/") for name in disk.paths())
    client.run(disk.after_cut(rng), 2)
    return cuts, torn


def check_cuts(seeds: range) -> None:
    counts = [cut_often(seed, UnsafeDisk()) for seed in seeds]
    assert sum(cuts for cuts, _ in counts) >= 2 * len(seeds)
    assert any(torn for _, torn in counts)


def test_nothing_acknowledged_is_lost_at_70_places():
    check_cuts(range(40))


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_at_3000_places():
    check_cuts(range(1000, 3000))


class Hasty(UnsafeDisk):
    """A log on it forgets to sync what it appends (planted)."""

    def appender(self, path: str):
        found = super().appender(path)
        found.sync = lambda: None
        return found


class Nameless(UnsafeDisk):
    """A log on it forgets to sync folders (planted)."""

    def sync_folder(self, folder: str) -> None:
        self._step()


@pytest.mark.parametrize("kind", [Hasty, Nameless])
def test_the_harness_finds_a_log_that_forgets_to_sync(kind):
    lost = 0
    for seed in range(20):
        try:
            cut_often(seed, kind())
        except (AssertionError, CasemateError):
            lost += 1
    assert lost >= 4


def test_every_step_of_a_checkpoint_may_be_cut():
    whole = UnsafeDisk()
    Client(1).run(whole, 0)
    log = Log(whole, ORIGIN, LOG_KEY, clock=lambda: NOW_S)
    log.append([b"a"] * 300)
    before = whole.steps
    log.checkpoint()
    for step in range(before + 1, whole.steps + 1):
        for seed in range(2):
            disk = UnsafeDisk(cut_at=step)
            with pytest.raises(PowerCut):
                Client(1).run(disk, 0)
                again = Log(disk, ORIGIN, LOG_KEY, clock=lambda: NOW_S)
                again.append([b"a"] * 300)
                again.checkpoint()
            left = disk.after_cut(random.Random(seed))
            found = Log(left, ORIGIN, LOG_KEY)
            assert entries_of(found) == [b"a"] * 300
            found.checkpoint()
            assert found.fsck() == 300


def test_a_torn_tail_is_sealed_and_said():
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"kept"])
    log._segment.write(b"half a frame")  # the power goes before the sync
    disk._sync(disk._names["pending/" + "0" * 20])
    found = Log(disk.after_kill(), ORIGIN, LOG_KEY)
    assert found.recovered.pending_entries == 1
    assert found.recovered.torn_bytes == len(b"half a frame")
    (name,) = found.recovered.torn_files
    assert disk.read(f"torn/{name}") == b"half a frame"
    assert entries_of(found) == [b"kept"]


def test_damage_before_a_good_frame_is_corruption_not_a_torn_tail():
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"first"])
    middle = len(disk.read("pending/" + "0" * 20)) - 20
    log.append([b"second"])
    disk.flip("pending/" + "0" * 20, 8 * middle)
    with pytest.raises(CasemateError, match="acknowledged and are damaged"):
        Log(disk.after_kill(), ORIGIN, LOG_KEY)
    assert disk.names("pending") == ["0" * 20]


def test_the_first_failed_sync_closes_the_log():
    syncs = _syncs()
    for number in range(1, syncs + 1):
        disk = UnsafeDisk(fail_sync_at=number)
        acknowledged: list[bytes] = []
        with pytest.raises(LogError, match="closed"):
            _work(disk, acknowledged)
        log = Log(disk.after_cut(random.Random(number)), ORIGIN, LOG_KEY)
        assert entries_of(log)[: len(acknowledged)] == acknowledged
        log.checkpoint()
        log.fsck()


def test_a_closed_log_stays_closed():
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"a"])
    note = notes.parse(log.checkpoint())
    disk.fail_sync_at = disk.syncs + 1
    with pytest.raises(LogError, match="input/output error"):
        log.append([b"b"])
    for act in (lambda: log.append([b"c"]), log.checkpoint, lambda: log.add_cosignatures(note)):
        with pytest.raises(LogError, match="the log is closed"):
            act()


def test_a_full_disk_loses_nothing():
    room = 1
    while True:
        disk, acknowledged = UnsafeDisk(room_bytes=room), []
        try:
            _work(disk, acknowledged)
            break
        except LogError as error:
            assert "no space left" in str(error)
        found = Log(disk.after_kill(), ORIGIN, LOG_KEY)
        assert entries_of(found)[: len(acknowledged)] == acknowledged
        found.checkpoint()
        assert found.fsck() >= len(acknowledged)
        room += 397
    assert len(acknowledged) == 60


def test_one_flipped_bit_anywhere_is_found_by_fsck():
    disk = UnsafeDisk()
    acknowledged: list[bytes] = []
    _work(disk, acknowledged)
    fscks.fsck(disk, ORIGIN, LOG_KEYS)
    wanted = {tile.path for tile in tiles_of(60)} | {"checkpoint"}
    for path in sorted(wanted):
        for bit in random.Random(path).sample(range(8 * len(disk.read(path))), 40):
            disk.flip(path, bit)
            with pytest.raises(CasemateError):
                fscks.fsck(disk, ORIGIN, LOG_KEYS)
            disk.flip(path, bit)
    assert fscks.fsck(disk, ORIGIN, LOG_KEYS).size == 60


def test_a_bundle_and_its_leaves_changed_together_are_found_by_the_tile_above():
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"a"] * 300)
    log.checkpoint()
    forged = [b"a"] * 255 + [b"forged"]
    disk.put("tile/entries/000", pack_entries(forged))
    disk.put("tile/0/000", b"".join(merkle.leaf_hash(each) for each in forged))
    with pytest.raises(LogError, match="tile below"):
        fscks.fsck(disk, ORIGIN, LOG_KEYS)
    log.append([b"b"])
    with pytest.raises(LogError, match="bundle 0"):
        log.checkpoint()  # the scrub of one old bundle a checkpoint


def _grown() -> UnsafeDisk:
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"a"] * 9)
    note = notes.parse(log.checkpoint())
    log.add_cosignatures(cosigned(note, ("w.example", WITNESS)))
    log.close()
    return disk


def test_a_log_whose_files_do_not_agree_does_not_open():
    def tile(disk: UnsafeDisk) -> None:
        disk.flip("tile/0/000.p/9", 100)

    def segment(disk: UnsafeDisk) -> None:
        head = pending.header(0, b"m" * 16)
        data = head + pending.frame(b"m" * 16, len(head), [b"b"])
        disk.put("pending/" + "0" * 20, data)

    def gone(disk: UnsafeDisk) -> None:
        disk.remove("checkpoint")

    def signature(disk: UnsafeDisk) -> None:
        note = notes.parse(disk.read("checkpoint"))
        line = note.lines[0]
        bad = notes.Line(name=line.name, key_id=line.key_id, blob=bytes(64))
        disk.put("checkpoint", notes.Note(text=note.text, lines=(bad,)).encode())

    for change, why in (
        (tile, "do not give the root"),
        (segment, "not the one under the checkpoint"),
        (gone, "no checkpoint"),
        (signature, "signature on the checkpoint"),
    ):
        disk = _grown()
        change(disk)
        with pytest.raises(LogError, match=why):
            Log(disk, ORIGIN, LOG_KEY)
        assert not disk.locked
    Log(_grown(), ORIGIN, LOG_KEY).fsck()


def test_the_root_before_is_checked_as_well():
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"a"] * 300)
    log.checkpoint()
    stated = log.signed
    good = {"size": 300, "root": stated.root, "since": 7}
    leaf = merkle.leaf_hash(b"a")
    audit.check_tiles(disk, **good, since_root=merkle.root_of([leaf] * 7))
    with pytest.raises(LogError, match="root at size 7"):
        audit.check_tiles(disk, **good, since_root=merkle.root_of([leaf] * 8))


def test_a_wider_tile_serves_for_one_that_has_gone():
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"a"] * 9)
    log.checkpoint()
    leaf = merkle.leaf_hash(b"a")
    for size in (1, 5, 9):
        reader = Reader(lambda tile: read_tile(disk, tile), size)
        assert reader.root() == merkle.root_of([leaf] * size)
    with pytest.raises(CasemateError, match="missing"):
        Reader(lambda tile: read_tile(disk, tile), 10).root()


def test_nothing_is_signed_over_files_that_read_back_wrong():
    """Bits flip between write and read-back, on disk or in memory: no checkpoint is signed."""
    for victim in ("tile/entries/000.p/", "tile/0/000.p/"):
        disk = UnsafeDisk()
        log = Log(disk, ORIGIN, LOG_KEY)
        log.append([b"a", b"b", b"c"])
        log.checkpoint()
        log.append([b"d"])
        put = disk.put

        def bad(path: str, data: bytes, put=put, disk=disk, victim=victim) -> None:
            put(path, data)
            if path.startswith(victim):
                disk.flip(path, 77)

        disk.put = bad
        with pytest.raises(CasemateError):
            log.checkpoint()
        assert checkpoints.parse(disk.read("checkpoint"))[0].size == 3
        with pytest.raises(LogError, match="do not agree"):
            log.append([b"e"])


def test_nothing_is_signed_with_a_bit_flipped_in_memory():
    disk = UnsafeDisk()
    log = Log(disk, ORIGIN, LOG_KEY)
    log.append([b"a", b"b", b"c"])
    peak = log._frontier.peaks[0]
    log._frontier.peaks[0] = bytes((peak[0] ^ 1,)) + peak[1:]
    with pytest.raises(LogError, match="root"):
        log.checkpoint()
    assert "checkpoint" not in disk.paths()


def _work(disk: UnsafeDisk, acknowledged: list[bytes]) -> None:
    log = Log(disk, ORIGIN, LOG_KEY, clock=lambda: NOW_S, mark=lambda count: b"m" * count)
    for number in range(20):
        batch = [b"entry %d %d" % (number, each) for each in range(3)]
        log.append(batch)
        acknowledged += batch
        if number % 7 == 3:
            log.checkpoint()
    log.checkpoint()
    log.close()


def _syncs() -> int:
    disk = UnsafeDisk()
    _work(disk, [])
    return disk.syncs
