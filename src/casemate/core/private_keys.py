"""Private keys from their seeds, by algorithm: for what holds keys, and for tests."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from casemate.core.suites import ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87

SEED_BYTES = 32
"""Of Ed25519 (RFC 8032) and of ML-DSA (FIPS 204, algorithm 6) alike."""

Private = (
    ed25519.Ed25519PrivateKey
    | mldsa.MLDSA44PrivateKey
    | mldsa.MLDSA65PrivateKey
    | mldsa.MLDSA87PrivateKey
)
_FROM_SEED: dict[int, Callable[[bytes | memoryview], Private]] = {
    ED25519: ed25519.Ed25519PrivateKey.from_private_bytes,
    ML_DSA_44: mldsa.MLDSA44PrivateKey.from_seed_bytes,
    ML_DSA_65: mldsa.MLDSA65PrivateKey.from_seed_bytes,
    ML_DSA_87: mldsa.MLDSA87PrivateKey.from_seed_bytes,
}


def from_seed(alg: int, seed: bytes | memoryview) -> Private:
    """Return the private key of a COSE algorithm that its 32 bytes of seed make.

    KeyError for an algorithm that no suite has, ValueError for a seed of another length.
    """
    return _FROM_SEED[alg](seed)
