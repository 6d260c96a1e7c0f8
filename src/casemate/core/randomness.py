"""Secret randomness for per-unit layouts: ChaCha20 keyed by HKDF of a secret and a label.

The secret stays with its owner. What ships is a commitment: SHA-256 over an opening that is
derived from the secret, so it binds the layout's seed without disclosing it.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SECRET_BYTES = 32
CHACHA_BLOCK = 64
"""Bytes of one ChaCha20 block."""


def new_secret() -> bytes:
    """Return 32 fresh bytes from the operating system's CSPRNG."""
    return secrets.token_bytes(SECRET_BYTES)


def derive(secret: bytes, label: str) -> bytes:
    """Return 32 bytes bound to `secret` and `label` (HKDF-SHA-256, RFC 5869)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(
        algorithm=hashes.SHA256(), length=32, salt=b"casemate/v1", info=label.encode()
    ).derive(secret)


def keystream(key: bytes, count: int, *, offset: int = 0) -> npt.NDArray[np.uint8]:
    """Return bytes `offset` .. `offset + count - 1` of the ChaCha20 keystream of `key`.

    RFC 8439's block function with a counter of 64 bits and nonce 0, shape (count,).
    """
    import numpy as np
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

    block, skip = divmod(offset, CHACHA_BLOCK)
    start = block.to_bytes(8, "little") + bytes(8)
    cipher = Cipher(algorithms.ChaCha20(key, start), mode=None).encryptor()
    return np.frombuffer(cipher.update(bytes(skip + count)), dtype=np.uint8)[skip:]


def commitment(secret: bytes, label: str) -> str:
    """Return the hex commitment to the seed of `label`; open it with `opening`."""
    return hashlib.sha256(
        b"casemate/v1/commitment\0" + label.encode() + b"\0" + opening(secret, label)
    ).hexdigest()


def opening(secret: bytes, label: str) -> bytes:
    """Return what the owner discloses to open a commitment: it determines the layout's seed."""
    return derive(secret, f"seed/{label}")
