"""How far work is, as pages and their JSON twins say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casemate.core.progress import RUNNING, Look

NOT_YET = "not known yet"
RENEWS_S = 2
"""After which a page that shows work under way renews itself (planning value)."""
_LONGEST_S = 30
"""After which at most a program is told to ask again (planning value)."""


def row(look: Look | None) -> dict[str, Any] | None:
    """Return what is said of work; None if there is none.

    total: null where nobody knows; left_s: null where the pace does not say.
    """
    if look is None:
        return None
    return {
        "what": look.what, "stage": look.stage, "done": look.done, "total": look.total or None,
        "unit": look.unit, "count": look.count, "pace": look.pace, "how": look.how,
        "stands": look.stands, "for_s": round(look.for_s),
        "left_s": None if look.left_s is None else round(look.left_s),
    }  # fmt: skip


def rows(looks: Iterable[Look]) -> list[dict[str, Any]]:
    """Return what is said of each."""
    return [made for look in looks if (made := row(look)) is not None]


def why(*, failed: bool) -> str:
    """Return what is said of evidence in place of a state."""
    return "could not be appraised" if failed else "is being appraised"


def renews(*shown: dict[str, Any] | None) -> dict[str, int]:
    """Return how soon the page renews itself if any of the work shown is under way, else {}."""
    under_way = any(each is not None and each["how"] == RUNNING for each in shown)
    return {"renews": RENEWS_S} if under_way else {}


def again_s(look: Look) -> int:
    """Return after how many seconds a program does well to ask again."""
    return min(max(round(look.left_s or 0), RENEWS_S), _LONGEST_S)
