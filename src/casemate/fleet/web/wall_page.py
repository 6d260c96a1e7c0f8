"""The page of a display on a wall: is all well, and what is not. It leads nowhere and asks nothing.

Who passes by reads it too, so it has no words of enclosures, no findings and no numbers of
incidents: states, since when, and whether somebody has taken note.
"""

from __future__ import annotations

from typing import Any

from casemate.fleet.web import fleet_page
from casemate.fleet.web.asked import Asked, Service

ROWS = 24
"""Of a wall, which nobody scrolls (planning value); what is worst comes first."""
_SHOWN = (
    "name", "serial", "site", "state", "since", "seen_ago", "severity", "acknowledged", "work",
)  # fmt: skip


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return counts of states, and the enclosures that are worst.

    q: only enclosures with this text are listed, such as those of a site; counts are of all.
    """
    words = asked.query.get("q", "")[:100].strip()
    fleet = fleet_page.view(service, Asked(query={"q": words}))
    rows = [{key: each[key] for key in _SHOWN} for each in fleet["rows"][:ROWS]]
    return {
        "title": "Fleet",
        "now": fleet["now"],
        "display": asked.display,
        "q": words,
        **{key: fleet[key] for key in ("well", "counts", "enclosures", "waiting")},
        "rows": rows,
        "more": fleet["total"] - len(rows),
    }
