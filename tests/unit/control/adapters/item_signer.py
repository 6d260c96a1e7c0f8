"""Streams whose tokens an honest enclosure in memory signs, so that nothing has to be guarded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from casemate.attest.claims import Payload
from casemate.control.adapters import payload
from casemate.control.adapters.payload import Vouched, vouched
from casemate.control.adapters.stream import Draft, Stream
from casemate.control.evidence import Lost, Signed
from casemate.testing import honest_enclosure as honest


class Enclosure:
    """Guards and signs, unless told otherwise. refuse: batches to lose before signing again."""

    def __init__(self) -> None:
        self.inside = honest.Story()
        self.inside.start("commissioned", "COMMISSIONING")
        self.inside.change("ARMED", "commissioned")
        self.on, self.refuse = True, 0
        self.bodies: list[Payload] = []
        self.reference = honest.reference()

    def guards(self) -> bool:
        return self.on

    def say(self, body: Payload, then: Signed, lost: Lost) -> None:
        if self.refuse:
            self.refuse -= 1
            lost()
            return
        self.bodies.append(body)
        then(self.inside.token(body))

    def check(self, path: Path) -> Vouched:
        shown = path.with_name(path.name + payload.PROOF).read_bytes()
        return vouched(path.read_bytes(), shown, self.reference, honest.SERIAL)


class Given:
    """These drafts, then nothing; `spent` once all are taken. None waits for `go`."""

    def __init__(self, drafts: Sequence[Draft | None]) -> None:
        self.drafts, self.spent = list(drafts), False

    def __iter__(self) -> Iterator[Draft | None]:
        yield from self.drafts
        self.spent = True
        while True:
            yield None


def stream(
    enclosure: Enclosure, source: Any, folder: Path, name: str = "trace", **changes: Any
) -> Stream:
    """Return a stream that signs each item at once."""
    given: dict[str, Any] = {"per_s": 0.0, "batch_s": 0.0, "first": 0, **changes}
    return Stream(source, folder, name=name, guards=enclosure.guards, say=enclosure.say, **given)


def kept(folder: Path) -> list[Path]:
    """Return items that have a proof."""
    return sorted(each.with_name(each.name.removesuffix(payload.PROOF))
                  for each in folder.glob(f"*{payload.PROOF}"))  # fmt: skip


def signs(
    enclosure: Enclosure, source: Any, folder: Path, count: int, **options: Any
) -> list[Path]:
    """Return `count` items or more, once they are signed."""
    made = stream(enclosure, source, folder, **options)
    until_s = time.monotonic() + 20.0
    while made.signed < count and not made.problem and time.monotonic() < until_s:
        time.sleep(0.01)
    made.close()
    assert not made.problem, made.problem
    return kept(folder)
