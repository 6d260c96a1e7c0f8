"""Modules that are no readers: trays of a rack. What they consist of an inventory tells.

A tray that was put in proves by its key who it is, as a reader does; beyond that, both parties sign
the inventory with the new tray in it, before the work can end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from casemate.attest.beats import INVENTORY
from casemate.control import trust
from casemate.control.actions import Record
from casemate.control.roll_call import RollCall
from casemate.control.setting import Setting
from casemate.control.states import Machine, State
from casemate.core.errors import CasemateError, InputError, PermitError
from casemate.core.whole_file import write_whole
from casemate.detect.response import ALERT

PROPOSED = "rack-proposed.json"
"""In anchor/: the inventory with what was put in, for both parties to sign."""


class Inventory(Protocol):
    """What the enclosure holds, by the word of its management controllers."""

    @property
    def well(self) -> bool:
        """Return whether it was read lately and is that of the reference."""
        ...

    def reference(self) -> bytes:
        """Return the reference of now, b"" if there is none."""
        ...

    def first(self) -> bytes:
        """Return the inventory of now as a reference.

        Waits until it was read anew; PermitError if it cannot be, or has a serial number twice.
        """
        ...

    def proposed(self, parts: Collection[str]) -> tuple[bytes, list[list[str]]]:
        """Return the inventory of now as a reference, and what differs, a row each.

        Waits until it was read anew. PermitError unless all of `parts`, and nothing else, are other
        ones than in the reference.
        """
        ...

    def pin(self) -> None:
        """Hold what is read against the reference of now, whatever becomes of its file."""
        ...

    def begin(self) -> None:
        """Work begins: see `others`."""
        ...

    def others(self, parts: Collection[str]) -> list[str]:
        """Return what no party has signed, is not there, or was away since the work began.

        But for absences of `parts`. Waits until it was read anew; PermitError if it cannot be.
        """
        ...

    def take(self, data: bytes, parts: Collection[str]) -> None:
        """Let `data`, with other `parts`, be the reference; that before is kept. OutputError."""
        ...


class Parts:
    """Parts of an enclosure that can be replaced, and what was read of them.

    names: their places. roll: of all modules. tell: gets what stands against arming, with its
    level. inventory: None while nothing reads it. signed: digest of the one that both parties
    commissioned, b"" before.
    """

    def __init__(
        self,
        setting: Setting,
        names: Collection[str],
        roll: RollCall,
        tell: Callable[[str, int], None],
    ) -> None:
        self._setting, self.names, self._roll, self._tell = setting, frozenset(names), roll, tell
        self._told = ""
        self.inventory: Inventory | None = None
        self.signed, self._signing = b"", threading.Lock()
        self._proposed = self._granted = self._taking = b""
        self._due: frozenset[str] = frozenset()

    @property
    def busy(self) -> bool:
        """Return whether an inventory is signed and not the reference yet."""
        return bool(self._granted or self._taking)

    def forget(self) -> None:
        """Forget what was read: another permit begins."""
        self._proposed = self._granted = b""
        if self.inventory is not None:
            self.inventory.begin()

    def flag(self, now: Machine) -> int:
        """Return what a heartbeat's health says of the inventory while it is ARMED.

        In MAINTENANCE it may differ. Heartbeats may be signed in a later state than they are of.
        """
        well = not self.names or (self.inventory is not None and self.inventory.well)
        return 0 if well or now.state is not State.ARMED else INVENTORY

    def begun_with(self, record: Record) -> bytes:
        """Return the inventory that a change of state commissions, b"" if it does not."""
        commissions = (record.before, record.after) == ("COMMISSIONING", "ARMED")
        return self.signed if commissions else b""

    def commission(self, now: Machine) -> bool:
        """Have modules answer, and both parties sign what a rack begins with.

        False if it did not come to that, which is told. The inventory has an approval of its own,
        for the moment in which they sign the anchor. What is read now is the reference from then
        on.
        """
        return self._tries(self._roll.learn) and (
            not self.names or self._tries(lambda: self._sign(self._read(), now))
        )

    def release(self) -> bool:
        """Return whether keys may be opened: modules and inventory are those that were signed."""
        return self._tries(self._roll.check) and (
            not self.names or self._tries(lambda: self._check_signed(self._read()))
        )

    def _read(self) -> Inventory:
        if self.inventory is None:
            raise PermitError(
                "nothing reads the inventory.", remedy="run with what signs it: see --redfish."
            )
        return self.inventory

    def _tries(self, call: Callable[[], None]) -> bool:
        """Do one thing at a time that waits for an answer; tell what stands against it, once."""
        if not self._signing.acquire(blocking=False):
            return False
        try:
            call()
        except CasemateError as error:
            if error.message != self._told:
                self._tell(f"not armed: {error.message} Remedy: {error.remedy}", ALERT)
            self._told = error.message
            return False
        finally:
            self._signing.release()
        return True

    def _sign(self, inventory: Inventory, now: Machine) -> None:
        data = inventory.first()
        self._setting.approved("commission", now.challenge, digest_of(data))
        self._adopt(inventory, data, self.names)
        self.signed = digest_of(data)

    def _check_signed(self, inventory: Inventory) -> None:
        known = self._setting.reference().unit(self._setting.wanted.serial).inventories
        if digest_of(inventory.reference()) not in {each.digest for each in known}:
            raise PermitError(
                "both parties have not signed the reference of the inventory.",
                remedy="restore anchor/rack.json, or commission anew.",
            )
        inventory.pin()
        _refuse_others(inventory.others(self.names))

    def _adopt(self, inventory: Inventory, data: bytes, parts: Collection[str]) -> None:
        inventory.take(data, parts)
        digest = digest_of(data)
        self._setting.amend(lambda held, unit: trust.with_inventory(held, unit, digest))

    def asked(self, now: Machine) -> dict[str, Any]:
        """Return what both parties have to sign of the inventory; nothing if no part was replaced.

        PermitError if it shows no other part, or more than that.
        """
        due = now.replaced & self.names
        if not due:
            return {}
        self._proposed, rows = self._read().proposed(due)
        self._due = due
        write_whole(self._setting.wanted.folder / "anchor" / PROPOSED, self._proposed.decode())
        found = {"file": f"anchor/{PROPOSED}", "subject": digest_of(self._proposed).hex()}
        return {"inventory": {**found, "parts": sorted(due), "changes": rows}}

    def check(self, now: Machine, question: dict[str, Any]) -> None:
        """Take both parties' approval of the inventory, if a part was replaced; PermitError."""
        self._granted = b""
        if not now.replaced & self.names:
            return
        try:
            document = base64.b64decode(str(question["inventory"]), validate=True)
        except (KeyError, ValueError):
            raise InputError(
                "the inventory is not signed.", remedy="sign it with `permit re-anchor`.",
                key="inventory",
            ) from None  # fmt: skip
        found = self._setting.read_approval(document)
        answers = hmac.compare_digest(found.challenge, now.challenge)
        about = bool(self._proposed) and found.subject == digest_of(self._proposed)
        if not (found.purpose == "re-anchor" and answers and about):
            raise PermitError(
                "the document is about another inventory or moment.", remedy="ask anew, then sign."
            )
        self._granted = self._proposed

    def check_settled(self, now: Machine) -> None:
        """Refuse an end of the work while something is there that no party has signed.

        So it does if what the permit does not name was away while a door could be open.
        """
        if self.inventory is None:
            return
        _refuse_others(self.inventory.others(now.masked.modules & self.names))

    def granted(self) -> tuple[bytes, bytes]:
        """Return the inventory that both parties have signed, and its digest; once.

        Both are b"" if there is none.
        """
        data = self._taking = self._granted
        self._granted = b""
        return data, digest_of(data) if data else b""

    def take(self, data: bytes) -> None:
        """Let an inventory be the reference."""
        if data and self.inventory is not None:
            self._adopt(self.inventory, data, self._due)
        self._taking = b""


def _refuse_others(found: Sequence[str]) -> None:
    if found:
        raise PermitError(
            f"the inventory is not the one that both parties have signed: {found[0]}.",
            remedy="put back what was there, or replace it under a permit that names its tray; if "
            "it was away, inspect it and let the permit expire.",
        )


def digest_of(data: bytes) -> bytes:
    """Return the digest by which snapshots and evidence name a reference inventory."""
    return hashlib.sha256(data).digest()
