"""Both parties' keys on one machine: for demonstrations alone, and named so.

Host and inspector of a real enclosure each keep their keys to themselves, and sign elsewhere.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519

from casemate.attest.parties import Party
from casemate.core.errors import InputError
from casemate.core.private_folder import private_folder
from casemate.core.private_keys import from_seed
from casemate.core.secret_file import make_once
from casemate.core.suites import DEFAULT_SUITE, ED25519, PublicKey, Suite

ROLES = (("host", "bloc-a"), ("inspector", "bloc-b"))
FORMAT = "casemate-DEMO-keys/1"
NOTE = "DEMO keys of both sides on one machine. They prove nothing to anybody else."


class SeedKey:
    """A private key from its seed. Satisfies `core.suites.Signer`."""

    def __init__(self, alg: int, seed: bytes) -> None:
        self.private = from_seed(alg, seed)
        self.public = PublicKey(alg, self.private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return bytes(self.private.sign(message))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoParty:
    """A party with its private keys. anchor_key: signs anchors, Ed25519 in any suite."""

    party: Party
    keys: tuple[SeedKey, ...]
    anchor_key: ed25519.Ed25519PrivateKey


def demo_parties(folder: Path, suite: Suite = DEFAULT_SUITE) -> tuple[DemoParty, ...]:
    """Return host and inspector with the keys that `folder` holds, made if there are none."""
    return tuple(_party(folder / f"{role}-DEMO.json", role, bloc, suite) for role, bloc in ROLES)


def _party(path: Path, role: str, bloc: str, suite: Suite) -> DemoParty:
    wanted = dict.fromkeys((ED25519, *suite.algorithms))
    seeds = {str(alg): secrets.token_hex(32) for alg in wanted}
    row = kept_secret(path, {"format": FORMAT, "note": NOTE, "role": role, "seeds": seeds})
    try:
        held = row["seeds"]
        if row["format"] != FORMAT or row["role"] != role or not isinstance(held, dict):
            raise ValueError
        if set(held) != {str(alg) for alg in wanted}:
            raise KeyError
        made = {alg: SeedKey(alg, bytes.fromhex(held[str(alg)])) for alg in wanted}
        keys = tuple(made[alg] for alg in suite.algorithms)
        anchor_key = made[ED25519].private
        assert isinstance(anchor_key, ed25519.Ed25519PrivateKey)
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"the demo keys are malformed, or of another suite than {suite.name}.",
            remedy="restore the file, or name the suite that the enclosure was commissioned with.",
            file=str(path),
        ) from None
    party = Party(
        name=f"{role}-demo",
        role=role,
        bloc=bloc,
        suite=suite.name,
        keys=tuple(each.public for each in keys),
    )
    return DemoParty(party=party, keys=keys, anchor_key=anchor_key)


def kept_secret(path: Path, fresh: dict[str, object]) -> dict[str, object]:
    """Return the JSON in a file that only its owner reads; make it of `fresh` if it is not there.

    InputError if it cannot be read.
    """
    private_folder(path.parent)
    if not path.exists():
        make_once(path, (json.dumps(fresh, indent=2) + "\n").encode())
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"this cannot be read: {error}.", remedy="restore the file.", file=str(path)
        ) from None
    if not isinstance(found, dict):
        raise InputError("this is no table.", remedy="restore the file.", file=str(path))
    return found
