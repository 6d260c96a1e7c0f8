"""Keys bound to what the machine's boot measured: another kernel gets none of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from live_faults import Life, alarms
from test_runtime_tpm import needs

from casemate.attest.keys.tpm_esys import Esys
from casemate.attest.keys.tpm_link import Link
from casemate.attest.quote import after_extend
from casemate.attest.reference import load
from casemate.cli.run import _boot_pcrs
from casemate.control.setting import Setting
from casemate.core.errors import InputError

__all__ = ["needs"]
KERNEL = 4


def started(folder: Path, kernel: str, pcrs: tuple[int, ...] = ()) -> Life:
    """A start of the machine with a kernel, then of the controller."""
    measured = hashlib.sha256(kernel.encode()).digest()

    def boot(setting: Setting) -> None:
        tpm = setting.custody._tpm
        assert tpm is not None
        with Link(tpm.address) as link:
            esys = Esys(link)
            esys._extend(KERNEL, measured)
            esys.close()

    return Life(folder, keys="tpm", prepare=boot, asked={"boot_pcrs": pcrs})


@pytest.mark.slow
def test_another_kernel_gets_no_keys(tmp_path: Path) -> None:
    life = started(tmp_path, "kernel", (KERNEL,))
    try:
        life.reaches("ARMED")
        life.until(lambda: life.status()["witnessed_entries"] > 1, "unwitnessed")
    finally:
        life.close()
    known = load((tmp_path / "trust" / "reference.json").read_bytes()).units[0].enrolments[0].tpm
    assert known is not None
    values = [(each.number, each.digest) for each in known.boot]
    assert values == [(KERNEL, after_extend(hashlib.sha256(b"kernel").digest()))]
    assert alarms(tmp_path) == set()
    for kernel, keys in (("another kernel", "GONE"), ("kernel", "SEALED")):
        life = started(tmp_path, kernel)  # which registers is remembered with the keys
        try:
            life.watches()
            assert (life.state(), life.status()["keys"]) == ("UNKNOWN", keys), kernel
        finally:
            life.close()
        assert alarms(tmp_path) == set()


def test_registers_are_those_of_a_boot() -> None:
    assert _boot_pcrs("") == () and _boot_pcrs("7,0,2,2") == (0, 2, 7)
    for wrong in ("10", "x", "1,,2", "-1", "23", "\u0662"):
        with pytest.raises(InputError):
            _boot_pcrs(wrong)
