"""Memory that a key may lie in, and a process that does not leak it. Linux, by ctypes alone.

A page holds raw seeds and nothing else. It is locked (never swapped), left out of core dumps and
of forks, filled by the kernel (getrandom, or a read from a pipe), and erased by the kernel: see
`read_over`. So a seed has no copy on the heap of Python at rest.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from casemate.attest.keys.protocol import CustodyError

PAGE_BYTES = mmap.PAGESIZE
_PR_SET_DUMPABLE, _PR_GET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 3, 38  # linux/prctl.h
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4  # asm-generic/mman.h
_MADV_DONTFORK, _MADV_DONTDUMP = 10, 16  # asm-generic/mman-common.h
WIPE_FREED = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.perturb=165"}
"""Environment in which glibc overwrites memory as it is freed (mallopt(3), M_PERTURB; the cache of
a thread would be spared). OpenSSL leaves what a key was loaded from as it was: with 4.0.3 an ML-DSA
seed lay on the heap. Another C library ignores this."""
PRIORITY = 50
"""Of SCHED_FIFO for the thread that erases: the middle of 1 to 99, above usual work, below the
kernel's own threads of that class that are more urgent. A planning value."""

_ZEROS = bytes(PAGE_BYTES)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.read.restype = ctypes.c_ssize_t
_libc.getrandom.restype = ctypes.c_ssize_t


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """What the system granted a holder. The first three are required, the others reported.

    dumpable: other processes of the user may read it (has to be False). core_bytes: the limit of
    core dumps (has to be 0). page_locked: key pages cannot be swapped. all_locked: nor can any
    other page (copies made while signing). realtime: erasing does not wait for other work.
    """

    dumpable: bool
    core_bytes: int
    page_locked: bool
    all_locked: bool
    realtime: bool

    @property
    def doubts(self) -> tuple[str, ...]:
        """Return what the system did not grant, in words for people."""
        swapped = not self.all_locked and swap_is_on()
        return tuple(
            text
            for wrong, text in (
                (swapped, "copies of a key that signing makes may be swapped to a disk"),
                (not self.realtime, "erasing may have to wait for other work"),
            )
            if wrong
        )


def swap_is_on() -> bool:
    """Return whether this machine writes memory to a disk (proc(5), /proc/swaps)."""
    try:
        return len(Path("/proc/swaps").read_text().splitlines()) > 1
    except OSError:
        return True  # nobody says that it does not


def harden() -> tuple[bool, int, bool]:
    """Close this process to others; return (dumpable, core_bytes, all_locked) as read back.

    Ends what a core dump, ptrace by the same user and swap would give away.
    """
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    locked = _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0
    dumpable = _libc.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0
    return dumpable, resource.getrlimit(resource.RLIMIT_CORE)[0], locked


def hardened() -> tuple[bool, int, bool]:
    """`harden` before a key comes near; CustodyError if others can see into this process.

    Who traced it before it was closed would go on tracing it.
    """
    dumpable, core_bytes, locked = harden()
    if dumpable or core_bytes or is_traced():
        raise CustodyError(
            "another process sees into the key holder's memory: it is traced, or dumps are on.",
            remedy="end the debugger, and run the controller as a user of its own.",
        )
    return dumpable, core_bytes, locked


def is_traced() -> bool:
    """Return whether a process traces this one (proc(5), TracerPid)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return True  # nobody says that it is not
    return "\nTracerPid:\t0\n" not in status


def close_to_others() -> None:
    """Keep other processes of this user from tracing this one and from its descriptors.

    For the controller: its descriptors lead to the holders.
    """
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def be_urgent(thread_id: int = 0) -> bool:
    """Put a thread (0: this one) before usual work; return whether the system allows it."""
    try:
        os.sched_setscheduler(thread_id, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True


def be_calm() -> None:
    """Put this thread back among usual work."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextmanager
def urgently() -> Iterator[None]:
    """Put this thread before usual work meanwhile, where the system allows it."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    allowed = be_urgent()
    try:
        yield
    finally:
        if allowed:
            os.sched_setscheduler(0, *before)


class LockedPage:
    """A page of its own for seeds. `locked` says whether the system keeps it out of swap."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._keep = ctypes.c_char.from_buffer(self._map)
        self._address = ctypes.c_void_p(ctypes.addressof(self._keep))
        size = ctypes.c_size_t(PAGE_BYTES)
        self.locked = _libc.mlock(self._address, size) == 0
        for advice in (_MADV_DONTDUMP, _MADV_DONTFORK):
            if _libc.madvise(self._address, size, advice) != 0:
                raise CustodyError(
                    "the system does not keep a page out of core dumps.",
                    remedy="run the key holder on Linux 3.4 or later.",
                )

    def view(self, start: int, length: int) -> memoryview:
        """Return bytes of the page without a copy."""
        return memoryview(self._map)[start : start + length]

    def fill_random(self, length: int) -> None:
        """Let the kernel write `length` random bytes at the start."""
        got = _libc.getrandom(self._address, ctypes.c_size_t(length), ctypes.c_uint(0))
        if got != length:
            raise CustodyError("the system gave no random bytes.", remedy="start again.")

    def read_over(self, descriptor: int, length: int = PAGE_BYTES) -> int:
        """Let the kernel copy what comes from a pipe over the page; return how many bytes came.

        Blocks without holding the interpreter's lock. So one thread can wait here for zeros: they
        replace the seeds even while another thread is in the middle of a signature. A write of up
        to one page to a pipe arrives whole (pipe(7), PIPE_BUF).
        """
        return int(_libc.read(descriptor, self._address, ctypes.c_size_t(length)))

    def erase(self) -> None:
        """Write zeros over the page, by the C library, which no optimiser sees."""
        ctypes.memset(self._address, 0, PAGE_BYTES)

    def is_zero(self) -> bool:
        """Return whether the page reads back as zeros. Compares in place: a copy would stay."""
        return int(_libc.memcmp(self._address, _ZEROS, ctypes.c_size_t(PAGE_BYTES))) == 0


def urgent_thread(work: threading.Thread) -> bool:
    """Start a daemon thread and put it before usual work; return whether that was allowed."""
    work.daemon = True
    work.start()
    return be_urgent(work.native_id or 0)
