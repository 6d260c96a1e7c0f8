"""Every backend keeps every promise of the kit; every fault of the simulator breaks one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casemate.attest.keys.process import ProcessHolder
from casemate.attest.keys.protocol import KeyHolder
from casemate.attest.keys.unsafe import Fault, UnsafeHolder
from casemate.core.suites import SUITES
from casemate.testing.keyholders import CHECKS, QUORUM

BACKENDS: dict[str, Callable[[], KeyHolder]] = {
    "process": lambda: ProcessHolder(quorum=QUORUM),
    "process-cnsa2": lambda: ProcessHolder(SUITES["cnsa2"], quorum=QUORUM),
    "unsafe": lambda: UnsafeHolder(approval=QUORUM),
    "unsafe-cnsa2": lambda: UnsafeHolder(SUITES["cnsa2"], approval=QUORUM),
}


def marks(backend: str) -> list[pytest.MarkDecorator]:
    """The other suite's processes are started by make validate."""
    return [pytest.mark.slow] if backend == "process-cnsa2" else []


FOUND_BY = {
    Fault.CANNOT_SIGN: "signatures",
    Fault.WRONG_SIGNATURE: "signatures",
    Fault.LIES_ABOUT_ERASURE: "zeroise",
    Fault.KNOWN_KEY_AFTER_ERASURE: "zeroise",
    Fault.STORE_KEEPS_KEYS: "zeroise",
    Fault.SEAL_IGNORED: "sealing",
    Fault.ANY_APPROVAL: "sealing",
    Fault.LAST_WORD_TWICE: "last_word",
    Fault.LAST_WORD_LOST: "last_word",
    Fault.LAST_WORD_OF_ANYTHING: "last_word",
    Fault.SLOW_ERASURE: "quick",
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("backend", [pytest.param(b, marks=marks(b)) for b in BACKENDS])
def test_backend_keeps_promise(backend: str, check: str) -> None:
    CHECKS[check](BACKENDS[backend])


@pytest.mark.parametrize("fault", Fault)
def test_fault_is_found(fault: Fault) -> None:
    with pytest.raises(AssertionError):
        CHECKS[FOUND_BY[fault]](lambda: UnsafeHolder(approval=QUORUM, faults={fault}))
