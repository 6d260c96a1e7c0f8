"""Heartbeats: nine bytes each, chained by hash, many under one pair of signatures.

A chain begins at a value that the boot token fixes, goes on through all batches of that boot, and
its head can be shown at any second before the batch is signed: the enclosure is bound by it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from casemate.attest.claims import VERDICTS, Body, Heartbeats, LastWord
from casemate.core.errors import FormatError

_BEAT = struct.Struct(">hBHHH")
BEAT_BYTES = _BEAT.size
HEAD_BYTES = 32
_VERDICTS = bytes(range(len(VERDICTS)))
HOLD_UP = 1 << 15
"""In the health of a beat, beside flags of sensors: the supply is cut, and it runs on hold-up."""
INVENTORY = 1 << 14
"""Likewise: what a rack consists of is not what both parties have signed, or is not read."""
MOST_BEATS = 3600
"""In one token: an hour at one a second, 32 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One heartbeat.

    late_ms: uptime less start_ms + i period_ms, in -32767 .. 32767. verdict: one of VERDICTS.
    health: union of Health flags of all channels since the last beat. nats: evidence of a change,
    hundredths of a nat. information: what an attack of the reaction time could show, hundredths
    of a nat. Both end at 65535, which says "or more".
    """

    late_ms: int
    verdict: str
    health: int
    centinats: int
    information: int


def start(boot_token: bytes) -> bytes:
    """Return the head before the first heartbeat of a boot, from the boot token's bytes."""
    return hashlib.sha256(b"casemate heartbeats\n" + boot_token).digest()


def pack(beat: Beat) -> bytes:
    """Return the nine bytes of a beat; FormatError if one of its numbers does not fit."""
    try:
        verdict = VERDICTS.index(beat.verdict)
        if beat.late_ms == -32_768:
            raise ValueError
        return _BEAT.pack(beat.late_ms, verdict, beat.health, beat.centinats, beat.information)
    except (ValueError, struct.error):
        raise FormatError(
            "a heartbeat has a number that does not fit.",
            remedy="clip evidence and information at 65535; close the batch if a beat is too late.",
        ) from None


def chain(head: bytes, packed: bytes) -> bytes:
    """Return the head after the beats in `packed` (BEAT_BYTES each)."""
    for at in range(0, len(packed), BEAT_BYTES):
        head = hashlib.sha256(head + packed[at : at + BEAT_BYTES]).digest()
    return head


def batch(
    beats: Sequence[Beat], *, first: int, start_ms: int, period_ms: int, head: bytes
) -> Heartbeats:
    """Return the batch of `beats`, whose chain goes on from `head`."""
    packed = b"".join(map(pack, beats))
    return Heartbeats(
        first=first,
        start_ms=start_ms,
        period_ms=period_ms,
        beats=packed,
        head=chain(head, packed),
    )


def unpack(body: Heartbeats) -> tuple[Beat, ...]:
    """Return the beats of a batch; FormatError on a verdict or time that there is not."""
    sound(body)
    return tuple(
        Beat(
            late_ms=late_ms,
            verdict=VERDICTS[verdict],
            health=health,
            centinats=centinats,
            information=information,
        )
        for late_ms, verdict, health, centinats, information in _BEAT.iter_unpack(body.beats)
    )


def sound(body: Heartbeats) -> None:
    """Check that each packed beat means something; FormatError."""
    unknown = body.beats[2::BEAT_BYTES].translate(None, _VERDICTS)
    high = body.beats[::BEAT_BYTES]
    if unknown or (0x80 in high and (0x80, 0) in zip(high, body.beats[1::BEAT_BYTES], strict=True)):
        raise FormatError(
            "a heartbeat has an unknown verdict or time.",
            remedy="obtain the token again from its source.",
        )


def of(body: Body) -> Heartbeats | None:
    """Return the heartbeats that a body is, or that wait in a last word."""
    return body.waiting if isinstance(body, LastWord) else (
        body if isinstance(body, Heartbeats) else None
    )  # fmt: skip
