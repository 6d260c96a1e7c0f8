"""COSE_Sign: what is stripped, added, swapped, moved or altered is refused."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from attest_samples import EVIDENCE, KEYS, key, pair, publics

from casemate.attest import cose
from casemate.core import cbor
from casemate.core.errors import CasemateError, FormatError, SignatureError
from casemate.core.suites import DEFAULT_SUITE, ED25519, ML_DSA_65, ML_DSA_87, SUITES

TYPE = "application/eat+cwt"
DATA = cose.build(TYPE, b"payload", EVIDENCE)
ITEM = cose.parse(DATA)


def test_an_item_comes_back_and_is_signed_as_the_standard_says() -> None:
    assert (ITEM.typ, ITEM.payload) == (TYPE, b"payload")
    assert cose.write(ITEM) == DATA
    cose.check_suite(ITEM, KEYS, DEFAULT_SUITE)
    # RFC 9052, section 4.4, put together by hand
    outer = b"\xa1\x10\x73" + TYPE.encode()
    inner = b"\xa2\x01\x32\x04\x50" + KEYS[0].kid
    by_hand = b"\x85\x69Signature" + bytes((0x56,)) + outer
    by_hand += bytes((0x55,)) + inner + b"\x40" + b"\x47payload"
    assert cose.messages(TYPE, b"payload", KEYS)[0] == by_hand
    assert EVIDENCE[0].sign(by_hand) == ITEM.signatures[0].signature


def test_signatures_of_another_process_give_the_same_form() -> None:
    messages = cose.messages(TYPE, b"payload", KEYS)
    made = [each.sign(message) for each, message in zip(EVIDENCE, messages, strict=True)]
    item = cose.parse(cose.assemble(TYPE, b"payload", KEYS, made), typ=TYPE)
    cose.check_suite(item, KEYS, DEFAULT_SUITE)


def parts() -> list[object]:
    value: list[object] = cbor.decode(DATA[2:])
    return value


def edited(change: Callable[[list[object]], None]) -> bytes:
    value = parts()
    change(value)
    return cose.TAG + cbor.encode(value)


def _signature(value: list[object], at: int) -> list[object]:
    listed = value[3]
    assert isinstance(listed, list)
    found = listed[at]
    assert isinstance(found, list)
    return found


def _set(at: int, to: object) -> Callable[[list[object]], None]:
    return lambda value: value.__setitem__(at, to)


def _in_signature(at: int, to: object) -> Callable[[list[object]], None]:
    return lambda value: _signature(value, 0).__setitem__(at, to)


MALFORMED = {
    "unprotected header": _set(1, {4: b"kid"}),
    "unprotected header of a signature": _in_signature(1, {4: b"kid"}),
    "no payload": _set(2, None),
    "payload that is text": _set(2, "payload"),
    "no signatures": _set(3, []),
    "signatures that are none": _set(3, None),
    "a fifth part": lambda value: value.append(0),
    "no type": _set(0, b"\xa0"),
    "type and more": _set(0, cbor.encode({16: TYPE, 1: -19})),
    "critical header": _set(0, cbor.encode({2: [16], 16: TYPE})),
    "empty type": _set(0, cbor.encode({16: ""})),
    "header that is not sound CBOR": _set(0, b"\xa1\x18\x10\x61a"),
    "algorithm alone": _in_signature(0, cbor.encode({1: -19})),
    "key id alone": _in_signature(0, cbor.encode({4: KEYS[0].kid})),
    "algorithm as text": _in_signature(0, cbor.encode({1: "Ed25519", 4: KEYS[0].kid})),
    "algorithm true": _in_signature(0, cbor.encode({1: True, 4: KEYS[0].kid})),
    "short key id": _in_signature(0, cbor.encode({1: -19, 4: KEYS[0].kid[:8]})),
    "signature that is text": _in_signature(2, "x"),
    "one signature twice": lambda value: _set(3, [_signature(value, 0)] * 2)(value),
    "65 signatures": lambda value: _set(
        3, [[cbor.encode({1: -19, 4: bytes((i,)) * 16}), {}, b""] for i in range(65)]
    )(value),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_other_forms_are_refused(name: str) -> None:
    with pytest.raises(FormatError):
        cose.parse(edited(MALFORMED[name]))


def test_size_and_type_of_what_is_read_have_a_limit() -> None:
    assert cose.parse(DATA, most=len(DATA)) == ITEM
    with pytest.raises(FormatError, match=f"at most {len(DATA) - 1} bytes"):
        cose.parse(DATA, most=len(DATA) - 1)
    for wrong in (bytearray(DATA), memoryview(DATA), DATA.hex(), None):
        with pytest.raises(FormatError):
            cose.parse(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"\xd8", cose.TAG, DATA[2:], b"\xd2" + DATA[2:], DATA * 2])
def test_tag_and_end_are_exact(data: bytes) -> None:
    with pytest.raises(FormatError):
        cose.parse(data)


def test_type_is_checked_and_signed() -> None:
    with pytest.raises(FormatError, match="type"):
        cose.parse(DATA, typ="application/vnd.casemate.permit+cbor")
    retyped = edited(_set(0, cbor.encode({16: "application/vnd.casemate.permit+cbor"})))
    with pytest.raises(SignatureError):
        cose.check_suite(cose.parse(retyped), KEYS, DEFAULT_SUITE)


def with_signatures(*signatures: cose.Signature) -> cose.Signed:
    return cose.Signed(typ=TYPE, payload=b"payload", signatures=signatures)


CLASSIC, LATTICE = ITEM.signatures
OTHER = cose.parse(cose.build(TYPE, b"payload", pair(5))).signatures
ATTACKS = {
    "stripped of ML-DSA": with_signatures(CLASSIC),
    "stripped of Ed25519": with_signatures(LATTICE),
    "reordered": with_signatures(LATTICE, CLASSIC),
    "one added": with_signatures(CLASSIC, LATTICE, OTHER[0]),
    "one of another key": with_signatures(CLASSIC, OTHER[1]),
    "both of another key": with_signatures(*OTHER),
    "key ids of ours on signatures of others": with_signatures(
        CLASSIC, LATTICE._replace(signature=OTHER[1].signature)
    ),
    "algorithm swapped": with_signatures(CLASSIC, LATTICE._replace(alg=ML_DSA_87)),
    "algorithm lowered": with_signatures(CLASSIC, LATTICE._replace(alg=ED25519)),
    "signature empty": with_signatures(CLASSIC, LATTICE._replace(signature=b"")),
    "signatures swapped": with_signatures(
        CLASSIC._replace(signature=LATTICE.signature), LATTICE._replace(signature=CLASSIC.signature)
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_on_signatures_are_refused(name: str) -> None:
    with pytest.raises(SignatureError):
        cose.check_suite(ATTACKS[name], KEYS, DEFAULT_SUITE)


@pytest.mark.parametrize("name", sorted(set(ATTACKS) - {"reordered", "one added"}))
def test_who_is_asked_by_key_alone_is_told_too(name: str) -> None:
    """As with permits, where order and others' signatures do not matter."""
    with pytest.raises(SignatureError):
        cose.check(ATTACKS[name], KEYS)
    cose.check(ATTACKS["reordered"], KEYS)
    cose.check(ATTACKS["one added"], KEYS)


def test_a_signature_is_for_its_own_key_and_algorithm_alone() -> None:
    # the header is in what is signed: one key cannot lend its signature to another's header
    lent = EVIDENCE[0].sign(cose.messages(TYPE, b"payload", KEYS)[1])
    with pytest.raises(SignatureError):
        cose.check(with_signatures(CLASSIC._replace(signature=lent), LATTICE), KEYS)


def test_suite_decides_which_keys_are_asked() -> None:
    strong = pair(1, "cnsa2")
    item = cose.parse(cose.build(TYPE, b"payload", strong))
    cose.check_suite(item, publics(strong), SUITES["cnsa2"])
    for keys, suite in ((publics(strong), "ed25519+mldsa65"), (KEYS, "cnsa2"), ((), "cnsa2")):
        with pytest.raises(SignatureError):
            cose.check_suite(item, keys, SUITES[suite])
    with pytest.raises(FormatError):
        cose.check(item, ())
    with pytest.raises(SignatureError):
        cose.check_suite(ITEM, KEYS[::-1], DEFAULT_SUITE)


def test_every_bit_counts() -> None:
    """Flip a bit of a byte: no altered item is accepted. None of its bytes is unsigned."""
    draw = random.Random(3)
    for at in (*range(200), *range(200, len(DATA), 3)):
        altered = bytearray(DATA)
        altered[at] ^= 1 << draw.randrange(8)
        with pytest.raises((FormatError, SignatureError)):
            cose.check_suite(cose.parse(bytes(altered), typ=TYPE), KEYS, DEFAULT_SUITE)


def test_an_item_that_could_not_be_read_is_not_written() -> None:
    for item in (
        cose.Signed(typ=TYPE, payload=bytes(65_536), signatures=(CLASSIC,)),
        with_signatures(CLASSIC._replace(signature=bytes(65_536))),
        with_signatures(),
        with_signatures(CLASSIC, CLASSIC),
    ):
        with pytest.raises(FormatError):
            cose.write(item)


def has_the_form(data: bytes) -> bool:
    """Whether the general reader of CBOR finds an item in `data`, by the grammar."""
    try:
        value = cbor.decode(data[2:], depth=4)
        outer, unprotected, payload, listed = value
        match cbor.decode(outer, depth=1):
            case {16: str(typ), **others} if typ and not others:
                pass
            case _:
                return False
        kids = set()
        for inner, empty, signature in listed:
            header = cbor.decode(inner, depth=1)
            if set(header) != {1, 4} or type(header[1]) is not int or len(header[4]) != 16:
                return False
            if empty != {} or type(signature) is not bytes or type(header[4]) is not bytes:
                return False
            kids.add(header[4])
        good = unprotected == {} and type(payload) is bytes and 0 < len(kids) == len(listed) <= 64
    except (CasemateError, ValueError, TypeError):
        return False
    return data[:2] == cose.TAG and good


@pytest.mark.parametrize("count", [1, 22, 23, 24, 25, 63, 64])
@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 9000])
def test_any_number_of_signatures_and_any_size_comes_back(count: int, size: int) -> None:
    made = tuple(cose.Signature(-19, bytes((at,)) * 16, bytes(at)) for at in range(count))
    item = cose.Signed(typ="t", payload=bytes(size), signatures=made)
    data = cose.write(item)
    assert cose.parse(data) == item
    assert has_the_form(data)
    assert cbor.decode(data[2:])[2:] == [
        item.payload,
        [[cbor.encode({1: each.alg, 4: each.kid}), {}, each.signature] for each in made],
    ]


def crowd(count: int) -> bytes:
    many = [cose.Signature(-19, bytes((at,)) * 16, b"") for at in range(count)]
    return cose.write(with_signatures(*many))


def test_every_byte_of_the_frame_has_one_value() -> None:
    """Put each of 256 values at each place that is not content: only what was there is read."""
    content = set()
    for part in (ITEM.payload, *(each[2] for each in ITEM.signatures)):
        at = DATA.index(part)
        content |= set(range(at, at + len(part)))
    for each in ITEM.signatures:  # another id or algorithm is another item, of the same form
        at = DATA.index(each.kid)
        content |= {at - 3, *range(at, at + 16)} | ({at - 4} if DATA[at - 4] == 0x38 else set())
    at = DATA.index(TYPE.encode())
    content |= set(range(at, at + len(TYPE)))
    frame = [at for at in range(len(DATA)) if at not in content]
    assert 20 < len(frame) < 50
    for at in frame:
        for value in range(256):
            if value != DATA[at]:
                with pytest.raises(FormatError):
                    cose.parse(DATA[:at] + bytes((value,)) + DATA[at + 1 :])


@pytest.mark.parametrize(
    "head", [b"\x58\x07", b"\x59\0\x07", b"\x5a\0\0\0\x07", b"\x67", b"\x27", b"\x5f\x47"]
)
def test_lengths_have_one_form(head: bytes) -> None:
    other = DATA.replace(b"\x47payload", head + b"payload")
    assert other != DATA and not has_the_form(other)
    with pytest.raises(FormatError):
        cose.parse(other)
    for size in range(24, 96):  # a head that ends where a longer one begins
        good = cose.write(with_signatures(CLASSIC._replace(signature=b"s" * size)))
        short = good.replace(bytes((0x58, size)) + b"s", bytes((0x40 + size,)) + b"s")
        assert short != good
        with pytest.raises(FormatError):
            cose.parse(short)
    long = DATA.replace(b"\x58\x40", b"\x59\0\x40")
    assert long != DATA
    with pytest.raises(FormatError):
        cose.parse(long)


def test_number_of_signatures_has_one_form() -> None:
    """Each count by each head that a reader might take for it."""
    for count in (1, 2, 23, 24, 25, 26, 27, 31, 63, 64):
        good = crowd(count)
        body = good.index(b"payload") + 7
        first = good.index(b"\x83", body)
        heads = [bytes((0x80 + n,)) for n in range(32)]
        heads += [bytes((0x98, n)) for n in range(256)] + [b"\x99\0" + bytes((count,))]
        heads += [bytes((n, count)) for n in range(256) if n != 0x98]
        taken = [good[:body] + head + good[first:] for head in heads]
        for data in taken:
            if data == good:
                assert cose.parse(data)
                continue
            assert not has_the_form(data)
            with pytest.raises(FormatError):
                cose.parse(data)
        assert good in taken


def fuzz(seed: int, cases: int) -> int:
    """Alter items at random; return how many still have the form, by either reader."""
    draw = random.Random(seed)
    formed = 0
    start = [DATA, crowd(2), crowd(24), *(edited(MALFORMED[name]) for name in MALFORMED)]
    for _ in range(cases):
        data = bytearray(DATA if draw.random() < 0.5 else draw.choice(start))
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(data) if draw.random() < 0.5 else min(len(data), 120))
            match draw.randrange(3):
                case 0:
                    data[at] = draw.randrange(256)
                case 1:
                    del data[at : at + draw.randrange(1, 9)]
                case _:
                    data[at:at] = draw.randbytes(draw.randrange(1, 5))
        try:
            item = cose.parse(bytes(data))
        except CasemateError as error:
            assert isinstance(error, FormatError) and not has_the_form(bytes(data))
            continue
        assert cose.write(item) == data and has_the_form(bytes(data))
        formed += 1
    return formed


def test_fuzzed_items_give_our_errors_alone() -> None:
    assert fuzz(4, 4_000) > 100


@pytest.mark.slow
def test_many_fuzzed_items_give_our_errors_alone() -> None:
    assert fuzz(5, 200_000) > 5_000


def test_a_key_of_one_set_is_not_taken_for_one_of_another() -> None:
    assert key(ML_DSA_65, 1).public.kid != key(ML_DSA_87, 1).public.kid
