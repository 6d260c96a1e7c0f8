"""The process between a file and a holder: makes or reads a seed, passes it on, and ends.

For keys that have to outlive `zeroise`, such as the log's. Whoever reads the file has the key.
"""

from __future__ import annotations

import os
from pathlib import Path

from casemate.attest.keys.memory import hardened
from casemate.attest.keys.protocol import CustodyError
from casemate.core.errors import CasemateError
from casemate.core.secret_file import make_once

_OWNER_ALONE = 0o077


def main(out: int, errors: int, length: int, path: str) -> None:
    """Write the `length` bytes of the file into `out`; random ones, durable, if there is no file.

    What goes wrong is written into `errors` as text.
    """
    try:
        hardened()
        os.write(out, _seed(path, length))
    except CasemateError as error:
        os.write(errors, error.message.encode()[:4096])


def _seed(path: str, length: int) -> bytes:
    try:
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return _made(path, length)
        try:
            found = os.fstat(file)
            seed = os.read(file, length + 1)
        finally:
            os.close(file)
    except OSError as error:
        raise _refused(f"cannot be used: {error.strerror}") from None
    if found.st_uid != os.geteuid() or found.st_mode & _OWNER_ALONE:
        raise _refused("can be read or written by others")
    if len(seed) != length:
        raise _refused(f"has not {length} bytes")
    return seed


def _made(path: str, length: int) -> bytes:
    make_once(Path(path), os.urandom(length))
    return _seed(path, length)


def _refused(why: str) -> CustodyError:
    return CustodyError(
        f"the file of the key {why}.", remedy="restore it; a log with another key is another log."
    )
