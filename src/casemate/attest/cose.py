"""COSE_Sign with several signers (RFC 9052, section 4.1), in one form only.

The item is tag 98 on [protected, {}, payload, [[protected, {}, signature], ...]]. The outer
protected header holds the type alone, so a permit can never pass for a token; that of a signature
holds algorithm and key id alone. Unprotected headers are empty: no byte of an item stays unsigned
but the signatures. The payload is kept as it came, and the signatures are over those very bytes.

Each signer signs a message of its own, since its header is part of it: `messages` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, NoReturn

from casemate.core import cbor
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import KID_BYTES, PublicKey, Signer, Suite, verify

TAG = b"\xd8\x62"
"""Tag 98, COSE_Sign."""
MOST_SIGNERS = 64
"""A planning value: two signatures each of 32 parties."""
_ALG, _KID, _TYP = 1, 4, 16


class Signature(NamedTuple):
    """One signature: COSE number of its algorithm, id of its key, bytes."""

    alg: int
    kid: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An item as it came: nothing of it has been checked but its form.

    typ: its type. payload: its bytes, verbatim.
    """

    typ: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def protected(self) -> bytes:
        """Return the outer protected header."""
        return _outer(self.typ)


def messages(typ: str, payload: bytes, keys: Sequence[PublicKey]) -> tuple[bytes, ...]:
    """Return what each key has to sign (Sig_structure), in their order."""
    return tuple(_to_be_signed(_outer(typ), key.alg, key.kid, payload) for key in keys)


def assemble(
    typ: str, payload: bytes, keys: Sequence[PublicKey], signatures: Sequence[bytes]
) -> bytes:
    """Return the item that has these signatures, made over `messages` in the same order."""
    made = [Signature(k.alg, k.kid, s) for k, s in zip(keys, signatures, strict=True)]
    return write(Signed(typ=typ, payload=payload, signatures=tuple(made)))


def build(typ: str, payload: bytes, signers: Sequence[Signer]) -> bytes:
    """Return the item signed by all `signers`."""
    keys = [each.public for each in signers]
    todo = zip(signers, messages(typ, payload, keys), strict=True)
    return assemble(typ, payload, keys, [signer.sign(message) for signer, message in todo])


def write(item: Signed) -> bytes:
    """Return the bytes of an item; FormatError if it has no signature, too many, or one twice."""
    _sound(item)
    listed = [[_inner(each.alg, each.kid), {}, each.signature] for each in item.signatures]
    return TAG + cbor.encode([item.protected, {}, item.payload, listed])


def parse(data: bytes, *, typ: str = "", most: int = cbor.MOST_BYTES) -> Signed:
    """Return the parts of an item; FormatError unless it has the one form that is written.

    typ: the type that it must have, "" for any. most: bytes, at most.

    An item is byte strings between bytes that are always the same, so it is read here without a
    reader of CBOR; a test holds this to the general one.
    """
    if type(data) is not bytes or len(data) > most:
        _refuse(f"it is not at most {most} bytes")
    try:
        item = _read(data)
    except IndexError:
        _refuse("it ends too early")
    _sound(item)
    if typ and item.typ != typ:
        _refuse(f"its type is {item.typ[:60]!r}, not {typ!r}")
    return item


def check(item: Signed, keys: Sequence[PublicKey]) -> None:
    """Check that every one of `keys` signed; SignatureError unless each did.

    Signatures of other keys are left alone. FormatError if `keys` is empty: nothing asked is
    nothing checked.
    """
    if not keys:
        _refuse("no key was given to check it with")
    for key in keys:
        made = [each for each in item.signatures if each.kid == key.kid]
        if len(made) != 1 or made[0].alg != key.alg:
            raise SignatureError(
                f"the signature by {key.name} key {key.kid.hex()} is missing.",
                remedy="treat the item as stripped or forged; obtain it again from its source.",
            )
        verify(key, _to_be_signed(item.protected, key.alg, key.kid, item.payload), made[0][2])


def check_suite(item: Signed, keys: Sequence[PublicKey], suite: Suite) -> None:
    """Check that `keys` are those of the suite and that they, and no others, signed in order.

    SignatureError otherwise: a stripped, added, swapped or downgraded signature.
    """
    if tuple(each.alg for each in keys) != suite.algorithms:
        raise SignatureError(
            f"the keys are not those of suite {suite.name}.",
            remedy="take the keys from the reference values of that suite.",
        )
    if [(each.alg, each.kid) for each in item.signatures] != [(k.alg, k.kid) for k in keys]:
        raise SignatureError(
            f"the signatures are not those that suite {suite.name} asks for.",
            remedy="treat the item as stripped or downgraded; obtain it again from its source.",
        )
    check(item, keys)


def _read(data: bytes) -> Signed:
    if data[:3] != TAG + b"\x84":
        _refuse("it does not begin as a COSE_Sign does")
    outer, at = _octets(data, 3)
    payload, at = _octets(data, _after(data, at, 0xA0))
    count, at = _count(data, at)
    signatures = []
    for _ in range(count):
        inner, at = _octets(data, _after(data, at, 0x83))
        signature, at = _octets(data, _after(data, at, 0xA0))
        signatures.append(Signature(*_header(inner), signature))
    if at != len(data):
        _refuse("bytes follow its end")
    return Signed(typ=_typ(outer), payload=payload, signatures=tuple(signatures))


def _count(data: bytes, at: int) -> tuple[int, int]:
    """Return the size of an array of 1 to 255, and where its first item begins."""
    head = data[at]
    if 0x81 <= head < 0x98:
        return head - 0x80, at + 1
    if head != 0x98 or data[at + 1] < 24:
        _refuse("its signatures are not an array")
    return data[at + 1], at + 2


def _after(data: bytes, at: int, expected: int) -> int:
    if data[at] != expected:
        _refuse(f"byte {at} is not {expected:#04x}")
    return at + 1


def _octets(data: bytes, at: int) -> tuple[bytes, int]:
    """Return a byte string of at most 65535 bytes, and where it ends."""
    head = data[at]
    if head == 0x59:
        size, least, begin = data[at + 1] << 8 | data[at + 2], 256, at + 3
    elif head == 0x58:
        size, least, begin = data[at + 1], 24, at + 2
    else:
        size, least, begin = head - 0x40, 0, at + 1
        if not 0 <= size < 24:
            _refuse(f"byte {at} begins no byte string of up to 65535 bytes")
    end = begin + size
    if size < least or end > len(data):
        _refuse(f"the byte string at byte {at} has no sound length")
    return data[begin:end], end


@lru_cache(maxsize=64)
def _outer(typ: str) -> bytes:
    return cbor.encode({_TYP: typ})


@lru_cache(maxsize=4096)
def _inner(alg: int, kid: bytes) -> bytes:
    return cbor.encode({_ALG: alg, _KID: kid})


def _to_be_signed(outer: bytes, alg: int, kid: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature", outer, _inner(alg, kid), b"", payload])


@lru_cache(maxsize=256)
def _typ(outer: bytes) -> str:
    match cbor.decode(outer, most=256, depth=1):
        case {16: str(typ), **others} if not others and typ:
            return typ
    _refuse("its protected header is not {16: type}")


@lru_cache(maxsize=4096)
def _header(inner: bytes) -> tuple[int, bytes]:
    match cbor.decode(inner, most=64, depth=1):
        case {1: alg, 4: bytes(kid), **others} if type(alg) is int and not others:
            return alg, kid
    _refuse("a signature's protected header is not {1: algorithm, 4: key id}")


def _sound(item: Signed) -> None:
    kids = {each.kid for each in item.signatures}
    if not 1 <= len(item.signatures) <= MOST_SIGNERS or len(kids) != len(item.signatures):
        _refuse(f"it has not 1 to {MOST_SIGNERS} signatures of different keys")
    if any(len(kid) != KID_BYTES for kid in kids):
        _refuse(f"an id of a key has not {KID_BYTES} bytes")
    if len(item.payload) > 65_535 or any(len(each[2]) > 65_535 for each in item.signatures):
        _refuse("its payload or a signature has more than 65535 bytes")


def _refuse(why: str) -> NoReturn:
    raise FormatError(
        f"this is not a signed item: {why}.", remedy="obtain it again from its source."
    )
