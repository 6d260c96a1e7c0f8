"""Processes that sign what simulated enclosures bring; each has its share of the enclosures.

They sign while the load runs, each token shortly before it is due: evidence is never older than an
enclosure's own, and nothing but what waits is held in memory.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Self, TypeVar

from casemate.attest.parties import Party
from casemate.fleet.hammer.enclosure import WITNESSES, HammerEnclosure, witnesses
from casemate.fleet.intake.ingest import Submission, encode

T = TypeVar("T")
TOGETHER = 200
"""Enclosures in a row that one process signs for (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An enclosure that has begun. first: what it brings before all else."""

    number: int
    serial: str
    reference: bytes
    policy: bytes
    first: Submission


class _Share:
    """The enclosures of this process, with their keys."""

    def __init__(self, seeds: Sequence[bytes], parties: Sequence[Party], period_s: int) -> None:
        self._witnesses, self._parties = witnesses(seeds), tuple(parties)
        self._period_s = period_s
        self._held: dict[int, HammerEnclosure] = {}

    def begin(self, numbers: Mapping[int, int]) -> list[Made]:
        """Commission enclosures anew; numbers: each with the Unix time of what it brings first."""
        return [self._begun(number, at_s) for number, at_s in numbers.items()]

    def _begun(self, number: int, at_s: int) -> Made:
        made = HammerEnclosure(number, self._witnesses, self._parties, self._period_s)
        self._held[number] = made
        first = made.commission(at_s)
        return Made(
            number=number, serial=made.serial, reference=made.reference(), policy=made.policy(),
            first=first,
        )  # fmt: skip

    def push(self, number: int, at_s: int) -> bytes:
        """Return what an enclosure brings next, as bytes."""
        return encode(self._held[number].batch(at_s))


_share: list[_Share] = []
"""In a process of `Makers` its share; nowhere else any."""


def _start(seeds: Sequence[bytes], parties: Sequence[Party], period_s: int) -> None:
    _share.append(_Share(seeds, parties, period_s))


def _begin(numbers: Mapping[int, int]) -> list[Made]:
    return _share[0].begin(numbers)


def _push(number: int, at_s: int) -> bytes:
    return _share[0].push(number, at_s)


class Makers:
    """As many processes as there are processors; they end with the block."""

    def __init__(self, parties: Sequence[Party], period_s: int) -> None:
        seeds = tuple(secrets.token_bytes(32) for _ in WITNESSES)
        context = multiprocessing.get_context("spawn")
        self._pools = [
            ProcessPoolExecutor(
                1, mp_context=context, initializer=_start, initargs=(seeds, parties, period_s)
            )
            for _ in range(os.cpu_count() or 1)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._pools:
            each.shutdown(cancel_futures=True)

    def begin(self, numbers: Mapping[int, int]) -> list[Future[list[Made]]]:
        """Have enclosures commissioned anew, each at the Unix time of what it brings first."""
        shares: list[dict[int, int]] = [{} for _ in self._pools]
        for number, at_s in numbers.items():
            shares[self._which(number)][number] = at_s
        return [
            pool.submit(_begin, share)
            for pool, share in zip(self._pools, shares, strict=True)
            if share
        ]

    def push(self, number: int, at_s: int) -> Future[bytes]:
        """Have what an enclosure brings next signed, with the heartbeats up to a Unix time."""
        return self._pools[self._which(number)].submit(_push, number, at_s)

    def _which(self, number: int) -> int:
        return number // TOGETHER % len(self._pools)


def ahead(asked: Iterable[Future[T]], most: int) -> Iterator[T]:
    """Yield what comes of all that is asked, in its order; `most` are asked for before their time.

    asked: asks for the next one when it is iterated.
    """
    waiting: deque[Future[T]] = deque()
    for each in asked:
        waiting.append(each)
        if len(waiting) > most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
