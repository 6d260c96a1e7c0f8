"""Signatures: vectors of NIST and of Bernstein et al., strictness by the curve's own arithmetic."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from casemate.core import suites
from casemate.core.errors import FormatError, InputError, SignatureError
from casemate.core.suites import ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, PublicKey, verify
from outside_programs import package

vectors = package("cryptography_vectors")
FOLDER = Path(vectors.__file__).parent / "asymmetric"


def refused(key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        verify(key, message, signature)
    except SignatureError as error:
        assert error.remedy
        return True
    return False


@pytest.mark.parametrize(("alg", "name"), [(ML_DSA_44, "44"), (ML_DSA_65, "65"), (ML_DSA_87, "87")])
def test_ml_dsa_answers_the_vectors(alg: int, name: str) -> None:
    text = (FOLDER / "MLDSA" / f"kat_MLDSA_{name}_det_pure.rsp").read_text()
    private = getattr(mldsa, f"MLDSA{name}PrivateKey")
    rows = 0
    for block in text.split("count = ")[1::5]:
        row = dict(line.split(" = ", 1) for line in block.splitlines() if " = " in line)
        raw = {each: bytes.fromhex(row[each]) for each in ("xi", "pk", "msg", "sm", "ctx")}
        made, key = raw["sm"][: -len(raw["msg"])], PublicKey(alg, raw["pk"])
        suites._loaded(key.alg, key.data).verify(made, raw["msg"], raw["ctx"])
        assert refused(key, raw["msg"], made)  # made for a context, and a COSE signature has none
        own = private.from_seed_bytes(raw["xi"])
        assert own.public_key().public_bytes_raw() == raw["pk"]
        made = own.sign(raw["msg"])
        verify(key, raw["msg"], made)
        for at in (0, 40, len(made) // 2, len(made) - 1):
            assert refused(key, raw["msg"], flipped(made, at))
        assert refused(key, raw["msg"] + b"\0", made)
        rows += 1
    assert rows >= 20


@pytest.mark.parametrize(("alg", "name"), [(ML_DSA_44, "44"), (ML_DSA_65, "65"), (ML_DSA_87, "87")])
def test_ml_dsa_of_another_library_is_accepted(alg: int, name: str) -> None:
    other = package(f"pqcrypto.sign.ml_dsa_{name}")
    public, secret = other.keygen()
    made = bytes(other.sign(secret, b"message"))
    key = PublicKey(alg, bytes(public))
    verify(key, b"message", made)
    assert refused(key, b"messagf", made)


def test_ed25519_answers_the_vectors() -> None:
    lines = (FOLDER / "Ed25519" / "sign.input").read_text().splitlines()
    rows = [line.split(":") for line in lines if line][::8]
    assert len(rows) > 100
    for secret, public, message, signed, *_ in rows:
        assert secret.endswith(public)
        key, text = PublicKey(ED25519, bytes.fromhex(public)), bytes.fromhex(message)
        verify(key, text, bytes.fromhex(signed)[:64])
        assert refused(key, text + b"\0", bytes.fromhex(signed)[:64])


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


# --- the curve, from RFC 8032, section 5.1: slow, and independent of every library ---------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def plus(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + y1 * x2) * pow(1 + k, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
    )


def times(n: int, a: Point) -> Point:
    out = (0, 1)
    while n:
        if n & 1:
            out = plus(out, a)
        a, n = plus(a, a), n >> 1
    return out


def point(data: bytes) -> Point | None:
    """Return the point of an encoding that need not be canonical, or None."""
    raw = int.from_bytes(data, "little")
    y, sign = raw & (2**255 - 1), raw >> 255
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == (-u) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if v * x * x % P != u:
        return None
    return (x if x & 1 == sign else (P - x) % P, y % P)


def written(a: Point, *, sign: int | None = None, more: int = 0) -> bytes:
    x, y = a
    return (y + more * P | ((x & 1 if sign is None else sign) << 255)).to_bytes(32, "little")


BASE_Y = 4 * pow(5, -1, P) % P
BASE = point(written((0, BASE_Y)))
assert BASE is not None


def order_8() -> Point:
    """Return a point of order 8: any point times L lies in the small group."""
    for y in itertools.count(2):
        found = point(y.to_bytes(32, "little"))
        if found:
            small = times(L, found)
            if times(4, small) != (0, 1):
                return small
    raise AssertionError


SMALL = [times(n, order_8()) for n in range(8)]


def test_small_orders_are_those_of_the_curve() -> None:
    assert len(set(SMALL)) == 8 and all(times(8, each) == (0, 1) for each in SMALL)
    assert {y for _, y in SMALL} == suites._SMALL_ORDER


def signature(secret: int, torsion: Point, mixed_r: Point, message: bytes) -> tuple[bytes, bytes]:
    """Return key and signature with small parts added to key and R, right without cofactor.

    Numbers are tried until the small parts cancel, as an adversary would.
    """
    assert BASE is not None
    public = written(plus(times(secret, BASE), torsion))
    for r in itertools.count(1):
        head = written(plus(times(r, BASE), mixed_r))
        h = int.from_bytes(hashlib.sha512(head + public + message).digest(), "little") % L
        # S B = R + h A without cofactor needs mixed_r + h torsion = 0
        if plus(mixed_r, times(h, torsion)) == (0, 1):
            return public, head + ((r + h * secret) % L).to_bytes(32, "little")
    raise AssertionError


def test_signatures_with_small_parts_are_judged_without_cofactor() -> None:
    public, made = signature(7, SMALL[2], SMALL[4], b"m")
    verify(PublicKey(ED25519, public), b"m", made)  # of mixed order: right by RFC 8032 either way
    # with the cofactor this one is right too, and verifiers differ: ours follows the strict half
    public, made = signature(7, (0, 1), (0, 1), b"m")
    head = written(plus(point(made[:32]) or (0, 1), SMALL[1]))
    h = int.from_bytes(hashlib.sha512(head + public + b"m").digest(), "little") % L
    r = 1
    while written(plus(times(r, BASE or (0, 1)), SMALL[1])) != head:
        r += 1
    cofactored = head + ((r + h * 7) % L).to_bytes(32, "little")
    assert refused(PublicKey(ED25519, public), b"m", cofactored)


def test_points_of_small_order_are_refused_though_the_equation_holds() -> None:
    accepted_by_library = 0
    for key_point, head_point in itertools.product(SMALL, SMALL):
        for message in (b"a", b"b", b"c", b"d"):
            public, head = written(key_point), written(head_point)
            made = head + bytes(32)
            assert refused(PublicKey(ED25519, public), message, made)
            try:
                ed25519.Ed25519PublicKey.from_public_bytes(public).verify(made, message)
                accepted_by_library += 1
            except Exception:
                pass
    assert accepted_by_library > 10  # else nothing was shown: the library takes many of them


def forged(public: bytes, head: bytes, s: int, message: bytes = b"m") -> tuple[bool, bool]:
    """Return whether the library accepts a signature, and whether we refuse it."""
    made = head + (s % L).to_bytes(32, "little")
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(made, message)
        taken = True
    except InvalidSignature:
        taken = False
    return taken, refused(PublicKey(ED25519, public), message, made)


def test_each_point_is_checked_where_the_equation_holds_for_the_other() -> None:
    """Anybody can make these: the library takes them, whatever the message."""
    assert BASE is not None
    identity, plain = (0, 1), times(5, BASE)
    # the key is the identity: R = r B and S = r hold for every message
    assert forged(written(identity), written(plain), 5) == (True, True)
    # the same key in a second encoding
    assert forged(written(identity, more=1), written(plain), 5)[1]
    # R is the identity: S = h a
    public = written(times(7, BASE))
    h = int.from_bytes(hashlib.sha512(written(identity) + public + b"m").digest(), "little")
    assert forged(public, written(identity), h * 7) == (True, True)


def test_a_key_of_another_encoding_is_refused_for_that_alone() -> None:
    with pytest.raises(SignatureError, match="not canonical"):
        verify(PublicKey(ED25519, written((0, 1), more=1)), b"m", written((0, 1)) + bytes(32))
    with pytest.raises(SignatureError, match="64 bytes, not 65"):
        verify(PublicKey(ED25519, written(times(7, SMALL[0]))), b"m", bytes(65))
    with pytest.raises(FormatError):
        PublicKey(ED25519, bytearray(32))  # type: ignore[arg-type]


@pytest.mark.parametrize("y", [0, 1, 2, 3, 18])
def test_encodings_that_are_not_canonical_are_refused(y: int) -> None:
    data = (y + P).to_bytes(32, "little")
    good = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    made = good.sign(b"m")
    assert refused(PublicKey(ED25519, data), b"m", made)
    key = PublicKey(ED25519, good.public_key().public_bytes_raw())
    verify(key, b"m", made)
    assert refused(key, b"m", data + made[32:])
    negative_zero = written((0, 1), sign=1)
    assert refused(PublicKey(ED25519, negative_zero), b"m", made)


def test_a_second_form_of_s_is_refused() -> None:
    good = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key, made = PublicKey(ED25519, good.public_key().public_bytes_raw()), good.sign(b"m")
    s = int.from_bytes(made[32:], "little") + L
    assert refused(key, b"m", made[:32] + s.to_bytes(32, "little"))


def test_lengths_and_algorithms_have_to_fit() -> None:
    for alg, known in suites.ALGORITHMS.items():
        with pytest.raises(FormatError):
            PublicKey(alg, bytes(known.key_bytes - 1))
        key = PublicKey(alg, bytes(known.key_bytes))
        assert refused(key, b"", bytes(known.signature_bytes + 1))
        assert refused(key, b"", b"")
        assert refused(key, b"", bytes(known.signature_bytes))
    for wrong in (0, -8, -7, -47, True):
        with pytest.raises(FormatError):
            PublicKey(wrong, bytes(32))


def test_names_of_keys_follow_the_standard() -> None:
    raw = bytes(range(32))
    by_hand = b"\xa3" + b"\x01\x01" + b"\x20\x06" + b"\x21\x58\x20" + raw  # RFC 9679: no alg
    assert PublicKey(ED25519, raw).kid == hashlib.sha256(by_hand).digest()[:16]
    raw = bytes(1952)
    by_hand = b"\xa3" + b"\x01\x07" + b"\x03\x38\x30" + b"\x20\x59\x07\xa0" + raw  # RFC 9964
    assert PublicKey(ML_DSA_65, raw).kid == hashlib.sha256(by_hand).digest()[:16]


def test_cose_keys_come_back_and_others_do_not() -> None:
    key = PublicKey(ML_DSA_44, bytes(1312))
    assert PublicKey.from_cose(key.as_cose()) == key
    edwards = PublicKey(ED25519, bytes(32))
    assert PublicKey.from_cose(edwards.as_cose()) == edwards
    for change in ({3: -49}, {1: 1}, {-2: b"x"}, {2: b"kid"}, {-1: bytes(1311)}):
        with pytest.raises(FormatError):
            PublicKey.from_cose({**key.as_cose(), **change})
    for other in (None, [], {}, {1: 7}, {1: 1, 3: -19, -1: 7, -2: bytes(32)}):
        with pytest.raises(FormatError):
            PublicKey.from_cose(other)


def test_suites_hold_in_their_time() -> None:
    def at(*day: int) -> int:
        return int(datetime(*day, tzinfo=UTC).timestamp())  # type: ignore[misc, arg-type]

    pair = suites.suite("ed25519+mldsa65")
    assert not pair.holds(at(2024, 8, 12)) and pair.holds(at(2024, 8, 13))
    assert pair.holds(at(2035, 12, 31)) and not pair.holds(at(2036, 1, 1))
    assert suites.suite("cnsa2").holds(at(2040, 1, 1))
    assert len(suites.suite("cnsa2").digest(b"")) == suites.suite("cnsa2").digest_bytes == 48
    assert suites.DEFAULT_SUITE.digest(b"x") == hashlib.sha256(b"x").digest()
    with pytest.raises(InputError, match=r"ed25519\+mldsa65"):
        suites.suite("rot13")


def test_a_key_of_another_set_does_not_verify() -> None:
    one, other = mldsa.MLDSA65PrivateKey.generate(), mldsa.MLDSA65PrivateKey.generate()
    key = PublicKey(ML_DSA_65, other.public_key().public_bytes_raw())
    assert refused(key, b"m", one.sign(b"m"))
    with_context = PublicKey(ML_DSA_65, one.public_key().public_bytes_raw())
    assert refused(with_context, b"m", one.sign(b"m", b"context"))
