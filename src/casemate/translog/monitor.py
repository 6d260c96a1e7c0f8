"""What one state sees of a log over time: does it go on, forwards, and as one story? Pure.

Each state keeps its own `Seen` and feeds it the checkpoints that reach it, and the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from casemate.core.errors import CasemateError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import guilt as guilts
from casemate.translog import merkle
from casemate.translog import policy as policies
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.errors import TreeError
from casemate.translog.guilt import Guilt
from casemate.translog.note import NoteKey
from casemate.translog.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The last checkpoint that was good, its quorum time, and when it reached us (Unix s).

    started_s: when watching began; silence counts from it until the first checkpoint.
    """

    started_s: int
    checkpoint: bytes = b""
    stated: Checkpoint | None = None
    by_s: int = 0
    reached_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong: `id` is dotted; `guilt` can be shown to others where there is one."""

    id: str
    text: str
    guilt: Guilt | None = None


def observe(
    seen: Seen,
    data: bytes,
    policy: Policy,
    *,
    now_s: int,
    hashes: Sequence[bytes] = (),
    logs: Sequence[NoteKey] = (),
) -> tuple[Seen, tuple[Alarm, ...]]:
    """Return what is known after a checkpoint has arrived, and what is wrong with it.

    hashes: the consistency proof from the last one. A checkpoint with an alarm changes nothing.
    """
    try:
        stated, note = checkpoints.parse(data)
        met = policies.check(policy, note, logs=logs)
    except CasemateError as error:
        return seen, (Alarm(id="log.refused", text=error.message),)
    by_s = met.by_s or 0
    alarm = _compare(seen, data, stated, hashes)
    if alarm is None and by_s < seen.by_s:
        alarm = Alarm(
            id="log.rollback", text=f"the quorum time went back from {seen.by_s} to {by_s}."
        )
    if alarm is not None:
        return seen, (alarm,)
    after = replace(seen, checkpoint=data, stated=stated, by_s=by_s, reached_s=now_s)
    return after, ()


def overdue(seen: Seen, *, now_s: int, deadline_s: int) -> tuple[Alarm, ...]:
    """Return the alarm of a log that stands still: no quorum time within `deadline_s` of now.

    A checkpoint that reaches us late counts by its quorum time, so an old one is no sign of life.
    """
    last_s = seen.by_s if seen.stated is not None else seen.started_s
    if now_s - last_s <= deadline_s:
        return ()
    size = seen.stated.size if seen.stated is not None else 0
    return (
        Alarm(
            id="log.frozen",
            text=f"no checkpoint was cosigned for {now_s - last_s} s, at size {size}; "
            f"{deadline_s} s are allowed.",
        ),
    )


def _compare(seen: Seen, data: bytes, stated: Checkpoint, hashes: Sequence[bytes]) -> Alarm | None:
    last = seen.stated
    if last is None:
        return None
    if stated.origin != last.origin:
        return Alarm(id="log.origin", text=f"it is of {stated.origin}, not of {last.origin}.")
    if stated.size == last.size and stated.root != last.root:
        found = guilts.find(seen.checkpoint, data)
        return Alarm(id="log.split-view", text=f"two roots at size {last.size}.", guilt=found)
    if stated.size < last.size:
        return Alarm(
            id="log.rollback", text=f"the log went back from size {last.size} to {stated.size}."
        )
    try:
        merkle.check_consistency(last.size, stated.size, hashes, last.root, stated.root)
    except TreeError as error:
        return Alarm(
            id="log.split-view",
            text=f"size {stated.size} is not shown to continue size {last.size}: {error.message}",
        )
    return None
