"""Subjects, bounds and answers: what controllers, broker and service agree on."""

from __future__ import annotations

import json
import re
from typing import Any

EVIDENCE, ANSWER, INBOX = "casemate.evidence", "casemate.answer", "_INBOX"
"""First parts of subjects; the last part is the SHA-256 of the controller's certificate, hex."""
MOST_BYTES = 1_000_000
"""Of a message (planning value): NATS's own default bound is 1 MiB, with headers."""
MOST_WAITING = 8
"""Messages of a controller that wait at the broker (planning value); it refuses the next."""
MOST_STORED_BYTES = 20_000_000_000
"""Of all messages that wait at the broker (planning value)."""
ID = "Casemate-Id"
"""Header that an answer has of its question."""
_ID = re.compile(r"[0-9a-f]{32}")
_OURS = re.compile(rb"\r\nCasemate-Id: ?([0-9a-f]{32})\r\n")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_MOST_ANSWER = 10_000


def subject(first: str, fingerprint: str) -> str:
    """Return the subject of a controller. ValueError if that is no fingerprint."""
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError("this is no SHA-256 of a certificate")
    return f"{first}.{fingerprint}"


def sender(text: str) -> str:
    """Return the fingerprint that a subject of evidence names, "" if it is none."""
    first, _, last = text.rpartition(".")
    return last if first == EVIDENCE and _FINGERPRINT.fullmatch(last) else ""


def asked_id(headers: dict[str, str] | None) -> str:
    """Return the id of a question, "" if it has none of the form."""
    found = (headers or {}).get(ID, "")
    return found if _ID.fullmatch(found) else ""


def is_of_a_controller(text: bytes) -> bool:
    """Return whether a controller chose what stands in messages of this subject."""
    return text.startswith(f"{EVIDENCE}.".encode())


def only_ours(headers: bytes) -> bytes:
    """Return the headers of what a controller sent without all that is not ours.

    A library obeys some: a message that says `Status: 503` is an error of the broker to it.
    """
    found = _OURS.search(headers)
    return b"NATS/1.0\r\n%s: %s\r\n\r\n" % (ID.encode(), found[1]) if found else b""


def answer(status: int, next_number: int | None, state: str, said: str) -> bytes:
    """Return an answer to a controller; the statuses are those of HTTP (docs/formats/fleet.md)."""
    row: dict[str, Any] = {"status": status, "state": state, "said": said}
    if next_number is not None:
        row["next"] = next_number
    return json.dumps(row, ensure_ascii=False).encode()


def read_answer(data: bytes) -> tuple[int, int | None, str, str]:
    """Return status, number that comes next, state and words. ValueError if it is no answer."""
    if len(data) > _MOST_ANSWER:
        raise ValueError("it is too long")
    row = json.loads(data)
    if not isinstance(row, dict) or type(row.get("status")) is not int:
        raise ValueError("it is no answer")
    number = row.get("next")
    known = number if type(number) is int and number >= 0 else None
    return row["status"], known, str(row.get("state", "")), str(row.get("said", ""))
