"""Walks that are written down: taken up again they go on as if nothing had been, or not at all."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Kit, enter, kit_in
from sqlalchemy import select, update

from casemate.attest.reference_write import as_json
from casemate.core.errors import FormatError, OutputError
from casemate.fleet.appraisal import evidence, walk_data, walks
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.appraisal.walk_data import KEPT, MADE, Saved, parts
from casemate.fleet.errors import ConflictError, RefusedError
from casemate.fleet.intake.ingest import Intake, Submission
from casemate.fleet.store.schema import WALKS
from casemate.testing import honest_enclosure as honest
from casemate.testing.malicious_host import ATTACKS
from casemate.verify import appraise

KEY = b"\x07" * 32
SOME = ("tell-two-stories", "restart")


def intake(kit: Kit, key: bytes = KEY) -> Intake:
    """Return the intake of a service that has just started."""
    return Intake(kit.service.store, kit.clock, key=key)


def walked(made: Intake) -> int:
    """Return how many entries of the one enclosure were walked through."""
    made.look(1)
    held = made._places[1].appraiser
    assert held is not None
    return held.walked


def rows(kit: Kit) -> list[Any]:
    """Return what is written of walks."""
    with kit.service.store.read() as link:
        return list(link.execute(select(WALKS)).all())


def lived(kit: Kit, batches: int = 30) -> Intake:
    """Return an intake to which an enclosure has brought some batches, one by one."""
    brought = enter(kit, honest.armed(0))
    made = intake(kit)
    for _ in range(batches):
        honest.watch(brought.story)
        kit.clock.now_s = brought.story.now_s + 5
        made.take(1, brought.rest())
    return made


def test_after_a_restart_only_the_rest_is_walked(kit: Kit) -> None:
    before = lived(kit)
    (row,) = rows(kit)
    assert 16 <= row.size <= 62
    again = intake(kit)
    assert walked(again) <= 16
    assert again.look(1) == before.look(1)
    assert again.look(1).state == "ARMED"
    anew = intake(kit, b"")  # without a key nothing that is written is believed
    assert walked(anew) == 62
    assert anew.look(1) == before.look(1)


def test_of_a_log_that_has_just_begun_little_is_walked_after_a_restart(kit: Kit) -> None:
    made = lived(kit, 1)
    total = made._places[1].appraiser.size  # type: ignore[union-attr]
    (row,) = rows(kit)
    assert total // 2 < row.size <= total
    again = intake(kit)
    assert walked(again) <= total // 2
    assert again.look(1) == made.look(1)


@pytest.mark.parametrize(
    ("size", "saved", "due"),
    [(1, 0, True), (3, 2, True), (4, 3, False), (5, 3, True), (31, 16, True), (30, 16, False),
     (200, 185, False), (200, 184, True), (6400, 6301, False), (6400, 6300, True)],
)  # fmt: skip
def test_when_a_walk_is_due(size: int, saved: int, *, due: bool) -> None:
    assert walks.is_due(size, saved) is due


def check_attack(name: str, seed: int, kit: Kit) -> None:
    """Bring an attack in parts to a service that starts anew between any two of them."""
    dice, shown = random.Random(seed), ATTACKS[name].run()
    kit.clock.now_s = shown.now_s
    enter(kit, reference=shown.reference)
    entries = [*shown.bundle.entries, *shown.bundle.pending]
    left = list(dict.fromkeys(x for x in (*shown.bundle.witnessed, shown.bundle.checkpoint) if x))
    first = 0
    while first < len(entries) or left:
        new = entries[first : first + dice.randint(1, 6)]
        try:
            fit = [x for x in left if read_note(x).stated.size <= first + len(new)]
        except FormatError:
            break
        late = first + len(new) < len(entries)
        given = [x for x in fit if not late or dice.random() < 0.7]
        if not new and not given:
            break
        made = intake(kit)
        try:
            made.take(1, Submission(first=first, entries=tuple(new), notes=tuple(given)))
        except (RefusedError, ConflictError):
            if given == fit:
                break
            continue
        first, left = first + len(new), [x for x in left if x not in given]
    with kit.service.store.read() as link:
        known = evidence.enclosure(link, 1)  # its file names times by the day
        bundle = evidence.bundle(link, known)
    wanted = appraise(bundle, known.reference, known.policy, now_s=shown.now_s)
    assert intake(kit).look(1, shown.now_s) == wanted


@pytest.mark.parametrize("name", SOME)
def test_a_service_that_starts_anew_each_time_finds_the_same(
    name: str, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "LEAST", 1)
    check_attack(name, 1, kit)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ATTACKS))
def test_so_it_is_with_every_attack(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "LEAST", 1)
    with kit_in(tmp_path) as kit:
        check_attack(name, 2, kit)


@pytest.mark.parametrize(
    "values",
    [
        {"body": b"\xa0"}, {"size": 17}, {"settled": 3}, {"code": b"\x00" * 32},
        {"trust": "00" * 32},
    ],
)  # fmt: skip
def test_what_is_not_of_this_service_is_walked_anew(kit: Kit, values: dict[str, Any]) -> None:
    wanted = lived(kit, 12).look(1)
    with kit.service.store.write() as link:
        link.execute(update(WALKS).values(**values))
    again = intake(kit)
    assert walked(again) == 26
    assert again.look(1) == wanted


def test_a_forged_walk_by_who_owns_the_database_does_not_count(kit: Kit) -> None:
    """The walk of an enclosure that never disturbed anybody, put in place of one that did."""
    brought = enter(kit, honest.armed(0))
    made = intake(kit)
    story = brought.story
    for verdict in ("NORMAL",) * 5 + ("INTERFERENCE",) * 8:
        story.watch(verdict=verdict)
        story.seal()
        kit.clock.now_s = story.now_s + 5
        made.take(1, brought.rest())
    held = made._places[1].appraiser
    assert held is not None
    bad = made.look(1)
    assert "verdict.interference" in {each.id for each in bad.findings}
    held._walk.book._found.clear()
    with kit.service.store.write() as link:
        walks.put(
            link, 1, made._places[1].trust, b"\x08" * 32, held.size, walk_data.settled(held),
            walk_data.write(held),
        )  # fmt: skip
    assert intake(kit).look(1) == bad
    assert intake(kit, b"\x08" * 32).look(1) != bad  # with the key it would have been believed


def test_a_late_note_is_not_lost(kit: Kit) -> None:
    """A checkpoint that comes after a walk of more entries was written."""
    brought = enter(kit, honest.armed(10))
    story = brought.story
    rest = brought.rest()
    kit.clock.now_s = story.now_s + 5
    made = intake(kit)
    early = rest.notes[4]
    less = tuple(x for x in rest.notes if x != early)
    made.take(1, Submission(first=0, entries=rest.entries, notes=less))
    before = rows(kit)
    assert len(before) == 1
    intake(kit).take(1, Submission(first=len(rest.entries), entries=(), notes=(early,)))
    assert rows(kit) != before
    with kit.service.store.read() as link:
        bundle = evidence.bundle(link, evidence.enclosure(link, 1))
    assert early in bundle.witnessed
    now_s = kit.service.now_s()
    assert intake(kit).look(1) == appraise(bundle, honest.reference(), honest.policy(), now_s=now_s)


def test_no_attribute_of_a_walk_is_forgotten(kit: Kit) -> None:
    made = lived(kit, 2)
    held = made._places[1].appraiser
    assert held is not None
    for name, part in parts(held).items():
        assert set(vars(part)) == {*KEPT[name], *MADE[name]}, name
        assert not set(KEPT[name]) & set(MADE[name])


@pytest.mark.parametrize("bad", [["Popen", "x"], ["f"], ["d", 1], ["Interval", 1], ["x"]])
def test_data_make_nothing_but_values(kit: Kit, bad: list[Any]) -> None:
    made = lived(kit, 2)
    held = made._places[1].appraiser
    assert held is not None
    row = walk_data.cbor.decode(walk_data.write(held), most=10**7)
    row["parts"]["states"][0] = bad
    saved = Saved(data=walk_data.cbor.encode(row), waiting=(), entries=(), notes=())
    with pytest.raises(FormatError):
        walk_data.resume(held, saved)
    with pytest.raises(TypeError):
        walk_data._plain(1.5)
    with pytest.raises(TypeError):
        walk_data._plain(object())


def test_another_trust_walks_anew(kit: Kit) -> None:
    assert walks.trust_of(b"a", b"b") != walks.trust_of(b"a", b"c")
    text = as_json(honest.reference()).encode()
    assert walks.trust_of(text, b"b") != walks.trust_of(text + b" ", b"b")


def test_the_key_is_made_once(tmp_path: Path) -> None:
    key = walks.key_in(tmp_path)
    assert walks.key_in(tmp_path) == key
    assert (tmp_path / walks.KEY_FILE).stat().st_mode & 0o077 == 0
    (tmp_path / walks.KEY_FILE).chmod(0o600)
    (tmp_path / walks.KEY_FILE).write_bytes(b"short")
    with pytest.raises(OutputError):
        walks.key_in(tmp_path)
