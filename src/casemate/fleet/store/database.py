"""The store: a database with the schema of this release, written by one transaction at a time."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from casemate.core.errors import OutputError
from casemate.fleet.store import database_server

_MIGRATIONS = Path(__file__).with_name("migrations")
_WAIT_MS = 10_000
"""That a writer waits for one of another process (planning value)."""


class Store:
    """A database at an address of SQLAlchemy's, such as sqlite:////var/lib/casemate/fleet.db.

    What `write` has ended without an error is durable. OutputError where the database refuses.
    migrates: bring the schema up to date; who only looks does not.
    """

    def __init__(self, url: str, *, migrates: bool = True) -> None:
        self._lock = threading.RLock()
        self._writing: Connection | None = None
        self.guard: Callable[[Connection], None] | None = None
        """Raises where this process may no longer write (`lease`); None where nobody asks."""
        try:
            self.engine: Engine = create_engine(
                url, pool_size=16, max_overflow=32, pool_pre_ping=not url.startswith("sqlite")
            )
            if self.engine.dialect.name == "sqlite":
                _as_sqlite(self.engine)
            else:
                database_server.check_address(self.engine.url)
                database_server.prepare(self.engine)
            if migrates:
                self._migrate()
        except SQLAlchemyError as error:
            raise _refused(error) from None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection that writes; committed at the end, undone on an error.

        Within the same thread a second one is part of the first.
        """
        with self._lock:
            if self._writing is not None:
                yield self._writing
                return
            try:
                with self.engine.connect().execution_options(writes=True) as link, link.begin():
                    database_server.be_the_one_writer(link)
                    if self.guard is not None:
                        self.guard(link)
                    self._writing = link
                    try:
                        yield link
                    finally:
                        self._writing = None
            except SQLAlchemyError as error:
                raise _refused(error) from None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that reads, all at one moment."""
        try:
            with self.engine.connect() as link:
                if self.engine.dialect.name != "sqlite":
                    link = database_server.at_one_moment(link)
                with link.begin():
                    yield link
        except SQLAlchemyError as error:
            raise _refused(error) from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _migrate(self) -> None:
        from alembic import command
        from alembic.util import CommandError

        with self.write() as link:
            try:
                if revision(link) == newest_revision():
                    return  # alembic would read all migrations to find nothing to do
                config = _config()
                config.attributes["connection"] = link
                command.upgrade(config, "head")
            except CommandError:
                raise OutputError(
                    f"the store has schema {revision(link)!r}, which this release does not know.",
                    remedy="use the release that wrote it, or a later one.",
                ) from None


def revision(link: Connection) -> str:
    """Return the revision of the schema that the store has, "" if it has none."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(link).get_current_revision() or ""


@functools.cache
def newest_revision() -> str:
    """Return the revision of this release's schema."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def is_known(name: str) -> bool:
    """Return whether a revision is one of this release's."""
    from alembic.script import ScriptDirectory

    return name in {
        each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()
    }


def _config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _as_sqlite(engine: Engine) -> None:
    """Have SQLite keep its promises: durable commits, foreign keys, one writer from the start."""

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the library would begin transactions by itself
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_WAIT_MS}",
        ):  # fmt: skip
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(link: Connection) -> None:
        writes = link.get_execution_options().get("writes", False)
        link.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refused(error: SQLAlchemyError) -> OutputError:
    why = str(getattr(error, "orig", None) or error).splitlines()[0]
    return OutputError(
        f"the store refuses: {why}.",
        remedy="see that the database can be reached and written, and that its disk has room.",
    )
