"""Modules that are no readers: trays of a rack. What they consist of an inventory tells.

A tray that was put in proves by its key who it is, as a reader does; beyond that, both parties sign
the inventory with the new tray in it, before the work can end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from typing import Any, Protocol

from casemate.control.setting import Setting
from casemate.control.states import Machine
from casemate.core.errors import InputError, PermitError
from casemate.core.whole_file import write_whole

PROPOSED = "rack-proposed.json"
"""In anchor/: the inventory with what was put in, for both parties to sign."""


class Inventory(Protocol):
    """What the enclosure holds, by the word of its management controllers."""

    def proposed(self, parts: Collection[str]) -> tuple[bytes, list[list[str]]]:
        """Return the inventory of now as a reference, and what differs, a row each.

        Waits until it was read anew. PermitError unless all of `parts`, and nothing else, are other
        ones than in the reference.
        """
        ...

    def others(self) -> list[str]:
        """Return what is there that no party has signed, or is not there, by the last reading."""
        ...

    def take(self, data: bytes) -> None:
        """Let `data` be the reference; the one before is kept beside it. OutputError."""
        ...


class Parts:
    """Parts of an enclosure that can be replaced, and what was read of them.

    names: their places. inventory: None while nothing reads it.
    """

    def __init__(self, setting: Setting, names: Collection[str]) -> None:
        self._setting, self.names = setting, frozenset(names)
        self.inventory: Inventory | None = None
        self._proposed = self._granted = self._taking = b""

    @property
    def busy(self) -> bool:
        """Return whether an inventory is signed and not the reference yet."""
        return bool(self._granted or self._taking)

    def forget(self) -> None:
        """Forget what was read: another permit begins."""
        self._proposed = self._granted = b""

    def asked(self, now: Machine) -> dict[str, Any]:
        """Return what both parties have to sign of the inventory; nothing if no part was replaced.

        PermitError if it shows no other part, or more than that.
        """
        due = now.replaced & self.names
        if not due:
            return {}
        if self.inventory is None:
            raise PermitError(
                "nothing reads the inventory.", remedy="run with what signs it: see --redfish."
            )
        self._proposed, rows = self.inventory.proposed(due)
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

    def check_settled(self) -> None:
        """Refuse an end of the work while something is there that no party has signed."""
        found = self.inventory.others() if self.inventory is not None else []
        if found:
            raise PermitError(
                f"the inventory is not the one that both parties have signed: {found[0]}.",
                remedy="put back what was there, or replace it under a permit that names its tray.",
            )

    def granted(self) -> tuple[bytes, str]:
        """Return the inventory that both parties have signed, and what evidence says of it; once.

        b"" and "" if there is none.
        """
        data = self._taking = self._granted
        self._granted = b""
        return data, f"inventory {digest_of(data).hex()}" if data else ""

    def take(self, data: bytes) -> None:
        """Let an inventory be the reference."""
        if data and self.inventory is not None:
            self.inventory.take(data)
        self._taking = b""


def digest_of(data: bytes) -> bytes:
    """Return the digest by which snapshots and evidence name a reference inventory."""
    return hashlib.sha256(data).digest()
