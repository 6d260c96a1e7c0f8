"""Logs in which much is odd go on token by token, and are found to be what the verifier finds."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace

import pytest
from test_appraiser import beginning

from casemate.fleet.appraisal import appraiser, oddities, walk_data
from casemate.fleet.appraisal.appraiser import Appraiser
from casemate.fleet.appraisal.notes import Held, read_note
from casemate.fleet.appraisal.walk_data import Saved
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.note import Note
from casemate.verify import appraise

NAMES = tuple(honest.WITNESSES)


def spoilt(data: bytes, at: int = -1) -> bytes:
    """Return a note of which the blob of a line does not fit its text."""
    note = read_note(data).note
    lines = list(note.lines)
    lines[at] = replace(lines[at], blob=lines[at].blob[:-1] + bytes([lines[at].blob[-1] ^ 1]))
    return Note(text=note.text, lines=tuple(lines)).encode()


def forked(stated: Checkpoint, what: bytes = b"another") -> Checkpoint:
    """Return a checkpoint of the same size with another root."""
    return replace(stated, root=hashlib.sha256(what).digest())


class Mischief:
    """An enclosure's log that does all that a host with its keys, and witnesses, can do to it."""

    def __init__(self, seed: int) -> None:
        self.dice, self.story = random.Random(seed), honest.armed(0)
        self.made, self.shelf = beginning()
        self.did: Counter[str] = Counter()
        self.late: list[bytes] = []
        self.brought = (0, 0)

    def witnesses(self) -> tuple[str, ...]:
        """Return some witnesses, mostly a quorum."""
        return tuple(self.dice.sample(NAMES, self.dice.choice((3, 3, 3, 2, 2, 1, 0))))

    def step(self) -> list[bytes]:
        """Let time pass, and return the notes that come of it."""
        story, dice = self.story, self.dice
        story.watch(verdict="INTERFERENCE" if dice.random() < 0.05 else "NORMAL")
        known, some, at_s = story.known, self.witnesses(), story.now_s
        kind = dice.choice(("plain", "plain", "spoilt", "fork", "early", "parts", "held", "name"))
        self.did[kind] += 1
        if kind == "early":
            at_s -= dice.randint(1, 400)
        note = story.seal(some, at_s=at_s)
        if kind == "spoilt" and len(read_note(note).note.lines) > 2:
            note = spoilt(note, dice.randint(2, len(read_note(note).note.lines) - 1))
        if kind in ("held", "name"):
            self.late.append(note)
            if kind == "held":  # the enclosure never hears of it
                story.known = known
                return []
            return [note, *self._fork(b"named")]
        if kind == "fork":
            return [note, *self._fork(dice.randbytes(4))]
        if kind == "parts":
            lines = read_note(note).note.lines
            self.late.append(note)
            part = Note(text=read_note(note).note.text, lines=lines[: dice.randint(2, 4)])
            return [part.encode()]
        return [note]

    def _fork(self, what: bytes) -> list[bytes]:
        known, size = self.story.known, self.dice.randint(1, len(self.story.entries))
        data = self.story.seal(
            self.witnesses(), at_s=self.story.now_s, stated=forked(self.story.stated(size), what)
        )
        self.story.known = known
        return [data]

    def bring(self, new: list[bytes]) -> None:
        """Bring what is new, with some of what was kept back."""
        back = [each for each in self.late if self.dice.random() < 0.3]
        self.late = [each for each in self.late if each not in back]
        entries = self.story.entries[len(self.shelf.entries) :]
        given = [x for x in dict.fromkeys((*new, *back)) if x not in self.shelf.notes]
        held: list[Held] = [read_note(each) for each in given]
        if self.made.refusal(entries, held, self.story.now_s):
            return
        self.shelf.entries += entries
        self.shelf.notes += given
        for each in self.made.grow(entries, given):
            self.shelf.notes.remove(each)

    def again(self) -> None:
        """Write the walk, and go on from it as a service that has started anew."""
        saved = Saved(
            data=walk_data.write(self.made),
            waiting=tuple(each.data for each in self.made._waiting), entries=(), notes=(),
        )  # fmt: skip
        self.made = Appraiser(
            honest.reference(), honest.policy(), honest.SERIAL, self.shelf.load, saved
        )

    def check(self) -> None:
        """Compare with the verifier, now and later."""
        assert not self.made.irregular
        for now_s in (self.story.now_s + 5, self.story.now_s + 1000):
            wanted = appraise(self.shelf.load(), honest.reference(), honest.policy(), now_s=now_s)
            assert self.made.result(now_s) == wanted


def live(seed: int, steps: int) -> Mischief:
    """Let mischief be done, compared with the verifier at each step."""
    made = Mischief(seed)
    for _ in range(steps):
        made.bring(made.step())
        made.check()
        if made.dice.random() < 0.15:
            made.again()
            made.check()
    return made


@pytest.mark.parametrize("seed", (1, 2))
def test_whatever_is_odd_the_verifier_finds_the_same(seed: int) -> None:
    made = live(seed, 20)
    found = {each.id for each in made.made.result(made.story.now_s + 5).findings}
    assert found & {"log.equivocation", "log.altered", "log.witness-line", "time.witness-order"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 22))
def test_so_it_is_however_it_comes(seed: int) -> None:
    live(seed, 40)


def test_something_odd_at_each_token_costs_no_second_walk() -> None:
    """Lines that do not fit, another root beside each, times of witnesses that went back once."""
    made, shelf = beginning()
    story = honest.armed(0)
    for number in range(30):
        story.watch()
        at_s = story.now_s - (300 if number == 10 else 0)
        notes = [spoilt(story.seal(at_s=at_s))]
        known = story.known
        notes.append(story.seal((), stated=forked(story.stated())))
        story.known = known
        new = story.entries[len(shelf.entries) :]
        assert made.refusal(new, [read_note(each) for each in notes], story.now_s) == ""
        shelf.entries += new
        shelf.notes += notes
        for each in made.grow(new, notes):
            shelf.notes.remove(each)
        wanted = appraise(shelf.load(), honest.reference(), honest.policy(), now_s=story.now_s)
        assert made.result(story.now_s) == wanted
    kinds = {each.id: each.times for each in wanted.findings}
    assert kinds["log.witness-line"] == 30
    assert kinds["log.equivocation"] + kinds.get("log.altered", 0) == 30
    assert kinds["time.witness-order"] >= 1
    assert made.seals is None  # no part of such a log stands for an interval
    anew = 2 * 12  # once, at the step back
    assert made.walked <= len(story.entries) + anew


def test_proofs_of_a_second_story_are_kept_and_no_flood_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(oddities, "MOST_PROOFS", 6)
    made, shelf = beginning()
    story = honest.armed(0)
    for number in range(20):
        story.watch()
        notes = [story.seal()]
        known = story.known
        notes.append(story.seal((), stated=forked(story.stated(), bytes([number]))))
        story.known = known
        shelf.entries += story.entries[len(shelf.entries) :]
        shelf.notes += notes
        for each in made.grow(shelf.entries[made.size :], notes):
            shelf.notes.remove(each)
        found = made.result(story.now_s)
        assert found == appraise(
            shelf.load(), honest.reference(), honest.policy(), now_s=story.now_s
        )
    told = {each.id: each.times for each in found.findings}
    assert 6 <= told["log.equivocation"] <= 8
    assert len(shelf.notes) <= 20 + 8
    assert len(made._odd._of) <= 2 * appraiser.RECENT_NOTES


def test_many_checkpoints_without_a_quorum_in_one_submission() -> None:
    """Of more sizes than are kept: this ended in a fault of ours, again and again."""
    made, shelf = beginning()
    story = Story()
    story.start("commissioned", "COMMISSIONING")
    for _ in range(3 * appraiser.RECENT_NOTES):
        story.now_s += 10
        story.frames()
        story.seal(("north",))
    shelf.entries += story.entries
    shelf.notes += story.notes
    for each in made.grow(story.entries, story.notes):
        shelf.notes.remove(each)
    assert len(shelf.notes) == 1
    assert made.result(story.now_s) == appraise(
        shelf.load(), honest.reference(), honest.policy(), now_s=story.now_s
    )
    story.watch()
    late = story.seal(("south",), stated=story.stated(3))
    shelf.entries.append(story.entries[-1])
    shelf.notes.append(late)
    for each in made.grow(story.entries[-1:], (late,)):
        shelf.notes.remove(each)
    assert late not in shelf.notes


def test_a_part_of_a_note_that_goes_does_not_come_back() -> None:
    """Short, then with a line more and with a larger one at once: the longer one is not needed."""
    made, shelf = beginning()
    story = honest.armed(1)
    story.watch()
    note = read_note(story.seal(("north",))).note
    short = Note(text=note.text, lines=note.lines[:-1]).encode()
    story.notes = (*story.notes[:-1], short)
    shelf.entries += story.entries
    shelf.notes += story.notes
    for each in made.grow(story.entries, story.notes):
        shelf.notes.remove(each)
    assert short in shelf.notes
    story.watch()
    new = (note.encode(), story.seal())
    shelf.entries.append(story.entries[-1])
    shelf.notes += new
    for each in made.grow(story.entries[-1:], new):
        shelf.notes.remove(each)
    assert short not in shelf.notes and new[0] not in shelf.notes
    assert made.result(story.now_s) == appraise(
        shelf.load(), honest.reference(), honest.policy(), now_s=story.now_s
    )
