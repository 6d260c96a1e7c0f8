"""One file being written: streamed, hashed and, if asked, compressed with fixed bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

Row = dict[str, Any]
"""{path, sha256, bytes, segments}: path relative to the output folder, bytes as stored."""

COMPRESSION_LEVEL = 1
"""igzip level: on Gerber text level 1 is about as small as 2 and clearly faster."""


class _Hashed:
    """A raw file that counts and hashes what passes."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._hash = hashlib.sha256()
        self.count = 0

    def write(self, data: bytes | memoryview) -> int:
        self._hash.update(data)
        self.count += len(data)
        return self._raw.write(data)

    def flush(self) -> None:
        self._raw.flush()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class Sink:
    """Where a writer puts its bytes; `segments` counts the strokes it drew."""

    def __init__(self, target: Any) -> None:
        self._target = target
        self.segments = 0

    def text(self, *lines: str) -> None:
        """Write lines, each with a newline."""
        if lines:
            self._target.write(("\n".join(lines) + "\n").encode())

    def raw(self, data: bytes | memoryview) -> None:
        """Write bytes as they are."""
        self._target.write(data)


@contextmanager
def open_sink(
    folder: Path, path: str, rows: list[Row], *, compress: bool = False
) -> Iterator[Sink]:
    """Yield a sink for folder/path; when it closes, its row is added to `rows`.

    compress: write path.gz with no name and no time in its header, hence the same bytes each run.
    """
    name = path + ".gz" if compress else path
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as raw:
        hashed = _Hashed(raw)
        if compress:
            from isal import igzip

            gzip_file: Any = igzip.IGzipFile  # untyped in isal
            with gzip_file(
                filename="",
                mode="wb",
                compresslevel=COMPRESSION_LEVEL,
                fileobj=hashed,
                mtime=0,
            ) as packed:
                sink = Sink(packed)
                yield sink
        else:
            sink = Sink(hashed)
            yield sink
    rows.append(
        {
            "path": name,
            "sha256": hashed.sha256,
            "bytes": hashed.count,
            "segments": sink.segments,
        }
    )
