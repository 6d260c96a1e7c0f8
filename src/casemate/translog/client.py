"""The log's side of witnesses: asks each for its cosignature, over HTTP or in this process."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from casemate.core.errors import CasemateError, FormatError, InputError, SignatureError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import cosignature, merkle, policy
from casemate.translog import note as notes
from casemate.translog.edge import Reader
from casemate.translog.errors import RollbackError, WitnessError
from casemate.translog.log import Log
from casemate.translog.note import Line, Note, NoteKey
from casemate.translog.policy import Policy
from casemate.translog.request import CONFLICT, OK, UNKNOWN, Request
from casemate.translog.witness import Answer

MOST_ANSWER_BYTES = 65_536
"""Longest answer read: 16 lines of ML-DSA-44 take 52 kB."""

TRIES = 5
"""Requests until a witness whose last size keeps changing is given up (planning value)."""

TIMEOUT_S = 10.0
"""Longest exchange with a witness (planning value)."""


class Asker(Protocol):
    """Brings a request to a witness."""

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return the witness's answer. WitnessError if there is none."""
        ...


class HttpAsker:
    """A witness at an address, http:// or https://."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(
                "this is no address of a witness.", remedy="use http:// or https://.", value=url
            )
        self._url, self._timeout_s = url, timeout_s
        self._parts = parts

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return the witness's answer. WitnessError if there is none."""
        kind = (
            http.client.HTTPSConnection
            if self._parts.scheme == "https"
            else http.client.HTTPConnection
        )
        path = self._parts.path.rstrip("/") + "/add-checkpoint"
        link = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        end = threading.Timer(self._timeout_s, _cut, (link,))
        end.daemon = True
        end.start()
        try:
            link.request("POST", path, body=body)
            answer = link.getresponse()
            return Answer(
                status=answer.status,
                body=answer.read(MOST_ANSWER_BYTES + 1),
                content_type=answer.headers.get("Content-Type", ""),
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise WitnessError(
                f"the witness at {self._url} cannot be reached ({error}).",
                remedy="check the network; the log goes on and asks again.",
            ) from None
        finally:
            end.cancel()
            link.close()


def _cut(link: http.client.HTTPConnection) -> None:
    """End an exchange that takes too long; a witness that trickles bytes must not hold the log."""
    with suppress(OSError, AttributeError):
        link.sock.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A witness as a log knows it: a name of ours, its keys, and how to ask it."""

    name: str
    keys: tuple[NoteKey, ...]
    asker: Asker


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """The checkpoint with all cosignatures, sizes that witnesses know, and who gave none.

    gave: names of those that cosigned this time.
    """

    checkpoint: bytes
    sizes: Mapping[str, int]
    failed: Mapping[str, CasemateError]
    gave: tuple[str, ...] = ()

    def rolled_back(self, rule: Policy) -> RollbackError | None:
        """Return the alarm of a witness, unless a quorum of others has just cosigned all the same.

        A size in a conflict is signed by nobody: one witness that lies, or who sits on the line to
        it, must not have keys sealed. Lines from before do not count: a copy of the log has them.
        """
        return None if policy.holds(rule, rule.quorum, self.gave) else self.rollback

    @property
    def rollback(self) -> RollbackError | None:
        """The alarm of a witness that has cosigned more than the log has, if there is one."""
        found = (each for each in self.failed.values() if isinstance(each, RollbackError))
        return next(found, None)


def cosign(log: Log, peers: Sequence[Peer], known: Mapping[str, int] | None = None) -> Cosigned:
    """Ask all witnesses at once to cosign the log's checkpoint; add what they give to it.

    known: size that each witness cosigned last, by name, as `sizes` told it; only saves a round.
    A witness that fails is named in `failed` and stops nobody.
    """
    note = notes.parse(log.checkpoint())
    reader = log.reader()
    lines: list[Line] = []
    failed: dict[str, CasemateError] = {}
    gave: list[str] = []
    sizes = dict(known or {})
    with ThreadPoolExecutor(max_workers=max(len(peers), 1)) as pool:
        asked = [
            (peer, pool.submit(ask, peer, note, reader, sizes.get(peer.name, 0))) for peer in peers
        ]
        for peer, answer in asked:
            try:
                lines.extend(answer.result())
                sizes[peer.name] = reader.size
                gave.append(peer.name)
            except CasemateError as error:
                failed[peer.name] = error
    data = log.add_cosignatures(note.with_lines(tuple(lines))) if lines else note.encode()
    return Cosigned(checkpoint=data, sizes=sizes, failed=failed, gave=tuple(gave))


def ask(peer: Peer, note: Note, reader: Reader, old: int) -> tuple[Line, ...]:
    """Return the checked cosignatures of one witness on `note`, whose tree is in `reader`.

    RollbackError where the witness has cosigned a larger tree, or another root at this size;
    WitnessError where it refuses; SignatureError where its lines do not fit.
    """
    stated = checkpoints.parse_text(note.text)
    old = min(old, stated.size)
    for _ in range(TRIES):
        answer = peer.asker.add_checkpoint(_request(note, reader, old))
        if answer.status != CONFLICT:
            break
        size = _size(peer, answer)
        if size > stated.size:
            raise RollbackError(
                f"witness {peer.name} has cosigned size {size} of {stated.origin}, and the log "
                f"stands at {stated.size}.",
                remedy="the log was rolled back or copied: stop it, and tell the parties.",
            )
        if size == old == stated.size:
            raise _forked(peer, stated.origin, size)
        old = size
    if answer.status == 422:
        raise _forked(peer, stated.origin, old)
    if answer.status == UNKNOWN:
        raise WitnessError(
            f"witness {peer.name} does not know the log {stated.origin}.",
            remedy="its operator adds the line `log ...` of the policy to its file `logs`, and "
            "starts it again.",
            status=UNKNOWN,
        )
    if answer.status != OK:
        why = answer.body[:200].decode("utf-8", "replace").strip()
        raise WitnessError(
            f"witness {peer.name} refuses with {answer.status}: {why}.",
            remedy="see that it knows this log and its keys.",
            status=answer.status,
        )
    return _lines(peer, note, answer)


def _request(note: Note, reader: Reader, old: int) -> bytes:
    stated = checkpoints.parse_text(note.text)
    hashes = merkle.consistency_proof(reader.node, old, stated.size)
    return Request(old=old, hashes=hashes, stated=stated, note=note).encode()


def _size(peer: Peer, answer: Answer) -> int:
    text = answer.body[:32].decode("ascii", "replace")
    try:
        return notes.strict_decimal(text.removesuffix("\n"))
    except FormatError:
        raise WitnessError(
            f"witness {peer.name} names no size in its conflict.",
            remedy="tell its operator.",
            status=CONFLICT,
        ) from None


def _lines(peer: Peer, note: Note, answer: Answer) -> tuple[Line, ...]:
    if len(answer.body) > MOST_ANSWER_BYTES:
        raise WitnessError(f"witness {peer.name} answers too much.", remedy="tell its operator.")
    try:
        rows = answer.body.decode().removesuffix("\n").split("\n")
        given = Note(text=note.text, lines=tuple(notes.parse_line(row) for row in rows))
    except (UnicodeDecodeError, FormatError):
        raise SignatureError(
            f"witness {peer.name} answers with no signature lines.", remedy="tell its operator."
        ) from None
    good = {(each.key.name, each.key.id) for each in cosignature.require(given, peer.keys)}
    return tuple(line for line in given.lines if (line.name, line.key_id) in good)


def _forked(peer: Peer, origin: str, size: int) -> RollbackError:
    return RollbackError(
        f"witness {peer.name} has cosigned another tree of {origin} at size {size} than this log "
        f"has.",
        remedy="the log was rolled back or copied: stop it, and tell the parties.",
    )
