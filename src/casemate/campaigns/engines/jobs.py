"""Jobs of a campaign, their content addresses, and the batches in which they are carried out.

An address is the SHA-256 of canonical bytes over what a result depends on: the job itself and a
`context` that the caller gives, a digest of code, design and commitment. The same address means the
same result, on whatever machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casemate.core.canonical import digest
from casemate.core.errors import InputError

FORMAT = "casemate/batch/1"
SEEDS = 1 << 64
"""Seeds are 0 to SEEDS - 1."""
BATCH = 64
"""Jobs of a batch, unless asked otherwise: some seconds of episodes (planning value)."""

Plain = None | bool | int | float | str | Sequence[Any] | Mapping[str, Any]
"""What JSON can say, plus inf and nan in outcomes."""
Outcome = Mapping[str, Any]
"""What came of a job: Plain values by name. Floats come back bit for bit, tuples as lists."""
Setup = Callable[[], object]
"""Called once by each worker before its first batch, such as to load a twin from a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work: what kind, with which parameters (Plain, finite), from which seed."""

    kind: str
    seed: int
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < SEEDS:
            raise InputError(
                "a seed is a whole number from 0 to 2^64 - 1.",
                remedy="give another.",
                key="seed",
                value=self.seed,
            )

    def address(self, context: str) -> str:
        """Return the content address of the result in a context, 64 hex digits."""
        told = {"context": context, "kind": self.kind, "seed": str(self.seed)}
        try:
            return digest({**told, "parameters": _listed(self.parameters)})
        except (TypeError, ValueError) as error:  # rfc8785's own errors are ValueErrors
            raise InputError(
                f"the parameters of a job of kind {self.kind} have no canonical form: {error}.",
                remedy="use text, finite numbers (whole ones below 2^53), lists and tables.",
                key="parameters",
            ) from error


Work = Callable[[tuple[Job, ...]], tuple[Outcome, ...]]
"""Jobs of one kind to their outcomes, in their order. A function of a module (it is pickled).

An outcome depends on its job alone, not on the others of its batch.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Jobs of one kind that are carried out and stored together, under one address."""

    address: str
    jobs: tuple[Job, ...]


def batches(jobs: Iterable[Job], context: str, size: int = BATCH) -> Iterator[Batch]:
    """Yield batches of at most `size` consecutive jobs of one kind, in their order.

    Splitting at kinds leaves the batches of one move as they are if another gets more trials.
    """
    if size < 1:
        raise InputError("a batch has at least one job.", remedy="give 1 or more.", value=size)
    held: list[Job] = []
    for job in jobs:
        if held and (len(held) == size or job.kind != held[0].kind):
            yield _batch(held, context)
            held = []
        held.append(job)
    if held:
        yield _batch(held, context)


def _batch(jobs: list[Job], context: str) -> Batch:
    addresses = [job.address(context) for job in jobs]
    return Batch(address=digest({"format": FORMAT, "jobs": addresses}), jobs=tuple(jobs))


def _listed(value: Any) -> Any:
    """Return plain data with numbers that are equal written alike."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not finite")
        return float(value)
    if isinstance(value, Mapping):
        return {name: _listed(part) for name, part in value.items()}
    if isinstance(value, Sequence):
        return [_listed(part) for part in value]
    raise TypeError(f"{type(value).__name__} is not plain data")
