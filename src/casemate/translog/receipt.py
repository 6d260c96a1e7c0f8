"""COSE receipts: inclusion or consistency under the signature of the log, for readers of COSE.

Pure but for the signer that is passed in. The payload, a root, is detached: who checks works it
out from the proof. One algorithm a receipt. Reference: RFC 9942, section 5 (RFC9162_SHA256).

The signature of a receipt covers the root and the protected header, and a root alone does not say
of how many leaves it is: the same hashes lead to it from another index in a tree of another size.
So our protected header names the log (CWT claim iss) and the size, which together bind the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemate.core import cbor, suites
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import PublicKey, Signer
from casemate.translog import merkle
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.merkle import HASH_BYTES
from casemate.translog.proof import MOST_HASHES

TAG = b"\xd2"
"""Tag 18, COSE_Sign1."""

ALG, KID, CLAIMS, VDS, VDP = 1, 4, 15, 395, 396
ISSUER = 1
SIZE = "casemate-tree-size"
"""Private label of the protected header: leaves in the tree whose root is signed."""

RFC9162_SHA256 = 1
INCLUSION, CONSISTENCY = -1, -2


def inclusion(signer: Signer, stated: Checkpoint, index: int, path: Sequence[bytes]) -> bytes:
    """Return the receipt that leaf `index` is in the tree that `stated` states."""
    return _build(signer, stated, INCLUSION, [stated.size, index, list(path)])


def consistency(signer: Signer, stated: Checkpoint, old: int, path: Sequence[bytes]) -> bytes:
    """Return the receipt that the tree that `stated` states continues that of `old` leaves."""
    return _build(signer, stated, CONSISTENCY, [old, stated.size, list(path)])


def verify_inclusion(
    receipt: bytes, entry: bytes, origin: str, keys: Sequence[PublicKey]
) -> tuple[int, int]:
    """Return index and size, once one of `keys` is shown to vouch that `entry` is in the log.

    FormatError, TreeError or SignatureError if not.
    """
    protected, (size, index, path), made = _parse(receipt, INCLUSION)
    root = merkle.root_by_inclusion(merkle.leaf_hash(entry), index, size, path)
    _check(protected, Checkpoint(origin=origin, size=size, root=root), made, keys)
    return index, size


def verify_consistency(
    receipt: bytes,
    origin: str,
    old: int,
    old_root: bytes,
    new_root: bytes,
    keys: Sequence[PublicKey],
) -> int:
    """Return the new size, once one of `keys` is shown to vouch that `new_root` continues."""
    protected, (first, new, path), made = _parse(receipt, CONSISTENCY)
    if first != old:
        raise FormatError(
            f"the receipt starts at size {first}, not {old}.", remedy="ask for one from this size."
        )
    _check(protected, Checkpoint(origin=origin, size=new, root=new_root), made, keys)
    merkle.check_consistency(old, new, path, old_root, new_root)
    return new


def _build(signer: Signer, stated: Checkpoint, kind: int, proof: list[Any]) -> bytes:
    protected = cbor.encode(_head(signer.public, stated))
    made = signer.sign(_to_sign(protected, stated.root))
    return TAG + cbor.encode([protected, {VDP: {kind: [cbor.encode(proof)]}}, None, made])


def _head(key: PublicKey, stated: Checkpoint) -> dict[int | str, Any]:
    return {
        ALG: key.alg,
        KID: key.kid,
        CLAIMS: {ISSUER: stated.origin},
        VDS: RFC9162_SHA256,
        SIZE: stated.size,
    }


def _to_sign(protected: bytes, root: bytes) -> bytes:
    """Return the Sig_structure of COSE_Sign1 (RFC 9052, section 4.4)."""
    return cbor.encode(["Signature1", protected, b"", root])


def _parse(receipt: bytes, kind: int) -> tuple[bytes, tuple[int, int, list[bytes]], bytes]:
    if not receipt.startswith(TAG):
        raise _wrong("it is not tagged as COSE_Sign1")
    whole = cbor.decode(receipt[1:])
    if not isinstance(whole, list) or len(whole) != 4 or whole[2] is not None:
        raise _wrong("it is not four parts with a detached payload")
    protected, open_head, _, made = whole
    if not isinstance(protected, bytes) or not isinstance(made, bytes):
        raise _wrong("its protected header or signature is no byte string")
    if not isinstance(open_head, dict) or list(open_head) != [VDP]:
        raise _wrong("its unprotected header holds other things than proofs")
    proofs = open_head[VDP]
    one = isinstance(proofs, dict) and list(proofs) == [kind]
    if not one or not isinstance(proofs[kind], list) or len(proofs[kind]) != 1:
        raise _wrong("it does not hold one proof of the kind that is asked for")
    return protected, _parse_proof(proofs[kind][0]), made


def _parse_proof(data: object) -> tuple[int, int, list[bytes]]:
    proof = cbor.decode(data) if isinstance(data, bytes) else None
    if not isinstance(proof, list) or len(proof) != 3 or not isinstance(proof[2], list):
        raise _wrong("its proof is not two numbers and a path")
    first, second, path = proof
    if type(first) is not int or type(second) is not int or not 0 <= min(first, second):
        raise _wrong("its proof is not two numbers and a path")
    hashes = all(isinstance(each, bytes) and len(each) == HASH_BYTES for each in path)
    if not hashes or len(path) > MOST_HASHES or max(first, second) >= 1 << 63:
        raise _wrong("its path is not one of hashes")
    return first, second, path


def _check(protected: bytes, stated: Checkpoint, made: bytes, keys: Sequence[PublicKey]) -> None:
    head = cbor.decode(protected)
    if not isinstance(head, dict):
        raise _wrong("its protected header is no map")
    key = next((each for each in keys if each.kid == head.get(KID)), None)
    if key is None:
        raise SignatureError(
            "the receipt is signed by none of the trusted keys.",
            remedy="name the keys of the log, from its reference values.",
        )
    if protected != cbor.encode(_head(key, stated)):
        raise SignatureError(
            "the receipt's protected header is not that of this log, size, key and algorithm.",
            remedy="treat it as forged; get the receipt again from its source.",
        )
    suites.verify(key, _to_sign(protected, stated.root), made)


def _wrong(what: str) -> FormatError:
    return FormatError(
        f"this is no COSE receipt: {what}.", remedy="get the receipt again from its source."
    )
