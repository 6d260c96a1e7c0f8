"""Compile each kernel in one process of a run: the others wait for it and load it from disk.

Workers of the tests and the warm-up come to the same kernels at about the same time, and each
would compile all of them. What they compile is what a user's process would. A kernel that is
compiled for what nobody needs fails the test that brings it: for a second kind of arguments, or
with the words of an error that never comes.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OURS = "casemate."
WORDS = "ol_raise_with_shape_context"
"""How numba calls the code that puts the error of a wrong slice into words."""
MORE: dict[str, str] = {}
"""Kernels that are compiled for more than one kind of arguments, and why."""


class CompiledTwiceError(Exception):
    """A kernel is compiled for a second kind of arguments, or for an error that never comes."""


@contextlib.contextmanager
def alone(index: Path) -> Iterator[None]:
    """Be the only process that compiles, or loads, the kernel whose cache has this index."""
    index.parent.mkdir(parents=True, exist_ok=True)
    with index.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # a fork may have the file open


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """Let nobody look for garbage meanwhile: a compiler makes objects by the million and keeps
    them, which takes a fourteenth of its time (measured), and what it compiles is the same."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def install() -> None:
    """From now on this process waits for kernels that another one is compiling.

    Kernels call each other in no circle, so nobody waits for whom waits for it. Threads of a
    process take numba's own lock first.
    """
    from numba.core.caching import NullCache
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher

    compiles = Dispatcher.compile
    if hasattr(compiles, "alone"):
        return

    def once(self: Any, sig: Any) -> Any:
        name = f"{self.py_func.__module__}.{self.py_func.__qualname__}"
        refuse_words(name, sig)
        if isinstance(self._cache, NullCache):
            found = compiles(self, sig)
        else:
            index = Path(self._cache._cache_file._index_path)
            with global_compiler_lock, alone(index), without_collections():
                found = compiles(self, sig)
        refuse_second(name, self.signatures)
        return found

    once.alone = compiles  # type: ignore[attr-defined]
    Dispatcher.compile = once


def refuse_words(name: str, sig: Any) -> None:
    """Raise if numba is about to compile an error's words: see `casemate.core._rows_kernel`."""
    if WORDS in name:
        raise CompiledTwiceError(f"an array is assigned to a slice: {sig}; see _rows_kernel.put")


def refuse_second(name: str, signatures: Any) -> None:
    """Raise if one of our kernels has two kinds of arguments.

    It is called with one type of number, order of memory and right to write; what needs more is
    in MORE.
    """
    kinds = {str(each) for each in signatures}
    if name.startswith(OURS) and name not in MORE and len(kinds) > 1:
        told = " and ".join(sorted(kinds))
        raise CompiledTwiceError(f"{name} is compiled for {len(kinds)} kinds: {told}")
