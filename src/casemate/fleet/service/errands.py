"""What is done on the machine itself: written down with it, and brought into the audit log.

The audit log has one writer, the service. Commands beside it leave a row in the same transaction
as what they do; the service takes these rows over.
"""

from __future__ import annotations

import getpass

from sqlalchemy import Connection, delete, insert, select

from casemate.fleet.audit.log import AuditLog, Line
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ERRANDS


def note(link: Connection, what: str, subject: str, now_s: int) -> None:
    """Write down what a command does, and by whom it runs."""
    told = f"{getpass.getuser()}: {what}"[:255]
    link.execute(insert(ERRANDS).values(at_s=now_s, what=told, subject=subject[:255]))


def take_over(store: Store, audit: AuditLog) -> int:
    """Bring what waits into the audit log; return how much that was.

    A row goes only once its line is durable: after a power cut it may be told twice, never not.
    """
    with store.read() as link:
        waiting = link.execute(select(ERRANDS).order_by(ERRANDS.c.id)).all()
    for row in waiting:
        audit.write(
            Line(
                at_s=row.at_s, who="this machine", role="", party="", what=row.what,
                subject=row.subject, outcome="done",
            )
        )  # fmt: skip
        with store.write() as link:
            link.execute(delete(ERRANDS).where(ERRANDS.c.id == row.id))
    return len(waiting)
