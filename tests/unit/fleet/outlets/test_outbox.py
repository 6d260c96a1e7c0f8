"""The outbox: what is in the store is told, once kinds and floods are counted, and none is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from fleet_kit import Kit
from outlets_kit import HOSTILE, calls, find, notice, put, says_no_end, told, trigger, troubled
from sqlalchemy import update

from casemate.core.errors import FormatError
from casemate.fleet.access.people import Person
from casemate.fleet.alarms import decisions, incidents, outbox
from casemate.fleet.alarms.notice import KINDS as WHATS
from casemate.fleet.alarms.notice import code, decode, encode, spoken
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS
from casemate.verify.findings import KINDS

PERSON = Person(id=2, name="bo", role="inspector", party="peerland")


def test_an_incident_is_told_with_its_evidence(kit: Kit) -> None:
    """Through the door: what a controller pushes is an alarm outside, in the same transaction."""
    troubled(kit)
    (one,) = told(kit.service.store)
    assert (one.what, one.severity, one.finding) == ("raised", "unknown", "state.unknown")
    assert one.calls
    says_no_end(encode(one) + one.text)


@pytest.mark.parametrize("what", WHATS)
def test_no_text_says_that_an_alarm_has_ended(what: str) -> None:
    for finding in (*KINDS, incidents.FORKED):
        for name in HOSTILE:
            given = {"name": spoken(name, 3), "site": spoken(name, 3, "site-of"), "more": 4}
            one = notice(finding=finding, what=what, **given)
            assert one.text.startswith("chassis intrusion")
            assert one.text.isprintable()
            says_no_end(one.text + one.code)


def test_names_stay_unless_they_could_be_taken_for_an_end() -> None:
    for name in ("rack-a", "Zürich, Halle 2", "北 3"):
        assert spoken(name, 3) == name
    changed = [each for each in HOSTILE if spoken(each, 3) == "enclosure-3"]
    kept = ("a/+/#", 'a="b"]', "$SYS/x", "ok, but ½ and ü")  # each outlet escapes what it must
    assert set(HOSTILE) - set(changed) == set(kept)
    assert len({code(each) for each in KINDS}) == len(KINDS)


def test_kinds_and_severities_are_told_and_not_each_finding(kit: Kit) -> None:
    """A flood of findings in one incident is a few notices, whoever makes it."""
    store = kit.service.store
    here = put(store, 1)
    for number in range(20):
        find(store, here, 1000 + number, trigger("sensor.fault", 1000, number))
    assert [each.what for each in told(store)] == ["raised"]
    find(store, here, 2000, trigger("verdict.interference", 2000, 60))
    find(store, here, 2001, trigger("state.tampered", 2001, 61))
    for number in range(20):
        find(store, here, 2002 + number, trigger("state.tampered", 2001, 62 + number))
    found = [(each.what, each.finding) for each in told(store)]
    assert found[1:] == [("grown", "verdict.interference"), ("grown", "state.tampered")]
    assert {each.incident for each in told(store)} == {1}


def acknowledge(store: Store, number: int, now_s: int) -> None:
    """Have a person see an incident."""
    with store.write() as link:
        held = decisions.read(link, number)
        seen = incidents.digest(held.triggers)
        act = incidents.acknowledge(PERSON, triggers=held.triggers, seen=seen, now_s=now_s)
        decisions.record(link, held, act)


def test_an_alarm_after_an_acknowledgement_is_told_again(kit: Kit) -> None:
    store = kit.service.store
    here = put(store, 1)
    number = find(store, here, 1000, trigger("state.tampered", 1000, 1))
    acknowledge(store, number, 1100)
    acknowledge(store, number, 1101)  # whoever repeats it fills no outbox
    find(store, here, 1200, trigger("state.tampered", 1200, 2))
    assert [each.what for each in told(store)] == ["raised", "acknowledged", "grown"]


def test_a_disposition_is_told_and_ends_no_alarm(kit: Kit) -> None:
    store = kit.service.store
    number = find(store, put(store, 1), 1000, trigger("sensor.fault", 1000, 1))
    with store.write() as link:
        held = decisions.read(link, number)
        act = incidents.propose(
            PERSON, "explained", "a connector was loose", severity="warning",
            triggers=held.triggers, seen=incidents.digest(held.triggers), now_s=1100,
        )  # fmt: skip
        decisions.record(link, held, act)
    assert [each.what for each in told(store)] == ["raised", "disposed"]
    says_no_end(told(store)[1].text)


def test_a_flood_at_a_site_calls_once_and_then_says_how_many(kit: Kit) -> None:
    store = kit.service.store
    racks = [put(store, number) for number in range(40)]
    elsewhere = put(store, 99, site="hall 2")
    for number, rack in enumerate(racks):
        find(store, rack, 1000 + number, trigger("time.stale", 1000))
    find(store, elsewhere, 1040, trigger("time.stale", 1040))
    find(store, racks[5], 1041, trigger("state.tampered", 1041, 9))  # hidden among them: it calls
    assert len(told(store)) == 42  # machines hear of each
    found = [(each.enclosure, each.finding) for each in calls(told(store))]
    assert found == [
        (racks[0], "time.stale"), (elsewhere, "time.stale"), (racks[5], "state.tampered"),
    ]  # fmt: skip
    assert outbox.gather(store, 1599) == 0
    assert outbox.gather(store, 1600) == 1
    many = told(store)[-1]
    assert (many.what, many.more, many.calls) == ("many", 39, True)
    assert outbox.gather(store, 1601) == 0
    says_no_end(many.text)


def test_a_flood_at_all_sites_calls_for_a_few_and_counts_the_others(kit: Kit) -> None:
    """Witnesses are away, or noise is made everywhere: not one call a site."""
    store = kit.service.store
    racks = [put(store, number, site=f"hall {number % 20}") for number in range(60)]
    for number, rack in enumerate(racks):
        find(store, rack, 1000 + number, trigger("time.stale", 1000))
    first = calls(told(store))
    assert len(first) == outbox.MOST_SITES + 1
    find(store, racks[59], 1100, trigger("state.tampered", 1100, 1))
    assert calls(told(store))[-1].finding == "state.tampered"
    for now_s in range(1100, 3000, 20):
        outbox.gather(store, now_s)
    many = [each for each in told(store) if each.what == "many"]
    assert len(many) == outbox.MOST_SITES + 1
    assert sum(each.more for each in many) + len(first) == 60
    assert [each.site for each in many].count("all sites") == 1
    assert max(each.at_s for each in many) < 1000 + 60 + outbox.WINDOW_S["unknown"] + 20
    says_no_end("".join(each.text for each in many))


def test_a_second_tampering_at_a_site_waits_a_minute_at_most(kit: Kit) -> None:
    store = kit.service.store
    for number in range(3):
        find(store, put(store, number), 1000 + number, trigger("state.tampered", 1000, 1))
    assert len(calls(told(store))) == 1
    assert outbox.gather(store, 1060) == 1
    assert told(store)[-1].more == 2
    find(store, put(store, 9), 1200, trigger("state.tampered", 1200, 1))
    assert told(store)[-1].calls


def test_a_clock_that_was_set_back_holds_no_call_back(kit: Kit) -> None:
    store = kit.service.store
    for number in range(3):
        find(store, put(store, number), 9000, trigger("time.stale", 9000))
    find(store, put(store, 8), 100, trigger("time.stale", 100))
    assert (told(store)[-1].calls, told(store)[-1].more) == (True, 2)


def test_a_new_outlet_hears_of_what_stands_open(kit: Kit) -> None:
    store = kit.service.store
    racks = [put(store, number) for number in range(3)]
    for number, rack in enumerate(racks):
        find(store, rack, 1000 + number, trigger("sensor.fault", 1000, 1))
    with store.write() as link:
        link.execute(update(INCIDENTS).where(INCIDENTS.c.id == 1).values(disposed_s=1500))
        assert outbox.begin(link, "siem") == (1, 1)
        outbox.advance(link, "siem", 3, 2000)
        assert outbox.begin(link, "siem") == (3, 2)  # after a restart it goes on there
        assert outbox.waiting(link, "siem") == (0, None)
        link.execute(update(INCIDENTS).values(disposed_s=1500))
        assert outbox.begin(link, "other") == (3, 1)


def test_nothing_goes_that_an_outlet_has_not_told(kit: Kit) -> None:
    store = kit.service.store
    for number in range(3):
        find(store, put(store, number), 1000, trigger("sensor.fault", 1000, 1))
    late = 2000 + outbox.KEPT_S
    with store.write() as link:
        outbox.begin(link, "a")
        outbox.begin(link, "b")
        outbox.advance(link, "a", 3, 1000)
        assert outbox.prune(link, ["a", "b"], late) == 0  # open
        link.execute(update(INCIDENTS).values(disposed_s=1500))
        assert outbox.prune(link, ["a", "b"], late) == 0  # b has told none
        outbox.advance(link, "b", 2, 1000)
        assert outbox.prune(link, ["a", "b"], 1600) == 0  # too new
        assert outbox.prune(link, ["a", "b"], late) == 2
    assert [each.id for each in told(store)] == [3]
    find(store, 1, 3000, trigger("state.tampered", 3000, 2))
    assert [each.id for each in told(store)] == [3, 4]


def test_an_alarm_whose_transaction_is_undone_is_not_told(kit: Kit) -> None:
    store = kit.service.store
    here = put(store, 1)
    with pytest.raises(ZeroDivisionError), store.write():
        find(store, here, 1000, trigger("sensor.fault", 1000, 1))
        raise ZeroDivisionError
    assert told(store) == []


def test_a_name_that_changes_does_not_change_what_was_told(kit: Kit) -> None:
    store = kit.service.store
    find(store, put(store, 1, name="rack-a"), 1000, trigger("sensor.fault", 1000, 1))
    before = told(store)
    with store.write() as link:
        link.execute(update(ENCLOSURES).values(name="reset"))
    assert told(store) == before


@pytest.mark.parametrize("body", ("", "[]", "{}", '{"what": "ended"}', "7"))
def test_rows_that_are_no_notices(body: str) -> None:
    with pytest.raises(FormatError):
        decode(1, body)
    with pytest.raises(FormatError):
        decode(1, encode(notice(what="ended")))
    assert decode(7, encode(notice())) == notice()


@pytest.mark.slow
def test_what_is_in_the_outbox_is_there_after_a_kill(kit: Kit, tmp_path: Path) -> None:
    """Killed between two alarms: the first is told, the second was never acknowledged."""
    url = str(kit.service.store.engine.url)
    put(kit.service.store, 1)
    program = textwrap.dedent(
        """
        import os, signal, sys
        from outlets_kit import find, trigger
        from casemate.fleet.store.database import Store
        store = Store(sys.argv[1])
        find(store, 1, 1000, trigger("sensor.fault", 1000, 1))
        with store.write() as link:
            find(store, 1, 1001, trigger("state.tampered", 1001, 2))
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    here = Path(__file__).parent
    paths = [str(here), str(here.parent), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", program, url], check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert [each.finding for each in told(kit.service.store)] == ["sensor.fault"]


def test_without_outlets_what_is_disposed_of_goes(kit: Kit) -> None:
    """On PostgreSQL a number beyond a column's bounds is an error, once a second."""
    store = kit.service.store
    find(store, put(store, 0), 1000, trigger("sensor.fault", 1000, 1))
    with store.write() as link:
        assert outbox.prune(link, [], 2000 + outbox.KEPT_S) == 0
        link.execute(update(INCIDENTS).values(disposed_s=1500))
        assert outbox.prune(link, [], 2000 + outbox.KEPT_S) == 1
