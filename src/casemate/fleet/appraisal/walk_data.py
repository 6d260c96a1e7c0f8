"""An appraisal that was walked, written down as data, and taken up again where it stood.

What is written is plain: numbers, texts, bytes, lists, and values of the types named here. Reading
makes nothing else. Which attributes make up a walk is listed, and a test holds the lists against
the verifier's own classes: none can be added there and be forgotten here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from casemate.attest.permit import Permit
from casemate.attest.quote import Clock
from casemate.attest.token import CheckpointRef
from casemate.attest.tpm_values import Pcr, Tpm
from casemate.core import cbor
from casemate.core.errors import CasemateError, FormatError
from casemate.core.suites import PublicKey
from casemate.verify import tokens
from casemate.verify.continuity import Interval
from casemate.verify.findings import Finding
from casemate.verify.log import Seal
from casemate.verify.tokens import Step

if TYPE_CHECKING:
    from casemate.fleet.appraisal.appraiser import Appraiser

FORMAT = 3
MOST_BYTES = 64_000_000
"""Of a walk (planning value): a million tokens."""
KEPT: dict[str, tuple[str, ...]] = {
    "walk": ("now_s", "stretches", "_broken", "_is_bad"),
    "book": ("_found", "alarms", "_token", "_at_s"),
    "states": ("_said", "unwatched", "_running", "_anchor", "_inventory", "_over", "_streams",
               "state", "why"),
    "permits": ("_valid", "_done", "_enrolment", "_commissioned", "open", "_ended", "emergency",
                "_until_s"),
    "identity": ("last_word",),
    "starts": ("_bound", "_latest"),
    "chain": ("_last", "_next", "_boot", "_known"),
    "window": ("_lower", "_at"),
    "clocks": ("halted", "_uptime", "_begun", "_first", "_last", "_offset"),
    "pulse": ("_head", "_next", "_end_ms", "_zero_s"),
    "ledger": ("_named", "waiting"),
    "appraiser": ("_unheard", "_kept", "_forgotten"),
    "odd": ("_of", "_old"),
    "awaiting": ("_of", "_proofs", "_first"),
    "sealed": ("_own", "_late", "_count", "_most"),
}  # fmt: skip
"""What is written of each part as it is."""
MADE: dict[str, tuple[str, ...]] = {
    "walk": ("reference", "log", "book", "states", "permits", "last", "_identity", "_starts",
             "_chain", "_window", "_clocks", "_pulse"),
    "book": (),
    "states": ("_book", "_software", "_parts", "_anchors", "_inventories"),
    "permits": ("_reference", "_unit", "_log", "_book"),
    "identity": ("_reference", "_unit", "_book"),
    "starts": (),
    "chain": ("_roots", "_origin", "_book", "_places"),
    "window": ("_log",),
    "clocks": ("_book", "_timing"),
    "pulse": ("_timing", "_book", "_room_ms"),
    "ledger": ("_origin", "_policy", "book", "_sets", "_keys", "roots", "echoes", "frontier"),
    "appraiser": ("reference", "policy", "unit", "_load", "walked", "irregular", "ledger",
                  "_seals", "_view", "_walk", "_waiting", "_newest", "_notes", "_entry", "_places",
                  "work", "_odd", "_sealed", "_awaiting", "_dropped", "_written", "_walking"),
    "odd": (),
    "awaiting": (),
    "sealed": ("held",),
}  # fmt: skip
"""What follows from trust, or is written in a form of its own."""
_TYPES: dict[str, type[Any]] = {
    each.__name__: each
    for each in (Interval, Finding, Permit, CheckpointRef, PublicKey, Tpm, Pcr, Clock, Seal)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A walk as it was written, and what has come since.

    waiting: the entries that were here and not settled. entries, notes: those that came later.
    """

    data: bytes
    waiting: tuple[bytes, ...]
    entries: tuple[bytes, ...]
    notes: tuple[bytes, ...]


def parts(held: Appraiser) -> dict[str, Any]:
    """Return the objects that make up an appraisal, by the names used here."""
    walk = held._walk
    return {
        "walk": walk, "book": walk.book, "states": walk.states, "permits": walk.permits,
        "identity": walk._identity, "starts": walk._starts, "chain": walk._chain,
        "window": walk._window, "clocks": walk._clocks, "pulse": walk._pulse,
        "ledger": held.ledger, "appraiser": held, "odd": held._odd,
        "awaiting": held._awaiting, "sealed": held._sealed,
    }  # fmt: skip


def settled(held: Appraiser) -> int:
    """Return how many entries are walked through for good."""
    return held.size - len(held._waiting)


def write(held: Appraiser) -> bytes:
    """Return a walk as data. Only of one in which all is plain (not `irregular`)."""
    last, edge = held._walk.last, held.ledger.frontier
    rows = {
        name: [_plain(getattr(part, each)) for each in KEPT[name]]
        for name, part in parts(held).items()
    }
    return cbor.encode(
        {
            "format": FORMAT,
            "parts": rows,
            "last": None if last is None else _step(last),
            "places": held._places.written(),
            "edge": [edge.size, list(edge.peaks)],
            "roots": _plain(held.ledger.roots),
            "echoes": _plain(held.ledger.echoes),
            "seals": _plain(held._seals),
            "notes": [each.data for size in sorted(held._notes) for each in held._notes[size]],
            "newest": held._newest.data if held._newest is not None else b"",
        }
    )


def resume(held: Appraiser, saved: Saved) -> None:
    """Put an appraiser that has just begun where one was that was written.

    FormatError if the data are none: begin anew then.
    """
    from casemate.fleet.appraisal.notes import read_note

    try:
        row = cbor.decode(saved.data, most=MOST_BYTES)
        if row["format"] != FORMAT:
            raise ValueError("of another format")
        for name, part in parts(held).items():
            for each, value in zip(KEPT[name], row["parts"][name], strict=True):
                setattr(part, each, _value(value))
        held._walk.last = None if row["last"] is None else _as_step(held, row["last"])
        held._places.read(row["places"])
        held.ledger.frontier.size, held.ledger.frontier.peaks = row["edge"]
        held.ledger.roots.update(_value(row["roots"]))
        held.ledger.echoes.update(_value(row["echoes"]))
        held._seals.extend(_value(row["seals"]))
        for note in map(read_note, row["notes"]):
            held._notes.setdefault(note.stated.size, []).append(note)
        held._newest = read_note(row["newest"]) if row["newest"] else None
        first = held.size - len(saved.waiting)
        held._waiting = held.numbered(saved.waiting, first)
    except (CasemateError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise FormatError(
            f"a walk cannot be taken up: {error}.", remedy="it is walked anew."
        ) from None


def _step(last: Step) -> list[Any]:
    return [last.index, last.data, last.digest, last.when_s, last.lower_s, last.upper_s, last.at_s]


def _as_step(held: Appraiser, row: list[Any]) -> Step:
    index, data, digest, when_s, lower_s, upper_s, at_s = row
    token = tokens.read([data])[0].token
    if token is None:
        raise ValueError("the last token is none")
    return Step(
        index=index, data=data, digest=digest, token=token,
        enrolment=held.unit.enrolment(token.sequence), when_s=when_s, lower_s=lower_s,
        upper_s=upper_s, at_s=at_s,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """Return a value in lists that begin with what they are."""
    if value is None or type(value) in (bool, int, str, bytes):
        return value
    if type(value) is float:
        if not math.isinf(value):
            raise TypeError(f"{value} is not written")
        return ["f", value > 0]
    if type(value) in (list, tuple):
        return ["l" if type(value) is list else "t", *map(_plain, value)]
    if type(value) is set:
        return ["s", *sorted(map(_plain, value), key=repr)]
    if type(value) is dict:
        return ["d", *([_plain(key), _plain(each)] for key, each in value.items())]
    kind = type(value)
    if _TYPES.get(kind.__name__) is not kind:
        raise TypeError(f"{kind.__name__} is not written")
    return [kind.__name__, *(_plain(getattr(value, each.name)) for each in _fields(kind))]


def _value(value: Any) -> Any:
    if type(value) is not list:
        return value
    name, *rest = value
    if name == "f":
        return math.inf if rest[0] else -math.inf
    if name == "d":
        return {_value(key): _value(each) for key, each in rest}
    found = [_value(each) for each in rest]
    if name in ("l", "t", "s"):
        return {"l": list, "t": tuple, "s": set}[name](found)
    kind = _TYPES[name]
    names = [each.name for each in _fields(kind)]
    return kind(**dict(zip(names, found, strict=True)))


def _fields(kind: type[Any]) -> list[Any]:
    return [each for each in fields(kind) if each.init]
