"""Camera frames: each is an item of the stream "camera".

They come from files of a folder, or are made up for a demonstration; from a camera, see video.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from casemate.control.adapters.payload import PROOF
from casemate.control.adapters.stream import Draft, named

STREAM = "camera"
WIDTH, HEIGHT = 160, 120


class FrameFiles:
    """The files of a folder, each once, in the order of their names, and those that come later."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[Draft | None]:
        """Yield frames as they come."""
        done: set[str] = set()
        while True:
            found = sorted(p for p in self._folder.iterdir() if p.is_file() and p.name not in done)
            for path in found:
                done.add(path.name)
                if not path.name.endswith(PROOF):
                    yield named(path.name, path.read_bytes())
            if not found:
                yield None


class MadeUpFrames:
    """A bright square that wanders over a gradient, with noise: a PGM file each."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def __iter__(self) -> Iterator[Draft | None]:
        """Yield frames; the same seed gives the same ones."""
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
        for number in itertools.count():
            generator = np.random.default_rng([self._seed, number])
            image = 40.0 + 100.0 * columns / WIDTH + generator.normal(0.0, 3.0, (HEIGHT, WIDTH))
            x, y = (7 * number) % (WIDTH - 20), (3 * number) % (HEIGHT - 20)
            image[(rows >= y) & (rows < y + 20) & (columns >= x) & (columns < x + 20)] = 230.0
            pixels = np.clip(image, 0.0, 255.0).astype(np.uint8)
            yield _numbered(pgm(pixels))


def _numbered(data: bytes) -> Draft:
    return lambda number, _before: (f"{number:08d}.pgm", data)


def pgm(pixels: NDArray[np.uint8]) -> bytes:
    """Return a picture (rows, columns) of bytes as a PGM file, which any viewer opens."""
    rows, columns = pixels.shape
    return b"P5 %d %d 255\n" % (columns, rows) + pixels.tobytes()
