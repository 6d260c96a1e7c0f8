"""The writer of evidence: from what the controller has to say to signed tokens in the log.

It runs in a thread of its own, behind a queue without an end, so that nobody who has something to
say ever waits for a signature or a disk. What the keys will not sign any more goes into the host's
log alone. `cosigner` has checkpoints cosigned.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from casemate.attest import beats, token
from casemate.attest import claims as c
from casemate.attest.keys.protocol import CustodyError, KeyHolder, Quoting
from casemate.attest.token import CheckpointRef, Judgement, SensorHealth, Token
from casemate.control.batches import growing_s
from casemate.core.errors import CasemateError
from casemate.core.suites import DEFAULT_SUITE, Suite
from casemate.translog.log import Log

BEAT_MS = 1000
_FAR_MS = 30_000
"""A heartbeat that is later than this begins a batch of its own; the format ends at 32767."""

Signed = Callable[[bytes], None]
"""Told the bytes of a token, once they are durable."""
Lost = Callable[[], None]
"""Told that what was to be signed is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is the same in all tokens. software: digest of what runs."""

    enclosure: str
    serial: str
    software: bytes
    suite: Suite = DEFAULT_SUITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What holds when something is said."""

    state: str
    anchor: bytes
    uptime_ms: int
    time_s: int
    verdict: Judgement | None = None
    health: SensorHealth | None = None
    permit: bytes = b""
    """Of the permit in use, b"" if none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """New keys, or those of the start before: say the boot token."""

    holder: KeyHolder
    reason: str
    at: Moment
    components: tuple[tuple[str, bytes], ...] = ()
    unwatched: tuple[str, ...] = ()
    then: Callable[[int], None] | None = None
    """Told the boot token's sequence, once it is durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A token with this body; written at once, after heartbeats that wait.

    One of `then` and `lost` is called, in the writer's thread.
    """

    body: c.Body
    at: Moment
    then: Signed | None = None
    lost: Lost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A heartbeat; many wait for one token."""

    verdict: str
    health: int
    centinats: int
    information: int
    at: Moment


@dataclass(frozen=True, slots=True)
class Do:
    """Write what waits, then call this in the writer's thread. It may raise OSError."""

    call: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Keep:
    """Call this in the writer's thread, before what follows; heartbeats go on waiting."""

    call: Callable[[], None]


Item = Begin | Say | Beat | Do | Keep


class Writer:
    """Writes tokens into a log. `put` never waits.

    previous: the log's last token, b"" if it has none. boots: starts that it tells of. batch_s:
    that heartbeats wait at most. tell: gets a line about what was not signed or written.
    """

    def __init__(
        self,
        log: Log,
        place: Place,
        *,
        previous: bytes,
        boots: int,
        batch_s: int,
        tell: Callable[[str], None],
    ) -> None:
        self._log, self._place, self._tell, self._batch_s = log, place, tell, batch_s
        self._previous, self._boots = previous, boots
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._holder: KeyHolder | None = None
        self._beats: list[Beat] = []
        self._head, self._count, self._last_ms, self._batches = b"", 0, 0, 0
        self._state, self._anchor, self._permit = "", b"", b""
        self.known: CheckpointRef | None = None
        self.named = 0
        """Size of the checkpoint that the last token names."""
        self._begun = 1 << 63
        self.failed = ""
        self.tokens = self.unsigned = self.bytes = 0
        self.fresh = threading.Event()
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)
        self._thread.start()

    @property
    def seen(self) -> bool:
        """Return whether a quorum has cosigned the start that named the keys in use.

        Parties commission no history that the log's owner could still exchange for another.
        """
        return self.known is not None and self.known.size > self._begun

    def put(self, item: Item) -> None:
        """Take something to say."""
        self._queue.put(item)

    def close(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            self._guarded(item)
        self._guarded(Do(self._lose_beats))

    def _guarded(self, item: Item) -> None:
        try:
            self._take(item)
        except CustodyError as error:
            self.unsigned += 1
            self._tell(f"not signed: {error.message}")
        except (CasemateError, OSError) as error:
            self.failed = str(error)
            self._tell(f"evidence cannot be written: {error}")

    def _take(self, item: Item) -> None:
        if isinstance(item, Beat):
            self._beat(item)
            return
        if isinstance(item, Keep):
            item.call()
            return
        try:
            self._write_beats()
        except CustodyError:  # they wait: what comes next may be what can still carry them
            if not isinstance(item, Say | Do):
                self._lose_beats()
        if isinstance(item, Begin):
            self._begin(item)
        elif isinstance(item, Say):
            self._say(item)
        else:
            item.call()

    def _say(self, item: Say) -> None:
        """Write it; a change begins where evidence has left off, if one was not signed."""
        body = item.body
        if isinstance(body, c.Change):
            if body.after == self._state:
                return
            body = replace(body, before=self._state or body.before)
        made = (item.at.state, item.at.anchor, item.at.permit)
        if isinstance(body, c.LastWord):
            body = replace(body, waiting=self._waiting())
        try:
            if isinstance(body, c.Payload) and made != (self._state, self._anchor, self._permit):
                raise CustodyError(
                    "payload that was made in another state is not signed.", remedy="make it anew."
                )
            data = self._write(body, item.at)
        except (CasemateError, OSError):
            if item.lost is not None:
                item.lost()
            raise
        if isinstance(body, c.LastWord):
            self._beats = []
        elif self._beats and isinstance(body, c.Change):
            self._write_beats(item.at)  # sealed keys sign them in the state that follows
        if item.then is not None:
            item.then(data)

    def _lose_beats(self) -> None:
        """Say that heartbeats stay unsigned: nothing is left that could carry them."""
        if self._beats:
            self.unsigned += 1
            self._tell(f"{len(self._beats)} heartbeats stay unsigned")
            self._beats = []

    def _begin(self, item: Begin) -> None:
        self._holder, self._boots = item.holder, self._boots + 1
        body = c.Boot(
            suite=self._place.suite.name,
            keys=item.holder.public(),
            last_word=item.holder.last_public(),
            reason=item.reason,
            components=item.components,
            unwatched=item.unwatched,
        )
        self._head, self._count, self._batches = beats.start(self._write(body, item.at)), 0, 0
        self._begun = self._log.next_index - 1
        if item.then is not None:
            item.then(self._log.next_index - 1)

    def _beat(self, item: Beat) -> None:
        full = len(self._beats) >= beats.MOST_BEATS
        if self._beats and (full or abs(self._late_ms(item, len(self._beats))) > _FAR_MS):
            try:
                self._write_beats()
            finally:
                self._lose_beats()
        self._beats.append(item)
        wait_ms = 1000 * growing_s(self._batches, self._batch_s)
        if item.at.uptime_ms - self._last_ms >= wait_ms - BEAT_MS:
            with suppress(CustodyError):  # they wait for a state that its keys may sign
                self._write_beats()

    def _late_ms(self, item: Beat, number: int) -> int:
        return item.at.uptime_ms - self._beats[0].at.uptime_ms - number * BEAT_MS

    def _write_beats(self, at: Moment | None = None) -> None:
        """Write heartbeats that wait; at: of a later moment, if not that of the last of them."""
        body = self._waiting()
        if body is None:
            return
        self._write(body, at or self._beats[-1].at)
        self._head, self._count = body.head, self._count + len(self._beats)
        self._beats, self._batches = [], self._batches + 1

    def _waiting(self) -> c.Heartbeats | None:
        """Return the batch of heartbeats that wait for a signature."""
        if not self._beats:
            return None
        packed = [
            beats.Beat(
                late_ms=self._late_ms(each, number),
                verdict=each.verdict,
                health=each.health,
                centinats=each.centinats,
                information=each.information,
            )
            for number, each in enumerate(self._beats)
        ]
        return beats.batch(
            packed, first=self._count, start_ms=self._beats[0].at.uptime_ms, period_ms=BEAT_MS,
            head=self._head,
        )  # fmt: skip

    def _write(self, body: c.Body, at: Moment) -> bytes:
        """Sign and append a token; return its bytes."""
        known = self.known
        data = self._signed(body, at, known)
        self._log.append([data])
        self._previous, self._state = data, at.state
        self._anchor, self._permit = at.anchor, at.permit
        self._last_ms = at.uptime_ms
        self.tokens, self.bytes = self.tokens + 1, self.bytes + len(data)
        self.fresh.set()
        if known is not None and known.size > self.named:
            # no token names what lies between any more, and this one bounds it as well
            before, self.named = self.named, known.size
            self._log.prune_witnessed(before, known.size)
        return data

    def _signed(self, body: c.Body, at: Moment, known: CheckpointRef | None) -> bytes:
        if self._holder is None:
            raise CustodyError("there are no keys.", remedy="commission the enclosure.")
        place = self._place
        said = self._quoted(
            Token(
                enclosure=place.enclosure,
                serial=place.serial,
                boot=self._boots,
                sequence=self._log.next_index,
                previous=place.suite.digest(self._previous) if self._previous else b"",
                uptime_s=at.uptime_ms // 1000,
                state=at.state,
                software=place.software,
                body=body,
                time_s=at.time_s,
                checkpoint=known,
                verdict=at.verdict,
                health=at.health,
                anchor=at.anchor,
                permit=at.permit,
            )
        )
        payload = token.encode(said)
        if isinstance(body, c.LastWord):
            keys, sign = self._holder.last_public(), self._holder.last_word
        else:
            keys, sign = self._holder.public(), self._holder.sign
        return token.assemble(payload, keys, sign(token.messages(payload, keys)))

    def _quoted(self, said: Token) -> Token:
        """Return a boot token with its TPM's quote, others as they are. No quote is no silence."""
        if not isinstance(said.body, c.Boot) or not isinstance(self._holder, Quoting):
            return said
        try:
            quote = self._holder.quote(self._place.suite.digest(token.unquoted(said)), said.nonce)
        except CustodyError as error:
            self._tell(f"a start without the TPM's quote: {error.message}")
            return said
        return replace(said, body=replace(said.body, quote=quote))
