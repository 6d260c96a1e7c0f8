"""The same tests on PostgreSQL 15, and what only a server can do: go away, and have two masters."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fleet_kit import Brought, Clock, Kit, bring, enter, kit_in
from postgres_kit import ENV, Databases, Server, server
from sqlalchemy import insert, select
from test_backup import as_first_release, begun

from casemate.core.errors import OutputError
from casemate.fleet.access import people
from casemate.fleet.appraisal import evidence
from casemate.fleet.care import backup
from casemate.fleet.care.doctor import examine
from casemate.fleet.service import errands, home
from casemate.fleet.store import database_server
from casemate.fleet.store.database import Store, newest_revision, revision
from casemate.fleet.store.schema import ERRANDS, INCIDENTS, METADATA
from casemate.testing import honest_enclosure as honest

pytestmark = [pytest.mark.external, pytest.mark.timeout(900)]
MODULES = (
    "test_store", "test_lease", "test_intake", "test_appraiser", "test_irregular", "test_walks",
    "test_passkeys", "test_incidents", "test_review", "test_audit", "test_trust", "test_told",
    "test_interval", "test_knowledge", "test_pages", "test_gate", "test_permit_pages",
    "test_backup", "test_doctor", "test_export", "test_kept", "test_succession", "test_series",
    "test_redfish_access", "test_redfish_events", "test_redfish_rearm",
    "test_redfish_resources", "test_redfish_queries", "test_redfish_pages", "test_redfish_filters",
    "outlets/test_outbox", "outlets/test_metrics", "nats/test_nats_door",
)  # fmt: skip
"""Of all that keeps something in the store."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server, for the tests of this file alone."""
    with server() as made:
        yield made


def test_a_story_on_postgresql(tmp_path: Path, postgres: Server) -> None:
    with Databases(postgres.url).bare("story") as url:
        with kit_in(tmp_path, url) as kit:
            brought = enter(kit)
            assert bring(kit, brought).json()["state"] == "ARMED"
            brought.story.change("UNKNOWN", "power went")
            brought.story.seal()
            assert bring(kit, brought).json()["state"] == "UNKNOWN"
            seen = kit.client("inspector").get("/incidents/1.json").json()["seen"]
            form = {"seen": seen, "outcome": "explained", "reason": "the site had no power"}
            assert kit.post("inspector", "/incidents/1/propose", **form).is_redirect
        with kit_in(tmp_path, url) as again:
            again.clock.now_s = brought.story.now_s + 5
            assert again.service.intake.look(1).tokens == len(brought.story.entries)
            honest.watch(brought.story)
            assert bring(again, brought).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_the_same_tests(module: str, postgres: Server) -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", "-x",
         str(here / f"{module}.py")],
        env={**os.environ, ENV: postgres.url}, capture_output=True, text=True, timeout=900,
        check=False, cwd=here.parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout


def everything(held: Store) -> dict[str, list[Any]]:
    """Return the rows of all tables that are there."""
    with held.read() as link:
        there = [name for name in METADATA.tables if held.engine.dialect.has_table(link, name)]
        return {
            name: sorted(map(tuple, link.execute(select(METADATA.tables[name]))), key=repr)
            for name in there
        }  # fmt: skip


@pytest.mark.slow
def test_the_first_schema_is_brought_up_to_date(postgres: Server) -> None:
    with Databases(postgres.url).bare("first") as url:
        before = Store(url, migrates=False)
        as_first_release(before)
        rows = everything(before)
        before.close()
        assert sum(map(bool, rows.values())) == 10
        after = Store(url)
        found = everything(after)
        assert {name: found[name] for name in rows} == rows
        with after.read() as link:
            assert revision(link) == newest_revision()
            assert compare_metadata(MigrationContext.configure(link), METADATA) == []
        after.close()


@pytest.mark.slow
@pytest.mark.parametrize("back", ["postgresql", "sqlite"])
def test_a_backup_goes_from_one_to_the_other(back: str, tmp_path: Path, postgres: Server) -> None:
    databases, clock = Databases(postgres.url), Clock(honest.START_S)
    place = home.make(tmp_path / "fleet", "fleet.test", databases.of(tmp_path / "fleet"))
    with home.running(place, clock=clock) as service:
        made = begun(place, service, clock)
        made.go_on(2)
        told = backup.backup(place, tmp_path / "backup")
        rows = everything(service.store)
    other = databases.of(tmp_path / "other") if back == "postgresql" else ""
    found = backup.restore(tmp_path / "backup", tmp_path / "other", store=other)
    assert found.backup == told
    with home.running(home.read(tmp_path / "other"), clock=clock) as again:
        held = everything(again.store)
        same = set(rows) - {"walks", "errands", "leases"}
        assert {name: held[name] for name in same} == {name: rows[name] for name in same}
        assert again.intake.look(1).tokens == len(made.brought.story.entries)
        with again.store.write() as link:  # numbers of new rows follow those that were copied
            people.add(link, "bob", "auditor", "peerland")
    found = examine(tmp_path / "other", int(clock.now_s), deep=True)
    bad = [each.what for each in found if each.level == "bad" and each.id != "service"]
    if back == "sqlite":
        assert bad == []
    else:  # as the server of these tests is
        assert [each.split(":")[0] for each in bad] == [
            "the database server has fsync off", "the database server has full_page_writes off",
        ]  # fmt: skip


@pytest.mark.slow
def test_a_server_that_goes_away_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """It is killed while evidence is brought: what was acknowledged is there, and it goes on."""
    with server(durable=True) as postgres, kit_in(tmp_path, postgres.url) as kit:
        brought = enter(kit, honest.armed(1))
        assert bring(kit, brought).status_code == 200
        acknowledged, answers = [brought.entries], []
        for round_ in range(3):
            killing = threading.Timer(0.05 * (round_ + 1), postgres.kill)
            killing.start()
            before = (brought.entries, brought.notes)
            for _ in range(200):
                if (brought.entries, brought.notes) == before or answers[-1] == 200:
                    honest.watch(brought.story)
                before = (brought.entries, brought.notes)
                kit.clock.now_s = brought.story.now_s + 5
                answers.append(pushed(kit, brought))
                if answers[-1] != 200:
                    brought.entries, brought.notes = before
                    break
                acknowledged.append(brought.entries)
            killing.join()
            assert answers[-1] == 503
            assert pushed(kit, brought) == 503
            brought.entries, brought.notes = before
            postgres.start()
            with kit.service.store.read() as link:  # by itself: no one has restarted the service
                assert evidence.next_number(link, 1) >= acknowledged[-1]
            assert pushed(kit, brought) == 200
            acknowledged.append(brought.entries)
        assert kit.service.intake.look(1).state == "ARMED"
        with kit.service.store.read() as link:
            held = evidence.bundle(link, evidence.enclosure(link, 1))
        assert (*held.entries, *held.pending) == brought.story.entries[: acknowledged[-1]]


def pushed(kit: Kit, brought: Brought) -> int:
    """Bring the rest; return the status of the answer."""
    return int(kit.push(brought.rest()).status_code)


@pytest.mark.slow
def test_two_processes_with_one_store(tmp_path: Path, postgres: Server) -> None:
    """Each takes what the other has not seen; both at once make one incident, and no fork."""
    url = Databases(postgres.url).of(tmp_path)
    with kit_in(tmp_path / "one", url) as one, kit_in(tmp_path / "two", url) as two:
        brought = enter(one, honest.armed(1))
        for turn in range(6):
            kit = (one, two)[turn % 2]
            honest.watch(brought.story)
            assert bring(kit, brought).status_code == 200
            for each in (one, two):
                each.clock.now_s = brought.story.now_s + 5
                assert each.service.intake.look(1).tokens == len(brought.story.entries)
        brought.story.change("UNKNOWN", "power went")
        brought.story.seal()
        for each in (one, two):
            each.clock.now_s = brought.story.now_s + 5
        part = brought.rest()
        found = at_once(lambda: one.push(part).status_code, lambda: two.push(part).status_code)
        assert 200 in found and set(found) <= {200, 409, 503}
        assert one.push(part).status_code == two.push(part).status_code == 200
        for each in (one, two):
            each.clock.now_s += 10 * 3600
        at_once(
            *(lambda kit=kit: kit.service.intake.tick() for kit in (one, two)),  # type: ignore[misc]
        )
        with one.service.store.read() as link:
            assert len(link.execute(select(INCIDENTS)).all()) == 1
            assert evidence.forks(link, 1) == []
            assert evidence.next_number(link, 1) == len(brought.story.entries)


def at_once(*do: Callable[[], Any]) -> list[Any]:
    """Do things at once, each in a thread; return what they return, or raise."""
    ready = threading.Barrier(len(do))

    def run(each: Callable[[], Any]) -> Any:
        ready.wait(20)
        return each()

    with ThreadPoolExecutor(len(do)) as pool:
        return [each.result() for each in [pool.submit(run, one) for one in do]]


def race(one: Store, two: Store) -> list[str]:
    """Have two processes each open an incident where none is open; return what failed."""

    def open_one(store: Store) -> str:
        try:
            with store.write() as link:
                seen = link.execute(select(INCIDENTS.c.id)).all()
                time.sleep(0.2)
                if not seen:
                    row = {"enclosure_id": 1, "severity": "alarm", "opened_s": 1, "last_s": 1}
                    link.execute(insert(INCIDENTS).values(**row))
        except OutputError as error:
            return error.message
        return ""

    return [each for each in at_once(lambda: open_one(one), lambda: open_one(two)) if each]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [False, True])
def test_of_two_writers_one_waits(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch, fault: bool
) -> None:
    url = Databases(postgres.url).of(tmp_path)
    with kit_in(tmp_path / "one", url) as kit:
        enter(kit)
        two = Store(url, migrates=False)
        if fault:
            monkeypatch.setattr(database_server, "be_the_one_writer", lambda link: None)
        assert race(kit.service.store, two) == []
        with two.read() as link:
            assert len(link.execute(select(INCIDENTS)).all()) == (2 if fault else 1)
        two.close()


@pytest.mark.slow
def test_reads_are_of_one_moment_and_write_nothing(tmp_path: Path, postgres: Server) -> None:
    store = Store(Databases(postgres.url).of(tmp_path))
    with store.read() as link:
        before = link.execute(select(ERRANDS)).all()
        with store.write() as writing:
            errands.note(writing, "x", "y", 1)
        assert link.execute(select(ERRANDS)).all() == before == []
    with pytest.raises(OutputError, match="read-only"), store.read() as link:
        errands.note(link, "x", "y", 1)
    with store.write() as link:
        link.exec_driver_sql("ALTER ROLE fleet SET synchronous_commit = off")
    again = Store(str(store.engine.url), migrates=False)
    with again.read() as link:  # what is acknowledged is durable, whatever the server's owner sets
        assert link.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    with store.write() as link:
        link.exec_driver_sql("ALTER ROLE fleet RESET synchronous_commit")
    for each in (store, again):
        each.close()
