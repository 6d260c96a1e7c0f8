"""Power traces of a DPA sensor, in chained chunks: items of the stream "trace".

What a chunk is, `chunk` says. docs/formats/payload.md.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.control.adapters.chunk import (
    FORMAT,
    RUN_BYTES,
    STREAM,
    Chunk,
    Meter,
    decode,
    encode,
    twice,
    unsigned,
)
from casemate.control.adapters.payload import PROOF
from casemate.control.adapters.stream import Draft
from casemate.core.errors import InputError

SUFFIX = ".trace"
SAMPLES = 50_000
"""In a chunk (planning value): 100 kB, half a second at 100 kS/s."""
_NPY, _RAW = ".npy", (".raw", ".i16")


def draft(run: bytes, sample: int, meter: Meter, samples: NDArray[np.int16]) -> Draft:
    """Return the draft of a chunk: number and chunk before come when it is signed."""

    counts = np.asarray(samples, dtype="<i2").tobytes()

    def made(number: int, before: bytes) -> tuple[str, bytes]:
        chunk = Chunk(
            number=number, before=before, run=run, sample=sample, meter=meter, counts=counts
        )
        return f"{number:08d}{SUFFIX}", encode(chunk)

    return made


class TraceFiles:
    """Traces from files of a folder, in the order of their names, and those that come later.

    A file is .npy (int16, one dimension) or .raw/.i16 (int16, little-endian). The last chunk of a
    file may be short. InputError names a file that is neither.
    """

    def __init__(self, folder: Path, meter: Meter, *, samples: int = SAMPLES) -> None:
        self._folder, self._meter, self._samples = folder, meter, samples

    def __iter__(self) -> Iterator[Draft | None]:
        """Yield chunks as they come."""
        done: set[str] = set()
        run, at = secrets.token_bytes(RUN_BYTES), 0
        while True:
            found = sorted(p for p in self._folder.iterdir() if p.is_file() and p.name not in done)
            for path in found:
                done.add(path.name)
                if path.suffix == _NPY or path.suffix in _RAW:
                    trace = read_trace(path)
                    for start in range(0, len(trace), self._samples):
                        part = np.array(trace[start : start + self._samples])
                        yield draft(run, at, self._meter, part)
                        at += len(part)
            if not found:
                yield None


def read_trace(path: Path) -> NDArray[np.int16]:
    """Return the samples of a file, mapped into memory; InputError if they are not int16."""
    try:
        if path.suffix == _NPY:
            found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        else:
            found = np.memmap(path, dtype="<i2", mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise InputError(
            f"this is no trace: {error}.", remedy="write int16 as .npy or .raw.", file=str(path)
        ) from None
    if found.dtype != np.int16 or found.ndim != 1:
        raise InputError(
            f"the trace is {found.dtype} of {found.ndim} dimensions, not int16 of one.",
            remedy="convert it, and give what a count stands for.", file=str(path),
        )  # fmt: skip
    return found


class MadeUpTraces:
    """A clocked device that encrypts: ten rounds of a load that follows Hamming weights, and noise.

    Shape and sizes are made up (planning values); nothing is to be learnt from them about a key.
    """

    meter = Meter(rate_hz=100_000, unit="V", count_nano=30_518)
    """1 V over 15 bits."""
    _PERIOD, _ROUND = 40, 400

    def __init__(self, *, seed: int, samples: int = SAMPLES) -> None:
        self._seed, self._samples = seed, samples

    def __iter__(self) -> Iterator[Draft | None]:
        """Yield chunks; the same seed gives the same samples."""
        run = secrets.token_bytes(RUN_BYTES)
        for number in itertools.count():
            yield draft(run, number * self._samples, self.meter, self._chunk(number))

    def _chunk(self, number: int) -> NDArray[np.int16]:
        generator = np.random.default_rng([self._seed, number])
        at = np.arange(self._samples)
        clock = np.exp(-(at % self._PERIOD) / 6.0)
        weights = generator.binomial(128, 0.5, self._samples // self._ROUND + 1)
        load = 1.0 + 0.05 * (weights[at // self._ROUND] - 64.0)
        counts = 4000.0 * clock * load + generator.normal(0.0, 60.0, self._samples)
        return np.clip(counts, -32768.0, 32767.0).astype(np.int16)


__all__ = [
    "FORMAT", "PROOF", "SAMPLES", "STREAM", "Chunk", "MadeUpTraces", "Meter", "TraceFiles",
    "decode", "draft", "encode", "read_trace", "twice", "unsigned",
]  # fmt: skip
