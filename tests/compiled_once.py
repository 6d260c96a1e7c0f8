"""Compile each kernel in one process of a run: the others wait for it and load it from disk.

Workers of the tests and the warm-up come to the same kernels at about the same time, and each
would compile all of them. What they compile is what a user's process would. A kernel that is
compiled for what nobody needs fails the test that brings it: for a second kind of arguments, or
with the words of an error that never comes.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OURS = "casemate."
WORDS = "ol_raise_with_shape_context"
"""How numba calls the code that puts the error of a wrong slice into words."""
MORE: dict[str, str] = {}
"""Kernels that are compiled for more than one kind of arguments, and why."""


class CompiledTwiceError(Exception):
    """A kernel is compiled for a second kind of arguments."""


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
        if isinstance(self._cache, NullCache):
            refuse(self, sig)
            return compiles(self, sig)
        with global_compiler_lock, alone(Path(self._cache._cache_file._index_path)):
            found = compiles(self, sig)
        refuse(self, sig)
        return found

    once.alone = compiles  # type: ignore[attr-defined]
    Dispatcher.compile = once


def refuse(kernel: Any, sig: Any) -> None:
    """Raise if numba compiles an error's words, or one of our kernels has two kinds of arguments.

    An array is put into a slice by `casemate.core._rows_kernel`, and a kernel is called with one
    type of number, order of memory and right to write. What does need a second kind is in MORE.
    """
    name = f"{kernel.py_func.__module__}.{kernel.py_func.__qualname__}"
    if WORDS in name:
        raise CompiledTwiceError(f"an array is assigned to a slice: {sig}; see _rows_kernel.put")
    if not name.startswith(OURS):
        return
    kinds = {str(each) for each in kernel.signatures}
    if len(kinds) > 1 and name not in MORE:
        raise CompiledTwiceError(
            f"{name} is compiled for {len(kinds)} kinds: " + " and ".join(kinds)
        )
