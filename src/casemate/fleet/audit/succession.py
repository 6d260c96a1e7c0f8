"""The audit log of a restored service: another one, under a key of its own, bound to the first.

A key of an audit log leaves its machine in no backup. So nobody who restores one can sign the log
that it holds: what is restored twice, or runs beside its original, signs under other keys. The new
log's origin says which generation it is; a witness takes one log of each, and so one restoration.

audit/key.json, audit/log/    the log that is written, and its key
audit/before/GENERATION/      those before it, as they came
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemate.core.errors import CasemateError, FormatError, InputError
from casemate.core.private_folder import private_folder
from casemate.fleet.audit.log import AuditLog, Line, decode
from casemate.translog import audit as audits
from casemate.translog import checkpoint as checkpoints
from casemate.translog import client, merkle, request
from casemate.translog import note as notes
from casemate.translog.bundle import read_bundle, read_manifest
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.client import Peer
from casemate.translog.disk import FolderDisk
from casemate.translog.edge import Reader
from casemate.translog.errors import RollbackError
from casemate.translog.request import Request

LOG, KEY, BEFORE = "log", "key.json", "before"
CONTINUES, SEEN = "continue the audit log ", "had seen lines of it: "
"""How the first lines of a generation begin: which log it continues, what each witness had seen."""
_MOST_GENERATION = 9999
_ORIGIN = re.compile(r".+/audit(?:/([1-9][0-9]{0,3}))?")
_WHO = "this machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A generation that has begun. before: the log that it continues, with all lines of the copy.

    keys: of the new log, as witnesses enter them. seen: by witness, how many lines of the one
    before it had cosigned; None where it was not reached, or does not know it.
    """

    origin: str
    before: Checkpoint
    keys: tuple[str, ...]
    seen: dict[str, int | None]

    @property
    def lost(self) -> int:
        """Return how many lines witnesses have seen that are not in the copy."""
        return max((each or 0 for each in self.seen.values()), default=0) - self.before.size

    def as_json(self) -> dict[str, object]:
        """Return the row that `casemate fleet restore --json` prints."""
        return {
            "origin": self.origin, "keys": list(self.keys), "continues": self.before.origin,
            "lines": self.before.size, "seen": self.seen, "lost": max(self.lost, 0),
        }  # fmt: skip


def origin_of(audit: Path, name: str) -> str:
    """Return the origin of the log in a folder, or of the one that begins there."""
    folder = audit / LOG
    return read_manifest(folder)["origin"] if (folder / "bundle.json").exists() else f"{name}/audit"


def generation(origin: str) -> int:
    """Return which generation a log is: 1 for one that continues none. FormatError if it is odd."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        raise FormatError("this is no origin of an audit log.", remedy="see its bundle.json.")
    return int(found[1] or 1)


def stated(folder: Path) -> Checkpoint:
    """Return origin, number and root of all lines in a log's folder, signed or not."""
    held = read_bundle(folder)
    lines = (*held.entries, *held.pending)
    root = merkle.root_of(map(merkle.leaf_hash, lines))
    return Checkpoint(origin=held.origin, size=len(lines), root=root)


def before(audit: Path) -> tuple[Path, ...]:
    """Return the folders of the generations before, the latest first."""
    held = [each for each in (audit / BEFORE).glob("*") if each.name.isdecimal()]
    return tuple(sorted(held, key=lambda each: -int(each.name)))


def number_after(log: Path, asked: int) -> int:
    """Return the generation that follows a log: the next, or the later one that is asked for.

    0 if there is no log. InputError if what is asked for does not follow.
    """
    if not (log / "bundle.json").exists():
        return 0
    next_ = generation(read_manifest(log)["origin"]) + 1
    if not next_ <= (asked or next_) <= _MOST_GENERATION:
        raise InputError(
            "this is no generation of the audit log that can follow.",
            remedy=f"name one from {next_} on.", key="--generation", value=asked,
        )  # fmt: skip
    return asked or next_


def begin(
    audit: Path, name: str, number: int, told: str, clock: Callable[[], float],
    peers: Sequence[Peer] = (),
) -> Succession:  # fmt: skip
    """Begin a log that continues the one in `audit`, whose key is not here.

    number: as `number_after` says. told: why, in the first line.
    """
    log = audit / LOG
    last, old = stated(log), _checkpoint(log)
    seen = {each.name: seen_by(each, old) for each in peers} if old else {}
    _put_by(log, audit / BEFORE / str(generation(last.origin)), last)
    made = AuditLog(audit, f"{name}/audit/{number}", clock=clock)
    try:
        for line in _first(last, seen, told, int(clock())):
            made.write(line)
        keys = tuple(each.vkey() for each in made.log.keys)
        return Succession(origin=made.log.origin, before=last, keys=keys, seen=seen)
    finally:
        made.close()


def _put_by(log: Path, kept: Path, last: Checkpoint) -> None:
    """Keep a log among those before; one that is there already, of a try before, is the same."""
    private_folder(kept.parent)
    if not kept.exists():
        log.rename(kept)
    elif stated(kept) == last:
        shutil.rmtree(log)
    else:
        raise InputError(
            "there is another audit log of that generation.", remedy="restore into a new folder.",
            file=str(kept),
        )  # fmt: skip


def _first(last: Checkpoint, seen: dict[str, int | None], told: str, at_s: int) -> Iterator[Line]:
    def line(what: str, subject: str, outcome: str) -> Line:
        return Line(
            at_s=at_s, who=_WHO, role="", party="", what=what, subject=subject, outcome=outcome
        )

    yield line(f"{CONTINUES}{last.origin}", f"{last.size} {last.root.hex()}", told)
    for name, size in seen.items():
        yield line(f"witness {name} {SEEN}", str(size), "told")


def seen_by(peer: Peer, note: bytes) -> int | None:
    """Return how many lines of a log a witness has cosigned. note: a checkpoint that it signed.

    None if it is not reached, or knows no such log. It is asked to cosign what it has: nothing
    that it has not seen before.
    """
    held = notes.parse(note)
    told = checkpoints.parse_text(held.text)
    try:
        asked = Request(old=told.size, hashes=(), stated=told, note=held)
        answer = peer.asker.add_checkpoint(asked.encode())
        if answer.status == request.CONFLICT:
            return notes.strict_decimal(answer.body[:32].decode("ascii").removesuffix("\n"))
    except (CasemateError, ValueError):
        return None
    return told.size if answer.status == request.OK else None


def broken(audit: Path) -> str:
    """Return what is wrong with the chain of generations in a folder, "" if nothing is."""
    logs = (audit / LOG, *before(audit))
    for later, earlier in zip(logs, logs[1:], strict=False):
        first = _first_line(later)
        there = stated(earlier)
        if first is None or not first.what.startswith(CONTINUES):
            return f"{later.name} does not say which audit log it continues"
        if first.what != f"{CONTINUES}{there.origin}" or first.subject != (
            f"{there.size} {there.root.hex()}"
        ):
            return f"the audit log {there.origin} is not the one that was continued"
    return ""


def went_on(audit: Path, peers: Sequence[Peer]) -> Iterator[str]:
    """Yield what witnesses have seen that cannot be: more lines than there are, or others.

    Of the log before, too: it has ended. They are asked for nothing that the service would not.
    """
    for folder, is_last in ((audit / LOG, False), *((x, True) for x in before(audit)[:1])):
        note = _checkpoint(folder)
        for peer in peers if note else ():
            seen = seen_by(peer, note)
            if seen is None:
                continue
            told = checkpoints.parse_text(notes.parse(note).text)
            known = _known(audit, peer.name) if is_last else None
            here = known if known is not None else stated(folder).size  # it may have grown
            if seen > here:
                yield f"{peer.name} has seen {seen} lines of {told.origin}, and {here} are known of"
            elif not is_last and seen <= told.size and _forks(folder, peer, note, seen):
                yield f"{peer.name} has seen other lines of {told.origin} than there are"


def _forks(folder: Path, peer: Peer, note: bytes, seen: int) -> bool:
    """Return whether a log does not continue what a witness has seen of it."""
    disk, held = FolderDisk(folder), notes.parse(note)
    size = checkpoints.parse_text(held.text).size
    try:
        client.ask(peer, held, Reader(lambda tile: audits.read_tile(disk, tile), size), seen)
    except RollbackError:
        return (seen_by(peer, note) or 0) <= size  # else it has grown meanwhile
    except CasemateError:
        pass  # it may not cosign for other reasons, which are no fork
    return False


def _known(audit: Path, witness: str) -> int | None:
    """Return how many lines of the log before a witness had seen when this one began."""
    held = read_bundle(audit / LOG)
    for data in (*held.entries, *held.pending)[:20]:
        line = decode(data)
        if line.what == f"witness {witness} {SEEN}" and line.subject.isdecimal():
            return int(line.subject)
    return None


def _first_line(folder: Path) -> Line | None:
    held = read_bundle(folder)
    lines = (*held.entries[:1], *held.pending[:1])
    return decode(lines[0]) if lines else None


def _checkpoint(folder: Path) -> bytes:
    path = folder / "checkpoint"
    return path.read_bytes() if path.exists() else b""
