"""What a host changes of software, modules and anchors."""

from __future__ import annotations

from typing import Any

from casemate.attest import claims as c
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import (
    ZERO,
    Shown,
    Table,
    in_maintenance,
    show,
    story,
)
from casemate.testing.honest_enclosure import Story, keys

MEASURED = Table()


@MEASURED.attack("software.unknown", "run software that nobody approved")
def other_software() -> Shown:
    told = story()
    told.software = ZERO
    told.start("restarted")
    told.seal()
    return show(told)


@MEASURED.attack("software.unknown", "run a reader's software that nobody approved")
def other_reader() -> Shown:
    told = story()
    told.start("restarted", body={"components": (("reader", ZERO),)})
    told.seal()
    return show(told)


@MEASURED.attack("software.changed", "swap software without a start")
def swap_software() -> Shown:
    told = story()
    told.software = honest.READER
    honest.watch(told)
    return show(told)


@MEASURED.attack("anchor.unknown", "measure against an anchor of the host's own")
def other_anchor() -> Shown:
    told = story()
    told.anchor = ZERO
    honest.watch(told)
    return show(told)


@MEASURED.attack("anchor.absent", "be armed without an anchor")
def no_anchor() -> Shown:
    told = story()
    told.watch(anchor=b"")
    told.seal()
    return show(told)


@MEASURED.attack("anchor.changed", "go back to an old anchor")
def swap_the_anchor() -> Shown:
    told = story()
    told.anchor = honest.NEW_ANCHOR
    honest.watch(told)
    return show(told)


def _replaced(told: Story, digest: bytes, **changes: Any) -> Shown:
    given: dict[str, Any] = {
        "act": "re-anchored",
        "permit": digest,
        "module": "reader-loop",
        "anchor": honest.NEW_ANCHOR,
        "keys": (honest.MODULE.public,),
    }
    body = c.PermitUse(**{**given, **changes})
    told.token(body)
    told.anchor = body.anchor
    told.watch()
    told.seal()
    return show(told)


@MEASURED.attack("module.unknown", "put a module in that has another key")
def another_module() -> Shown:
    return _replaced(*in_maintenance(), keys=(keys("host")[0].public,))


@MEASURED.attack("module.unknown", "put a module in that nobody knows")
def unknown_module() -> Shown:
    return _replaced(*in_maintenance(modules=("ghost",)), module="ghost")


@MEASURED.attack("anchor.unknown", "re-anchor to what the parties did not sign")
def reanchor_otherwise() -> Shown:
    return _replaced(*in_maintenance(), anchor=ZERO)


@MEASURED.attack("permit.scope", "re-anchor under a permit to open and replace")
def reanchor_unasked() -> Shown:
    return _replaced(*in_maintenance(actions=("open", "replace")))


@MEASURED.attack("permit.scope", "replace a module under a permit to open")
def replace_unasked() -> Shown:
    told, _ = in_maintenance(actions=("open", "re-anchor"))
    told.seal()
    return show(told)


@MEASURED.attack("permit.scope", "re-anchor another module than the permit names")
def reanchor_elsewhere() -> Shown:
    return _replaced(*in_maintenance(modules=("reader-cavity",), faces=("front",)))


@MEASURED.attack("permit.unlogged", "re-anchor without a permit")
def reanchor_alone() -> Shown:
    return _replaced(story(), ZERO)
