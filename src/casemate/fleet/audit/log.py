"""The audit log: who asked for what, in a transparency log of its own.

A line is durable before what it tells of is done; what cannot be written down is not done. The log
is one of `translog`, with checkpoints that witnesses cosign, so that not even who owns the machine
can change it later without being seen.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from casemate.control.demo_parties import SeedKey, kept_secret
from casemate.core.canonical import canonical_bytes
from casemate.core.errors import CasemateError, OutputError
from casemate.core.suites import ED25519, ML_DSA_65
from casemate.fleet.audit.reads import Reads
from casemate.translog import client
from casemate.translog.bundle import read_bundle, write_manifest
from casemate.translog.client import Peer
from casemate.translog.errors import LogError
from casemate.translog.log import Log

FORMAT = "casemate-audit-1"
_LOG = logging.getLogger("casemate.fleet")
_SHOWN = 1000
"""Latest lines kept in memory, for the page (planning value)."""
_EVERY_S = 30.0
"""Between two checkpoints (planning value)."""
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. at_s: Unix time. who: a person, machine:FINGERPRINT, or "" if nobody is known.

    what: method and route, as the table of routes has it. subject: which enclosure or incident.
    outcome: "asked" before it is done; afterwards the status.
    """

    at_s: int
    who: str
    role: str
    party: str
    what: str
    subject: str
    outcome: str

    def encode(self) -> bytes:
        """Return the line as canonical JSON: no text in it can end it, or begin another."""
        row = {name: getattr(self, name) for name in self.__slots__}
        short = {k: _plain(v) if isinstance(v, str) else v for k, v in row.items()}
        return canonical_bytes({"format": FORMAT, **short})


def decode(data: bytes) -> Line:
    """Return the line in an entry of the log; LogError if it is none."""
    try:
        row = json.loads(data)
        if row.pop("format") != FORMAT:
            raise ValueError
        return Line(**row)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise LogError("an entry is no line of the audit log.", remedy="check the log.") from None


class AuditLog:
    """The log in `folder`, with its key beside it. peers: witnesses that cosign it."""

    def __init__(
        self, folder: Path, origin: str, *, clock: Callable[[], float], peers: Sequence[Peer] = ()
    ) -> None:
        self._clock, self._peers = clock, tuple(peers)
        seeds = {"seeds": {str(each): secrets.token_hex(32) for each in (ED25519, ML_DSA_65)}}
        kept = kept_secret(folder / "key.json", dict(seeds))["seeds"]
        if not isinstance(kept, dict):
            raise OutputError("the key of the audit log is malformed.", remedy="restore key.json.")
        keys = [SeedKey(int(alg), bytes.fromhex(str(seed))) for alg, seed in kept.items()]
        self.folder = folder / "log"
        self.log = Log(self.folder, origin, keys, clock=clock)
        write_manifest(self.folder, enclosure="audit", serial="1", origin=origin)
        held = read_bundle(self.folder)
        self._lines: deque[tuple[int, Line]] = deque(maxlen=_SHOWN)
        self._lines_lock = threading.Lock()
        self._reads = Reads(lambda line: self.write(line), lambda: self.is_sound)
        self.is_sound = True
        """Whether the last line could be written."""
        whole = (*held.entries, *held.pending)
        for number, data in list(enumerate(whole))[-_SHOWN:]:
            self._lines.append((number, decode(data)))
        self._sizes: dict[str, int] = {}
        self.failed = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._seal_often, name="audit", daemon=True)
        self._thread.start()

    def write(self, line: Line) -> int:
        """Make a line durable and return its number. OutputError if it cannot be written."""
        try:
            number = self.log.append([line.encode()])
            self.is_sound = True
        except CasemateError as error:
            self.is_sound = False
            raise OutputError(
                f"nothing is done that cannot be audited: {error.message}", remedy=error.remedy
            ) from None
        with self._lines_lock:
            self._lines.append((number, line))
        return number

    def read(self, line: Line, session: str, of: Collection[str] = ()) -> None:
        """Note a read before it is answered, as `reads` says. OutputError if it cannot be."""
        self._reads.note(line, session, of)

    def flush(self) -> None:
        """Write down what was counted until now. OutputError if it cannot be."""
        self._reads.flush()

    def latest(
        self, count: int, before: int | None = None, *, people: bool = False
    ) -> list[tuple[int, Line]]:
        """Return the latest lines with their numbers, newest first; all before `before`.

        people: those of persons alone, who have a role.
        """
        with self._lines_lock:
            held = sorted(self._lines, key=lambda each: each[0], reverse=True)
        held = [each for each in held if each[1].role or not people]
        return [each for each in held if before is None or each[0] < before][:count]

    def seal(self) -> None:
        """Sign a checkpoint and have it cosigned; what fails is said in `failed`."""
        try:
            if not self._peers:
                self.log.checkpoint()
                return
            found = client.cosign(self.log, self._peers, self._sizes)
            self._sizes = dict(found.sizes)
            failed = "; ".join(each.message for each in found.failed.values())
            if found.rollback is not None and failed != self.failed:
                _LOG.error("the audit log: %s", failed)
            self.failed = failed
        except CasemateError as error:
            self.failed = error.message

    def close(self) -> None:
        """Seal once more, and close."""
        self._stop.set()
        self._thread.join()
        with suppress(CasemateError):
            self._reads.flush()
        if self.log.next_index:
            with suppress(CasemateError):
                self.seal()
        self.log.close()

    def _seal_often(self) -> None:
        while not self._stop.wait(_EVERY_S):
            with suppress(CasemateError):  # it is kept, and tried again
                self._reads.flush(int(self._clock()))
            if self.log.next_index > self.log.size:
                self.seal()


def _plain(text: str) -> str:
    """Return a text that no terminal, log or page obeys."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= _MOST_TEXT else shown[: _MOST_TEXT - 1] + "…"
