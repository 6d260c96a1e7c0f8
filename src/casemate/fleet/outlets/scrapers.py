"""Who may read metrics: monitoring with a certificate of the service's authority, entered by name.

Metrics tell which enclosure is blind, so they are no public page; and who reads them reads nothing
else, and writes nothing.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from casemate.fleet.errors import NotFoundError
from casemate.fleet.store.schema import SCRAPERS


def let(link: Connection, fingerprint: str, name: str, now_s: int) -> None:
    """Let whoever shows a certificate (SHA-256, hex) read metrics."""
    values = {"fingerprint": fingerprint, "name": name, "added_s": now_s}
    link.execute(insert(SCRAPERS).values(**values))


def known(link: Connection, fingerprint: str) -> bool:
    """Return whether a certificate may read metrics."""
    asked = select(SCRAPERS.c.name).where(SCRAPERS.c.fingerprint == fingerprint)
    return bool(fingerprint) and link.execute(asked).first() is not None


def remove(link: Connection, name: str) -> int:
    """Let nobody of this name read any more; return how many certificates that were."""
    gone = int(link.execute(delete(SCRAPERS).where(SCRAPERS.c.name == name)).rowcount)
    if not gone:
        raise NotFoundError("no such monitoring is let in.", remedy="see how it was named.")
    return gone
