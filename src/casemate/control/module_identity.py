"""How a module proves which one it is: it signs a fresh nonce with a key that it alone holds.

The enclosure knows the keys of what was fitted and of spares from its reference values. What is
signed names enclosure, serial and place, so that an answer counts nowhere else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from casemate.core.errors import SignatureError
from casemate.core.suites import PublicKey, verify

NONCE_BYTES = 32
ANSWER_S = 5.0
"""In which a module has to answer (planning value)."""
_DOMAIN = b"casemate module identity 1"


def new_nonce() -> bytes:
    """Return what a module is asked with, once."""
    return secrets.token_bytes(NONCE_BYTES)


def message(enclosure: str, serial: str, module: str, nonce: bytes) -> bytes:
    """Return what a module signs: domain, enclosure, serial, place and nonce, each with its size.

    SignatureError for a nonce of another size.
    """
    if len(nonce) != NONCE_BYTES:
        raise SignatureError(
            f"a module is asked with {NONCE_BYTES} bytes, not {len(nonce)}.",
            remedy="ask again.",
        )
    parts = (_DOMAIN, enclosure.encode(), serial.encode(), module.encode(), nonce)
    return b"".join(len(each).to_bytes(4, "big") + each for each in parts)


def prover(keys: Iterable[PublicKey], asked: bytes, signature: bytes) -> PublicKey:
    """Return which of `keys` has signed `asked`; SignatureError if none of them has."""
    for key in keys:
        try:
            verify(key, asked, signature)
        except SignatureError:
            continue
        return key
    raise SignatureError(
        "the module did not sign with a key that is known for its place.",
        remedy="do not use it; take a spare whose key is in the reference values.",
    )
