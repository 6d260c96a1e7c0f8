"""A store on a database server: it keeps the promises that SQLite keeps by itself.

One writer at a time, whatever processes there are; reads of one moment; commits that are durable
even if the server's owner has set it otherwise; and nobody is waited for without end.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from casemate.core.errors import InputError

WAIT_MS = 10_000
"""That a writer waits for one of another process (planning value)."""
GONE_MS = 20_000
"""After which a server that says nothing is taken for gone (planning value)."""
_WRITER = 0x636173656D617465
"""Number of the lock that a writer holds: "casemate"."""
_ON_CONNECT = (
    f"SET lock_timeout = {WAIT_MS}",
    f"SET tcp_user_timeout = {GONE_MS}",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET client_min_messages = error",
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'",
)


def check_address(url: URL) -> None:
    """Raise InputError unless a server elsewhere proves who it is.

    Whoever is on the way to it could answer in its name, and let anybody in.
    """
    named = [url.host or "", *(url.normalized_query.get("host", ()))]
    if not any(named):
        named = [os.environ.get("PGHOST", "")]
    named += [*url.normalized_query.get("hostaddr", ()), os.environ.get("PGHOSTADDR", "")]
    hosts = [each for one in named for each in one.split(",") if each]
    away = [each for each in hosts if not (each.startswith(("/", "@")) or _is_here(each))]
    mode = url.query.get("sslmode", os.environ.get("PGSSLMODE", ""))
    if away and mode != "verify-full":
        raise InputError(
            f"the database server at {away[0]} does not have to prove who it is.",
            remedy="add sslmode=verify-full and sslrootcert=FILE to the address of the store.",
            key="store",
        )  # fmt: skip


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def prepare(engine: Engine) -> None:
    """Have each new connection keep these promises."""

    @event.listens_for(engine, "do_connect")
    def connecting(_dialect: Any, _record: Any, _args: Any, given: dict[str, Any]) -> None:
        given.setdefault("connect_timeout", WAIT_MS // 1000)
        given.setdefault("tcp_user_timeout", GONE_MS)
        given.setdefault("keepalives_idle", 10)

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _record: Any) -> None:
        before, raw.autocommit = raw.autocommit, True
        with raw.cursor() as cursor:
            for each in _ON_CONNECT:
                cursor.execute(each)
        raw.autocommit = before


def be_the_one_writer(link: Connection) -> None:
    """Wait until no other process writes; over with the transaction. SQLite does so by itself."""
    if link.dialect.name != "sqlite":
        link.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")


def at_one_moment(link: Connection) -> Connection:
    """Return a connection whose statements all see the same, and which cannot write."""
    return link.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def doubts(link: Connection) -> list[str]:
    """Return the settings of the server by which an acknowledged commit could be lost."""
    if link.dialect.name == "sqlite":
        return []
    names = ("fsync", "full_page_writes")
    return [x for x in names if link.exec_driver_sql(f"SHOW {x}").scalar_one() == "off"]
