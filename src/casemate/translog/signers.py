"""Signers of checkpoints: one key each, or the keys of a key holder that sign all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from casemate.core import suites
from casemate.core.errors import InputError
from casemate.core.suites import PublicKey, Signer
from casemate.translog import note as notes
from casemate.translog.note import NoteKey

_KINDS = {
    suites.ED25519: notes.ED25519,
    suites.ML_DSA_44: notes.COSIGNATURE_ML_DSA_44,
    suites.ML_DSA_65: notes.ML_DSA_65,
    suites.ML_DSA_87: notes.ML_DSA_87,
}


class Holder(Protocol):
    """What holds several keys and signs with all of them (see attest.keys)."""

    def public(self) -> tuple[PublicKey, ...]:
        """Return the public keys."""
        ...

    def sign(self, message: bytes) -> tuple[bytes, ...]:
        """Return one signature for each key."""
        ...


class _Part:
    def __init__(self, shared: _Shared, place: int, public: PublicKey) -> None:
        self._shared, self._place, self.public = shared, place, public

    def sign(self, message: bytes) -> bytes:
        return self._shared.sign(message)[self._place]


class _Shared:
    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._last: tuple[bytes, tuple[bytes, ...]] | None = None

    def sign(self, message: bytes) -> tuple[bytes, ...]:
        if self._last is None or self._last[0] != message:
            self._last = (message, self._holder.sign(message))
        return self._last[1]


def signers_of(holder: Holder) -> tuple[Signer, ...]:
    """Return one signer for each key of `holder`; one call of it serves one message."""
    shared = _Shared(holder)
    return tuple(_Part(shared, place, key) for place, key in enumerate(holder.public()))


def log_key(origin: str, public: PublicKey) -> NoteKey:
    """Return the key with which a log of this origin signs its checkpoints."""
    return NoteKey(name=origin, kind=_KINDS[public.alg], public=public)


def witness_key(name: str, public: PublicKey) -> NoteKey:
    """Return the key with which a witness cosigns: Ed25519 or ML-DSA-44. InputError on others."""
    kinds = {
        suites.ED25519: notes.COSIGNATURE_ED25519,
        suites.ML_DSA_44: notes.COSIGNATURE_ML_DSA_44,
    }
    if public.alg not in kinds:
        raise InputError(
            f"a witness does not cosign with {public.name}.", remedy="use Ed25519 or ML-DSA-44."
        )
    return NoteKey(name=name, kind=kinds[public.alg], public=public)


def keys_of(origin: str, signers: Sequence[Signer]) -> tuple[tuple[NoteKey, Signer], ...]:
    """Return the signers of a log, each with its key. InputError if there is none, or one twice."""
    found = tuple((log_key(origin, signer.public), signer) for signer in signers)
    if not found or len({key for key, _ in found}) != len(found):
        raise InputError("a log needs signers, each once.", remedy="pass one for each key.")
    return found
