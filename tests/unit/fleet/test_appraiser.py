"""Evidence that comes in parts is appraised as `verify` appraises it whole, each token once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest

from casemate.core.errors import FormatError
from casemate.core.suites import ML_DSA_44
from casemate.fleet.appraisal.appraiser import Appraiser
from casemate.fleet.appraisal.notes import is_part, read_note, whole
from casemate.fleet.appraisal.stretches import joined
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import Shown
from casemate.testing.honest_enclosure import Story
from casemate.testing.malicious_host import ATTACKS
from casemate.translog.bundle import Bundle
from casemate.verify import appraise
from casemate.verify.continuity import Interval, intervals

SOME = (
    "alter-an-entry", "tell-two-stories", "two-checkpoints", "reorder-entries", "replay-a-token",
    "open-it", "withhold-the-last-word", "restart", "use-the-last-word", "cut-a-sensor",
)  # fmt: skip
"""Of the attacks, for the default run; all of them run with the slow tests."""


@dataclass(slots=True)
class Shelf:
    """What a store would hold of a bundle."""

    bundle: Bundle
    entries: list[bytes] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)

    def load(self) -> Bundle:
        """Return it as a bundle."""
        notes = whole(self.notes)
        size = read_note(notes[-1]).stated.size if notes else 0
        return replace(
            self.bundle, origin=honest.ORIGIN, torn_bytes=0, checkpoint=notes[-1] if notes else b"",
            witnessed=notes[:-1], entries=tuple(self.entries[:size]),
            pending=tuple(self.entries[size:]),
        )  # fmt: skip


def bring_in_parts(shown: Shown, seed: int) -> tuple[Appraiser, Shelf, str]:
    """Bring a bundle in random parts, some checkpoints late; return why it was refused, if so."""
    dice, shelf = random.Random(seed), Shelf(shown.bundle)
    entries = [*shown.bundle.entries, *shown.bundle.pending]
    notes = [each for each in (*shown.bundle.witnessed, shown.bundle.checkpoint) if each]
    left = list(dict.fromkeys(notes))
    made = Appraiser(shown.reference, honest.policy(), shown.bundle.serial, shelf.load)
    while len(shelf.entries) < len(entries) or left:
        new = entries[len(shelf.entries) :][: dice.randint(1, 6)]
        size = len(shelf.entries) + len(new)
        try:
            fit = [each for each in left if read_note(each).stated.size <= size]
        except FormatError as error:
            return made, shelf, error.message
        late = dice.random() < 0.3 and size < len(entries)
        given = [each for each in fit if not late or dice.random() < 0.5]
        if made.refusal(new, [read_note(each) for each in given], shown.now_s):
            given = fit
        if not new and not given:
            return made, shelf, "a checkpoint is of more entries than there are"
        left = [each for each in left if each not in given]
        why = made.refusal(new, [read_note(each) for each in given], shown.now_s)
        if why:
            return made, shelf, why
        shelf.entries += new
        shelf.notes += given
        for each in made.grow(new, given):
            shelf.notes.remove(each)
    return made, shelf, ""


def check_attack(name: str, seed: int) -> None:
    """The result is that of all evidence at once; or what was shown was refused."""
    shown = ATTACKS[name].run()
    made, shelf, why = bring_in_parts(shown, seed)
    wanted = appraise(shelf.load(), shown.reference, honest.policy(), now_s=shown.now_s)
    assert made.result(shown.now_s) == wanted
    if why:
        return
    same = shelf.load().checkpoint == shown.bundle.checkpoint
    same = same and set(shelf.notes) == {*shown.bundle.witnessed, shown.bundle.checkpoint} - {b""}
    whole_ = appraise(shown.bundle, shown.reference, honest.policy(), now_s=shown.now_s)
    if same and shown.bundle.origin == honest.ORIGIN and not shown.bundle.torn_bytes:
        assert made.result(shown.now_s) == whole_


@pytest.mark.parametrize("name", SOME)
def test_an_attack_is_found_as_by_the_verifier(name: str) -> None:
    check_attack(name, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ATTACKS))
@pytest.mark.parametrize("seed", (2, 3))
def test_every_attack_is_found_as_by_the_verifier(name: str, seed: int) -> None:
    check_attack(name, seed)


def taken(story: Story, made: Appraiser, shelf: Shelf, at: tuple[int, int]) -> tuple[int, int]:
    """Bring what is new of a story; return how much it has by now."""
    entries, notes = story.entries[at[0] :], story.notes[at[1] :]
    assert made.refusal(entries, [read_note(each) for each in notes], story.now_s) == ""
    shelf.entries += entries
    shelf.notes += notes
    for each in made.grow(entries, notes):
        shelf.notes.remove(each)
    return len(story.entries), len(story.notes)


def beginning() -> tuple[Appraiser, Shelf]:
    """Return an appraiser of nothing yet."""
    shelf = Shelf(honest.Story().bundle())
    return Appraiser(honest.reference(), honest.policy(), honest.SERIAL, shelf.load), shelf


def test_each_token_is_walked_through_once() -> None:
    made, shelf = beginning()
    story, at = honest.armed(0), (0, 0)
    for _ in range(12):
        honest.watch(story)
        at = taken(story, made, shelf, at)
        assert made.result(story.now_s + 5).state == "ARMED"
    assert made.walked == len(story.entries)
    assert made.result(story.now_s) == appraise(
        shelf.load(), honest.reference(), honest.policy(), now_s=story.now_s
    )


def test_lines_that_come_late_change_nothing_that_they_may_not() -> None:
    """A third witness signs after tokens have named the note with two lines."""
    story = honest.armed(1)
    story.watch()
    short = story.seal(("north", "south"))
    story.watch()
    story.seal(("north", "south"))
    late = read_note(short)
    line = honest.cosign("west", late.stated, story.now_s)
    longer = late.note.with_lines((line,)).encode()
    made, shelf = beginning()
    at = taken(story, made, shelf, (0, 0))
    shelf.notes.append(longer)
    made.grow((), (longer,))
    assert longer in shelf.load().witnessed
    assert short not in shelf.load().witnessed
    story.watch()
    story.seal()
    taken(story, made, shelf, at)
    assert not made.irregular
    assert made.result(story.now_s) == appraise(
        shelf.load(), honest.reference(), honest.policy(), now_s=story.now_s
    )


def test_a_note_that_comes_after_the_token_that_names_it_counts_from_the_start() -> None:
    story = honest.armed(3)
    made, shelf = beginning()
    kept = [each for each in story.notes if each != story.notes[1]]
    shelf.entries += story.entries
    shelf.notes += kept
    for each in made.grow(story.entries, kept):
        shelf.notes.remove(each)
    shelf.notes.append(story.notes[1])
    made.grow((), (story.notes[1],))
    assert made.result(story.now_s) == appraise(
        shelf.load(), honest.reference(), honest.policy(), now_s=story.now_s
    )


def same_as_whole(made: Appraiser, shelf: Shelf, now_s: int) -> bool:
    """Return whether the result is that of all evidence at once."""
    whole_ = appraise(shelf.load(), honest.reference(), honest.policy(), now_s=now_s)
    return made.result(now_s) == whole_


def test_an_age_that_lines_change_which_come_late_is_looked_at_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of four witnesses three have signed, one of them long ago: the latest two make the quorum.

    A token names that note. With the fourth line it is a part of another note, as old as its oldest
    line: nobody goes on by the age that it had before.
    """
    monkeypatch.setitem(honest.WITNESSES, "east", honest.Key(ML_DSA_44, "east"))
    story = honest.armed(1)
    story.watch()
    stated, at_s = story.stated(), story.now_s
    short = read_note(story.seal(())).note.with_lines(
        (
            honest.cosign("north", stated, at_s - 5000),
            *(honest.cosign(each, stated, at_s) for each in ("south", "west")),
        )
    )
    story.notes = (*story.notes[:-1], short.encode())
    assert story.known is not None
    story.known = replace(story.known, note=short.digest)
    made, shelf = beginning()
    at = taken(story, made, shelf, (0, 0))
    story.watch()
    at = taken(story, made, shelf, at)  # names it, and waits for witnesses
    key = stated.size, short.digest
    assert made.ledger.echoes[key] == (stated.size, at_s)
    settled = made.walked
    story.notes += (short.with_lines((honest.cosign("east", stated, at_s),)).encode(),)
    at = taken(story, made, shelf, at)
    assert made.ledger.echoes[key] == (stated.size, at_s - 5000)
    assert made.walked == 2 * settled, "all that was settled is walked anew"
    story.seal()
    taken(story, made, shelf, at)
    assert same_as_whole(made, shelf, story.now_s)


def test_a_note_that_a_settled_token_has_named_is_not_taken_up_quietly() -> None:
    """What else has all walked anew is switched off: the check has to hold alone."""
    story = honest.armed(3)
    made, shelf = beginning()
    late = story.notes[2]
    kept = [each for each in story.notes if each != late]
    shelf.entries, shelf.notes = list(story.entries), list(kept)
    made.grow(story.entries, kept)
    held = read_note(late)
    assert (held.stated.size, held.note.digest) in made._unheard
    other = read_note(story.notes[-1])
    for each, plain in ((other, True), (held, False)):
        made._seals.clear()  # nothing larger stands
        made._notes[each.stated.size] = [each]
        assert made._weigh(each.stated.size) is plain


def test_what_nobody_signed_is_refused() -> None:
    story = honest.armed(1)
    made, shelf = beginning()
    taken(story, made, shelf, (0, 0))
    for junk in (b"junk", story.entries[3][:-1] + b"\0"):
        assert "no token that this enclosure has signed" in made.refusal([junk], (), story.now_s)
    assert "token" in made.refusal([story.entries[2]], (), story.now_s)  # told before
    other = Story()
    other.evidence = honest.keys("somebody else")
    other.start("commissioned", "COMMISSIONING")
    assert made.refusal(other.entries, (), story.now_s)


def test_a_last_word_is_taken_before_any_witness_has_it() -> None:
    shown = ATTACKS["withhold-the-last-word"].run()
    made, _, why = bring_in_parts(shown, seed=5)
    assert why == ""
    assert made.result(shown.now_s).state == "TAMPERED"


def test_parts_of_notes() -> None:
    story = honest.armed(1)
    stated = story.stated()
    short = story.seal(("north",))
    line = honest.cosign("south", stated, story.now_s)
    longer = read_note(short).note.with_lines((line,)).encode()
    assert is_part(short, longer)
    assert not is_part(longer, short)
    assert not is_part(longer, longer)
    assert whole([longer, short, longer]) == (longer,)
    assert read_note(longer).stated == stated


def test_joined_stretches_make_the_same_timeline() -> None:
    """Pieces that are proven are joined, and others left alone, so that no cause is lost."""
    dice = random.Random(7)
    for _ in range(200):
        at, found = 0, []
        for _ in range(dice.randint(1, 12)):
            kind = dice.choice(("proven", "proven", "unknown", "interfered", "maintenance"))
            end = at + dice.randint(1, 9)
            cause = "" if kind == "proven" else dice.choice("ab")
            found.append(Interval(start_s=at, end_s=end, kind=kind, cause=cause))
            if dice.random() < 0.3:
                low = dice.randint(0, end)
                found.append(Interval(start_s=low, end_s=end, kind="unknown", cause="beats"))
            at = end
        assert intervals(joined(found)) == intervals(found)
