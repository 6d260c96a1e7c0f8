"""How large the evidence of an enclosure is, before it is sent.

Entries are only added, so each is weighed once; notes that were needless and went are counted yet.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select

from casemate.core.progress import size
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ENTRIES, NOTES
from casemate.fleet.story.export import Source
from casemate.translog import tiles

_A_FILE = 30 + 46 + 2 * 40
"""Bytes of a ZIP file for each file in it: two headers, and its path in both."""
_AN_ENTRY = 2
"""Bytes of a bundle of entries for each entry in it: its length."""
_WEIGHED = select(func.count(), func.coalesce(func.sum(func.length(ENTRIES.c.data)), 0)).where(
    ENTRIES.c.enclosure_id == bindparam("of"), ENTRIES.c.number >= bindparam("first"),
    ENTRIES.c.number < bindparam("end"),
)  # fmt: skip
_NOTED = select(
    func.count(), func.coalesce(func.sum(func.length(NOTES.c.data)), 0), func.max(NOTES.c.size)
).where(
    NOTES.c.enclosure_id == bindparam("of"), NOTES.c.size > bindparam("over"),
    NOTES.c.size <= bindparam("most"),
)  # fmt: skip
_ALL = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Tokens and checkpoints, how many there are and how many bytes. over: size of the last one."""

    tokens: int = 0
    token_bytes: int = 0
    notes: int = 0
    note_bytes: int = 0
    over: int = -1

    @property
    def zipped(self) -> int:
        """Return about how many bytes the ZIP file has; it is not compressed: signatures are."""
        files = 2 + self.notes + -(-self.tokens // tiles.WIDTH)
        return self.token_bytes + _AN_ENTRY * self.tokens + self.note_bytes + _A_FILE * files


class Weights:
    """What evidence weighs, by enclosure. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, Weight] = {}

    def of(self, store: Store, enclosure_id: int) -> Weight:
        """Return what all evidence of an enclosure weighs by now."""
        with self._lock:
            held = self._held.get(enclosure_id, Weight())
        found = _more(store, enclosure_id, held, _ALL)
        with self._lock:
            self._held[enclosure_id] = found
        return found


def of_source(held: Source) -> Weight:
    """Return what the evidence weighs that a source will give."""
    return _more(held.store, held.known.id, Weight(), held.total)


def shown(weight: Weight) -> dict[str, Any]:
    """Return what pages say of it."""
    return {
        "tokens": weight.tokens, "checkpoints": weight.notes, "bytes": weight.zipped,
        "size": size(weight.zipped),
    }  # fmt: skip


def _more(store: Store, enclosure_id: int, held: Weight, end: int) -> Weight:
    """Return a weight with what came since. end: of entries; notes of no more."""
    here = {"of": enclosure_id, "first": held.tokens, "end": end, "over": held.over, "most": end}
    with store.read() as link:
        tokens, token_bytes = link.execute(_WEIGHED, here).one()
        notes, note_bytes, over = link.execute(_NOTED, here).one()
    return Weight(
        tokens=held.tokens + tokens, token_bytes=held.token_bytes + int(token_bytes),
        notes=held.notes + notes, note_bytes=held.note_bytes + int(note_bytes),
        over=held.over if over is None else int(over),
    )  # fmt: skip
