"""The check of a quote: each field that is not as it should be is refused, though well signed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_quotes import ATTRIBUTES, PCRS, Quote, key_area, large_area, large_signed, qualified

from casemate.attest.quote import Clock, Expected, check_quote, extra_data, read_attest
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import ED25519, ML_DSA_65, PublicKey

SINCE = Clock(milliseconds=4_000, resets=3, restarts=1, safe=True)
WANTED = Expected(
    key=key_area(), pcrs=PCRS, extra=b"\x45" * 32, since=SINCE, same_start=True,
    firmware=0x2019_1023,
)  # fmt: skip


def test_right_quote_is_taken_and_read() -> None:
    said = check_quote(*Quote().signed(), WANTED)
    assert said.selected == (11, 12)
    assert said.clock == Clock(milliseconds=5_000, resets=3, restarts=1, safe=True)


WRONG = {
    "magic zeroed": Quote(magic=0),
    "type of a certification": Quote(type=0x8017),
    "another key's name": Quote(signer=b"\x00\x0b" + bytes(32)),
    "owner hierarchy": Quote(signer=qualified(key_area(), 0x40000001)),
    "other extra data": Quote(extra=bytes(32)),
    "no extra data": Quote(extra=b""),
    "clock back": Quote(clock=3_999),
    "reset": Quote(resets=4, restarts=0),
    "reset counter back": Quote(resets=2),
    "restarted": Quote(restarts=2),
    "restart counter back": Quote(restarts=0),
    "flag of 2": Quote(safe=2),
    "other firmware": Quote(firmware=1),
    "SHA-1 bank": Quote(bank=0x0004),
    "no bank": Quote(banks=0),
    "two banks": Quote(banks=2),
    "a PCR less": Quote(mask=b"\x00\x08\x00"),
    "a PCR more": Quote(mask=b"\x00\x18\x01"),
    "no PCR": Quote(mask=b"\x00\x00\x00"),
    "PCR 24": Quote(mask=b"\x00\x18\x00\x01"),
    "other digest": Quote(digest=bytes(32)),
    "values in the other order": Quote(digest=hashlib.sha256(PCRS[12] + PCRS[11]).digest()),
    "bytes after the end": Quote(tail=b"\x00"),
}


@pytest.mark.parametrize("name", WRONG)
def test_well_signed_but_wrong_quote_is_refused(name: str) -> None:
    with pytest.raises((SignatureError, FormatError)):
        check_quote(*WRONG[name].signed(), WANTED)


@pytest.mark.parametrize("drop", [1 << 1, 1 << 4, 1 << 5, 1 << 16, 1 << 18])
def test_key_that_is_not_restricted_to_its_tpm_is_refused(drop: int) -> None:
    area = key_area(ATTRIBUTES & ~drop)
    quote = Quote(signer=qualified(area))
    with pytest.raises(SignatureError, match="not restricted"):
        check_quote(*quote.signed(), replace(WANTED, key=area))


def test_key_that_decrypts_too_is_refused() -> None:
    area = key_area(ATTRIBUTES | 1 << 17)
    with pytest.raises(SignatureError, match="not restricted"):
        check_quote(*Quote(signer=qualified(area)).signed(), replace(WANTED, key=area))


def test_key_of_another_scheme_is_refused() -> None:
    area = key_area(scheme=b"\x00\x18\x00\x0c")
    with pytest.raises(SignatureError, match="another algorithm"):
        check_quote(*Quote(signer=qualified(area)).signed(), replace(WANTED, key=area))


def test_larger_curve() -> None:
    area = large_area()
    quote = Quote(
        signer=qualified(area), digest=hashlib.sha384(PCRS[11] + PCRS[12]).digest()
    )  # fmt: skip
    attest, signature = large_signed(quote)
    wanted = replace(WANTED, key=area)
    check_quote(attest, signature, wanted)
    for bad in (signature[:-1] + bytes([signature[-1] ^ 1]), quote.signed()[1]):
        with pytest.raises(SignatureError):
            check_quote(attest, bad, wanted)


@pytest.mark.parametrize("wrong", [Quote(resets=2, restarts=9), Quote(restarts=0)])
def test_counters_that_went_back_are_refused_across_starts(wrong: Quote) -> None:
    later = replace(WANTED, same_start=False)
    check_quote(*Quote(resets=4, restarts=0, clock=1).signed(), later)
    with pytest.raises(SignatureError, match="counter lies before"):
        check_quote(*wrong.signed(), later)


AREA = key_area()


@pytest.mark.parametrize(
    ("area", "match"),
    [
        (b"\x00\x01" + AREA[2:], "no elliptic curve"),
        (AREA[:2] + b"\x00\x0c" + AREA[4:], "no elliptic curve"),
        (AREA[:10] + b"\x00\x06" + AREA[12:], "not ECDSA"),
        (AREA[:12] + b"\x00\x14" + AREA[14:], "not ECDSA"),
        (key_area(scheme=b"\x00\x18\x00\x04"), "hash or curve"),
        (AREA[:16] + b"\x00\x05" + AREA[18:], "hash or curve"),
        (AREA[:18] + b"\x00\x20" + AREA[20:], "hash or curve"),
    ],
)
def test_keys_of_other_kinds_are_refused(area: bytes, match: str) -> None:
    with pytest.raises(FormatError, match=match):
        check_quote(*Quote(signer=qualified(area)).signed(), replace(WANTED, key=area))


def test_signature_has_one_length() -> None:
    attest, signature = Quote().signed()
    longer = signature[:4] + b"\x00\x21\x00" + signature[6:]
    with pytest.raises(FormatError, match="too long"):
        check_quote(attest, longer, WANTED)


def test_only_bytes_are_read() -> None:
    with pytest.raises(FormatError, match="not bytes"):
        read_attest(bytearray(Quote().attest()))  # type: ignore[arg-type]


def test_nothing_expected_is_nothing_accepted() -> None:
    for less in ({"pcrs": {}}, {"extra": b""}, {"since": None}):
        with pytest.raises(SignatureError):
            check_quote(*Quote().signed(), replace(WANTED, **less))


def test_every_bit_of_quote_and_signature_counts() -> None:
    attest, signature = Quote().signed()
    loose = replace(WANTED, since=None, same_start=False, firmware=None)
    check_quote(attest, signature, loose)
    for i in range(8 * (len(attest) + len(signature))):
        both = bytearray(attest + signature)
        both[i // 8] ^= 1 << i % 8
        with pytest.raises((SignatureError, FormatError)):
            check_quote(bytes(both[: len(attest)]), bytes(both[len(attest) :]), loose)


def test_every_bit_of_the_key_counts() -> None:
    attest, signature = Quote().signed()
    for i in range(8 * len(key_area())):
        area = bytearray(key_area())
        area[i // 8] ^= 1 << i % 8
        with pytest.raises((SignatureError, FormatError)):
            check_quote(attest, signature, replace(WANTED, key=bytes(area)))


def test_truncations_are_refused() -> None:
    attest, signature = Quote().signed()
    for n in range(len(attest)):
        with pytest.raises(FormatError):
            read_attest(attest[:n])
    for n in range(len(signature)):
        with pytest.raises((SignatureError, FormatError)):
            check_quote(attest, signature[:n], WANTED)


@given(st.binary(max_size=300), st.binary(max_size=120), st.binary(max_size=120))
def test_only_our_errors_come_out(attest: bytes, signature: bytes, key: bytes) -> None:
    with pytest.raises(FormatError):
        read_attest(attest)
    for wanted in (WANTED, replace(WANTED, key=key)):
        with pytest.raises((SignatureError, FormatError)):
            check_quote(attest, signature, wanted)
        with pytest.raises((SignatureError, FormatError)):
            check_quote(Quote().attest(), b"\x00\x18\x00\x0b" + signature, wanted)


def test_extra_data_binds_evidence_keys_and_nonce() -> None:
    ed, ml = PublicKey(ED25519, b"\x01" * 32), PublicKey(ML_DSA_65, b"\x02" * 1952)
    made = {
        extra_data(b"e", (ed, ml)),
        extra_data(b"f", (ed, ml)),
        extra_data(b"e", (ml, ed)),
        extra_data(b"e", (ed,)),
        extra_data(b"e", (ed, ml), b"n"),
        extra_data(b"e", (ed, PublicKey(ML_DSA_65, b"\x03" * 1952))),
    }
    assert len(made) == 6 and all(len(each) == 32 for each in made)
