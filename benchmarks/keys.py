"""Custody of keys: how fast they are gone, and what custody costs a signature."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from benchmarks.frame import Figure
from casemate.attest.keys.pkcs11 import Pkcs11Holder
from casemate.attest.keys.pkcs11_token import TokenPlan
from casemate.attest.keys.process import ProcessHolder
from casemate.attest.keys.protocol import CustodyError, Erasure
from casemate.attest.keys.swtpm import SwTpm
from casemate.attest.keys.tpm import TpmHolder, forget
from casemate.attest.keys.tpm_esys import TpmPlan
from casemate.attest.quote import PCR_ANCHOR, PCR_SOFTWARE

RUNS, TPM_RUNS, SIGNATURES = 200, 40, 300
GONE_MOST_MS = 1.0
"""The issue's bound, from verdict to keys gone, at the 99th percentile."""
MESSAGE = b"m" * 512
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
_PIN = "7351 is no secret"


class _Holder(Protocol):
    def sign(self, message: bytes) -> tuple[bytes, ...]: ...
    def zeroise(self) -> Erasure: ...
    def close(self) -> None: ...


def run() -> list[Figure]:
    """Measure the process backend at rest and while it signs, and a TPM if there is one."""
    idle = _erasures(ProcessHolder, RUNS, busy=False)
    busy = _erasures(ProcessHolder, RUNS, busy=True)
    figures = [*_figures("at rest", idle), *_figures("while signing", busy), *_rates()]
    if shutil.which("swtpm") and importlib.util.find_spec("tpm2_pytss"):
        figures += _tpm()
    if Path(SOFTHSM).exists() and importlib.util.find_spec("pkcs11"):
        figures += _pkcs11()
    return figures


def _erasures(make: Callable[[], _Holder], runs: int, *, busy: bool) -> list[Erasure]:
    found = []
    for i in range(runs):
        holder = make()
        holder.sign(MESSAGE)
        thread = threading.Thread(target=_work, args=(holder,))
        if busy:
            thread.start()
        time.sleep(0.003 + 0.0001 * (i % 20))
        found.append(holder.zeroise())
        if busy:
            thread.join()
        holder.close()
    return found


def _work(holder: _Holder) -> None:
    with suppress(CustodyError):
        while True:
            holder.sign(MESSAGE)


def _figures(when: str, erasures: Sequence[Erasure]) -> list[Figure]:
    copied = sum(each.copied for each in erasures) / len(erasures)
    return [
        *_gone(when, erasures, "page zero, holder killed"),
        Figure(benchmark="keys", name=f"page overwritten {when}", value=copied, unit="of runs",
               note="the kernel copied the zeros", wall=True),
    ]  # fmt: skip


def _gone(when: str, erasures: Sequence[Erasure], note: str) -> list[Figure]:
    """Return when keys were unusable, and when it had been looked whether they are."""
    assert all(each.unusable and each.complete for each in erasures)
    gone = sorted(each.unusable_s * 1e3 for each in erasures)
    seen = sorted(each.verified_s * 1e3 for each in erasures)
    return [
        _ms(f"keys gone {when}, p50", _at(gone, 0.5), note),
        _ms(f"keys gone {when}, p99", _at(gone, 0.99), note, target=GONE_MOST_MS),
        _ms(f"verified {when}, p50", _at(seen, 0.5), "holder dead, its memory free, store read"),
        _ms(f"verified {when}, p99", _at(seen, 0.99), "the same"),
    ]


def _rates() -> list[Figure]:
    keys = (ed25519.Ed25519PrivateKey.generate(), mldsa.MLDSA65PrivateKey.generate())
    bare = _rate(lambda: [key.sign(MESSAGE) for key in keys])
    holder = ProcessHolder()
    held = _rate(lambda: holder.sign(MESSAGE))
    holder.close()
    return [
        Figure(benchmark="keys", name="pairs signed by the library alone", value=bare, unit="1/s",
               note="Ed25519 and ML-DSA-65", wall=True),
        Figure(benchmark="keys", name="pairs signed by the holder", value=held, unit="1/s",
               note="seed to key and back each time", wall=True),
    ]  # fmt: skip


def _tpm() -> list[Figure]:
    measured = {n: hashlib.sha256(b"%d" % n).digest() for n in (PCR_SOFTWARE, PCR_ANCHOR)}
    with tempfile.TemporaryDirectory() as folder, SwTpm(Path(folder)) as tpm:
        plan = TpmPlan(address=tpm.address, measured=measured)

        def make() -> TpmHolder:
            forget(plan)
            return TpmHolder(plan, fresh=True)

        erasures = _erasures(make, TPM_RUNS, busy=False)
        holder = make()
        quotes = _rate(lambda: holder.quote(measured[PCR_SOFTWARE]))
        holder.close()
    return [
        *_gone("with swtpm", erasures, "and the TPM answered; hardware takes some 100 ms"),
        Figure(benchmark="keys", name="quotes", value=quotes, unit="1/s", note="swtpm, P-256",
               wall=True),
    ]  # fmt: skip


def _pkcs11() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "tokens").mkdir()
        config = home / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {home / 'tokens'}\nobjectstore.backend = file\n")
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--so-pin", "0000",
             "--pin", _PIN],
            check=True, capture_output=True,
            env={"SOFTHSM2_CONF": str(config), "PATH": os.environ["PATH"]},
        )  # fmt: skip
        numbers = itertools.count()

        def make() -> Pkcs11Holder:
            plan = TokenPlan(
                library=SOFTHSM, token="bench", pin=_PIN, prefix=f"bench {next(numbers)}",
                env=(("SOFTHSM2_CONF", str(config)),),
            )  # fmt: skip
            return Pkcs11Holder(plan, fresh=True)

        erasures = _erasures(make, TPM_RUNS, busy=False)
    return _gone(
        "with SoftHSM", erasures, "and the token destroyed both keys that all else depends on"
    )


def _rate(work: Callable[[], object]) -> float:
    work()
    start = time.perf_counter()
    for _ in range(SIGNATURES):
        work()
    return SIGNATURES / (time.perf_counter() - start)


def _at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def _ms(name: str, value: float, note: str, target: float | None = None) -> Figure:
    return Figure(
        benchmark="keys", name=name, value=value, unit="ms", target=target, note=note, wall=True
    )  # fmt: skip
