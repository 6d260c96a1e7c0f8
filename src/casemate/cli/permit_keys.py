"""A party's private key from a PEM file, for as long as one command runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.core.errors import InputError
from casemate.core.suites import ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, PublicKey


@dataclass(frozen=True, slots=True)
class PemKey:
    """A signer (core.suites.Signer). Its owner's machine has to be trusted with it."""

    private: Any
    public: PublicKey

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return bytes(self.private.sign(message))


def load_all(path: Path, data: bytes) -> list[PemKey]:
    """Return the key of a PEM file, or all of a DEMO party's file (control/demo_parties.py)."""
    from casemate.control.demo_parties import FORMAT, SeedKey

    if not data.lstrip().startswith(b"{"):
        return [load(path, data)]
    try:
        held = json.loads(data)
        if held["format"] != FORMAT:
            raise ValueError
        found = [SeedKey(int(alg), bytes.fromhex(seed)) for alg, seed in held["seeds"].items()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            "that is no file of DEMO keys.", remedy="name DIR/parties/ROLE-DEMO.json, or a PEM.",
            file=str(path),
        ) from None  # fmt: skip
    return [PemKey(each.private, each.public) for each in found]


def load(path: Path, data: bytes) -> PemKey:
    """Return the key of a PEM file (PKCS #8, not encrypted); InputError if it holds none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    algorithms: dict[Any, int] = {
        ed25519.Ed25519PrivateKey: ED25519,
        mldsa.MLDSA44PrivateKey: ML_DSA_44,
        mldsa.MLDSA65PrivateKey: ML_DSA_65,
        mldsa.MLDSA87PrivateKey: ML_DSA_87,
    }
    try:
        private: Any = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    for kind, alg in algorithms.items():
        if isinstance(private, kind):
            return PemKey(private, PublicKey(alg, private.public_key().public_bytes_raw()))
    raise InputError(
        "that is no private key of Ed25519 or ML-DSA in PEM without a password.",
        remedy="export the key as PKCS #8, or sign on the device that holds it.",
        file=str(path),
    )
