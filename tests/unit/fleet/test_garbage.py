"""All objects are looked at seldom, and before garbage fills the memory."""

from __future__ import annotations

import gc
import os
import weakref

from casemate.fleet.service import garbage
from casemate.fleet.service.garbage import EVERY_S, GROWN_BYTES, Collector, resident_bytes, seldom


class Knot:
    """Refers to itself: nothing but a look at all objects frees it."""

    def __init__(self) -> None:
        self.itself = self


def old_knot() -> weakref.ref[Knot]:
    """Return what has become garbage after it had grown old."""
    made = Knot()
    gc.collect()
    return weakref.ref(made)


def test_all_objects_are_looked_at_when_it_is_time_to() -> None:
    now, held = [0.0], [10**9]
    with seldom():
        made = Collector(lambda: now[0], lambda: held[0])
        knot = old_knot()
        now[0] += EVERY_S - 1
        held[0] += GROWN_BYTES - 1
        assert not made.look() and knot() is not None
        now[0] += 1
        assert made.look() and knot() is None
        assert not made.look()
        held[0] += GROWN_BYTES
        knot = old_knot()
        assert made.look() and knot() is None
        assert not made.look()


def test_young_garbage_goes_as_ever_and_old_garbage_waits() -> None:
    before = gc.get_threshold()
    with seldom():
        old, young = old_knot(), weakref.ref(Knot())
        kept = [[number] for number in range(300_000)]  # of which a third would have all looked at
        assert young() is None and old() is not None
        assert len(kept) == 300_000
    assert gc.get_threshold() == before
    gc.collect()


def test_memory_is_what_the_system_says() -> None:
    data = bytearray(50_000_000)
    data[::4096] = b"x" * len(data[::4096])
    assert resident_bytes() > 50_000_000
    assert resident_bytes(os.getpid()) > 50_000_000
    assert resident_bytes(1 << 30) == 0
    assert garbage.Collector()._held > 50_000_000
