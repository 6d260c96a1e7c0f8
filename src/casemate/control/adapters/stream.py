"""A stream of items that are signed in batches, each kept beside its proof.

What the items are is the source's affair, one source a kind (camera.py, trace.py, rack.py). Here
they get numbers, files and tokens. A number is used up by a token alone: what no token covers
leaves no hole in the numbers, by which an inspector would have to take it for suppressed. An item
goes to its file as it comes: memory holds names and digests of a batch, and items themselves only
while the batch before is signed and its proofs are written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from casemate.attest.claims import Payload
from casemate.control.adapters import payload
from casemate.control.adapters.payload import Item
from casemate.control.batches import growing_s
from casemate.control.evidence import Lost, Signed
from casemate.core.errors import CasemateError

SETTLE_S = 60.0
"""That the end waits for a batch under way: a signature and its proofs (planning value)."""
BATCH, WAITING = 16_384, 1024
"""Items under one token at most: 45 a second for six minutes, 14 hashes in a proof. And items that
wait in memory while signing stalls; later ones are passed over and counted (planning values)."""
_IDLE_S = 0.2

Draft = Callable[[int, bytes], tuple[str, bytes]]
"""An item that has no number yet. Given its number and the leaf of the item before (b"" for the
first), it returns the item's name and bytes."""


class Source(Protocol):
    """Where items come from: a draft of each, None while there is none yet."""

    def __iter__(self) -> Iterator[Draft | None]:
        """Yield items as they come. OSError or an error of ours ends the stream."""
        ...


Say = Callable[[Payload, Signed, Lost], None]
"""Takes the body of a token, waits for nothing, and has one of the two called."""


def named(name: str, data: bytes) -> Draft:
    """Return the draft of an item that does not depend on its place."""
    return lambda _number, _before: (name, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Items under one token that is not signed yet."""

    said: Payload
    items: Sequence[Item]
    names: Sequence[str]


class Stream:
    """Takes items as they come, and has each batch of them signed while the enclosure guards.

    name: of the stream in tokens. folder: gets items and proofs. per_s: items a second at most, 0
    for as fast as they come. batch_s: of items under one token, 0 for a token each. first: number
    of the next item. guards: whether payload may be signed now. kept: told names of items whose
    proofs are there; has to be quick. Items that come while nothing guards are passed over: they
    are not kept, and get neither number nor proof.
    """

    def __init__(
        self,
        source: Source,
        folder: Path,
        *,
        name: str,
        per_s: float,
        batch_s: float,
        first: int,
        guards: Callable[[], bool],
        say: Say,
        kept: Callable[[Sequence[str]], None] = lambda _names: None,
    ) -> None:
        self._kept = kept
        self._source, self._folder, self._name = source, folder, name
        self._period_s, self._batch_s = 1.0 / per_s if per_s else 0.0, batch_s
        self._next, self._guards, self._say = first, guards, say
        folder.mkdir(parents=True, exist_ok=True)
        self._before = payload.leaf_kept(folder, first - 1) if first else b""
        self._drafts: list[Draft] = []
        self._items: list[Item] = []
        self._names: list[str] = []
        self.signed = self.passed = 0
        self.failed = self.problem = ""
        self._full = False
        self._stop, self._settled = threading.Event(), threading.Event()
        self._settled.set()
        self._thread = threading.Thread(target=self._guarded, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Have the last batch signed, and end."""
        self._stop.set()
        self._thread.join()

    def status(self) -> dict[str, Any]:
        """Return what is known now, as JSON values."""
        return {
            "stream": self._name, "next": self._next, "signed": self.signed,
            "passed": self.passed, "problem": self.problem,
        }  # fmt: skip

    def _guarded(self) -> None:
        try:
            self._run()
        except OSError as error:
            self._fail(f"items cannot be read or kept: {error.strerror or error}")
        except CasemateError as error:
            self._fail(str(error))

    def _fail(self, why: str) -> None:
        self.failed = self.problem = f"{self._name}: {why}"

    def _run(self) -> None:
        now_s = time.monotonic()
        next_s, batches = now_s, 0
        due_s = now_s + growing_s(batches, self._batch_s)
        try:
            for draft in self._source:
                if draft is not None:
                    self._take(draft)
                next_s = max(next_s + self._period_s, time.monotonic() - self._period_s)
                wait_s = max(next_s - time.monotonic(), 0.0)
                if self._stop.wait(wait_s if draft is not None else max(wait_s, _IDLE_S)):
                    break
                due = time.monotonic() >= due_s or len(self._items) >= BATCH
                if due and self._settled.is_set():
                    self._flush()
                    batches += 1
                    due_s = time.monotonic() + growing_s(batches, self._batch_s)
        finally:
            if self._settled.wait(SETTLE_S):
                self._flush()
                self._settled.wait(SETTLE_S)

    def _take(self, draft: Draft) -> None:
        """Take an item; what a number is depends on the batch before, so it waits for that one."""
        if self._guards() and len(self._drafts) < WAITING and len(self._items) < BATCH:
            self._drafts.append(draft)
        else:
            self.passed += 1
        if self._settled.is_set():
            self._draw()

    def _draw(self) -> None:
        """Give numbers to items that wait, and keep them."""
        drafts, self._drafts = self._drafts, []
        for draft in drafts:
            before = self._items[-1].leaf if self._items else self._before
            name, data = draft(self._next + len(self._items), before)
            if self._keep(name, data):
                self._items.append(payload.item(data))
                self._names.append(name)

    def _keep(self, name: str, data: bytes) -> bool:
        """Write an item; False, and it is passed over, if the disk does not take it now."""
        try:
            (self._folder / name).write_bytes(data)
        except OSError as error:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)
            self.passed += 1
            if not self._full:  # told once, until items can be kept again
                self._full = True
                self._fail(f"an item cannot be kept: {error.strerror or error}")
            return False
        if self._full:
            self._full, self.problem = False, ""
        return True

    def _flush(self) -> None:
        """Have what has come signed, if the enclosure still guards."""
        self._draw()
        items, names, self._items, self._names = self._items, self._names, [], []
        if not items:
            return
        said = payload.body(self._name, self._next, items)
        batch = _Batch(said=said, items=items, names=names)
        if not self._guards():
            self._lost(batch)
            return
        self._settled.clear()
        self._say(said, lambda signed: self._prove(batch, signed), lambda: self._lost(batch))

    def _prove(self, batch: _Batch, signed: bytes) -> None:
        """Have proofs written: the token is in the log, and who says so has no time for that."""
        self._next += len(batch.items)
        self._before = batch.items[-1].leaf
        threading.Thread(
            target=self._write_proofs, args=(batch, signed), name=f"{self._name} proofs"
        ).start()

    def _write_proofs(self, batch: _Batch, signed: bytes) -> None:
        """Write the proof of each item beside it."""
        try:
            payload.write_proofs(self._folder, batch.names, batch.said, batch.items, signed)
            self.signed += len(batch.items)
            self._kept(batch.names)
        except OSError as error:
            self._fail(f"a proof of an item cannot be kept: {error.strerror}")
        finally:
            self._settled.set()

    def _lost(self, batch: _Batch) -> None:
        """Let go of what was not signed: its numbers go to those that come next."""
        try:
            for name in batch.names:
                if not (self._folder / f"{name}{payload.PROOF}").exists():
                    (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            self._fail(f"an item without proof stays: {error.strerror}")
        self.passed += len(batch.items)
        self._settled.set()
