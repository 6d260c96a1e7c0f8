"""Leaves of payload tokens: what binds a frame or a chunk without telling what it is."""

from __future__ import annotations

import hashlib

from casemate.core.errors import FormatError

SALT_BYTES = 16


def leaf(salt: bytes, item: bytes) -> bytes:
    """Return the leaf of an item for the tree whose root a payload token carries.

    The leaf's own hash is that of RFC 9162, SHA-256 over 0x00 and the leaf. salt: 16 fresh random
    bytes for each item, kept with it: without them, whoever guesses an item could test his guess.
    FormatError on a salt of another size.
    """
    if len(salt) != SALT_BYTES:
        raise FormatError(
            f"a salt has {SALT_BYTES} bytes, not {len(salt)}.",
            remedy="draw each salt from the system's random source.",
        )
    return salt + hashlib.sha256(item).digest()
