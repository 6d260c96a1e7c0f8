"""Keys made from seeds, and a token of each kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest.parties import Party
from casemate.attest.token import CheckpointRef, Judgement, SensorHealth, Token, encode
from casemate.core.suites import (
    DEFAULT_SUITE,
    ED25519,
    ML_DSA_44,
    ML_DSA_65,
    ML_DSA_87,
    SUITES,
    PublicKey,
)

NOW = 1_800_000_000
"""15 January 2027, 08:00 UTC."""
_FROM_SEED: dict[int, Any] = {
    ED25519: ed25519.Ed25519PrivateKey.from_private_bytes,
    ML_DSA_44: mldsa.MLDSA44PrivateKey.from_seed_bytes,
    ML_DSA_65: mldsa.MLDSA65PrivateKey.from_seed_bytes,
    ML_DSA_87: mldsa.MLDSA87PrivateKey.from_seed_bytes,
}


@dataclass(frozen=True)
class Key:
    """A private key, as tests alone may hold one."""

    private: Any
    public: PublicKey

    def sign(self, message: bytes) -> bytes:
        return bytes(self.private.sign(message))


def key(alg: int, seed: int) -> Key:
    private = _FROM_SEED[alg](seed.to_bytes(32, "big"))
    return Key(private, PublicKey(alg, private.public_key().public_bytes_raw()))


def pair(seed: int, suite: str = DEFAULT_SUITE.name) -> list[Key]:
    return [key(alg, seed) for alg in SUITES[suite].algorithms]


def publics(keys: list[Key]) -> tuple[PublicKey, ...]:
    return tuple(each.public for each in keys)


def party(name: str, role: str, bloc: str, seed: int, suite: str = DEFAULT_SUITE.name) -> Party:
    return Party(name=name, role=role, bloc=bloc, suite=suite, keys=publics(pair(seed, suite)))


EVIDENCE, LAST_WORD = pair(1), pair(2)
KEYS = publics(EVIDENCE)
CHECKPOINT = CheckpointRef(
    origin="example.org/camera", size=7, root=bytes(range(32)), note=b"\x13" * 32
)


def boot() -> Token:
    return Token(
        enclosure="camera",
        serial="UNIT-0001",
        boot=1,
        sequence=0,
        previous=b"",
        uptime_s=0,
        time_s=NOW,
        state="COMMISSIONING",
        software=b"\x0a" * 32,
        nonce=b"\x0b" * 16,
        body=c.Boot(
            suite=DEFAULT_SUITE.name,
            keys=KEYS,
            last_word=publics(LAST_WORD),
            reason="commissioned",
            components=(("controller", b"\x0c" * 32), ("reader", b"\x0d" * 32)),
        ),
    )


def beat(**changes: Any) -> beats.Beat:
    given = {"late_ms": 0, "verdict": "NORMAL", "health": 0, "centinats": 3, "information": 9000}
    return beats.Beat(**{**given, **changes})


def heartbeats(count: int = 120) -> Token:
    """A token as one is written each two minutes of a quiet day."""
    return Token(
        enclosure="camera",
        serial="UNIT-0001",
        boot=1,
        sequence=8,
        previous=DEFAULT_SUITE.digest(b"the token before"),
        uptime_s=240,
        time_s=NOW + 240,
        checkpoint=CHECKPOINT,
        state="ARMED",
        verdict=Judgement(verdict="NORMAL", level=0, millinats=31, information_millinats=90_000),
        health=SensorHealth(channels=702, healthy=702, flags=0),
        anchor=b"\x0e" * 32,
        software=b"\x0a" * 32,
        body=beats.batch(
            [beat(late_ms=i % 3) for i in range(count)],
            first=120,
            start_ms=120_000,
            period_ms=1000,
            head=beats.start(b"the boot token"),
        ),
    )


def _uses() -> list[c.PermitUse]:
    """Return what tokens say of permits, of every act."""
    permit = b"\x0f" * 32
    return [
        c.PermitUse(act="logged", permit=permit, signed=b"the whole permit"),
        c.PermitUse(act="opened", permit=permit, module="reader-loop"),
        c.PermitUse(act="closed", permit=permit, note="as found"),
        c.PermitUse(act="expired", permit=permit),
        c.PermitUse(
            act="re-anchored", permit=permit, module="reader-loop", anchor=b"\x10" * 32,
            keys=(key(ED25519, 9).public,), inventory=b"\x31" * 32,
        ),
        c.PermitUse(act="emergency", note="smoke"),
    ]  # fmt: skip


def tokens() -> list[Token]:
    """Return a token of every kind, and permits' tokens of every act."""
    beating = heartbeats()
    quote = c.Quote(attest=b"\x14" * 129, signature=b"\x15" * 72)
    return [
        boot(),
        beating,
        replace(boot(), body=replace(boot().body, quote=quote)),
        replace(boot(), body=replace(boot().body, unwatched=("left", "rear"))),
        replace(beating, permit=b"\x0f" * 32, state="MAINTENANCE", time_s=None),
        replace(beating, checkpoint=replace(CHECKPOINT, note=b"")),
        replace(beating, checkpoint=None),
        replace(
            beating,
            state="ARMED",
            body=c.Change(before="MAINTENANCE", after="ARMED", reason="permit closed"),
        ),
        replace(
            beating,
            state="UNKNOWN",
            verdict=None,
            health=None,
            body=c.Change(before="ARMED", after="UNKNOWN", reason="stale", detail=b"\x11" * 32),
        ),
        replace(
            beating,
            state="ARMED",
            body=c.Change(
                before="COMMISSIONING",
                after="ARMED",
                reason="commissioned",
                detail=b"\x11" * 32,
                inventory=b"\x31" * 32,
            ),
        ),
        replace(beating, body=c.Payload(stream="frames", first=25, count=3000, root=b"\x12" * 32)),
        *(replace(beating, state="MAINTENANCE", body=use) for use in _uses()),
        replace(
            beating, state="TAMPERED", body=c.LastWord(reason="loop/left opened", erased_us=412)
        ),
        replace(
            beating,
            state="TAMPERED",
            body=c.LastWord(reason="cut", erased_us=9, waiting=_waiting(beating.body)),
        ),
    ]


def _waiting(body: c.Body) -> c.Heartbeats:
    assert isinstance(body, c.Heartbeats)
    return body


PAYLOADS = [encode(each) for each in tokens()]
