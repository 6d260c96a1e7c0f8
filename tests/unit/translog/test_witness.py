"""The witness: every status of the format, races, power cuts, and what it keeps on a forger."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import LOG_KEYS, NOW_S, ORIGIN, TestKey, Tree, signed

from casemate.core.errors import CasemateError, FormatError
from casemate.core.suites import ML_DSA_44, ML_DSA_65
from casemate.testing.unsafe_disk import PowerCut, UnsafeDisk
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature, guilt, merkle
from casemate.translog import note as notes
from casemate.translog import request as requests
from casemate.translog.errors import LogError
from casemate.translog.note import Note
from casemate.translog.request import Request
from casemate.translog.witness import SIZE, Witness

TREE = Tree(40)
FORK = Tree(40, fork_at=6)
KEYS = (TestKey("w1", ML_DSA_44), TestKey("w1"))


def witness(disk=None, *, keys=KEYS, clock=lambda: NOW_S) -> Witness:
    return Witness(disk or UnsafeDisk(), "w.example", keys, {ORIGIN: LOG_KEYS}, clock=clock)


def body(old: int, new: int, tree: Tree = TREE, hashes=None, note: Note | None = None) -> bytes:
    if hashes is None:
        hashes = merkle.consistency_proof(tree.node, old, new) if old <= new else ()
    made = note or signed(tree.stated(new))
    return Request(old=old, hashes=tuple(hashes), stated=tree.stated(new), note=made).encode()


def test_a_checkpoint_is_cosigned_with_every_key_and_stored_first():
    disk = UnsafeDisk()
    found = witness(disk)
    answer = found.add_checkpoint(body(0, 5))
    assert answer.status == 200
    lines = tuple(notes.parse_line(row) for row in answer.body.decode().splitlines())
    note = Note(text=TREE.stated(5).text(), lines=lines)
    good = cosignature.require(note, found.keys)
    assert [each.time_s for each in good] == [NOW_S, NOW_S]
    stored, kept = checkpoints.parse(found.latest(ORIGIN))
    assert stored == TREE.stated(5)
    cosignature.require(kept, (*LOG_KEYS, *found.keys))


def test_every_status_of_the_format():
    found = witness()
    stranger = Tree(5, origin="stranger.example/log")
    many = body(5, 9, hashes=[b"\0" * 32] * 64)
    assert found.add_checkpoint(body(0, 5)).status == 200
    cases = [
        (400, b""),
        (400, b"old 5\n"),
        (400, body(9, 5)),
        (400, many),
        (400, body(5, 9).replace(b"old 5", b"old 05")),
        (400, body(5, 9).replace(b"old 5", b"new 5")),
        (404, body(0, 5, stranger, note=signed(stranger.stated()))),
        (403, body(5, 9, note=signed(TREE.stated(9), TestKey("thief")))),
        (403, body(5, 9).replace(b"\n9\n", b"\n8\n")),
        (409, body(0, 9)),
        (409, body(4, 9)),
        (409, body(5, 5, Tree(5, fork_at=4), hashes=[])),
        (422, body(5, 9, hashes=[])),
        (422, body(5, 9, FORK, note=signed(Tree(9, fork_at=3).stated()))),
        (422, body(5, 5, hashes=[b"\0" * 32])),
        (200, body(5, 5)),
        (200, body(5, 9)),
    ]
    for status, request in cases:
        before = found.latest(ORIGIN)
        answer = found.add_checkpoint(request)
        assert answer.status == status, answer.body
        if status == 409:
            assert (answer.body, answer.content_type) == (b"5\n", SIZE)
        if status != 200:
            assert found.latest(ORIGIN) == before
    assert found.add_checkpoint(body(0, 3)).body == b"9\n"


def test_a_proof_for_an_unseen_log_is_empty():
    assert witness().add_checkpoint(body(0, 5, hashes=[b"\0" * 32])).status == 422


def test_the_empty_tree_may_be_cosigned():
    found = witness()
    assert found.add_checkpoint(body(0, 0)).status == 200
    assert found.add_checkpoint(body(0, 3)).status == 200


def test_the_example_of_the_format_is_read():
    """The request in C2SP tlog-witness."""
    request = requests.parse(EXAMPLE)
    assert (request.old, len(request.hashes), request.stated.size) == (20852014, 4, 20852163)
    assert request.encode() == EXAMPLE


EXAMPLE = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1g\
GzGku9nTo+zyWE+xeMcTOAYQ8=
""".encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x" * (requests.MOST_BYTES + 1), "too long"),
        (b"old 5", "no empty line"),
        (b"size 5\n\n" + EXAMPLE.split(b"\n\n", 1)[1], "no old size"),
        (b"\xff\n\n" + EXAMPLE.split(b"\n\n", 1)[1], "not ASCII"),
    ],
)
def test_it_is_said_why_a_request_is_malformed(data, why):
    with pytest.raises(FormatError, match=why):
        requests.parse(data)


def test_63_hashes_are_read():
    request = requests.parse(body(5, 9, hashes=[b"\0" * 32] * 63))
    assert len(request.hashes) == 63


def test_a_log_that_signs_two_roots_is_convicted():
    disk = UnsafeDisk()
    found = witness(disk)
    found.add_checkpoint(body(0, 9))
    for _ in range(2):
        assert found.add_checkpoint(body(9, 9, FORK, hashes=[])).status == 409
    (name,) = disk.names("guilt")
    shown = guilt.verify(guilt.parse(disk.read(f"guilt/{name}")), LOG_KEYS)
    assert (shown.first.size, shown.second.size) == (9, 9)


def test_a_clock_that_steps_back_does_not_date_back():
    times = iter((NOW_S, NOW_S - 365 * 86_400, NOW_S + 5))
    found = witness(clock=lambda: next(times))
    seen = []
    for old, new in ((0, 5), (5, 9), (9, 12)):
        found.add_checkpoint(body(old, new))
        _, note = checkpoints.parse(found.latest(ORIGIN))
        seen.append(cosignature.require(note, found.keys)[0].time_s)
    assert seen == [NOW_S, NOW_S, NOW_S + 5]


def test_threads_that_race_never_roll_back():
    """Twenty threads bring sizes in any order; each cosigned size continues the one before it."""
    found = witness(keys=(TestKey("fast"),))
    cosigned: list[int] = []
    guard = threading.Lock()

    def push(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(12):
            latest = found.latest(ORIGIN)
            old = checkpoints.parse(latest)[0].size if latest else 0
            new = min(old + rng.randrange(4), 40)
            answer = found.add_checkpoint(body(old, new))
            assert answer.status in (200, 409)
            if answer.status == 200:
                with guard:
                    cosigned.append(new)

    threads = [threading.Thread(target=push, args=(seed,)) for seed in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert checkpoints.parse(found.latest(ORIGIN))[0].size == max(cosigned)


class Racy(Witness):
    """Compares and stores in two steps (planted: the race that the format warns of)."""

    gap: threading.Barrier

    def add_checkpoint(self, body):
        request = requests.parse(body)
        before, latest = self._latest(ORIGIN)
        judged = requests.judge(request, latest)
        self.gap.wait(timeout=5)
        if request.stated.size == 5:
            self.later.wait(timeout=5)
        note = self._cosign(request, before)
        self._store(note, ORIGIN)
        if request.stated.size == 9:
            self.later.set()
        return judged


def outcome(kind: type[Witness]) -> int:
    """Let two threads bring sizes 5 and 9 from 0 at once; return the size that stands."""
    found = kind(UnsafeDisk(), "w.example", (TestKey("fast"),), {ORIGIN: LOG_KEYS})
    found.gap, found.later = threading.Barrier(2), threading.Event()
    answers: dict[int, int] = {}

    def push(new: int) -> None:
        answers[new] = found.add_checkpoint(body(0, new)).status

    threads = [threading.Thread(target=push, args=(new,)) for new in (5, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    size = checkpoints.parse(found.latest(ORIGIN))[0].size
    assert size == max(new for new, status in answers.items() if status == 200)
    return size


def test_the_lost_update_is_seen_where_it_is_planted_and_not_in_the_witness():
    assert outcome(Witness) in (5, 9)
    with pytest.raises(AssertionError):
        outcome(Racy)


def test_what_was_answered_survives_a_power_cut_at_every_step():
    """A size that was cosigned to anyone is never forgotten: that would let a fork be cosigned."""
    seen = 0
    for step in range(1, 400):
        for seed in range(3):
            disk = UnsafeDisk(cut_at=step)
            answered = 0
            try:
                found = witness(disk, keys=(TestKey("fast"),))
                for old, new in ((0, 5), (5, 9), (9, 20), (20, 21)):
                    assert found.add_checkpoint(body(old, new)).status == 200
                    answered = new
                break
            except PowerCut:
                seen += 1
            again = witness(disk.after_cut(random.Random(seed)), keys=(TestKey("fast"),))
            latest = again.latest(ORIGIN)
            assert (checkpoints.parse(latest)[0].size if latest else 0) >= answered
        else:
            continue
        break
    assert seen > 40


def test_the_first_failed_sync_closes_the_witness():
    disk = UnsafeDisk()
    found = witness(disk)
    assert found.add_checkpoint(body(0, 5)).status == 200
    disk.fail_sync_at = disk.syncs + 1
    assert found.add_checkpoint(body(5, 9)).status == 503
    disk.fail_sync_at = None
    assert found.add_checkpoint(body(5, 9)).status == 503
    assert witness(disk.after_kill()).add_checkpoint(body(5, 9)).status == 200


def test_a_witness_whose_state_or_signer_fails_closes():
    disk = UnsafeDisk()
    found = witness(disk)
    found.add_checkpoint(body(0, 5))
    (name,) = disk.names("state")
    disk.flip(f"state/{name}", 5)
    assert found.add_checkpoint(body(5, 9)).status == 503
    disk.flip(f"state/{name}", 5)
    assert found.add_checkpoint(body(5, 9)).status == 503
    bad = TestKey("bad")
    bad.sign = lambda message: bytes(64)
    found = witness(keys=(bad,))
    assert found.add_checkpoint(body(0, 5)).status == 503
    assert found.latest(ORIGIN) == b""


def test_damaged_state_stops_the_witness_instead_of_starting_anew():
    disk = UnsafeDisk()
    witness(disk).add_checkpoint(body(0, 5))
    (name,) = disk.names("state")
    disk.flip(f"state/{name}", 5)
    disk.unlock()
    with pytest.raises(CasemateError):
        witness(disk)
    other = UnsafeDisk()
    stranger = Tree(5, origin="stranger.example/log")
    found = Witness(other, "w", KEYS, {stranger.origin: LOG_KEYS})
    found.close()
    disk2 = UnsafeDisk()
    disk2.make_folder("state")
    disk2.put(f"state/{name}", signed(stranger.stated()).encode())
    with pytest.raises(LogError, match="restore"):
        witness(disk2)


def test_a_witness_does_not_cosign_with_other_algorithms():
    with pytest.raises(CasemateError, match="Ed25519 or ML-DSA-44"):
        witness(keys=(TestKey("w", ML_DSA_65),))


@given(st.data())
def test_only_answers_come_out(data):
    bad = bytearray(body(5, 9))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(bad)))
        bad[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    answer = SHARED.add_checkpoint(bytes(bad))
    assert answer.status in (200, 400, 403, 404, 409, 422)
    if bytes(bad) != body(5, 9):
        assert answer.status != 200 or checkpoints.parse(SHARED.latest(ORIGIN))[0].size == 9


SHARED = witness()
SHARED.add_checkpoint(body(0, 5))
