"""Enclosures in every kind of trouble, and what outlets are held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from fleet_kit import Kit, bring, enter
from sqlalchemy import insert, select

from casemate.fleet.alarms import decisions, outbox
from casemate.fleet.alarms.incidents import WHOLE, Trigger
from casemate.fleet.alarms.notice import Notice
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS
from casemate.verify.findings import KINDS
from outside_programs import program as program

ENDING_WORDS = ("clear", "deassert", "reset")
"""Written down a second time: what consumers look for does not follow the product."""
HOSTILE = (
    "nuclear plant", "RESET me", "de-assert", "C l e a r e d", "ｃｌｅａｒ", "cle\u0301ar", "a\nb",
    'x"} 1\ncasemate_fleet 0', "x\r\nBcc: y", "a/+/#", "\x1b[2J", "clea\u200br", "", "x" * 300,
    'a="b"]', "$SYS/x", "ok, but ½ and ü",
)  # fmt: skip
"""Names that somebody could give an enclosure, to be taken for the end of an alarm or worse."""


def troubled(kit: Kit) -> int:
    """Return an enclosure with an open incident: its state is not known."""
    brought = enter(kit)
    brought.story.change("UNKNOWN", "power went, reset and clear")
    brought.story.seal()
    assert bring(kit, brought).status_code == 200
    return brought.enclosure_id


def put(store: Store, number: int, name: str = "rack", site: str = "hall 1") -> int:
    """Enter an enclosure without evidence under any name; return its number."""
    row = {
        "name": name, "serial": f"S{number}", "origin": f"o{number}", "kind": "camera",
        "site": site, "reference": b"", "policy": b"", "added_s": 0,
    }  # fmt: skip
    with store.write() as link:
        made = link.execute(insert(ENCLOSURES).values(**row).returning(ENCLOSURES.c.id))
        return int(made.scalar_one())


def trigger(finding: str, now_s: int, token: int = WHOLE, times: int = 1) -> Trigger:
    """Return a trigger of a kind."""
    kind = KINDS[finding]
    return Trigger(
        finding=finding, token=token, severity=kind.severity, what="w", remedy="r", at_s=now_s,
        first_s=now_s, last_s=now_s, times=times, live=True,
    )  # fmt: skip


def find(store: Store, enclosure_id: int, now_s: int, *found: Trigger) -> int:
    """Put triggers into the open incident of an enclosure, or a new one, as an appraisal does."""
    open_ = select(INCIDENTS.c.id).where(
        INCIDENTS.c.enclosure_id == enclosure_id, INCIDENTS.c.disposed_s.is_(None)
    )
    with store.write() as link:
        current = link.execute(open_).scalar_one_or_none()
        return decisions._enter(link, enclosure_id, current, found, now_s)


def told(store: Store, number: int = 0) -> list[Notice]:
    """Return the notices after one."""
    with store.read() as link:
        return outbox.after(link, number, 1 << 20)


def counted(first: int = 2) -> Callable[[], int]:
    """Return what counts how often an outlet begins, as the store does."""
    numbers = count(first)
    return lambda: next(numbers)


def notice(**changes: Any) -> Notice:
    """Return a notice."""
    made = Notice(
        id=7, enclosure=3, name="rack-a", serial="S3", site="hall 1", kind="nvl72", incident=5,
        what="raised", severity="alarm", finding="state.tampered", at_s=1_800_000_000, calls=True,
    )  # fmt: skip
    return replace(made, **changes)


def says_no_end(data: bytes | str) -> None:
    """Fail if a controller could take what is sent for the end of an alarm."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    assert not [word for word in ENDING_WORDS if word in text.casefold()], text


def calls(held: Sequence[Notice]) -> list[Notice]:
    """Return the notices that ask for somebody's attention."""
    return [each for each in held if each.calls]
