"""Frames of readers: what went in comes out, and what is malformed is refused by our own errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_enclosure import anchor

from casemate.control import anchor_file
from casemate.control.wires import challenge_of, challenge_plain, frame, unframed
from casemate.core.challenge import Challenge
from casemate.core.errors import FormatError
from casemate.core.samples import Block, Values
from casemate.detect.anchor import anchor_bytes


def block(rows: int, columns: int, seed: int, *, turned: bool) -> Block:
    generator = np.random.default_rng(seed)
    values: Values = generator.standard_normal((rows, columns))
    if turned:
        values = np.asarray(values * (1.0 + 2.0j), dtype=np.complex128)
    return Block(
        t_s=generator.standard_normal(rows),
        chip=np.arange(rows),
        values=values,
        health=generator.integers(0, 512, (rows, columns)).astype(np.uint16),
    )


@given(st.integers(0, 9), st.integers(1, 5), st.integers(0, 99), st.booleans())
def test_a_block_comes_out_as_it_went_in(rows: int, columns: int, seed: int, turned: bool) -> None:
    sent = block(rows, columns, seed, turned=turned)
    head, found = unframed(frame({"modality": "loops"}, sent))
    assert head == {"modality": "loops"}
    assert found is not None
    for name in ("t_s", "chip", "values", "health"):
        assert np.array_equal(getattr(found, name), getattr(sent, name))
        assert getattr(found, name).dtype == getattr(sent, name).dtype


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused_or_read(data: bytes) -> None:
    try:
        unframed(data)
    except FormatError:
        return


@given(st.data())
def test_an_altered_frame_is_refused_or_a_block(data: st.DataObject) -> None:
    sent = bytearray(frame({"modality": "loops"}, block(3, 2, 1, turned=False)))
    for _ in range(data.draw(st.integers(1, 3))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(sent[: data.draw(st.integers(0, len(sent)))])
    try:
        _, found = unframed(cut)
    except FormatError:
        return
    assert found is None or isinstance(found, Block)


def test_a_challenge_goes_over_the_wire() -> None:
    asked = Challenge(key=bytes(range(32)), modality="rf", epoch=3, chip_s=1e-3, order=48)
    assert challenge_of(json.loads(json.dumps(challenge_plain(asked)))) == asked


def test_anchors_come_back_and_altered_ones_do_not() -> None:
    data = anchor_bytes((anchor("loops"), anchor("plates")))
    assert anchor_bytes(anchor_file.anchors_of(data)) == data
    for wrong in (data[:-1], data + b" ", b"{}", b"", data.replace(b'"Anchor"', b'"Other"')):
        with pytest.raises(FormatError):
            anchor_file.anchors_of(wrong)
