"""Places of digests: what a dictionary says, in a tenth of its memory."""

from __future__ import annotations

import copy
import hashlib
import random
import tracemalloc

import pytest

from casemate.attest.reference import load
from casemate.core.suites import SUITES
from casemate.fleet.appraisal import appraiser, places
from casemate.fleet.appraisal.appraiser import Appraiser
from casemate.fleet.appraisal.places import Places
from casemate.fleet.hammer.enclosure import HammerEnclosure, witnesses
from casemate.testing import honest_enclosure as honest
from casemate.translog import merkle
from casemate.translog.bundle import Bundle
from casemate.translog.policy import parse
from casemate.verify import appraise
from casemate.verify.result import Result

BEGUN_S = honest.START_S


def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the heads of digests take four values."""
    monkeypatch.setattr(places, "_head", lambda digest: digest[0] % 4)


@pytest.mark.parametrize("few", [False, True])
def test_it_says_what_a_dictionary_says(monkeypatch: pytest.MonkeyPatch, *, few: bool) -> None:
    if few:
        alike(monkeypatch)
    monkeypatch.setattr(places, "RECENT", 8)
    dice, wanted, log = random.Random(3), dict[bytes, int](), list[bytes]()
    held = Places(lambda index: log[index])
    for index in range(400):
        again = log and dice.random() < 0.3
        data = dice.choice(log) if again else dice.randbytes(20)
        digest = list(SUITES.values())[data[0] % 2].digest(data)
        held.pack(index)
        log.append(data)
        assert held.setdefault(digest, index) == wanted.setdefault(digest, index)
        asked = dice.choice([*wanted, dice.randbytes(32)])
        assert held.get(asked, -1) == wanted.get(asked, -1)
        assert held.get(dice.randbytes(48)) is None
        if index % 50 == 0:
            anew = Places(lambda index: log[index])
            anew.read(held.written())
            held = anew if index % 100 else copy.deepcopy(held)
    assert len(held) < 24 and len(held._heads) + len(held) == len(wanted)


def test_a_copy_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "RECENT", 2)
    log = [bytes([each]) * 9 for each in range(60)]
    digests = [hashlib.sha256(each).digest() for each in log]
    held = Places(lambda index: log[index])
    for index, digest in enumerate(digests[:20]):
        held.setdefault(digest, index)
        held.pack(index)
    other = copy.deepcopy(held)
    for index, digest in enumerate(digests[20:40], start=20):
        other.setdefault(digest, index)
        other.pack(index)
    assert [other.get(each) for each in digests[:40]] == list(range(40))
    assert [held.get(each) for each in digests[20:]] == [None] * 40


def test_what_is_not_stored_yet_stays_whole() -> None:
    held = Places(lambda _index: b"")
    for index in range(2000):
        held.setdefault(hashlib.sha256(b"%d" % index).digest(), index)
    held.pack(500)
    assert len(held) == 1500 and len(held._heads) == 500


@pytest.mark.parametrize("rows", [[], [b"1" * 8, b"", []], [b"1", b"", []], [b"", b"", [[1]]]])
def test_what_is_none_is_refused(rows: list[object]) -> None:
    with pytest.raises((ValueError, TypeError, LookupError)):
        Places(lambda _index: b"").read(rows)


def test_a_token_takes_few_bytes() -> None:
    count = 16_384
    held = Places(lambda _index: b"")
    tracemalloc.start()
    for index in range(count):
        if index % 4096 == 0:
            held.pack(index)
        held.setdefault(hashlib.sha256(b"%d" % index).digest(), index)
    held.pack(count)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 20 * count  # a dictionary: 150


class Long:
    """An enclosure that goes on for long, and whose host does as it likes."""

    def __init__(self) -> None:
        self.made = HammerEnclosure(
            1, witnesses([bytes([each] * 32) for each in range(3)]), honest.reference().parties, 20
        )
        first = self.made.commission(BEGUN_S)
        self.entries, self.notes = list(first.entries), list(first.notes)
        self.now_s = BEGUN_S
        self.read = 0
        self.reference = load(self.made.reference())
        self.appraiser = Appraiser(
            self.reference, parse(self.made.policy()), self.made.serial, self.bundle,
            entry=self.entry,
        )  # fmt: skip

    def entry(self, index: int) -> bytes:
        self.read += 1
        return self.entries[index]

    def bundle(self) -> Bundle:
        return Bundle(
            enclosure=self.reference.enclosure, serial=self.made.serial,
            origin=self.made.origin, checkpoint=self.notes[-1], witnessed=tuple(self.notes[:-1]),
            entries=tuple(self.entries), pending=(), torn_bytes=0,
        )  # fmt: skip

    def live(self) -> None:
        """Go on by one token."""
        self.now_s += 20
        new = self.made.batch(self.now_s)
        self.take(new.entries, new.notes)

    def insert(self, data: bytes) -> None:
        """Put an entry into the log that is no new token."""
        self.made._edge.push(merkle.leaf_hash(data))
        self.now_s += 1
        self.take((data,), (self.made._seal(self.now_s),))

    def take(self, entries: tuple[bytes, ...], notes: tuple[bytes, ...]) -> None:
        self.entries += entries
        self.notes += notes
        self.appraiser.grow(entries, notes)

    def results(self) -> tuple[Result, Result]:
        """Return what is found as it grows, and what the verifier finds of all."""
        held, now_s = self.appraiser, self.now_s + 5
        return held.result(now_s), appraise(self.bundle(), held.reference, held.policy, now_s=now_s)


@pytest.mark.parametrize("which", [5, -10])
def test_an_old_token_that_is_told_again_is_found_out(
    monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    """What is kept of it is eight bytes by then, and its root and notes are forgotten."""
    monkeypatch.setattr(places, "RECENT", 4)
    monkeypatch.setattr(appraiser, "RECENT", 12)
    held = Long()
    for _ in range(30):
        held.live()
    ledger, found = held.appraiser.ledger, held.results()
    assert found[0] == found[1] and not found[0].findings
    assert len(held.appraiser._places) < 12 and held.read == 0
    assert not held.appraiser.irregular
    for each in (ledger.roots, ledger._named, ledger.echoes, held.appraiser._seals):
        assert len(each) < 20  # type: ignore[arg-type]
    held.insert(held.entries[which])
    assert not held.appraiser.irregular
    assert (held.read >= 1) is (which == -10)  # the other names what is forgotten: walked anew
    found = held.results()
    assert found[0] == found[1]
    assert "token.replayed" in {each.id for each in found[0].findings}
    held.live()
    found = held.results()
    assert found[0] == found[1] and "token.replayed" in {each.id for each in found[0].findings}


def test_a_token_that_names_what_is_forgotten_has_all_walked_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "RECENT", 4)
    monkeypatch.setattr(appraiser, "RECENT", 12)
    held = Long()
    held.live()
    early = held.made._known
    for _ in range(30):
        held.live()
    held.made._known = early
    walked = held.appraiser.walked
    held.live()
    found = held.results()
    assert found[0] == found[1]
    assert held.appraiser.walked - walked > 30
