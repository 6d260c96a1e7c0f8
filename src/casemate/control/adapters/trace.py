"""Power traces of a DPA sensor, in chained chunks: items of the stream "trace".

A chunk says its own number and names the leaf of the chunk before (a salted digest, payload.py).
So a chunk that was altered or put in another's place is refused by who has it alone, and of any
two neighbours one proves the other; samples are counted, so that what was not signed shows.
docs/formats/payload.md.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casemate.control.adapters.payload import PROOF
from casemate.control.adapters.stream import Draft
from casemate.core import cbor
from casemate.core.errors import FormatError, InputError

STREAM, SUFFIX = "trace", ".trace"
FORMAT = "casemate-trace/1"
SAMPLES = 50_000
"""In a chunk (planning value): 100 kB, half a second at 100 kS/s."""
MOST_BYTES = 64 << 20
"""Of a chunk; more is not read."""
RUN_BYTES, LEAF_BYTES = 16, 32
_NPY, _RAW = ".npy", (".raw", ".i16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What one count of a sample stands for. count_nano: billionths of `unit`, such as "V"."""

    rate_hz: int
    unit: str
    count_nano: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One chunk. before: leaf of chunk `number - 1`, b"" where a chain begins.

    run: drawn when the sensor starts to be read; `sample`, the number of the first sample, counts
    from there. samples: int16, (n,), in counts of `meter`.
    """

    number: int
    before: bytes
    run: bytes
    sample: int
    meter: Meter
    samples: NDArray[np.int16]

    @property
    def end(self) -> int:
        """Return the number of the sample that comes next."""
        return self.sample + len(self.samples)


def encode(chunk: Chunk) -> bytes:
    """Return the bytes of a chunk: deterministic CBOR."""
    return cbor.encode(
        {
            1: FORMAT, 2: STREAM, 3: chunk.number, 4: chunk.before, 5: chunk.run, 6: chunk.sample,
            7: chunk.meter.rate_hz, 8: chunk.meter.unit, 9: chunk.meter.count_nano,
            10: np.asarray(chunk.samples, dtype="<i2").tobytes(),
        }
    )  # fmt: skip


def decode(data: bytes) -> Chunk:
    """Return a chunk from bytes of anybody; FormatError unless they are what `encode` gives."""
    row = cbor.decode(data, most=MOST_BYTES)
    if type(row) is not dict or set(row) != set(range(1, 11)):
        raise _malformed("it has other fields")
    if (row[1], row[2]) != (FORMAT, STREAM):
        raise _malformed("it is of another format")
    if any(type(row[key]) is not int or row[key] < 0 for key in (3, 6, 7, 9)):
        raise _malformed("a number is none, or is below 0")
    if type(row[4]) is not bytes or len(row[4]) not in (0, LEAF_BYTES):
        raise _malformed("the chunk before is not named by a leaf")
    if type(row[5]) is not bytes or len(row[5]) != RUN_BYTES or type(row[8]) is not str:
        raise _malformed("run or unit is of another kind")
    if type(row[10]) is not bytes or len(row[10]) % 2 or not row[10] or not row[7] or not row[9]:
        raise _malformed("samples are missing, or not of 16 bits")
    return Chunk(
        number=row[3], before=row[4], run=row[5], sample=row[6],
        meter=Meter(rate_hz=row[7], unit=row[8], count_nano=row[9]),
        samples=np.frombuffer(row[10], dtype="<i2"),
    )  # fmt: skip


def draft(run: bytes, sample: int, meter: Meter, samples: NDArray[np.int16]) -> Draft:
    """Return the draft of a chunk: number and chunk before come when it is signed."""

    def made(number: int, before: bytes) -> tuple[str, bytes]:
        chunk = Chunk(
            number=number, before=before, run=run, sample=sample, meter=meter, samples=samples
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


def twice(chunks: Sequence[tuple[Chunk, bytes]]) -> Iterator[str]:
    """Yield where a chunk (each with its own leaf) counts samples of the one before again."""
    for (one, _), (two, _) in itertools.pairwise(chunks):
        if two.run == one.run and one.number < two.number and two.sample < one.end:
            yield f"chunk {two.number}: samples are counted twice"


def unsigned(chunks: Sequence[tuple[Chunk, bytes]]) -> Iterator[str]:
    """Yield where samples came that were not signed: nothing guarded, or the reading began anew."""
    for (one, _), (two, _) in itertools.pairwise(chunks):
        if two.number != one.number + 1:
            continue
        if two.run != one.run:
            yield f"chunk {two.number}: the sensor was read anew; what came between is not known"
        elif two.sample > one.end:
            yield f"chunk {two.number}: {two.sample - one.end} samples before it were not signed"


def _malformed(why: str) -> FormatError:
    return FormatError(f"the chunk of a trace is malformed: {why}.", remedy="obtain it again.")


__all__ = [
    "FORMAT", "PROOF", "SAMPLES", "STREAM", "Chunk", "MadeUpTraces", "Meter", "TraceFiles",
    "decode", "draft", "encode", "read_trace", "twice", "unsigned",
]  # fmt: skip
