"""Go and Node, on their standard libraries alone, judge our log: what is good for us is for them.

The first run of Go's compiler takes half a minute; what it makes stays in its cache.
"""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from judge_programs import judge_command

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "translog"))

from log_samples import LOG_KEY, ORIGIN, TestKey, Tree, cosigned, signed

from casemate.core.errors import CasemateError
from casemate.core.suites import ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87
from casemate.translog import cosignature, guilt, merkle, policy, proof
from casemate.translog import note as notes
from casemate.translog.note import NoteKey
from casemate.translog.proof import LogProof
from casemate.translog.signers import log_key, witness_key

JUDGES = Path(__file__).parent / "translog"
Question = dict[str, Any]
Judge = Callable[[Sequence[Question]], list[bool]]

SIGNERS = (LOG_KEY, *(TestKey("log", alg) for alg in (ML_DSA_44, ML_DSA_65, ML_DSA_87)))
WITNESSES = (("one.example", TestKey("one", ML_DSA_44)), ("two.example", TestKey("two", ED25519)))
KEYS = (
    *(log_key(ORIGIN, each.public) for each in SIGNERS),
    *(witness_key(name, each.public) for name, each in WITNESSES),
)
TREE, FORK = Tree(300), Tree(300, fork_at=77)


@pytest.fixture(scope="module", params=["go", "node"])
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Return what asks a judge many questions at once."""
    command = judge_command(request.param, JUDGES / "log", tmp_path_factory.mktemp("judge"))

    def ask(questions: Sequence[Question]) -> list[bool]:
        text = "".join(json.dumps(each) + "\n" for each in questions)
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        said = done.stdout.splitlines()
        assert len(said) == len(questions)
        assert all(each == "good" or each.startswith("bad: ") for each in said)
        return [each == "good" for each in said]

    return ask


def question(kind: str, data: bytes, keys: Sequence[NoteKey], entry: bytes = b"") -> Question:
    def text(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    vkeys = [key.vkey() for key in keys]
    return {"kind": kind, "vkeys": vkeys, "data": text(data), "entry": text(entry)}


def whole_note(tree: Tree, size: int = 300) -> notes.Note:
    return cosigned(signed(tree.stated(size), *SIGNERS), *WITNESSES)


NOTE = whole_note(TREE)


def log_proof(index: int) -> bytes:
    hashes = merkle.inclusion_proof(TREE.node, index, 300)
    return LogProof(index=index, hashes=hashes, checkpoint=NOTE.encode(), extra=b"x").encode()


def ours(asked: Question) -> bool:
    """What our own code says of a question."""
    data, entry = base64.b64decode(asked["data"]), base64.b64decode(asked["entry"])
    try:
        keys = [notes.parse_vkey(each) for each in asked["vkeys"]]
        if asked["kind"] == "proof":
            found = proof.parse(data)
            trusted = policy.Policy(logs=(), witnesses={}, groups={}, quorum="none", urls={})
            proof_keys = [key for key in keys if key.name == ORIGIN]
            stated, data = notes.parse(found.checkpoint), found.checkpoint
            policy.check(trusted, stated, logs=proof_keys, witnessed=False)
            where = proof.checkpoints.parse(data)[0]
            leaf = merkle.leaf_hash(entry)
            merkle.check_inclusion(leaf, found.index, where.size, found.hashes, where.root)
        if asked["kind"] == "guilt":
            guilt.verify(guilt.parse(data), keys)
            return True
        note = proof.checkpoints.parse(data)[1]
        return {each.key for each in cosignature.require(note, keys)} == set(keys)
    except CasemateError:
        return False


@pytest.mark.external
def test_checkpoints_and_cosignatures_of_every_algorithm_are_good_for_both(judge):
    asked = [question("note", NOTE.encode(), [key]) for key in KEYS]
    asked.append(question("note", NOTE.encode(), KEYS))
    assert judge(asked) == [True] * len(asked)
    stranger = log_key(ORIGIN, TestKey("stranger").public)
    assert judge([question("note", NOTE.encode(), [*KEYS, stranger])]) == [False]


@pytest.mark.external
def test_altered_notes_are_refused_by_all(judge):
    data = NOTE.encode()
    rng = random.Random(1)
    asked = []
    for _ in range(400):
        at = rng.randrange(len(data))
        bad = data[:at] + bytes((data[at] ^ (1 << rng.randrange(7)),)) + data[at + 1 :]
        asked.append(question("note", bad, KEYS))
    text = NOTE.text.encode()
    asked += [
        question("note", data.replace(text, FORK.stated().text().encode()), KEYS),
        question("note", data.replace(b"\n300\n", b"\n0300\n"), KEYS),
        question("note", data.replace(text, text + b"more\n"), KEYS),
        question("note", data[:-1], KEYS),
        question("note", b"", KEYS),
    ]
    assert judge(asked) == [ours(each) for each in asked] == [False] * len(asked)


@pytest.mark.external
def test_proofs_of_inclusion_are_good_for_both_and_altered_ones_refused(judge):
    asked = [question("proof", log_proof(at), KEYS, TREE.entries[at]) for at in range(0, 300, 7)]
    assert judge(asked) == [ours(each) for each in asked] == [True] * len(asked)
    head = log_proof(130).index(b"\n\n")
    rng, bad = random.Random(2), []
    for _ in range(200):
        data, at = log_proof(130), rng.randrange(head)
        data = data[:at] + bytes((data[at] ^ (1 << rng.randrange(7)),)) + data[at + 1 :]
        bad.append(question("proof", data, KEYS, TREE.entries[130]))
    bad.append(question("proof", log_proof(130), KEYS, TREE.entries[131]))
    bad.append(question("proof", log_proof(130), KEYS, FORK.entries[130]))
    said = judge(bad)
    assert said == [ours(each) for each in bad]
    assert sum(said) <= 3 and not any(said[-2:])  # bits of `extra`, which nothing vouches for


@pytest.mark.external
def test_proofs_of_guilt_are_good_for_both_and_the_innocent_are_not_convicted(judge):
    keys = KEYS[:4]
    same = guilt.find(NOTE.encode(), whole_note(FORK).encode())
    found = [same]
    for size in (1, 64, 77, 78, 128, 255, 299):
        fork = Tree(300, fork_at=size - 1)
        first, second = signed(TREE.stated(size), *SIGNERS), signed(fork.stated(), *SIGNERS)
        found.append(guilt.find(first.encode(), second.encode(), fork.node))
    asked = [question("guilt", each.encode(), keys) for each in found]
    assert judge(asked) == [ours(each) for each in asked] == [True] * len(asked)
    innocent = []
    for size in (1, 64, 77, 255, 300):
        first = signed(TREE.stated(size), *SIGNERS).encode()
        hashes = merkle.consistency_proof(TREE.node, size, 300) if size < 300 else ()
        for root in (TREE.stated(size).root, FORK.stated(size).root, b""):
            made = guilt.Guilt(first=first, second=NOTE.encode(), root=root, hashes=hashes)
            innocent.append(question("guilt", made.encode(), keys))
    thief = signed(FORK.stated(), TestKey("thief")).encode()
    innocent.append(question("guilt", guilt.find(NOTE.encode(), thief).encode(), keys))
    assert judge(innocent) == [ours(each) for each in innocent] == [False] * len(innocent)
