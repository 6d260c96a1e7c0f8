"""The service's side: takes what waits at the broker, and acknowledges only what is durable.

A thread of its own. Of one controller one message is taken at a time, so that whose evidence takes
long to check holds up nobody else; what is held here is bounded, the rest waits at the broker.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from casemate.core.errors import CasemateError
from casemate.fleet.nats import link as links
from casemate.fleet.nats import wire
from casemate.fleet.nats.door import Door
from casemate.fleet.nats.settings import Broker

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

DURABLE = "fleet"
WORKERS = 2
"""Messages that are taken at once (planning value): the cores of a small machine."""
MOST_HELD = 32
"""Messages fetched and not yet taken (planning value)."""
ACK_WAIT_S = 120.0
"""After which the broker brings again what was not acknowledged (planning value)."""
LATER_S = 5.0
"""After which a message is brought again that could not be taken (planning value)."""
MOST_UNSETTLED = 10_000
"""Messages that are under way or put off (planning value): `wire.MOST_WAITING` of 1,250 names."""
RETRY_S = (1.0, 30.0)
"""Between tries to reach the broker: first, and longest (planning value)."""
_LOG = logging.getLogger("casemate.fleet")


def stream_config(name: str) -> Any:
    """Return the stream as it has to be: on disk, bounded as a whole and for each controller.

    It confirms nothing: a confirmation goes to the subject that the publisher names, from the
    broker itself, which may write anywhere: to another's place, or to JetStream's own commands.
    """
    from nats.js import api

    return api.StreamConfig(
        name=name, subjects=[f"{wire.EVIDENCE}.*"], storage=api.StorageType.FILE,
        retention=api.RetentionPolicy.WORK_QUEUE, discard=api.DiscardPolicy.NEW,
        discard_new_per_subject=True, max_msgs_per_subject=wire.MOST_WAITING,
        max_msg_size=wire.MOST_BYTES + 1000, max_bytes=wire.MOST_STORED_BYTES,
        no_ack=True,
    )  # fmt: skip


class Receiver:
    """Takes evidence from a broker until it is closed. failed: why it cannot now, "" if it can.

    taken, began: how many messages were taken, and connections begun.
    """

    def __init__(self, broker: Broker, door: Door, *, ack_wait_s: float = ACK_WAIT_S) -> None:
        links.installed()
        self._broker, self._door, self._ack_wait_s = broker, door, ack_wait_s
        self.failed, self.taken, self.began = "not connected yet", 0, 0
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(WORKERS, "nats-door")
        self._thread = threading.Thread(target=self._run, name="nats", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the messages that are being taken; what was fetched beyond comes again."""
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()
        with suppress(CasemateError):
            self._door.tick(all_=True)

    def _run(self) -> None:
        wait_s = RETRY_S[0]
        while not self._stop.is_set():
            try:
                asyncio.run(self._serve())
                wait_s = RETRY_S[0]
            except Exception as error:  # whatever it is, the broker is tried again
                if self.failed != str(error):
                    _LOG.error("nats: %s", error)
                self.failed = str(error) or type(error).__name__
            if self._stop.wait(wait_s):
                return
            wait_s = min(2 * wait_s, RETRY_S[1])

    async def _serve(self) -> None:
        inbox = f"{wire.INBOX}.fleet"
        async with links.connected(self._broker, inbox=inbox, name="casemate fleet") as link:
            stream = link.jetstream(timeout=links.CONNECT_S)
            await self._prepare(stream)
            from nats.js.api import AckPolicy, ConsumerConfig

            asked = ConsumerConfig(
                durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT, ack_wait=self._ack_wait_s,
                max_ack_pending=MOST_UNSETTLED, filter_subject=f"{wire.EVIDENCE}.*",
            )  # fmt: skip
            await stream.add_consumer(self._broker.stream, asked)  # one that is there is changed
            source = await stream.pull_subscribe_bind(
                DURABLE, self._broker.stream, pending_msgs_limit=2 * MOST_HELD
            )
            self.failed, self.began = "", self.began + 1
            await _Shift(self._door, self._pool, link, self).work(source, self._stop)

    async def _prepare(self, stream: JetStreamContext) -> None:
        """Make the stream if there is none; of one that is there no more is changed than has to be.

        One that confirms is not served. All else that is wrong with it `doctor` tells.
        """
        from nats.js.errors import NotFoundError

        try:
            found = await stream.stream_info(self._broker.stream)
        except NotFoundError:
            found = await stream.add_stream(stream_config(self._broker.stream))
        if not found.config.no_ack:  # of a release before
            found.config.no_ack = True
            found = await stream.update_stream(found.config)
        if not found.config.no_ack:
            raise ConnectionError("the broker's stream confirms to whom the publisher names")


class _Shift:
    """The work over one connection."""

    def __init__(
        self, door: Door, pool: ThreadPoolExecutor, link: Client, told: Receiver
    ) -> None:  # fmt: skip
        self._door, self._pool, self._link, self._told = door, pool, link, told
        self._waiting: OrderedDict[str, deque[Msg]] = OrderedDict()
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def work(self, source: Any, stop: threading.Event) -> None:
        """Fetch and take until told to stop, or the connection ends."""
        try:
            while not stop.is_set():
                if not self._link.is_connected:
                    raise ConnectionError("the broker has gone")
                room = MOST_HELD - sum(map(len, self._waiting.values())) - len(self._busy)
                if room > 0:
                    await self._fetch(source, room)
                else:
                    await asyncio.wait(self._tasks, timeout=1.0)
                self._door.tick()
        finally:
            self._waiting.clear()
            if self._tasks:
                await asyncio.wait(self._tasks)
            with suppress(Exception):
                await self._link.flush(2)

    async def _fetch(self, source: Any, room: int) -> None:
        with suppress(TimeoutError):
            for each in await source.fetch(room, timeout=0.5):
                self._waiting.setdefault(each.subject, deque()).append(each)
        self._begin()

    def _begin(self) -> None:
        """Begin with those who wait and of whom nothing is being taken, in turn."""
        for subject in list(self._waiting):
            if len(self._busy) >= WORKERS:
                return
            if subject in self._busy:
                continue
            held = self._waiting.pop(subject)
            message = held.popleft()
            if held:
                self._waiting[subject] = held  # at the end: others come first
            self._busy.add(subject)
            task = asyncio.get_running_loop().create_task(self._take(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take(self, message: Msg) -> None:
        name = wire.sender(message.subject)
        loop = asyncio.get_running_loop()
        try:
            outcome = await loop.run_in_executor(self._pool, self._door.take, name, message.data)
            if outcome.done == "later":
                await message.nak(LATER_S)
                return
            asked = wire.asked_id(message.headers)
            if outcome.answer and asked:
                to = wire.subject(wire.ANSWER, name)
                await self._link.publish(to, outcome.answer, headers={wire.ID: asked})
            await (message.ack() if outcome.done == "taken" else message.term())
            self._told.taken += outcome.done == "taken"
        except Exception as error:  # not acknowledged: it comes again
            _LOG.debug("nats: %s", error)
        finally:
            self._busy.discard(message.subject)
            self._begin()
