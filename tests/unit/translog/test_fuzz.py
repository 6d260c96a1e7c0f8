"""Every parser of the log on bytes that were bent at random: only our own errors come out."""

from __future__ import annotations

import random

import pytest
from log_samples import LOG_KEY, LOG_KEYS, TestKey, Tree, cosigned, signed

from casemate.core.errors import CasemateError
from casemate.translog import (
    checkpoint,
    guilt,
    merkle,
    note,
    pending,
    policy,
    proof,
    receipt,
    tiles,
)
from casemate.translog import request as requests
from casemate.translog.request import Request

TREE = Tree(21)
NOTE = cosigned(signed(TREE.stated()), ("w.example", TestKey("w")))
PATH = merkle.inclusion_proof(TREE.node, 5, 21)
HASHES = merkle.consistency_proof(TREE.node, 5, 21)
MARK = b"m" * 16
FORK = signed(Tree(21, fork_at=3).stated()).encode()

PARSERS = {
    "note": (note.parse, NOTE.encode()),
    "checkpoint": (checkpoint.parse, NOTE.encode()),
    "line": (lambda data: note.parse_line(data.decode("latin1")), NOTE.lines[0].text().encode()),
    "vkey": (lambda data: note.parse_vkey(data.decode("latin1")), LOG_KEYS[0].vkey().encode()),
    "policy": (policy.parse, f"log {LOG_KEYS[0].vkey()}\nquorum none\n".encode()),
    "proof": (
        proof.parse,
        proof.LogProof(index=5, hashes=PATH, checkpoint=NOTE.encode(), extra=b"x").encode(),
    ),
    "guilt": (guilt.parse, guilt.find(NOTE.encode(), FORK).encode()),
    "request": (
        requests.parse,
        Request(old=5, hashes=HASHES, stated=TREE.stated(), note=NOTE).encode(),
    ),
    "receipt": (
        lambda data: receipt.verify_inclusion(data, TREE.entries[5], "o", [LOG_KEY.public]),
        receipt.inclusion(LOG_KEY, TREE.stated(), 5, PATH),
    ),
    "bundle of entries": (tiles.unpack_entries, tiles.pack_entries([b"a", b"", b"c" * 300])),
    "tile": (tiles.unpack_hashes, b"".join(TREE.leaves)),
    "path": (lambda data: tiles.parse_path(data.decode("latin1")), b"tile/0/x001/234.p/7"),
    "segment": (
        lambda data: pending.parse(data, 7),
        pending.header(7, MARK) + pending.frame(MARK, pending.HEADER_BYTES, [b"a", b"b" * 90]),
    ),
}


def bent(rng: random.Random, whole: bytes) -> bytes:
    """One to four edits: bytes flipped, cut, doubled, moved or made up."""
    data = bytearray(whole)
    for _ in range(rng.randrange(1, 5)):
        at, span = rng.randrange(len(data) + 1), rng.choice((0, 1, 1, 2, 8, 60))
        kind = rng.randrange(4)
        if kind == 0:
            data[at : at + span] = rng.randbytes(rng.choice((0, 1, span)))
        elif kind == 1 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[at:at] = data[at : at + span]
        else:
            other = rng.randrange(len(data) + 1)
            data[at:at] = data[other : other + span]
    return bytes(data)


def fuzz(name: str, count: int) -> None:
    parse, whole = PARSERS[name]
    rng = random.Random(name)
    for _ in range(count):
        data = bent(rng, whole)
        try:
            parse(data)
        except CasemateError:
            continue
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} from {data!r}") from error


@pytest.mark.parametrize("name", PARSERS)
def test_only_our_errors_come_out(name):
    fuzz(name, 300)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_only_our_errors_come_out_of_many(name):
    fuzz(name, 40_000)
