"""The Merkle tree of RFC 9162, section 2.1, with SHA-256: roots, proofs and their checks.

Pure. A node is named (level, index): the hash over leaves index·2^level … (index + 1)·2^level − 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from casemate.translog.errors import TreeError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""

Node = Callable[[int, int], bytes]
"""Gives the hash of a complete subtree by (level, index)."""

_REMEDY = "do not trust the checkpoint; keep both files and tell the log's parties."


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte hash of an entry as a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees along the right edge of a growing tree; at most 63 hashes."""

    __slots__ = ("peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    @classmethod
    def of(cls, node: Node, size: int) -> Frontier:
        """Return the frontier of a tree of `size` leaves from its nodes."""
        frontier = cls()
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                frontier.peaks.append(node(level, (size >> level) - 1))
        frontier.size = size
        return frontier

    def push(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.peaks.append(leaf)
        count = self.size
        while count & 1:
            right, left = self.peaks.pop(), self.peaks.pop()
            self.peaks.append(node_hash(left, right))
            count >>= 1
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def range_hash(node: Node, start: int, end: int) -> bytes:
    """Return the hash over leaves `start` to `end` - 1, a subtree of some tree of RFC 9162.

    `start` is a multiple of the largest power of two below `end - start`.
    """
    count = end - start
    if count == 1 << (count.bit_length() - 1):
        level = count.bit_length() - 1
        return node(level, start >> level)
    split = start + _split(count)
    return node_hash(range_hash(node, start, split), range_hash(node, split, end))


def tree_root(node: Node, size: int) -> bytes:
    """Return the root of the tree of `size` leaves."""
    return range_hash(node, 0, size) if size else EMPTY_ROOT


def inclusion_proof(node: Node, index: int, size: int) -> tuple[bytes, ...]:
    """Return the siblings from leaf `index` up to the root of the tree of `size` leaves."""
    if not 0 <= index < size:
        raise TreeError(f"leaf {index} is not in a tree of {size}.", remedy="name a leaf in it.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(range_hash(node, split, end))
            end = split
        else:
            path.append(range_hash(node, start, split))
            start = split
    return tuple(reversed(path))


def consistency_proof(node: Node, old: int, new: int) -> tuple[bytes, ...]:
    """Return the hashes that lead from the root at size `old` to that at size `new`.

    Empty where `old` is 0 or equals `new`.
    """
    if not 0 <= old <= new:
        raise TreeError(f"no way leads from size {old} to {new}.", remedy="name 0 <= old <= new.")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            path.append(range_hash(node, split, end))
            end = split
        else:
            path.append(range_hash(node, start, split))
            start, whole = split, False
    if not whole:
        path.append(range_hash(node, start, end))
    return tuple(reversed(path))


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that `proof` leads to from leaf hash `leaf`. TreeError on a wrong length."""
    if not 0 <= index < size:
        raise _broken(f"leaf {index} is not in a tree of {size} leaves")
    _check_hashes((leaf, *proof))
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        raise _broken(f"an inclusion proof has {len(proof)} hashes, not {inner + border}")
    root = leaf
    for level, sibling in enumerate(proof):
        right = level >= inner or (index >> level) & 1
        root = node_hash(sibling, root) if right else node_hash(root, sibling)
    return root


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise TreeError unless `proof` shows leaf hash `leaf` at `index` under `root`."""
    if root_by_inclusion(leaf, index, size, proof) != root:
        raise _broken(f"entry {index} is not under the root of size {size}")


def check_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raise TreeError unless `proof` shows that the tree of `new` leaves continues that of `old`.

    An empty old tree goes with every new one and an empty proof.
    """
    _check_hashes((old_root, new_root, *proof))
    if not 0 <= old <= new:
        raise _broken(f"no way leads from size {old} to {new}")
    if old in (0, new):
        if proof:
            raise _broken("a proof between these sizes is empty")
        if old == 0 and old_root != EMPTY_ROOT:
            raise _broken("the root of the empty tree is wrong")
        if old == new and old_root != new_root:
            raise _broken(f"two roots at size {new}")
        return
    found_old, found_new = _roots_by_consistency(old, new, proof, old_root)
    if found_old != old_root or found_new != new_root:
        raise _broken(f"the tree of {new} leaves does not continue that of {old}")


def _roots_by_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    shift = (old & -old).bit_length() - 1
    start = old_root if old == 1 << shift else None
    rest = list(proof)
    if start is None:
        if not rest:
            raise _broken("a consistency proof is empty")
        start = rest.pop(0)
    index, last = (old - 1) >> shift, (new - 1) >> shift
    inner = (index ^ last).bit_length()
    border = (index >> inner).bit_count()
    if len(rest) != inner + border:
        raise _broken(f"a consistency proof has {len(proof)} hashes, too few or too many")
    first = second = start
    for level, sibling in enumerate(rest):
        if level >= inner or (index >> level) & 1:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
        else:
            second = node_hash(second, sibling)
    return first, second


def _split(count: int) -> int:
    """Return the largest power of two below `count` (> 1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise _broken("a hash is not of 32 bytes")


def _broken(what: str) -> TreeError:
    return TreeError(f"{what}.", remedy=_REMEDY)
