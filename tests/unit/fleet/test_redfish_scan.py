"""What changed about enclosures, found once a second: all of it, and each told of by itself."""

from __future__ import annotations

import random

import pytest
from fleet_kit import Kit
from redfish_kit import RedfishKit, redfish_of
from sqlalchemy import Connection, event, insert, select

from casemate.fleet.appraisal import evidence
from casemate.fleet.hammer.enclosure import HammerEnclosure, witnesses
from casemate.fleet.redfish import events
from casemate.fleet.store.schema import INCIDENTS, REDFISH_LATCHES, VERDICTS
from casemate.testing import honest_enclosure as honest


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A Redfish service."""
    return redfish_of(kit)


def entered(made: RedfishKit, count: int) -> list[int]:
    """Enter enclosures of which nothing is known, and return their ids."""
    seen_by = witnesses([bytes([each] * 32) for each in range(3)])
    with made.redfish.store.write() as link:
        news = [
            HammerEnclosure(number, seen_by, honest.reference().parties, 360)
            for number in range(count)
        ]
        return [
            evidence.add(
                link, reference=new.reference(), policy=new.policy(), serial=new.serial,
                kind="camera", site="hall 1", now_s=made.redfish.now_s(),
            ) for new in news
        ]  # fmt: skip


def verdict(enclosure_id: int, now_s: int, state: str, fresh_s: int) -> dict[str, object]:
    """Return a row of a verdict that is fresh for some seconds more."""
    return {
        "enclosure_id": enclosure_id, "state": state, "worst": "", "headline": "", "tokens": 1,
        "proven": 1, "appraised_s": now_s, "body": "", "since_s": now_s, "seen_s": now_s,
        "fresh_until_s": now_s + fresh_s,
    }  # fmt: skip


def test_one_that_cannot_be_told_of_keeps_no_other_untold(
    made: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enclosures are told of together; the fault is planted in the middle of them."""
    store, now_s = made.redfish.store, made.redfish.now_s()
    ids = entered(made, 3)
    read = events.standing.read

    def fail(link: Connection, enclosure_id: int, at_s: int) -> events.Standing:
        if enclosure_id == ids[1]:
            raise OSError("planted")
        return read(link, enclosure_id, at_s)

    def told() -> list[int]:
        with store.read() as link:
            found = {each.enclosure_id for each in events.after(link, 0, 100)}
        return sorted(each for each in ids if each in found)

    with monkeypatch.context() as patch:
        patch.setattr(events.standing, "read", fail)
        with pytest.raises(OSError, match="planted"):
            events.scan(store, now_s)
        assert told() == [ids[0], ids[2]]
    events.scan(store, now_s)
    assert told() == ids


def test_what_changed_is_what_differs_from_what_was_told(made: RedfishKit) -> None:
    """Found by several selections; here once more, one enclosure after the other."""
    store, now_s, dice = made.redfish.store, made.redfish.now_s(), random.Random(5)
    made.scan()
    ids = entered(made, 120)
    with store.write() as link:
        for each in ids:
            if dice.random() < 0.8:
                state = dice.choice(("ARMED", "TAMPERED", "UNKNOWN", "MAINTENANCE"))
                row = verdict(each, now_s, state, dice.choice((-1, 0, 60)))
                link.execute(insert(VERDICTS).values(**row))
            made_incidents = []
            for disposed in [now_s] * dice.randint(0, 1) + [None] * dice.randint(0, 1):
                row = {"severity": dice.choice(("alarm", "warning")), "disposed_s": disposed}
                new = insert(INCIDENTS).values(enclosure_id=each, opened_s=1, last_s=2, **row)
                number = link.execute(new.returning(INCIDENTS.c.id)).scalar_one()
                made_incidents.append(f"{number}:{row['severity']}:")
            if dice.random() < 0.8:
                told = {
                    "shown": dice.choice(("ARMED", "UNKNOWN", "TAMPERED", "MAINTENANCE")),
                    "trouble": dice.choice(["", *made_incidents]),
                }
                row = {"enclosure_id": each, "latch": "", "latched_s": 0, "entry": 0, **told}
                link.execute(insert(REDFISH_LATCHES).values(**row))
    with store.read() as link:
        held = {row.enclosure_id: row for row in link.execute(select(REDFISH_LATCHES))}
        wanted = []
        for each in ids:
            now = events.standing.read(link, each, now_s)
            mark = f"{now.incident}:{now.severity}:" if now.incident else ""
            told_ = held.get(each)
            if told_ is None or (told_.shown, told_.trouble) != (now.state, mark):
                wanted.append(each)
    assert events._of_whom(store, now_s) == wanted
    assert 20 < len(wanted) < 115


def test_a_new_fleet_that_is_well_is_noted_at_once_and_nothing_is_told(made: RedfishKit) -> None:
    """One of them is not well, one is not known yet: these two are told of."""
    store, now_s = made.redfish.store, made.redfish.now_s()
    made.scan()
    ids = entered(made, 40)
    with store.write() as link:
        before = events.latest(link)
        for number, each in enumerate(ids):
            if number != 8:
                row = verdict(each, now_s, "TAMPERED" if number == 7 else "ARMED", 60)
                link.execute(insert(VERDICTS).values(**row))
    written = []
    event.listen(store.engine, "commit", lambda link: written.append(link))
    events.scan(store, now_s)
    with store.read() as link:
        told = [each.enclosure_id for each in events.after(link, before, 100)]
        held = dict(
            link.execute(select(REDFISH_LATCHES.c.enclosure_id, REDFISH_LATCHES.c.shown)).all()
        )
    assert sorted(told) == [ids[7], ids[8]]
    assert [held[each] for each in ids] == [
        {7: "TAMPERED", 8: "UNKNOWN"}.get(at, "ARMED") for at in range(40)
    ]
    assert len([link for link in written if link.get_execution_options().get("writes")]) == 2
    with store.read() as link:
        count = events.latest(link)
    events.scan(store, now_s)
    with store.read() as link:
        assert events.latest(link) == count
