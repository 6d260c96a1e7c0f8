"""Bodies of tokens to maps and back. Keys are small integers, numbered from 1 in each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from casemate.attest._fields import DIGESTS, Fields, named, refuse, text
from casemate.attest.beats import BEAT_BYTES, HEAD_BYTES, MOST_BEATS, sound
from casemate.attest.claims import (
    ACTS,
    STATES,
    Body,
    Boot,
    Change,
    Heartbeats,
    LastWord,
    Payload,
    PermitUse,
    Quote,
)
from casemate.core.suites import SUITES, PublicKey

MOST_ITEMS = 2**32
"""In one payload token."""
MOST_QUOTE = 1024
"""Bytes of each part of a quote; a TPM's are of some 130 and 70."""
MOST_PLACES = 64
"""That are named as not watched; an enclosure has some ten faces (planning value)."""


def write(body: Body) -> dict[int, Any]:
    """Return the map of a body."""
    match body:
        case Boot():
            parts = dict(body.components)
            return named(
                {1: body.suite, 2: _cose(body.keys), 3: _cose(body.last_word), 4: body.reason,
                 5: parts or None,
                 6: [body.quote.attest, body.quote.signature] if body.quote else None,
                 7: list(body.unwatched) or None}
            )  # fmt: skip
        case Change():
            return named(
                {1: body.before, 2: body.after, 3: body.reason, 4: body.detail,
                 5: body.inventory}
            )  # fmt: skip
        case Heartbeats():
            return _beaten(body)
        case Payload():
            return {1: body.stream, 2: body.first, 3: body.count, 4: body.root}
        case PermitUse():
            return named(
                {1: body.act, 2: body.permit, 3: body.signed, 4: body.module, 5: body.anchor,
                 6: _cose(body.keys) or None, 7: body.note, 8: body.inventory}
            )  # fmt: skip
        case LastWord():
            waiting = _beaten(body.waiting) if body.waiting else None
            return named({1: body.reason, 2: body.erased_us, 3: waiting})


def read(kind: str, value: object) -> Body:
    """Return the body of a token of that kind; FormatError unless it is what `write` gives."""
    fields = Fields(value, f"the body of a token of kind {kind}")
    body = _READ[kind](fields)
    fields.done()
    return body


def _boot(f: Fields) -> Boot:
    suite, keys, last_word = f.choice(1, tuple(SUITES)), f.keys(2), f.keys(3)
    algorithms = SUITES[suite].algorithms
    for each in (keys, last_word):
        if tuple(key.alg for key in each) != algorithms:
            refuse("a boot token", f"has keys that are not those of suite {suite}")
    if set(keys) & set(last_word):
        refuse("a boot token", "uses one key for evidence and for the last word")
    reason, components = f.text(4), []
    if f.has(5):
        parts = f.take(5)
        inner = Fields(parts, "the list of measured software")
        for name in list(parts):
            text(name, "the list of measured software", "name")
            components.append((name, inner.octets(name, *DIGESTS)))
        if not components:
            refuse("the list of measured software", "is there, but empty")
    return Boot(
        suite=suite,
        keys=keys,
        last_word=last_word,
        reason=reason,
        components=tuple(sorted(components)),
        quote=_quote(f.array(6, 2, 2)) if f.has(6) else None,
        unwatched=_places(f.array(7, 1, MOST_PLACES)) if f.has(7) else (),
    )


def _places(names: list[Any]) -> tuple[str, ...]:
    """Return names of places that are not watched; FormatError unless sorted, each once."""
    what = "the list of what is not watched"
    found = tuple(text(each, what, "name") for each in names)
    if sorted(set(found)) != list(found):
        refuse(what, "is not sorted, or names a place twice")
    return found


def _quote(parts: list[Any]) -> Quote:
    """Return the quote of [attest, signature]; whether it is one is for its own check to say."""
    if any(type(each) is not bytes or not 0 < len(each) <= MOST_QUOTE for each in parts):
        refuse("a boot token's quote", f"is not two times 1 to {MOST_QUOTE} bytes")
    return Quote(attest=parts[0], signature=parts[1])


def _change(f: Fields) -> Change:
    body = Change(
        before=f.choice(1, STATES),
        after=f.choice(2, STATES),
        reason=f.text(3),
        detail=f.digest(4),
        inventory=f.digest(5),
    )
    if body.inventory and (body.before, body.after) != ("COMMISSIONING", "ARMED"):
        refuse("a change of state", "names an inventory, and commissions nothing")
    return body


def _heartbeats(f: Fields) -> Heartbeats:
    first, start_ms, period_ms = f.number(1), f.number(2), f.number(3, 3_600_000)
    beats, head = f.octets(4), f.octets(5, HEAD_BYTES)
    count, rest = divmod(len(beats), BEAT_BYTES)
    if rest or not 1 <= count <= MOST_BEATS or period_ms < 1:
        refuse("a batch of heartbeats", f"has not 1 to {MOST_BEATS} of {BEAT_BYTES} bytes")
    body = Heartbeats(first=first, start_ms=start_ms, period_ms=period_ms, beats=beats, head=head)
    sound(body)
    return body


def _payload(f: Fields) -> Payload:
    body = Payload(
        stream=f.text(1),
        first=f.number(2),
        count=f.number(3, MOST_ITEMS),
        root=f.octets(4, *DIGESTS),
    )
    if body.count < 1:
        refuse("a payload token", "covers no item")
    return body


def _permit(f: Fields) -> PermitUse:
    act = f.choice(1, ACTS)
    use = PermitUse(
        act=act,
        permit=f.digest(2),
        signed=f.octets(3) if act == "logged" else b"",
        module=f.text(4) if f.has(4) else "",
        anchor=f.digest(5),
        keys=f.keys(6) if f.has(6) else (),
        note=f.text(7) if f.has(7) else "",
        inventory=f.digest(8),
    )
    if (act == "emergency") == bool(use.permit):
        refuse("a permit's token", "names no permit, or one in an emergency")
    if act == "logged" and not use.signed:
        refuse("a permit's token", "has an empty permit")
    if (act == "re-anchored") != bool(use.anchor):
        refuse("a permit's token", "has a new anchor without re-anchoring, or the reverse")
    if use.inventory and not use.anchor:
        refuse("a permit's token", "has a new inventory without re-anchoring")
    return use


def _last(f: Fields) -> LastWord:
    reason, erased_us, waiting = f.text(1), f.number(2), None
    if f.has(3):
        inner = Fields(f.take(3), "the heartbeats of a last word")
        waiting = _heartbeats(inner)
        inner.done()
    return LastWord(reason=reason, erased_us=erased_us, waiting=waiting)


_READ: dict[str, Callable[[Fields], Body]] = {
    "boot": _boot,
    "state": _change,
    "heartbeats": _heartbeats,
    "payload": _payload,
    "permit": _permit,
    "last": _last,
}
KINDS = tuple(_READ)


def kind_of(body: Body) -> str:
    """Return the kind of a token with that body."""
    kinds: dict[type, str] = {
        Boot: "boot",
        Change: "state",
        Heartbeats: "heartbeats",
        Payload: "payload",
        PermitUse: "permit",
        LastWord: "last",
    }
    return kinds[type(body)]


def _beaten(body: Heartbeats) -> dict[int, Any]:
    return {1: body.first, 2: body.start_ms, 3: body.period_ms, 4: body.beats, 5: body.head}


def _cose(keys: tuple[PublicKey, ...]) -> list[dict[int, Any]]:
    return [key.as_cose() for key in keys]
