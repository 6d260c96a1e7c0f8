"""The process that holds keys: `main` is started by `cell.py`, never by hand.

Three descriptors: `control` (wire.py), `zeros` (a pipe whose bytes go straight over the page of
seeds) and `word` (a pipe that says how the page read back). The end of either ends the process,
with the page erased: a holder does not outlive its controller.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import Any, NoReturn

from casemate.attest.keys import wire
from casemate.attest.keys.approval import NoQuorum, Quorum
from casemate.attest.keys.memory import LockedPage, be_calm, hardened, urgent_thread
from casemate.attest.keys.protocol import CustodyError
from casemate.attest.keys.vault import Vault
from casemate.core.errors import CasemateError, FormatError
from casemate.core.private_keys import SEED_BYTES

ERASED, NOT_ERASED = b"\x01", b"\x00"


def main(control: int, zeros: int, word: int, seeds: int) -> None:
    """Serve until the end. seeds: a pipe to read seeds from, -1 to make them here."""
    page = LockedPage()
    with socket.socket(fileno=control) as link:
        try:
            dumpable, core_bytes, all_locked = hardened()
            if not page.locked:
                raise CustodyError(
                    "the system does not keep the page of seeds out of swap.",
                    remedy="allow RLIMIT_MEMLOCK of at least 64 KiB for this user.",
                )
            vault = _vault(page, wire.receive(link) or {}, seeds)
            waiting = threading.Thread(target=_await_zeros, args=(page, zeros, word))
            granted = [dumpable, core_bytes, page.locked, all_locked, urgent_thread(waiting)]
        except CasemateError as error:
            page.erase()
            wire.refuse(link, error)
            return
        public = [key.as_cose() for key in vault.public]
        wire.send(link, {"ok": {"public": public, "granted": granted}})
        try:
            _serve(link, vault)
        finally:
            _end(page)


def _vault(page: LockedPage, config: dict[str, Any], seeds: int) -> Vault:
    match config:
        case {
            "algorithms": list(algorithms),
            "once": bool(once),
            "sealed": bool(sealed),
            "log": bool(log),
            "quorum": quorum,
        }:
            length = SEED_BYTES * len(algorithms)
        case _:
            raise FormatError("no configuration came.", remedy="use one version on both sides.")
    if seeds < 0:
        page.fill_random(length)
    elif page.read_over(seeds, length) != length:
        raise CustodyError("the key store gave no seeds.", remedy="see what the key store says.")
    approval = NoQuorum() if quorum is None else Quorum.from_plain(quorum)
    vault = Vault(page, algorithms, approval, once=once, log=log)
    if sealed:
        vault.seal()
    return vault


def _serve(link: socket.socket, vault: Vault) -> None:
    spent = False
    while not spent and (request := _next(link)) is not None:
        try:
            answer, spent = _answer(vault, request)
        except CasemateError as error:
            answer = wire.error_frame(error)
        wire.send(link, answer)


def _next(link: socket.socket) -> dict[str, Any] | None:
    try:
        return wire.receive(link)
    except FormatError:
        return {}


def _answer(vault: Vault, request: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    match request:
        case {"do": "sign", "messages": list(messages)}:
            return {"ok": vault.sign(messages)}, vault.once
        case {"do": "seal"}:
            return {"ok": vault.seal()}, False
        case {"do": "unseal", "approval": bytes(approval)}:
            vault.unseal(approval)
            return {"ok": None}, False
    raise CustodyError("the holder does not know this request.", remedy="use one version.")


def _await_zeros(page: LockedPage, zeros: int, word: int) -> None:
    page.read_over(zeros)  # whatever ends this wait, the page goes
    page.erase()
    os.write(word, ERASED if page.is_zero() else NOT_ERASED)
    be_calm()  # freeing the process' memory takes a millisecond, in which others erase a key store
    _kill()


def _end(page: LockedPage) -> NoReturn:
    page.erase()
    _kill()


def _kill() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process outlived SIGKILL")
