"""What a host lets nobody watch, and what it says of that."""

from __future__ import annotations

from dataclasses import replace

from casemate.attest.beats import HOLD_UP
from casemate.attest.reference import Reference
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import Shown, Table, show
from casemate.testing.honest_enclosure import Story

WATCHED = Table()
HIDDEN = ("left", "rear")
"""Faces without sensors, in these shows."""


def reference_but_for(*faces: str) -> Reference:
    """Return reference values whose first anchor says nothing of some faces."""
    found = honest.reference()
    unit = found.units[0]
    first = replace(unit.anchors[0], unwatched=faces)
    return replace(found, units=(replace(unit, anchors=(first, *unit.anchors[1:])),))


def watched_but_for(*faces: str) -> Story:
    """Return evidence of an enclosure that says that some faces are not watched."""
    return honest.armed(2, body={"unwatched": faces})


@WATCHED.attack("watch.partial", "(no attack) watch some faces alone, as both parties signed")
def watch_in_part() -> Shown:
    return show(watched_but_for(*HIDDEN), reference=reference_but_for(*HIDDEN))


@WATCHED.attack("watch.claimed", "watch fewer faces than the parties signed, and say so")
def hide_faces() -> Shown:
    return show(watched_but_for(*HIDDEN))


@WATCHED.attack("watch.claimed", "claim that all is watched, with an anchor of some faces alone")
def claim_all_faces() -> Shown:
    return show(watched_but_for(), reference=reference_but_for(*HIDDEN))


@WATCHED.attack("watch.claimed", "watch other faces after a start than before")
def change_faces() -> Shown:
    told = watched_but_for(*HIDDEN)
    told.now_s += 5
    told.start("restarted", body={"unwatched": ("front", "left")})
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    honest.watch(told)
    return show(told, reference=reference_but_for(*HIDDEN))


@WATCHED.attack("sensor.passing", "disturb channels for some seconds between two tokens")
def disturb_in_passing() -> Shown:
    told = honest.armed(2)
    told.watch(flags=4)
    told.seal()
    return show(told)


@WATCHED.attack("supply.cut", "(no attack) let the supply fail for a minute")
def cut_the_supply() -> Shown:
    told = honest.armed(2)
    told.watch(flags=HOLD_UP)
    told.seal()
    return show(told)
