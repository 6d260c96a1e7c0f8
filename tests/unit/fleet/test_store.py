"""The store: its migrations give the schema, and it keeps what it has acknowledged."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fleet_kit import kit_in
from sqlalchemy import create_engine, insert, select

from casemate.attest.reference_write import as_json
from casemate.core.errors import InputError, OutputError
from casemate.fleet.appraisal import evidence
from casemate.fleet.service import errands
from casemate.fleet.store import database as store_module
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ENTRIES, ERRANDS, METADATA
from casemate.testing import honest_enclosure as honest


def test_migrations_give_the_schema(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/x.db")
    with store.read() as link:
        context = MigrationContext.configure(link, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        link.exec_driver_sql("PRAGMA foreign_key_check")
    with store.write() as link:
        link.exec_driver_sql("DROP TABLE acts")
    with store.read() as link:
        assert compare_metadata(MigrationContext.configure(link), METADATA) != []
    store.close()


def test_sqlite_is_told_to_keep_its_promises(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/x.db")
    with store.read() as link:
        found = {
            name: link.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    row = {"enclosure_id": 7, "number": 0, "data": b"x"}
    with pytest.raises(OutputError), store.write() as link:
        link.execute(insert(ENTRIES).values(**row))
    store.close()


def test_an_error_undoes_the_whole(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(ZeroDivisionError), store.write() as link:
        errands.note(link, "x", "y", 1)
        with store.write() as inner:  # part of the first
            errands.note(inner, "x", "z", 1)
        raise ZeroDivisionError
    with store.read() as link:
        assert link.execute(select(ERRANDS)).all() == []
    store.close()


def test_a_store_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="store refuses"):
        Store(f"sqlite:///{tmp_path}/none/x.db")


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    """A process that is killed in the middle of writing leaves all that it has acknowledged."""
    program = textwrap.dedent(
        """
        import os, signal, sys
        from casemate.fleet.service import errands
        from casemate.fleet.appraisal import evidence
        from casemate.fleet.store.database import Store
        store = Store(sys.argv[1])
        for number in range(20):
            with store.write() as link:
                errands.note(link, "kept", str(number), number)
            print(number, flush=True)
        with store.write() as link:
            errands.note(link, "never acknowledged", "x", 0)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    url = f"sqlite:///{tmp_path}/x.db"
    done = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    store = Store(url)
    with store.read() as link:
        kept = list(link.execute(select(ERRANDS.c.subject).order_by(ERRANDS.c.id)).scalars())
    assert kept == done.stdout.split() == [str(each) for each in range(20)]
    store.close()


def test_errands_reach_the_audit_log_once(tmp_path: Path) -> None:
    with kit_in(tmp_path) as kit:
        with kit.service.store.write() as link:
            errands.note(link, "enter a person", "ann", 5)
        assert errands.take_over(kit.service.store, kit.service.audit) == 1
        assert errands.take_over(kit.service.store, kit.service.audit) == 0
        _, line = kit.service.audit.latest(1)[0]
        assert (line.who, line.subject, line.at_s) == ("this machine", "ann", 5)
        assert line.what.endswith(": enter a person")


def test_a_database_does_not_go_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fleet.db"
    Store(url).close()
    made = store_module._config()
    with create_engine(url).connect() as link, pytest.raises(OutputError, match="go back"):
        made.attributes["connection"] = link
        command.downgrade(made, "base")


@pytest.mark.parametrize(
    ("key", "text"),
    [("kind", "x" * 65), ("site", "x" * 256), ("site", "\u00e9" * 128), ("site", "a\0")],
)
def test_what_no_store_holds_is_not_entered(key: str, text: str, tmp_path: Path) -> None:
    """SQLite would take it, and no backup of it could be restored onto PostgreSQL."""
    store = Store(f"sqlite:///{tmp_path}/x.db")
    given = {"kind": "camera", "site": "hall 1", key: text}
    values = as_json(honest.reference()).encode()
    with pytest.raises(InputError, match="longer"), store.write() as link:
        evidence.add(
            link, reference=values, policy=honest.policy_text(), serial=honest.SERIAL, now_s=1,
            **given,
        )  # fmt: skip
    store.close()
