"""Keys in small processes of their own: the controller holds descriptors, never a key.

`ProcessHolder` has two: one for the evidence keys, one for the last word's. Each is started anew
(never forked from a process with threads), shares nothing but three descriptors, and dies with the
controller. Erasing is a write of zeros that the kernel copies over the seeds (memory.py), then
SIGKILL: neither waits for a signature under way or for the interpreter of the holder.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import casemate
from casemate.attest.keys import wire
from casemate.attest.keys.approval import Quorum
from casemate.attest.keys.holder import ERASED
from casemate.attest.keys.memory import PAGE_BYTES, WIPE_FREED, Hardening
from casemate.attest.keys.protocol import (
    CustodyError,
    Erasure,
    HolderState,
    KeysGoneError,
    gone,
    one_each,
)
from casemate.core.errors import FormatError
from casemate.core.suites import DEFAULT_SUITE, PublicKey, Suite

START_S = 20.0
"""A holder starts in 0.2 s; a loaded machine takes longer. A planning value."""
ANSWER_S = 5.0
"""A signature takes 2 ms, the slowest of 10^4 some 20 ms. A planning value."""
WORD_S = 0.7e-3
"""How long erasing waits to be told that the page reads back as zeros, before it kills."""
DEATH_S = 2.0
_ZEROS = bytes(PAGE_BYTES)
_NOTHING = Erasure(overwritten=False, overwritten_s=0.0, dead=True, dead_s=0.0)
_RUN = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from casemate.attest.keys.{module} import main; main({arguments})"
)


class KeyStore(Protocol):
    """Where seeds outlive the holder's process."""

    def begin_erase(self) -> None:
        """Start to erase them, without waiting for the end. Does not raise."""
        ...

    def end_erase(self) -> bool:
        """Wait; return whether the store says that they are gone. Does not raise."""
        ...

    def close(self) -> None:
        """Let go of the store; what it holds stays."""
        ...


Source = Callable[[int, int], "subprocess.Popen[bytes]"]
"""Starts a process that writes so many bytes of seeds into a descriptor, and ends."""


def run_module(
    module: str, arguments: Sequence[str | int], keep: Sequence[int], **others: Any
) -> subprocess.Popen[bytes]:
    """Start `main` of a module of this package in a process that inherits `keep` and nothing else.

    arguments: text and numbers, passed as text. The environment has `env` alone,
    and what makes the C library overwrite memory as it is freed.
    """
    given = ", ".join(
        f"int(sys.argv[{i}])" if type(each) is int else f"sys.argv[{i}]"
        for i, each in enumerate(arguments, start=2)
    )
    code = _RUN.format(module=module, arguments=given)
    root = str(Path(casemate.__file__).resolve().parent.parent)
    command = [sys.executable, "-I", "-B", "-c", code, root, *map(str, arguments)]
    return subprocess.Popen(
        command,
        pass_fds=tuple(keep),
        stdin=subprocess.DEVNULL,
        env=WIPE_FREED | others.pop("env", {}),
        **others,
    )


class Cell:
    """One holder process and its keys. Errors: CustodyError and what the holder answers."""

    def __init__(
        self,
        algorithms: Sequence[int],
        *,
        once: bool = False,
        sealed: bool = False,
        quorum: Quorum | None = None,
        source: Source | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._dead = False
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        zeros, self._zeros = os.pipe()
        self._word, word = os.pipe()
        seeds = _seeds(source, len(algorithms)) if source else -1
        keep = [theirs.fileno(), zeros, word] + ([seeds] if source else [])
        arguments = [theirs.fileno(), zeros, word, seeds]
        try:
            self._process = run_module("holder", arguments, keep)
        finally:
            theirs.close()
            for descriptor in keep[1:]:
                os.close(descriptor)
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        os.set_blocking(self._zeros, False)
        try:
            config = {
                "algorithms": list(algorithms),
                "once": once,
                "sealed": sealed,
                "quorum": quorum.as_plain() if quorum else None,
            }
            self._take(self._ask(config, START_S))
        except BaseException:
            self.erase()
            raise

    def _take(self, hello: Any) -> None:
        match hello:
            case {"public": list(public), "granted": [bool(d), int(c), bool(p), bool(a), bool(r)]}:
                self.public = tuple(PublicKey.from_cose(each) for each in public)
                self.hardening = Hardening(
                    dumpable=d, core_bytes=c, page_locked=p, all_locked=a, realtime=r
                )
            case _:
                raise FormatError("the holder's greeting is malformed.", remedy="start again.")

    @property
    def dead(self) -> bool:
        """Return whether the process has ended: its memory is freed."""
        self._dead = self._dead or _readable(self._pidfd, 0.0)
        return self._dead

    def ask(self, request: dict[str, Any]) -> Any:
        """Return what the holder answers; KeysGoneError if it is dead."""
        return self._ask(request, ANSWER_S)

    def sign(self, messages: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each key: of one message, or each of its own."""
        each = one_each(messages, len(self.public))
        return tuple(self.ask({"do": "sign", "messages": each}))

    def overwrite(self) -> None:
        """Send the zeros. Returns at once; never raises."""
        with suppress(OSError):  # it is dead, or zeros are under way already
            os.write(self._zeros, _ZEROS)

    def await_word(self, wait_s: float) -> bool:
        """Return whether the holder said in time that its page reads back as zeros."""
        try:
            return _readable(self._word, wait_s) and os.read(self._word, 1) == ERASED
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it, without waiting."""
        with suppress(OSError):  # it is dead
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def await_death(self, wait_s: float = DEATH_S) -> bool:
        """Return whether the kernel has ended it."""
        self._dead = self._dead or _readable(self._pidfd, wait_s)
        return self._dead

    def erase(self) -> bool:
        """Overwrite, kill and wait; return whether it is dead."""
        self.overwrite()
        self.await_word(WORD_S)
        self.kill()
        dead = self.await_death()
        if dead:
            self._process.wait()
        return dead

    def close(self) -> None:
        """Erase and give back the descriptors."""
        if self._link.fileno() < 0:
            return
        self.erase()
        with self._lock:
            self._link.close()
            held = (self._zeros, self._word, self._pidfd)
            self._zeros = self._word = self._pidfd = -1  # a number may be another file's next
            for descriptor in held:
                os.close(descriptor)

    def _ask(self, request: dict[str, Any], wait_s: float) -> Any:
        with self._lock:
            if self._link.fileno() < 0:
                raise CustodyError("the holder is closed.", remedy="open it again.")
            try:
                self._link.settimeout(wait_s)
                wire.send(self._link, request)
                answer = wire.receive(self._link)
            except TimeoutError:
                self.kill()  # an answer that comes late would be taken for the next one's
                raise gone("The key holder did not answer, and was ended") from None
            except OSError:
                raise gone("The key holder's process is dead") from None
        if answer is None:
            raise gone("The key holder's process is dead")
        return wire.opened(answer)


class ProcessHolder:
    """`KeyHolder` by two processes. Without `source` the keys live as long as it does.

    quorum: who unseals; nobody without. source, store: where seeds come from and stay. sealed:
    start sealed, since the keys were when the holder before ended (`seal` gives the challenge).
    """

    def __init__(
        self,
        suite: Suite = DEFAULT_SUITE,
        *,
        sealed: bool = False,
        quorum: Quorum | None = None,
        source: Source | None = None,
        store: KeyStore | None = None,
    ) -> None:
        self._store = store
        self._sealed = sealed
        self._closed = self._erased = False
        self._guard = threading.Lock()
        self._evidence = Cell(suite.algorithms, sealed=sealed, quorum=quorum, source=source)
        try:
            self._last = Cell(suite.algorithms, once=True)
        except BaseException:
            self._evidence.close()
            raise

    @property
    def state(self) -> HolderState:
        """Return the state of the evidence keys."""
        if self._closed:
            return HolderState.CLOSED
        if self._erased or self._evidence.dead:
            return HolderState.ERASED
        return HolderState.SEALED if self._sealed else HolderState.READY

    @property
    def hardening(self) -> Hardening:
        """Return what the system granted the process of the evidence keys."""
        return self._evidence.hardening

    @property
    def pids(self) -> tuple[int, int]:
        """Return the processes of the evidence keys and of the last word's."""
        return self._evidence.pid, self._last.pid

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the evidence keys."""
        return self._evidence.public

    def last_public(self) -> tuple[PublicKey, ...]:
        """Return the public halves of the last word's keys."""
        return self._last.public

    def sign(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each evidence key: of one message, or each of its own."""
        self._live()
        return self._evidence.sign(message)

    def seal(self) -> bytes:
        """Seal; return the challenge."""
        self._live()
        challenge: bytes = self._evidence.ask({"do": "seal"})
        self._sealed = True
        return challenge

    def unseal(self, approval: bytes) -> None:
        """Unseal under a quorum's approval, which the holder's process checks."""
        self._live()
        self._evidence.ask({"do": "unseal", "approval": approval})
        self._sealed = False

    def zeroise(self) -> Erasure:
        """Erase the evidence keys here and in the store."""
        start = time.perf_counter()
        with self._guard:  # against `close` alone: a descriptor closed may be another file's next
            return _NOTHING if self._closed else self._zeroise(start)

    def _zeroise(self, start: float) -> Erasure:
        self._evidence.overwrite()
        self._erased = True
        if self._store is not None:
            self._store.begin_erase()
        overwritten = self._evidence.await_word(WORD_S)
        told = time.perf_counter()
        self._evidence.kill()
        dead = self._evidence.await_death()
        died = time.perf_counter()
        stored = self._store.end_erase() if self._store is not None else None
        return Erasure(
            overwritten=overwritten,
            overwritten_s=told - start,
            dead=dead,
            dead_s=died - start,
            store=stored,
            stored_s=time.perf_counter() - start if stored is not None else 0.0,
        )

    def last_word(self, message: bytes | Sequence[bytes]) -> tuple[bytes, ...]:
        """Return a signature by each of the last word's keys, once."""
        if self._closed:
            raise CustodyError("the holder is closed.", remedy="open it again.")
        try:
            return self._last.sign(message)
        except KeysGoneError:
            raise gone("The last word is spoken, or its keys are lost") from None

    def close(self) -> None:
        """Drop all keys from memory."""
        with self._guard:
            if not self._closed:
                self._closed = True
                self._evidence.close()
                self._last.close()
                if self._store is not None:
                    self._store.close()

    def _live(self) -> None:
        if self._closed:
            raise CustodyError("the holder is closed.", remedy="open it again.")
        if self._erased:
            raise gone()


def _readable(descriptor: int, wait_s: float) -> bool:
    if descriptor < 0:
        return False
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    until = time.perf_counter() + wait_s
    while not waiting.poll(0):  # poll counts in milliseconds, which is too coarse here
        left = until - time.perf_counter()
        if left <= 0.0:
            return False
        if left > 2e-3:
            waiting.poll(1)
        else:
            os.sched_yield()
    return True


def _seeds(source: Source, count: int) -> int:
    from casemate.attest.keys.vault import SEED_BYTES

    theirs, ours = os.pipe()
    try:
        source(ours, count * SEED_BYTES)
    except BaseException:
        os.close(theirs)
        raise
    finally:
        os.close(ours)
    return theirs
