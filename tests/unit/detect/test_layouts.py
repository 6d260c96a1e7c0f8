"""Arrays that lie in memory in any order are read by what is compiled: a second kind of arguments
would be compiled for seconds while an enclosure is guarded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import fields

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from small_box import Box

from casemate.core.samples import Block
from casemate.detect.verdict import Verdict


def strided(array: np.ndarray) -> np.ndarray:
    wide = np.zeros((2 * array.shape[0], *array.shape[1:]), dtype=array.dtype)
    wide[::2] = array
    return wide[::2]


def turned(array: np.ndarray) -> np.ndarray:
    return array[::-1].copy()[::-1]


def by_columns(array: np.ndarray) -> np.ndarray:
    return np.asfortranarray(array)


def writable(array: np.ndarray) -> np.ndarray:
    return array.copy()


def sealed(array: np.ndarray) -> np.ndarray:
    found = array.copy()
    found.flags.writeable = False
    return found


def kinds() -> Iterator[tuple[str, int]]:
    """Yield each kernel of the detectors with the kinds of arguments that it is compiled for."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith("casemate.detect._"):
            for each in vars(module).values():
                if isinstance(each, Dispatcher) and each.__module__ == name:
                    yield f"{name}.{each.__name__}", len(each.signatures)


@pytest.mark.parametrize("lies", [strided, turned, by_columns, writable, sealed])
def test_any_layout_gives_the_same_verdict(lies: Callable[[np.ndarray], np.ndarray]) -> None:
    plain, other = (Box(np.random.default_rng(5)) for _ in range(2))

    def changed(block, drawn):
        laid = {each.name: lies(getattr(block, each.name)) for each in fields(Block)}
        return Block(**laid), drawn

    for count in (2500, 100, 37, 63, 5, 700, 1000):
        there, here = plain.step(count), other.step(count, changed)
        assert there == here
    assert here.verdict is Verdict.NORMAL
    found = dict(kinds())
    assert sum(found.values()) >= 10
    assert not {name: count for name, count in found.items() if count > 1}
