"""One service a store: no second starts, a dead one holds nothing, a lost one is silent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from fleet_kit import on_sqlite
from sqlalchemy import make_url, select

from casemate.core.errors import InputError, OutputError
from casemate.fleet.service import errands, home
from casemate.fleet.service.home import Home
from casemate.fleet.store import database_server
from casemate.fleet.store.database import Store
from casemate.fleet.store.lease import SUFFIX, Lease
from casemate.fleet.store.schema import ERRANDS, LEASES

TAKEN = "another service has this store"


@pytest.fixture
def place(tmp_path: Path) -> Home:
    """A service's folder."""
    return home.make(tmp_path / "fleet", "fleet.test")


def beside(place: Home, folder: Path) -> Home:
    """Return another service's folder on the same store."""
    return home.make(folder, "other.test", place.store)


@contextmanager
def lease(place: Home) -> Iterator[tuple[Store, Lease]]:
    """Yield a store with a lease of it, as a service has."""
    store = place.opened()
    try:
        made = Lease(store, place.folder)
        try:
            yield store, made
        finally:
            made.close()
    finally:
        store.close()


def told(store: Store) -> list[str]:
    """Return what commands beside the service have left."""
    with store.read() as link:
        return list(link.execute(select(ERRANDS.c.what)).scalars())


def test_the_second_service_does_not_start_and_commands_beside_go_on(
    place: Home, tmp_path: Path
) -> None:
    other = beside(place, tmp_path / "other")
    with home.running(place, secure=False) as service:
        with pytest.raises(OutputError, match=TAKEN) as found, home.running(other, secure=False):
            pass
        assert str(place.folder) in found.value.message
        assert "stop that one first" in found.value.remedy
        command = other.opened()
        with command.write() as link:
            errands.note(link, "enter a person", "eve", 1)
        command.close()
        assert service.lease is not None
        service.lease.keep()
        with service.store.write():
            assert not service.lease.is_lost
    with home.running(other, secure=False):  # the first has ended
        pass


@on_sqlite
def test_another_name_of_the_file_is_the_same_store(place: Home, tmp_path: Path) -> None:
    aim = tmp_path / "elsewhere.db"
    aim.symlink_to(place.folder / home.DATABASE)
    other = home.make(tmp_path / "other", "other.test", f"sqlite:///{aim}")
    with lease(place), pytest.raises(OutputError, match=TAKEN), lease(other):
        pass


HOLD = """
import sys
from pathlib import Path
from casemate.fleet.store.lease import Lease
from casemate.fleet.store.database import Store
held = Lease(Store(sys.argv[1]), Path("held"))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_process_that_is_killed_holds_nothing(place: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, place.store], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"{TAKEN}.*process {child.pid}"), lease(place):
            pass
        child.kill()
        child.wait(10)
        with lease(place):
            pass


def test_a_service_whose_lock_was_taken_away_writes_nothing(place: Home) -> None:
    """Its file was removed, or its connection to a server was cut and another was quicker."""
    with lease(place) as (store, first):
        take_away(place, store)
        with lease(place) as (other, second):
            for do in (lambda: store.write().__enter__(), first.keep):
                with pytest.raises(OutputError, match=TAKEN):
                    do()
            assert first.is_lost and not second.is_lost
            with other.write() as link:
                errands.note(link, "goes on", "", 1)
        assert [each.partition(": ")[2] for each in told(store)] == ["goes on"]
        with pytest.raises(OutputError, match=TAKEN):  # it has not seen what came meanwhile
            first.keep()


def take_away(place: Home, store: Store) -> None:
    """Take the lock away from who holds it."""
    if store.engine.dialect.name == "sqlite":
        (place.folder / f"{home.DATABASE}{SUFFIX}").unlink()
        return
    with store.read() as link:
        pids = link.exec_driver_sql(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        for pid in list(pids.scalars()):
            link.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")


def test_a_lock_that_was_cut_is_taken_again(place: Home) -> None:
    with lease(place) as (store, held):
        if store.engine.dialect.name != "sqlite":
            take_away(place, store)
        held.keep()
        held.keep()
        with pytest.raises(OutputError, match=TAKEN), lease(place):
            pass
        assert not held.is_lost


def test_a_row_that_is_gone_is_a_restoration(place: Home) -> None:
    with lease(place) as (store, held):
        command = place.opened()
        with command.write() as link:
            link.execute(LEASES.delete())
        command.close()
        with pytest.raises(OutputError, match="a restoration"), store.write():
            pass
        assert held.is_lost


@pytest.mark.parametrize(
    ("address", "sure"),
    (
        ("postgresql+psycopg://fleet@db.example/fleet", False),
        ("postgresql+psycopg://fleet@10.0.0.9/fleet?sslmode=require", False),
        ("postgresql+psycopg:///fleet?host=db.example", False),
        ("postgresql+psycopg:///fleet?host=localhost&host=db.example", False),
        ("postgresql+psycopg:///fleet?host=localhost,db.example", False),
        ("postgresql+psycopg://localhost/fleet?hostaddr=10.0.0.9", False),
        ("postgresql+psycopg://fleet@[2001:db8::1]/fleet", False),
        ("postgresql+psycopg://fleet@[::1]/fleet", True),
        ("postgresql+psycopg://fleet@db.example/fleet?sslmode=verify-full", True),
        ("postgresql+psycopg://fleet@127.0.0.1/fleet", True),
        ("postgresql+psycopg://fleet@localhost/fleet", True),
        ("postgresql+psycopg:///fleet?host=/run/postgresql", True),
        ("postgresql+psycopg:///fleet", True),
    ),
)
def test_a_database_server_elsewhere_has_to_prove_who_it_is(address: str, sure: bool) -> None:
    """Else whoever is on the way answers in its name: sessions, verdicts and all."""
    with nullcontext() if sure else pytest.raises(InputError, match="prove who it is"):
        database_server.check_address(make_url(address))
