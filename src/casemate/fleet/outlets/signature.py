"""Signatures of webhooks, as Standard Webhooks 1.0 has them: HMAC-SHA-256 by `cryptography`.

What is signed: id, time and body, so none can be exchanged. A receiver refuses what is older than
five minutes, and takes each id once. A notice that is brought again has its id and a new time.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac

from casemate.core.errors import SignatureError

TOLERANCE_S = 300
"""That the sender's clock may differ from the receiver's (Standard Webhooks)."""
PREFIX = "whsec_"
"""Of a secret as people hand it on; the key follows in base64 (Standard Webhooks)."""
KEY_BYTES = (24, 64)
"""Shortest and longest key (Standard Webhooks)."""


def key(secret: str) -> bytes:
    """Return the key that a secret holds, as libraries of Standard Webhooks read it.

    ValueError if it is not of that form: who would sign by its letters is understood by nobody.
    """
    if not secret.startswith(PREFIX):
        raise ValueError(f"it does not begin with {PREFIX}")
    found = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    if not KEY_BYTES[0] <= len(found) <= KEY_BYTES[1]:
        raise ValueError(f"its key has {len(found)} bytes, not {KEY_BYTES[0]} to {KEY_BYTES[1]}")
    return found


def sign(secret: bytes, id_: str, at_s: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body."""
    made = _mac(secret, id_, str(at_s), body).finalize()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }


def _mac(secret: bytes, id_: str, at: str, body: bytes) -> hmac.HMAC:
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(f"{id_}.{at}.".encode() + body)
    return mac


class Receiver:
    """Checks what comes in at a receiver. most: ids that it remembers (planning value)."""

    def __init__(self, secret: bytes, *, most: int = 100_000) -> None:
        self._secret, self._most = secret, most
        self._seen: OrderedDict[str, None] = OrderedDict()

    def take(self, headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
        """Return whether it is new, False if it was taken before. SignatureError if it is not good.

        headers: by lower-case name.
        """
        id_, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not (at.isascii() and at.isdigit() and len(at) < 16 and id_.isascii()):
            raise _refused("it names no time")
        if abs(now_s - int(at)) > TOLERANCE_S:
            raise _refused("it was signed too long ago, or a clock errs")
        said = headers.get("webhook-signature", "").split(" ")[:8]
        if not any(self._fits(id_, at, body, each) for each in said):
            raise _refused("the signature does not fit")
        if id_ in self._seen:
            return False
        self._seen[id_] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return True

    def _fits(self, id_: str, at: str, body: bytes, said: str) -> bool:
        version, _, value = said.partition(",")
        if version != "v1":
            return False
        try:
            _mac(self._secret, id_, at, body).verify(base64.b64decode(value, validate=True))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def _refused(why: str) -> SignatureError:
    return SignatureError(f"{why}.", remedy="see who sends it, the shared secret and the clocks.")
