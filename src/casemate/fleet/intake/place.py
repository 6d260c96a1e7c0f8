"""An enclosure that is being appraised, and what of it is stored or is about to be."""

from __future__ import annotations

import threading
from dataclasses import replace

from casemate.core.errors import FormatError
from casemate.fleet.alarms.incidents import Seen
from casemate.fleet.appraisal import evidence, walks
from casemate.fleet.appraisal.appraiser import Appraiser
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.appraisal.notes import Held, read_note
from casemate.fleet.appraisal.walk_data import Saved
from casemate.fleet.errors import RefusedError
from casemate.fleet.intake.submission import Submission
from casemate.fleet.store.database import Store
from casemate.translog.bundle import Bundle
from casemate.verify.result import Result


class Place:
    """An enclosure that is being appraised. lock: of its evidence."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.known: Enclosure | None = None
        self.appraiser: Appraiser | None = None
        self.adding = Submission(first=0, entries=(), notes=())
        self.seen: Seen | None = None
        """What the last appraisal found, with which incidents are in line; None: not known."""
        self.last: tuple[Result, float] | None = None
        """The latest of an appraisal that takes long each time, and until when it may be shown."""
        self.trust, self.saved = "", 0
        """Of the walk that is written, and how many entries it has; 0 if there is none."""


def load(store: Store, known: Enclosure, place: Place) -> Bundle:
    """Return all evidence: what is stored, and what is about to be."""
    with store.read() as link:
        return evidence.bundle(link, known, place.adding.entries, place.adding.notes)


def entry(store: Store, enclosure_id: int, index: int) -> bytes:
    """Return the entry that is stored at an index."""
    with store.read() as link:
        return evidence.entries(link, enclosure_id, index, 1)[0]


def written(store: Store, key: bytes, known: Enclosure, place: Place) -> Saved | None:
    """Return the walk that is written, with all that came since and is about to be stored."""
    if not key or not place.saved:
        return None
    with store.read() as link:
        found = walks.read(link, known.id, place.trust, key)
    if found is None:
        return None
    saved, new = found[0], place.adding
    return replace(saved, entries=(*saved.entries, *new.entries), notes=(*saved.notes, *new.notes))


def note(data: bytes) -> Held:
    """Return a note, taken apart; RefusedError if it is no checkpoint."""
    try:
        return read_note(data)
    except FormatError as error:
        raise RefusedError(error.message, remedy=error.remedy) from None
