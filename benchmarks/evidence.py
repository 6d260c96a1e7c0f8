"""Tokens signed and verified a second on one core, beside the bare library on the same messages.

Run as a module it is the child process, kept on one core, and prints JSON. Times are CPU seconds,
the best of several rounds in turns, since other programs share the machine.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.frame import Figure, child

ROUNDS = 5
TOKENS = 200
BEATS = 120
"""Heartbeats in a token: two minutes."""
DAY_S = 86_400


def run() -> list[Figure]:
    """Return rates of signing, verifying and reading, and the bytes of a quiet day."""
    got = child(["-m", "benchmarks.evidence"])
    rows: list[Figure] = []
    for suite, rates in got["suites"].items():
        rows += [
            _row(f"sign, {suite}", rates["sign"], "tokens/s",
                 note=f"{rates['sign'] / rates['bare sign']:.0%} of the bare library"),
            _row(f"verify, {suite}", rates["verify"], "tokens/s"),
            _row(f"verify over the bare library, {suite}", rates["verify"] / rates["bare verify"],
                 "1", 0.7, f"{rates['bare verify']:,.0f} tokens/s, signatures alone"),
        ]  # fmt: skip
    rows += [
        _row("read claims", got["decode"], "tokens/s", note="CBOR, its gate, and every claim"),
        _row("CBOR gate", got["gate"], "tokens/s", note=f"{got['bare gate']:,.0f} by cbor2 alone"),
        Figure(benchmark="evidence", name="a quiet day", value=got["day"] / 1e6, unit="MB",
               target=5.0, note=f"both signatures, {BEATS} heartbeats a token, the log's share"),
    ]  # fmt: skip
    return rows


def _row(name: str, value: float, unit: str, target: float | None = None, note: str = "") -> Figure:
    return Figure(benchmark="evidence", name=name, value=value, unit=unit, target=target,
                  sense=">=", note=note, wall=True)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Key:
    """A private key in this process, as a benchmark alone may hold one."""

    private: Any
    public: Any

    def sign(self, message: bytes) -> bytes:
        return bytes(self.private.sign(message))


def _signers(suite: str) -> list[_Key]:
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

    from casemate.core.suites import ED25519, ML_DSA_65, ML_DSA_87, SUITES, PublicKey

    made: dict[int, Callable[[], Any]] = {
        ED25519: ed25519.Ed25519PrivateKey.generate,
        ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
        ML_DSA_87: mldsa.MLDSA87PrivateKey.generate,
    }
    keys = []
    for alg in SUITES[suite].algorithms:
        private = made[alg]()
        keys.append(_Key(private, PublicKey(alg, private.public_key().public_bytes_raw())))
    return keys


def _token(sequence: int) -> Any:
    from casemate.attest import beats
    from casemate.attest.token import CheckpointRef, Judgement, SensorHealth, Token

    beat = beats.Beat(late_ms=1, verdict="NORMAL", health=0, centinats=3, information=9000)
    return Token(
        enclosure="camera",
        serial="UNIT-0001",
        boot=1,
        sequence=sequence,
        previous=bytes(32),
        uptime_s=120 * sequence,
        time_s=1_800_000_000,
        checkpoint=CheckpointRef(
            origin="example.org/camera", size=sequence, root=bytes(32), note=bytes(32)
        ),
        state="ARMED",
        verdict=Judgement(verdict="NORMAL", level=0, millinats=31, information_millinats=90_000),
        health=SensorHealth(channels=702, healthy=702, flags=0),
        anchor=bytes(32),
        software=bytes(32),
        body=beats.batch(
            [beat] * BEATS, first=120 * sequence, start_ms=0, period_ms=1000, head=bytes(32)
        ),
    )


def _rates(works: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return tokens a CPU second of each, in turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            begin = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - begin)
    return {name: TOKENS / seconds for name, seconds in best.items()}


def _suite(name: str) -> dict[str, float]:
    from casemate.attest import cose, token
    from casemate.core.suites import SUITES

    suite, signers = SUITES[name], _signers(name)
    keys = [each.public for each in signers]
    tokens = [_token(at) for at in range(1, TOKENS + 1)]
    payloads = [token.encode(each) for each in tokens]
    messages = [cose.messages(token.TYPE, each, keys) for each in payloads]
    signed = [token.sign(each, signers) for each in tokens]
    bare = [
        [(signer.private.public_key(), message, signature.signature)
         for signer, message, signature in zip(signers, each, cose.parse(data).signatures,
                                               strict=True)]
        for each, data in zip(messages, signed, strict=True)
    ]  # fmt: skip
    return _rates(
        {
            "bare sign": lambda: [
                signer.private.sign(message)
                for each in messages
                for signer, message in zip(signers, each, strict=True)
            ],
            "sign": lambda: [token.sign(each, signers) for each in tokens],
            "bare verify": lambda: [
                public.verify(signature, message)
                for each in bare
                for public, message, signature in each
            ],
            "verify": lambda: [token.read(data, keys, suite) for data in signed],
        }
    )


def main() -> None:
    """Print the rates as JSON."""
    import cbor2

    from casemate.attest import token
    from casemate.core import cbor
    from casemate.core.suites import DEFAULT_SUITE, SUITES

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    payloads = [token.encode(_token(at)) for at in range(1, TOKENS + 1)]
    reading = _rates(
        {
            "decode": lambda: [token.decode(each) for each in payloads],
            "gate": lambda: [cbor.decode(each) for each in payloads],
            "bare gate": lambda: [cbor2.loads(each) for each in payloads],
        }
    )
    entry = 2 + len(token.sign(_token(700), _signers(DEFAULT_SUITE.name))) + 32 * 256 / 255
    day = DAY_S / BEATS * entry
    print(json.dumps({"suites": {name: _suite(name) for name in SUITES}, "day": day, **reading}))


if __name__ == "__main__":
    main()
