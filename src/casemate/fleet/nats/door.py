"""What comes by the broker is taken as at the door, and believed no more. No NATS in here.

Whoever is at the broker can send anything under any name, as often as they like. So a name opens
nothing but the place where that enclosure's own signatures are looked for; how often is bounded for
each name; the audit log gets two lines a name and `WINDOW_S`, never one a message.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import bindparam, select

from casemate.core.errors import CasemateError
from casemate.core.private_folder import private_folder
from casemate.fleet.appraisal import evidence
from casemate.fleet.audit.log import Line
from casemate.fleet.errors import ConflictError, FleetError, TooManyError
from casemate.fleet.intake import ingest
from casemate.fleet.nats import wire
from casemate.fleet.store.schema import MACHINES
from casemate.fleet.web.asked import Service
from casemate.fleet.web.gate import Limits

WINDOW_S = 600
"""That one line of the audit log tells of (planning value)."""
TRIES = 5
"""Of a message that no door can read without failing (planning value)."""
MOST_ASIDE = 64
"""Messages kept aside, the first ones (planning value)."""
ROUTE = "POST /evidence by NATS"
_MACHINE = select(MACHINES.c.enclosure_id).where(MACHINES.c.fingerprint == bindparam("shown"))
_LOG = logging.getLogger("casemate.fleet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message. done: "taken" and "refused" end it, "later" brings it again.

    answer: for the controller, b"" for none.
    """

    done: str
    answer: bytes = b""


@dataclass(slots=True)
class _Window:
    """What came under a name since a line was written."""

    began_s: int
    subject: str
    counts: dict[str, int] = field(default_factory=dict)


class Door:
    """Takes messages; threads may do so at once. folder: of what is tried and what is put aside."""

    def __init__(
        self, service: Service, folder: Path, *, limits: Limits | None = None,
        take: Callable[[int, ingest.Submission], ingest.Taken] | None = None,
    ) -> None:  # fmt: skip
        self._service, self._take = service, take or service.intake.take
        self._limits = limits or Limits(per_s=2.0, burst=40.0)
        self._aside, self._trying = folder / "aside", folder / "trying"
        for each in (folder, self._aside, self._trying):
            private_folder(each)
        self._lock, self._windows = threading.Lock(), dict[str, _Window]()

    def take(self, fingerprint: str, data: bytes) -> Outcome:
        """Take what came under a name: "taken" is durable. Nothing is raised."""
        now_s = self._service.now_s()
        try:
            if len(data) > wire.MOST_BYTES:
                return self._stranger(now_s)
            with self._service.store.read() as link:
                found = link.execute(_MACHINE, {"shown": fingerprint}).scalar_one_or_none()
            if not fingerprint or found is None:
                return self._stranger(now_s)
            try:
                self._limits.take(fingerprint, self._service.clock())
            except TooManyError:
                self._count(fingerprint, "put off")
                return Outcome(done="later")
            self._open(fingerprint, str(found), now_s)
            return self._tried(fingerprint, int(found), data)
        except (CasemateError, OSError) as error:  # the store, the audit log or the disk
            _LOG.error("evidence by NATS waits: %s", error)
            return Outcome(done="later")

    def _tried(self, fingerprint: str, enclosure_id: int, data: bytes) -> Outcome:
        """Take a message unless it has made this service fail too often already."""
        mark = self._trying / hashlib.sha256(data).hexdigest()
        before = int(mark.read_text() or 0) if mark.exists() else 0
        if before >= TRIES:
            self._put_aside(fingerprint, data)
            mark.unlink()
            return Outcome(done="refused", answer=wire.answer(500, None, "", "put aside"))
        mark.write_text(str(before + 1))  # stays if this process is killed by what follows
        try:
            outcome = self._taken(fingerprint, enclosure_id, data)
        except CasemateError:
            mark.unlink()
            raise
        except Exception:
            _LOG.exception("evidence by NATS failed")
            self._count(fingerprint, "failed")
            return Outcome(done="later")
        mark.unlink()
        return outcome

    def _taken(self, fingerprint: str, enclosure_id: int, data: bytes) -> Outcome:
        if not data:  # a controller asks where to go on
            with self._service.store.read() as link:
                number = evidence.next_number(link, enclosure_id)
            return Outcome(done="taken", answer=wire.answer(200, number, "", ""))
        try:
            taken = self._take(enclosure_id, ingest.decode(data))
        except FleetError as error:
            next_ = error.next_number if isinstance(error, ConflictError) else None
            self._count(fingerprint, f"refused {error.status}")
            said = wire.answer(error.status, next_, "", error.message)
            return Outcome(done="refused", answer=said)
        self._count(fingerprint, "taken")
        said = wire.answer(200, taken.next_number, taken.state, taken.headline)
        return Outcome(done="taken", answer=said)

    def _stranger(self, now_s: int) -> Outcome:
        self._open("", "", now_s)
        self._count("", "refused 401")
        return Outcome(done="refused")

    def _put_aside(self, fingerprint: str, data: bytes) -> None:
        self._count(fingerprint, "put aside")
        path = self._aside / f"{hashlib.sha256(data).hexdigest()}.cbor"
        if sum(1 for _ in self._aside.iterdir()) < MOST_ASIDE:
            path.write_bytes(data)

    def _open(self, name: str, subject: str, now_s: int) -> None:
        """Write a line before the first of what it tells of. OutputError if it cannot be."""
        with self._lock:
            held = self._windows.get(name)
            if held is not None and now_s < held.began_s + WINDOW_S:
                return
            if held is not None:
                self._close(name, held, now_s)
            told = f"asked, with all that comes within {WINDOW_S} s"
            self._write(name, subject, told, now_s)
            self._windows[name] = _Window(now_s, subject)

    def _count(self, name: str, what: str) -> None:
        with self._lock:
            held = self._windows.get(name)
            if held is not None:
                held.counts[what] = held.counts.get(what, 0) + 1

    def tick(self, *, all_: bool = False) -> None:
        """Write down what came in the windows that have ended; all_: in each, at the end."""
        now_s = self._service.now_s()
        with self._lock:
            for name, held in list(self._windows.items()):
                if all_ or now_s >= held.began_s + WINDOW_S:
                    self._close(name, held, now_s)

    def _close(self, name: str, held: _Window, now_s: int) -> None:
        told = ", ".join(f"{what}: {count}" for what, count in sorted(held.counts.items()))
        self._write(name, held.subject, told or "nothing", now_s)
        del self._windows[name]

    def _write(self, name: str, subject: str, outcome: str, now_s: int) -> None:
        who = f"machine:{name[:16]}" if name else "somebody at the broker"
        self._service.audit.write(
            Line(
                at_s=now_s, who=who, role="", party="", what=ROUTE, subject=subject, outcome=outcome
            )
        )  # fmt: skip


def aside(folder: Path) -> int:
    """Return how many messages lie aside."""
    held = folder / "aside"
    return sum(1 for _ in held.iterdir()) if held.is_dir() else 0
