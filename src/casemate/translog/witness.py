"""A witness: cosigns checkpoints of the logs it knows, each only if it continues the last.

The last checkpoint of each log is on disk before its cosignature leaves; the comparison and the
write are one step under a lock. The first write that fails closes the witness. What a log signed
and must not have signed is kept in `guilt/`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from casemate.core.errors import CasemateError, FormatError
from casemate.core.suites import Signer
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature, guilt, merkle
from casemate.translog import request as requests
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.disk import Disk
from casemate.translog.errors import LogError
from casemate.translog.note import Note, NoteKey
from casemate.translog.request import CONFLICT, MALFORMED, OK, Request
from casemate.translog.signers import witness_key

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"
CLOSED = 503
MOST_GUILT = 256
"""Proofs of guilt kept for one log: one is enough to convict it (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of HTTP: status, type and body."""

    status: int
    body: bytes
    content_type: str = TEXT


class Witness:
    """A witness with its keys and its disk. Safe for threads; one process at a time.

    name: of its keys. signers: Ed25519 or ML-DSA-44. logs: trusted keys by origin. clock: Unix
    seconds; a cosignature is never dated before the last one of its log.
    """

    def __init__(
        self,
        disk: Disk,
        name: str,
        signers: Sequence[Signer],
        logs: Mapping[str, Sequence[NoteKey]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._disk, self._clock = disk, clock
        self._signers = tuple((witness_key(name, each.public), each) for each in signers)
        self._logs = {origin: tuple(keys) for origin, keys in logs.items()}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._why_closed = ""
        disk.lock()
        try:
            disk.make_folder("state")
            disk.make_folder("guilt")
            for origin in self._logs:
                self._latest(origin)
                self._locks[origin]  # made here, so that threads find it
        except BaseException:
            disk.unlock()
            raise

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The keys that cosign."""
        return tuple(key for key, _ in self._signers)

    def latest(self, origin: str) -> bytes:
        """Return the last checkpoint cosigned of a log, b"" if there is none."""
        note, _ = self._latest(origin)
        return note.encode() if note else b""

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request to cosign."""
        try:
            request = requests.parse(body)
        except FormatError as error:
            return _said(MALFORMED, error.message)
        origin = request.stated.origin
        judged = requests.authenticate(request, self._logs.get(origin, ()))
        if judged.status != OK:
            return _said(judged.status, judged.why)
        with self._locks[origin]:
            return self._decide(request)

    def close(self) -> None:
        """Give the folder free."""
        self._why_closed = self._why_closed or "the witness was closed"
        self._disk.unlock()

    def _decide(self, request: Request) -> Answer:
        if self._why_closed:
            return _said(CLOSED, self._why_closed)
        try:
            before, latest = self._latest(request.stated.origin)
            judged = requests.judge(request, latest)
            if judged.status == CONFLICT:
                self._convict(before, request)
                return Answer(status=CONFLICT, body=f"{latest.size}\n".encode(), content_type=SIZE)
            if judged.status != OK:
                return _said(judged.status, judged.why)
            note = self._cosign(request, before)
            self._store(note, request.stated.origin)
        except OSError as error:
            self._why_closed = f"a file operation failed ({error.strerror or error})"
            return _said(CLOSED, self._why_closed)
        except CasemateError as error:  # its own state, or its own signature
            self._why_closed = error.message
            return _said(CLOSED, self._why_closed)
        lines = "".join(line.text() for line in note.lines if line not in request.note.lines)
        return Answer(status=OK, body=lines.encode())

    def _cosign(self, request: Request, before: Note | None) -> Note:
        """Return the checkpoint with the lines of its log and ours."""
        logs = {(key.name, key.id) for key in self._logs[request.stated.origin]}
        theirs = tuple(each for each in request.note.lines if (each.name, each.key_id) in logs)
        now = max(int(self._clock()), self._last_time(before), 0)
        text = request.note.text
        ours = tuple(cosignature.sign(key, by, text, now) for key, by in self._signers)
        note = Note(text=text, lines=theirs + ours)
        cosignature.require(Note(text=text, lines=ours), self.keys)
        return note

    def _last_time(self, before: Note | None) -> int:
        if before is None:
            return 0
        good, _ = cosignature.check(before, self.keys)
        return max((each.time_s or 0 for each in good), default=0)

    def _latest(self, origin: str) -> tuple[Note | None, Checkpoint]:
        try:
            data = self._disk.read(_state(origin))
        except FileNotFoundError:
            return None, Checkpoint(origin=origin, size=0, root=merkle.EMPTY_ROOT)
        stated, note = checkpoints.parse(data)
        if stated.origin != origin:
            raise LogError(
                f"the state of {origin!r} is that of {stated.origin!r}.",
                remedy="restore the witness's folder; do not start it empty.",
            )
        return note, stated

    def _store(self, note: Note, origin: str) -> None:
        path = _state(origin)
        self._disk.put(f"{path}.new", note.encode())
        self._disk.move(f"{path}.new", path)
        self._disk.sync_folder("state")

    def _convict(self, before: Note | None, request: Request) -> None:
        """Keep the proof where a log has signed two roots at one size."""
        if before is None:
            return
        found = (
            guilt.find(before.encode(), request.note.encode()) if _same(before, request) else None
        )
        if found is None:
            return
        data = found.encode()
        origin = _named(request.stated.origin)
        kept = [name for name in self._disk.names("guilt") if name.startswith(origin)]
        name = f"{origin}-{hashlib.sha256(request.note.text.encode()).hexdigest()[:16]}.json"
        if name in kept or len(kept) >= MOST_GUILT:
            return
        self._disk.put(f"guilt/{name}", data)
        self._disk.sync_folder("guilt")


def _same(before: Note, request: Request) -> bool:
    return checkpoints.parse_text(before.text).size == request.stated.size


def _state(origin: str) -> str:
    return f"state/{_named(origin)}"


def _named(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


def _said(status: int, why: str) -> Answer:
    return Answer(status=status, body=(why.rstrip(".") + "\n").encode())
