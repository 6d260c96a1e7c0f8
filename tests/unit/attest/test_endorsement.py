"""Certificates of endorsement keys: one that a pinned maker issued for this key, or a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from maker_certificates import NOW_S, START, between, issued, key, named, of_key, root

from casemate.attest import endorsement
from casemate.attest.endorsement import Makers, check_certificate, load_makers, name_of, vouched
from casemate.attest.reference import Tpm
from casemate.core.errors import InputError, SignatureError

PUBLIC = key("endorsement").public_key()
GOOD = of_key(PUBLIC)
NAME = name_of(GOOD.der)
MAKERS = load_makers(root().pem + between().pem)
DAY_S = 86_400


def check(certificate: bytes, makers: Makers = MAKERS, now_s: int = NOW_S) -> str:
    return check_certificate(certificate, NAME, makers, now_s)


def test_certificate_of_a_pinned_maker_is_taken() -> None:
    assert check(GOOD.der) == "CN=Maker root"
    direct = of_key(PUBLIC, root())
    assert check(direct.der, load_makers(root().pem)) == "CN=Maker root"
    below = issued("Maker 11", by=between(), ca=True)
    chain = load_makers(root().pem + between().pem + below.pem)
    assert check(of_key(PUBLIC, below).der, chain) == "CN=Maker root"


def wrong() -> dict[str, tuple[bytes, Makers, int, str]]:
    other = of_key(key("another").public_key())
    flipped = bytearray(GOOD.der)
    flipped[-3] ^= 1
    thief = issued("Maker root", key("thief").public_key(), ca=True, signer="thief")
    thiefs = of_key(PUBLIC, root(), signer="thief")
    no_issuer = issued("Maker 8", by=root(), ca=False)
    cannot_sign = issued("Maker 9", by=root(), ca=True, signs=False)
    short = issued("Maker 10", by=root(), ca=True, path=0)
    below = issued("Maker 11", by=short, ca=True)
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    alone = load_makers(root().pem)
    beyond = "does not lead to a root"
    return {
        "none": (b"", MAKERS, NOW_S, "there is none"),
        "malformed": (GOOD.der[:-1], MAKERS, NOW_S, "malformed"),
        "of another key": (other.der, MAKERS, NOW_S, "another endorsement key"),
        "of an RSA key": (of_key(rsa_key).der, MAKERS, NOW_S, "another kind of key"),
        "of P-384": (of_key(ec.generate_private_key(ec.SECP384R1()).public_key()).der, MAKERS,
                     NOW_S, "another kind of key"),
        "altered": (bytes(flipped), MAKERS, NOW_S, beyond),
        "of another root": (GOOD.der, load_makers(root("Other").pem + between().pem), NOW_S,
                            beyond),
        "of a root of that name": (GOOD.der, load_makers(thief.pem + between().pem), NOW_S, beyond),
        "forged in the root's name": (thiefs.der, alone, NOW_S, beyond),
        "without what lies between": (GOOD.der, alone, NOW_S, beyond),
        "too early": (GOOD.der, MAKERS, int(START.timestamp()) - DAY_S, beyond),
        "expired": (of_key(PUBLIC, days=100).der, MAKERS, NOW_S, beyond),
        "for another purpose": (of_key(PUBLIC, purpose="1.3.6.1.5.5.7.3.2").der, MAKERS, NOW_S,
                                beyond),
        "for no purpose": (of_key(PUBLIC, purpose=None).der, MAKERS, NOW_S, beyond),
        "of an issuer itself": (of_key(PUBLIC, ca=True).der, MAKERS, NOW_S, beyond),
        "by one that is no issuer": (of_key(PUBLIC, no_issuer).der,
                                     load_makers(root().pem + no_issuer.pem), NOW_S, beyond),
        "by one that may not sign": (of_key(PUBLIC, cannot_sign).der,
                                     load_makers(root().pem + cannot_sign.pem), NOW_S, beyond),
        "by a path too long": (of_key(PUBLIC, below).der,
                               load_makers(root().pem + short.pem + below.pem), NOW_S, beyond),
        "by another TPM's key": (of_key(PUBLIC, other).der,
                                 load_makers(root().pem + between().pem + other.pem), NOW_S,
                                 beyond),
    }  # fmt: skip


WRONG = wrong()


@pytest.mark.parametrize("name", WRONG)
def test_certificate_that_does_not_hold_is_refused(name: str) -> None:
    certificate, makers, now_s, why = WRONG[name]
    with pytest.raises(SignatureError, match=why):
        check(certificate, makers, now_s)


@pytest.mark.parametrize("data", [b"", b"x", between().pem, root().pem.replace(b"M", b"!")])
def test_file_without_roots_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="no root of a maker"):
        load_makers(data, file="tpm-roots.pem")


def test_who_vouches_is_said() -> None:
    tpm = Tpm(attestation=b"", endorsement=NAME, certificate=GOOD.der)
    assert vouched(tpm, MAKERS, NOW_S) == "by its maker's certificate, under CN=Maker root"
    assert "no maker's root is pinned" in vouched(tpm, None, NOW_S)
    by_name = vouched(replace(tpm, certificate=b""), MAKERS, NOW_S)
    assert by_name == f"by the parties, by its name {NAME.hex()}: no maker's certificate"
    with pytest.raises(SignatureError, match="does not lead"):
        vouched(tpm, load_makers(root("Other").pem), NOW_S)


def test_purposes_and_template_are_those_of_the_profile() -> None:
    assert endorsement.EK_PURPOSE == "2.23.133.8.1"
    assert named("x") and len(NAME) == 34
