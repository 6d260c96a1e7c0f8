"""One service a store: two would not see each other's checkpoints, and raise alarms of it.

A lock that ends with the process keeps the second one from starting: of the operating system beside
a SQLite file, of the server on PostgreSQL. The lock on a server ends with a connection, too; so the
store says whose it is, and who is no longer named there writes nothing. Commands beside the service
take no lease.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, create_engine, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from casemate.core.errors import OutputError
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import LEASES

SUFFIX = ".served"
"""Of the file beside a SQLite database that is locked while a service has it."""
PATIENCE_S = 3.0
"""For which a server may take to notice that a process has died (planning value)."""
_SERVICE = 0x636173656D617466
"""Number of the lock that a service holds on a server; the one of writers is another."""
_WHOSE = select(LEASES.c.token, LEASES.c.holder)


class _Lock(Protocol):
    def take(self) -> bool: ...

    def keep(self) -> None: ...

    def close(self) -> None: ...


class _FileLock:
    """Of the operating system: over when the process is, however it ends."""

    def __init__(self, database: Path) -> None:
        self._path = Path(f"{database.resolve()}{SUFFIX}")
        self._handle = -1

    def take(self) -> bool:
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            return False
        return True

    def keep(self) -> None:
        """Nothing takes it away; who removes the file and starts another is told by the row."""

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class _ServerLock:
    """Of a database server: over when the connection is, which is made anew if it was cut."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._link: Connection | None = None

    def take(self) -> bool:
        end_s = time.monotonic() + PATIENCE_S
        while not self._try():
            if time.monotonic() >= end_s:
                return False
            time.sleep(0.1)
        return True

    def _try(self) -> bool:
        if self._link is None:
            made = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._link = made
        asked = self._link.exec_driver_sql(f"SELECT pg_try_advisory_lock({_SERVICE})")
        if not asked.scalar_one():
            self.close()
            return False
        return True

    def keep(self) -> None:
        try:
            if self._link is not None:
                self._link.exec_driver_sql("SELECT 1").scalar_one()
                return
        except SQLAlchemyError:
            self.close()
        self._try()  # if it is not had, the row says whose the store is

    def close(self) -> None:
        if self._link is not None:
            with suppress(SQLAlchemyError):
                self._link.invalidate()  # the lock must not go back into the pool
                self._link.close()
            self._link = None


class Lease:
    """That this process alone serves a store, until `close` or its end.

    OutputError if another does. From then on `store.write` raises OutputError once another has
    taken it over. is_lost: whether one has.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._token = store, secrets.token_hex(16)
        self._lost = threading.Event()
        self._lock: _Lock | None = _lock_of(store.engine)
        try:
            if self._lock is not None and not self._lock.take():
                raise _taken(self._holder())
            named = f"{socket.gethostname()}, process {os.getpid()}, {folder.absolute()}"[:255]
            with store.write() as link:
                link.execute(delete(LEASES))
                link.execute(insert(LEASES).values(id=1, token=self._token, holder=named))
        except (SQLAlchemyError, OSError) as error:
            self._end()
            raise _unsure(error) from None
        except BaseException:
            self._end()
            raise
        store.guard = self._check

    @property
    def is_lost(self) -> bool:
        """Return whether another service has taken the store over."""
        return self._lost.is_set()

    def keep(self) -> None:
        """See that it still holds; OutputError if it does not, or the store cannot be reached."""
        if self._lock is not None:
            try:
                self._lock.keep()
            except SQLAlchemyError as error:
                raise OutputError(
                    f"the store cannot be reached: {str(error).splitlines()[0]}.",
                    remedy="see that the database server runs.",
                ) from None
        with self._store.read() as link:
            self._check(link)

    def close(self) -> None:
        """Let another service have the store."""
        self._store.guard = None
        self._end()

    def _end(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def _check(self, link: Connection) -> None:
        row = link.execute(_WHOSE).one_or_none()
        if row is None or row.token != self._token:
            self._lost.set()
            raise _taken(row.holder if row is not None else "a restoration")

    def _holder(self) -> str:
        with self._store.read() as link:
            row = link.execute(_WHOSE).one_or_none()
        return row.holder if row is not None else "one that is starting"


@contextmanager
def unserved(url: str) -> Iterator[None]:
    """Keep services away from a store meanwhile. OutputError if one has it."""
    engine = create_engine(url)
    try:
        lock = _lock_of(engine)
        if lock is None:
            yield
            return
        try:
            if not lock.take():
                raise _taken("it runs")
        except (SQLAlchemyError, OSError) as error:
            raise _unsure(error) from None
        try:
            yield
        finally:
            lock.close()
    finally:
        engine.dispose()


def _lock_of(engine: Engine) -> _Lock | None:
    """Return the lock of a store; None for one in the memory of this process."""
    if engine.dialect.name != "sqlite":
        return _ServerLock(engine)
    database = engine.url.database
    return _FileLock(Path(database)) if database and database != ":memory:" else None


def _taken(holder: str) -> OutputError:
    return OutputError(
        f"another service has this store: {holder}.",
        remedy="stop that one first, or give this one a store of its own; two on one store would "
        "not see each other's evidence.",
    )


def _unsure(error: Exception) -> OutputError:
    return OutputError(
        f"it cannot be made sure that no other service has this store: {error}.",
        remedy="see that the database, and the folder in which it lies, can be written.",
    )
