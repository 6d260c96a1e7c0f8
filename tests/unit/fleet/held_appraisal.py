"""A long appraisal that stands where a test wants it to, without a long log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from casemate.fleet.intake import ingest
from casemate.verify.appraise import Walk

LONG_S = 60.0
"""For which something is waited for, on a machine that others use."""
FEW = 8
"""Entries beyond which an appraisal is long here."""


@dataclass(slots=True)
class Held:
    """Walks stop before entry `at`, until `go`; `there` is set once one has."""

    at: int
    go: threading.Event = field(default_factory=threading.Event)
    there: threading.Event = field(default_factory=threading.Event)
    fails: str = ""
    slow_s: float = 0.0


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch, at: int) -> Iterator[Held]:
    """Yield what holds every walk before entry `at`; at the end all go on."""
    made, take = Held(at), Walk.take

    def waits(self: Walk, entry: Any) -> None:
        if made.slow_s:
            time.sleep(made.slow_s)
        if entry.index == made.at and not made.go.is_set():
            made.there.set()
            assert made.go.wait(LONG_S)
            if made.fails:
                raise OSError(5, made.fails, "/a/path")
        take(self, entry)

    monkeypatch.setattr(Walk, "take", waits)
    monkeypatch.setattr(ingest, "LONG", FEW)
    try:
        yield made
    finally:
        made.go.set()


def comes(true: Callable[[], Any]) -> Any:
    """Return what is true at last; it is asked for again and again."""
    end_s = time.monotonic() + LONG_S
    while not (found := true()):
        assert time.monotonic() < end_s, "it did not come"
        time.sleep(0.01)
    return found
