"""Camera frames: each is an item, many go under one token, and each is kept beside its proof.

Where frames come from is a `Frames`: files of a folder, or made-up ones for a demonstration.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from casemate.attest.claims import Payload
from casemate.control.adapters import payload
from casemate.control.adapters.payload import Item
from casemate.core.canonical import pretty_json
from casemate.core.errors import OutputError

STREAM = "camera"
WIDTH, HEIGHT = 160, 120
PROOF = ".proof.json"


class Frames(Protocol):
    """Where frames come from: name and bytes of each, b"" while there is none yet."""

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield frames as they come."""
        ...


class FrameFiles:
    """The files of a folder, each once, in the order of their names, and those that come later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield frames as they come."""
        done: set[str] = set()
        while True:
            found = sorted(p for p in self._folder.iterdir() if p.is_file() and p.name not in done)
            for path in found:
                done.add(path.name)
                if not path.name.endswith(PROOF):
                    yield path.name, path.read_bytes()
            if not found:
                yield "", b""


class MadeUpFrames:
    """A bright square that wanders over a gradient, with noise: a PGM file each."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yield frames; the same seed gives the same ones."""
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
        for number in itertools.count():
            generator = np.random.default_rng([self._seed, number])
            image = 40.0 + 100.0 * columns / WIDTH + generator.normal(0.0, 3.0, (HEIGHT, WIDTH))
            x, y = (7 * number) % (WIDTH - 20), (3 * number) % (HEIGHT - 20)
            image[(rows >= y) & (rows < y + 20) & (columns >= x) & (columns < x + 20)] = 230.0
            pixels = np.clip(image, 0.0, 255.0).astype(np.uint8)
            yield f"{number:08d}.pgm", b"P5 %d %d 255\n" % (WIDTH, HEIGHT) + pixels.tobytes()


@dataclass(slots=True)
class _Batch:
    items: list[Item]
    names: list[str]


class Camera:
    """Takes frames at a pace, and has each batch of them signed while the enclosure guards.

    folder: gets frames and proofs. guards: whether payload may be signed now. say: takes the body
    of a token, and who is to be told the token's bytes once they are durable. Frames that come
    while nothing guards are passed over: they get no number and no proof.
    """

    def __init__(
        self,
        frames: Frames,
        folder: Path,
        *,
        per_s: float,
        batch_s: float,
        first: int,
        guards: Callable[[], bool],
        say: Callable[[Payload, Callable[[bytes], None]], None],
    ) -> None:
        self._frames, self._folder = frames, folder
        self._period_s, self._batch_s = 1.0 / per_s, batch_s
        self._next, self._guards, self._say = first, guards, say
        self.signed = self.passed = 0
        self.failed = ""
        self._stop = threading.Event()
        folder.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._guarded, name="camera", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Have the last batch signed, and end."""
        self._stop.set()
        self._thread.join()

    def _guarded(self) -> None:
        try:
            self._run()
        except OSError as error:
            self.failed = f"frames cannot be read or kept: {error.strerror or error}"

    def _run(self) -> None:
        batch, due_s = _Batch([], []), time.monotonic() + self._batch_s
        for name, data in self._frames:
            if self._stop.wait(self._period_s):
                break
            if data and self._guards():
                (self._folder / name).write_bytes(data)
                batch.items.append(payload.item(data))
                batch.names.append(name)
            elif data:
                self.passed += 1
            if time.monotonic() >= due_s:
                batch, due_s = self._flush(batch), time.monotonic() + self._batch_s
        self._flush(batch)

    def _flush(self, batch: _Batch) -> _Batch:
        if batch.items and self._guards():
            said = payload.body(STREAM, self._next, batch.items)
            self._next += len(batch.items)
            self._say(said, lambda signed: self._prove(said, batch, signed))
        else:
            self.passed += len(batch.items)
        return _Batch([], [])

    def _prove(self, said: Payload, batch: _Batch, signed: bytes) -> None:
        """Write the proof of each frame beside it."""
        try:
            for index, name in enumerate(batch.names):
                row = payload.proof(said, batch.items, index, signed)
                (self._folder / f"{name}{PROOF}").write_text(pretty_json(row), encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"a proof of a frame cannot be kept: {error.strerror}.", remedy="free space."
            ) from None
        self.signed += len(batch.items)
