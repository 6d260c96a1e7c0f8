"""How an attack on evidence is written down, and where it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from casemate.attest import token as tokens
from casemate.attest.reference import Reference
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Key, Story
from casemate.translog.bundle import Bundle

ZERO = b"\x99" * 32
"""A digest of nothing that anybody approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an inspector gets to see, and when."""

    bundle: Bundle
    now_s: int
    reference: Reference = field(default_factory=honest.reference)
    since: tuple[bytes, ...] = ()
    travels: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack: what is done, by `run`, and the finding that it must lead to."""

    name: str
    does: str
    finds: str
    run: Callable[[], Shown]


@lru_cache(maxsize=1)
def _start() -> Story:
    return honest.armed()


def story() -> Story:
    """Return evidence of an honest enclosure that was armed and watched, to go on from."""
    return _start().copy()


def show(told: Story, *, later_s: int = 20, **changes: Any) -> Shown:
    """Show a story as it is, some seconds after its last event."""
    shown = {key: changes.pop(key) for key in ("reference", "since", "travels") if key in changes}
    return Shown(bundle=told.bundle(**changes), now_s=told.now_s + later_s, **shown)


class Table:
    """Attacks of one kind, in the order in which they are written."""

    def __init__(self) -> None:
        self.attacks: list[Attack] = []

    def attack(self, finds: str, does: str) -> Callable[[Callable[[], Shown]], Callable[[], Shown]]:
        """Return what enters a function as an attack under its name."""

        def enter(run: Callable[[], Shown]) -> Callable[[], Shown]:
            name = run.__name__.replace("_", "-")
            self.attacks.append(Attack(name=name, does=does, finds=finds, run=run))
            return run

        return enter


def swap(entries: tuple[bytes, ...], index: int, data: bytes) -> tuple[bytes, ...]:
    """Return the entries with another one at `index`."""
    return (*entries[:index], data, *entries[index + 1 :])


def resign(data: bytes, signers: tuple[Key, ...], **changes: Any) -> bytes:
    """Return a token with other claims, signed anew."""
    _, found = tokens.peek(data)
    return tokens.sign(replace(found, **changes), signers)


def again(told: Story, entries: tuple[bytes, ...]) -> Story:
    """Put other entries into the log, sign and cosign it anew: witnesses never saw it before."""
    told.entries, told.notes, known = entries, (), told.known
    told.seal()
    told.known = known
    return told


def in_maintenance(**changes: Any) -> tuple[Story, bytes]:
    """Return a story in maintenance under a permit, and the permit's digest."""
    told = story()
    digest = told.allow(**changes)
    told.seal()
    told.open_up(digest)
    told.watch()
    return told, digest
