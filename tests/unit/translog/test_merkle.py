"""Roots and proofs against the definition by brute force, and vectors of RFC 6962's users."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import Tree, mth

from casemate.core.errors import CasemateError
from casemate.translog import merkle
from casemate.translog.errors import TreeError

# The eight leaves and roots with which implementations of RFC 6962 test themselves.
CT_LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = range(1, 34)


def test_roots_of_certificate_transparency():
    leaves = [merkle.leaf_hash(each) for each in CT_LEAVES]
    for size, root in enumerate(CT_ROOTS, start=1):
        assert merkle.root_of(leaves[:size]).hex() == root
        assert mth(leaves[:size]).hex() == root
    assert merkle.root_of([]).hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_every_inclusion_proof_of_small_trees():
    tree = Tree(max(SIZES))
    for size in SIZES:
        root = tree.stated(size).root
        for index in range(size):
            proof = merkle.inclusion_proof(tree.node, index, size)
            assert proof == path(index, tree.leaves[:size])
            merkle.check_inclusion(tree.leaves[index], index, size, proof, root)


def test_every_consistency_proof_of_small_trees():
    tree = Tree(max(SIZES))
    for new in SIZES:
        for old in range(new + 1):
            proof = merkle.consistency_proof(tree.node, old, new)
            expected = [] if old in (0, new) else subproof(old, tree.leaves[:new], True)
            assert list(proof) == expected
            merkle.check_consistency(old, new, proof, tree.stated(old).root, tree.stated(new).root)


def test_inclusion_is_refused_for_any_other_leaf_index_size_or_hash():
    tree = Tree(33)
    for size in (1, 2, 7, 8, 21, 33):
        root = tree.stated(size).root
        for index in range(size):
            proof = merkle.inclusion_proof(tree.node, index, size)
            bad = [
                (tree.leaves[(index + 1) % 33], index, size, proof),
                (tree.leaves[index], index, size, (*proof, root)),
                (tree.leaves[index], size, size, proof),
                (tree.leaves[index], -1, size, proof),
                (
                    tree.leaves[index],
                    index,
                    size,
                    (*proof[:-1], proof[-1][:31]) if proof else (b"",),
                ),
            ]
            bad += [
                (tree.leaves[index], other, size, proof) for other in range(size) if other != index
            ]
            bad += [
                (tree.leaves[index], index, size, proof[:at] + proof[at + 1 :])
                for at in range(len(proof))
            ]
            bad += [
                (tree.leaves[index], index, size, flipped(proof, at)) for at in range(len(proof))
            ]
            for leaf, place, count, hashes in bad:
                with pytest.raises(TreeError):
                    merkle.check_inclusion(leaf, place, count, hashes, root)


def test_an_index_beyond_the_size_is_refused_though_its_hashes_fit():
    two = Tree(2)
    root = two.stated().root
    merkle.check_inclusion(two.leaves[1], 1, 2, (two.leaves[0],), root)
    with pytest.raises(TreeError, match="is not in a tree"):
        merkle.check_inclusion(two.leaves[1], 1, 1, (two.leaves[0],), root)


def test_hashes_cannot_be_cut_elsewhere():
    """A node is the hash of 64 bytes; which of them are the left child only the length says."""
    two = Tree(2)
    left, right = two.leaves
    with pytest.raises(TreeError, match="32 bytes"):
        merkle.check_inclusion(left[:31], 0, 2, (left[31:] + right,), two.stated().root)
    with pytest.raises(TreeError, match="32 bytes"):
        root = merkle.node_hash(left[:31], left[31:] + right)
        merkle.check_consistency(1, 2, (left[31:] + right,), left[:31], root)


def test_consistency_is_refused_where_hashes_fit_and_sizes_do_not():
    tree = Tree(3)
    root = tree.stated(2).root
    with pytest.raises(TreeError, match="no way"):
        merkle.check_consistency(2, 1, (), root, root)
    one = tree.leaves[0]
    short = merkle.node_hash(one, tree.leaves[1])
    with pytest.raises(TreeError, match="too few or too many"):
        merkle.check_consistency(1, 3, (tree.leaves[1],), one, short)
    long = merkle.node_hash(merkle.node_hash(one, tree.leaves[1]), tree.leaves[2])
    with pytest.raises(TreeError, match="too few or too many"):
        merkle.check_consistency(1, 2, (tree.leaves[1], tree.leaves[2]), one, long)


def test_consistency_is_refused_for_a_fork_or_any_altered_hash():
    tree = Tree(33)
    for old in (1, 2, 6, 8, 16, 31):
        fork = Tree(33, fork_at=old - 1)
        for new in (old + 1, 32, 33):
            if new <= old:
                continue
            proof = merkle.consistency_proof(tree.node, old, new)
            one, two = tree.stated(old).root, tree.stated(new).root
            bad = [
                (proof, fork.stated(old).root, two),
                (proof, one, fork.stated(new).root),
                (merkle.consistency_proof(fork.node, old, new), one, fork.stated(new).root),
                (proof[1:], one, two),
                ((*proof, one), one, two),
                ((), one, two),
                *((flipped(proof, at), one, two) for at in range(len(proof))),
            ]
            for hashes, first, second in bad:
                with pytest.raises(TreeError):
                    merkle.check_consistency(old, new, hashes, first, second)
            with pytest.raises(TreeError):
                merkle.check_consistency(new, old, proof, two, one)


def test_consistency_of_equal_and_empty_trees():
    tree, fork = Tree(5), Tree(5, fork_at=4)
    root = tree.stated().root
    merkle.check_consistency(5, 5, (), root, root)
    merkle.check_consistency(0, 5, (), merkle.EMPTY_ROOT, root)
    bad = [
        (5, 5, (), root, fork.stated().root),
        (5, 5, (root,), root, root),
        (0, 5, (root,), merkle.EMPTY_ROOT, root),
        (0, 5, (), root, root),
        (0, 0, (), merkle.EMPTY_ROOT, root),
    ]
    for case in bad:
        with pytest.raises(TreeError):
            merkle.check_consistency(*case)


def test_the_frontier_grows_as_the_tree_does():
    tree = Tree(70)
    frontier = merkle.Frontier()
    for size, leaf in enumerate(tree.leaves, start=1):
        frontier.push(leaf)
        assert frontier.root() == tree.stated(size).root
        again = merkle.Frontier.of(tree.node, size)
        assert (again.peaks, again.size) == (frontier.peaks, frontier.size)


def test_proofs_that_nobody_can_make_are_refused():
    tree = Tree(5)
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(TreeError):
            merkle.inclusion_proof(tree.node, index, size)
    for old, new in ((6, 5), (-1, 5)):
        with pytest.raises(TreeError):
            merkle.consistency_proof(tree.node, old, new)


HASH = st.binary(min_size=32, max_size=32)


@given(
    st.integers(-2, 1 << 63),
    st.integers(-2, 1 << 63),
    st.lists(st.one_of(HASH, st.binary(max_size=3)), max_size=70),
    HASH,
    HASH,
)
def test_random_proofs_prove_nothing(first, second, hashes, one, two):
    with pytest.raises(CasemateError):
        merkle.check_inclusion(one, first, second, hashes, two)
    if not (first == second and one == two and not hashes):
        with pytest.raises(CasemateError):
            merkle.check_consistency(first, second, hashes, one, two)


def flipped(proof: tuple[bytes, ...], at: int) -> tuple[bytes, ...]:
    bad = bytes((proof[at][0] ^ 1,)) + proof[at][1:]
    return (*proof[:at], bad, *proof[at + 1 :])


def path(index: int, leaves: list[bytes]) -> tuple[bytes, ...]:
    """PATH of RFC 9162, section 2.1.3.1."""
    if len(leaves) == 1:
        return ()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return (*path(index, leaves[:split]), mth(leaves[split:]))
    return (*path(index - split, leaves[split:]), mth(leaves[:split]))


def subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162, section 2.1.4.1."""
    if old == len(leaves):
        return [] if whole else [mth(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*subproof(old, leaves[:split], whole), mth(leaves[split:])]
    return [*subproof(old - split, leaves[split:], False), mth(leaves[:split])]
