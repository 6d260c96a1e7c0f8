"""What a host does to heartbeats and payload."""

from __future__ import annotations

from casemate.attest import beats
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import Shown, Table, show, story

HEARTBEATS = Table()


@HEARTBEATS.attack("beats.chain", "make heartbeats up that do not follow from those before")
def make_up_heartbeats() -> Shown:
    told = story()
    told.head = b"\x01" * 32
    honest.watch(told)
    return show(told)


@HEARTBEATS.attack("beats.chain", "leave a batch of heartbeats out and number on")
def skip_heartbeats() -> Shown:
    told = story()
    told.watch(heartbeats={"first": told.beats + 60})
    told.seal()
    return show(told)


@HEARTBEATS.attack("beats.missing", "stop the heartbeats for ten seconds")
def miss_heartbeats() -> Shown:
    told = story()
    told.watch(miss=10)
    told.seal()
    return show(told)


@HEARTBEATS.attack("beats.missing", "sign frames, and no heartbeats any more")
def only_frames() -> Shown:
    told = story()
    for _ in range(4):
        told.now_s += 60
        told.frames()
        told.seal()
    return show(told)


@HEARTBEATS.attack("beats.period", "beat every ten seconds only")
def beat_slowly() -> Shown:
    told = story()
    told.watch(miss=54, heartbeats={"start_ms": told.beat_ms + 10_000, "period_ms": 10_000})
    told.seal()
    return show(told)


@HEARTBEATS.attack("payload.order", "sell frames of before as new ones")
def repeat_frames() -> Shown:
    told = story()
    told.items -= 10
    told.frames()
    told.seal()
    return show(told)


@HEARTBEATS.attack("payload.order", "suppress the first frames of a stream")
def drop_the_first_frames() -> Shown:
    told = honest.armed(0)
    told.items = 25
    honest.watch(told)
    return show(told)


@HEARTBEATS.attack("beats.ahead", "sign the heartbeats of ten minutes after one")
def beat_ahead() -> Shown:
    told = story()
    told.now_s += 60
    beat = beats.Beat(late_ms=3, verdict="NORMAL", health=0, centinats=3, information=900)
    start_ms = told.beat_ms + 1000
    told.token(
        beats.batch(
            [beat] * 600, first=told.beats, start_ms=start_ms, period_ms=1000, head=told.head
        )
    )
    told.seal()
    for _ in range(3):
        told.now_s += 60
        told.frames()
        told.seal()
    return show(told)
