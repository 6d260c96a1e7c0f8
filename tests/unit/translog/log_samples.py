"""Keys, logs and trees that the tests of the log share."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from casemate.core.suites import ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, PublicKey
from casemate.translog import cosignature, merkle
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.note import Note
from casemate.translog.signers import log_key, witness_key

ORIGIN = "enclosure.example/camera/1"
NOW_S = 1_800_000_000

_CLASSES = {
    ML_DSA_44: mldsa.MLDSA44PrivateKey,
    ML_DSA_65: mldsa.MLDSA65PrivateKey,
    ML_DSA_87: mldsa.MLDSA87PrivateKey,
}


class TestKey:
    """A private key from a seed; signs as a log's or witness's signer."""

    __test__ = False

    def __init__(self, seed: str, alg: int = ED25519) -> None:
        data = hashlib.sha256(seed.encode()).digest()
        if alg == ED25519:
            self._key = ed25519.Ed25519PrivateKey.from_private_bytes(data)
        else:
            self._key = _CLASSES[alg].from_seed_bytes(data)
        self.public = PublicKey(alg, self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


LOG_KEY = TestKey("log")
LOG_KEYS = (log_key(ORIGIN, LOG_KEY.public),)


def signed(stated: Checkpoint, *signers: TestKey, at_s: int = NOW_S) -> Note:
    """A checkpoint signed by the log's keys."""
    keys = signers or (LOG_KEY,)
    lines = tuple(
        cosignature.sign(log_key(stated.origin, key.public), key, stated.text(), at_s)
        for key in keys
    )
    return Note(text=stated.text(), lines=lines)


def cosigned(note: Note, *witnesses: tuple[str, TestKey], at_s: int = NOW_S) -> Note:
    """A checkpoint with the lines of witnesses."""
    lines = tuple(
        cosignature.sign(witness_key(name, key.public), key, note.text, at_s)
        for name, key in witnesses
    )
    return note.with_lines(lines)


def entry(index: int, fork: str = "") -> bytes:
    return f"entry {index} {fork}".encode()


class Tree:
    """A tree of sample entries in memory, by brute force over RFC 9162's definition."""

    def __init__(self, size: int, *, fork_at: int | None = None, origin: str = ORIGIN) -> None:
        self.entries = [
            entry(each, "fork" if fork_at is not None and each >= fork_at else "")
            for each in range(size)
        ]
        self.leaves = [merkle.leaf_hash(each) for each in self.entries]
        self.origin = origin

    def node(self, level: int, index: int) -> bytes:
        return mth(self.leaves[index << level : (index + 1) << level])

    def stated(self, size: int | None = None) -> Checkpoint:
        count = len(self.leaves) if size is None else size
        return Checkpoint(origin=self.origin, size=count, root=mth(self.leaves[:count]))


def mth(leaves: list[bytes]) -> bytes:
    """Merkle tree hash, word for word as RFC 9162, section 2.1.1 defines it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:split]) + mth(leaves[split:])).digest()
