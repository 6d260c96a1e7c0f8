"""The controller's side: brings an evidence folder to a service as it grows.

It reads what `casemate run` writes and holds no state: the service says which entry comes next.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from casemate.core.errors import InputError, ReaderError
from casemate.core.progress import Work
from casemate.fleet.access import certificates
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.intake.submission import MOST_BYTES, MOST_NOTES, Submission, encode
from casemate.translog.bundle import Bundle, read_bundle

MOST_ENTRIES = 512
"""Of a submission (planning value)."""
FEW_ENTRIES = 32
"""Of a submission to a service that has no room for larger ones: it takes small ones always."""
TIMEOUT_S = 30.0
_MOST_ANSWER = 1_000_000
_NO_ROOM = (408, 429, 503)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service says: the entry that comes next, how the enclosure stands, or why not."""

    status: int
    next_number: int | None
    state: str
    said: str


class Pusher:
    """Brings one folder to one address. identity: folder with certificate, key and authority."""

    def __init__(self, folder: Path, url: str, identity: Path) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise InputError("this is no address.", remedy="use https://.", key="--to", value=url)
        self._folder, self._host, self._port = folder, parts.hostname, parts.port
        try:
            self._context = ssl.create_default_context(cafile=str(identity / certificates.CA))
            self._context.minimum_version = ssl.TLSVersion.TLSv1_3
            self._context.load_cert_chain(
                identity / certificates.CERTIFICATE, identity / certificates.KEY
            )
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"the identity cannot be read: {error}.",
                remedy="name the folder that `casemate fleet add --identity` made.",
                file=str(identity),
            ) from None
        self._sent: set[bytes] = set()
        self._told = 0
        self._most = MOST_ENTRIES

    def once(self, work: Work | None = None) -> Answer:
        """Bring all that is new, and return the last answer. ReaderError if nobody answers."""
        work = work or Work("push")
        work.stage("reading the evidence", counted=False)
        held = read_bundle(self._folder)
        answer = self._ask("GET", b"")
        if answer.next_number is None:
            return answer
        told = answer.next_number
        if told < self._told:  # the service was restored from a backup: it lacks notes, too
            self._sent.clear()
        self._told = told
        work.stage("bringing it", len(held.entries) + len(held.pending) - told, "tokens")
        for part in parts_of(held, told, self._sent, most=self._most):
            answer = self._ask("POST", encode(part))
            if answer.status != 200:
                self._most = FEW_ENTRIES if answer.status in _NO_ROOM else MOST_ENTRIES
                return answer
            work.step(len(part.entries))
            self._sent.update(part.notes)
            self._told = max(self._told, answer.next_number or 0)
        self._most = MOST_ENTRIES
        return answer

    def tell(self, readings: bytes) -> Answer:
        """Bring readings of channels, CBOR as `series.encode` makes it."""
        return self._ask("POST", readings, "/series")

    def _ask(self, method: str, body: bytes, path: str = "/evidence") -> Answer:
        """Ask, and return the answer: one that is refused before it is read has one, too."""
        link = http.client.HTTPSConnection(
            self._host, self._port, timeout=TIMEOUT_S, context=self._context
        )
        try:
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                link.request(method, path, body=body or None)
            answer = link.getresponse()
            row = _object(answer.read(_MOST_ANSWER))
            number = row.get("next")
            return Answer(
                status=answer.status,
                next_number=number if type(number) is int and number >= 0 else None,
                state=str(row.get("state", "")),
                said=str(row.get("headline") or row.get("error") or ""),
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ReaderError(
                f"the service does not answer: {error}.", remedy="it is asked again.",
                reader=f"{self._host}:{self._port}",
            ) from None  # fmt: skip
        finally:
            link.close()


def parts_of(
    held: Bundle, first: int, sent: set[bytes], *, most: int = MOST_ENTRIES,
    most_bytes: int = MOST_BYTES,
) -> list[Submission]:  # fmt: skip
    """Return what to bring: entries from `first` on and checkpoints, no part too large.

    most: entries of a part. most_bytes: of a part, with what encoding adds. A checkpoint that is
    larger alone is a part.
    """
    entries = (*held.entries, *held.pending)
    all_ = [each for each in (*held.witnessed, held.checkpoint) if each and each not in sent]
    left = sorted(dict.fromkeys(all_), key=lambda each: read_note(each).stated.size)
    sizes = [read_note(each).stated.size for each in left]
    out: list[Submission] = []
    while first < len(entries) or left:
        count = min(most, len(entries) - first)
        count = _within(entries[first : first + count], most_bytes // 2)
        fit = _fitting(sizes, first + count)
        while fit > MOST_NOTES and count > 0:
            count //= 2
            fit = _fitting(sizes, first + count)
        fit = min(fit, MOST_NOTES)
        fit = min(fit, max(_within(left[:fit], most_bytes // 2), 1))
        if not fit and not count:
            break
        part = Submission(
            first=first, entries=entries[first : first + count], notes=tuple(left[:fit])
        )
        out.append(part)
        first, left, sizes = first + count, left[fit:], sizes[fit:]
    return out


def _within(items: Sequence[bytes], most: int) -> int:
    """Return how many of these fit together into so many bytes."""
    sums = accumulate(len(each) + 9 for each in items)
    return sum(each <= most for each in sums)


def _fitting(sizes: Sequence[int], size: int) -> int:
    return sum(each <= size for each in sizes)


def _object(data: bytes) -> dict[str, Any]:
    row = json.loads(data or b"{}")
    return row if isinstance(row, dict) else {}
