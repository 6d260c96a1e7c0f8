"""Faults of disks, carried out on the production code of log, memory and witness.

Each function plays one kind of fault at many points and returns what it did and found; whatever is
lost or wrong raises AssertionError. `docs/faults.md` is made from a run of these and of the faults
that the tests of a live enclosure play.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from casemate.control import memory_file
from casemate.control.order import Keeper
from casemate.control.states import Keys, Machine, State
from casemate.core import suites
from casemate.core.errors import CasemateError
from casemate.testing.honest_enclosure import START_S, Key
from casemate.testing.unsafe_disk import PowerCut, UnsafeDisk
from casemate.translog import checkpoint as checkpoints
from casemate.translog import merkle
from casemate.translog import note as notes
from casemate.translog.log import Log
from casemate.translog.request import Request
from casemate.translog.signers import log_key
from casemate.translog.witness import Witness

ORIGIN = "example.org/faults"
LOG_KEY = Key(suites.ED25519, "log of faults")
MEMORY = Path("machine.cbor")
_STATES = (State.COMMISSIONING, State.ARMED, State.UNKNOWN, State.MAINTENANCE, State.TAMPERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a fault did: at how many points it struck, and what was found."""

    points: int
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault. play: strikes at so many points, or a few more."""

    name: str
    what: str
    play: Callable[[int], Found]


def machine() -> Machine:
    """Return a machine that knows nothing yet."""
    return Machine(
        enclosure="small", serial="U-1", faces=frozenset({"front"}), modules=frozenset({"loops"}),
        boot=b"\x01" * 16,
    )  # fmt: skip


def cut_log(points: int) -> Found:
    """Cut the power while a log is written: acknowledged entries stay, torn tails show."""
    cuts = torn = seed = 0
    while cuts < points:
        seed += 1
        rng = random.Random(seed)
        disk, acknowledged, tried = UnsafeDisk(cut_at=rng.randrange(1, 200)), list[bytes](), b""
        try:
            log = Log(disk, ORIGIN, LOG_KEY, clock=_clock, mark=rng.randbytes)
            for number in range(40):
                tried = b"%d " % number + rng.randbytes(rng.choice((5, 700, 4000)))
                log.append([tried])
                acknowledged.append(tried)
                if rng.random() < 0.25:
                    log.checkpoint()
            continue
        except PowerCut:
            cuts += 1
        left = disk.after_cut(rng)
        again = Log(left, ORIGIN, LOG_KEY, clock=_clock)
        again.checkpoint()
        size = len(acknowledged)
        assert again.next_index in (size, size + 1), "acknowledged entries are lost"
        assert again.fsck() == again.next_index
        wanted = [*acknowledged, tried][: again.next_index]
        root = merkle.root_of(merkle.leaf_hash(each) for each in wanted)
        assert again.signed.root == root, "other entries than those that were acknowledged"
        torn += bool(again.recovered.torn_files)
    assert torn or cuts < 100
    return Found(points=cuts, found=f"nothing acknowledged was lost; {torn} torn tails, sealed")


def cut_memory(points: int, keeper: type[Keeper] = Keeper) -> Found:
    """Cut the power while memory changes: what comes back is what was durable, or the next."""
    cuts = seed = none = 0
    while cuts < points:
        seed += 1
        rng = random.Random(seed)
        disk = UnsafeDisk(cut_at=rng.randrange(1, 60))
        held, kept, tried = keeper(MEMORY, lambda: 0, disk=disk), None, machine()
        try:
            for number in range(12):
                state = rng.choice(_STATES)
                tried = replace(machine(), state=state, count=number, keys=Keys.SEALED)
                held.note(tried)
                held.write()
                kept = tried
            continue
        except PowerCut:
            cuts += 1
        found, _ = memory_file.recall(MEMORY, machine(), disk=disk.after_cut(rng))
        none += found is None
        wanted = [each.count for each in (kept, tried) if each is not None]
        if found is None:
            assert kept is None, "a memory that was durable is lost"
        else:
            assert found.count in wanted and found.state in _of(kept, tried)
    return Found(points=cuts, found=f"the last or the next memory came back; {none} before any")


def cut_witness(points: int) -> Found:
    """Cut the power while a witness cosigns: what it has answered it never forgets."""
    cuts = seed = 0
    tree = _Tree(64)
    while cuts < points:
        seed += 1
        rng = random.Random(seed)
        disk, answered = UnsafeDisk(cut_at=rng.randrange(1, 70)), 0
        try:
            held = _witness(disk)
            for size in sorted(rng.sample(range(1, 64), 8)):
                assert held.add_checkpoint(tree.request(answered, size)).status == 200
                answered = size
            continue
        except PowerCut:
            cuts += 1
        latest = _witness(disk.after_cut(rng)).latest(ORIGIN)
        known = checkpoints.parse(latest)[0].size if latest else 0
        assert known >= answered, "a cosigned size is forgotten"
    return Found(points=cuts, found="no size that was cosigned was forgotten")


def full_disk(points: int) -> Found:
    """Let the disk be full after ever more bytes: the log closes, and loses nothing."""
    struck = 0
    for number in range(points):
        disk, acknowledged = UnsafeDisk(room_bytes=1 + 61 * number), list[bytes]()
        try:
            _fill(disk, acknowledged)
            break
        except CasemateError as error:
            assert "no space left" in str(error)
            struck += 1
        again = Log(disk.after_kill(), ORIGIN, LOG_KEY, clock=_clock)
        again.checkpoint()
        assert again.fsck() >= len(acknowledged)
    return Found(points=struck, found="closed with a clear error each time; nothing lost")


def failing_sync(points: int) -> Found:
    """Let one sync fail, each in turn: the log latches closed, and loses nothing."""
    struck = 0
    for number in range(1, points + 1):
        rng = random.Random(number)
        disk, acknowledged = UnsafeDisk(fail_sync_at=number), list[bytes]()
        try:
            _fill(disk, acknowledged, rounds=points // 4 + 25)
            break
        except CasemateError as error:
            assert "closed" in str(error)
            struck += 1
        again = Log(disk.after_cut(rng), ORIGIN, LOG_KEY, clock=_clock)
        again.checkpoint()
        assert again.fsck() >= len(acknowledged)
    return Found(points=struck, found="latched closed at the first failure; nothing lost")


DISK_FAULTS = (
    Fault(name="log, power cut", what="writes dropped, reordered and torn", play=cut_log),
    Fault(name="memory, power cut", what="writes dropped, reordered and torn", play=cut_memory),
    Fault(name="witness, power cut", what="writes dropped, reordered and torn", play=cut_witness),
    Fault(name="log, disk full", what="no space after ever more bytes", play=full_disk),
    Fault(name="log, failing sync", what="one fsync fails, each in turn", play=failing_sync),
)


def _fill(disk: UnsafeDisk, acknowledged: list[bytes], rounds: int = 60) -> None:
    log = Log(disk, ORIGIN, LOG_KEY, clock=_clock, mark=lambda count: b"m" * count)
    for number in range(rounds):
        entry = b"entry %d" % number
        log.append([entry])
        acknowledged.append(entry)
        if number % 9 == 8:
            log.checkpoint()
    log.close()


def _of(*machines: Machine | None) -> set[State]:
    return {each.state for each in machines if each is not None}


def _clock() -> float:
    return float(START_S)


def _witness(disk: UnsafeDisk) -> Witness:
    keys = {ORIGIN: (log_key(ORIGIN, LOG_KEY.public),)}
    return Witness(disk, "w.example", (Key(suites.ED25519, "w"),), keys, clock=_clock)


class _Tree:
    """A log whose checkpoints of every size are signed ahead."""

    def __init__(self, size: int) -> None:
        self._leaves = [merkle.leaf_hash(b"%d" % each) for each in range(size)]
        self._log = Log(UnsafeDisk(), ORIGIN, LOG_KEY, clock=_clock)
        self._notes: dict[int, notes.Note] = {}
        for number in range(size):
            self._log.append([b"%d" % number])
            self._notes[number + 1] = notes.parse(self._log.checkpoint())

    def request(self, old: int, new: int) -> bytes:
        """Return the request to cosign size `new` after `old`."""
        note = self._notes[new]
        hashes = merkle.consistency_proof(self._node, old, new)
        stated = checkpoints.parse_text(note.text)
        return Request(old=old, hashes=tuple(hashes), stated=stated, note=note).encode()

    def _node(self, level: int, place: int) -> bytes:
        return merkle.root_of(self._leaves[place << level : (place + 1) << level])
