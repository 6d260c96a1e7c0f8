"""Chains of items: each names the leaf of the one before, which it thereby proves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence


def breaks(what: str, items: Sequence[tuple[int, bytes, bytes]]) -> Iterator[str]:
    """Yield what is wrong between items that should be neighbours.

    items: (number, leaf of the one before that it names, its own leaf), in the order shown.
    """
    for (one, _, leaf), (two, before, _) in itertools.pairwise(items):
        between = f"between {what}s {one} and {two}"
        if two <= one:
            yield f"{between}: they are not in order"
        elif two > one + 1:
            yield f"{between}: {two - one - 1} are missing"
        elif not before:
            yield f"{between}: the chain begins anew"
        elif before != leaf:
            yield f"{between}: the second names another {what} as the one before"
