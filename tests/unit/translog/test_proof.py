"""Proofs, receipts and proofs of guilt: they hold, every alteration is refused, fuzz."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG_KEY, LOG_KEYS, ORIGIN, TestKey, Tree, cosigned, signed

from casemate.core import cbor
from casemate.core.errors import CasemateError, FormatError, SignatureError
from casemate.core.suites import ED25519, ML_DSA_65
from casemate.translog import guilt, merkle, policy, proof, receipt
from casemate.translog.errors import EquivocationError, QuorumError, TreeError
from casemate.translog.signers import log_key, witness_key

WITNESS = TestKey("witness")
POLICY = policy.parse(
    f"log {LOG_KEYS[0].vkey()}\n"
    f"witness w {witness_key('w.example', WITNESS.public).vkey()}\nquorum w\n".encode()
)
TREE = Tree(21)
NOTE = cosigned(signed(TREE.stated()), ("w.example", WITNESS))


def log_proof(index: int, extra: bytes | None = None) -> proof.LogProof:
    return proof.LogProof(
        index=index,
        hashes=merkle.inclusion_proof(TREE.node, index, 21),
        checkpoint=NOTE.encode(),
        extra=extra,
    )


def test_a_proof_is_read_back_and_holds():
    for index in range(21):
        for extra in (None, b"", b"more"):
            made = log_proof(index, extra)
            assert proof.parse(made.encode()) == made
            met = proof.verify(proof.parse(made.encode()), TREE.entries[index], POLICY)
            assert set(met.witnesses) == {"w"}


def test_a_proof_is_refused_for_another_entry_index_or_checkpoint():
    made = log_proof(5)
    with pytest.raises(TreeError):
        proof.verify(made, TREE.entries[6], POLICY)
    with pytest.raises(TreeError):
        proof.verify(
            proof.LogProof(index=4, hashes=made.hashes, checkpoint=made.checkpoint),
            TREE.entries[5],
            POLICY,
        )
    with pytest.raises(QuorumError):
        bare = signed(TREE.stated()).encode()
        proof.verify(
            proof.LogProof(index=5, hashes=made.hashes, checkpoint=bare), TREE.entries[5], POLICY
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1", b"@v2"),
        (b"index 5", b"index 05"),
        (b"index 5", b"index -5"),
        (b"index ", b"idx "),
        (b"\n\n", b"\n"),
        (b"index 5\n", b"index 5\nextra AA==\n"),
        (b"index 5\n", b"index 5\nAA==\n"),
    ],
)
def test_malformed_proofs_are_refused(old, new):
    with pytest.raises(FormatError):
        proof.parse(log_proof(5).encode().replace(old, new, 1))


HASH_ROW = b"+zoErtsZtGO6sfiSV/v4UJSIyowisE8hvjw0q5+bD38=\n"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"c2sp.org/tlog-proof@v1\nindex 5\n" + b"x" * 2_000_000, "too long"),
        (b"c2sp.org/tlog-proof@v1\nindex 5\n", "no checkpoint"),
        (b"c2sp.org/tlog-proof@v1\n\n" + NOTE.encode(), "no index"),
        (b"c2sp.org/tlog-proof@v1\nextra AA==\n\n" + NOTE.encode(), "no index"),
        (b"c2sp.org/tlog-proof@v1\n5\n\n" + NOTE.encode(), "no index"),
        (
            b"c2sp.org/tlog-proof@v1\nindex 5\n" + HASH_ROW * 64 + b"\n" + NOTE.encode(),
            "too many",
        ),
    ],
)
def test_it_is_said_why_a_proof_is_malformed(data, why):
    with pytest.raises(FormatError, match=why):
        proof.parse(data)
    sixty_three = b"c2sp.org/tlog-proof@v1\nindex 5\n" + HASH_ROW * 63 + b"\n" + NOTE.encode()
    assert len(proof.parse(sixty_three).hashes) == 63


@pytest.mark.parametrize("alg", [ED25519, ML_DSA_65])
def test_a_receipt_holds(alg):
    signer = TestKey("receipt", alg)
    root = TREE.stated().root
    for index in range(21):
        path = merkle.inclusion_proof(TREE.node, index, 21)
        made = receipt.inclusion(signer, TREE.stated(), index, path)
        keys = [signer.public]
        assert receipt.verify_inclusion(made, TREE.entries[index], ORIGIN, keys) == (index, 21)
    for old in range(1, 22):
        path = merkle.consistency_proof(TREE.node, old, 21)
        made = receipt.consistency(signer, TREE.stated(), old, path)
        old_root = TREE.stated(old).root
        assert receipt.verify_consistency(made, ORIGIN, old, old_root, root, keys) == 21


def test_a_receipt_is_the_structure_of_rfc_9942():
    """Sections 5.2.1: tag 18, alg and vds protected, proofs under 396, payload detached."""
    made = receipt.inclusion(LOG_KEY, TREE.stated(), 17, merkle.inclusion_proof(TREE.node, 17, 21))
    assert made[0] == 0xD2
    protected, unprotected, payload, _ = cbor.decode(made[1:])
    head = cbor.decode(protected)
    assert head[1] == ED25519 and head[395] == 1 and payload is None
    (inner,) = unprotected[396][-1]
    assert cbor.decode(inner)[:2] == [21, 17]


def test_a_receipt_is_refused_once_anything_in_it_changes():
    root = TREE.stated().root
    made = receipt.inclusion(LOG_KEY, TREE.stated(), 5, merkle.inclusion_proof(TREE.node, 5, 21))
    keys = [LOG_KEY.public]
    for at in range(len(made)):
        for bit in (1, 128):
            bad = made[:at] + bytes((made[at] ^ bit,)) + made[at + 1 :]
            with pytest.raises(CasemateError):
                receipt.verify_inclusion(bad, TREE.entries[5], ORIGIN, keys)
    with pytest.raises(SignatureError):
        receipt.verify_inclusion(made, TREE.entries[6], ORIGIN, keys)
    with pytest.raises(SignatureError, match="none of the trusted"):
        receipt.verify_inclusion(made, TREE.entries[5], ORIGIN, [TestKey("other").public])
    with pytest.raises(FormatError):
        receipt.verify_consistency(made, ORIGIN, 5, root, root, keys)


def test_a_root_does_not_name_its_size_so_the_header_does():
    """Leaf 2 of 3 and leaf 1 of 2 take the same hash to the same root; the receipt tells them."""
    three = Tree(3)
    path = merkle.inclusion_proof(three.node, 2, 3)
    root = three.stated().root
    assert merkle.root_by_inclusion(three.leaves[2], 1, 2, path) == root
    made = receipt.inclusion(LOG_KEY, three.stated(), 2, path)
    whole = cbor.decode(made[1:])
    whole[1] = {396: {-1: [cbor.encode([2, 1, list(path)])]}}
    forged = receipt.TAG + cbor.encode(whole)
    with pytest.raises(SignatureError, match="size"):
        receipt.verify_inclusion(forged, three.entries[2], ORIGIN, [LOG_KEY.public])


def test_a_receipt_starts_where_it_says_and_carries_no_payload():
    root = TREE.stated().root
    made = receipt.consistency(
        LOG_KEY, TREE.stated(), 5, merkle.consistency_proof(TREE.node, 5, 21)
    )
    with pytest.raises(FormatError, match="starts at size 5"):
        receipt.verify_consistency(made, ORIGIN, 6, root, root, [LOG_KEY.public])
    whole = cbor.decode(made[1:])
    for bad in ([*whole[:2], root, whole[3]], whole[:3], [*whole, None], {1: 2}):
        with pytest.raises(FormatError, match="four parts"):
            data = receipt.TAG + cbor.encode(bad)
            receipt.verify_consistency(data, ORIGIN, 5, TREE.stated(5).root, root, [LOG_KEY.public])


GUILT = guilt.find(NOTE.encode(), signed(Tree(21, fork_at=9).stated()).encode()).encode()
INNER = [21, 5, list(merkle.inclusion_proof(TREE.node, 5, 21))]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "text"),
        (0, cbor.encode([1])),
        (0, b"\xff"),
        (3, 7),
        (1, []),
        (1, {395: {}}),
        (1, {396: []}),
        (1, {396: {-1: {}}}),
        (1, {396: {-1: []}}),
        (1, {396: {-1: [b"", b""]}}),
        (1, {396: {-1: [7]}}),
        *(
            (1, {396: {-1: [cbor.encode(inner)]}})
            for inner in (
                7,
                INNER[:2],
                [*INNER, 1],
                ["21", 5, INNER[2]],
                [21, True, INNER[2]],
                [21, -5, INNER[2]],
                [21, 5, 7],
                [21, 5, ["text"]],
                [21, 5, [b"short"]],
                [21, 5, INNER[2] * 20],
                [1 << 63, 5, INNER[2]],
            )
        ),
    ],
)
def test_receipts_of_another_form_are_refused(place, value):
    whole = cbor.decode(receipt.inclusion(LOG_KEY, TREE.stated(), 5, INNER[2])[1:])
    whole[place] = value
    with pytest.raises(FormatError):
        data = receipt.TAG + cbor.encode(whole)
        receipt.verify_inclusion(data, TREE.entries[5], ORIGIN, [LOG_KEY.public])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", "casemate-log-guilt-2"),
        ("format", 1),
        ("first", None),
        ("hashes", "text"),
        ("hashes", [1]),
        ("hashes", ["AA=="]),
        ("hashes", [HASH_ROW.decode().strip()] * 64),
        ("root", "AA=="),
        ("root", HASH_ROW.decode()),
        ("first", "\ud800"),
    ],
)
def test_guilt_of_another_form_is_refused(key, value):
    row = json.loads(GUILT) | {key: value}
    with pytest.raises(FormatError):
        guilt.parse(json.dumps(row).encode())


def test_the_smaller_comes_first_and_the_empty_tree_contradicts_nothing():
    empty = signed(TREE.stated(0)).encode()
    first, second = signed(TREE.stated(8)).encode(), signed(TREE.stated()).encode()
    assert guilt.find(empty, first, TREE.node) is None
    fork = Tree(21, fork_at=3)
    made = guilt.find(first, signed(fork.stated()).encode(), fork.node)
    turned = guilt.Guilt(first=made.second, second=made.first, root=made.root, hashes=made.hashes)
    with pytest.raises(EquivocationError, match="larger comes first"):
        guilt.verify(turned, LOG_KEYS)
    with pytest.raises(EquivocationError, match="no other root"):
        guilt.verify(guilt.Guilt(first=empty, second=first, root=TREE.stated().root), LOG_KEYS)
    with pytest.raises(EquivocationError, match="no other root"):
        guilt.verify(guilt.Guilt(first=first, second=second), LOG_KEYS)


def test_two_roots_at_one_size_convict_the_log():
    fork = cosigned(signed(Tree(21, fork_at=9).stated()), ("w.example", WITNESS))
    found = guilt.find(NOTE.encode(), fork.encode())
    known = (witness_key("w.example", WITNESS.public),)
    shown = guilt.verify(guilt.parse(found.encode()), LOG_KEYS, witnesses=known)
    assert shown.witnesses == known
    assert "cannot both be true" in shown.statement
    assert guilt.find(NOTE.encode(), NOTE.encode()) is None


@pytest.mark.parametrize("size", [1, 8, 13, 20])
def test_two_sizes_convict_the_log_by_the_larger_tree(size):
    fork = Tree(21, fork_at=size - 1)
    first, second = signed(TREE.stated(size)).encode(), signed(fork.stated()).encode()
    for pair in ((first, second), (second, first)):
        found = guilt.find(*pair, fork.node)
        guilt.verify(guilt.parse(found.encode()), LOG_KEYS)
    honest = signed(TREE.stated()).encode()
    assert guilt.find(first, honest, TREE.node) is None
    with pytest.raises(TreeError, match="not at hand"):
        guilt.find(first, second)


def test_the_innocent_are_not_convicted():
    first, second = signed(TREE.stated(8)).encode(), signed(TREE.stated()).encode()
    fork = Tree(21, fork_at=7)
    hashes = merkle.consistency_proof(TREE.node, 8, 21)
    other = signed(Tree(8, fork_at=3).stated(), TestKey("thief")).encode()
    elsewhere = signed(Tree(8, origin="other.example/log").stated()).encode()
    cases = [
        guilt.Guilt(first=first, second=first),
        guilt.Guilt(first=first, second=second, root=TREE.stated(8).root, hashes=hashes),
        guilt.Guilt(first=first, second=second, root=fork.stated(8).root, hashes=hashes),
        guilt.Guilt(first=first, second=second),
        guilt.Guilt(first=second, second=first, root=fork.stated(8).root, hashes=hashes),
        guilt.Guilt(first=first, second=other),
        guilt.Guilt(first=first, second=elsewhere),
        guilt.Guilt(first=first, second=signed(fork.stated(8)).encode(), hashes=hashes),
    ]
    for case in cases:
        with pytest.raises((EquivocationError, TreeError, SignatureError)):
            guilt.verify(case, LOG_KEYS)
    with pytest.raises(EquivocationError, match="keys are of another"):
        thief = log_key("thief.example", TestKey("thief").public)
        forked = signed(fork.stated(8)).encode()
        guilt.verify(guilt.Guilt(first=first, second=forked), (*LOG_KEYS, thief))


@given(st.data())
def test_only_our_errors_come_out(data):
    made = receipt.inclusion(LOG_KEY, TREE.stated(), 5, merkle.inclusion_proof(TREE.node, 5, 21))
    whole = data.draw(st.sampled_from([log_proof(5).encode(), made, GUILT, b""]))
    bad = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(bad)))
        bad[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    checks = (
        lambda: proof.verify(proof.parse(bytes(bad)), TREE.entries[5], POLICY),
        lambda: receipt.verify_inclusion(bytes(bad), TREE.entries[5], ORIGIN, [LOG_KEY.public]),
        lambda: receipt.verify_consistency(bytes(bad), ORIGIN, 5, b"", b"", [LOG_KEY.public]),
        lambda: guilt.verify(guilt.parse(bytes(bad)), LOG_KEYS),
    )
    for check in checks:
        with contextlib.suppress(CasemateError):
            check()


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["format", "first", "second", "root", "hashes"]), VALUE))
def test_guilt_of_any_json_is_refused(row):
    whole = json.loads(GUILT) | row
    if whole != json.loads(GUILT):
        with pytest.raises(CasemateError):
            guilt.verify(guilt.parse(json.dumps(whole).encode()), LOG_KEYS)
