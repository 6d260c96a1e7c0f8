"""Who is let in after a restoration: nobody whom the service had let in no more since the backup.

The tables of an earlier day name people who were removed since, passwords that were changed, and
certificates that were lost. Where the store that they replace is of the same service, what it let
in no more stays out. Sessions, codes and passkeys are gone in any case: who runs the machine makes
a code for whom it still trusts.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from casemate.core.errors import CasemateError
from casemate.fleet.service.home import Home
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import (
    CODES,
    DISPLAYS,
    LEASES,
    MACHINES,
    PASSKEYS,
    PEOPLE,
    REDFISH_ACCOUNTS,
    REDFISH_SESSIONS,
    SCRAPERS,
    SESSIONS,
)

_ENDED = (SESSIONS, CODES, PASSKEYS, REDFISH_SESSIONS, DISPLAYS, LEASES)
_ACCOUNT = select(
    REDFISH_ACCOUNTS.c.name, REDFISH_ACCOUNTS.c.role, REDFISH_ACCOUNTS.c.party,
    REDFISH_ACCOUNTS.c.secret,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Let:
    """Whom a store lets in. people: all that it knows, and whether they are let in.

    accounts: name, role, party and secret of those that are enabled. certificates: SHA-256, hex.
    """

    people: dict[str, bool]
    accounts: frozenset[tuple[str, ...]]
    certificates: frozenset[str]


def of(place: Home) -> Let | None:
    """Return whom the store of a service lets in; None if it cannot be read."""
    if place.lacks_database:
        return None
    try:
        store = Store(place.store, migrates=False)
        try:
            with store.read() as link:
                return _let(link)
        finally:
            store.close()
    except CasemateError:
        return None


def tidy(link: Connection, before: Let | None) -> int:
    """Let nobody in by what is restored whom the store before let in no more; return how many.

    People are never taken out of a store: one that does not know all of them is another service's.
    """
    for each in _ENDED:
        link.execute(delete(each))  # who was let in then, need not be trusted now
    now = _let(link)
    if before is None or not now.people.keys() <= before.people.keys():
        return 0
    gone = [name for name, active in now.people.items() if active and not before.people[name]]
    link.execute(update(PEOPLE).where(PEOPLE.c.name.in_(gone)).values(active=False))
    accounts = sorted(each[0] for each in now.accounts - before.accounts)
    here = REDFISH_ACCOUNTS.c.name.in_(accounts)
    link.execute(update(REDFISH_ACCOUNTS).where(here).values(enabled=False))
    lost = sorted(now.certificates - before.certificates)
    for table in (MACHINES, SCRAPERS):
        link.execute(delete(table).where(table.c.fingerprint.in_(lost)))
    return len(gone) + len(accounts) + len(lost)


def _let(link: Connection) -> Let:
    rows = link.execute(select(PEOPLE.c.name, PEOPLE.c.active))
    enabled = link.execute(_ACCOUNT.where(REDFISH_ACCOUNTS.c.enabled))
    shown = [
        each
        for table in (MACHINES, SCRAPERS)
        for each in link.execute(select(table.c.fingerprint)).scalars()
    ]
    return Let(
        people={str(row.name): bool(row.active) for row in rows},
        accounts=frozenset(tuple(map(str, row)) for row in enabled),
        certificates=frozenset(map(str, shown)),
    )
