"""Canonical bytes, randomness and outlines against published vectors and closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.core.canonical import canonical_bytes, digest, pretty_json
from casemate.core.errors import CasemateError, SpecError
from casemate.core.geometry import circle_ring, rectangle
from casemate.core.randomness import commitment, keystream, opening


def test_canonical_bytes_of_rfc_8785() -> None:
    # RFC 8785, section 3.2.2 and 3.2.3: numbers as ECMAScript writes them, keys sorted.
    value = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "literals": [None, True]}
    assert canonical_bytes(value) == (
        b'{"literals":[null,true],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'
    )


def test_digest_ignores_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    # SHA-256 of "{}", a published value.
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_pretty_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError):
        pretty_json(math.nan)


def test_keystream_of_chacha20() -> None:
    # RFC 8439, appendix A.1, test vector 1: key and nonce zero, block counter zero.
    assert keystream(bytes(32), 16).tobytes().hex() == "76b8e0ada0f13d90405d6ae55386bd28"


def test_commitment_binds_secret_and_label() -> None:
    secret = bytes(range(32))
    seen = {commitment(key, label) for key in (secret, bytes(32)) for label in ("a", "b")}
    assert len(seen) == 4
    assert opening(secret, "a") != opening(secret, "b")
    assert opening(secret, "a").hex() not in commitment(secret, "a")


@given(st.floats(1e-4, 1.0))
def test_circle_ring_surrounds_the_circle(radius_m: float) -> None:
    ring = circle_ring((0.0, 0.0), radius_m)
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        middle = math.hypot((x1 + x2) / 2, (y1 + y2) / 2)
        assert middle >= radius_m * (1 - 1e-12)
        assert math.hypot(x1, y1) <= radius_m + 2e-6 + 1e-12 or len(ring) == 16


def test_rectangle_bounds() -> None:
    assert rectangle(2.0, 1.0, x_m=3.0).bounds == (3.0, 0.0, 5.0, 1.0)


def test_errors_are_one_message_with_a_remedy() -> None:
    error = SpecError("wrong.", remedy="do this.", file="f", key="k", value="x" * 200)
    assert isinstance(error, CasemateError)
    assert str(error).startswith("f: k: wrong. (value 'xxx") and len(str(error)) < 150
