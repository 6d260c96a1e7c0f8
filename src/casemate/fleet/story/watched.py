"""What an enclosure's newest tokens say of verdict and health, one by one: told, not appraised.

Entries never change, so each is read once; of a long log only its newest part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.attest import token as tokens
from casemate.core.errors import FormatError
from casemate.fleet.story.read_once import ReadOnce

MOST_TOKENS = 5000
"""Newest of an enclosure that are looked at (planning value): 20 days of one each six minutes."""
MOST_ENCLOSURES = 64
"""Of which they are kept in memory (planning value); others are read anew."""
_RANKS = {"NORMAL": 0, "INTERFERENCE": 1, "DENIED": 2, "TAMPER": 4}
"""Least that a verdict counts as, beside the level of the response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a token says. at_s: the enclosure's own clock. level: of the response.

    channels, healthy: in all, and those without a fault.
    """

    number: int
    at_s: int
    verdict: str
    level: int
    channels: int
    healthy: int

    @property
    def badness(self) -> tuple[int, int]:
        """Return what to compare by: level or verdict, the worse, then channels at fault."""
        return max(self.level, _RANKS.get(self.verdict, 4)), self.channels - self.healthy


class Watched(ReadOnce[Watch]):
    """Newest tokens of enclosures, read as they are asked for. most: of an enclosure."""

    def __init__(self, *, enclosures: int = MOST_ENCLOSURES, most: int = MOST_TOKENS) -> None:
        super().__init__(watches, enclosures=enclosures, most=most, tokens=most)
        self.most = most


def watches(data: Sequence[bytes], first: int) -> list[Watch]:
    """Return what entries from number `first` on say; one without a time or a verdict says none."""
    out = []
    for at, each in enumerate(data):
        try:
            _, token = tokens.peek(each)
        except FormatError:
            continue
        if token.time_s is not None and token.verdict is not None and token.health is not None:
            out.append(
                Watch(
                    number=first + at, at_s=token.time_s, verdict=token.verdict.verdict,
                    level=token.verdict.level, channels=token.health.channels,
                    healthy=token.health.healthy,
                )
            )  # fmt: skip
    return out


def worst(found: Sequence[Watch], begin_s: float, width_s: float) -> list[Watch]:
    """Return for each `width_s` the worst that was said in it."""
    out: dict[int, Watch] = {}
    for each in found:
        step = int((each.at_s - begin_s) // width_s)
        held = out.get(step)
        if held is None or each.badness > held.badness:
            out[step] = each
    return [out[step] for step in sorted(out)]
