"""What a key signs in which state, judged from the bytes themselves.

The holder's process reads what it is asked to sign, so that a caller gone wrong gets no further
than the holder: sealed keys sign tokens in which the enclosure claims neither ARMED nor
MAINTENANCE and vouches for no payload, and checkpoints of the log, which claim nothing about the
enclosure. The last word's keys sign a token of kind "last". Evidence keys sign no last word.
"""

from __future__ import annotations

import re
from typing import Any

from casemate.attest import claims as c
from casemate.attest.keys.protocol import CustodyError, SealedError, check_message
from casemate.core import cbor
from casemate.core.errors import FormatError

WHEN_SEALED = ("boot", "state", "heartbeats", "permit")
"""Kinds of token that sealed keys sign: all but payload and last."""
TRUSTED_STATES = ("ARMED", "MAINTENANCE")
"""States of which sealed keys say nothing."""
_CHECKPOINT = re.compile(rb"([^\n+ ][^\n]*)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n")
"""A note body of C2SP tlog-checkpoint without extension lines: origin, size, root."""


def token_claims(message: bytes) -> dict[Any, Any] | None:
    """Return the claims in a Sig_structure (RFC 9052, section 4.4) of a token; None if it is none.

    Whether the claims are in order beyond kind and state is for whoever verifies the token.
    """
    try:
        match cbor.decode(message, most=len(message)):
            case ["Signature", bytes(), bytes(), b"", bytes(payload)]:
                claims = cbor.decode(payload, most=len(payload))
                return claims if type(claims) is dict else None
    except FormatError:
        pass
    return None


def check_ready(message: bytes) -> None:
    """Let evidence keys sign anything but a last word; CustodyError otherwise."""
    check_message(message)
    claims = token_claims(message)
    if claims is not None and claims.get(c.KIND) == "last":
        raise CustodyError(
            "evidence keys sign no last word.", remedy="use the last word's keys, after erasure."
        )


def check_sealed(message: bytes) -> None:
    """Let sealed keys sign what says so; SealedError for anything else."""
    check_message(message)
    if _CHECKPOINT.fullmatch(message):
        return
    claims = token_claims(message) or {}
    state = claims.get(c.STATE)
    if claims.get(c.KIND) in WHEN_SEALED and state in c.STATES and state not in TRUSTED_STATES:
        return
    raise SealedError(
        "the keys are sealed: they sign no payload, and no token that claims ARMED or MAINTENANCE.",
        remedy="let a quorum approve unsealing, or sign the state that the enclosure is in.",
    )


def check_last(message: bytes) -> None:
    """Let the last word's keys sign a token of kind "last"; CustodyError for anything else."""
    check_message(message)
    claims = token_claims(message)
    if claims is None or claims.get(c.KIND) != "last" or claims.get(c.STATE) != "TAMPERED":
        raise CustodyError(
            'the last word\'s keys sign a token of kind "last" alone.',
            remedy="keep them for the one token that says that the evidence keys are gone.",
        )


class GrowingLog:
    """What a log's key signs while its process lives: checkpoints of one log that never shrinks."""

    def __init__(self) -> None:
        self._latest: tuple[bytes, int, bytes] | None = None

    def check(self, message: bytes) -> None:
        """Let a checkpoint pass that can follow the ones before; CustodyError otherwise."""
        check_message(message)
        found = _CHECKPOINT.fullmatch(message)
        if found is None:
            raise CustodyError("the log's key signs checkpoints alone.", remedy="use another key.")
        origin, size, root = found[1], int(found[2]), found[3]
        if self._latest is not None:
            before, least, known = self._latest
            if origin != before or size < least or (size == least and root != known):
                raise CustodyError(
                    f"the log's key signed {least} entries; {size} entries of another root, a "
                    "shorter or another log is a fork.",
                    remedy="stop, keep all files, and have both parties look at them.",
                )
        self._latest = (origin, size, root)
