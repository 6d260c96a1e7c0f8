"""COSE receipts: inclusion or consistency under the signature of the log, for readers of COSE.

Pure but for the signer that is passed in. The payload, a root, is detached: who checks works it
out from the proof. One algorithm a receipt. Reference: RFC 9942, section 5 (RFC9162_SHA256).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemate.core import cbor, suites
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import PublicKey, Signer
from casemate.translog import merkle
from casemate.translog.merkle import HASH_BYTES
from casemate.translog.proof import MOST_HASHES

TAG = b"\xd2"
"""Tag 18, COSE_Sign1."""

ALG, KID, VDS, VDP = 1, 4, 395, 396
RFC9162_SHA256 = 1
INCLUSION, CONSISTENCY = -1, -2


def inclusion(signer: Signer, index: int, size: int, root: bytes, path: Sequence[bytes]) -> bytes:
    """Return the receipt that leaf `index` is under `root`, that of the tree of `size` leaves."""
    return _build(signer, INCLUSION, [size, index, list(path)], root)


def consistency(signer: Signer, old: int, new: int, root: bytes, path: Sequence[bytes]) -> bytes:
    """Return the receipt that the tree of `new` leaves and `root` continues that of `old`."""
    return _build(signer, CONSISTENCY, [old, new, list(path)], root)


def verify_inclusion(receipt: bytes, entry: bytes, keys: Sequence[PublicKey]) -> tuple[int, int]:
    """Return index and size, once one of `keys` is shown to vouch that `entry` is in the log.

    FormatError, TreeError or SignatureError if not.
    """
    protected, (size, index, path), made = _parse(receipt, INCLUSION)
    root = merkle.root_by_inclusion(merkle.leaf_hash(entry), index, size, path)
    _check(protected, root, made, keys)
    return index, size


def verify_consistency(
    receipt: bytes, old: int, old_root: bytes, new_root: bytes, keys: Sequence[PublicKey]
) -> int:
    """Return the new size, once one of `keys` is shown to vouch that `new_root` continues."""
    protected, (first, new, path), made = _parse(receipt, CONSISTENCY)
    if first != old:
        raise FormatError(
            f"the receipt starts at size {first}, not {old}.", remedy="ask for one from this size."
        )
    _check(protected, new_root, made, keys)
    merkle.check_consistency(old, new, path, old_root, new_root)
    return new


def _build(signer: Signer, kind: int, proof: list[Any], root: bytes) -> bytes:
    head = {ALG: signer.public.alg, KID: signer.public.kid, VDS: RFC9162_SHA256}
    protected = cbor.encode(head)
    made = signer.sign(_to_sign(protected, root))
    return TAG + cbor.encode([protected, {VDP: {kind: [cbor.encode(proof)]}}, None, made])


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


def _check(protected: bytes, root: bytes, made: bytes, keys: Sequence[PublicKey]) -> None:
    head = cbor.decode(protected)
    if not isinstance(head, dict) or set(head) != {ALG, KID, VDS}:
        raise _wrong("its protected header is not algorithm, key and data structure")
    if head[VDS] != RFC9162_SHA256 or type(head[VDS]) is not int:
        raise _wrong("its data structure is not RFC9162_SHA256")
    for key in keys:
        if key.kid == head[KID]:
            if key.alg != head[ALG]:
                raise SignatureError(
                    "the receipt names another algorithm than its key.",
                    remedy="treat it as forged.",
                )
            suites.verify(key, _to_sign(protected, root), made)
            return
    raise SignatureError(
        "the receipt is signed by none of the trusted keys.",
        remedy="name the keys of the log, from its reference values.",
    )


def _wrong(what: str) -> FormatError:
    return FormatError(
        f"this is no COSE receipt: {what}.", remedy="get the receipt again from its source."
    )
