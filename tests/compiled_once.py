"""Compile each kernel in one process of a run: the others wait for it and load it from disk.

Workers of the tests and the warm-up come to the same kernels at about the same time, and each
would compile all of them. What they compile is what a user's process would.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any


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
            return compiles(self, sig)
        with global_compiler_lock, alone(Path(self._cache._cache_file._index_path)):
            return compiles(self, sig)

    once.alone = compiles  # type: ignore[attr-defined]
    Dispatcher.compile = once
