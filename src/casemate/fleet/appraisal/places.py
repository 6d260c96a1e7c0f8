"""Where each token stands in its log: exact, in twelve bytes a token.

The verifier asks of each token whether it came before, however long ago. Of those that are stored
already eight bytes of the digest are kept; where these are the same, the stored entry itself says
whether it is the one. So whoever makes tokens whose beginnings agree gains nothing but a read.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.core.suites import SUITES

RECENT = 64
"""Digests that are kept whole, and how many more come before these are packed (planning value)."""
_HEAD = 8


class Places(dict[bytes, int]):
    """Index of an entry by the digest of its token. The dictionary itself holds the newest.

    entry: what is stored at an index. A deep copy shares what is packed, which never changes.
    """

    def __init__(self, entry: Callable[[int], bytes]) -> None:
        super().__init__()
        self._entry = entry
        self._heads: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self._at: npt.NDArray[np.uint32] = np.empty(0, np.uint32)

    def setdefault(self, key: bytes, default: int) -> int:  # type: ignore[override]
        """Return where a digest stands; if nowhere, it stands at `default` from now on."""
        held: int | None = self.get(key)
        if held is not None:
            return held
        self[key] = default
        return default

    def get(self, key: bytes, default: Any = None) -> Any:
        """Return where a digest stands, or `default`."""
        held = super().get(key)
        if held is not None or not len(self._heads):
            return default if held is None else held
        head = _head(key)
        at = int(np.searchsorted(self._heads, head))
        while at < len(self._heads) and self._heads[at] == head:
            index = int(self._at[at])
            if _is_of(key, self._entry(index)):
                return index
            at += 1
        return default

    def pack(self, stored: int) -> None:
        """Pack the oldest digests, once there are many. stored: entries that can be read again."""
        if len(self) < 2 * RECENT:
            return
        old = list(takewhile(lambda each: each[1] < stored, list(self.items())[:-RECENT]))
        heads = np.array([_head(key) for key, _ in old], np.uint64)
        self._set(
            np.concatenate([self._heads, heads]),
            np.concatenate([self._at, np.array([index for _, index in old], np.uint32)]),
        )
        left = dict(list(self.items())[len(old) :])
        self.clear()  # what is only deleted keeps its room
        self.update(left)

    def written(self) -> list[Any]:
        """Return all as plain data: what is packed, and the newest by the length of digests."""
        new: dict[int, list[bytes]] = {}
        for key, index in self.items():
            new.setdefault(len(key), []).append(key + index.to_bytes(6, "big"))
        packed = [self._heads.astype("<u8").tobytes(), self._at.astype("<u4").tobytes()]
        return [*packed, [[length, b"".join(new[length])] for length in sorted(new)]]

    def read(self, rows: list[Any]) -> None:
        """Take what was written. ValueError, TypeError or LookupError if it is none."""
        heads, at, new = rows
        self._set(np.frombuffer(heads, "<u8"), np.frombuffer(at, "<u4"))
        for length, data in new:
            for begin in range(0, len(data), length + 6):
                end = begin + length
                self[data[begin:end]] = int.from_bytes(data[end : end + 6], "big")

    def _set(self, heads: npt.NDArray[Any], at: npt.NDArray[Any]) -> None:
        if len(heads) != len(at):
            raise ValueError("digests and places differ in number")
        order = np.argsort(heads, kind="stable")
        self._heads, self._at = heads[order].astype(np.uint64), at[order].astype(np.uint32)

    def __deepcopy__(self, _memo: dict[int, object]) -> Places:
        made = Places(self._entry)
        made.update(self)
        made._heads, made._at = self._heads, self._at
        return made


def _head(digest: bytes) -> int:
    return int.from_bytes(digest[:_HEAD], "big")


def _is_of(digest: bytes, data: bytes) -> bool:
    """Return whether a digest is that of an entry, by the hash of any suite."""
    return any(each.digest(data) == digest for each in SUITES.values())
