"""The log: appends a second, checkpoints, cosigning by a witness, on real files with real syncs."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.frame import Figure

ENTRY_BYTES = 4160
"""A token of 0.8 kB with its two signatures."""
ORIGIN = "bench.example/log"
SECONDS = 2.0


class _Key:
    def __init__(self, alg: int) -> None:
        from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

        from casemate.core import suites

        classes: dict[int, Any] = {
            suites.ED25519: ed25519.Ed25519PrivateKey,
            suites.ML_DSA_44: mldsa.MLDSA44PrivateKey,
            suites.ML_DSA_65: mldsa.MLDSA65PrivateKey,
        }
        made = classes[alg].generate()
        self._key = made
        self.public = suites.PublicKey(alg, made.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return bytes(self._key.sign(message))


def run() -> list[Figure]:
    """Return rates of appends, checkpoints and cosignatures."""
    from casemate.core import suites
    from casemate.translog.client import Peer, cosign
    from casemate.translog.disk import FolderDisk
    from casemate.translog.log import Log
    from casemate.translog.witness import Witness

    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="casemate-bench-") as name:
        folder = Path(name)
        signers = (_Key(suites.ED25519), _Key(suites.ML_DSA_65))
        log = Log(folder / "log", ORIGIN, signers)
        entry = b"e" * ENTRY_BYTES
        figures.append(_row("appends, one a call", _rate(lambda: log.append([entry])), "1/s",
                            note="4160 bytes, each durable on return"))  # fmt: skip
        log.checkpoint()
        figures.append(_row("appends, 16 a call", 16 * _rate(lambda: log.append([entry] * 16)),
                            "1/s", 2000.0))  # fmt: skip
        log.checkpoint()
        figures.append(_row("appends, one a call, 16 threads", _threads(log, entry), "1/s",
                            note="a sync serves all that wait"))  # fmt: skip
        log.checkpoint()

        def step() -> None:
            log.append([entry])
            log.checkpoint()

        figures.append(_row("appends each with its checkpoint", _rate(step), "1/s",
                            note=f"read back, two signatures; {log.size} entries"))  # fmt: skip
        witness = Witness(FolderDisk(_made(folder / "witness")), "w.example",
                          (_Key(suites.ML_DSA_44),), {ORIGIN: log.keys})  # fmt: skip
        peer = Peer(name="w", keys=witness.keys, asker=witness)

        def witnessed() -> None:
            log.append([entry])
            cosign(log, [peer], {"w": log.size})

        cosign(log, [peer])
        figures.append(_row("appends each cosigned, ML-DSA-44", _rate(witnessed), "1/s",
                            note="one witness, durable before its reply"))  # fmt: skip
        began = time.perf_counter()
        entries = log.fsck()
        took = time.perf_counter() - began
        figures.append(_row("entries checked by fsck", entries / took, "1/s"))
        log.close()
    return figures


def _threads(log: Any, entry: bytes) -> float:
    before, stop = log.next_index, time.perf_counter() + SECONDS

    def write() -> None:
        while time.perf_counter() < stop:
            log.append([entry])

    threads = [threading.Thread(target=write) for _ in range(16)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return float((log.next_index - before) / (time.perf_counter() - began))


def _rate(act: Callable[[], object]) -> float:
    count, began = 0, time.perf_counter()
    while (now := time.perf_counter()) < began + SECONDS:
        act()
        count += 1
    return count / (now - began)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _row(name: str, value: float, unit: str, target: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="log", name=name, value=value, unit=unit, target=target, sense=">=",
                  note=note, wall=True)  # fmt: skip
