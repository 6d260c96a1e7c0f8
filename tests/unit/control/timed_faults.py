"""Faults of time, copies and floods, on the production writer, log and cosigner."""

from __future__ import annotations

import multiprocessing
import shutil
import threading
import time
from pathlib import Path

import numpy as np
from small_enclosure import wait_for

from casemate.attest.keys.unsafe import Fault
from casemate.control.readers import HELD, Far
from casemate.control.wires import frame
from casemate.core import suites
from casemate.core.challenge import Challenge
from casemate.core.samples import Block
from casemate.testing.evidence_day import ORIGIN, Day
from casemate.testing.faults import Found
from casemate.testing.honest_enclosure import Key
from casemate.translog import client
from casemate.translog.bundle import read_bundle
from casemate.translog.client import Peer
from casemate.translog.errors import RollbackError
from casemate.translog.log import Log
from casemate.verify import appraise
from casemate.verify.result import Result

FLOOD = 500
YEAR_S, WEEK_S = 365 * 86_400, 7 * 86_400


def judged(day: Day, folder: Path | None = None, since: list[bytes] | None = None) -> Result:
    """What the verifier makes of a day's evidence."""
    bundle = read_bundle(folder or day.evidence)
    return appraise(bundle, day.reference(), day.rule, now_s=int(day.now_s), since=since or [])


def severities(found: Result) -> set[str]:
    return {each.severity for each in found.findings}


def kinds(found: Result) -> set[str]:
    return {each.id for each in found.findings}


def clock_steps(folder: Path) -> Found:
    """The wall clock steps a year: told as such, no alarm, no state changes."""
    for number, step_s in enumerate((YEAR_S, -YEAR_S)):
        day = Day(folder / str(number))
        try:
            day.watch(900)
            day.wall_s = step_s
            day.watch(900)
            day.wall_s = 0
            day.watch(900)
            found = judged(day)
        finally:
            day.close()
        assert {"clock.step", "clock.wall"} <= kinds(found)
        assert "alarm" not in severities(found)
        assert (found.state, found.proven) == ("ARMED", found.tokens)
    return Found(points=4, found="`clock.step`, `clock.wall`: warnings; no state changed")


def partition(folder: Path, away_s: int = WEEK_S) -> Found:
    """No witness for a week: nothing is lost, the gap is told, one checkpoint catches up."""
    day = Day(folder, per_s=0.0)
    try:
        day.watch(3600)
        for each in day.links:
            each.cut = True
        day.watch(away_s)
        alone = judged(day)
        assert alone.proven < day.log.next_index
        for each in day.links:
            each.cut = False
        day.writer.fresh.set()
        day.settle()
        day.watch(3600)
        found = judged(day)
        assert found.proven == found.tokens == day.log.next_index
        gap_s = sum(each.length_s for each in found.intervals if each.kind == "unknown")
        assert away_s - 800 <= gap_s <= away_s + 800
        assert "alarm" not in severities(found) and day.rollbacks == []
    finally:
        day.close()
    return Found(points=1, found="all entries proven after it; the time between is told as unknown")


def clones(folder: Path) -> Found:
    """Two copies go on: witnesses cosign one history, and refuse the other."""
    day = Day(folder)
    try:
        day.watch(400)
        shutil.copytree(day.evidence, folder / "clone")
        day.watch(400)
        problem, found = _other(day, folder / "clone", more=True)
        assert isinstance(problem, RollbackError) and "alarm" in severities(found)
    finally:
        day.close()
    return Found(
        points=1, found="witnesses refuse the second; `log.rollback` or `log.equivocation`"
    )


def snapshot(folder: Path) -> Found:
    """The evidence is put back as it was: witnesses know more, as does a kept checkpoint."""
    day = Day(folder)
    try:
        day.watch(400)
        shutil.copytree(day.evidence, folder / "before")
        day.watch(3600)
        problem, found = _other(day, folder / "before", more=False)
        assert isinstance(problem, RollbackError)
        assert "log.rollback" in kinds(found)
    finally:
        day.close()
    return Found(points=1, found="witnesses tell it at once; `log.rollback` by a kept checkpoint")


def _other(day: Day, place: Path, *, more: bool) -> tuple[RollbackError | None, Result]:
    """What witnesses and verifier say of a copy that goes on, or stands still."""
    log = Log(place, ORIGIN, Key(suites.ED25519, "log of the day"))
    if more:
        log.append([b"of the clone"])
    try:
        asked = client.cosign(log, _peers(day))
    finally:
        log.close()
    since = [(day.evidence / "checkpoint").read_bytes()]
    return asked.rollback, judged(day, place, since)


def _peers(day: Day) -> list[Peer]:
    rows = zip(("north", "south"), day._witnesses, day.links, strict=True)
    return [Peer(name=name, keys=each.keys, asker=link) for name, each, link in rows]


def busy_signer(folder: Path) -> Found:
    """The holder fails to sign for a while: heartbeats wait, and are signed when it can again."""
    day = Day(folder, per_s=0.0)
    try:
        day.watch(400)
        day.holder.faults.add(Fault.CANNOT_SIGN)
        day.watch(400)
        day.holder.faults.discard(Fault.CANNOT_SIGN)
        day.watch(400)
        found = judged(day)
        assert kinds(found) <= {"token.silence", "token.window"}
        assert day.writer.unsigned == 0
    finally:
        day.close()
    return Found(points=1, found="no heartbeat lost; the silence between tokens is told")


def flood(_folder: Path) -> Found:
    """A reader floods: the pipe holds it back, and every block comes, in order."""
    ours, theirs = multiprocessing.Pipe()
    theirs.send_bytes(
        b'{"readers": [{"modality": "m", "chip_s": 0.1, "order": 1, "channels": []}]}'
    )
    far = Far(ours, timeout_s=5.0)
    reader = far.readers["m"]
    asked = Challenge(key=b"k" * 32, modality="m", epoch=1, chip_s=0.1, order=1)
    stream = reader.configure(asked)
    sent: list[int] = []

    def send() -> None:
        for number in range(FLOOD):
            theirs.send_bytes(frame({"modality": "m"}, _block(number)))
            sent.append(number)

    threading.Thread(target=send, daemon=True).start()
    assert wait_for(reader.blocks.full, 20.0)
    assert wait_for(lambda: _stands(sent), 20.0), "it sends on while nobody takes blocks"
    assert reader.blocks.qsize() == HELD and len(sent) < FLOOD
    came = [int(next(stream).chip[0]) for _ in range(FLOOD)]
    assert came == [10 * number for number in range(FLOOD)]
    ours.close()
    theirs.close()
    return Found(points=FLOOD, found=f"{HELD} wait here, the rest in the pipe; all came, in order")


def _stands(sent: list[int], still_s: float = 0.2) -> bool:
    before = len(sent)
    time.sleep(still_s)
    return len(sent) == before


def _block(number: int) -> Block:
    zeros, chip = np.zeros((10, 2)), 10 * number + np.arange(10)
    t_s = np.asarray(chip, dtype=np.float64)
    return Block(t_s=t_s, chip=chip, values=zeros, health=zeros.astype(np.uint16))
