"""The process between a token and a holder: unwraps the ML-DSA seed into the holder, and ends."""

from __future__ import annotations

import os

from casemate.attest.keys.memory import hardened
from casemate.attest.keys.pkcs11_token import Token, TokenPlan
from casemate.attest.keys.protocol import CustodyError
from casemate.core import cbor
from casemate.core.errors import CasemateError

_MOST = 4096


def main(out: int, errors: int, length: int, fresh: int, classical: int, plan: int) -> None:
    """Write `length` bytes of seed into `out`, made and wrapped now if `fresh`, else unwrapped.

    plan: a pipe with the token's plan, since it has a PIN. What goes wrong goes into `errors`.
    """
    try:
        hardened()
        token = Token(TokenPlan.from_plain(cbor.decode(os.read(plan, _MOST))))
        if fresh:
            token.create(os.urandom(length), classical=bool(classical))
        seed = token.seed()
        if len(seed) != length:
            raise CustodyError("the token's seed is of another suite.", remedy="commission anew.")
        os.write(out, seed)
    except CasemateError as error:
        os.write(errors, error.message.encode()[:_MOST])
