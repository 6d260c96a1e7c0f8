"""A TPM that is killed, busy, failing, deaf or reset, at each step of an enclosure's life.

What holds in all of them: no keys, no commissioning; once armed, the enclosure guards on, for keys
are in its own processes; a cut takes them from there at once, and says whether the TPM's are gone
too; the next start with a TPM that works destroys what was left in it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from live_faults import GUARDING, Life, alarms, hears

from casemate.attest.keys.swtpm import SwTpm
from casemate.attest.keys.tpm_esys import NV_INDEX
from casemate.attest.keys.tpm_link import RC_HANDLE, Link, read_public_command, response_code
from casemate.control.setting import Setting
from casemate.testing.faults import Found
from casemate.testing.unsafe_tpm_bus import BusFault, UnsafeTpmBus

STEPS = ("start", "armed", "cut")
KEPT = ("busy", "reset")
"""Faults in which the TPM still forgets what it is told to forget."""


class Tpm:
    """The software TPM of a setting, behind a bus that can be disturbed."""

    bus: UnsafeTpmBus

    def put(self, setting: Setting) -> None:
        tpm = setting.custody._tpm
        assert tpm is not None
        self.tpm, self.custody, self.real = tpm, setting.custody, tpm.address
        self.bus = UnsafeTpmBus(tpm.address)
        tpm.address = self.bus.address

    def strike(self, fault: str) -> None:
        if fault == "killed":
            os.kill(self.tpm.pid, signal.SIGKILL)
        elif fault == "reset":  # of the TPM alone, while the controller runs on
            self.tpm.address = self.real
            self.tpm.kill()
            self.tpm = self.custody._tpm = SwTpm(self.tpm._folder)
            self.bus.real = self.real = self.tpm.address
            self.tpm.address = self.bus.address
        else:
            self.bus.fault = BusFault(fault)

    def take_away(self) -> None:
        """Have the setting close with the TPM itself."""
        self.tpm.address = self.real
        self.bus.close()


def tpm_faults(folder: Path, fault: str, steps: tuple[str, ...] = STEPS) -> Found:
    """Play one fault at each step."""
    for step in steps:
        _played(folder / step / "small", fault, step)
    return Found(points=len(steps), found=_told(fault))


def _played(home: Path, fault: str, step: str) -> None:
    tpm = Tpm()
    life = Life(home, keys="tpm", prepare=tpm.put, start=False)
    with hears() as heard:
        try:
            if step == "start":
                tpm.strike(fault)
            life.runtime.start()
            if step == "start":
                _at_start(life, fault)
            else:
                life.reaches("ARMED")
                life.watches()
                _while_armed(life, lambda: tpm.strike(fault), fault, step)
        finally:
            tpm.take_away()
            life.close()
    assert heard == [], f"{fault} {step}: {heard}"
    if step != "start":
        _next_start(home, f"{fault} {step}")


def _told(fault: str) -> str:
    if fault in KEPT:
        return "guards on; a cut takes all keys, the TPM's too"
    return "never armed without keys; guards on; a cut takes keys, and the TPM's at the next start"


def _at_start(life: Life, fault: str) -> None:
    if fault in KEPT:
        life.reaches("ARMED")
        return
    life.until(lambda: life.said("failed"), "the fault is not told")
    life.watches()
    assert life.state() not in GUARDING and life.runtime.holder is None, life.status()


def _while_armed(life: Life, strike: Callable[[], None], fault: str, step: str) -> None:
    if step == "cut":
        life.far.cut = True
        strike()
    else:
        strike()
        life.watches(12)
        life.reaches("ARMED")
        life.far.cut = True
    life.reaches("TAMPERED")
    life.until(lambda: life.status()["keys"] == "GONE", "keys stay")  # it may latch first
    life.until(lambda: life.runtime.erasure is not None, "nothing was erased")
    erasure = life.runtime.erasure
    assert erasure is not None and erasure.dead, erasure
    if fault in KEPT:
        assert erasure.complete, erasure
    elif step == "armed":
        assert not erasure.complete and life.said("NOT all gone"), erasure


def _next_start(home: Path, what: str) -> None:
    """Start with a TPM that works: the latch stays, and no seeds do."""
    life = Life(home, keys="tpm")
    try:
        life.watches()
        assert (life.state(), life.status()["keys"]) == ("TAMPERED", "GONE"), f"{what}: forgotten"
    finally:
        life.close()
    assert alarms(home) <= {"state.tampered"}, f"{what}: {alarms(home)}"
    assert seeds_gone(home / "run" / "tpm"), f"{what}: seeds are in the TPM"


def seeds_gone(folder: Path) -> bool:
    """Whether a software TPM's folder has no place for seeds."""
    with SwTpm(folder) as tpm, Link(tpm.address) as link:
        return response_code(link.exchange(read_public_command(NV_INDEX))) == RC_HANDLE
