"""The controller's side: brings an evidence folder to the broker, and hears what the service says.

The broker confirms nothing, for nobody would know to whom: only the service's answer, after its
commit, is an acknowledgement. Until it comes, evidence stays where it is, and is brought again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from casemate.core.errors import InputError, ReaderError
from casemate.core.progress import Work
from casemate.fleet.access import certificates
from casemate.fleet.intake.ingest import Submission, encode
from casemate.fleet.intake.push import Answer, parts_of
from casemate.fleet.nats import link as links
from casemate.fleet.nats import wire
from casemate.fleet.nats.settings import PORT, Broker
from casemate.fleet.outlets.settings import Tls
from casemate.translog.bundle import read_bundle

ANSWER_S = 10.0
"""That an answer is waited for (planning value)."""
AGAIN_S = 60.0
"""After which what was not answered is brought again (planning value)."""
ASK = b""


class NatsPusher:
    """Brings one folder by one broker. url: tls://HOST[:PORT]. identity: as for `Pusher`."""

    def __init__(
        self, folder: Path, url: str, identity: Path, *, stream: str = "CASEMATE",
        clock: Callable[[], float] = time.monotonic, answer_s: float = ANSWER_S,
    ) -> None:  # fmt: skip
        links.installed()
        parts = urlsplit(url)
        if parts.scheme != "tls" or not parts.hostname:
            raise InputError("this is no address.", remedy="use tls://.", key="--to", value=url)
        names = (certificates.CA, certificates.CERTIFICATE, certificates.KEY)
        ca, certificate, key = (str(identity / each) for each in names)
        tls = Tls(ca=ca, certificate=certificate, key=key)
        try:
            tls.context()
            held = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(
                f"the identity cannot be read: {error}.",
                remedy="name the folder that `casemate fleet add` made.", file=str(identity),
            ) from None  # fmt: skip
        self._broker = Broker(
            host=parts.hostname, port=parts.port or PORT, stream=stream, tls=tls
        )  # fmt: skip
        self._name = held.fingerprint(hashes.SHA256()).hex()
        self._folder, self._clock, self._answer_s = folder, clock, answer_s
        self._next: int | None = None
        self._ahead, self._ahead_at_s = 0, 0.0
        self._sent: set[bytes] = set()

    def once(self, work: Work | None = None) -> Answer:
        """Bring all that is new, and return the last answer. ReaderError if none comes."""
        return asyncio.run(self._once(work or Work("push")))

    async def _once(self, work: Work) -> Answer:
        work.stage("reading the evidence", counted=False)
        held = read_bundle(self._folder)
        inbox = f"{wire.INBOX}.{self._name}"
        async with links.connected(self._broker, inbox=inbox, name=self._name[:16]) as link:
            talk = _Talk(link, self._name, self._answer_s)
            await talk.begin()
            first = self._from()
            if first is None or not (parts := self._parts(held, first)):
                answer = await talk.ask(ASK)
                if answer.status != 200 or answer.next_number is None:
                    return answer
                self._heard(answer)
                parts = self._parts(held, answer.next_number)
            work.stage("bringing it", sum(len(part.entries) for part in parts), "tokens")
            for part in parts:
                end = part.first + len(part.entries)
                self._ahead, self._ahead_at_s = max(self._ahead, end), self._clock()
                answer = await talk.ask(encode(part))
                self._heard(answer)
                if answer.status != 200:
                    return answer
                work.step(len(part.entries))
                self._sent.update(part.notes)
            return answer

    def _from(self) -> int | None:
        """Return which entry to bring next: behind those that may still wait at the broker."""
        if self._next is None:
            return None
        late = self._clock() - self._ahead_at_s > AGAIN_S
        return self._next if late else max(self._next, self._ahead)

    def _parts(self, held: Any, first: int) -> list[Submission]:
        return parts_of(held, first, self._sent, most_bytes=wire.MOST_BYTES - 1000)

    def _heard(self, answer: Answer) -> None:
        if answer.next_number is None:
            return
        if answer.next_number < (self._next or 0):  # the service was restored: it lacks notes, too
            self._sent.clear()
        self._next = self._ahead = answer.next_number


class _Talk:
    """Questions over one connection."""

    def __init__(self, link: Any, name: str, answer_s: float) -> None:
        self._link, self._name, self._answer_s = link, name, answer_s
        self._answers: asyncio.Queue[Any] = asyncio.Queue(16)

    async def begin(self) -> None:
        """Hear what the service says from now on."""
        await self._link.subscribe(wire.subject(wire.ANSWER, self._name), cb=self._hear)
        await self._link.flush(links.CONNECT_S)

    async def _hear(self, message: Any) -> None:
        if not self._answers.full():
            self._answers.put_nowait(message)

    async def ask(self, data: bytes) -> Answer:
        """Publish and return the service's answer. ReaderError if the broker or it gives none."""
        from nats import errors

        number = secrets.token_hex(16)
        to = wire.subject(wire.EVIDENCE, self._name)
        try:
            await self._link.publish(to, data, headers={wire.ID: number})
            await self._link.flush(links.CONNECT_S)
        except (errors.Error, TimeoutError) as error:
            raise _silent(f"the broker does not take it: {error}") from None
        try:
            return await asyncio.wait_for(self._answer(number), self._answer_s)
        except TimeoutError:
            raise _silent("the broker was told, the service has not answered") from None

    async def _answer(self, number: str) -> Answer:
        while True:
            message = await self._answers.get()
            if wire.asked_id(message.headers) != number:
                continue
            try:
                status, next_number, state, said = wire.read_answer(message.data)
            except ValueError:
                continue
            return Answer(status=status, next_number=next_number, state=state, said=said)


def _silent(why: str) -> ReaderError:
    return ReaderError(f"{why}.", remedy="it is brought again.", reader="NATS")
