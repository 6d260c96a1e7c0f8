"""The TPM backend against swtpm: quotes, restarts, other software, erasing, attacks on the bus."""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from holder_scans import Scanner

import casemate
from casemate.attest.keys.protocol import CustodyError, HolderState, KeysGoneError
from casemate.attest.keys.swtpm import SwTpm
from casemate.attest.keys.tpm import TpmHolder, forget
from casemate.attest.keys.tpm_esys import NV_INDEX, Esys, TpmPlan
from casemate.attest.keys.tpm_link import Link
from casemate.attest.keys.tpm_source import read_plan, write_plan
from casemate.attest.quote import (
    PCR_ANCHOR,
    PCR_SOFTWARE,
    Expected,
    after_extend,
    check_quote,
    extra_data,
)
from casemate.core.errors import SignatureError
from casemate.core.suites import verify
from casemate.testing.keyholders import CHECKS, FRAME, LAST, QUORUM
from outside_programs import needs_tpm

SOFTWARE, ANCHOR = hashlib.sha256(b"software").digest(), hashlib.sha256(b"anchor").digest()
EVIDENCE = hashlib.sha256(b"a token").digest()
MEASURED = {PCR_SOFTWARE: SOFTWARE, PCR_ANCHOR: ANCHOR}
KEPT_BY_DEFAULT = ("zeroise",)
"""Checks of the kit in the default run; the others start many processes, for make validate."""
EACH = [
    pytest.param(name, marks=[] if name in KEPT_BY_DEFAULT else [pytest.mark.slow])
    for name in CHECKS
]


@pytest.fixture(autouse=True)
def needs(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_tpm()
    monkeypatch.setenv("TSS2_LOG", "all+none")


@pytest.fixture
def tpm(tmp_path: Path) -> Iterator[SwTpm]:
    with SwTpm(tmp_path / "tpm") as running:
        yield running


def plan(tpm: SwTpm, **others: object) -> TpmPlan:
    return replace(TpmPlan(address=tpm.address, measured=MEASURED), **others)


def expected(holder: TpmHolder, **others: object) -> Expected:
    wanted = Expected(
        key=holder.attestation_key,
        pcrs={n: after_extend(digest) for n, digest in MEASURED.items()},
        extra=extra_data(EVIDENCE, holder.public()),
    )
    return replace(wanted, **others)


@pytest.mark.parametrize("check", EACH)
def test_tpm_backend_keeps_promise(tpm: SwTpm, check: str) -> None:
    def make() -> TpmHolder:
        forget(plan(tpm))
        return TpmHolder(plan(tpm), fresh=True, quorum=QUORUM)

    CHECKS[check](make)


def test_quote_is_right_and_names_the_evidence_keys(tpm: SwTpm) -> None:
    holder = TpmHolder(plan(tpm), fresh=True)
    quoted = holder.quote(EVIDENCE)
    said = check_quote(quoted.attest, quoted.signature, expected(holder))
    assert said.selected == (PCR_SOFTWARE, PCR_ANCHOR)
    for wrong in (
        expected(holder, extra=extra_data(bytes(32), holder.public())),
        expected(holder, extra=extra_data(EVIDENCE, holder.last_public())),
        expected(holder, extra=extra_data(EVIDENCE, holder.public(), b"nonce")),
        expected(holder, pcrs={PCR_SOFTWARE: after_extend(ANCHOR), PCR_ANCHOR: bytes(32)}),
    ):
        with pytest.raises(SignatureError):
            check_quote(quoted.attest, quoted.signature, wrong)
    with_nonce = holder.quote(EVIDENCE, b"nonce")
    extra = extra_data(EVIDENCE, holder.public(), b"nonce")
    check_quote(with_nonce.attest, with_nonce.signature, expected(holder, extra=extra))
    holder.close()


def test_keys_outlive_a_restart_and_a_reset_that_quotes_show(tmp_path: Path) -> None:
    with SwTpm(tmp_path) as tpm:
        holder = TpmHolder(plan(tpm), fresh=True)
        keys, last, ak = holder.public(), holder.last_public(), holder.attestation_key
        one = holder.quote(EVIDENCE)
        first = check_quote(one.attest, one.signature, expected(holder))
        holder.close()
        with pytest.raises(CustodyError, match="since its last reset"):
            TpmHolder(plan(tpm))
    with SwTpm(tmp_path) as tpm:
        holder = TpmHolder(plan(tpm))
        assert holder.public() == keys and holder.attestation_key == ak
        assert holder.last_public() != last
        verify(keys[1], FRAME, holder.sign(FRAME)[1])
        two, three = holder.quote(EVIDENCE), holder.quote(EVIDENCE)
        since = check_quote(two.attest, two.signature, expected(holder)).clock
        same = expected(holder, since=since, same_start=True)
        check_quote(three.attest, three.signature, same)
        later = expected(holder, since=first.clock)
        said = check_quote(three.attest, three.signature, later)
        assert said.clock.resets == first.clock.resets + 1
        with pytest.raises(SignatureError, match="reset or restarted"):
            check_quote(three.attest, three.signature, replace(later, same_start=True))
        with pytest.raises(SignatureError, match="older state"):
            check_quote(one.attest, one.signature, replace(later, since=said.clock))
        holder.close()


@pytest.mark.slow
def test_controller_killed_leaves_no_rubbish_in_the_tpm(tpm: SwTpm) -> None:
    for number in range(5):
        holder = TpmHolder(plan(tpm, nv_index=NV_INDEX + number), fresh=True)
        holder._holder.close()  # the attestation key stays, as after kill -9


@pytest.mark.slow
@pytest.mark.parametrize("pcr", MEASURED)
def test_other_software_or_anchor_gets_no_keys(tmp_path: Path, pcr: int) -> None:
    with SwTpm(tmp_path) as tpm:
        TpmHolder(plan(tpm), fresh=True).close()
        other = plan(tpm, measured=MEASURED | {pcr: bytes(32)})
        with pytest.raises(CustodyError, match="another measurement"):
            TpmHolder(other)
    with SwTpm(tmp_path) as tpm, pytest.raises(CustodyError, match="give out the seeds"):
        TpmHolder(plan(tpm, measured=MEASURED | {pcr: bytes(32)}))
    with SwTpm(tmp_path) as tpm:
        TpmHolder(plan(tpm)).close()


@pytest.mark.slow
def test_fewer_pcrs_do_not_open_the_seeds(tmp_path: Path) -> None:
    with SwTpm(tmp_path) as tpm:
        TpmHolder(plan(tpm), fresh=True).close()
        with pytest.raises(CustodyError, match="give out the seeds"):
            TpmHolder(plan(tpm, measured={PCR_SOFTWARE: SOFTWARE}))


@pytest.mark.slow
def test_power_cut_between_place_and_seeds(tpm: SwTpm) -> None:
    """An index without seeds opens nothing, is replaced by nothing, and can be forgotten."""

    def cut(*_: object, **__: object) -> None:
        raise InterruptedError

    with Link(tpm.address) as link:
        esys = Esys(link)
        esys.measure(plan(tpm))
        esys.esys.nv_write = cut
        with pytest.raises(InterruptedError):
            esys.store(plan(tpm), bytes(64))
    with pytest.raises(CustodyError, match="give out the seeds"):
        TpmHolder(plan(tpm))
    with pytest.raises(CustodyError, match="store seeds"):
        TpmHolder(plan(tpm), fresh=True)
    assert forget(plan(tpm))
    TpmHolder(plan(tpm), fresh=True).close()


@pytest.mark.slow
def test_fresh_keys_replace_none(tpm: SwTpm) -> None:
    TpmHolder(plan(tpm), fresh=True).close()
    with pytest.raises(CustodyError, match="store seeds"):
        TpmHolder(plan(tpm), fresh=True)


def test_nothing_is_left_in_the_tpm_after_zeroise(
    scan: Scanner, tpm: SwTpm, tmp_path: Path
) -> None:
    holder = TpmHolder(plan(tpm), fresh=True)
    holder.sign(FRAME)
    scan("holder", holder._holder.pids[0])
    assert set(scan("scan", holder._holder.pids[0])) == {"seed 1", "seed 2"}
    assert set(scan("scan", tpm.pid)) >= {"seed 1", "seed 2"}, "the TPM has the seeds"
    assert set(scan("folder", tmp_path / "tpm")) >= {"seed 1", "seed 2"}
    assert scan("scan", os.getpid()) == {}, "the controller has none"
    erasure = holder.zeroise()
    assert erasure.complete and erasure.store is True
    assert scan("folder", tmp_path / "tpm") == {}
    assert scan("scan", tpm.pid) == {}
    assert scan("scan", os.getpid()) == {}
    holder.quote(EVIDENCE)  # which software runs, it can still say
    assert len(holder.last_word(LAST)) == 2
    holder.close()
    with pytest.raises(CustodyError, match="give out the seeds"):
        TpmHolder(plan(tpm))


@pytest.mark.slow
def test_restored_folder_brings_erased_keys_back(tmp_path: Path) -> None:
    """What a software TPM cannot do, so nobody relies on it. Only the witnessed log shows it."""
    with SwTpm(tmp_path / "tpm") as tpm:
        holder = TpmHolder(plan(tpm), fresh=True)
        keys = holder.public()
        holder.close()
    shutil.copytree(tmp_path / "tpm", tmp_path / "copy")
    with SwTpm(tmp_path / "tpm") as tpm:
        holder = TpmHolder(plan(tpm))
        latest = holder.quote(EVIDENCE)
        seen = check_quote(latest.attest, latest.signature, expected(holder)).clock
        assert holder.zeroise().complete
        holder.close()
    with SwTpm(tmp_path / "tpm") as tpm:
        holder = TpmHolder(plan(tpm), fresh=True)
        again = holder.quote(EVIDENCE)
        seen = check_quote(again.attest, again.signature, expected(holder)).clock
        holder.close()
    with SwTpm(tmp_path / "copy") as tpm:
        holder = TpmHolder(plan(tpm))
        assert holder.public() == keys
        quoted = holder.quote(EVIDENCE)
        with pytest.raises(SignatureError, match="older state was restored"):
            check_quote(quoted.attest, quoted.signature, expected(holder, since=seen))
        holder.close()


@pytest.mark.slow
def test_zeroise_while_the_tpm_is_busy(tpm: SwTpm) -> None:
    holder = TpmHolder(plan(tpm), fresh=True)
    stop, quoted = threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            quoted.append(holder.quote(EVIDENCE))

    thread = threading.Thread(target=work)
    thread.start()
    while len(quoted) < 3:
        pass
    erasure = holder.zeroise()
    stop.set()
    thread.join(5.0)
    assert erasure.complete and erasure.store is True
    holder.close()


def test_zeroise_without_a_tpm_says_so(tmp_path: Path) -> None:
    with SwTpm(tmp_path) as tpm:
        holder = TpmHolder(plan(tpm), fresh=True)
        tpm.kill()
        erasure = holder.zeroise()
        assert erasure.dead
        assert erasure.store is False and not erasure.complete
        assert holder.state is HolderState.ERASED
        with pytest.raises(KeysGoneError):
            holder.sign(FRAME)
        with pytest.raises(CustodyError):
            holder.quote(EVIDENCE)
        holder.close()
    with SwTpm(tmp_path) as tpm:
        assert forget(plan(tpm))


def test_software_tpm_dies_with_its_controller(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from casemate.attest.keys.swtpm import SwTpm;"
        "tpm = SwTpm(pathlib.Path(sys.argv[1])); print(tpm.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "tpm")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(casemate.__file__).parent.parent)},
    ) as controller:
        assert controller.stdout
        pid = os.pidfd_open(int(controller.stdout.readline()))
        controller.kill()
    assert select.select([pid], [], [], 5.0)[0], "swtpm outlives its controller"
    os.close(pid)


def test_no_tpm_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CustodyError, match="cannot be used"):
        TpmHolder(TpmPlan(address=str(tmp_path / "none"), measured=MEASURED))


def test_seeds_never_cross_the_bus_in_clear(tpm: SwTpm) -> None:
    seeds, bus = os.urandom(64), []

    class Tapped(Link):
        def transmit(self, command: bytes) -> None:
            bus.append(command)
            super().transmit(command)

        def receive(self, wait_s: float = 30.0) -> bytes:
            bus.append(super().receive(wait_s))
            return bus[-1]

    with Tapped(tpm.address) as link:
        esys = Esys(link)
        esys.measure(plan(tpm))
        esys.store(plan(tpm), seeds)
        assert esys.fetch(plan(tpm), 64) == seeds
        esys.close()
    heard = b"".join(bus)
    assert MEASURED[PCR_SOFTWARE] in heard, "the tap hears what is sent in clear"
    assert seeds[:32] not in heard and seeds[32:] not in heard


@pytest.mark.parametrize(
    "bad",
    [
        {"measured": {}},
        {"measured": {16: SOFTWARE}},
        {"measured": {23: SOFTWARE}},
        {"measured": {24: SOFTWARE}},
        {"measured": {11: b"short"}},
        {"boot": (11,)},
        {"boot": (7, 7)},
    ],
)
def test_plans_that_bind_nothing_are_refused(bad: dict) -> None:
    good = TpmPlan(address="x", measured=MEASURED, boot=(0, 7))
    assert read_plan(write_plan(good)) == good
    with pytest.raises(CustodyError):
        replace(good, **bad)
