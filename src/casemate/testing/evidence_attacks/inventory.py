"""What a host does with the inventory of a rack that its parties should have signed."""

from __future__ import annotations

from dataclasses import replace

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest.reference import Digest, Reference
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import ZERO, Shown, Table, in_maintenance, show
from casemate.testing.honest_enclosure import Story

INVENTORY = Table()
FIRST, SECOND = b"\x31" * 32, b"\x32" * 32
"""Inventories of a rack: that of commissioning, and that with another tray."""


def rack_reference(*inventories: bytes) -> Reference:
    """Return reference values of a rack whose parties signed these inventories."""
    found = honest.reference()
    listed = tuple(Digest(name=each.hex()[:4], digest=each) for each in inventories)
    return replace(found, units=(replace(found.units[0], inventories=listed),))


def rack(inventory: bytes = FIRST) -> Story:
    """Return evidence of a rack that was commissioned with an inventory."""
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    told.now_s += 30
    told.state = "ARMED"
    told.beat_ms = 30_000
    told.token(
        c.Change(before="COMMISSIONING", after="ARMED", reason="commissioned", inventory=inventory)
    )
    told.seal()
    told.watch()
    told.frames(1, body={"stream": c.RACK})
    told.seal()
    return told


@INVENTORY.attack("inventory.unsigned", "sign what a rack consists of, and let nobody look first")
def sign_snapshots_alone() -> Shown:
    return show(rack(b""))


@INVENTORY.attack("inventory.unsigned", "arm a rack without the inventory that the parties signed")
def name_no_inventory() -> Shown:
    return show(rack(b""), reference=rack_reference(FIRST))


@INVENTORY.attack("inventory.unknown", "arm a rack with an inventory of one's own")
def name_another_inventory() -> Shown:
    return show(rack(ZERO), reference=rack_reference(FIRST))


@INVENTORY.attack("inventory.unsigned", "commission a rack anew without its inventory")
def commission_anew_without() -> Shown:
    told = rack()
    told.change("COMMISSIONING", "more trays")
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    told.watch()
    told.seal()
    return show(told, reference=rack_reference(FIRST))


@INVENTORY.attack("inventory.differs", "swap a tray of a rack that is armed, or stop its reading")
def swap_a_tray() -> Shown:
    told = rack()
    told.watch(flags=beats.INVENTORY)
    told.seal()
    return show(told, reference=rack_reference(FIRST))


@INVENTORY.attack("inventory.unknown", "put in a tray, with an inventory that nobody signed")
def re_anchor_with_another() -> Shown:
    told, digest = in_maintenance()
    told.token(
        c.PermitUse(act="re-anchored", permit=digest, anchor=honest.NEW_ANCHOR, inventory=ZERO)
    )
    told.anchor = honest.NEW_ANCHOR
    told.watch()
    told.close_up(digest)
    told.seal()
    return show(told)
