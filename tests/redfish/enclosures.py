"""Enclosures for the validators: real evidence of five ways to stand, in one service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from casemate.attest import claims as c
from casemate.attest.reference import Module
from casemate.attest.reference_write import as_json
from casemate.core.suites import ED25519
from casemate.fleet.appraisal import evidence
from casemate.fleet.intake.ingest import Submission
from casemate.fleet.web.asked import Service
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Key, Story


def _armed() -> Story:
    return honest.armed()


def _tampered() -> Story:
    story = honest.armed()
    story.state = "TAMPERED"
    story.token(c.LastWord(reason="a zone was opened", erased_us=800), signers=story.last_word)
    story.seal()
    return story


def _unknown() -> Story:
    story = honest.armed()
    story.change("UNKNOWN", "power went")
    story.seal()
    return story


def _maintenance() -> Story:
    story = honest.armed()
    digest = story.allow()
    story.seal()
    story.open_up(digest)
    story.seal()
    honest.watch(story, 1)
    return story


KINDS: dict[str, tuple[str, Callable[[], Story], int]] = {
    "rack-armed": ("nvl72", _armed, 0),
    "gate-tampered": ("camera", _tampered, 0),
    "rack-unknown": ("nvl72", _unknown, 0),
    "yard-stale": ("camera", _armed, 3600),
    "bench-maintenance": ("dpa", _maintenance, 0),
}
"""By name: kind, story, by how many seconds its evidence is too old."""


@contextmanager
def named(name: str) -> Iterator[None]:
    """Have stories be of an enclosure of this name."""
    serial = f"UNIT-{name.upper()}"
    origin = f"example.org/{name}/{serial}"
    with patch.multiple(honest, ENCLOSURE=name, SERIAL=serial, ORIGIN=origin):
        yield


def enter_all(service: Service, now_s: int) -> dict[str, int]:
    """Enter an enclosure of each kind whose evidence ends now; return their ids by name."""
    found = {}
    for name, (kind, tell, old_s) in KINDS.items():
        with named(name):
            length_s = tell().now_s - honest.START_S
            begun_s = now_s - length_s - old_s - 2
            with (
                patch.object(honest.Story, "__init__", _later(begun_s)),
                patch.object(honest, "START_S", begun_s),
            ):
                found[name] = _enter(service, name, kind, tell(), now_s)
    return found


def _later(begun_s: int) -> Callable[..., None]:
    """Return a constructor of stories that begin at a time."""
    made = honest.Story.__init__

    def begin(self: Story, **given: object) -> None:
        made(self, **{"now_s": begun_s, "boot_s": begun_s, **given})

    return begin


def _enter(service: Service, name: str, kind: str, story: Story, now_s: int) -> int:
    known = honest.reference()
    unit = known.units[0]
    leak = Module(name="leak-loop", key=Key(ED25519, f"{name} leak").public)
    if kind == "nvl72":
        unit = replace(unit, modules=(*unit.modules, leak))
    values = replace(known, units=(unit,))
    with service.store.write() as link:
        number = evidence.add(
            link, reference=as_json(values).encode(), policy=honest.policy_text(),
            serial=honest.SERIAL, kind=kind, site="hall 1", now_s=now_s,
        )  # fmt: skip
    service.intake.take(number, Submission(first=0, entries=story.entries, notes=story.notes))
    return number
