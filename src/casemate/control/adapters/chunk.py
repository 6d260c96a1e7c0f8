"""What a chunk of a power trace is, in bytes: an item of the stream "trace".

A chunk says its own number and names the leaf of the chunk before (a salted digest, payload.py).
So a chunk that was altered or put in another's place is refused by who has it alone, and of any
two neighbours one proves the other; samples are counted, so that what was not signed shows.
Numpy is needed by who wants the samples alone, not by who checks. docs/formats/payload.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from casemate.core import cbor
from casemate.core.errors import FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STREAM = "trace"
FORMAT = "casemate-trace/1"
MOST_BYTES = 64 << 20
"""Of a chunk; more is not read."""
RUN_BYTES, LEAF_BYTES = 16, 32


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
    from there. counts: samples in counts of `meter`, two bytes each, little-endian, signed.
    """

    number: int
    before: bytes
    run: bytes
    sample: int
    meter: Meter
    counts: bytes

    @property
    def size(self) -> int:
        """Return how many samples there are."""
        return len(self.counts) // 2

    @property
    def samples(self) -> NDArray[np.int16]:
        """Return the samples: int16, (size,), read-only."""
        import numpy

        return numpy.frombuffer(self.counts, dtype="<i2")

    @property
    def end(self) -> int:
        """Return the number of the sample that comes next."""
        return self.sample + self.size


def encode(chunk: Chunk) -> bytes:
    """Return the bytes of a chunk: deterministic CBOR."""
    return cbor.encode(
        {
            1: FORMAT, 2: STREAM, 3: chunk.number, 4: chunk.before, 5: chunk.run, 6: chunk.sample,
            7: chunk.meter.rate_hz, 8: chunk.meter.unit, 9: chunk.meter.count_nano,
            10: chunk.counts,
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
        counts=row[10],
    )  # fmt: skip


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
