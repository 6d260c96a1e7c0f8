"""One process that holds keys, seen from the controller: started, asked, overwritten, killed.

Started anew (never forked from a process with threads), it shares three descriptors with the
controller and dies with it. Erasing is a write of zeros that the kernel copies over the seeds
(memory.py), then SIGKILL: neither waits for a signature under way or for the holder's interpreter.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2

import casemate
from casemate.attest.keys import wire
from casemate.attest.keys.approval import Quorum
from casemate.attest.keys.holder import ERASED
from casemate.attest.keys.memory import PAGE_BYTES, WIPE_FREED, Hardening
from casemate.attest.keys.protocol import (
    CustodyError,
    KeysGoneError,
    gone,
    one_each,
)
from casemate.core.errors import FormatError
from casemate.core.suites import PublicKey

START_S = 20.0
"""A holder starts in 0.2 s; a loaded machine takes longer. A planning value."""
ANSWER_S = 5.0
"""A signature takes 2 ms, the slowest of 10^4 some 20 ms. A planning value."""
WORD_S = 0.7e-3
"""How long erasing waits to be told that the page reads back as zeros, before it kills."""
DEATH_S = 2.0
_ZEROS = bytes(PAGE_BYTES)
_RUN = (
    "import sys; sys.path[:0] = sys.argv[1].split(':'); "
    "from casemate.attest.keys.{module} import main; main({arguments})"
)


Source = Callable[[int, int], "subprocess.Popen[bytes]"]
"""Starts a process that writes so many bytes of seeds into a descriptor, and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another module than `holder` for a cell's process: its first frame and its environment."""

    module: str
    config: dict[str, Any]
    env: dict[str, str]


def run_module(
    module: str,
    arguments: Sequence[str | int],
    keep: Sequence[int],
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `main` of a module of this package in a process that inherits `keep` and nothing else.

    It reads no user's site and runs no .pth file: nothing but casemate and what lies beside cbor2
    is imported. arguments: text and numbers, passed as text. The environment has `env` alone,
    and what makes the C library overwrite memory as it is freed.
    """
    given = ", ".join(
        f"int(sys.argv[{i}])" if type(each) is int else f"sys.argv[{i}]"
        for i, each in enumerate(arguments, start=2)
    )
    code = _RUN.format(module=module, arguments=given)
    homes = [str(Path(str(each.__file__)).resolve().parent.parent) for each in (casemate, cbor2)]
    command = [sys.executable, "-ISB", "-c", code, ":".join(homes), *map(str, arguments)]
    try:
        return subprocess.Popen(
            command,
            pass_fds=tuple(keep),
            stdin=subprocess.DEVNULL,
            env=WIPE_FREED | (env or {}),
        )
    except OSError as error:
        raise CustodyError(
            f"a process for keys cannot be started: {error.strerror}.",
            remedy="see how many processes, descriptors and how much memory this user may have.",
        ) from None


def run_to_end(process: subprocess.Popen[bytes], wait_s: float) -> None:
    """Wait for a process that only passes seeds on; CustodyError and its end if it takes longer."""
    try:
        process.wait(wait_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise CustodyError(
            "the key store does not answer.", remedy="see whether something else uses it."
        ) from None


class Cell:
    """One holder process and its keys. Errors: CustodyError and what the holder answers.

    once: the last word's keys. log: a log's, which sign checkpoints alone. wait: for its keys;
    else `greet` has to be called before all else.
    """

    def __init__(
        self,
        algorithms: Sequence[int],
        *,
        once: bool = False,
        sealed: bool = False,
        log: bool = False,
        quorum: Quorum | None = None,
        source: Source | None = None,
        other: Other | None = None,
        wait: bool = True,
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
            module = other.module if other else "holder"
            self._process = run_module(module, arguments, keep, env=other.env if other else {})
        finally:
            theirs.close()
            for descriptor in keep[1:]:
                os.close(descriptor)
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        os.set_blocking(self._zeros, False)
        config = {
            "algorithms": list(algorithms),
            "once": once,
            "sealed": sealed,
            "log": log,
            "quorum": quorum.as_plain() if quorum else None,
        }
        self._first = other.config if other else config
        self._end = self.discard if other else self.close
        if wait:
            self.greet()

    def greet(self) -> None:
        """Wait until the process holds its keys: what a cell made with wait=False still needs."""
        try:
            self._take(self._ask(self._first, START_S))
        except BaseException:
            self._end()
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

    def overwrite(self) -> bool:
        """Send the zeros; return whether they went. Returns at once; never raises."""
        with suppress(OSError):  # it is dead, or zeros are under way already
            return os.write(self._zeros, _ZEROS) == PAGE_BYTES
        return False

    def copied(self) -> bool:
        """Return whether no zeros are left in the pipe: the kernel has copied them."""
        with suppress(OSError):
            return fcntl.ioctl(self._zeros, termios.FIONREAD, bytes(4)) == bytes(4)
        return False

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
        if self._link.fileno() >= 0:
            self.erase()
            self._release()

    def discard(self) -> None:
        """End the process without zeros, which a cell may take as word to erase a store."""
        if self._link.fileno() >= 0:
            self.kill()
            self._process.wait()
            self._release()

    def _release(self) -> None:
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
            except TimeoutError:  # an answer that comes late would be taken for the next one's
                raise self._lost("The key holder did not answer, and was ended") from None
            except OSError:
                answer = None
        if answer is None:
            raise self._lost("The key holder's process is dead")
        return wire.opened(answer)

    def _lost(self, what: str) -> KeysGoneError:
        self.kill()
        self.await_death()
        return gone(what)


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
    from casemate.core.private_keys import SEED_BYTES

    theirs, ours = os.pipe()
    try:
        source(ours, count * SEED_BYTES)
    except BaseException:
        os.close(theirs)
        raise
    finally:
        os.close(ours)
    return theirs
