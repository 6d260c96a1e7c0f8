"""The process that signs with a token's Ed25519 key, and destroys what the token holds.

Same descriptors as `holder.py`; zeros on the pipe make it destroy the objects instead of a page.
The end of the controller ends it and destroys nothing: the keys are for the next start.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

from casemate.attest.keys import allowed, holder, wire
from casemate.attest.keys.memory import PAGE_BYTES, hardened, urgent_thread
from casemate.attest.keys.pkcs11_token import Token, TokenPlan
from casemate.attest.keys.protocol import CustodyError
from casemate.core.errors import CasemateError, FormatError
from casemate.core.suites import ED25519, PublicKey


def main(control: int, zeros: int, word: int, seeds: int) -> None:
    """Serve until the end. The first frame is the token's plan, and whether it has to sign."""
    with socket.socket(fileno=control) as link:
        try:
            dumpable, core_bytes, all_locked = hardened()
            first = wire.receive(link) or {}
            plan = TokenPlan.from_plain(first.get("token"))
            token = Token(plan)
            key = token.signer() if first.get("classical") else None
            public = [PublicKey(ED25519, token.public()).as_cose()] if key is not None else []
            other = Token(plan, logged_in=True)
            decisive = other.decisive()
            waiting = threading.Thread(target=_await_zeros, args=(other, decisive, zeros, word))
            granted = [dumpable, core_bytes, False, all_locked, urgent_thread(waiting)]
        except CasemateError as error:
            wire.refuse(link, error)
            return
        wire.send(link, {"ok": {"public": public, "granted": granted}})
        while (request := _next(link)) is not None:
            try:
                answer = {"ok": _sign(token, key, request)}
            except CasemateError as error:
                answer = wire.error_frame(error)
            wire.send(link, answer)
    holder._kill()


def _sign(token: Token, key: Any, request: dict[str, Any]) -> list[bytes]:
    match request:
        case {"do": "sign", "messages": [bytes(message)]} if key is not None:
            allowed.check_ready(message)
            return [token.sign(key, message)]
    raise CustodyError("the holder does not know this request.", remedy="use one version.")


def _next(link: socket.socket) -> dict[str, Any] | None:
    try:
        return wire.receive(link)
    except FormatError:
        return {}


def _await_zeros(token: Token, decisive: list[Any], zeros: int, word: int) -> None:
    """Say twice how it went: what makes all else useless is destroyed, and nothing is left."""
    if os.read(zeros, PAGE_BYTES):
        os.write(word, holder.ERASED if token.destroy_each(decisive) else holder.NOT_ERASED)
        os.write(word, holder.ERASED if token.destroy() else holder.NOT_ERASED)
    holder._kill()
