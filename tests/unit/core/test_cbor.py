"""CBOR has one form: RFC 8949's own examples, a second strict reader, planted faults, fuzzing."""

from __future__ import annotations

import random
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core import cbor
from casemate.core.errors import CasemateError, FormatError

# RFC 8949, appendix A, as far as the values are allowed here
EXAMPLES: list[tuple[Any, str]] = [
    (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"),
    (1000, "1903e8"), (1_000_000, "1a000f4240"), (10**12, "1b000000e8d4a51000"),
    (2**64 - 1, "1bffffffffffffffff"), (-(2**64), "3bffffffffffffffff"), (-1, "20"), (-10, "29"),
    (-100, "3863"), (-1000, "3903e7"), (False, "f4"), (True, "f5"), (None, "f6"), (b"", "40"),
    (b"\1\2\3\4", "4401020304"), ("", "60"), ("a", "6161"), ("IETF", "6449455446"),
    ('"\\', "62225c"), ("ü", "62c3bc"), ("水", "63e6b0b4"), ("\U00010151", "64f0908591"),
    ([], "80"), ([1, 2, 3], "83010203"), ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"), ({1: 2, 3: 4}, "a201020304"), ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    ({k: k.upper() for k in "abcde"}, "a56161614161626142616361436164614461656145"),
]  # fmt: skip

MALFORMED = {
    "key twice": "a201010102",
    "text key twice": "a2616101616102",
    "true beside 1": "a20101f502",
    "1 beside true": "a2f5010102",
    "true as a key": "a1f501",
    "null as a key": "a1f601",
    "bytes as a key": "a1414101",
    "array as a key": "a18001",
    "keys not sorted": "a203040102",
    "keys sorted by length first (RFC 7049)": "a26161011903e802",
    "long integer, 1 byte": "1817",
    "long integer, 2 bytes": "190017",
    "long integer, 4 bytes": "1a00000017",
    "long integer, 8 bytes": "1b0000000000000017",
    "long negative integer": "3800",
    "long length of bytes": "580100",
    "long length of text": "78016a",
    "long length of an array": "980100",
    "long length of a map": "b8010102",
    "indefinite bytes": "5f4101ff",
    "indefinite text": "7f6161ff",
    "indefinite array": "9f01ff",
    "indefinite map": "bf0102ff",
    "trailing byte": "0100",
    "trailing break": "01ff",
    "break alone": "ff",
    "empty": "",
    "cut integer": "19",
    "cut bytes": "4201",
    "cut array": "8201",
    "cut map": "a201",
    "huge array": "9bffffffffffffffff",
    "huge bytes": "5bffffffffffffffff",
    "reserved head": "1c",
    "float 16": "f93c00",
    "float 32": "fa3f800000",
    "float 64": "fb3ff0000000000000",
    "nan": "f97e00",
    "long nan": "fb7ff8000000000000",
    "undefined": "f7",
    "simple value": "e0",
    "long simple value of false": "f814",
    "not UTF-8": "61ff",
    "surrogate": "63eda080",
    "overlong UTF-8": "62c080",
    "tag of a date": "c074323032362d30312d30315430303a30303a30305a",
    "big integer": "c249010000000000000000",
    "big integer that would fit": "c24101",
    "decimal fraction": "c48221196ab3",
    "shared value": "d81c80",
    "reference to a shared value": "82d81c80d81d00",
    "string references": "d9010082636162636161",
    "regular expression": "d823622e2a",
    "tag of CBOR": "d9d9f700",
    "unknown tag": "da7000000001",
    "COSE_Sign inside": "d86280",
}


@pytest.mark.parametrize(("value", "written"), EXAMPLES, ids=[each[1] for each in EXAMPLES])
def test_examples_of_the_standard(value: Any, written: str) -> None:
    assert cbor.encode(value).hex() == written
    again = cbor.decode(bytes.fromhex(written))
    assert again == value and type(again) is type(value)


def test_keys_are_sorted_as_the_standard_sorts_them() -> None:
    # RFC 8949, section 4.2.1: 10, 100, -1, "z", "aa"
    found = cbor.encode({"aa": 0, "z": 0, -1: 0, 100: 0, 10: 0})
    assert found.hex() == "a5" + "0a00" + "186400" + "2000" + "617a00" + "62616100"


@pytest.mark.parametrize("name", MALFORMED)
def test_planted_faults_are_refused(name: str) -> None:
    data = bytes.fromhex(MALFORMED[name])
    with pytest.raises(FormatError):
        cbor.decode(data)
    with pytest.raises(FormatError):  # and inside, where a library may look less closely
        cbor.decode(b"\x81" + data)
    assert not strict(b"\x81" + data)


def test_size_and_depth_have_a_limit_that_is_exact() -> None:
    for depth in (1, 4, 16):
        nested = b"\x81" * (depth - 1) + b"\x80"
        cbor.decode(nested, depth=depth)
        with pytest.raises(FormatError):
            cbor.decode(b"\x81" + nested, depth=depth)
        with pytest.raises(FormatError):
            cbor.decode(b"\xa1\x01" + nested, depth=depth)
        for inner in (b"\xa0", b"\xa1\x01\x02"):
            nested = b"\x81" * (depth - 1) + inner
            cbor.decode(nested, depth=depth)
            with pytest.raises(FormatError):
                cbor.decode(b"\x81" + nested, depth=depth)
    longest = cbor.encode(bytes(cbor.MOST_BYTES - 3))
    assert len(longest) == cbor.MOST_BYTES and cbor.decode(longest)
    with pytest.raises(FormatError):
        cbor.decode(cbor.encode(bytes(cbor.MOST_BYTES - 2)))


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), 2**64, -(2**64) - 1, {1.0: 1}, {True: 1}, {b"k": 1}, {None: 1}, {1},
     object(), "\ud800", bytearray(b"x"), cbor2.CBORTag(98, [])],
)  # fmt: skip
def test_what_has_no_form_cannot_be_written(value: Any) -> None:
    with pytest.raises(FormatError):
        cbor.encode(value)
    with pytest.raises(FormatError):
        cbor.encode([value])


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(FormatError):
        cbor.encode(endless)


def test_text_and_views_are_not_taken_for_bytes() -> None:
    for wrong in ("00", bytearray(b"\0"), memoryview(b"\0"), None):
        with pytest.raises(FormatError):
            cbor.decode(wrong)  # type: ignore[arg-type]


KEYS = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=6)
VALUES = st.recursive(
    KEYS | st.binary(max_size=40) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=300)
def test_what_is_written_is_read_again_and_by_others(value: Any) -> None:
    written = cbor.encode(value)
    assert cbor.decode(written) == value
    assert cbor2.loads(written) == value
    assert strict(written)


@given(st.dictionaries(st.integers(0, 2**64 - 1), st.integers(), max_size=30))
def test_order_of_insertion_does_not_show(value: dict[int, int]) -> None:
    value = {key: each % 2**64 for key, each in value.items()}
    backwards = dict(reversed(value.items()))
    assert cbor.encode(value) == cbor.encode(backwards)


def strict(data: bytes, *, depth: int = cbor.DEPTH) -> bool:
    """Whether a second reader, byte by byte from the text of the standard, accepts `data`."""
    try:
        return _item(data, 0, depth) == len(data)
    except (ValueError, IndexError):
        return False


def _item(data: bytes, at: int, depth: int) -> int:
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        if info not in (20, 21, 22):
            raise ValueError
        return at
    size = info
    if info >= 24:
        width = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
        if not width or at + width > len(data):
            raise ValueError
        size = int.from_bytes(data[at : at + width], "big")
        if size < (24 if width == 1 else 1 << (4 * width)):
            raise ValueError
        at += width
    if major < 2:
        return at
    if major < 4:
        if at + size > len(data):
            raise ValueError
        if major == 3:
            data[at : at + size].decode("utf-8", "strict")
        return at + size
    if major == 6 or depth == 0:
        raise ValueError
    last = b""
    for _ in range(size):
        if major == 5:
            if data[at] >> 5 not in (0, 1, 3):
                raise ValueError
            end = _item(data, at, depth - 1)
            if data[at:end] <= last:
                raise ValueError
            last, at = data[at:end], end
        at = _item(data, at, depth - 1)
    return at


def accepted(data: bytes) -> bool:
    """Whether our reader accepts; that it raises nothing but our own error is part of the test."""
    try:
        value = cbor.decode(data)
    except CasemateError as error:
        assert isinstance(error, FormatError) and error.remedy
        return False
    assert cbor.encode(value) == data
    return True


def agree(seed: int, cases: int) -> int:
    """Compare the two readers on random and on altered bytes; return how many both accept."""
    draw = random.Random(seed)
    seeds = [bytes.fromhex(each) for _, each in EXAMPLES]
    seeds += [bytes.fromhex(each) for each in MALFORMED.values()]
    good = 0
    for _ in range(cases):
        data = bytearray(draw.choice(seeds) if draw.random() < 0.7 else draw.randbytes(6))
        for _ in range(draw.randrange(3)):
            where = draw.randrange(len(data) + 1)
            match draw.randrange(3):
                case 0 if data:
                    data[where % len(data)] = draw.choice(_HEADS)
                case 1:
                    data[where:where] = draw.choice(seeds)
                case _:
                    del data[where : where + 2]
        ours = accepted(bytes(data))
        assert ours == strict(bytes(data)), bytes(data).hex()
        good += ours
    return good


_HEADS = (*range(256), 0xA2, 0xF5, 0x5F, 0xFF, 0xC2, 0x18, 0x58, 0x81)


def test_two_readers_agree_on_altered_bytes() -> None:
    assert agree(1, 20_000) > 2_000


@pytest.mark.slow
def test_two_readers_agree_on_a_million_bytes() -> None:
    assert agree(2, 1_000_000) > 100_000
