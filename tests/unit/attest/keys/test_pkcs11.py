"""The PKCS#11 backend against SoftHSM: the kit, restarts, erasing, a token that is gone."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from holder_scans import Scanner, stop

from casemate.attest.keys.pkcs11 import Pkcs11Holder, TokenStore
from casemate.attest.keys.pkcs11_token import TokenPlan
from casemate.attest.keys.protocol import CustodyError, HolderState, KeysGoneError, SealedError
from casemate.core.suites import SUITES, verify
from casemate.testing.keyholders import CHECKS, FRAME, LAST, QUORUM
from outside_programs import missing, needs, program

LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "7351 is no secret"
NUMBERS = itertools.count()
KEPT_BY_DEFAULT = ("zeroise",)
"""Checks of the kit in the default run; the others start many processes, for make validate."""
EACH = [
    pytest.param(name, marks=[] if name in KEPT_BY_DEFAULT else [pytest.mark.slow])
    for name in CHECKS
]


@pytest.fixture(scope="module")
def new_plan(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], TokenPlan]:
    """A token of its own for the module; each plan has objects of its own in it."""
    tool = program("softhsm2-util", "softhsm2")
    if not Path(LIBRARY).exists():
        missing(LIBRARY)
    needs("pkcs11")
    home = tmp_path_factory.mktemp("softhsm")
    tokens = home / "tokens"
    tokens.mkdir()
    config = home / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    subprocess.run(
        [
            *(tool, "--init-token", "--free", "--label", "unit"),
            *("--so-pin", "0000", "--pin", PIN),
        ],
        check=True,
        capture_output=True,
        env={"SOFTHSM2_CONF": str(config), "PATH": os.environ["PATH"]},
    )
    return lambda: TokenPlan(
        library=LIBRARY,
        token="unit",
        pin=PIN,
        prefix=f"unit {next(NUMBERS)}",
        env=(("SOFTHSM2_CONF", str(config)),),
    )


@pytest.mark.parametrize("check", EACH)
def test_pkcs11_backend_keeps_promise(new_plan: Callable[[], TokenPlan], check: str) -> None:
    CHECKS[check](lambda: Pkcs11Holder(new_plan(), fresh=True, quorum=QUORUM))


def test_keys_outlive_a_restart_and_not_zeroise(new_plan: Callable[[], TokenPlan]) -> None:
    plan = new_plan()
    holder = Pkcs11Holder(plan, fresh=True)
    keys = holder.public()
    holder.close()
    with pytest.raises(CustodyError, match="already"):
        Pkcs11Holder(plan, fresh=True)
    holder = Pkcs11Holder(plan)
    assert holder.public() == keys
    for key, signature in zip(keys, holder.sign(FRAME), strict=True):
        verify(key, FRAME, signature)
    assert holder.zeroise().store is True
    assert len(holder.last_word(LAST)) == 2
    holder.close()
    with pytest.raises(CustodyError, match="0 objects"):
        Pkcs11Holder(plan)
    again = Pkcs11Holder(plan, fresh=True)
    assert not set(again.public()) & set(keys)
    again.close()


@pytest.mark.slow
def test_suite_without_classical_key_uses_the_token_to_wrap(
    new_plan: Callable[[], TokenPlan],
) -> None:
    plan, suite = new_plan(), SUITES["cnsa2"]
    holder = Pkcs11Holder(plan, suite, fresh=True)
    keys = holder.public()
    verify(keys[0], FRAME, holder.sign(FRAME)[0])
    holder.close()
    holder = Pkcs11Holder(plan, suite)
    assert holder.public() == keys
    assert holder.zeroise().complete
    holder.close()


@pytest.mark.slow
def test_seed_is_in_no_other_process_and_no_file(
    scan: Scanner, new_plan: Callable[[], TokenPlan]
) -> None:
    plan = new_plan()
    holder = Pkcs11Holder(plan, fresh=True)
    pid = holder._holder.pids[0]
    scan("holder", pid)  # the only seed in its page is the ML-DSA one
    assert set(scan("scan", pid)) == {"seed 1"}
    assert scan("scan", os.getpid()) == {}
    assert scan("scan", holder._cell.pid) == {}
    assert scan("folder", Path(dict(plan.env)["SOFTHSM2_CONF"]).parent) == {}
    holder.close()


@pytest.mark.slow
def test_sealed_gate_stops_the_token_too(new_plan: Callable[[], TokenPlan]) -> None:
    holder = Pkcs11Holder(new_plan(), fresh=True)
    holder.seal()
    asked = []
    holder._cell.sign = lambda messages: asked.append(messages)  # type: ignore[method-assign]
    with pytest.raises(SealedError):
        holder.sign(FRAME)
    assert not asked, "the token was not even asked"
    holder.close()


def test_token_process_killed(new_plan: Callable[[], TokenPlan]) -> None:
    holder = Pkcs11Holder(new_plan(), fresh=True)
    os.kill(holder._cell.pid, signal.SIGKILL)
    with pytest.raises(KeysGoneError):
        holder.sign(FRAME)
    assert holder.state is HolderState.ERASED
    erasure = holder.zeroise()
    assert erasure.store is True, "another process destroys the objects"
    holder.close()


@pytest.mark.slow
def test_token_that_is_gone_is_said_to_be_left(
    new_plan: Callable[[], TokenPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casemate.attest.keys.pkcs11.ERASE_S", 0.2)
    holder = Pkcs11Holder(new_plan(), fresh=True)
    stop(holder._cell.pid)
    store = holder._holder._store.now
    monkeypatch.setattr(store, "_again", lambda: (_ for _ in ()).throw(CustodyError("", remedy="")))
    erasure = holder.zeroise()
    assert erasure.dead
    assert erasure.store is False and not erasure.complete
    with pytest.raises(KeysGoneError):
        holder.sign(FRAME)
    holder.close()


@pytest.mark.slow
def test_wrong_pin_and_wrong_token_are_clear_errors(new_plan: Callable[[], TokenPlan]) -> None:
    plan = new_plan()
    for wrong in (
        TokenPlan(library=LIBRARY, token="unit", pin="wrong", env=plan.env),
        TokenPlan(library=LIBRARY, token="none", pin=PIN, env=plan.env),
        TokenPlan(library="/none.so", token="unit", pin=PIN, env=plan.env),
    ):
        with pytest.raises(CustodyError, match="refuses to open"):
            Pkcs11Holder(wrong, fresh=True)


@pytest.mark.slow
def test_pin_is_shown_nowhere(new_plan: Callable[[], TokenPlan]) -> None:
    plan = new_plan()
    holder = Pkcs11Holder(plan, fresh=True)
    assert PIN not in repr(plan)
    for pid in (holder._cell.pid, *holder._holder.pids):
        shown = (
            Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        )
        assert PIN.encode() not in shown
    holder.close()


DECISIVE = """
import sys
from casemate.attest.keys.pkcs11_token import Token, TokenPlan
from casemate.attest.keys.protocol import CustodyError

token = Token(TokenPlan(library=sys.argv[1], token="unit", pin=sys.argv[2], prefix=sys.argv[3]))
token.create(bytes(range(32)), classical=True)
key, handles = token.signer(), token.decisive()
assert len(handles) == 2 and token.seed() == bytes(range(32)) and token.sign(key, b"m")
assert token.destroy_each(handles)
for what in (token.seed, token.signer, lambda: token.sign(key, b"m")):
    try:
        what()
    except CustodyError:
        continue
    raise AssertionError("of use without the two keys")
assert token._all(), "the wrapped seed and the public key are left, and of no use"
assert not token.destroy_each(handles), "what is not there is not answered for"
assert token.destroy() and not token._all()
"""


def test_without_two_keys_all_else_in_the_token_is_of_no_use(
    new_plan: Callable[[], TokenPlan],
) -> None:
    plan = new_plan()
    env = os.environ | dict(plan.env)  # SoftHSM reads it once a process
    done = subprocess.run(
        [sys.executable, "-c", DECISIVE, LIBRARY, PIN, plan.prefix], env=env, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


class Words:
    """A cell that says these words."""

    def __init__(self, *words: bool) -> None:
        self.words = list(words)

    def await_word(self, wait_s: float) -> bool:
        return self.words.pop(0) if self.words else False

    def overwrite(self) -> bool:
        return True

    def kill(self) -> None:
        pass

    def await_death(self) -> bool:
        return True

    def discard(self) -> None:
        pass


@pytest.mark.parametrize(
    ("first", "again", "unusable", "nothing_left"),
    [
        ((True, True), (), True, True),
        ((True, False), (False, True), True, True),
        ((True, False), (True, False), True, False),
        ((False, False), (True, True), False, True),
        ((False,), (), False, False),
    ],
)
def test_a_token_is_believed_word_by_word(
    first: tuple[bool, ...], again: tuple[bool, ...], unusable: bool, nothing_left: bool
) -> None:
    cell: Any = Words(*first)
    other: Any = Words(*again)
    store = TokenStore(cell, lambda: other)
    store.begin_erase()
    assert store.answered() is unusable
    assert store.end_erase() is nothing_left
    assert store.answered() is unusable, "it is asked once"
