"""The anchor: bytes that are canonical, signatures that any change breaks, nothing malformed."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from surroundings import small_anchor
from test_field import anchor_of

from casemate.core.errors import InputError
from casemate.detect.anchor import (
    PER_FEATURE,
    AnyAnchor,
    PassiveAnchor,
    anchor_bytes,
    check_signed,
    signed,
)

KEYS = tuple(Ed25519PrivateKey.from_private_bytes(bytes([k]) * 32) for k in (1, 2))
PUBLIC = tuple(key.public_key() for key in KEYS)


def three() -> tuple[AnyAnchor, ...]:
    return (
        small_anchor("loops")[0],
        anchor_of(np.random.default_rng(1), 2, 5),
        PassiveAnchor(
            modality="environment",
            chip_s=0.1,
            names=("a", "b"),
            tiles=("", ""),
            kind=("light", "pressure"),
            nominal=np.array([1.0, 1e5]),
            spread=np.array([0.1, 0.05]),
            log=np.array([False, True]),
            contrast=np.array([True, False]),
            coefficients=np.array([[0.0, 0.0], [0.5, 0.2]]),
            innovation=np.array([1.0, 0.7]),
            slack=np.full(2, 0.1),
            bound=np.full(2, 8.0),
            noise=np.array([1.0, 0.5]),
        ),
    )


def test_bytes_are_canonical() -> None:
    """Equal figures, equal bytes: whatever the memory order, the byte order or the process."""
    one, two = three(), three()
    swapped = replace(two[0], weight=np.asfortranarray(two[0].weight).astype(">f8"))
    assert anchor_bytes(one) == anchor_bytes((swapped, *two[1:]))
    assert anchor_bytes(one).startswith(b'{"anchors":[{')
    assert anchor_bytes(one) != anchor_bytes(one[::-1])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_bit_of_any_array_breaks_the_signature(data: st.DataObject) -> None:
    anchors = list(three())
    signatures = signed(tuple(anchors), KEYS)
    check_signed(tuple(anchors), signatures, PUBLIC)
    which = data.draw(st.integers(0, 2))
    names = [
        each.name
        for each in fields(anchors[which])
        if isinstance(getattr(anchors[which], each.name), np.ndarray)
    ]
    name = data.draw(st.sampled_from(names))
    value = getattr(anchors[which], name).copy()
    if value.dtype == bool:
        value[data.draw(st.integers(0, value.size - 1))] ^= True
    elif value.size:
        raw = value.reshape(-1).view(np.uint8)
        raw[data.draw(st.integers(0, raw.size - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        anchors[which] = replace(anchors[which], **{name: value})
    except InputError:
        return
    with pytest.raises(InputError):
        check_signed(tuple(anchors), signatures, PUBLIC)


def test_every_party_has_to_sign_exactly_this() -> None:
    anchors = three()
    signatures = signed(anchors, KEYS)
    for missing, keys in (
        (signatures[:1], PUBLIC),
        (signatures, PUBLIC[:1]),
        ([], ()),
        (signatures[::-1], PUBLIC),
        ([signatures[0], signatures[0]], PUBLIC),
        ([signatures[0], b""], PUBLIC),
    ):
        with pytest.raises(InputError):
            check_signed(anchors, missing, keys)
    with pytest.raises(InputError):
        check_signed(anchors[:2], signatures, PUBLIC)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([*PER_FEATURE, "nominal", "common", "common_rate"]),
    st.sampled_from(["nan", "inf", "less", "short", "long", "zero"]),
)
def test_malformed_anchors_are_refused(name: str, fault: str) -> None:
    anchor = small_anchor("loops")[0]
    value = getattr(anchor, name)
    if fault == "short":
        bad = value[:-1]
    elif fault == "long":
        bad = np.concatenate([value, value[:1]])
    elif value.dtype.kind == "i":
        bad = value.copy()
        bad[-1] = {"nan": 10**6, "inf": 99, "less": -7, "zero": -2}[fault]
        if name == "first" and fault == "zero":
            bad[-1] = -1
    else:
        bad = value.copy()
        bad[0] = {"nan": np.nan, "inf": np.inf, "less": -1.0, "zero": 0.0}[fault]
    fine = fault == "zero" and name in ("bound", "step", "must", "rate", "common", "common_rate")
    fine |= fault == "less" and name in ("nominal", "weight")
    if fine:
        replace(anchor, **{name: bad})
    else:
        with pytest.raises(InputError):
            replace(anchor, **{name: bad})


def test_cavities_and_passive_sensors_are_checked_too() -> None:
    _, field, passive = three()
    for bad in (
        {"noise": np.zeros(2)},
        {"bound": np.array([np.nan, 1.0])},
        {"field": np.zeros((2, 5), complex)},
        {"step": np.ones(3)},
        {"shapes": 2.0 * field.shapes},
    ):
        with pytest.raises(InputError):
            replace(field, **bad)
    for bad in ({"spread": np.zeros(2)}, {"nominal": np.array([np.nan, 1.0])}, {"kind": ("a",)}):
        with pytest.raises(InputError):
            replace(passive, **bad)
