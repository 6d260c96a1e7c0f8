"""What is told outside of an incident, in words that no controller takes for an alarm's end. Pure.

Consumers decide by words: "chassis intrusion" raises an alarm, "clear", "deassert" or "reset" ends
it, whatever the severity. Names come from elsewhere (a site may be called "nuclear plant"), so each
is passed on only if it holds none of these words, however it is written; else its number stands.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, dataclass
from functools import lru_cache

from casemate.core.errors import FormatError
from casemate.fleet.alarms.incidents import alarm_text
from casemate.verify.findings import SEVERITIES

ENDING_WORDS = ("clear", "deassert", "reset")
"""What infrastructure controllers take for the end of an alarm."""
RAISED, GROWN, ACKNOWLEDGED, DISPOSED, MANY = (
    "raised", "grown", "acknowledged", "disposed", "many",
)  # fmt: skip
KINDS = (RAISED, GROWN, ACKNOWLEDGED, DISPOSED, MANY)
"""raised: an incident is open. grown: it is worse, of another kind, or came again after somebody
had acknowledged it. many: more of the same at this site since people were last called."""
_CODES = {"quote.reset": "quote.set-back"}
"""Findings whose id holds a word that ends alarms, and what they are called outside."""
_MOST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told. id: its number, the same however often it is told; 0 before it has one.

    enclosure: number of the enclosure, that of the last one if `more`. at_s: Unix time. calls:
    whether it asks for a person's attention now; a notice that does not is one of many alike, which
    are counted in `more` of a later one that does.
    """

    id: int
    enclosure: int
    name: str
    serial: str
    site: str
    kind: str
    incident: int
    what: str
    severity: str
    finding: str
    at_s: int
    calls: bool
    more: int = 0

    @property
    def text(self) -> str:
        """Return one line for people, of our own words and of names that are safe to say."""
        where = f"{self.name} {self.serial} at {self.site}"
        told = f"{alarm_text(self.finding)}; severity {self.severity}"
        if self.what == MANY:
            return f"{told}; {self.more} more at {self.site}, of which {self.name} is the last"
        also = f"; {self.more} more at {self.site} before" if self.more else ""
        return f"{told}; incident {self.incident} {_SAID[self.what]}; {where}{also}"

    @property
    def key(self) -> str:
        """Return what tells it from all others, also of a store that was restored from a backup.

        Such a store gives numbers anew that receivers have seen: they would take an alarm for one
        that was brought again.
        """
        return f"{self.id}-{self.at_s}"

    @property
    def code(self) -> str:
        """Return what the finding is called outside."""
        return code(self.finding)


_SAID = {
    RAISED: "is open",
    GROWN: "has grown",
    ACKNOWLEDGED: "was seen by a person and stands",
    DISPOSED: "was disposed by people; what was found stays found",
}


def code(finding: str) -> str:
    """Return what a finding is called outside."""
    return _CODES.get(finding, finding)


def spoken(name: str, number: int, what: str = "enclosure") -> str:
    """Return a name as it may be said outside: itself, or what it names and a number.

    It stays if it is short, printable, and holds no word that ends alarms, nor accents, widths or
    cases by which a reader could take it for one.
    """
    return name if _is_safe(name) else f"{what}-{number}"


@lru_cache(maxsize=65_536)
def _is_safe(name: str) -> bool:
    if not name.strip() or not name.isprintable() or len(name) > _MOST_NAME:
        return False
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each)
    ).casefold()
    letters = "".join(each for each in plain if each.isalnum())
    return not any(word in plain or word in letters for word in ENDING_WORDS)


def encode(notice: Notice) -> str:
    """Return a notice as JSON, without its number."""
    row = asdict(notice)
    del row["id"]
    return json.dumps(row, ensure_ascii=True, sort_keys=True)


def decode(number: int, body: str) -> Notice:
    """Return the notice of a row of the outbox; FormatError if it is none."""
    try:
        made = Notice(id=number, **json.loads(body))
        if made.what not in KINDS or made.severity not in SEVERITIES:
            raise ValueError("it is of no kind")
    except (TypeError, ValueError) as error:
        raise FormatError(
            f"row {number} of the outbox is no notice: {error}.", remedy="restore a backup."
        ) from None
    return made
