"""One frame can be shown alone, and tells nothing of the others."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from attest_samples import EVIDENCE, KEYS, heartbeats

from casemate.attest import claims, payload, token
from casemate.core.errors import FormatError
from casemate.core.suites import DEFAULT_SUITE


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_a_frame_is_checked_alone_by_its_salt_and_path() -> None:
    frames = [bytes((at,)) * 100 for at in range(4)]
    salts = [bytes((at + 50,)) * 16 for at in range(4)]
    leaves = [payload.leaf(salt, frame) for salt, frame in zip(salts, frames, strict=True)]
    low = [sha(b"\0" + each) for each in leaves]  # RFC 9162, section 2.1.1, for four leaves
    root = sha(b"\1" + sha(b"\1" + low[0] + low[1]) + sha(b"\1" + low[2] + low[3]))
    body = claims.Payload(stream="frames", first=8, count=4, root=root)
    data = token.sign(replace(heartbeats(), body=body), EVIDENCE)

    said = token.read(data, KEYS, DEFAULT_SUITE).body
    assert isinstance(said, claims.Payload)
    alone = sha(b"\0" + salts[2] + sha(frames[2]))
    path = (low[3], sha(b"\1" + low[0] + low[1]))
    assert sha(b"\1" + path[1] + sha(b"\1" + alone + path[0])) == said.root
    other = sha(b"\0" + salts[2] + sha(frames[2] + b"x"))
    assert sha(b"\1" + path[1] + sha(b"\1" + other + path[0])) != said.root


def test_equal_frames_have_unequal_leaves() -> None:
    assert payload.leaf(bytes(16), b"frame") != payload.leaf(b"\1" * 16, b"frame")
    for wrong in (b"", bytes(15), bytes(17)):
        with pytest.raises(FormatError):
            payload.leaf(wrong, b"frame")
